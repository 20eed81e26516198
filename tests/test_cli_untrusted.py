"""Model files, words and names that someone else has written, on the command line."""

import csv
import io as standard_io
import json
import subprocess
import sys

import numpy as np
import pytest

from ldavi import LatentDirichletAllocation, io
from ldavi.cli import main
from ldavi.cli._text import csv_cell, json_safe, visible
from ldavi.io._counting.recipe import has_bounded_time

HOSTILE = ["\x1b[31mred", "bell\x07", "c1\x9bm", "bidi\u202e", "null\x00", "line\nend", "zero\u200bwidth", "del\x7f"]


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("red green blue\ngreen blue\nred red blue\n" * 5, encoding="utf-8")
    return path


def write_model(path, words, counting=None):
    X = np.random.default_rng(0).poisson(1.0, (30, len(words)))
    model = LatentDirichletAllocation(2, random_state=0, max_iter=3, tol=None).fit(X)
    io.save(model, path, vocabulary=words, metadata={} if counting is None else {"counting": counting})
    return str(path)


# Patterns and n-grams of a file


@pytest.mark.parametrize(
    "pattern",
    [r"\b\w{3,}\b", r"(?u)\b\w\w+\b", r"[a-z]+", r"\b[a-zA-Z]{2,}\b", r"\w+(?:'\w+)*", r"\b\w+(?:-\w+)?\b", r"\S+"],
)
def test_patterns_of_runs_have_a_bounded_time(pattern):
    assert has_bounded_time(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(\w+)+!", r"(a|a)*b", r".*.*x", r"\S+(?:-\S+)*", r"\w+\w+x", r"(?=(\w+)+!)", r"\S+\b", r"[a-z]+\b"]
)
def test_patterns_that_may_backtrack_have_none(pattern):
    assert not has_bounded_time(pattern)


def test_a_pattern_that_may_take_for_ever_is_used_only_if_the_user_repeats_it(tmp_path, texts, capsys):
    pattern = r"(?:r|g|b)[a-z]+"
    model = write_model(tmp_path / "m.ldavi", ["red", "green", "blue"], {"token_pattern": pattern})
    assert main(["transform", model, str(texts)]) == 1
    assert "--token-pattern '(?:r|g|b)[a-z]+'" in capsys.readouterr().err
    assert main(["transform", model, str(texts), "--token-pattern", pattern]) == 0
    assert main(["topics", model]) == 0  # counts nothing


@pytest.mark.parametrize(
    "counting",
    [
        {"ngrams": []},
        {"ngrams": [1, 10**9]},
        {"ngrams": [0, 1]},
        {"ngrams": ["1", 2]},
        {"ngrams": None},
        {"token_pattern": "("},
        {"token_pattern": 3},
        {"token_pattern": "(a)(b)"},
        {"token_pattern": "x" * 10**5},
        {"token_pattern": "(" * 900 + ")" * 900},
        {"lowercase": "yes"},
        {"stop_words": 7},
        {"stop_words": ["a", 1]},
    ],
)
def test_an_entry_on_counting_that_no_fit_wrote_is_an_error_in_one_line(tmp_path, texts, capsys, counting):
    model = write_model(tmp_path / "m.ldavi", ["red", "green", "blue"], counting)
    assert main(["transform", model, str(texts)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ldavi transform: error: ")
    assert error.count("\n") == 1


def test_ngrams_longer_than_every_text_end_at_once():
    counter = io.WordCounter(ngram_range=(1, 10**9))
    assert counter.fit_transform(["red green blue", "red green"]).shape[1] == 6


# Terminals


@pytest.mark.parametrize("arguments", [["topics"], ["topics", "--json"]])
def test_no_word_reaches_the_terminal_as_a_command(tmp_path, capsys, arguments):
    model = write_model(tmp_path / "m.ldavi", HOSTILE)
    assert main([arguments[0], model, *arguments[1:]]) == 0
    output = capsys.readouterr().out
    assert not set(output) & set("\x1b\x07\x9b\u202e\x00\u200b\x7f")
    assert output.count("\n") == (3 if arguments == ["topics"] else output.count(" \n") + len(output.splitlines()))


def test_json_still_has_the_words_themselves(tmp_path, capsys):
    model = write_model(tmp_path / "m.ldavi", HOSTILE)
    main(["topics", model, "--json"])
    topics = json.loads(capsys.readouterr().out)
    assert {word["word"] for word in topics[0]["words"]} == set(HOSTILE)


def test_messages_do_not_reach_the_terminal_as_commands(tmp_path, capsys):
    assert main(["topics", str(tmp_path / "\x1b[2Jno\u202emodel")]) == 1
    assert "\\x1b[2Jno\\u202emodel" in capsys.readouterr().err


def test_letters_of_all_alphabets_stay_visible():
    text = "naïve 北京 Ελλάδα हिन्दी 🙂"
    assert visible(text) == text
    assert json.loads(json_safe(json.dumps([*HOSTILE, text], ensure_ascii=False))) == [*HOSTILE, text]


# CSV


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, "-1", "+2.5e3", "-inf", "word", "", None])
def test_numbers_and_other_texts_stay_as_they_are(value):
    assert csv_cell(value) == value


def test_words_that_are_formulas_are_escaped_in_tables(tmp_path, capsys):
    words = ["=cmd", "@x", "-y", "plain"]
    model = write_model(tmp_path / "m.ldavi", words)
    assert main(["topics", model, "--csv"]) == 0
    rows = list(csv.DictReader(standard_io.StringIO(capsys.readouterr().out)))
    assert {row["word"] for row in rows} == {"'=cmd", "'@x", "'-y", "plain"}
    assert all(float(row["score"]) is not None for row in rows)
    target = tmp_path / "topics.csv"
    assert main(["convert", model, str(target)]) == 0
    assert target.read_text(encoding="utf-8").splitlines()[0] == "topic,'=cmd,'@x,'-y,plain"


def test_names_of_documents_that_are_formulas_are_escaped(tmp_path, capsys):
    documents = tmp_path / "d.csv"
    documents.write_text('name,text\n"=HYPERLINK(1)",red green\n-7,blue red\n', encoding="utf-8")
    model = write_model(tmp_path / "m.ldavi", ["red", "green", "blue"])
    assert main(["transform", model, str(documents), "--column", "text", "--id-column", "name"]) == 0
    names = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["document", "'=HYPERLINK(1)", "-7"]


# Vocabulary files


@pytest.mark.parametrize("word", ["a\nb", "end\r", "1\tx\t2"])
def test_a_vocabulary_that_could_not_be_read_again_is_not_written(tmp_path, capsys, word):
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": f"<{word}>"}) + "\n" for _ in range(3)), encoding="utf-8")
    target = tmp_path / "counts.npz"
    arguments = ["convert", str(texts), str(target), "--column", "text", "--token-pattern", r"<([^>]*)>"]
    assert main([*arguments, "--stop-words", "none"]) == 1
    assert "word" in capsys.readouterr().err
    assert not target.exists()


def test_a_written_vocabulary_is_read_again(tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("naïve 7up\tx <b>\n" * 3, encoding="utf-8")
    target = tmp_path / "counts.npz"
    assert main(["convert", str(texts), str(target), "--token-pattern", r"\S+", "--stop-words", "none"]) == 0
    words = io.read_vocabulary(f"{target}.vocab.txt").tolist()
    assert sorted(words) == ["7up", "<b>", "naïve", "x"]


# Memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
def test_a_small_file_is_read_in_little_address_space(tmp_path):
    from scipy import sparse

    path, folder = tmp_path / "counts.npz", tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("red green blue", encoding="utf-8")
    sparse.save_npz(path, sparse.csr_matrix(np.eye(3)))
    code = f"""
import resource
from ldavi import io
io.read_corpus({str(path)!r})
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
io.read_corpus({str(path)!r}), io.read_corpus({str(folder)!r}), list(io.read_batches({str(folder)!r}, batch_size=1))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
