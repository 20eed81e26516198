"""Damaged corpus files are read or raise a CorpusError that names them, and need memory in proportion to their size."""

import bz2
import gzip
import lzma
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from memory import peak_memory
from scipy import sparse

from ldavi.io import CorpusError, read_batches, read_corpus, read_vocabulary

FILES = Path(__file__).resolve().parent / "corpora_files"
FORMATS = {
    "texts.txt": "text",
    "texts.txt.gz": "text",
    "texts.txt.bz2": "text",
    "texts.txt.xz": "text",
    "texts.txt.zst": "text",
    "pandas.csv": "csv",
    "pandas.tsv": "tsv",
    "pandas.jsonl": "jsonl",
    "pyarrow.parquet": "parquet",
    "gensim.mm": "mm",
    "gensim.uci": "uci",
    "gensim.lda-c": "ldac",
    "gensim.svmlight": "svmlight",
    "gensim.low": "low",
    "vowpalwabbit.vw": "vw",
    "mallet.txt": "mallet",
    "mallet_state.gz": "mallet-state",
    "mallet_matrix.txt": "mallet-matrix",
    "scipy.npz": "npz",
}
COUNTING = {"token_pattern": r"\w*"}  # matches empty words, so texts without words are not errors
MAX_MEMORY = 4 * 2**20  # bytes for reading a file of some hundred bytes; no buffer is larger than 1 MiB
HUGE = [
    b"999999999999",
    b"-1",
    b"1e999",
    b"nan",
    b"18446744073709551616",
    b"9" * 5000,
    b"\x00",
    b"0x10",
    b"\xff\xfe",
    b"[" * 5000,
]

quick = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def damaged(draw, data):
    """Return the bytes with some of them flipped, replaced, inserted or cut off."""
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "huge", "repeat"]))
        if kind == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=6))
        elif kind == "huge":
            content[at : at + 2] = draw(st.sampled_from(HUGE))
        else:
            content[at:at] = content[at : at + 40]
    return bytes(content)


def error_of(read):
    """Return the CorpusError that `read` raises, or None."""
    try:
        read()
    except CorpusError as error:
        return error
    return None


def assert_read_or_named(path, read):
    error = error_of(read)
    assert error is None or str(error).startswith(str(path))


def ways_to_read(path, format):
    """Return functions that read the file at once, in batches, and in batches with recognition of the format."""
    arguments = {"column": "text"} if format in ("csv", "tsv", "jsonl", "parquet") else {}

    def whole():
        assert (
            read_corpus(path, format=format, max_bytes=10**6, counting=COUNTING, **arguments).X.data.min(initial=0) >= 0
        )

    def in_batches(format):
        return list(read_batches(path, format=format, batch_size=3, max_bytes=10**6, **arguments))

    return [whole, partial(in_batches, format), partial(in_batches, "auto")]


def read_all_ways(path, format):
    for read in ways_to_read(path, format):
        assert_read_or_named(path, read)


def assert_too_large(path, **arguments):
    """Check that reading stops at the limit of 1 MB."""
    with pytest.raises(CorpusError, match="max_bytes=1000000"):
        read_corpus(path, max_bytes=10**6, **arguments)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_or_is_an_error_that_names_it(name, tmp_path):
    if name.endswith((".parquet", ".zst")):
        pytest.importorskip("pyarrow" if name.endswith(".parquet") else "zstandard")
    path = tmp_path / name

    @quick
    @given(damaged((FILES / name).read_bytes()))
    def check(content):
        path.write_bytes(content)
        read_all_ways(path, FORMATS[name])

    check()


@pytest.mark.parametrize("name", ["scipy.vocab.txt", "gensim.mm.dict.txt"])
def test_a_damaged_vocabulary_is_read_or_is_an_error_that_names_it(name, tmp_path):
    path = tmp_path / name

    @quick
    @given(damaged((FILES / name).read_bytes()))
    def check(content):
        path.write_bytes(content)
        assert_read_or_named(path, lambda: read_vocabulary(path))

    check()


@pytest.mark.parametrize("format", sorted(set(FORMATS.values())))
def test_arbitrary_bytes_are_read_or_are_an_error(format, tmp_path):
    if format == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "data"

    @quick
    @example(b"9" * 5000)
    @example(b"\n")
    @example(b"\xff\xfe" + b"\x00" * 9)
    @given(st.binary(max_size=200) | st.text("0123456789:| \n\t\"'{}[]-.e#%ab,", max_size=200).map(str.encode))
    def check(content):
        path.write_bytes(content)
        read_all_ways(path, format)

    check()


@pytest.mark.parametrize(
    "name", ["gensim.mm", "gensim.uci", "gensim.lda-c", "gensim.svmlight", "mallet_state.gz", "scipy.npz"]
)
def test_memory_is_bounded_for_a_damaged_file(name, tmp_path):
    path = tmp_path / name

    @settings(quick, max_examples=15)
    @given(damaged((FILES / name).read_bytes()))
    def check(content):
        path.write_bytes(content)
        for read in ways_to_read(path, FORMATS[name]):
            assert peak_memory(partial(assert_read_or_named, path, read)) < MAX_MEMORY

    check()


@pytest.mark.parametrize(
    ("suffix", "compress", "window"),
    [(".gz", gzip.compress, 0), (".bz2", bz2.compress, 2**22), (".xz", lzma.compress, 2**23)],
)
def test_a_decompression_bomb_is_an_error_before_it_is_expanded(suffix, compress, window, tmp_path):
    """`window` is the memory that the decoder needs for its window."""
    path = tmp_path / f"bomb.txt{suffix}"
    path.write_bytes(compress(bytes(30_000_000)))
    assert peak_memory(partial(assert_too_large, path, format="text")) < MAX_MEMORY + window


def test_a_zstd_bomb_is_an_error_before_it_is_expanded(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "bomb.txt.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(bytes(30_000_000)))
    window = 2**24  # the expansion of DECODER_INPUT bytes and a copy of it
    assert peak_memory(partial(assert_too_large, path, format="text")) < MAX_MEMORY + window


def test_an_npz_bomb_is_an_error_before_it_is_expanded(tmp_path):
    path = tmp_path / "bomb.npz"
    sparse.save_npz(
        path, sparse.csr_matrix((np.zeros(4_000_000), np.zeros(4_000_000, np.int32), [0, 4_000_000]), shape=(1, 5))
    )
    assert path.stat().st_size < 10**5
    assert peak_memory(partial(assert_too_large, path)) < MAX_MEMORY


def test_reading_in_batches_needs_the_memory_of_one_batch(tmp_path):
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress((b"soup and bread " * 14 + b"\n") * 36_000))  # 8 MB, or 9 MB as strings

    def read():
        assert sum(len(batch) for batch in read_batches(path, batch_size=1000)) == 36_000

    assert peak_memory(read) < MAX_MEMORY


def test_a_line_that_is_too_long_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("ldavi.io._readers.source.MAX_LINE", 1000)
    path = tmp_path / "x.txt"
    path.write_bytes(b"soup\n" + b"a" * 100_000)
    with pytest.raises(CorpusError, match="line 2: has more than 1000 bytes"):
        read_corpus(path)


def test_a_parquet_file_with_a_repeated_text_is_not_expanded(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["soup " * 200_000]))
    pq.write_table(pa.table({"text": column}), tmp_path / "x.parquet", store_schema=False)  # 100 GB of text
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(CorpusError, match="max_bytes=5000000"):
        read_corpus(tmp_path / "x.parquet", max_bytes=5 * 10**6)
    assert pa.default_memory_pool().max_memory() < before + 2**25
