"""Named arrays and strings in one file: the safetensors format, with a checksum, written whole or not at all.

Eight bytes hold the length of a JSON header, little-endian; then come the header and the arrays, little-endian, one after
the other without gaps. Reading makes arrays of numbers and nothing else: no code, no object, no file that the header
could name. What the header claims is compared with the size of the file before any memory is asked for.
"""

import hashlib
import json
import math
import mmap as memory_map
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.atomic_write import atomic_write

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
NAMES = {np.dtype(text): name for name, text in DTYPES.items()}
MAX_HEADER = 100_000_000  # bytes, the limit of the safetensors library too
MAX_DIMENSIONS = 8
CHUNK = 2**24
ALIGNMENT = 64
OPENING = b'{"__metadata__":{"checksum":"blake2b-256:'  # the checksum stands at the same place in every file
DIGEST = 64  # hexadecimal digits
BLANK = b"0" * DIGEST  # stands for the checksum while it is computed


class Entry(NamedTuple):
    """Where an array lies, in bytes from the end of the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def write(
    path: str | os.PathLike[str],
    arrays: dict[str, NDArray[Any]],
    metadata: dict[str, str],
    *,
    beside: str | None = None,
) -> None:
    """Write a file, of which a crash at any moment leaves the former one or the new one, whole.

    `beside` names the file that is written before it takes the place of the former one; see `replace_file`.
    """
    plain = {name: _little_endian(array) for name, array in arrays.items()}
    order = sorted(plain, key=lambda name: (-plain[name].itemsize, name))  # so that each begins on its own alignment
    entries, begin = {}, 0
    for name in order:
        end = begin + plain[name].nbytes
        dtype = NAMES[plain[name].dtype]
        entries[name] = {"dtype": dtype, "shape": list(plain[name].shape), "data_offsets": [begin, end]}
        begin = end
    strings = {"checksum": "blake2b-256:" + BLANK.decode(), **metadata}
    header = json.dumps({"__metadata__": strings, **entries}, separators=(",", ":")).encode("ascii")
    header += b" " * (-(8 + len(header)) % ALIGNMENT)
    if len(header) > MAX_HEADER:
        raise ValueError(
            f"the header of {str(path)!r} would have {len(header)} bytes; at most {MAX_HEADER} are allowed"
        )
    length = struct.pack("<Q", len(header))
    data = [_bytes(plain[name]) for name in order]
    digest = _digest([length, header, *data])
    replace_file(path, [length, OPENING, digest, header[len(OPENING) + DIGEST :], *data], beside=beside)


def replace_file(path: str | os.PathLike[str], pieces: Iterable[Any], *, beside: str | None = None) -> None:
    """Put a file in the place of another in one step."""
    with atomic_write(path, temporary_name=beside) as file:
        for piece in pieces:
            file.write(piece)


class Header(NamedTuple):
    """What stands before the arrays."""

    strings: dict[str, str]
    entries: list[Entry]
    raw: bytes


def read_header(file: BinaryIO) -> Header:
    """Read and check the header; every entry lies in the file, no two overlap and nothing is left over."""
    info = os.fstat(file.fileno())
    if not stat.S_ISREG(info.st_mode):
        raise ValueError("it is not a regular file")
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else MAX_HEADER + 1
    if length > min(MAX_HEADER, info.st_size - 8):
        raise ValueError("it is no model file of ldavi, or only the beginning of one")
    raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its header is not JSON: {str(error)[:200]}") from error
    strings = header.pop("__metadata__", None) if isinstance(header, dict) else None
    if not isinstance(strings, dict) or not all(isinstance(value, str) for value in strings.values()):
        raise ValueError("its header has no '__metadata__' with strings")
    entries = sorted(
        (_entry(name, value) for name, value in header.items()), key=lambda entry: (entry.begin, entry.end)
    )
    begin = 0
    for entry in entries:
        if entry.begin != begin:
            raise ValueError(f"array {entry.name!r} begins at byte {entry.begin}; the one before it ends at {begin}")
        begin = entry.end
    if begin != info.st_size - 8 - length:
        raise ValueError(
            f"its arrays need {begin} bytes and it holds {info.st_size - 8 - length}: it was cut or added to"
        )
    return Header(strings, entries, raw)


def read_arrays(file: BinaryIO, header: Header, *, mmap: bool, verify: bool) -> dict[str, NDArray[Any]]:
    """The arrays, read into memory or mapped read-only; compared with the checksum if `verify`."""
    start = 8 + len(header.raw)
    if mmap:
        view = memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_READ)
        if verify:
            _compare(header, [memoryview(view)[start:]])
        arrays = {entry.name: _mapped(view, entry, start) for entry in header.entries}
    else:
        arrays = {entry.name: np.empty(entry.shape, entry.dtype) for entry in header.entries}
        chunks = _fill(file, [arrays[entry.name] for entry in header.entries])
        if verify:
            _compare(header, chunks)
        for _ in chunks:
            pass
    for entry in header.entries:
        if entry.dtype == np.bool_ and (arrays[entry.name].view(np.uint8) > 1).any():
            raise ValueError(f"array {entry.name!r} of booleans holds other numbers than 0 and 1")
    return {name: array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}


def _fill(file: BinaryIO, arrays: list[NDArray[Any]]) -> Iterator[memoryview]:
    for array in arrays:
        target = _bytes(array)
        for first in range(0, len(target), CHUNK):
            chunk = target[first : first + CHUNK]
            if file.readinto(chunk) != len(chunk):  # type: ignore[attr-defined]
                raise ValueError("it ends before its last array does")
            yield chunk


def _mapped(view: memory_map.mmap, entry: Entry, start: int) -> NDArray[Any]:
    count = math.prod(entry.shape)
    if count == 0:
        return np.empty(entry.shape, entry.dtype)
    return np.frombuffer(view, entry.dtype, count, start + entry.begin).reshape(entry.shape)


def _compare(header: Header, chunks: Iterable[Any]) -> None:
    if not header.raw.startswith(OPENING):
        raise ValueError("it has no checksum where one must be; verify=False reads it unchecked")
    at = slice(len(OPENING), len(OPENING) + DIGEST)
    blank = header.raw[: at.start] + BLANK + header.raw[at.stop :]
    length = struct.pack("<Q", len(header.raw))
    if _digest(_chain(length, blank, chunks)) != header.raw[at]:
        raise ValueError("its checksum does not match its contents: it was damaged or changed")


def _chain(length: bytes, header: bytes, chunks: Iterable[Any]) -> Iterator[Any]:
    yield length
    yield header
    yield from chunks


def _digest(pieces: Iterable[Any]) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST // 2)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest().encode("ascii")


def _entry(name: str, value: Any) -> Entry:
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
    size = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if end - begin != size or math.prod(max(length, 1) for length in shape) >= 2**60:
        raise ValueError(f"array {name!r} of shape {shape} needs {size} bytes, but lies from byte {begin} to {end}")
    return Entry(name, np.dtype(DTYPES[dtype]), tuple(shape), begin, end)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
