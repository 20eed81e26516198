"""Arrays that wait on disk between two uses, in a file that nobody else sees and that goes when its user does."""

import tempfile
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SpillFile:
    """Numbered arrays in a temporary file without a name, where the system allows that; it vanishes with the process.

    Read and written plainly, not mapped: mapped pages would count as the process's memory. It lies where `tempfile` puts
    things (the environment's TMPDIR), and grows to the sum of its arrays.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="ldavi-", buffering=0)  # noqa: SIM115  closed by __exit__
        self._places: list[tuple[int, tuple[int, ...], np.dtype[Any]]] = []
        self._end = 0

    def __len__(self) -> int:
        return len(self._places)

    def __enter__(self) -> "SpillFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def store(self, number: int, array: NDArray[Any]) -> None:
        """Put an array in its place, which has the shape and type of the first one stored there."""
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
        """A copy of what was stored last."""
        offset, shape, dtype = self._places[number]
        array = np.empty(shape, dtype)
        self._file.seek(offset)
        data = array.reshape(-1).view(np.uint8).data
        while data:
            n_read = self._file.readinto(data)
            if not n_read:
                raise OSError("a temporary file is shorter than what was written to it")
            data = data[n_read:]
        return array
