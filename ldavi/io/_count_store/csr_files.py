"""Rows of a CSR matrix on disk, read as they are asked for: an uncompressed `.npz` of scipy, or a folder of `.npy` files.

Plain reads, and no memory map: pages that are mapped count as the process's own until the system takes them away, and a
mapped file that is cut short takes the process down. What is read twice comes from the system's cache either way.
"""

import math
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from scipy import sparse

from ldavi.io._errors import CorpusError
from ldavi.io._readers.npz import check_members

LOCAL_HEADER = 30  # bytes of a zip member's header before its name
AT_ONCE = 2**22  # word numbers looked at together


class StoredArray(NamedTuple):
    """A one-dimensional array and where it lies."""

    path: str
    offset: int
    dtype: np.dtype[Any]
    length: int

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Elements [first, last)."""
        offset = self.offset + first * self.dtype.itemsize
        found = np.fromfile(self.path, self.dtype, last - first, offset=offset)
        if len(found) != last - first:
            raise CorpusError(self.path, f"ends before element {last} of an array of {self.length}: it was cut short")
        return found.astype(self.dtype.newbyteorder("="), copy=False)


class StoredCSR(NamedTuple):
    """The three arrays of a CSR matrix on disk."""

    name: str
    data: StoredArray
    indices: StoredArray
    indptr: StoredArray
    shape: tuple[int, int]

    def batches(self, size: int) -> Iterator[sparse.csr_array]:
        """All rows, `size` at a time."""
        for first in range(0, self.shape[0], size):
            yield self.rows(first, min(first + size, self.shape[0]))

    def rows(self, first: int, last: int) -> sparse.csr_array:
        """Rows [first, last)."""
        indptr = self.indptr.read(first, last + 1).astype(np.int64)
        start, stop = int(indptr[0]), int(indptr[-1])
        if start < 0 or stop > self.data.length or (np.diff(indptr) < 0).any():
            raise CorpusError(
                self.name, f"has an indptr that does not rise from 0 to {self.data.length} in rows {first} on"
            )
        data, indices = self.data.read(start, stop), self.indices.read(start, stop)
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < self.shape[1]:
            raise CorpusError(self.name, f"names words outside 0 to {self.shape[1] - 1} in rows {first} to {last - 1}")
        shape = (last - first, self.shape[1])
        indptr = (indptr - start).astype(np.int32 if stop - start < 2**31 else np.int64)
        return sparse.csr_array((data, indices.astype(np.int32, copy=False), indptr), shape=shape)


def npz_rows(path: Path) -> StoredCSR:
    """The matrix of `scipy.sparse.save_npz(path, X, compressed=False)`.

    Raises
    ------
    CorpusError
        If it is compressed, damaged or not a CSR matrix.
    """
    name = str(path)
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            check_members(archive, name, None)
            infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if "indptr" not in infos:
                raise CorpusError(name, "is not a CSR matrix; write it with ldavi.io.save_counts, which makes one")
            with archive.open(infos["format"]) as member:
                kind = npy.read_array(member, allow_pickle=False).item()
            if kind not in (b"csr", "csr"):
                raise CorpusError(name, "is not a CSR matrix; write it with ldavi.io.save_counts, which makes one")
            if any(infos[member].compress_type != zipfile.ZIP_STORED for member in ("data", "indices", "indptr")):
                raise CorpusError(
                    name,
                    "is compressed, so that no part of it can be read alone; write it with ldavi.io.save_counts or "
                    "scipy.sparse.save_npz(path, X, compressed=False)",
                )
            with archive.open(infos["shape"]) as member:
                shape = npy.read_array(member, allow_pickle=False).tolist()
            data, indices, indptr = (_member(file, name, infos[member]) for member in ("data", "indices", "indptr"))
    except (zipfile.BadZipFile, struct.error, ValueError, EOFError, NotImplementedError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(name, f"is not a matrix that scipy.sparse.save_npz wrote, or is damaged ({error})") from error
    return _checked(StoredCSR(name, data, indices, indptr, (int(shape[0]), int(shape[1]))))


def _member(file: BinaryIO, name: str, info: zipfile.ZipInfo) -> StoredArray:
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    if header[:4] != b"PK\x03\x04":
        raise CorpusError(name, f"has no {info.filename} where its list of contents says; the file is damaged")
    length_of_name, length_of_extra = struct.unpack("<HH", header[26:30])
    begin = info.header_offset + LOCAL_HEADER + length_of_name + length_of_extra
    return _array(file, name, begin, begin + info.file_size)


def folder_rows(path: Path, n_words: int | None) -> StoredCSR:
    """The matrix of a folder with data.npy, indices.npy, indptr.npy, and shape.npy where the number of words is known."""
    arrays = []
    for member in ("data", "indices", "indptr"):
        file = path / f"{member}.npy"
        if not file.is_file():
            raise CorpusError(
                str(path), "is a folder without data.npy, indices.npy and indptr.npy, or files of Parquet or Arrow"
            )
        with open(file, "rb") as stream:
            try:
                arrays.append(_array(stream, str(file), 0, os.fstat(stream.fileno()).st_size))
            except (ValueError, EOFError) as error:
                raise (
                    error if isinstance(error, CorpusError) else CorpusError(str(file), f"is damaged ({error})")
                ) from error
    data, indices, indptr = arrays
    if n_words is None and (path / "shape.npy").is_file():
        n_words = int(np.load(path / "shape.npy", allow_pickle=False)[1])
    if n_words is None:  # the highest number that occurs tells
        slices = range(0, indices.length, AT_ONCE)
        parts = (indices.read(first, min(first + AT_ONCE, indices.length)) for first in slices)
        n_words = 1 + max((int(part.max(initial=-1)) for part in parts), default=-1)
    return _checked(StoredCSR(str(path), data, indices, indptr, (indptr.length - 1, n_words)))


def _array(file: BinaryIO, name: str, begin: int, end: int) -> StoredArray:
    """A one-dimensional array of numbers whose `.npy` header stands at `begin` and whose last byte before `end`."""
    file.seek(begin)
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if len(shape) != 1 or dtype.kind not in "iufb":
        raise CorpusError(name, f"holds an array of shape {shape} and type {dtype}; expected a row of numbers")
    if file.tell() + math.prod(shape) * dtype.itemsize != end:
        raise CorpusError(
            name, f"declares {shape[0]} numbers of type {dtype}, and its size is another; the file is damaged"
        )
    return StoredArray(name, file.tell(), dtype, int(shape[0]))


def _checked(stored: StoredCSR) -> StoredCSR:
    lengths = stored.data.length, stored.indices.length, stored.indptr.length
    if lengths[0] != lengths[1] or lengths[2] != stored.shape[0] + 1 or min(stored.shape) < 1:
        msg = (
            f"has {lengths[0]} counts, {lengths[1]} word numbers and {lengths[2]} row ends for the shape {stored.shape}"
        )
        raise CorpusError(stored.name, msg)
    if {stored.indices.dtype.kind, stored.indptr.dtype.kind} - {"i", "u"}:
        raise CorpusError(stored.name, "has word numbers or row ends that are not integers")
    if int(stored.indptr.read(stored.shape[0], stored.shape[0] + 1)[0]) != stored.data.length:
        raise CorpusError(stored.name, f"has an indptr that does not end at its {stored.data.length} counts")
    return stored
