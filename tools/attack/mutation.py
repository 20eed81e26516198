"""Random damage of files: bits, spans, numbers and texts, also within compressed files and behind right checksums."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import re
import struct
import zipfile
from typing import Any

from numpy.random import Generator

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
EXTREMES = [
    *b"0 -1 1 2147483647 2147483648 4294967296 9223372036854775807 18446744073709551616 999999999999999999999".split(),
    *b"1e308 1e999 -1e999 nan inf 1e-320 -0.0 0x10 1_0 +5 1.5 007".split(),
    "\u0661".encode(),  # an Arabic digit
    b"9" * 5000,
    b"",
]
NOISE = ["\x00", "\ufeff", "\u202e", "\u2028", "\x1b[2J", "\r", "\t", "\n", '"', "\U0001f600", "\udcff", ","]
NOISE += ["{", "\x85", "é", "[" * 300]
COMPRESSORS = {b"\x1f\x8b": (gzip.decompress, gzip.compress), b"BZh": (bz2.decompress, bz2.compress),
               b"\xfd7zXZ": (lzma.decompress, lzma.compress)}  # fmt: skip
CHECKSUM = re.compile(rb'"checksum":"blake2b-256:([0-9a-f]{64})"')


def damaged(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    """Return data with one to three kinds of damage; `others` are contents to splice with."""
    if rng.random() < 0.5:
        inner = _within_a_container(rng, data, others)
        if inner is not None:
            return inner
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        data = _damage_once(rng, data, others)
    return data


def _damage_once(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    kinds = (_flip, _flip, _truncate, _delete, _duplicate, _splice, _extreme, _extreme, _noise)
    return kinds[rng.integers(len(kinds))](rng, data, others)


def _span(rng: Generator, data: bytes) -> tuple[int, int]:
    """Return the ends of a short or long span."""
    first = int(rng.integers(len(data) + 1))
    length = int(rng.integers(1, 9)) if rng.random() < 0.6 else int(rng.integers(len(data) + 1))
    return first, min(len(data), first + length)


def _flip(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 2, 8]))):
        if changed:
            changed[rng.integers(len(changed))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _truncate(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    return data[: rng.integers(len(data) + 1)]


def _delete(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    first, last = _span(rng, data)
    return data[:first] + data[last:]


def _duplicate(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    first, last = _span(rng, data)
    return data[:last] + data[first:last] * int(rng.choice([1, 1, 2, 50])) + data[last:]


def _splice(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    other = others[rng.integers(len(others))]
    first, last = _span(rng, other)
    at, end = _span(rng, data)
    return data[:at] + other[first:last] + (data[at:] if rng.random() < 0.5 else data[end:])


def _extreme(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    """Replace a number in the text by an extreme one, or the bytes of a binary number."""
    found = list(NUMBER.finditer(data))
    if not found or rng.random() < 0.2:
        at, value = int(rng.integers(len(data) + 1)), rng.choice([0, -1, 2**31 - 1, -(2**31), 1])
        packed = struct.pack("<i", value) if rng.random() < 0.5 else struct.pack("<q", value)
        return data[:at] + packed + data[at + len(packed) :]
    match = found[rng.integers(len(found))]
    return data[: match.start()] + EXTREMES[rng.integers(len(EXTREMES))] + data[match.end() :]


def _noise(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    at = int(rng.integers(len(data) + 1))
    text = NOISE[rng.integers(len(NOISE))]
    encoding = ("utf-8", "utf-8", "utf-16", "latin-1")[rng.integers(4)]
    return data[:at] + text.encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass") + data[at:]


def _within_a_container(rng: Generator, data: bytes, others: list[bytes]) -> bytes | None:
    """Damage what is inside a compressed file, an archive or a file with a checksum; None for other files."""
    for magic, (decompress, compress) in COMPRESSORS.items():
        if data.startswith(magic):
            return compress(damaged(rng, decompress(data), others))
    if data.startswith(b"PK"):
        return _rezipped(rng, data, others)
    if CHECKSUM.search(data[:200]):
        return _with_checksum(rng, data, others)
    return None


def _rezipped(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    """Damage a member of an archive, and write the archive again, so that its checksums are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            content = old.read(name)
            new.writestr(name, damaged(rng, content, others) if name == chosen else content)
    return buffer.getvalue()


def _with_checksum(rng: Generator, data: bytes, others: list[bytes]) -> bytes:
    """Damage the header, a value in its JSON, or the arrays of a model or checkpoint, with a right checksum."""
    length = struct.unpack("<Q", data[:8])[0]
    header, arrays = data[8 : 8 + length], data[8 + length :]
    kind = rng.choice(["arrays", "text", "value", "value"])
    if kind == "arrays":
        arrays = _damage_once(rng, arrays, others) if rng.random() < 0.3 else _same_length(rng, arrays)
    elif kind == "text":
        header = _damage_once(rng, header, others)
    else:
        header = _changed_json(rng, header)
    return checksummed(header, arrays)


def _same_length(rng: Generator, data: bytes) -> bytes:
    """Change bytes without changing their number."""
    changed = _flip(rng, data, []) if rng.random() < 0.5 else _extreme(rng, data, [])
    return (changed + data)[: len(data)]


def checksummed(header: bytes, arrays: bytes) -> bytes:
    """Return the content of a model file with the checksum of this header and these arrays, if it has one."""
    length = struct.pack("<Q", len(header))
    match = CHECKSUM.search(header)
    if match:
        first, last = match.span(1)
        blank = header[:first] + b"0" * (last - first) + header[last:]
        digest = hashlib.blake2b(length + blank + arrays, digest_size=32).hexdigest().encode()
        header = header[:first] + digest + header[last:]
    return length + header + arrays


def _changed_json(rng: Generator, header: bytes) -> bytes:
    """Replace, remove or repeat a value anywhere in the JSON of a header, also in JSON within its strings."""
    tree = json.loads(header)
    strings = tree["__metadata__"]
    nested = [name for name, value in strings.items() if name in ("model", "state", "metadata", "vocabulary")]
    name = nested[rng.integers(len(nested))] if nested and rng.random() < 0.7 else None
    if name is None:
        changed = _changed_value(rng, {key: value for key, value in tree.items() if key != "__metadata__"})
        tree = {"__metadata__": strings, **changed} if isinstance(changed, dict) else tree
    else:
        strings[name] = json.dumps(_changed_value(rng, json.loads(strings[name])))
    text = json.dumps(tree, separators=(",", ":")).encode()
    return text + b" " * (-(8 + len(text)) % 64)


def _changed_value(rng: Generator, value: Any) -> Any:
    """Return JSON in which a random value has changed."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[rng.integers(len(keys))]
        copied = value.copy()
        if rng.random() < 0.1:
            del copied[key]
        elif rng.random() < 0.05 and isinstance(copied, list):
            copied += [copied[key]] * int(rng.choice([1, 100, 10000]))
        else:
            copied[key] = _changed_value(rng, value[key])
        return copied
    others: list[Any] = [None, True, 0, -1, 1, 7, 2**31, 2**63, 10**30, 1e308, 0.5, "", "auto", "x" * 1000, [], {}]
    others += [{"$float": "nan"}, {"$array": "lam.rows"}, {"$tuple": []}, [value] * 3]
    if isinstance(value, str) and rng.random() < 0.5:
        return value + NOISE[rng.integers(len(NOISE))]
    if isinstance(value, int) and rng.random() < 0.5:
        return value + int(rng.choice([-1, 1, 2, 1000]))
    return others[rng.integers(len(others))]
