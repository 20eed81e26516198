"""Files as people have them: each kind is read right, or refused with its name, its place and the remedy."""

import codecs
import io as streams
import json
import re
import sys
import warnings
import zipfile

import cli_texts
import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite

from ldavi import io
from ldavi.cli import main

DOCS = ["soup bread soup", "bread salt", "salt pepper salt salt", "pepper soup", "bread pepper bread"]
WORDS = ["bread", "pepper", "salt", "soup"]
COUNTS = np.array([[text.split().count(word) for word in WORDS] for text in DOCS])


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def texts(path, **options):
    return io.read_corpus(path, counting={"token_pattern": r"\S+"}, **options).texts


def pairs(base, row):
    return " ".join(f"{word + base}:{row[word]}" for word in np.flatnonzero(row))


def svmlight(base, X=COUNTS):
    return "".join(f"1 {pairs(base, row)}\n" for row in X)


def ldac(base=0, suffix="", X=COUNTS):
    return "".join(f"{np.count_nonzero(row)} {pairs(base, row).replace(' ', suffix + ' ')}{suffix}\n" for row in X)


def with_notes(path, **options):
    corpus = io.read_corpus(path, **options)
    return corpus, " ".join(corpus.notes)


# Numbers of words in SVMlight and lda-c


@pytest.mark.parametrize("base", [0, 1])
def test_the_number_of_the_first_svmlight_word_follows_from_the_numbers_that_occur(save, base):
    corpus, notes = with_notes(save("x.svmlight", svmlight(base)), vocabulary=WORDS)
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)
    assert not notes


@pytest.mark.parametrize("unused", [[0], [0, 1]])
@pytest.mark.parametrize("read", [io.read_corpus, lambda path, **more: io.read_batches(path, **more)])
def test_an_ambiguous_number_of_the_first_word_is_noted_and_can_be_given(save, unused, read):
    X = COUNTS.copy()
    X[:, unused] = 0
    path = save("x.svmlight", svmlight(0, X))
    assert "first_word=0" in " ".join(read(path, vocabulary=WORDS).notes)
    np.testing.assert_array_equal(io.read_corpus(path, vocabulary=WORDS, first_word=0).X.toarray(), X)


@pytest.mark.parametrize("kind", ["zero", "one"])
def test_the_comment_of_scikit_learn_states_the_first_word(save, kind):
    X = COUNTS.copy()
    X[:, [0, 3]] = 0
    path = save("x.svmlight", f"# Column indices are {kind}-based\n" + svmlight(int(kind == "one"), X))
    np.testing.assert_array_equal(io.read_corpus(path, vocabulary=WORDS).X.toarray(), X)


def test_lda_c_that_numbers_words_from_1_is_read_by_the_number_of_words(save):
    corpus, notes = with_notes(save("x.ldac", ldac(base=1)), vocabulary=WORDS)
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)
    assert "number 1" in notes


def test_word_0_in_standard_input_that_counts_from_1_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdin", streams.TextIOWrapper(streams.BytesIO(svmlight(0).encode())))
    with pytest.raises(io.CorpusError, match="first_word=0"):
        list(io.read_batches("-", format="svmlight", vocabulary=WORDS))


# lda-c


@pytest.mark.parametrize("suffix", [".0", ".00", "e0"])
@pytest.mark.parametrize("name", ["x.ldac", "x"])
def test_counts_of_lda_c_may_have_decimals(save, suffix, name):
    corpus = io.read_corpus(save(name, ldac(suffix=suffix)))
    assert corpus.recognition.format == "ldac"
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)


@pytest.mark.parametrize("line", [1, 4])
def test_a_wrong_number_of_pairs_does_not_make_lda_c_svmlight(save, line):
    lines = ldac().splitlines(keepends=True)
    lines[line - 1] = "7" + lines[line - 1][1:]
    with pytest.raises(io.CorpusError, match="declares 7 pairs") as caught:
        io.read_corpus(save("x", "".join(lines)))
    assert caught.value.line == line


# JSON


JSON = {
    "records": [{"text": text, "year": 1} for text in DOCS],
    "texts": DOCS,
    "columns": {"text": dict(enumerate(DOCS)), "year": dict.fromkeys(range(5), 1)},
    "one column": {"body": dict(enumerate(DOCS))},
    "index": {str(i): {"text": text} for i, text in enumerate(DOCS)},
    "split": {"columns": ["text", "n"], "index": [*range(5)], "data": [[text, 1] for text in DOCS]},
    "table": {"schema": {"fields": []}, "data": [{"text": text} for text in DOCS]},
    "lists": {"text": DOCS, "year": [1] * 5},
    "nested": {"count": 5, "results": [{"text": text} for text in DOCS]},
}


@pytest.mark.parametrize("layout", JSON)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["x.json", "x"])
def test_a_json_file_is_read_in_each_layout(save, layout, indent, name):
    assert texts(save(name, json.dumps(JSON[layout], indent=indent))) == DOCS


def test_an_array_of_lists_of_words_is_counted(save):
    corpus = io.read_corpus(save("x.json", json.dumps([text.split() for text in DOCS])), vocabulary=WORDS)
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "element 1 is 1"),
        ('[{"text": "a"}, {"text": "b"', "not a valid JSON array"),
        ('[{"text": "a"}]\n[{"text": "b"}]', "more than one JSON array"),
        ('{"a": 1}', "expected an array of objects"),
    ],
)
def test_json_without_documents_is_refused_with_the_layouts_that_have_them(save, content, message):
    with pytest.raises(io.CorpusError, match=re.escape(message)):
        io.read_corpus(save("x.json", content))


def test_the_line_of_an_error_in_an_array_is_that_of_the_element(save):
    content = "[\n" + ",\n".join(json.dumps({"text": text}) for text in DOCS) + ',\n{"text": 3}]'
    with pytest.raises(io.CorpusError, match="expected a text") as caught:
        io.read_corpus(save("x.json", content))
    assert caught.value.line == 7


def test_an_array_may_be_longer_than_the_blocks_in_which_it_is_read(save):
    long = [text * 30_000 for text in DOCS]
    assert texts(save("x.json", json.dumps([{"text": text} for text in long]))) == long


# Options without effect


@pytest.mark.parametrize(
    "option",
    [
        {"column": "body"},
        {"column": ["title", "body"]},
        {"table": {"delimiter": ";"}},
        {"table": {"quoting": "none"}},
        {"table": {"header": False}},
        {"table": {"sheet": "Posts"}},
        {"first_word": 1},
    ],
)
@pytest.mark.parametrize("read", [io.read_corpus, io.read_batches])
def test_an_option_that_has_no_effect_on_plain_text_is_an_error(save, option, read):
    name = next(iter(option["table"])) if "table" in option else next(iter(option))
    with pytest.raises(io.CorpusError, match=f"is text.*{name}="):
        read(save("x.txt", "\n".join(DOCS)), **option)


@pytest.mark.parametrize(
    "options",
    [
        ["--vocabulary", "words.txt", "--min-df", "2"],
        ["--vocabulary", "words.txt", "--max-features", "3"],
        ["--id-column", "id"],
        ["--metadata", "date"],
        ["--date-format", "%Y"],
        ["--tokenizer", "os:listdir", "--token-pattern", "x+"],
        ["--phrases", "--ngrams", "1,2"],
    ],
)
def test_options_of_the_command_line_that_have_no_effect_together_are_refused(tmp_path, capsys, options):
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "2", *options]) == 2
    assert options[-2 if len(options) == 2 else -1].lstrip("-") or capsys.readouterr().err


def test_an_encoding_of_parquet_is_refused(tmp_path, capsys):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    pandas.DataFrame({"text": cli_texts.texts(30)}).to_parquet(path)
    assert main(["fit", str(path), "-k", "2", "--encoding", "latin-1"]) == 2
    assert "--encoding has no effect" in capsys.readouterr().err


# Delimiters and quotes


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_the_delimiter_of_a_table_is_recognised(save, delimiter, name):
    rows = [("id", "text", "when"), *((str(i), text, "1.5,2") for i, text in enumerate(DOCS))]
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    corpus, notes = with_notes(save(name, "".join(delimiter.join(row) + "\n" for row in quoted)), id_column="id")
    assert corpus.texts == DOCS
    assert ("separated by" in notes) == (delimiter != ("," if name == "x.csv" else "\t"))


@pytest.mark.parametrize("delimiter", [":", "^"])
def test_any_delimiter_can_be_given(save, delimiter):
    path = save("x.csv", "".join(f"{i}{delimiter}{text}\n" for i, text in [("id", "text"), *enumerate(DOCS)]))
    assert texts(path, table={"delimiter": delimiter}) == DOCS


def test_the_separator_line_of_excel_is_obeyed_and_lines_are_counted_with_it(save):
    path = save("x.csv", "sep=;\nid;text\n1;soup\n2;bread;salt\n")
    with pytest.raises(io.CorpusError, match="expected 2 fields") as caught:
        io.read_corpus(path)
    assert caught.value.line == 4


@pytest.mark.parametrize("content", ['id\ttext\n1\t"soup\n2\tbread\n3\tsalt"\n', 'id;text\n1;"soup\n2;bread"\n3;x\n'])
def test_quotes_that_would_join_rows_are_part_of_the_texts(save, content):
    corpus, notes = with_notes(save("x.tsv", content))
    assert len(corpus.texts) == 3
    assert "quoting='none'" in notes


def test_a_quote_that_joins_rows_after_the_first_ones_is_an_error_with_its_line(save):
    rows = "".join(f"{i}\tsoup bread\n" for i in range(8000))
    path = save("x.tsv", f'id\ttext\n{rows}x\t"salt\ny\tsoup\nz\tpepper"\n')
    with pytest.raises(io.CorpusError, match="quoting='none'") as caught:
        io.read_corpus(path)
    assert caught.value.line == 8002
    assert texts(path, table={"quoting": "none"})[-3:] == ['"salt', "soup", 'pepper"']


def test_quotes_after_backslashes_are_recognised(save):
    path = save("x.csv", 'id,text\n1,"a \\"new\\" soup, hot"\n2,"bread, \\"old\\""\n')
    assert texts(path) == ['a "new" soup, hot', 'bread, "old"']


def test_quoted_fields_with_line_ends_are_still_one_text(save):
    path = save("x.csv", 'id,text\n1,"soup,\nbread, salt"\n2,"pepper\n\nsoup"\n')
    assert texts(path) == ["soup,\nbread, salt", "pepper\n\nsoup"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("id,text,note\n1,soup\n2,bread\n", 2),  # short rows
        ("id,text\n1,soup, hot\n2,bread, cold\n", 2),  # commas that are not quoted
        ("# exported\nid,text\n1,soup\n", 2),  # a comment in the first row
        ('id,text\n1,"soup"\n2,"bread, salt\n', 3),  # a quote without an end
    ],
)
def test_rows_of_other_lengths_are_an_error_and_not_a_table_of_one_column(save, content, line):
    with pytest.raises(io.CorpusError, match=r"fields|valid CSV") as caught:
        io.read_corpus(save("x.csv", content))
    assert caught.value.line == line


@pytest.mark.parametrize(
    "content", ["text\nsoup, hot\nbread\nsalt, a, b\n", "body\nsoup; hot, salty\nbread, new, old\n"]
)
def test_the_texts_of_a_table_of_one_column_need_no_quotes(save, content):
    corpus, notes = with_notes(save("x.csv", content))
    assert corpus.texts == content.splitlines()[1:]
    assert "one column" in notes


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("id\ttext\n" + "".join(f"{i}\tsoup bread\n" for i in range(9)), "2 fields separated by tabs"),
        ("soup;bread;salt\n" * 9, "3 fields separated by semicolons"),
        ("<html><body>\n<p>soup</p>\n</body></html>", "markup"),
        ('<?xml version="1.0"?>\n<doc>soup</doc>', "markup"),
    ],
)
def test_a_text_that_looks_like_something_else_is_noted(save, content, note):
    assert note in with_notes(save("x.txt", content))[1]


@pytest.mark.parametrize("header", ["id, text", "ID,Text", ' "id",text ', "id,TEXT"])
def test_the_text_column_is_found_whatever_its_capitals_and_blanks(save, header):
    assert texts(save("x.csv", f"{header}\n1,soup\n2,bread\n")) == ["soup", "bread"]


@pytest.mark.parametrize("column", ["text", ["text"]])
def test_a_text_of_a_table_without_a_name_is_read_as_a_table_if_it_has_the_column(save, column):
    corpus = io.read_corpus(save("x", "id;text\n1;soup\n2;bread\n"), column=column)
    assert corpus.recognition.format == "csv"
    assert corpus.texts == ["soup", "bread"]


# Headers


@pytest.mark.parametrize(
    "content", ["1,soup\n2,bread\n", "soup\nbread\n", "soup bread salt pepper soup bread\nbread\n"]
)
def test_a_table_without_a_header_is_read_with_the_option(save, content):
    column = "2" if "," in content else None
    found = texts(save("x.csv", content), table={"header": False}, column=column)
    assert len(found) == 2
    assert found[1] == "bread"


@pytest.mark.parametrize(("first", "is_refused"), [("a soup of bread and salt and pepper", True), ("a soup", False)])
def test_a_first_row_that_may_be_a_text_is_refused_or_noted(save, first, is_refused):
    path = save("x.csv", f"{first}\nbread\n")
    if is_refused:
        with pytest.raises(io.CorpusError, match="header=False"):
            io.read_corpus(path)
    else:
        assert "header=False" in with_notes(path)[1]


@pytest.mark.parametrize("columns", [["text", "text"], ["text", "n", "n"]])
def test_a_column_whose_name_occurs_twice_is_refused(save, columns):
    path = save("x.csv", ",".join(columns) + "\n" + ",".join("a" for _ in columns) + "\n")
    with pytest.raises(io.CorpusError, match="2 columns named"):
        io.read_corpus(path, column="text", metadata=columns[-1:])


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_texts_of_several_columns_are_joined(save, kind):
    rows = [{"title": "soup", "body": "bread"}, {"title": "", "body": "salt"}]
    if kind == "jsonl":
        path = save("x.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    else:
        path = save("x.csv", "title,body\nsoup,bread\n,salt\n")
    assert texts(path, column=["title", "body"]) == ["soup bread", "salt"]


# Byte order marks, encodings, line ends


ENCODINGS = {"utf-8-sig": "", "utf-16": "", "utf-32": "", "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": b"\xfe\xff"}


def in_encoding(text, encoding):
    return (ENCODINGS[encoding] or b"") + text.encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", "\n".join(DOCS)),
        ("x.csv", "text\n" + "\n".join(DOCS)),
        ("x.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in DOCS)),
        ("x.json", json.dumps(DOCS)),
    ],
)
def test_texts_with_a_byte_order_mark_are_read(save, encoding, name, content):
    assert texts(save(name, in_encoding(content, encoding))) == DOCS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("kind", ["mm", "svmlight", "ldac", "uci", "vw", "low", "mallet-state"])
def test_counts_with_a_byte_order_mark_are_read(save, encoding, kind):
    matrix = streams.BytesIO()
    mmwrite(matrix, sparse.coo_array(COUNTS))
    triples = [(d + 1, w + 1, n) for (d, w), n in np.ndenumerate(COUNTS) if n]
    content = {
        "mm": matrix.getvalue().decode(),
        "svmlight": svmlight(1),
        "ldac": ldac(),
        "uci": f"5\n4\n{len(triples)}\n" + "".join("{} {} {}\n".format(*triple) for triple in triples),
        "vw": "".join(f"| {text}\n" for text in DOCS),
        "low": "5\n" + "\n".join(DOCS) + "\n",
        "mallet-state": "#doc source pos typeindex type topic\n"
        + "".join(f"{d} NA 0 0 {word} 0\n" for d, text in enumerate(DOCS) for word in text.split()),
    }[kind]
    vocabulary = WORDS
    corpus = io.read_corpus(
        save("x", in_encoding(content, encoding)), vocabulary=vocabulary, format="low" if kind == "low" else "auto"
    )
    assert corpus.recognition.format == kind
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_is_refused_with_its_encoding_and_read_with_it(save, encoding):
    path = save("x.txt", "\n".join(DOCS).encode(encoding))
    for format in ("auto", "text"):
        with pytest.raises(io.CorpusError, match=f"encoding='{encoding}'"):
            io.read_corpus(path, format=format)
    assert texts(path, encoding=encoding) == DOCS


def test_a_byte_order_mark_that_contradicts_the_named_encoding_is_noted(save):
    corpus, notes = with_notes(save("x.txt", "\ufeffcafé".encode()), encoding="latin-1")
    assert corpus.texts == ["café"]
    assert "encoding='iso8859-1' is not used" in notes


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", ""])
def test_an_encoding_that_python_does_not_know_is_an_error(save, encoding):
    with pytest.raises(ValueError, match="encoding="):
        io.read_corpus(save("x.txt", "soup"), encoding=encoding)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.jsonl", "x.svmlight"])
def test_lines_may_end_in_carriage_returns(save, end, name):
    lines = {
        "x.txt": DOCS,
        "x.csv": ["text", *DOCS],
        "x.jsonl": [json.dumps({"text": text}) for text in DOCS],
        "x.svmlight": svmlight(1).splitlines(),
    }[name]
    corpus = io.read_corpus(save(name, end.join(lines) + end))
    assert corpus.X.shape[0] == 5
    assert corpus.texts in (None, DOCS)


def test_line_ends_of_two_kinds_in_one_file_all_end_lines(save):
    assert texts(save("x.txt", "\r".join(DOCS[:3]) + "\n" + "\n".join(DOCS[3:]))) == DOCS


@pytest.mark.parametrize("n_rows", [2, 401, 20_000])
def test_an_encoding_error_names_the_line_of_a_table(save, n_rows):
    path = save("x.csv", ("text\n" + "soup\n" * n_rows).encode() + "caf\xe9\n".encode("latin-1"))
    with pytest.raises(io.CorpusError, match="encoding=") as caught:
        io.read_corpus(path)
    assert caught.value.line == n_rows + 2


# Nulls


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_a_null_is_an_empty_document(save, tmp_path, kind, place):
    rows = [{"text": text, "id": str(i)} for i, text in enumerate(DOCS)]
    rows.insert(place, {"text": None, "id": None})
    if kind == "parquet":
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
        path = tmp_path / "x.parquet"
    else:
        lines = "\n".join(map(json.dumps, rows)) if kind == "jsonl" else json.dumps(rows)
        path = save(f"x.{kind}", lines)
    corpus, notes = with_notes(path, id_column="id", column="text")
    assert corpus.texts == [*DOCS[:place], "", *DOCS[place:]]
    assert corpus.ids[place] == ""
    assert "null" in notes


@pytest.mark.parametrize("place", [0, 1])
def test_a_null_among_lists_of_words_is_an_empty_document(save, place):
    rows = [{"words": text.split()} for text in DOCS]
    rows.insert(place, {"words": None})
    corpus = io.read_corpus(save("x.jsonl", "\n".join(map(json.dumps, rows))), column="words", vocabulary=WORDS)
    np.testing.assert_array_equal(corpus.X.toarray(), np.insert(COUNTS, place, 0, axis=0))


# Archives and several files


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zipped_table_is_read(tmp_path):
    path = zipped(tmp_path / "x.zip", {"in/posts.csv": "text\n" + "\n".join(DOCS), "__MACOSX/in/._posts.csv": b"\x00"})
    assert texts(path) == DOCS
    assert list(io.read_batches(path, batch_size=2)) == [DOCS[:2], DOCS[2:4], DOCS[4:]]


def test_a_zipped_file_of_counts_is_read(tmp_path):
    path = zipped(tmp_path / "x.zip", {"x.ldac": ldac()})
    np.testing.assert_array_equal(io.read_corpus(path).X.toarray(), COUNTS)


def test_each_text_of_an_archive_is_a_document(tmp_path):
    path = zipped(tmp_path / "x.zip", {f"{i}.txt": text for i, text in enumerate(DOCS)})
    corpus = io.read_corpus(path)
    assert corpus.texts == DOCS
    assert corpus.ids.tolist() == [f"{i}.txt" for i in range(5)]


def test_the_rows_of_all_tables_of_an_archive_are_documents(tmp_path):
    parts = {"a.csv": "text\n" + "\n".join(DOCS[:2]), "b.csv": "id;text\n" + "".join(f"1;{d}\n" for d in DOCS[2:])}
    assert texts(zipped(tmp_path / "x.zip", parts)) == DOCS


@pytest.mark.parametrize("how", ["list", "pattern"])
def test_several_files_are_one_corpus(save, tmp_path, how):
    paths = [save(f"part-{i}.csv", f"text\n{text}\n") for i, text in enumerate(DOCS)]
    assert texts(paths if how == "list" else tmp_path / "part-*.csv") == DOCS


def test_several_files_of_different_formats_are_refused(save):
    with pytest.raises(io.CorpusError, match="is text, but the first file is csv"):
        io.read_corpus([save("a.csv", "text\nsoup\n"), save("b.txt", "bread\n")])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_folder_of_tables_is_read_as_tables(tmp_path, save, suffix):
    pandas = pytest.importorskip("pandas")
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    for i, part in enumerate([DOCS[:3], DOCS[3:]]):
        table = pandas.DataFrame({"text": part})
        path = tmp_path / f"part-{i}{suffix}"
        table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    save("_SUCCESS", "")
    corpus, notes = with_notes(tmp_path)
    assert corpus.texts == DOCS
    assert "folder of tables" in notes


def test_a_pattern_without_files_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        io.read_corpus(tmp_path / "*.csv")


def test_an_encrypted_or_damaged_member_is_an_error(tmp_path):
    path = zipped(tmp_path / "x.zip", {"x.txt": "soup\n" * 1000})
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(io.CorpusError, match=r"damaged|cannot be opened"):
        io.read_corpus(path)


# Matrix Market and others


@pytest.mark.parametrize("dtype", [np.uint32, np.int64, np.float64])
@pytest.mark.parametrize("layout", ["sparse", "dense"])
def test_matrices_of_mmwrite_are_read_with_any_type(tmp_path, dtype, layout):
    X = COUNTS.astype(dtype)
    mmwrite(tmp_path / "x.mtx", sparse.coo_array(X) if layout == "sparse" else X)
    np.testing.assert_array_equal(io.read_corpus(tmp_path / "x.mtx").X.toarray(), COUNTS)


@pytest.mark.parametrize("size", [None, 2])
def test_a_symmetric_matrix_has_both_triangles(tmp_path, size):
    X = COUNTS.T @ COUNTS
    mmwrite(tmp_path / "x.mtx", sparse.coo_array(X), symmetry="symmetric")
    if size is None:
        found = io.read_corpus(tmp_path / "x.mtx").X
    else:
        found = sparse.vstack(list(io.read_batches(tmp_path / "x.mtx", batch_size=size)))
    np.testing.assert_array_equal(found.toarray(), X)


@pytest.mark.parametrize("size", [None, 2])
def test_uci_counts_without_a_header_are_read_and_noted(save, size):
    lines = [f"{d + 1} {w + 1} {n}\n" for (d, w), n in np.ndenumerate(COUNTS) if n]
    path = save("x", "".join(lines))
    if size is None:
        corpus, notes = with_notes(path)
        assert "no header" in notes
        found = corpus.X
    else:
        found = sparse.vstack(list(io.read_batches(path, batch_size=size)))
    np.testing.assert_array_equal(found.toarray(), COUNTS)


def test_svmlight_with_several_labels_is_read(save):
    labels = ["1,3", "", "2", "1,2,3", ""]
    lines = [f"{label} {pairs(1, row)}\n" for label, row in zip(labels, COUNTS, strict=True)]
    corpus = io.read_corpus(save("x", "".join(lines)))
    assert corpus.recognition.format == "svmlight"
    np.testing.assert_array_equal(corpus.X.toarray(), COUNTS)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"%PDF-1.4\n", "pdftotext"),
        (b"{\\rtf1 soup}", "plain text"),
        (b"7z\xbc\xaf\x27\x1c", "unpack"),
        (b"SQLite format 3\x00", "CSV"),
    ],
)
def test_documents_of_other_programs_are_refused_with_what_to_do(save, content, remedy):
    with pytest.raises(io.CorpusError, match=remedy):
        io.read_corpus(save("x.bin", content))


@pytest.mark.parametrize("member", ["word/document.xml", "META-INF/container.xml"])
def test_office_documents_are_refused_with_what_to_do(tmp_path, member):
    with pytest.raises(io.CorpusError, match="plain text"):
        io.read_corpus(zipped(tmp_path / "x.docx", {member: "<xml/>", "other": ""}))


# Notes and errors of the command line


def test_documents_without_words_and_too_many_topics_are_noted(tmp_path, capsys):
    path = cli_texts.write_posts(tmp_path, 30)
    path.write_text(path.read_text() + "\n\n")
    assert main(["fit", str(path), "-k", "40", "--passes", "2"]) == 0
    error = capsys.readouterr().err
    assert "2 of 32 documents have no words" in error
    assert "40 topics are more than" in error


def test_documents_without_a_word_of_the_model_cannot_be_evaluated(tmp_path, capsys):
    model, _ = cli_texts.fit(tmp_path)
    other = tmp_path / "other.txt"
    other.write_text("xylophone quartz\nzebra\n")
    assert main(["evaluate", str(model), str(other)]) == 1
    assert "undefined" in capsys.readouterr().err
    assert main(["transform", str(model), str(other)]) == 0
    assert "2 of 2 documents have no word" in capsys.readouterr().err


def test_notes_name_options_of_the_command_line(tmp_path, capsys):
    path = tmp_path / "x.tsv"
    path.write_text('id\ttext\n1\t"soup bread\n2\tbread soup\n3\tsalt soup bread"\n')
    assert main(["fit", str(path), "-k", "2", "--passes", "1"]) == 0
    assert "--quoting none" in capsys.readouterr().err


def test_a_table_of_semicolons_dates_and_empty_texts_leads_to_a_report(tmp_path, capsys):
    pytest.importorskip("bokeh")
    pytest.importorskip("jinja2")
    lines = "".join(
        f"{i};{i % 28 + 1:02d}/{i % 12 + 1:02d}/2023;{text if i % 9 else ''}\n"
        for i, text in enumerate(cli_texts.texts(60))
    )
    path, page = tmp_path / "posts.csv", tmp_path / "page.html"
    path.write_bytes(f"nr;datum;text\r\n{lines}".encode("utf-8-sig"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = ["--id-column", "nr", "--metadata", "datum", "--report", str(page)]
        assert main(["fit", str(path), "-k", "3", "--passes", "5", *arguments]) == 0
    assert "2023-01" in page.read_text(encoding="utf-8")
    assert "semicolons" in capsys.readouterr().err


# Models of other libraries


class TomotopyModel:
    """The attributes of a model of tomotopy that decide whether it is an LDA."""

    used_vocabs = ("soup", "bread")

    def get_topic_word_dist(self, topic, normalize=True):
        raise AssertionError("the model is refused before its topics are read")


@pytest.mark.parametrize("tw", [1, 2])
def test_a_model_of_tomotopy_that_weights_terms_is_refused(tw):
    model = TomotopyModel()
    model.tw = tw
    with pytest.raises(ValueError, match=r"TermWeight\.ONE"):
        io.from_tomotopy(model)


def test_an_hdp_model_of_tomotopy_is_refused():
    model = TomotopyModel()
    model.convert_to_lda = None
    with pytest.raises(ValueError, match="convert_to_lda"):
        io.from_tomotopy(model)


LAMBDA = np.array([[9.0, 0.5, 0.5, 7.0], [0.5, 8.0, 6.0, 0.5]])  # topics × words


@pytest.mark.parametrize("known", [{"vocabulary": WORDS}, {"doc_topic_prior": [0.5, 0.5]}])
def test_a_transposed_matrix_of_spark_is_refused(known):
    assert io.from_spark(LAMBDA.T, **known).components_.shape == (2, 4)
    with pytest.raises(ValueError, match="transpose"):
        io.from_spark(LAMBDA, **known)


def test_a_matrix_of_spark_with_more_topics_than_words_is_warned_of():
    with pytest.warns(UserWarning, match="transpose"):
        io.from_spark(LAMBDA)


def test_the_binary_model_of_vowpal_wabbit_is_refused_with_the_command(save):
    with pytest.raises(ValueError, match="--readable_model"):
        io.from_vw(save("x.vw", b"\x07\x00\x00\x008.11.0\x00\x01\x00\x00\x00\x00m"))


@pytest.mark.parametrize("kind", ["lda-c", "vw"])
def test_the_words_of_a_model_are_written_beside_formats_without_words(tmp_path, kind):
    if kind == "vw":
        pytest.importorskip("vowpalwabbit")
    model, _ = cli_texts.fit(tmp_path)
    output = tmp_path / "out"
    assert main(["convert", str(model), str(output), "--to", kind, "-q"]) == 0
    words = tmp_path / "out.vocab.txt"
    assert words.read_text().split() == list(io.read_info(model).vocabulary)


def test_a_sweep_accepts_the_progress_bar_of_a_fit():
    from ldavi import progress, selection

    table = selection.sweep(COUNTS.repeat(8, axis=0), [2], n_init=1, random_state=0, progress=progress.ProgressBar())
    assert len(table.table)


@pytest.mark.parametrize("kind", ["--csv", "--json"])
def test_the_tables_of_evaluate_have_the_notes(tmp_path, capsys, kind):
    model, posts = cli_texts.fit(tmp_path)
    assert main(["evaluate", str(model), str(posts), kind]) == 0
    output = capsys.readouterr().out
    assert "words predicted" in output
    assert "sliding windows" in output


def workbook_of(path, fill):
    """Write a workbook whose first sheet has a text, after `fill` has added others."""
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    for cell in ("text", "soup with bread"):
        book.active.append([cell])
    fill(book)
    book.save(path)
    return path


def test_a_sheet_that_is_a_chart_is_passed_over(tmp_path):
    path = workbook_of(tmp_path / "book.xlsx", lambda book: book.create_chartsheet("Chart"))
    assert io.read_corpus(path).texts == ["soup with bread"]


def test_a_damaged_sheet_is_refused_although_another_can_be_read(tmp_path):
    whole = workbook_of(tmp_path / "whole.xlsx", lambda book: book.create_sheet("More").append(["text"]))
    damaged = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(damaged, "w") as after:
        for name in before.namelist():
            if not name.endswith("sheet2.xml"):
                after.writestr(name, before.read(name))
    with pytest.raises(io.CorpusError, match=r"damaged\.xlsx.*is damaged"):
        io.read_corpus(damaged)
