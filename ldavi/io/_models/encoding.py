"""Encoding of Python values as JSON and named arrays. Decoding yields data only: numbers, strings, lists, arrays.

A value without a JSON equivalent becomes an object whose first key starts with "$" and names its kind:

========================================== =======================================================================
``{"$float": "nan"}``                      a float that is not finite: "nan", "inf", "-inf"
``{"$array": name}``                       an array, by its name in the file
``{"$scalar": name}``                      a NumPy scalar: an array without dimensions
``{"$strings": name, "dtype": , "shape":}`` an array of strings; stored as the bytes of a JSON list
``{"$record": [[field, array], ...]}``      a structured array, field by field
``{"$tuple": [...]}``, ``{"$dict": {...}}``  a tuple; a dict with strings as keys
``{"$topics": [[3, value], ...]}``          a dict with integers as keys, such as `seed_words`
``{"$dtype": "float32"}``                   a dtype
``{"$random_state": [...]}``                a RandomState: key, position, has_gauss, gauss
========================================== =======================================================================
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi._core.random_bits import generator_from, generator_state
from ldavi.io._models.container import NAMES

NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
MAX_PADDING = 64  # bytes of strings of a fixed width for each byte in the file
MIN_PADDED = 2**20  # bytes, which no file is too small for
MAX_FIELDS = 100  # of a structured array
STRING_DTYPE = re.compile(r"object|<U[0-9]{1,6}")


class Encoder:
    """Encode values as JSON, and collect their arrays in `arrays`."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}

    def encode(self, value: Any, name: str) -> Any:
        """Return the JSON of a value; `name` is used for its arrays and in messages.

        Raises
        ------
        TypeError
            If the value is not data, for example a function.
        """
        if isinstance(value, (np.ndarray, np.generic)):  # before float, of which np.float64 is a subclass
            return self._array(value, name)
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$float": str(value)}
        if isinstance(value, (list, tuple)):
            items = [self.encode(item, f"{name}.{i}") for i, item in enumerate(value)]
            return items if isinstance(value, list) else {"$tuple": items}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"$dict": {key: self.encode(item, f"{name}.{key}") for key, item in value.items()}}
        if isinstance(value, dict) and all(
            isinstance(key, (int, np.integer)) and not isinstance(key, bool) for key in value
        ):
            return {"$topics": [[int(key), self.encode(item, f"{name}.{key}")] for key, item in value.items()]}
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
            return {"$dtype": np.dtype(value).name}
        if (state := generator_state(value)) is not None:
            return {"$random_state": [self.encode(item, f"{name}.{i}") for i, item in enumerate(state)]}
        raise TypeError(
            f"{name}={value!r} cannot be stored in a model file: pickle the model instead, or set it to its default"
        )

    def _array(self, value: NDArray[Any] | np.generic, name: str) -> Any:
        array = np.asarray(value)
        if array.dtype.names is not None:
            return {"$record": [[field, self.encode(array[field], f"{name}.{field}")] for field in array.dtype.names]}
        if array.dtype.newbyteorder("<") in NAMES:
            name = self._add(name, array)
            return {"$scalar" if isinstance(value, np.generic) else "$array": name}
        strings = array.ravel().tolist()
        if array.dtype.kind in "OU" and all(isinstance(text, str) for text in strings):
            if isinstance(value, np.generic):
                return str(value)
            name = self._add(name, np.frombuffer(json.dumps(strings).encode("ascii"), np.uint8))
            dtype = "object" if array.dtype.kind == "O" else f"<U{min(array.itemsize // 4, _max_width(strings))}"
            return {"$strings": name, "dtype": dtype, "shape": list(array.shape)}
        raise TypeError(
            f"{name} is an array of {array.dtype}, which cannot be stored in a model file; pickle the model instead"
        )

    def _add(self, name: str, array: NDArray[Any]) -> str:
        """Add an array and return its name, which differs where keys with dots would give two arrays the same name."""
        while name in self.arrays:
            name += "_"
        self.arrays[name] = array
        return name


def _max_width(texts: list[str]) -> int:
    """Return the largest allowed item width of a string array, so that its memory stays close to that of its texts."""
    return max(256, *map(len, texts)) if texts else 256


class Decoder:
    """Decode the JSON of an `Encoder`, given its arrays.

    What it builds is bounded by the size of the file: each array is used once, and strings of a fixed width become
    objects where the width of a few would be that of all.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)
        self._decoders: dict[str, Callable[[dict[str, Any]], Any]] = {
            "$float": lambda value: NOT_FINITE[value["$float"]],
            "$array": lambda value: self._take(value["$array"]),
            "$scalar": lambda value: self._scalar(value["$scalar"]),
            "$strings": self._strings,
            "$record": self._record,
            "$tuple": lambda value: tuple(self.decode(item) for item in value["$tuple"]),
            "$dict": lambda value: {key: self.decode(item) for key, item in value["$dict"].items()},
            "$topics": self._topics,
            "$dtype": self._dtype,
            "$random_state": lambda value: generator_from(*[self.decode(item) for item in value["$random_state"]]),
        }

    def decode(self, value: Any) -> Any:
        """Return the value that was encoded.

        Raises
        ------
        ValueError
            If the JSON is not well formed, or contains a kind of value that this version does not know.
        """
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = next(iter(value), "")
        if kind not in self._decoders:
            raise ValueError(f"a value of kind {kind!r} is unknown to this version of ldavi; install a later one")
        try:
            return self._decoders[kind](value)
        except (AttributeError, KeyError, IndexError, TypeError, OverflowError) as error:
            raise ValueError(f"a value of kind {kind!r} is not well formed: {error!r}"[:300]) from error

    def _take(self, name: str) -> NDArray[Any]:
        """Return an array that no other value has used."""
        if name not in self._arrays:
            raise ValueError(f"array {str(name)[:100]!r} is missing, or used twice")
        return self._arrays.pop(name)

    def _scalar(self, name: str) -> Any:
        array = self._take(name)
        if array.ndim:
            raise ValueError(f"array {name!r} is no scalar")
        return array[()]

    def _strings(self, value: dict[str, Any]) -> NDArray[Any]:
        encoded = self._take(value["$strings"])
        texts = json.loads(encoded.tobytes().decode("ascii"))
        dtype = value["dtype"]
        if (
            not isinstance(texts, list)
            or not all(isinstance(text, str) for text in texts)
            or not STRING_DTYPE.fullmatch(dtype)
        ):
            raise ValueError(f"{value['$strings']!r} does not contain strings")
        if dtype != "object" and int(dtype[2:]) > _max_width(texts):
            raise ValueError(f"{value['$strings']!r} has dtype {dtype}, but no text is that long")
        if dtype != "object" and 4 * int(dtype[2:]) * len(texts) > MAX_PADDING * len(encoded) + MIN_PADDED:
            dtype = "object"
        shape = value["shape"]
        if not isinstance(shape, list) or math.prod(max(length, 1) for length in shape) > max(len(texts), 1):
            raise ValueError(f"{value['$strings']!r} has shape {str(shape)[:100]}, but {len(texts)} strings")
        return np.array(texts, dtype=dtype).reshape(shape)

    def _record(self, value: dict[str, Any]) -> NDArray[Any]:
        if len(value["$record"]) > MAX_FIELDS:
            raise ValueError(f"a record has {len(value['$record'])} fields; at most {MAX_FIELDS} are allowed")
        fields = [(name, self.decode(array)) for name, array in value["$record"]]
        result = np.empty(fields[0][1].shape, [(name, array.dtype) for name, array in fields])
        for name, array in fields:
            if array.shape != result.shape or array.dtype.hasobject:
                raise ValueError(f"field {name!r} has another shape than the first one, or contains objects")
            result[name] = array
        return result

    def _topics(self, value: dict[str, Any]) -> dict[int, Any]:
        if not all(type(key) is int for key, _ in value["$topics"]):
            raise ValueError("the keys of '$topics' are not integers")
        return {key: self.decode(item) for key, item in value["$topics"]}

    def _dtype(self, value: dict[str, Any]) -> np.dtype[Any]:
        name = value["$dtype"]
        if name not in ("float32", "float64"):
            raise ValueError(f"dtype={name!r} must be 'float32' or 'float64'")
        return np.dtype(str(name))
