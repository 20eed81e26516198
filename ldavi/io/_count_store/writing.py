"""Counts to disk, batch after batch, in forms that `open_counts` reads."""

import contextlib
import os
import shutil
import struct
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ldavi._estimator import validation as check
from ldavi.io._count_store.arrow_tables import ARROW, COUNTS, N_WORDS, PARQUET, WORDS, import_arrow

HEADER = 128  # bytes of an .npy header: room for any length, which is known at the end


def save_counts(path: str | os.PathLike[str], X: Any, *, batch_size: int = 4096) -> None:
    """Write counts in a form that `open_counts` reads, batch after batch: never more than one is in memory.

    The name chooses the form: `.npz` (as `scipy.sparse.load_npz` reads it, too), `.parquet` or `.arrow` (extra `io`), or,
    without an ending, a folder of `.npy` files, which is the quickest to write and to read.

    Parameters
    ----------
    path : str or path-like
        A file takes the place of an older one when it is whole; a folder must not exist.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), or iterable of such
        Counts, documents × words. An iterable (a generator, too: it is read once) gives batches of the same columns.
        Whole counts are kept as int32, others as float32 or float64, as the first batch has them.
    batch_size : int, default=4096
        Rows that are written at a time of an X that is one matrix.

    Raises
    ------
    ValueError, TypeError
        If a batch does not hold counts >= 0 of the first one's columns and kind; nothing is left on disk then.
    FileExistsError
        If the folder exists.

    See Also
    --------
    open_counts : Reads it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from ldavi import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "counts.npz")
    ...     io.save_counts(path, [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4]])
    ...     batches = io.open_counts(path, batch_size=2)
    ...     shapes = [batch.shape for batch in batches]
    >>> batches.shape, shapes
    ((3, 4), [(2, 4), (1, 4)])
    """
    check.check_integer("batch_size", batch_size, minimum=1)
    where = Path(path)
    suffix = where.suffix.lower()
    writers: dict[str, Callable[[Path, Iterator[sparse.csr_array]], None]] = {"": _write_folder, ".npz": _write_npz}
    writers |= dict.fromkeys((*PARQUET, *ARROW), lambda target, batches: _write_table(target, batches, suffix))
    if suffix not in writers:
        raise ValueError(
            f"path={str(path)!r} must end in one of {', '.join(filter(None, writers))}, or in nothing: a folder"
        )
    if suffix == "" and where.exists():
        raise FileExistsError(f"path={str(path)!r} exists; remove it first, or name another folder")
    with _beside(where) as target:
        writers[suffix](target, _canonical(X if check.is_source(X) else _cut(X, batch_size)))


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name beside `path` that takes its place at the end, or vanishes."""
    temporary = path.with_name(f".ldavi-{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _cut(X: Any, batch_size: int) -> Iterator[Any]:
    matrix = check.check_counts(X, dtype=np.float64, name="save_counts")
    kept = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
    matrix = sparse.csr_array(matrix.astype(kept if np.any(matrix.data % 1) else np.int64))
    for first in range(0, matrix.shape[0], batch_size):
        yield matrix[first : first + batch_size]


def _canonical(batches: Iterable[Any]) -> Iterator[sparse.csr_array]:
    """Checked batches, all of the first one's columns and type."""
    n_words: int | None = None
    dtype: np.dtype[Any] = np.dtype(np.int32)
    for number, batch in enumerate(batches):
        X = check.check_counts(batch, dtype=np.float64, name="save_counts")
        if n_words is None:
            n_words, kept = X.shape[1], getattr(batch, "dtype", np.dtype(np.float64))
            whole = np.dtype(kept).kind in "iub"
            dtype = np.dtype(np.int32 if whole else np.float32 if kept == np.float32 else np.float64)
        elif X.shape[1] != n_words:
            raise ValueError(
                f"batch {number} of X has {X.shape[1]} columns, the first has {n_words}: all must have the same"
            )
        data = X.data.astype(dtype)
        if dtype.kind == "i" and not np.array_equal(data, X.data):
            msg = f"batch {number} of X holds counts that are not whole numbers below 2^31, as those of the first batch were"
            raise ValueError(f"{msg}: give all batches as floats")
        yield sparse.csr_array((data, X.indices, X.indptr), shape=X.shape)
    if n_words is None:
        raise ValueError("X gives no batch; it must give at least one matrix of counts, documents × words")


def _write_folder(path: Path, batches: Iterable[sparse.csr_array]) -> None:
    path.mkdir()
    lengths, n_docs, shape, dtype = 0, 0, (0, 0), np.dtype(np.int32)
    with (
        open(path / "data.npy", "wb") as data,
        open(path / "indices.npy", "wb") as indices,
        open(path / "indptr.npy", "wb") as indptr,
    ):
        for file in (data, indices, indptr):
            file.write(b" " * HEADER)
        indptr.write(np.zeros(1, np.int64).data)
        for X in batches:
            dtype = X.data.dtype
            data.write(np.ascontiguousarray(X.data).data)
            indices.write(np.ascontiguousarray(X.indices, np.int32).data)
            indptr.write((X.indptr[1:].astype(np.int64) + lengths).data)
            lengths, n_docs, shape = lengths + X.nnz, n_docs + X.shape[0], X.shape
        for file, of, length in (
            (data, dtype, lengths),
            (indices, np.dtype(np.int32), lengths),
            (indptr, np.dtype(np.int64), n_docs + 1),
        ):
            file.seek(0)
            file.write(_npy_header(of, length))
    np.save(path / "shape.npy", np.array([n_docs, shape[1]]))


def _npy_header(dtype: np.dtype[Any], length: int) -> bytes:
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': ({length},), }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(HEADER - 11).encode("ascii") + b"\n"


def _write_npz(path: Path, batches: Iterable[sparse.csr_array]) -> None:
    """The three arrays grow together, and the members of an archive one after the other: by way of a folder."""
    with _folder_beside(path) as folder:
        _write_folder(folder, batches)
        np.save(folder / "format.npy", np.array(b"csr"))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name in ("indices", "indptr", "format", "shape", "data"):
                archive.write(folder / f"{name}.npy", f"{name}.npy")


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    folder = path.with_name(f"{path.name}.parts")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_table(path: Path, batches: Iterable[sparse.csr_array], suffix: str) -> None:
    pa = import_arrow(f"writing {suffix}")
    writer = None
    try:
        for X in batches:
            offsets = pa.array(X.indptr.astype(np.int64))
            lists = [
                pa.LargeListArray.from_arrays(offsets, pa.array(values))
                for values in (X.indices.astype(np.int32), X.data)
            ]
            schema = pa.schema(
                [(name, column.type) for name, column in zip((WORDS, COUNTS), lists, strict=True)],
                metadata={N_WORDS: str(X.shape[1]).encode()},
            )
            if writer is None:
                is_parquet = suffix in PARQUET
                writer = pa.parquet.ParquetWriter(path, schema) if is_parquet else pa.ipc.new_file(str(path), schema)
            writer.write_batch(pa.record_batch(lists, schema=schema))
    finally:
        if writer is not None:
            writer.close()
