"""Counts on disk: `open_counts` reads in batches what `save_counts` and other programs write, and reports damage."""

import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import peak_memory
from scipy import sparse

from ldavi import LatentDirichletAllocation, io
from ldavi.io import CorpusError, open_counts, save_counts

NAMES = ["counts.npz", "folder", "counts.parquet", "counts.arrow"]


@pytest.fixture(autouse=True)
def arrow(request):
    if any(word in request.node.name for word in ("parquet", "arrow", "table")):
        pytest.importorskip("pyarrow")


def corpus(n_docs=50, n_words=30, dtype=np.int64):
    X = np.random.default_rng(0).poisson(0.3, (n_docs, n_words)).astype(dtype)
    X[7] = 0
    return sparse.csr_array(X if np.dtype(dtype).kind == "i" else X * dtype(0.5))


def whole(batches):
    return sparse.csr_array(sparse.vstack(list(batches)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_saved_counts_are_read_back(name, dtype, tmp_path):
    X = corpus(dtype=dtype)
    save_counts(tmp_path / name, X, batch_size=8)
    batches = open_counts(tmp_path / name, batch_size=20)
    assert batches.shape == (batches.n_docs, batches.n_words) == X.shape
    assert [batch.shape[0] for batch in batches] == [20, 20, 10]
    assert len(batches) == 3
    found = whole(batches)
    np.testing.assert_array_equal(found.toarray(), X.toarray())
    assert found.dtype == (np.int32 if dtype == np.int64 else dtype)
    np.testing.assert_array_equal(whole(batches).toarray(), X.toarray())


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_a_generator_are_saved(name, tmp_path):
    X = corpus()
    save_counts(tmp_path / name, (X[first : first + 7] for first in range(0, 50, 7)))
    np.testing.assert_array_equal(whole(open_counts(tmp_path / name)).toarray(), X.toarray())
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_from_disk_has_the_bits_of_a_fit_in_memory(name, tmp_path):
    X = corpus()
    save_counts(tmp_path / name, X)
    online = {"learning_method": "online", "batch_size": 10, "max_iter": 2, "tol": None, "random_state": 0}
    one = LatentDirichletAllocation(4, **online).fit(open_counts(tmp_path / name, batch_size=20))
    assert one.components_.tobytes() == LatentDirichletAllocation(4, **online).fit(X).components_.tobytes()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_counts_do_not_depend_on_the_batch_sizes(tmp_path_factory, rows, written, read):
    folder = tmp_path_factory.mktemp("counts")
    X = np.array(rows)
    for name in ("counts.npz", "folder"):
        save_counts(folder / name, X, batch_size=written)
        batches = list(open_counts(folder / name, batch_size=read))
        assert all(batch.shape[0] <= read for batch in batches)
        np.testing.assert_array_equal(whole(batches).toarray(), X)


def test_npz_files_are_compatible_with_scipy_both_ways(tmp_path):
    X = corpus()
    save_counts(tmp_path / "ours.npz", X)
    np.testing.assert_array_equal(sparse.load_npz(tmp_path / "ours.npz").toarray(), X.toarray())
    for dtype in (np.int64, np.float64):
        sparse.save_npz(tmp_path / "theirs.npz", X.astype(dtype), compressed=False)
        np.testing.assert_array_equal(whole(open_counts(tmp_path / "theirs.npz", batch_size=9)).toarray(), X.toarray())


def test_a_folder_without_a_shape_uses_the_largest_word_or_n_words(tmp_path):
    X = sparse.csr_array(np.eye(3, 5, dtype=np.int32))
    for name in ("data", "indices", "indptr"):
        np.save(tmp_path / f"{name}.npy", getattr(X, name))
    assert open_counts(tmp_path).shape == (3, 3)
    assert open_counts(tmp_path, n_words=5).shape == (3, 5)


def test_tables_in_a_folder_are_read_in_order_and_batches_span_files(tmp_path):
    X = corpus()
    save_counts(tmp_path / "2.arrow", X[33:])
    save_counts(tmp_path / "1.parquet", X[:33])
    batches = open_counts(tmp_path, batch_size=20)
    assert [batch.shape[0] for batch in batches] == [20, 20, 10]
    np.testing.assert_array_equal(whole(batches).toarray(), X.toarray())


def test_a_table_of_another_program_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    words, counts = [[3, 0], [], None, [2, 2]], [[1, 2], [], None, [1, 1]]
    table = pa.table({"id": list("abcd"), "words": pa.array(words, pa.list_(pa.int64())), "counts": counts})
    pa.parquet.write_table(table, tmp_path / "counts.parquet", row_group_size=3)
    found = whole(open_counts(tmp_path / "counts.parquet", batch_size=2))
    np.testing.assert_array_equal(found.toarray(), [[2, 0, 0, 1], [0] * 4, [0] * 4, [0, 0, 2, 0]])
    assert open_counts(tmp_path / "counts.parquet", n_words=9).shape == (4, 9)


@pytest.mark.parametrize("name", NAMES)
def test_batches_can_be_pickled_while_they_are_iterated_over(name, tmp_path):
    save_counts(tmp_path / name, corpus())
    batches = open_counts(tmp_path / name, batch_size=20)
    iterator = iter(batches)
    next(iterator)
    again = pickle.loads(pickle.dumps(batches))
    np.testing.assert_array_equal(whole(again).toarray(), corpus().toarray())


# Errors


def test_the_error_of_a_compressed_file_says_how_to_write_it(tmp_path):
    sparse.save_npz(tmp_path / "counts.npz", corpus())
    with pytest.raises(
        CorpusError, match=r"is compressed.*save_counts or scipy.sparse.save_npz\(path, X, compressed=False\)"
    ):
        open_counts(tmp_path / "counts.npz")


def test_the_error_of_another_matrix_format_says_how_to_write_it(tmp_path):
    for name, X in (("csc", corpus().tocsc()), ("coo", corpus().tocoo())):
        sparse.save_npz(tmp_path / f"{name}.npz", X, compressed=False)
        with pytest.raises(CorpusError, match=r"is not a CSR matrix; write it with ldavi.io.save_counts"):
            open_counts(tmp_path / f"{name}.npz")


def test_a_truncated_file_is_refused_when_it_is_opened(tmp_path):
    save_counts(tmp_path / "folder", corpus())
    path = tmp_path / "folder" / "data.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorpusError, match=r"data.npy: declares .* the file is damaged"):
        open_counts(tmp_path / "folder")


def test_a_file_truncated_after_opening_is_an_error(tmp_path):
    save_counts(tmp_path / "folder", corpus())
    batches = open_counts(tmp_path / "folder", batch_size=20)
    path = tmp_path / "folder" / "indices.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorpusError, match="the file was cut short"):
        list(batches)


def overwrite(path, position, value):
    data = bytearray(path.read_bytes())
    data[128 + position : 128 + position + len(value)] = value
    path.write_bytes(data)


def test_word_numbers_outside_the_vocabulary_are_an_error(tmp_path):
    save_counts(tmp_path / "folder", corpus())
    overwrite(tmp_path / "folder" / "indices.npy", 4, struct.pack("<i", 30))
    with pytest.raises(CorpusError, match="contains word numbers outside 0 to 29"):
        list(open_counts(tmp_path / "folder"))


def test_a_decreasing_indptr_is_an_error(tmp_path):
    save_counts(tmp_path / "folder", corpus())
    overwrite(tmp_path / "folder" / "indptr.npy", 8, struct.pack("<q", 2**40))
    with pytest.raises(CorpusError, match="has an indptr that does not rise"):
        list(open_counts(tmp_path / "folder"))


@pytest.mark.parametrize("damage", [b"PK", b"", b"\x93NUMPY"], ids=["zip", "empty", "npy"])
def test_a_file_that_is_not_an_archive_is_refused(damage, tmp_path):
    (tmp_path / "counts.npz").write_bytes(damage)
    with pytest.raises(CorpusError, match=r"is not a matrix that scipy.sparse.save_npz wrote"):
        open_counts(tmp_path / "counts.npz")


def test_an_archive_with_a_wrong_directory_is_refused(tmp_path):
    save_counts(tmp_path / "counts.npz", corpus())
    with zipfile.ZipFile(tmp_path / "counts.npz") as archive:
        begin = archive.getinfo("data.npy").header_offset
    data = bytearray((tmp_path / "counts.npz").read_bytes())
    data[begin : begin + 4] = b"none"
    (tmp_path / "counts.npz").write_bytes(data)
    with pytest.raises(CorpusError, match="is damaged"):
        open_counts(tmp_path / "counts.npz")


def test_the_error_of_a_table_without_the_columns_names_them(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.table({"doc": [1], "word": [2]}), tmp_path / "long.parquet")
    with pytest.raises(CorpusError, match=r"has the columns doc: int64, word: int64; expected 'words' and 'counts'"):
        open_counts(tmp_path / "long.parquet")


def test_a_table_whose_lists_differ_in_length_is_an_error(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.table({"words": [[1, 2]], "counts": [[1]]}), tmp_path / "counts.parquet")
    with pytest.raises(CorpusError, match="differ in length"):
        list(open_counts(tmp_path / "counts.parquet"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([["a", "b"]], "expected 'words' and 'counts', lists of word numbers"),
        ([[0.5, 1.0]], "expected 'words' and 'counts', lists of word numbers"),
        ([[None, 1]], "contains a missing value in a list of 'words'"),
        ([[2**40, 1]], "at most 2147483647 are supported"),
    ],
)
def test_a_table_whose_words_are_no_columns_is_an_error(words, message, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.table({"words": words, "counts": [[1, 2]]}), tmp_path / "counts.parquet")
    with pytest.raises(CorpusError, match=f"counts.parquet: .*{message}"):
        list(open_counts(tmp_path / "counts.parquet"))


@pytest.mark.parametrize("name", ["counts.parquet", "counts.arrow"])
def test_damage_within_a_table_is_an_error_that_names_the_file(name, tmp_path):
    save_counts(tmp_path / name, corpus())
    content = (tmp_path / name).read_bytes()
    for first in range(4, len(content) - 4, 7):
        (tmp_path / name).write_bytes(content[:first] + b"\xff\x7f\xff\xff" + content[first + 4 :])
        assert_read_or_named(tmp_path / name)


def assert_read_or_named(path):
    """Check that reading stored counts raises nothing but a CorpusError that names the file."""
    error = None
    try:
        list(open_counts(path))
    except CorpusError as caught:
        error = caught
    assert error is None or path.name in str(error)


@pytest.mark.parametrize("member", ["shape", "indptr", "indices", "data"])
@pytest.mark.parametrize("header", [b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", b"\x93NUMPY\x01\x00\x10\x00{'descr': ("])
def test_a_header_that_is_too_long_or_incomplete_is_an_error(member, header, tmp_path):
    save_counts(tmp_path / "folder", corpus())
    path = tmp_path / "folder" / f"{member}.npy"
    path.write_bytes(header + path.read_bytes()[len(header) :])
    with pytest.raises(CorpusError, match=f"{member}.npy"):
        open_counts(tmp_path / "folder")


@pytest.mark.parametrize("name", ["counts.npz", "folder"])
def test_a_declared_shape_array_needs_no_memory(name, tmp_path):
    save_counts(tmp_path / name, corpus())
    huge = np.zeros(2, np.int64)
    path = tmp_path / "shape.npy"
    np.save(path, huge)
    content = path.read_bytes().replace(b"(2,), }         ", b"(2000000000,), }")
    if name == "folder":
        (tmp_path / name / "shape.npy").write_bytes(content)
    else:
        with zipfile.ZipFile(tmp_path / name) as archive:
            members = {info: archive.read(info) for info in archive.namelist()}
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for info, data in (members | {"shape.npy": content}).items():
                archive.writestr(info, data)

    def refused():
        with pytest.raises(CorpusError, match="declares"):
            open_counts(tmp_path / name)

    assert peak_memory(refused) < 2**20


@pytest.mark.parametrize("name", NAMES)
def test_an_invalid_batch_leaves_no_file(name, tmp_path):
    X = corpus()
    for bad, message in ((-X, "Negative"), (X[:, :-1], "batch 1 of X has 29 columns"), (X * 0.5, "not whole numbers")):
        with pytest.raises(ValueError, match=message):
            save_counts(tmp_path / name, [X, bad])
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_replaced_and_an_existing_folder_is_not(tmp_path):
    X = corpus()
    save_counts(tmp_path / "counts.npz", X[:3])
    save_counts(tmp_path / "counts.npz", X)
    assert open_counts(tmp_path / "counts.npz").n_docs == 50
    save_counts(tmp_path / "folder", X)
    with pytest.raises(FileExistsError, match="remove it first"):
        save_counts(tmp_path / "folder", X)


def test_errors_of_names_and_numbers_say_what_is_allowed(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of .npz, .parquet"):
        save_counts(tmp_path / "counts.txt", corpus())
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        open_counts(tmp_path / "none.npz")
    save_counts(tmp_path / "counts.npz", corpus())
    with pytest.raises(ValueError, match=r"n_words=7, but .* has 30 words"):
        open_counts(tmp_path / "counts.npz", n_words=7)
    with pytest.raises(ValueError, match="batch_size=0"):
        open_counts(tmp_path / "counts.npz", batch_size=0)
    (tmp_path / "posts.txt").write_text("one two")
    with pytest.raises(CorpusError, match="read_batches reads other formats"):
        open_counts(tmp_path / "posts.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"is a folder without data.npy"):
        open_counts(tmp_path / "empty")


def test_the_names_are_public():
    assert {"CountBatches", "open_counts", "save_counts", "Checkpoint"} <= set(io.__all__)
