"""Numbered arrays that outlive a pass: in memory, or on disk if documents come in batches."""

import mmap
import tempfile
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class ArrayStore(Protocol):
    """Numbered arrays; each keeps the shape and dtype with which it was first stored."""

    def __len__(self) -> int:
        """Return the number of arrays."""

    def store(self, number: int, array: NDArray[Any]) -> None:
        """Store an array under an existing number, or under the next one."""

    def load(self, number: int) -> NDArray[Any]:
        """Return the array of this number."""

    def views(self) -> list[NDArray[Any]]:
        """Return all arrays without loading them into memory; read-only by convention."""

    def close(self) -> None:
        """Release the disk space of the store, which cannot be used afterwards."""


class ArraysInMemory:
    """An `ArrayStore` in memory: `load` returns the stored array itself, so that it can be changed in place."""

    def __init__(self, arrays: Iterable[NDArray[Any]] = ()) -> None:
        self._arrays = list(arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def store(self, number: int, array: NDArray[Any]) -> None:
        if number == len(self._arrays):
            self._arrays.append(array)
        self._arrays[number] = array

    def load(self, number: int) -> NDArray[Any]:
        return self._arrays[number]

    def views(self) -> list[NDArray[Any]]:
        return list(self._arrays)

    def close(self) -> None:
        """Do nothing: the memory is released with the last reference."""


class SpillFile:
    """An `ArrayStore` in a temporary file without a name, where the system allows that; it vanishes with the process.

    It is read and written with plain calls, since mapped pages would count as memory of the process. The file is
    created in the folder that `tempfile` uses (the environment's TMPDIR) and grows to the sum of its arrays.
    """

    def __init__(self, arrays: Iterable[NDArray[Any]] = ()) -> None:
        self._file = tempfile.TemporaryFile(prefix="ldavi-", buffering=0)  # noqa: SIM115  closed by close
        self._places: list[tuple[int, tuple[int, ...], np.dtype[Any]]] = []
        self._end = 0
        for number, array in enumerate(arrays):
            self.store(number, array)

    def __len__(self) -> int:
        return len(self._places)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if hasattr(self, "_file"):  # absent if the file could not be created
            self._file.close()

    def store(self, number: int, array: NDArray[Any]) -> None:
        if number == len(self._places):
            self._places.append((self._end, array.shape, array.dtype))
            self._end += array.nbytes
        offset, shape, dtype = self._places[number]
        assert (shape, dtype) == (array.shape, array.dtype)
        self._file.seek(offset)
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        while data:
            data = data[self._file.write(data) :]

    def load(self, number: int) -> NDArray[Any]:
        """Return a copy of the array that was last stored under this number."""
        offset, shape, dtype = self._places[number]
        array = np.empty(shape, dtype)
        self._file.seek(offset)
        data = array.reshape(-1).view(np.uint8).data
        while data:
            n_bytes = self._file.readinto(data)
            if not n_bytes:
                raise OSError("a temporary file is shorter than the data written to it")
            data = data[n_bytes:]
        return array

    def views(self) -> list[NDArray[Any]]:
        """Return read-only arrays over a mapping of the file, so that a checkpoint of any size can be written."""
        if not self._end:
            return [np.empty(shape, dtype) for _, shape, dtype in self._places]
        mapped = mmap.mmap(self._file.fileno(), self._end, access=mmap.ACCESS_READ)
        return [
            np.frombuffer(mapped, dtype, int(np.prod(shape)), offset).reshape(shape)
            for offset, shape, dtype in self._places
        ]


def array_store(*, in_memory: bool, arrays: Iterable[NDArray[Any]] = ()) -> ArrayStore:
    """Return a store of the given arrays; a copy of them if it is on disk."""
    return ArraysInMemory(arrays) if in_memory else SpillFile(arrays)
