"""Corpus formats, read from files that other programs wrote; tests/corpora_files/README.md lists them."""

import gzip
import io
import os
import re
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from ldavi.io import Corpus, CorpusError, WordCounter, read_batches, read_corpus, read_vocabulary, recognise

FILES = Path(__file__).resolve().parent / "corpora_files"
TEXTS = (FILES / "texts.txt").read_text(encoding="utf-8").splitlines()
COUNTS = [Counter(re.findall("[a-z]+", text.lower())) for text in TEXTS]
LETTERS = {"token_pattern": "[a-z]+"}

COUNT_FILES = {
    "gensim.mm": "mm",
    "gensim.lda-c": "ldac",
    "gensim.low": "low",
    "scipy.mtx": "mm",
    "scipy.npz": "npz",
    "vowpalwabbit.vw": "vw",
    "gensim.uci": "uci",
    "gensim.svmlight": "svmlight",
    "sklearn.svmlight": "svmlight",
}
NEEDS_VOCABULARY = {"gensim.svmlight": "gensim.mm.dict.txt", "sklearn.svmlight": "scipy.vocab.txt"}
TEXT_FILES = {
    "texts.txt": "text",
    "pandas.csv": "csv",
    "pandas.tsv": "tsv",
    "pandas.jsonl": "jsonl",
    "pyarrow.parquet": "parquet",
}


def counters(corpus):
    """Return the counts of each document by word."""
    rows = corpus.X.toarray()
    return [Counter({word: int(n) for word, n in zip(corpus.vocabulary, row, strict=True) if n}) for row in rows]


def vocabulary_of(name):
    return FILES / NEEDS_VOCABULARY[name] if name in NEEDS_VOCABULARY else None


def skip_without(name):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")


@pytest.fixture
def stdin(monkeypatch):
    """Return a function that provides bytes on standard input."""

    def put(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


# read_corpus


@pytest.mark.parametrize("name", COUNT_FILES)
def test_counts_of_another_program_are_read(name):
    corpus = read_corpus(FILES / name, vocabulary=vocabulary_of(name))
    assert counters(corpus) == COUNTS


@pytest.mark.parametrize("name", COUNT_FILES | TEXT_FILES | {"mallet_state.gz": "mallet-state"})
def test_format_is_recognised(name):
    assert recognise(FILES / name).format == (COUNT_FILES | TEXT_FILES | {"mallet_state.gz": "mallet-state"})[name]


@pytest.mark.parametrize("name", sorted(COUNT_FILES.keys() - {"gensim.low", "scipy.npz"}))
def test_format_is_recognised_without_its_name(name, tmp_path):
    (tmp_path / "data").write_bytes((FILES / name).read_bytes())
    assert recognise(tmp_path / "data").format == COUNT_FILES[name]


@pytest.mark.parametrize("name", [*TEXT_FILES, "texts.txt.gz", "texts.txt.bz2", "texts.txt.xz", "texts.txt.zst"])
def test_texts_of_another_program_are_read_and_counted(name):
    skip_without(name)
    corpus = read_corpus(FILES / name, column=None if name.startswith("texts.") else "text", counting=LETTERS)
    assert corpus.texts == TEXTS
    assert counters(corpus) == COUNTS


@pytest.mark.parametrize("name", ["pandas.csv", "pandas.tsv", "pandas.jsonl", "pyarrow.parquet"])
def test_document_names_and_requested_columns_are_returned(name):
    skip_without(name)
    corpus = read_corpus(FILES / name, column="text", id_column="id", metadata=["year"])
    assert corpus.ids.tolist() == ["d1", "d2", "d3", "d4", "d5"]
    assert [int(year) for year in corpus.metadata["year"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("name", "column"), [("pandas.jsonl", "words"), ("pyarrow.parquet", "words")])
def test_lists_of_words_are_counted(name, column):
    skip_without(name)
    assert counters(read_corpus(FILES / name, column=column)) == COUNTS


def test_lists_of_words_with_lists_of_counts_are_read():
    pytest.importorskip("pyarrow")
    assert counters(read_corpus(FILES / "polars_counts.parquet", column=("words", "counts"))) == COUNTS


def test_a_folder_contains_one_document_per_file(tmp_path):
    (tmp_path / "sub").mkdir()
    for number, text in enumerate(TEXTS):
        (tmp_path / ("sub" if number > 2 else "") / f"{number}.txt").write_text(text)
    (tmp_path / ".hidden").write_text("not a document")
    corpus = read_corpus(tmp_path, counting=LETTERS)
    assert corpus.ids.tolist() == ["0.txt", "1.txt", "2.txt", "sub/3.txt", "sub/4.txt"]
    assert counters(corpus) == COUNTS


def test_the_input_of_mallet_is_read():
    corpus = read_corpus(FILES / "mallet.txt", format="mallet", counting=LETTERS)
    assert corpus.ids.tolist() == ["d1", "d2", "d3", "d5"]
    assert corpus.metadata["label"].tolist() == ["sport", "food", "music", "food"]
    assert counters(corpus) == [counts for counts in COUNTS if counts]


def test_the_state_that_mallet_writes_is_read():
    assert counters(read_corpus(FILES / "mallet_state.gz")) == [counts for counts in COUNTS if counts]


def test_the_matrix_that_mallet_prints_is_read():
    corpus = read_corpus(FILES / "mallet_matrix.txt", format="mallet-matrix")
    assert corpus.ids.tolist() == ["d1", "d2", "d3", "d5"]
    assert counters(corpus) == [counts for counts in COUNTS if counts]


@pytest.mark.parametrize("name", ["gensim.dict", "mallet.mallet"])
@pytest.mark.parametrize("format", ["auto", "text"])
def test_a_file_that_could_run_code_is_refused(name, format):
    with pytest.raises(CorpusError, match=r"save_as_text|print-matrix"):
        read_corpus(FILES / name, format=format)


def test_a_pickle_is_refused_as_a_vocabulary():
    with pytest.raises(CorpusError, match="save_as_text"):
        read_corpus(FILES / "gensim.svmlight", vocabulary=FILES / "gensim.dict")


def test_pickled_objects_in_an_npz_are_not_loaded(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    np.savez(
        tmp_path / "evil.npz", format=np.array(Evil(), dtype=object), shape=[1, 1], data=[1], indices=[0], indptr=[0, 1]
    )
    with pytest.raises(CorpusError, match="pickle"):
        read_corpus(tmp_path / "evil.npz")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.coo_array], ids=["csr", "csc", "coo"])
@pytest.mark.parametrize("compressed", [True, False])
def test_matrices_of_scipy_are_read(make, compressed, tmp_path):
    X = np.array([[2, 0, 1], [0, 0, 0], [0, 3, 0]])
    sparse.save_npz(tmp_path / "X.npz", make(X), compressed=compressed)
    corpus = read_corpus(tmp_path / "X.npz", vocabulary=["a", "b", "c"])
    np.testing.assert_array_equal(corpus.X.toarray(), X)


def test_counts_that_are_not_whole_numbers_remain_floats(tmp_path):
    (tmp_path / "x.mtx").write_text("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 0.5\n2 2 3\n")
    assert read_corpus(tmp_path / "x.mtx").X.toarray().tolist() == [[0.5, 0], [0, 3]]


def test_the_entries_of_a_pattern_matrix_count_1(tmp_path):
    (tmp_path / "x.mtx").write_text("%%MatrixMarket matrix coordinate pattern general\n% words\n2 2 2\n1 1\n2 2\n")
    assert read_corpus(tmp_path / "x.mtx").X.toarray().tolist() == [[1, 0], [0, 1]]


def test_svmlight_words_are_numbered_from_0_if_0_occurs(tmp_path):
    (tmp_path / "x.svmlight").write_text("1 0:2 2:1\n-1 1:1\n")
    assert read_corpus(tmp_path / "x.svmlight").X.toarray().tolist() == [[2, 0, 1], [0, 1, 0]]


def test_variants_of_vowpal_wabbit_lines_are_read(tmp_path):
    (tmp_path / "x.vw").write_text(
        "| soup bread:2 soup\n1 'second |title song |text:2 song:1.5 crowd\n\n1 third| soup\n"
    )
    corpus = read_corpus(tmp_path / "x.vw")
    assert corpus.vocabulary.tolist() == ["soup", "bread", "title^song", "text^song", "text^crowd"]
    assert corpus.X.toarray().tolist() == [[2, 2, 0, 0, 0], [0, 0, 1, 3, 2], [1, 0, 0, 0, 0]]
    assert corpus.ids.tolist() == ["", "second", "third"]


def test_words_outside_the_vocabulary_are_ignored():
    corpus = read_corpus(FILES / "gensim.low", vocabulary=["soup", "violin"])
    assert corpus.X.toarray().tolist() == [[0, 0], [2, 0], [0, 1], [0, 0], [1, 0]]


def test_the_columns_of_a_gensim_dictionary_are_its_ids():
    assert (
        read_vocabulary(FILES / "gensim.mm.dict.txt").tolist() == read_vocabulary(FILES / "gensim.uci.vocab").tolist()
    )


def test_a_vocabulary_of_another_size_is_refused():
    with pytest.raises(CorpusError, match="has 20 words, but the vocabulary has 2"):
        read_corpus(FILES / "gensim.uci", vocabulary=["a", "b"])


def test_docword_finds_its_vocabulary_file(tmp_path):
    (tmp_path / "docword.tiny.txt.gz").write_bytes(gzip.compress((FILES / "gensim.uci").read_bytes()))
    (tmp_path / "vocab.tiny.txt").write_bytes((FILES / "gensim.uci.vocab").read_bytes())
    assert counters(read_corpus(tmp_path / "docword.tiny.txt.gz")) == COUNTS


def test_standard_input_is_recognised_and_read(stdin):
    stdin((FILES / "texts.txt.gz").read_bytes())
    assert read_corpus("-", counting=LETTERS).texts == TEXTS


def test_a_csv_field_may_be_long_and_contain_line_breaks(tmp_path):
    text = "soup, bread\n" * 20_000
    (tmp_path / "x.csv").write_text(f'text\n"{text}"\n')
    assert read_corpus(tmp_path / "x.csv").texts == [text]


def test_windows_lines_and_a_byte_order_mark_are_not_part_of_the_text(tmp_path):
    (tmp_path / "x.txt").write_bytes("\ufeffsoup\r\nbread\r\n".encode())
    assert read_corpus(tmp_path / "x.txt").texts == ["soup", "bread"]


# read_batches


@pytest.mark.parametrize("size", [1, 2, 5, 9])
@pytest.mark.parametrize("name", sorted(COUNT_FILES.keys() - {"scipy.mtx"}))
def test_batches_of_counts_agree_with_the_whole_corpus(name, size):
    batches = read_batches(FILES / name, batch_size=size, vocabulary=vocabulary_of(name))
    whole = read_corpus(FILES / name, vocabulary=vocabulary_of(name))
    parts = list(batches)
    assert [part.shape[0] for part in parts] == [min(size, 5 - start) for start in range(0, 5, size)]
    np.testing.assert_array_equal(sparse.vstack(parts).toarray(), whole.X.toarray())
    assert batches.vocabulary.tolist() == whole.vocabulary.tolist()
    assert batches.kind == "counts"


@pytest.mark.parametrize("name", [*TEXT_FILES, "texts.txt.xz"])
def test_batches_of_texts_agree_with_the_whole_corpus(name):
    skip_without(name)
    batches = read_batches(FILES / name, batch_size=2, column=None if name.startswith("texts.") else "text")
    assert list(batches) == [TEXTS[:2], TEXTS[2:4], TEXTS[4:]]
    assert list(batches) == list(batches)


def test_batches_of_texts_can_be_counted():
    batches = read_batches(FILES / "texts.txt", batch_size=2)
    counter = WordCounter(**LETTERS).fit(batches)
    X = sparse.vstack([counter.transform(batch) for batch in batches])
    np.testing.assert_array_equal(X.toarray(), read_corpus(FILES / "texts.txt", counting=LETTERS).X.toarray())


def test_batches_of_lists_of_words_keep_their_columns():
    batches = read_batches(FILES / "pandas.jsonl", batch_size=2, column="words")
    whole = read_corpus(FILES / "pandas.jsonl", column="words")
    np.testing.assert_array_equal(sparse.vstack(list(batches)).toarray(), whole.X.toarray())


def test_batches_from_standard_input(stdin):
    stdin((FILES / "gensim.uci").read_bytes())
    parts = list(read_batches("-", format="uci", batch_size=2))
    np.testing.assert_array_equal(sparse.vstack(parts).toarray(), read_corpus(FILES / "gensim.uci").X.toarray())


def test_reading_standard_input_twice_is_an_error(stdin):
    stdin(b"soup\nbread\n")
    batches = read_batches("-", format="text")
    assert list(batches) == [["soup", "bread"]]
    with pytest.raises(RuntimeError, match="can be read once"):
        list(batches)


def test_batches_need_documents_in_order(tmp_path):
    (tmp_path / "x.uci").write_text("2\n2\n2\n2 1 1\n1 1 1\n")
    assert read_corpus(tmp_path / "x.uci").X.toarray().tolist() == [[1, 0], [1, 0]]
    with pytest.raises(CorpusError, match="not in order"):
        list(read_batches(tmp_path / "x.uci", batch_size=1))


@pytest.mark.parametrize(
    "name", ["gensim.uci", "gensim.mm", "gensim.svmlight", "gensim.lda-c", "gensim.low", "mallet_state.gz"]
)
def test_counts_do_not_depend_on_the_chunk_size(name, monkeypatch):
    whole = read_corpus(FILES / name).X.toarray()
    monkeypatch.setattr("ldavi.io._readers.line_chunks.CHUNK_SIZE", 16)
    monkeypatch.setattr("ldavi.io._readers.coo_builder.FLUSH_SIZE", 3)
    np.testing.assert_array_equal(read_corpus(FILES / name).X.toarray(), whole)
    np.testing.assert_array_equal(sparse.vstack(list(read_batches(FILES / name, batch_size=2))).toarray(), whole)


# Errors

INVALID = {
    "x.uci": ("2\n3\n2\n1 1 1\n2 9 1\n", 5, "word 9 is not one of 1 to 3"),
    "y.uci": ("2\n3\n2\n1 1 1\n2 soup 1\n", 5, "expected 'document word count'"),
    "x.mm": ("%%MatrixMarket matrix coordinate real general\n% c\n2 2 2\n1 1 1\n2 2 -1\n", 5, "not finite and >= 0"),
    "x.mtx": ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n", 1, "coordinate"),
    "x.svmlight": ("1 1:2\n1 2:1 x:1\n", 2, "expected 'label word:count"),
    "x.ldac": ("1 0:1\n2 0:1\n", 2, "declares 2 pairs, contains 1"),
    "y.ldac": ("1 0:1\n1 0:1e999\n", 2, "not finite"),
    "z.uci": ("1\n3\n1\n1 1 1e999\n", 4, "not finite"),
    "z.vw": ("| soup:1\n| soup:1e999\n", 2, "a finite count"),
    "x.vw": ("| soup\nbread\n", 2, "expected a '|'"),
    "y.vw": ("| soup\n| bread:two\n", 2, "a finite count >= 0"),
    "x.low": ("three\nsoup\n", 1, "the number of documents"),
    "x.jsonl": ('{"text": "a"}\n{"text": 3}\n', 2, "expected a text or a list of words"),
    "y.jsonl": ('{"text": "a"}\n{"text": "b"\n', 2, "expected a JSON object"),
    "x.csv": ("text,id\na,1\nb\n", 3, "expected 2 fields"),
    "y.csv": ('text,id\na,1\n"b,c,2\n', 3, "valid CSV"),
    "x.txt": (b"soup\nbr\xf6d\n", 2, "expected text in utf-8"),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_error_names_the_file_the_line_and_what_was_expected(name, tmp_path):
    content, line, message = INVALID[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CorpusError, match=re.escape(message)) as caught:
        read_corpus(tmp_path / name)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{tmp_path / name}, line {line}: ")


@pytest.mark.parametrize("name", ["x.uci", "y.uci", "x.mm", "x.svmlight"])
def test_an_error_names_the_line_in_any_chunk(name, tmp_path, monkeypatch):
    monkeypatch.setattr("ldavi.io._readers.line_chunks.CHUNK_SIZE", 2)
    content, line, _ = INVALID[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path / name)
    assert caught.value.line == line


HEADERS = {
    "x.uci": "1000000000000\n3\n1\n1 1 1\n",
    "y.uci": "2\n3\n1000000000000\n1 1 1\n",
    "z.uci": "2\n1000000000000\n1\n1 1 1\n",
    "x.mm": "%%MatrixMarket matrix coordinate real general\n1000000000000 2 1\n1 1 1\n",
    "y.mm": "%%MatrixMarket matrix coordinate real general\n2 2 1000000000000\n1 1 1\n",
    "x.ldac": "1000000000000 0:1\n",
    "y.ldac": "1 1000000000000:1\n",
    "x.svmlight": "1 1000000000000:1\n",
    "x.low": "1000000000000\nsoup\n",
    "x.state": "#doc source pos typeindex type topic\n1000000000000 NA 0 0 soup 1\n",
}


@pytest.mark.parametrize("read", [read_corpus, lambda path: list(read_batches(path))], ids=["whole", "batches"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_declares_an_impossible_size_is_an_error(name, read, tmp_path):
    (tmp_path / name).write_text(HEADERS[name])
    with pytest.raises(CorpusError):
        read(tmp_path / name)


@pytest.mark.parametrize("kind", ["csr", "coo"])
def test_an_npz_that_declares_too_many_rows_is_an_error(kind, tmp_path):
    arrays = {"row": [0], "col": [0]} if kind == "coo" else {"indices": [0], "indptr": [0, 1]}
    np.savez(tmp_path / "x.npz", format=kind.encode(), shape=np.array([10**12, 2]), data=[1], **arrays)
    with pytest.raises(CorpusError):
        read_corpus(tmp_path / "x.npz")


def test_an_npz_array_that_declares_more_than_it_contains_is_an_error(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<i8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(FILES / "scipy.npz") as old, zipfile.ZipFile(tmp_path / "x.npz", "w") as new:
        for name in old.namelist():
            new.writestr(name, header.getvalue() if name == "data.npy" else old.read(name))
    with pytest.raises(CorpusError, match="declares"):
        read_corpus(tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["texts.txt.gz", "texts.txt.bz2", "texts.txt.xz", "texts.txt.zst", "scipy.npz"])
def test_expansion_beyond_max_bytes_is_an_error(name):
    skip_without(name)
    with pytest.raises(CorpusError, match="max_bytes=100"):
        read_corpus(FILES / name, max_bytes=100)


@pytest.mark.parametrize("name", ["texts.txt.gz", "texts.txt.bz2", "texts.txt.xz", "texts.txt.zst"])
def test_truncated_compressed_data_are_an_error(name, tmp_path):
    skip_without(name)
    (tmp_path / name).write_bytes((FILES / name).read_bytes()[:-3])
    with pytest.raises(CorpusError, match="damaged or cut short"):
        read_corpus(tmp_path / name)


@pytest.mark.parametrize("name", ["texts.txt.gz", "texts.txt.bz2", "texts.txt.xz", "texts.txt.zst"])
def test_concatenated_compressed_files_are_read_to_the_end(name, tmp_path):
    skip_without(name)
    padding = b"\x00" * 4 if name.endswith(".xz") else b""
    (tmp_path / name).write_bytes(((FILES / name).read_bytes() + padding) * 2)
    assert read_corpus(tmp_path / name).texts == TEXTS * 2


def test_a_truncated_count_file_is_an_error(tmp_path):
    (tmp_path / "x.uci").write_bytes((FILES / "gensim.uci").read_bytes().rstrip().rpartition(b"\n")[0])
    with pytest.raises(CorpusError, match="the header declares 35 counts"):
        read_corpus(tmp_path / "x.uci")


@pytest.mark.parametrize("arguments", [{"format": "word"}, {"vocabulary": ["a", "a"], "format": "low"}])
def test_an_invalid_parameter_is_not_a_corpus_error(arguments):
    with pytest.raises(ValueError, match=r"format=|twice") as caught:
        read_corpus(FILES / "gensim.low", **arguments)
    assert not isinstance(caught.value, CorpusError)


def test_the_error_of_a_missing_column_lists_the_columns():
    with pytest.raises(CorpusError, match="no column 'body'; it has 'id', 'text', 'year'"):
        read_corpus(FILES / "pandas.csv", column="body")


def test_a_corpus_has_its_recognition():
    corpus = read_corpus(FILES / "texts.txt.gz")
    assert isinstance(corpus, Corpus)
    assert corpus.recognition.compression == "gzip"


# Files that the installed gensim writes


@pytest.mark.interop
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["MmCorpus", "BleiCorpus", "UciCorpus", "SvmLightCorpus", "LowCorpus"])
def test_files_of_the_installed_gensim_are_read(kind, tmp_path):
    corpora = pytest.importorskip("gensim.corpora")
    documents = [list(counts.elements()) for counts in COUNTS]
    dictionary = corpora.Dictionary(documents)
    path = tmp_path / {"MmCorpus": "x.mm", "BleiCorpus": "x.lda-c", "UciCorpus": "x.uci", "LowCorpus": "x.low"}.get(
        kind, "x.svm"
    )
    getattr(corpora, kind).serialize(str(path), [dictionary.doc2bow(words) for words in documents], id2word=dictionary)
    dictionary.save_as_text(str(tmp_path / "words.txt"))
    corpus = read_corpus(path, vocabulary=None if kind == "LowCorpus" else tmp_path / "words.txt")
    assert counters(corpus) == COUNTS
