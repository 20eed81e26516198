"""`save_counts`: write counts to disk, batch by batch, in formats that `open_counts` reads."""

import os
import shutil
import struct
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from scipy import sparse

from ldavi._core.atomic_write import atomic_write
from ldavi._core.chunks import chunks
from ldavi._estimator import validation as check
from ldavi.io._count_store.arrow_tables import ARROW, COUNTS, N_WORDS, PARQUET, WORDS, import_arrow

HEADER_SIZE = 128  # bytes of an .npy header; enough for any length, which is known only at the end


def save_counts(path: str | os.PathLike[str], X: Any, *, batch_size: int = 4096) -> None:
    """Write counts to disk in a format that `open_counts` reads, batch by batch, with one batch in memory at a time.

    The file name ending determines the format: `.npz`, which `scipy.sparse.load_npz` reads, too; `.parquet` or
    `.arrow`, which need the extra ``ldavi[io]``; or, without an ending, a folder of `.npy` files, the fastest format.

    Parameters
    ----------
    path : str or path-like
        An existing file is replaced when the new one is complete. A folder must not exist.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), or iterable of such
        Counts, documents × words. An iterable, for example a generator, yields batches with the same columns and is
        iterated over once. Whole counts are stored as int32, others as float32 or float64, depending on the first
        batch.
    batch_size : int, default=4096
        Number of rows that are written at a time if X is a single matrix.

    Raises
    ------
    ValueError, TypeError
        If a batch contains anything but counts >= 0, or has other columns or another type of counts than the first one.
        Nothing is written in that case.
    FileExistsError
        If the folder exists.

    See Also
    --------
    open_counts : Read the counts in batches.

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
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in ("", ".npz", *PARQUET, *ARROW):
        endings = ", ".join((".npz", *PARQUET, *ARROW))
        raise ValueError(f"path={str(path)!r} must end in one of {endings}, or have no ending for a folder")
    batches = _validated(X if check.is_source(X) else _split(X, batch_size))
    if suffix == "":
        if target.exists():
            raise FileExistsError(f"path={str(path)!r} exists; remove it first, or choose another name")
        with _temporary_folder(target) as folder:
            _write_folder(folder, batches)
            folder.rename(target)
    elif suffix == ".npz":
        # The three arrays grow together but are stored one after the other, hence the folder.
        with _temporary_folder(target) as folder, atomic_write(target) as file:
            _write_folder(folder, batches)
            _write_npz(file, folder)
    else:
        with atomic_write(target) as file:
            _write_table(file, batches, is_parquet=suffix in PARQUET)


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """Create a folder beside `path` that is removed at the end, unless it was renamed."""
    folder = path.with_name(f".ldavi-{uuid.uuid4().hex}.tmp")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _split(X: Any, batch_size: int) -> Iterator[Any]:
    matrix = check.check_counts(X, dtype=np.float64, name="save_counts")
    float_dtype = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
    matrix = sparse.csr_array(matrix.astype(float_dtype if np.any(matrix.data % 1) else np.int64))
    for rows in chunks(matrix.shape[0], batch_size):
        yield matrix[rows]


def _validated(batches: Iterable[Any]) -> Iterator[sparse.csr_array]:
    """Yield the batches as CSR matrices, after checking that all have the columns and the type of the first."""
    n_words: int | None = None
    dtype: np.dtype[Any] = np.dtype(np.int32)
    for number, batch in enumerate(batches):
        X = check.check_counts(batch, dtype=np.float64, name="save_counts")
        if n_words is None:
            n_words, dtype = X.shape[1], _stored_dtype(getattr(batch, "dtype", np.float64))
        elif X.shape[1] != n_words:
            raise ValueError(
                f"batch {number} of X has {X.shape[1]} columns, but the first has {n_words}; all batches need the same"
            )
        data = X.data.astype(dtype)
        if dtype.kind == "i" and not np.array_equal(data, X.data):
            raise ValueError(
                f"batch {number} of X contains counts that are not whole numbers below 2^31, unlike the first batch; "
                "pass all batches as floats"
            )
        yield sparse.csr_array((data, X.indices, X.indptr), shape=X.shape)
    if n_words is None:
        raise ValueError("X yields no batch; it must yield at least one matrix of counts, documents × words")


def _stored_dtype(dtype: Any) -> np.dtype[Any]:
    if np.dtype(dtype).kind in "iub":
        return np.dtype(np.int32)
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)


def _write_folder(path: Path, batches: Iterable[sparse.csr_array]) -> None:
    """Append the arrays of each batch to three `.npy` files, whose headers are written at the end."""
    n_entries, n_docs, n_words, dtype = 0, 0, 0, np.dtype(np.int32)
    with (
        open(path / "data.npy", "wb") as data,
        open(path / "indices.npy", "wb") as indices,
        open(path / "indptr.npy", "wb") as indptr,
    ):
        for file in (data, indices, indptr):
            file.write(b" " * HEADER_SIZE)
        indptr.write(np.zeros(1, np.int64).data)
        for X in batches:
            dtype = X.data.dtype
            data.write(np.ascontiguousarray(X.data).data)
            indices.write(np.ascontiguousarray(X.indices, np.int32).data)
            indptr.write((X.indptr[1:].astype(np.int64) + n_entries).data)
            n_entries, n_docs, n_words = n_entries + X.nnz, n_docs + X.shape[0], X.shape[1]
        for file, dtype_of_file, length in (
            (data, dtype, n_entries),
            (indices, np.dtype(np.int32), n_entries),
            (indptr, np.dtype(np.int64), n_docs + 1),
        ):
            file.seek(0)
            file.write(_npy_header(dtype_of_file, length))
    np.save(path / "shape.npy", np.array([n_docs, n_words]))


def _npy_header(dtype: np.dtype[Any], length: int) -> bytes:
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': ({length},), }}"
    return (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", HEADER_SIZE - 10)
        + text.ljust(HEADER_SIZE - 11).encode("ascii")
        + b"\n"
    )


def _write_npz(file: BinaryIO, folder: Path) -> None:
    """Store the arrays of a folder without compression, under the names that `scipy.sparse.load_npz` expects."""
    np.save(folder / "format.npy", np.array(b"csr"))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in ("indices", "indptr", "format", "shape", "data"):
            archive.write(folder / f"{name}.npy", f"{name}.npy")


def _write_table(file: BinaryIO, batches: Iterable[sparse.csr_array], *, is_parquet: bool) -> None:
    pa = import_arrow("writing Parquet and Arrow files")
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
                writer = pa.parquet.ParquetWriter(file, schema) if is_parquet else pa.ipc.new_file(file, schema)
            writer.write_batch(pa.record_batch(lists, schema=schema))
    finally:
        if writer is not None:
            writer.close()
