"""A CSR matrix on disk whose rows are read on demand: an uncompressed `.npz` of scipy, or a folder of `.npy` files.

The files are read and not memory-mapped: mapped pages count as memory of the process until the operating system evicts
them, and the process crashes if a mapped file is truncated. The page cache serves repeated reads in both cases.
"""

import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi._core.chunks import chunks
from ldavi.io._errors import CorpusError
from ldavi.io._readers.npz import DAMAGED, check_members, read_array_header, read_small_array

LOCAL_HEADER_SIZE = 30  # bytes of the header of a zip member before its name
CHUNK_SIZE = 2**22  # word numbers read at a time to find the largest


class StoredArray(NamedTuple):
    """A one-dimensional array in a file, from byte `offset`."""

    path: str
    offset: int
    dtype: np.dtype[Any]
    length: int

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Read the elements [first, last)."""
        offset = self.offset + first * self.dtype.itemsize
        elements = np.fromfile(self.path, self.dtype, last - first, offset=offset)
        if len(elements) != last - first:
            raise CorpusError(
                self.path, f"ends before element {last} of an array of {self.length}: the file was cut short"
            )
        return elements.astype(self.dtype.newbyteorder("="), copy=False)


class StoredCSR(NamedTuple):
    """A CSR matrix on disk."""

    name: str
    data: StoredArray
    indices: StoredArray
    indptr: StoredArray
    shape: tuple[int, int]

    def batches(self, size: int) -> Iterator[sparse.csr_array]:
        """Yield all rows, `size` at a time."""
        for rows in chunks(self.shape[0], size):
            yield self.rows(rows.start, rows.stop)

    def rows(self, first: int, last: int) -> sparse.csr_array:
        """Read the rows [first, last)."""
        indptr = self.indptr.read(first, last + 1).astype(np.int64)
        start, stop = int(indptr[0]), int(indptr[-1])
        if start < 0 or stop > self.data.length or (np.diff(indptr) < 0).any():
            raise CorpusError(
                self.name,
                f"has an indptr that does not rise from 0 to {self.data.length}, in rows {first} to {last - 1}",
            )
        data, indices = self.data.read(start, stop), self.indices.read(start, stop)
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < self.shape[1]:
            raise CorpusError(
                self.name, f"contains word numbers outside 0 to {self.shape[1] - 1} in rows {first} to {last - 1}"
            )
        shape = (last - first, self.shape[1])
        indptr = (indptr - start).astype(np.int32 if stop - start < 2**31 else np.int64)
        return sparse.csr_array((data, indices.astype(np.int32, copy=False), indptr), shape=shape)


def open_npz(path: Path) -> StoredCSR:
    """Open a file of `scipy.sparse.save_npz(path, X, compressed=False)`.

    Raises
    ------
    CorpusError
        If it is compressed, damaged or not a CSR matrix.
    """
    name = str(path)
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            infos = _csr_members(archive, name)
            shape = read_small_array(archive, infos["shape"], name).tolist()
            data, indices, indptr = (_zip_member(file, name, infos[member]) for member in ("data", "indices", "indptr"))
    except (CorpusError, FileNotFoundError):
        raise
    except DAMAGED as error:
        raise CorpusError(name, f"is not a matrix that scipy.sparse.save_npz wrote, or is damaged ({error})") from error
    return _validated(StoredCSR(name, data, indices, indptr, (int(shape[0]), int(shape[1]))))


def _csr_members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by array name, after checking that it is an uncompressed CSR matrix."""
    check_members(archive, name, None)
    infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    kind = read_small_array(archive, infos["format"], name).item()
    if "indptr" not in infos or kind not in (b"csr", "csr"):
        raise CorpusError(name, "is not a CSR matrix; write it with ldavi.io.save_counts, which makes one")
    if any(infos[member].compress_type != zipfile.ZIP_STORED for member in ("data", "indices", "indptr")):
        raise CorpusError(
            name,
            "is compressed, so parts of it cannot be read separately; write it with ldavi.io.save_counts or "
            "scipy.sparse.save_npz(path, X, compressed=False)",
        )
    return infos


def _zip_member(file: BinaryIO, name: str, info: zipfile.ZipInfo) -> StoredArray:
    """Locate the array of an uncompressed member, after the member's local header."""
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER_SIZE)
    if header[:4] != b"PK\x03\x04":
        raise CorpusError(name, f"has no {info.filename} where its directory says; the file is damaged")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    begin = info.header_offset + LOCAL_HEADER_SIZE + name_length + extra_length
    return _stored_array(file, name, begin, begin + info.file_size)


def open_csr_folder(path: Path, n_words: int | None) -> StoredCSR:
    """Open a folder with data.npy, indices.npy and indptr.npy, and optionally shape.npy, which has the number of words.

    Raises
    ------
    CorpusError
        If a file is missing or damaged.
    """
    arrays = []
    for member in ("data", "indices", "indptr"):
        file = path / f"{member}.npy"
        if not file.is_file():
            raise CorpusError(
                str(path), "is a folder without data.npy, indices.npy and indptr.npy, or files of Parquet or Arrow"
            )
        with open(file, "rb") as stream:
            try:
                arrays.append(_stored_array(stream, str(file), 0, os.fstat(stream.fileno()).st_size))
            except CorpusError:
                raise
            except DAMAGED as error:
                raise CorpusError(str(file), f"is damaged ({error})") from error
    data, indices, indptr = arrays
    if n_words is None and (path / "shape.npy").is_file():
        n_words = _declared_width(path / "shape.npy")
    if n_words is None:
        parts = (indices.read(part.start, part.stop) for part in chunks(indices.length, CHUNK_SIZE))
        n_words = 1 + max((int(part.max(initial=-1)) for part in parts), default=-1)
    return _validated(StoredCSR(str(path), data, indices, indptr, (indptr.length - 1, n_words)))


def _declared_width(file: Path) -> int:
    """Return the number of words that shape.npy of a folder declares."""
    try:
        with open(file, "rb") as stream:
            shape = _stored_array(stream, str(file), 0, os.fstat(stream.fileno()).st_size)
        return int(shape.read(0, 2)[1])
    except CorpusError:
        raise
    except DAMAGED as error:
        raise CorpusError(str(file), f"is damaged ({error}); expected the numbers of documents and words") from error


def _stored_array(file: BinaryIO, name: str, begin: int, end: int) -> StoredArray:
    """Locate an array of numbers in the `.npy` format that occupies the bytes [begin, end) of a file."""
    file.seek(begin)
    length, dtype = read_array_header(file, name)
    if file.tell() + length * dtype.itemsize != end:
        raise CorpusError(
            name, f"declares {length} numbers of type {dtype}, which does not agree with its size; the file is damaged"
        )
    return StoredArray(name, file.tell(), dtype, length)


def _validated(stored: StoredCSR) -> StoredCSR:
    lengths = stored.data.length, stored.indices.length, stored.indptr.length
    if lengths[0] != lengths[1] or lengths[2] != stored.shape[0] + 1 or min(stored.shape) < 1:
        raise CorpusError(
            stored.name,
            f"has {lengths[0]} counts, {lengths[1]} word numbers and an indptr of length {lengths[2]}, which do not "
            f"agree with the shape {stored.shape}",
        )
    if {stored.indices.dtype.kind, stored.indptr.dtype.kind} - {"i", "u"}:
        raise CorpusError(stored.name, "has an indices or indptr array that does not contain integers")
    if int(stored.indptr.read(stored.shape[0], stored.shape[0] + 1)[0]) != stored.data.length:
        raise CorpusError(stored.name, f"has an indptr that does not end at its {stored.data.length} counts")
    return stored
