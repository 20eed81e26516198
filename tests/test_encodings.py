"""Encodings of texts: what is not UTF-8 is read as its byte order mark says, or refused with a suggestion."""

import sys

import pytest

from ldavi import io
from ldavi.cli import main

TEXTS = {
    "gb18030": "自然语言处理是人工智能的一个重要方向。它研究能实现人与计算机之间用自然语言进行有效通信。",
    "cp932": "自然言語処理は人工知能の分野の一つです。日本語のテキストを読むことができます。カタカナもあります。",
    "big5": "自然語言處理是人工智慧的一個重要方向。它研究能實現人與計算機之間的溝通。",
    "cp949": "자연어 처리는 인공지능의 중요한 분야입니다. 한국어 텍스트를 읽습니다.",
    "cp1251": "Обработка естественного языка является важным направлением искусственного интеллекта.",
    "koi8_r": "Обработка естественного языка является важным направлением искусственного интеллекта.",
    "cp1252": "Die Tür öffnet sich für die Gäste; où est le café? naïve façade – “quoted”.",
}


def save(path, text, encoding):
    path.write_bytes(text.encode(encoding))
    return path


def contents(name, text):
    lines = [text] * 5
    return {
        "text": ("posts.txt", "\n".join(lines)),
        "csv": ("posts.csv", "\n".join(["text", *(f'"{line}"' for line in lines)])),
        "jsonl": ("posts.jsonl", "\n".join(f'{{"text": "{line}"}}' for line in lines)),
    }[name]


@pytest.mark.parametrize("kind", ["text", "csv", "jsonl"])
@pytest.mark.parametrize("encoding", list(TEXTS))
def test_another_encoding_is_refused_with_the_right_one(tmp_path, encoding, kind):
    pytest.importorskip("charset_normalizer")
    name, content = contents(kind, TEXTS[encoding])
    content = content.replace("“quoted”", "quoted")
    path = save(tmp_path / name, content, encoding)
    with pytest.raises(io.CorpusError, match=r"line \d: expected text in utf-8, found the bytes") as error:
        io.read_corpus(path)
    assert f"encoding='{encoding}'" in str(error.value)
    assert io.read_corpus(path, encoding=encoding).texts[0] == TEXTS[encoding].replace("“quoted”", "quoted")


def test_without_charset_normalizer_a_common_encoding_is_suggested(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "charset_normalizer", None)
    path = save(tmp_path / "posts.txt", "Tür und Tor\n", "cp1252")
    with pytest.raises(io.CorpusError, match="pass its encoding, such as encoding='cp1252'"):
        io.read_corpus(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
@pytest.mark.parametrize("text", ["Tür und Tor\nfür viele\n", "自然语言 处理\n主题 模型\n"])
def test_a_byte_order_mark_is_followed(tmp_path, encoding, text):
    assert io.read_corpus(save(tmp_path / "posts.txt", text, encoding)).texts == text.splitlines()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["open the door\nfor all of them\n", f"{TEXTS['gb18030']}\n{TEXTS['big5']}\n"])
def test_wide_text_without_a_mark_is_refused_with_its_encoding(tmp_path, encoding, text):
    if encoding.startswith("utf-32") and "自" in text:
        encoding = encoding.replace("32", "16")
    path = save(tmp_path / "posts.txt", text, encoding)
    with pytest.raises(io.CorpusError, match=f"looks like text in {encoding}; pass encoding='{encoding}'"):
        io.read_corpus(path)
    assert io.read_corpus(path, encoding=encoding).texts == text.splitlines()


def test_escape_sequences_are_refused_with_their_encoding(tmp_path):
    path = save(tmp_path / "posts.txt", TEXTS["cp932"] + "\n", "iso2022_jp")
    with pytest.raises(io.CorpusError, match="looks like text in iso2022_jp; pass encoding='iso2022_jp'"):
        io.read_corpus(path)
    assert io.read_corpus(path, encoding="iso2022_jp").texts == [TEXTS["cp932"]]


def test_the_position_and_the_option_are_named(tmp_path, capsys):
    path = tmp_path / "posts.txt"
    path.write_bytes(b"plain text\nthe second line\n" + "für die Gäste und die Köche\n".encode("latin-1"))
    assert main(["fit", str(path), "-k", "2"]) == 1
    message = capsys.readouterr().err
    assert "posts.txt, line 3: expected text in utf-8" in message
    assert "--encoding " in message


def test_utf_8_that_is_read_in_another_encoding_is_noted(tmp_path):
    path = save(tmp_path / "posts.txt", "für viele Gäste\n", "utf-8")
    corpus = io.read_corpus(path, encoding="latin-1")
    assert corpus.texts == ["fÃ¼r viele GÃ¤ste"]
    assert corpus.notes == ("its first lines are valid UTF-8, and are read in encoding='iso8859-1', as asked",)
    assert io.read_corpus(save(path, "für viele\n", "latin-1"), encoding="latin-1").notes == ()
