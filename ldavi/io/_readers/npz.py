"""Sparse matrices of `scipy.sparse.save_npz`: what the headers promise is checked before anything is allocated."""

import io
import math
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.lib import format as npy
from scipy import sparse

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import MAX_WORDS, whole_counts

MEMBERS = {"csr": ("indices", "indptr", "data"), "csc": ("indices", "indptr", "data"), "coo": ("row", "col", "data")}
DEFLATE = 1032  # the most that deflate can expand a byte to
SMALL = 2**16  # of members that say what the others are


def read_npz(stream: Any, name: str, *, max_bytes: int | None) -> sparse.csr_array:
    """A matrix of `scipy.sparse.save_npz` as CSR counts; pickled objects are never loaded.

    Raises
    ------
    CorpusError
        If the file is damaged, promises more than it holds or than `max_bytes`, or is not a CSR, CSC or COO matrix of
        finite counts >= 0.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            check_members(archive, name, max_bytes)
        stream.seek(0)
        X = sparse.load_npz(stream)  # which allows no pickles
    except CorpusError:
        raise
    except (
        ValueError,  # of numpy and scipy: headers, shapes; UnicodeDecodeError
        TypeError,
        KeyError,
        IndexError,
        EOFError,
        OSError,
        OverflowError,
        SyntaxError,
        NotImplementedError,  # of zipfile: encryption, other compression
        RuntimeError,
        struct.error,
        zipfile.BadZipFile,
        zlib.error,
        MemoryError,
    ) as error:
        raise CorpusError(name, f"is not a matrix that scipy.sparse.save_npz wrote, or is damaged ({error})") from error
    return _checked(X, name)


def check_members(archive: zipfile.ZipFile, name: str, max_bytes: int | None) -> None:
    """Hold headers against bytes: an array's declared size is its member's, and no more than its bytes can expand to."""
    infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(infos) < len(archive.infolist()):
        raise CorpusError(name, "holds an array twice; expected a matrix of scipy.sparse.save_npz")
    total = sum(info.file_size for info in infos.values())
    if max_bytes is not None and total > max_bytes:
        raise CorpusError(
            name, f"expands to more than max_bytes={max_bytes} bytes; raise max_bytes if it is to be trusted"
        )
    for info in archive.infolist():
        if info.file_size > DEFLATE * info.compress_size + SMALL:
            raise CorpusError(
                name, f"declares {info.file_size} bytes for {info.filename}, which {info.compress_size} cannot hold"
            )
    if "format" not in infos:
        raise CorpusError(name, f"holds {', '.join(infos) or 'nothing'}; expected a matrix of scipy.sparse.save_npz")
    for member in ("format", "shape"):
        if member not in infos or infos[member].file_size > SMALL:
            raise CorpusError(name, f"has no {member}, or one too large, for a matrix of scipy.sparse.save_npz")
    found = npy.read_array(io.BytesIO(archive.read(infos["format"])), allow_pickle=False).item()
    kind = found.decode("ascii") if isinstance(found, bytes) else str(found)
    if kind not in MEMBERS:
        raise CorpusError(name, f"is a matrix of the format {kind[:20]!r}; save it as CSR: save_npz(path, X.tocsr())")
    shapes = {}
    for member in MEMBERS[kind]:
        if member not in infos:
            raise CorpusError(name, f"has no array {member!r}, which a {kind.upper()} matrix needs")
        shapes[member] = _check_array(archive, infos[member], name)
    shape = npy.read_array(io.BytesIO(archive.read(infos["shape"])), allow_pickle=False)
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise CorpusError(name, f"has the shape {shape.tolist()!r:.60}; expected (documents, words)")
    rows, n_entries = int(shape[0]), shapes["data"]
    if kind != "csr" and rows > 100_000 + 16 * n_entries:  # that becomes CSR below
        raise CorpusError(name, f"declares {rows} documents for {n_entries} counts; the file is damaged")
    if int(shape[1]) > MAX_WORDS:
        raise CorpusError(name, f"has {int(shape[1])} words, and at most {MAX_WORDS} are supported")


def _check_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> int:
    """Entries of a one-dimensional array of numbers whose header agrees with its member's size."""
    with archive.open(info) as member:
        version = npy.read_magic(member)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(member)
        declared = member.tell() + math.prod(shape) * dtype.itemsize
    if len(shape) != 1 or dtype.kind not in "iufb":
        raise CorpusError(name, f"holds {info.filename} of shape {shape} and type {dtype}; expected a row of numbers")
    if declared != info.file_size:
        raise CorpusError(
            name, f"{info.filename} declares {declared} bytes and has {info.file_size}; the file is damaged"
        )
    return int(shape[0])


def _checked(X: Any, name: str) -> sparse.csr_array:
    try:
        if X.format != "coo":
            X = (sparse.csr_array if X.format == "csr" else sparse.csc_array)(X)
            X.check_format(full_check=True)
        X = sparse.csr_array(X)
    except (ValueError, TypeError, IndexError) as error:
        raise CorpusError(name, f"has indices that do not fit its shape ({error})") from error
    if X.data.dtype.kind not in "iufb" or not np.isfinite(X.data).all() or (X.data < 0).any():
        raise CorpusError(name, "holds counts that are not finite and >= 0")
    X.sum_duplicates()
    X.eliminate_zeros()
    return whole_counts(X)
