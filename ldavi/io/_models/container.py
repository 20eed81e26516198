"""Named arrays and strings in one file: the safetensors format with a checksum, written atomically.

The file starts with the length of a JSON header in eight bytes, little-endian. The header and the arrays,
little-endian and without gaps, follow. Reading creates arrays of numbers only: no code, no objects and no access to
other files. The sizes that the header declares are compared with the size of the file before memory is allocated.
"""

import hashlib
import json
import math
import mmap as memory_map
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.atomic_write import atomic_write
from ldavi._core.chunks import chunks

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
NAMES = {np.dtype(text): name for name, text in DTYPES.items()}
MAX_HEADER = 100_000_000  # bytes, as in the safetensors library
MAX_DIMENSIONS = 8
CHUNK_SIZE = 2**24  # bytes that are read at a time
ALIGNMENT = 64  # bytes
HEADER_START = b'{"__metadata__":{"checksum":"blake2b-256:'  # the checksum follows, at the same position in every file
DIGEST_LENGTH = 64  # hexadecimal digits
BLANK_DIGEST = b"0" * DIGEST_LENGTH  # replaces the checksum in the header while the checksum is computed


StrPath = str | os.PathLike[str]
Buffer = bytes | memoryview


class Entry(NamedTuple):
    """Position of an array, in bytes from the end of the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def write(
    path: StrPath,
    arrays: dict[str, NDArray[Any]],
    metadata: dict[str, str],
    *,
    temporary_name: str | None = None,
) -> None:
    """Write arrays and strings to a file atomically: a crash leaves the old file or the complete new one.

    Parameters
    ----------
    path : str or path-like
    arrays : dict of str to array
    metadata : dict of str to str
    temporary_name : str, optional
        See `ldavi._core.atomic_write.atomic_write`.

    Raises
    ------
    ValueError
        If the header is too large.
    """
    plain = {name: _little_endian(array) for name, array in arrays.items()}
    order = sorted(plain, key=lambda name: (-plain[name].itemsize, name))  # so each array is aligned
    entries, begin = {}, 0
    for name in order:
        end = begin + plain[name].nbytes
        dtype = NAMES[plain[name].dtype]
        entries[name] = {"dtype": dtype, "shape": list(plain[name].shape), "data_offsets": [begin, end]}
        begin = end
    strings = {"checksum": "blake2b-256:" + BLANK_DIGEST.decode(), **metadata}
    header = json.dumps({"__metadata__": strings, **entries}, separators=(",", ":")).encode("ascii")
    header += b" " * (-(8 + len(header)) % ALIGNMENT)
    if len(header) > MAX_HEADER:
        raise ValueError(
            f"the header of path={str(path)!r} would have {len(header)} bytes; at most {MAX_HEADER} are allowed"
        )
    length = struct.pack("<Q", len(header))
    data = [_bytes(plain[name]) for name in order]
    digest = _digest([length, header, *data])
    write_chunks(
        path,
        [length, HEADER_START, digest, header[len(HEADER_START) + DIGEST_LENGTH :], *data],
        temporary_name=temporary_name,
    )


def write_chunks(path: StrPath, parts: Iterable[Buffer], *, temporary_name: str | None = None) -> None:
    """Write bytes to a file atomically."""
    with atomic_write(path, temporary_name=temporary_name) as file:
        for part in parts:
            file.write(part)


class Header(NamedTuple):
    """The content of a file before its arrays."""

    strings: dict[str, str]
    entries: list[Entry]
    raw: bytes


def read_header(file: BinaryIO) -> Header:
    """Read the header, and check that the arrays fill the rest of the file without gaps or overlaps.

    Raises
    ------
    ValueError
        If the file is not regular, is not in this format, or is incomplete.
    """
    info = os.fstat(file.fileno())
    if not stat.S_ISREG(info.st_mode):
        raise ValueError("it is not a regular file")
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else MAX_HEADER + 1
    if length > min(MAX_HEADER, info.st_size - 8):
        raise ValueError("it is not a model file of ldavi, or only the beginning of one")
    raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its header is not JSON: {str(error)[:200]}") from error
    strings = header.pop("__metadata__", None) if isinstance(header, dict) else None
    if not isinstance(strings, dict) or not all(isinstance(value, str) for value in strings.values()):
        raise ValueError("its header has no '__metadata__' that contains strings only")
    described = (_entry(name, value, info.st_size) for name, value in header.items())
    entries = sorted(described, key=lambda entry: (entry.begin, entry.end))
    begin = 0
    for entry in entries:
        if entry.begin != begin:
            raise ValueError(f"array {entry.name!r} begins at byte {entry.begin}, but the previous one ends at {begin}")
        begin = entry.end
    if begin != info.st_size - 8 - length:
        raise ValueError(
            f"its arrays need {begin} bytes, but it contains {info.st_size - 8 - length}: it was cut short or added to"
        )
    return Header(strings, entries, raw)


def read_arrays(file: BinaryIO, header: Header, *, mmap: bool, verify: bool) -> dict[str, NDArray[Any]]:
    """Read the arrays into memory, or map them read-only with `mmap`; verify the checksum if `verify` is set.

    Raises
    ------
    ValueError
        If the checksum does not match, or an array of booleans contains other values.
    """
    start = 8 + len(header.raw)
    if mmap:
        view = memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_READ)
        if verify:
            _verify_checksum(header, [memoryview(view)[start:]])
        arrays = {entry.name: _mapped(view, entry, start) for entry in header.entries}
    else:
        arrays = {entry.name: np.empty(entry.shape, entry.dtype) for entry in header.entries}
        parts = _fill(file, [arrays[entry.name] for entry in header.entries])
        if verify:
            _verify_checksum(header, parts)
        for _ in parts:  # reads what the verification has not read
            pass
    for entry in header.entries:
        if entry.dtype == np.bool_ and (arrays[entry.name].view(np.uint8) > 1).any():
            raise ValueError(f"array {entry.name!r} of booleans contains other values than 0 and 1")
    return {name: array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}


def _fill(file: BinaryIO, arrays: list[NDArray[Any]]) -> Iterator[memoryview]:
    """Read the content of the arrays from the file; yield each part that was read."""
    for array in arrays:
        target = _bytes(array)
        for part in chunks(len(target), CHUNK_SIZE):
            if file.readinto(target[part]) != part.stop - part.start:  # type: ignore[attr-defined]
                raise ValueError("it ends before its last array does")
            yield target[part]


def _mapped(view: memory_map.mmap, entry: Entry, start: int) -> NDArray[Any]:
    count = math.prod(entry.shape)
    if count == 0:
        return np.empty(entry.shape, entry.dtype)
    return np.frombuffer(view, entry.dtype, count, start + entry.begin).reshape(entry.shape)


def _verify_checksum(header: Header, content: Iterable[Buffer]) -> None:
    if not header.raw.startswith(HEADER_START):
        raise ValueError("it has no checksum; pass verify=False to read it without verification")
    position = slice(len(HEADER_START), len(HEADER_START) + DIGEST_LENGTH)
    blank = header.raw[: position.start] + BLANK_DIGEST + header.raw[position.stop :]
    length = struct.pack("<Q", len(header.raw))
    if _digest(chain([length, blank], content)) != header.raw[position]:
        raise ValueError("its checksum does not match its contents: it was damaged or changed")


def _digest(parts: Iterable[Buffer]) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_LENGTH // 2)
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode("ascii")


def _entry(name: str, value: Any, file_size: int) -> Entry:
    """Validate the description of an array; one without elements may not be longer than the file either."""
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"array {name!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"array {name!r} has dtype {dtype!r}; allowed are {', '.join(DTYPES)}")
    for what, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
            raise ValueError(f"array {name!r} has {what} {str(numbers)[:100]}; it must be a list of integers >= 0")
    if len(shape) > MAX_DIMENSIONS or len(offsets) != 2:
        raise ValueError(f"array {name!r} has {len(shape)} dimensions and {len(offsets)} offsets")
    begin, end = offsets
    n_bytes = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if not n_bytes and math.prod(max(length, 1) for length in shape) > file_size:
        raise ValueError(f"array {name!r} of shape {shape} has no elements, but is longer than the file")
    if end - begin != n_bytes or n_bytes >= 2**60:
        raise ValueError(
            f"array {name!r} of shape {shape} needs {n_bytes} bytes, but occupies the bytes {begin} to {end}"
        )
    return Entry(name, np.dtype(DTYPES[dtype]), tuple(shape), begin, end)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("it contains a name twice")
    return result


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
