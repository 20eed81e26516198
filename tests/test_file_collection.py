"""A collection of files that other programs write, each read with the expected result.

A row of FILES has the name of a file, the library that writes it, the function that does, and the arguments of reading.
"""

import bz2
import csv
import gzip
import json
import lzma
import pickle
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite
from sklearn.datasets import dump_svmlight_file

from ldavi import io

TEXTS = ['soup, "hot"; bread', "bread\tsalt | salt", "crème brûlée", "pepper's soup", "bread bread 汤"]
PLAIN = ["soup bread soup", "bread salt", "salt pepper salt", "pepper soup", "bread pepper bread"]
DATES = [f"2023-12-{day:02d}" for day in range(1, 6)]
WORDS = ["bread", "pepper", "salt", "soup"]
COUNTS = np.array([[text.split().count(word) for word in WORDS] for text in PLAIN])
CORPUS = [[(int(word), int(row[word])) for word in np.flatnonzero(row)] for row in COUNTS]
ROWS = [{"id": str(i), "text": text, "date": date} for i, (text, date) in enumerate(zip(TEXTS, DATES, strict=True))]


def pandas_table(texts=TEXTS):
    return import_module("pandas").DataFrame({"id": range(len(texts)), "text": texts, "date": DATES[: len(texts)]})


def polars_table():
    return import_module("polars").DataFrame(ROWS)


def arrow_table():
    return import_module("pyarrow").Table.from_pylist(ROWS)


def to_pandas(method, **options):
    return lambda path: getattr(pandas_table(), method)(path, **options)


def to_polars(method, **options):
    return lambda path: getattr(polars_table(), method)(path, **options)


def to_parquet(**options):
    return lambda path: import_module("pyarrow.parquet").write_table(arrow_table(), path, **options)


def to_csv(encoding="utf-8", **options):
    def write(path):
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.DictWriter(file, ["id", "text", "date"], **options)
            writer.writeheader()
            writer.writerows(ROWS)

    return write


def to_compressed(module):
    def write(path):
        with module.open(path, "wt", encoding="utf-8") as file:
            file.write("\n".join(PLAIN))

    return write


def to_text(content, encoding="utf-8"):
    return lambda path: path.write_bytes(content.encode(encoding))


def to_zstd(path):
    path.write_bytes(import_module("zstandard").compress("\n".join(PLAIN).encode()))


def to_zip(name, content):
    def write(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)

    return write


def to_openpyxl(path):
    workbook = import_module("openpyxl").Workbook()
    sheet = workbook.active
    sheet.append(["id", "text", "date"])
    for row in ROWS:
        sheet.append([int(row["id"]), row["text"], row["date"]])
    workbook.create_sheet("empty")
    workbook.save(path)


def to_xlsxwriter(path):
    workbook = import_module("xlsxwriter").Workbook(path)
    sheet = workbook.add_worksheet("Posts")
    for number, row in enumerate([{"id": "id", "text": "text", "date": "date"}, *ROWS]):
        sheet.write_row(number + 2, 1, row.values())  # the table does not begin in A1
    workbook.close()


def to_parquet_folder(path):
    import_module("pyarrow.dataset").write_dataset(
        arrow_table(), path, format="parquet", max_rows_per_file=2, max_rows_per_group=2
    )


def to_csv_folder(path):
    path.mkdir()
    for number, part in enumerate((pandas_table()[:2], pandas_table()[2:])):
        part.to_csv(path / f"part-{number:05d}.csv", index=False)


def to_folder(path):
    path.mkdir()
    for number, text in enumerate(TEXTS):
        (path / f"{number}.txt").write_text(text, encoding="utf-8")


def to_spark_words(path):
    rows = [{"words": text.split()} for text in PLAIN]
    import_module("pyarrow.parquet").write_table(import_module("pyarrow").Table.from_pylist(rows), path)


def to_npz(kind, **options):
    return lambda path: sparse.save_npz(path, kind(COUNTS), **options)


def to_mm(X, **options):
    return lambda path: mmwrite(path, X, **options)


def to_svmlight(**options):
    y = [[0, 2], [1], [], [0], [1, 2]] if options.get("multilabel") else np.arange(5)
    if options.get("multilabel"):
        y = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 1]])
    return lambda path: dump_svmlight_file(sparse.csr_matrix(COUNTS), y, str(path), **options)


def to_gensim(kind):
    def write(path):
        corpora = import_module("gensim.corpora")
        names = dict(enumerate(WORDS))
        getattr(corpora, kind).serialize(str(path), CORPUS, id2word=names)

    return write


def to_numpy_text(path):
    np.savetxt(path, [(d + 1, w + 1, n) for (d, w), n in np.ndenumerate(COUNTS) if n], fmt="%d")


def to_lines(lines):
    return to_text("".join(f"{line}\n" for line in lines))


LDAC = [f"{len(row)} " + " ".join(f"{word}:{n}" for word, n in row) for row in CORPUS]
VW = [f"{i} doc{i}| " + " ".join(f"{WORDS[word]}:{n}" for word, n in row) for i, row in enumerate(CORPUS)]
MALLET = [f"doc{i}\tlabel\t{text}" for i, text in enumerate(PLAIN)]
SPLIT = {"orient": "split"}
ID = {"id_column": "id", "metadata": ["date"]}

# Files of texts: name, library, writer, arguments of reading
FILES = [
    ("default.csv", "pandas", to_pandas("to_csv", index=False), ID),
    ("index.csv", "pandas", to_pandas("to_csv"), ID),
    ("semicolon.csv", "pandas", to_pandas("to_csv", sep=";", index=False), ID),
    ("tab.csv", "pandas", to_pandas("to_csv", sep="\t", index=False), ID),
    ("bar.csv", "pandas", to_pandas("to_csv", sep="|", index=False), ID),
    ("excel.csv", "pandas", to_pandas("to_csv", sep=";", encoding="utf-8-sig", index=False, lineterminator="\r\n"), ID),
    ("utf16.csv", "pandas", to_pandas("to_csv", encoding="utf-16", index=False), ID),
    ("quoted.csv", "pandas", to_pandas("to_csv", quoting=csv.QUOTE_ALL, index=False), ID),
    ("strings.csv", "pandas", to_pandas("to_csv", quoting=csv.QUOTE_NONNUMERIC, index=False), ID),
    ("escaped.csv", "pandas", to_pandas("to_csv", doublequote=False, escapechar="\\", index=False), ID),
    ("gzip.csv.gz", "pandas", to_pandas("to_csv", index=False), ID),
    ("bz2.csv.bz2", "pandas", to_pandas("to_csv", index=False), ID),
    ("xz.csv.xz", "pandas", to_pandas("to_csv", index=False), ID),
    ("zip.csv.zip", "pandas", to_pandas("to_csv", index=False), ID),
    (
        "headless.csv",
        "pandas",
        to_pandas("to_csv", index=False, header=False),
        {"table": {"header": False}, "column": "2", "id_column": "1", "metadata": ["3"]},
    ),
    ("table.tsv", "pandas", to_pandas("to_csv", sep="\t", index=False), ID),
    ("lines.jsonl", "pandas", to_pandas("to_json", orient="records", lines=True), ID),
    ("lines.json", "pandas", to_pandas("to_json", orient="records", lines=True, force_ascii=False), ID),
    ("records.json", "pandas", to_pandas("to_json", orient="records"), ID),
    ("pretty.json", "pandas", to_pandas("to_json", orient="records", indent=2), ID),
    ("columns.json", "pandas", to_pandas("to_json"), ID),
    ("index.json", "pandas", to_pandas("to_json", orient="index"), ID),
    ("split.json", "pandas", to_pandas("to_json", orient="split"), ID),
    ("table.json", "pandas", to_pandas("to_json", orient="table", index=False), ID),
    ("records.json.gz", "pandas", to_pandas("to_json", orient="records"), ID),
    ("default.parquet", "pyarrow", to_pandas("to_parquet"), ID),
    ("default.xlsx", "openpyxl", to_pandas("to_excel", index=False), ID),
    ("polars.csv", "polars", to_polars("write_csv"), ID),
    ("polars_semicolon.csv", "polars", to_polars("write_csv", separator=";"), ID),
    ("polars_quoted.tsv", "polars", to_polars("write_csv", separator="\t", quote_style="always"), ID),
    ("polars_bom.csv", "polars", to_polars("write_csv", include_bom=True), ID),
    ("polars.ndjson", "polars", to_polars("write_ndjson"), ID),
    ("polars.json", "polars", to_polars("write_json"), ID),
    ("polars.parquet", "polars", to_polars("write_parquet"), ID),
    ("polars_zstd.parquet", "polars", to_polars("write_parquet", compression="zstd", row_group_size=2), ID),
    ("arrow.parquet", "pyarrow", to_parquet(), ID),
    ("arrow_plain.parquet", "pyarrow", to_parquet(compression="none", use_dictionary=False), ID),
    ("arrow_v1.parquet", "pyarrow", to_parquet(version="1.0", compression="gzip"), ID),
    ("arrow_pages.parquet", "pyarrow", to_parquet(row_group_size=2, data_page_version="2.0"), ID),
    ("excel.csv", "csv", to_csv(dialect="excel"), ID),
    ("excel_tab.txt", "csv", to_csv(dialect="excel-tab"), {**ID, "column": "text"}),
    ("unix.csv", "csv", to_csv(dialect="unix"), ID),
    ("latin.csv", "csv", to_csv(quoting=csv.QUOTE_MINIMAL), ID),
    ("mac.csv", "csv", to_csv(lineterminator="\r"), ID),
    ("gb18030.csv", "csv", to_csv(encoding="gb18030"), {**ID, "encoding": "gb18030"}),
    ("utf32.csv", "csv", to_csv(encoding="utf-32"), ID),
    ("utf16be.csv", "csv", to_csv(encoding="utf-16-be"), {**ID, "encoding": "utf-16-be"}),
    ("book.xlsx", "openpyxl", to_openpyxl, ID),
    ("writer.xlsx", "xlsxwriter", to_xlsxwriter, ID),
    ("dataset", "pyarrow", to_parquet_folder, ID),
    ("parts", "pandas", to_csv_folder, ID),
    ("folder", "open", to_folder, {}),
    ("dump.json", "json", to_text(json.dumps(ROWS)), ID),
    ("dump_strings.json", "json", to_text(json.dumps(TEXTS)), {}),
    ("dump_pretty.json", "json", to_text(json.dumps({"posts": ROWS}, indent=4, ensure_ascii=False)), ID),
    ("dump_lists.json", "json", to_text(json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})), ID),
    ("dump.zip", "zipfile", to_zip("export/posts.json", json.dumps(ROWS)), ID),
]
# Files of plain texts, one a line, or counts of their words
COUNT_FILES = [
    ("texts.txt", "open", to_lines(PLAIN), {}),
    ("texts.txt.gz", "gzip", to_compressed(gzip), {}),
    ("texts.bz2", "bz2", to_compressed(bz2), {}),
    ("texts.xz", "lzma", to_compressed(lzma), {}),
    ("texts.zst", "zstandard", to_zstd, {}),
    ("texts.zip", "zipfile", to_zip("texts.txt", "\r\n".join(PLAIN)), {}),
    ("texts_utf16.txt", "open", to_text("\n".join(PLAIN), "utf-16"), {}),
    ("mallet.txt", "MALLET", to_lines(MALLET), {"format": "mallet"}),
    ("words.json", "json", to_text(json.dumps([text.split() for text in PLAIN])), {}),
    ("words.jsonl", "json", to_lines(json.dumps(text.split()) for text in PLAIN), {}),
    ("words.parquet", "pyarrow", to_spark_words, {"column": "words"}),
    ("csr.npz", "scipy", to_npz(sparse.csr_matrix), {}),
    ("csc.npz", "scipy", to_npz(sparse.csc_array, compressed=False), {}),
    ("coo.npz", "scipy", to_npz(sparse.coo_array), {}),
    ("integer.mtx", "scipy", to_mm(sparse.coo_array(COUNTS)), {}),
    ("unsigned.mtx", "scipy", to_mm(sparse.coo_array(COUNTS.astype(np.uint16))), {}),
    ("real.mtx", "scipy", to_mm(sparse.csr_array(COUNTS.astype(float)), comment="counts of words"), {}),
    ("dense.mtx", "scipy", to_mm(COUNTS), {}),
    ("zero.svmlight", "scikit-learn", to_svmlight(), {}),
    ("one.svmlight", "scikit-learn", to_svmlight(zero_based=False), {}),
    ("comment.txt", "scikit-learn", to_svmlight(comment="counts", zero_based=False), {}),
    ("query.libsvm", "scikit-learn", to_svmlight(query_id=np.arange(5)), {}),
    ("labels.svm", "scikit-learn", to_svmlight(multilabel=True), {}),
    ("gensim.mm", "gensim", to_gensim("MmCorpus"), {}),
    ("gensim.lda-c", "gensim", to_gensim("BleiCorpus"), {}),
    ("gensim.svmlight", "gensim", to_gensim("SvmLightCorpus"), {}),
    ("gensim.uci", "gensim", to_gensim("UciCorpus"), {}),
    ("gensim.low", "gensim", to_gensim("LowCorpus"), {}),
    ("lda.ldac", "lda", to_lines(LDAC), {}),
    ("lda_without_a_suffix", "lda", to_lines(LDAC), {}),
    ("train.vw", "Vowpal Wabbit", to_lines(VW), {}),
    ("triples.txt", "numpy", to_numpy_text, {}),
]
# Files that are refused, with the words that name the remedy
REFUSED = [
    ("frame.pkl", "pandas", to_pandas("to_pickle"), "pickle"),
    ("list.pickle", "pickle", lambda path: path.write_bytes(pickle.dumps(TEXTS)), "pickle"),
    ("frame.feather", "pyarrow", to_pandas("to_feather"), "Parquet"),
    ("page.pdf", "matplotlib", lambda path: path.write_bytes(b"%PDF-1.7\n"), "pdftotext"),
    ("array.npy", "numpy", lambda path: np.save(path, COUNTS), "scipy.sparse.save_npz"),
    ("arrays.npz", "numpy", lambda path: np.savez(path, counts=COUNTS), "save_npz"),
    ("empty.csv", "pandas", to_text(""), "is empty"),
    ("two_sheets.xlsx", "openpyxl", None, "sheet="),
    ("no_text.csv", "pandas", lambda path: pandas_table().rename(columns={"text": "body"}).to_csv(path), "column="),
]
INSTALLED = {"scikit-learn": "sklearn"}


def write(path, library, writer):
    if library not in ("open", "MALLET", "lda", "Vowpal Wabbit"):
        pytest.importorskip(INSTALLED.get(library, library))
    if path.suffix == ".xlsx":
        pytest.importorskip("python_calamine")
    if path.suffix in (".parquet", "") and library in ("pandas", "pyarrow", "polars"):
        pytest.importorskip("pyarrow")
    writer(path)


@pytest.mark.parametrize(("name", "library", "writer", "options"), FILES, ids=[f"{row[1]}-{row[0]}" for row in FILES])
@pytest.mark.parametrize("size", [None, 2])
def test_a_file_of_texts_is_read(tmp_path, name, library, writer, options, size):
    write(tmp_path / name, library, writer)
    if size is None:
        corpus = io.read_corpus(tmp_path / name, counting={"token_pattern": r"\w+"}, **options)
        texts, ids = corpus.texts, corpus.ids
        metadata = {key: list(values) for key, values in corpus.metadata.items()}
    else:
        records = list(io.read_batches(tmp_path / name, batch_size=size, **options).records())
        texts = [text for record in records for text in record.content]
        ids = [each for record in records for each in record.ids or []]
        metadata = {key: [each for record in records for each in record.metadata[key]] for key in records[0].metadata}
    assert texts == TEXTS
    if "id_column" in options:
        assert list(ids) == list("01234")
        assert [str(day)[:10] for (days,) in [metadata.values()] for day in days] == DATES


@pytest.mark.parametrize(
    ("name", "library", "writer", "options"), COUNT_FILES, ids=[f"{row[1]}-{row[0]}" for row in COUNT_FILES]
)
def test_a_file_of_counts_is_read(tmp_path, name, library, writer, options):
    write(tmp_path / name, library, writer)
    given = (
        {}
        if any(Path(f"{tmp_path / name}{end}").exists() for end in (".vocab", ".dict.txt"))
        else {"vocabulary": WORDS}
    )
    corpus = io.read_corpus(tmp_path / name, **given, **options)
    columns = [list(corpus.vocabulary).index(word) for word in WORDS]
    np.testing.assert_array_equal(corpus.X.toarray()[:, columns], COUNTS)


def two_sheets(path):
    workbook = import_module("openpyxl").Workbook()
    for sheet in (workbook.active, workbook.create_sheet("more")):
        sheet.append(["text"])
        sheet.append(["soup"])
    workbook.save(path)


@pytest.mark.parametrize(
    ("name", "library", "writer", "remedy"), REFUSED, ids=[f"{row[1]}-{row[0]}" for row in REFUSED]
)
def test_a_file_that_is_refused_has_a_remedy(tmp_path, name, library, writer, remedy):
    write(tmp_path / name, library, writer or two_sheets)
    with pytest.raises(io.CorpusError, match=remedy) as caught:
        io.read_corpus(tmp_path / name)
    assert name in str(caught.value)


def test_a_sheet_can_be_chosen(tmp_path):
    pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    two_sheets(tmp_path / "x.xlsx")
    assert io.read_corpus(tmp_path / "x.xlsx", table={"sheet": "more"}).texts == ["soup"]
    with pytest.raises(io.CorpusError, match="it has 'Sheet', 'more'"):
        io.read_corpus(tmp_path / "x.xlsx", table={"sheet": "third"})


def test_the_collection_has_sixty_files():
    assert len(FILES) + len(COUNT_FILES) + len(REFUSED) >= 90
