"""`Checkpoint`: the file with the state of a fit in progress."""

import json
import os
import time
from pathlib import Path
from typing import Any

from ldavi._estimator import validation as check
from ldavi._version import __version__
from ldavi.io._models import container
from ldavi.io._models.encoding import Decoder, Encoder

FORMAT = "ldavi-checkpoint"
FORMAT_VERSION = 2  # increased when an older ldavi could not resume from the file correctly


class Checkpoint:
    """A file that stores the state of a fit in progress, so that the same call resumes it after a crash.

    Pass it to :meth:`ldavi.LatentDirichletAllocation.fit`. If the file exists, the fit resumes from it and ends with
    the same bits as a fit that was never interrupted (on the same machine; other instruction sets round differently).
    If not, the fit starts from the beginning. Every few minutes the file is replaced atomically: after a crash at any
    moment, it contains the old state or the complete new one. It contains data only, with a checksum; reading it runs
    no code.

    The file remains after the fit, because the model exists in memory only. Save the model, then call `remove`. Each
    fit needs its own file.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist and have space for a second file, which replaces the first when it is complete.
    minutes : float, default=10
        Minimum number of minutes between two states; 0 stores a state after every step.

    Attributes
    ----------
    path : Path
        The file.
    minutes : float
        Minimum number of minutes between two states.

    See Also
    --------
    save : Save a fitted model.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from ldavi import LatentDirichletAllocation, io
    >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = io.Checkpoint(pathlib.Path(folder, "fit.checkpoint"), minutes=0)
    ...     lda = LatentDirichletAllocation(2, learning_method="online", max_iter=5, tol=None, random_state=0)
    ...     lda = lda.fit(X, checkpoint=checkpoint)
    ...     exists = checkpoint.path.exists()
    ...     io.save(lda, pathlib.Path(folder, "model.ldavi"))
    ...     checkpoint.remove()
    >>> exists
    True
    """

    def __init__(self, path: str | os.PathLike[str], *, minutes: float = 10.0) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path={path!r} must be a str or a path")
        self.path = Path(path)
        self.minutes = check.check_number("minutes", minutes, minimum=0)
        self._last = time.monotonic()

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, minutes={self.minutes:g})"

    def begin(self) -> dict[str, Any] | None:
        """Read the stored state, and start to measure the time until the next one.

        Returns
        -------
        state : dict or None
            The state that was last passed to `save`; None if the file does not exist yet.

        Raises
        ------
        ValueError
            If the file is not a checkpoint, is damaged, or was written by a later version.
        FileNotFoundError
            If the folder of the file does not exist.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"the folder of checkpoint={str(self.path)!r} does not exist; create it first")
        self._last = time.monotonic()
        if not self.path.exists():
            return None
        try:
            with open(self.path, "rb") as file:
                header = container.read_header(file)
                _check_format(header.strings)
                arrays = container.read_arrays(file, header, mmap=False, verify=True)
            state = dict(Decoder(arrays).decode(json.loads(header.strings["state"])))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be read: {error}; remove the file, or name another, to start "
                "a new fit"
            ) from error
        return state

    def due(self) -> bool:
        """Return whether it is time to store the state.

        Returns
        -------
        due : bool
            True if `minutes` have passed since the last `save`, or since `begin`.
        """
        return time.monotonic() - self._last >= 60 * self.minutes

    def save(self, state: dict[str, Any]) -> None:
        """Replace the stored state.

        Parameters
        ----------
        state : dict
            Everything that the fit needs to resume: plain values and arrays.
        """
        encoder = Encoder()
        encoded = json.dumps(encoder.encode(state, "state"))
        strings = {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "ldavi_version": __version__,
            "state": encoded,
        }
        container.write(self.path, encoder.arrays, strings, temporary_name=self._temporary.name)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file, if it exists, and the temporary file that a crash may have left."""
        for path in (self.path, self._temporary):
            path.unlink(missing_ok=True)

    @property
    def _temporary(self) -> Path:
        """The temporary file, with a fixed name, so that a later fit overwrites what a crash has left."""
        return self.path.with_name(f".{self.path.name}.partial")


def _check_format(strings: dict[str, str]) -> None:
    version = strings.get("format_version", "")
    if strings.get("format") != FORMAT or not version.isdecimal() or len(version) > 9:
        raise ValueError("it is not a checkpoint of ldavi")
    if int(version) > FORMAT_VERSION:
        wrote = strings.get("ldavi_version", "a later version")
        raise ValueError(
            f"it has format version {version} (ldavi {wrote}), this version reads up to {FORMAT_VERSION}; install a "
            "later one"
        )
