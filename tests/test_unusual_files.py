"""Files that other tools write and that are no corpus as they are: each is read as meant, or refused with a remedy."""

import csv
import gzip
import json

import numpy as np
import pytest

from ldavi import io

TEXTS = [f"{'cat dog bird' if i % 2 else 'bank loan cash'} word{i}" for i in range(20)]


def save(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(texts, **more):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame({"text": texts, **more})


# Refused, with what to do


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"\x93NUMPY\x01\x00", "scipy.sparse.save_npz"),
        ("a.mat", b"MATLAB 5.0 MAT-file\x00", "is a file of MATLAB"),
        ("a.h5", b"\x89HDF\r\n\x1a\n\x00", "is an HDF5 file"),
        ("a.dta", b"<stata_dta><header>", "is a file of Stata"),
        ("a.sav", b"$FL2@(#) SPSS", "is a file of SPSS"),
        ("a.rds", gzip.compress(b"X\n\x00\x00\x00\x03", mtime=0), "is a file of R"),
        ("a.rda", gzip.compress(b"RDX3\nX\n", mtime=0), "is a file of R"),
        ("a.txt.gz", gzip.compress(gzip.compress(b"cat dog\n", mtime=0), mtime=0), "is compressed twice"),
        ("a.avro", b"Obj\x01\x04", "is an Avro file"),
        ("a.orc", b"ORC\x00\x01", "is an ORC file"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is an image"),
        ("a.txt", b"cat dog\ncat\x00 bird and a house\nbank and loan and cash\n", "line 2: contains a null byte"),
        ("a.json", "".join(json.dumps({"text": text}) for text in TEXTS), "write each on a line of its own"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b"}{"text": "c"}\n', "line 2: .*write each object on a line of its own"),
        ("a.csv", "# by a tool\n# 2020\ntext,n\n" + "cat dog,1\n" * 9, "begins with '# by a tool'.*remove 2 lines"),
        (
            "b.csv",
            "Posts of the year\n\ntext,n\n" + "cat dog,1\n" * 9,
            "begins with 'Posts of the year'.*remove 2 lines",
        ),
        ("c.csv", "Posts of the year,,\n,,\ntext,n,m\ncat,1,2\n", "if there is a title above the table"),
        ("d.csv", "text,text\ncat,dog\n", "has 2 columns named 'text'; rename all but one"),
        ("e.csv", "1,0,2,0,3,1\n" * 5, "if its cells are counts of words, save them with scipy.io.mmwrite"),
        ("f.csv", "doc,cat,dog,bird,bank\na,1,0,2,0\n", "if its cells are counts of words"),
    ],
)
def test_a_file_that_is_no_corpus_is_refused_with_what_to_do(tmp_path, name, content, message):
    with pytest.raises(io.CorpusError, match=message):
        io.read_corpus(save(tmp_path / name, content))


def test_a_title_in_a_sheet_is_named(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    for row in (["Posts"], ["text", "n"], ["cat", 1]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(io.CorpusError, match="if there is a title above the table, remove its rows"):
        io.read_corpus(tmp_path / "a.xlsx")


# Read as meant


@pytest.mark.parametrize("missing", ["NaN", "nan", "<NA>", "NULL", "null"])
def test_missing_texts_of_pandas_are_empty_documents(tmp_path, missing):
    texts = [text if i % 5 else None for i, text in enumerate(TEXTS)]
    table(texts, n=range(20)).to_csv(tmp_path / "a.csv", index=False, na_rep=missing)
    corpus = io.read_corpus(tmp_path / "a.csv", column="text")
    assert [text == "" for text in corpus.texts] == [i % 5 == 0 for i in range(20)]
    assert any("are taken for missing ones" in note for note in corpus.notes)


def test_a_text_with_the_word_null_is_a_text(tmp_path):
    corpus = io.read_corpus(save(tmp_path / "a.csv", "text,n\nnull hypothesis,1\nNone,2\n"), column="text")
    assert (corpus.texts, corpus.notes) == (["null hypothesis", "None"], ())


def test_a_table_of_markdown_is_no_vowpal_wabbit(tmp_path):
    content = "| text | n |\n|---|---|\n" + "".join(f"| {text} | 1 |\n" for text in TEXTS)
    corpus = io.read_corpus(save(tmp_path / "a.txt", content))
    assert corpus.recognition.format == "text"
    assert any("3 fields" in note or "fields separated by vertical bars" in note for note in corpus.notes)


def test_vowpal_wabbit_that_is_found_by_its_lines_is_noted(tmp_path):
    corpus = io.read_corpus(save(tmp_path / "a.txt", "| cat:2 dog:1\n| bank:1\n"))
    assert (corpus.recognition.format, corpus.X.sum()) == ("vw", 4)
    assert any("read as Vowpal Wabbit" in note for note in corpus.notes)


@pytest.mark.parametrize(
    "content",
    [
        "<table>\n<tr><td>cat dog</td></tr>\n</table>\n",
        "<!-- by a tool -->\n<div class='a'>cat</div>\n",
        '<?xml version="1.0"?>\n<a>cat</a>\n',
        "<TEI>\n<text>cat dog</text>\n</TEI>\n",
    ],
)
def test_markup_is_noted(tmp_path, content):
    assert any("contains markup" in note for note in io.read_corpus(save(tmp_path / "a.txt", content)).notes)


@pytest.mark.parametrize("content", ["<unk> the cat and the dog\n<unk> a bird\n", "<3 this cat\nand dogs\n"])
def test_a_text_that_begins_with_an_angle_bracket_is_no_markup(tmp_path, content):
    assert io.read_corpus(save(tmp_path / "a.txt", content)).notes == ()


@pytest.mark.parametrize("suffix", ["bib", "ris", "srt", "eml", "tex", "md", "conllu"])
def test_a_format_whose_lines_are_no_documents_is_noted(tmp_path, suffix):
    corpus = io.read_corpus(save(tmp_path / f"a.{suffix}", "cat dog\nbank loan\n"))
    assert any("each line of it is a document" in note for note in corpus.notes)


def test_annotated_words_with_blank_lines_between_sentences_are_noted(tmp_path):
    lines = "".join(f"{i}\tcat\tNOUN\n{i}\tdog\tNOUN\n\n" for i in range(5))
    notes = io.read_corpus(save(tmp_path / "a.txt", lines)).notes
    assert any("each of its lines has 3 fields separated by tabs" in note for note in notes)


def test_a_first_column_that_begins_with_a_number_sign_is_a_header(tmp_path):
    content = "#id,text\n" + "".join(f"{i},{text}\n" for i, text in enumerate(TEXTS))
    corpus = io.read_corpus(save(tmp_path / "a.csv", content), id_column="#id")
    assert corpus.texts == TEXTS


@pytest.mark.parametrize(
    "write",
    [
        lambda frame, path: frame.to_csv(path, index=True),
        lambda frame, path: frame.to_csv(path, sep=";", decimal=",", index=False),
        lambda frame, path: frame.to_csv(path, sep="\t", encoding="utf-16", index=False),
        lambda frame, path: frame.to_csv(path, quoting=csv.QUOTE_ALL, lineterminator="\r\n"),
        lambda frame, path: frame.to_csv(path, encoding="utf-8-sig"),
        lambda frame, path: frame.to_csv(path, compression="zip"),
    ],
    ids=["index", "semicolons", "utf-16 tabs", "quotes", "mark", "zip"],
)
def test_tables_of_pandas_are_read(tmp_path, write):
    write(table(TEXTS, share=np.linspace(0, 1, 20)), tmp_path / "a.csv")
    assert io.read_corpus(tmp_path / "a.csv").texts == TEXTS


@pytest.mark.parametrize("layout", ["records", "columns", "index", "split", "table", "values"])
def test_json_of_pandas_is_read(tmp_path, layout):
    frame = table(TEXTS)
    (frame["text"] if layout == "values" else frame).to_json(tmp_path / "a.json", orient=layout)
    assert io.read_corpus(tmp_path / "a.json").texts == TEXTS


def test_tables_of_polars_are_read(tmp_path):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"text": TEXTS, "n": range(20)})
    frame.write_csv(tmp_path / "a.csv", quote_style="always", separator="|")
    frame.write_ndjson(tmp_path / "a.ndjson")
    frame.write_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.ndjson", "a.parquet"):
        assert io.read_corpus(tmp_path / name).texts == TEXTS


def test_the_first_record_decides_the_column_of_the_texts(tmp_path):
    path = save(tmp_path / "a.jsonl", '{"text": "cat dog"}\n{"body": "bank loan"}\n')
    with pytest.raises(io.CorpusError, match="line 2: has no column 'text'"):
        io.read_corpus(path)


OPTIONAL = '{"text": "cat dog"}\n{"text": "dog", "year": 2021}\n{"text": "cat", "place": "Rome"}\n'


@pytest.mark.parametrize("layout", ["lines", "array"])
def test_a_record_may_lack_a_column_of_metadata_that_others_have(layout, tmp_path):
    content = OPTIONAL if layout == "lines" else f"[{','.join(OPTIONAL.splitlines())}]"
    path = save(tmp_path / "a.json", content)
    corpus = io.read_corpus(path, column="text", metadata=["year", "place"])
    assert list(zip(*corpus.metadata.values(), strict=True)) == [(None, None), (2021, None), (None, "Rome")]
    assert any("lack a column of metadata" in note for note in corpus.notes)


@pytest.mark.parametrize(
    "columns",
    [
        {"metadata": ["month"]},
        {"id_column": "year"},
        {"id_column": "year", "metadata": ["year"]},
        {"column": "year"},
        {"column": "year", "metadata": ["text", "year"]},
    ],
)
def test_no_other_column_may_be_missing_in_a_record(columns, tmp_path):
    path = save(tmp_path / "a.jsonl", OPTIONAL)
    with pytest.raises(io.CorpusError, match=r"line 1: has no column '(month|year)'"):
        io.read_corpus(path, **({"column": "text"} | columns))


def test_texts_that_parquet_stores_as_bytes_are_decoded(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    values = [text.encode("cp1252") for text in ["für cat", "dog"]]
    parquet.write_table(pa.table({"text": pa.array(values, pa.binary())}), tmp_path / "a.parquet")
    with pytest.raises(io.CorpusError, match="line 1: expected text in utf-8"):
        io.read_corpus(tmp_path / "a.parquet")
    assert io.read_corpus(tmp_path / "a.parquet", encoding="cp1252").texts == ["für cat", "dog"]


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.ods"])
@pytest.mark.parametrize("content", ["text,n\ncat,1\n", "<html><table><tr><td>cat</td></tr></table></html>"])
def test_text_with_the_name_of_a_spreadsheet_is_refused(tmp_path, name, content):
    with pytest.raises(io.CorpusError, match=r"has the name of a spreadsheet, .* but contains text"):
        io.read_corpus(save(tmp_path / name, content))


def test_texts_without_words_name_the_file(tmp_path):
    with pytest.raises(io.CorpusError, match=r"a\.txt: the texts contain no words"):
        io.read_corpus(save(tmp_path / "a.txt", "\n\n"))


def test_a_table_beside_other_files_of_a_folder_is_refused_with_a_pattern(tmp_path):
    (tmp_path / "t").mkdir()
    save(tmp_path / "t" / "a.parquet", b"PAR1\x00\x00")
    save(tmp_path / "t" / "readme.md", "cat dog")
    with pytest.raises(io.CorpusError, match=r"pass the tables alone, as in FOLDER/\*\.parquet"):
        io.read_corpus(tmp_path / "t")


def test_hidden_files_of_windows_are_left_out(tmp_path):
    save(tmp_path / "a.txt", "cat dog")
    save(tmp_path / "Thumbs.db", b"\xd0\xcf\x11\xe0\x00")
    assert io.read_corpus(tmp_path).ids.tolist() == ["a.txt"]


def test_an_only_column_whose_name_is_no_word_is_noted(tmp_path):
    corpus = io.read_corpus(save(tmp_path / "a.csv", "text^n\ncat dog^1\n"))
    assert any("its only column is 'text^n'" in note for note in corpus.notes)
