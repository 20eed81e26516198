"""Read the files of `scipy.sparse.save_npz`; declared sizes are checked before memory is allocated."""

import io
import math
import struct
import tokenize
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from scipy import sparse

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, as_counts, check_n_docs, check_n_words

MEMBERS = {"csr": ("indices", "indptr", "data"), "csc": ("indices", "indptr", "data"), "coo": ("row", "col", "data")}
MAX_DEFLATE_RATIO = 1032  # deflate expands a byte to no more bytes than this
DAMAGED = (  # errors of zipfile, numpy and scipy for damaged files
    ValueError,  # headers, shapes; UnicodeDecodeError
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OSError,
    OverflowError,
    SyntaxError,
    tokenize.TokenError,  # a header in the style of Python 2
    RuntimeError,  # encryption, other compression methods
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    MemoryError,
)
MAX_SMALL_MEMBER = 2**16  # bytes of the members "format" and "shape"; also slack of the ratio for tiny members


def read_npz(stream: IO[bytes], name: str, *, max_bytes: int | None) -> sparse.csr_array:
    """Read a matrix of `scipy.sparse.save_npz` as CSR counts; pickled objects are never loaded.

    Raises
    ------
    CorpusError
        If the file is damaged, declares more than it contains or than `max_bytes`, or is not a CSR, CSC or COO matrix
        of finite counts >= 0.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            check_members(archive, name, max_bytes)
        stream.seek(0)
        X = sparse.load_npz(stream)  # never loads pickles
    except CorpusError:
        raise
    except DAMAGED as error:
        raise CorpusError(name, f"is not a matrix that scipy.sparse.save_npz wrote, or is damaged ({error})") from error
    return _validated(X, name)


def check_members(archive: zipfile.ZipFile, name: str, max_bytes: int | None) -> None:
    """Check that the archive contains a sparse matrix whose declared sizes agree with the sizes of its members.

    Raises
    ------
    CorpusError
        If a member declares more bytes than its compressed bytes can expand to, an array has another size than its
        member, a member is missing, or the members together exceed `max_bytes`.
    """
    infos = _member_infos(archive, name, max_bytes)
    kind = _matrix_format(archive, infos, name)
    lengths = {}
    for member in MEMBERS[kind]:
        if member not in infos:
            raise CorpusError(name, f"has no array {member!r}, which a {kind.upper()} matrix needs")
        lengths[member] = _check_array(archive, infos[member], name)
    shape = read_small_array(archive, infos["shape"], name)
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise CorpusError(name, f"has the shape {shape.tolist()!r:.60}; expected (documents, words)")
    if kind != "csr":  # which is converted to CSR, where each row needs memory
        check_n_docs(CorpusInfo(name), int(shape[0]), lengths["data"])
    check_n_words(CorpusInfo(name), int(shape[1]))


def _member_infos(archive: zipfile.ZipFile, name: str, max_bytes: int | None) -> dict[str, zipfile.ZipInfo]:
    """Return the members by array name, after checking their declared sizes."""
    infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(infos) < len(archive.infolist()):
        raise CorpusError(name, "contains an array twice; expected a matrix of scipy.sparse.save_npz")
    total = sum(info.file_size for info in infos.values())
    if max_bytes is not None and total > max_bytes:
        raise CorpusError(
            name, f"expands to more than max_bytes={max_bytes} bytes; raise max_bytes if you trust the file"
        )
    for info in archive.infolist():
        if info.file_size > MAX_DEFLATE_RATIO * info.compress_size + MAX_SMALL_MEMBER:
            raise CorpusError(
                name, f"declares {info.file_size} bytes for {info.filename}, which {info.compress_size} cannot hold"
            )
    return infos


def _matrix_format(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], name: str) -> str:
    if "format" not in infos:
        raise CorpusError(name, f"contains {', '.join(infos) or 'nothing'}; expected a matrix of scipy.sparse.save_npz")
    for member in ("format", "shape"):
        if member not in infos or infos[member].file_size > MAX_SMALL_MEMBER:
            raise CorpusError(
                name, f"has no {member!r} array, or one that is too large, for a matrix of scipy.sparse.save_npz"
            )
    found = read_small_array(archive, infos["format"], name).item()
    kind = found.decode("ascii") if isinstance(found, bytes) else str(found)
    if kind not in MEMBERS:
        raise CorpusError(name, f"is a matrix in the format {kind[:20]!r}; save it as CSR: save_npz(path, X.tocsr())")
    return kind


def read_array_header(file: IO[bytes], name: str) -> tuple[int, np.dtype[Any]]:
    """Read the header of an `.npy` file; return the length and dtype of its one-dimensional array of numbers.

    Raises
    ------
    CorpusError
        If the array has another number of dimensions or holds no numbers.
    """
    shape, dtype = _shape_and_dtype(file, name)
    if len(shape) != 1 or dtype.kind not in "iufb":
        raise CorpusError(name, f"has shape {shape} and type {dtype}; expected a one-dimensional array of numbers")
    return int(shape[0]), dtype


def read_small_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    """Read an array of at most MAX_SMALL_MEMBER bytes.

    Raises
    ------
    CorpusError
        If it declares more.
    """
    with archive.open(info) as member:
        content = io.BytesIO(member.read(MAX_SMALL_MEMBER))
    shape, dtype = _shape_and_dtype(content, name)
    if math.prod(shape) * dtype.itemsize > MAX_SMALL_MEMBER:
        raise CorpusError(name, f"{info.filename} declares an array of shape {shape!r:.60}; the file is damaged")
    content.seek(0)
    return npy.read_array(content, allow_pickle=False)


def _shape_and_dtype(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of an `.npy` file, after checking its declared length, for which numpy would allocate memory."""
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(file)
        return shape, dtype
    begin, declared = file.tell(), file.read(4)
    if len(declared) == 4 and struct.unpack("<I", declared)[0] > MAX_SMALL_MEMBER:
        raise CorpusError(name, "declares a header that is too long; the file is damaged")
    file.seek(begin)
    shape, _, dtype = npy.read_array_header_2_0(file)
    return shape, dtype


def _check_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> int:
    """Return the length of an array, after checking that its header agrees with the size of its member."""
    with archive.open(info) as member:
        length, dtype = read_array_header(member, f"{name}, {info.filename}")
        declared = member.tell() + length * dtype.itemsize
    if declared != info.file_size:
        raise CorpusError(
            name, f"{info.filename} declares {declared} bytes and has {info.file_size}; the file is damaged"
        )
    return length


def _validated(X: Any, name: str) -> sparse.csr_array:
    try:
        if X.format != "coo":
            X = (sparse.csr_array if X.format == "csr" else sparse.csc_array)(X)
            X.check_format(full_check=True)
        X = sparse.csr_array(X)
    except (ValueError, TypeError, IndexError) as error:
        raise CorpusError(name, f"contains indices that do not fit its shape ({error})") from error
    if X.data.dtype.kind not in "iufb" or not np.isfinite(X.data).all() or (X.data < 0).any():
        raise CorpusError(name, "contains counts that are not finite and >= 0")
    X.sum_duplicates()
    X.eliminate_zeros()
    return as_counts(X)
