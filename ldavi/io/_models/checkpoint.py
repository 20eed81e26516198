"""Fits in progress, kept in a file."""

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
FORMAT_VERSION = 1  # rises when an older ldavi could not go on from the file rightly


class Checkpoint:
    """A file that keeps a fit in progress, so that the same call goes on with it after a crash.

    Pass it to :meth:`ldavi.LatentDirichletAllocation.fit`. If the file exists, the fit goes on from there and ends with the
    bits of a fit that was never interrupted (on the same machine: another instruction set rounds otherwise). If not, it
    begins. Every few minutes the file is replaced in one step, so that a crash at any moment, also in the midst of
    writing, leaves the old state or the new one, whole. It holds data only, with a checksum; reading it runs no code.

    The file stays when the fit is over, since the model is not safe before it is saved: remove it then. Each fit needs a
    file of its own.

    Parameters
    ----------
    path : str or path-like
        The file. Its folder must exist; beside it a second one of the same size is written and takes its place.
    minutes : float, default=10
        Between two states that are kept, at least; 0 keeps the fit after every step.

    Attributes
    ----------
    path : Path
        The file.
    minutes : float
        As given.

    See Also
    --------
    save : Keeps a model that is fitted.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from ldavi import LatentDirichletAllocation, io
    >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = io.Checkpoint(pathlib.Path(folder, "fit.checkpoint"), minutes=0)
    ...     lda = LatentDirichletAllocation(2, learning_method="online", max_iter=5, tol=None, random_state=0)
    ...     lda = lda.fit(X, checkpoint=checkpoint)
    ...     kept = checkpoint.path.exists()
    ...     io.save(lda, pathlib.Path(folder, "model.ldavi"))
    ...     checkpoint.remove()
    >>> kept
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
        """Take what the file keeps; from now on the time counts.

        Returns
        -------
        state : dict or None
            None if there is no file yet.

        Raises
        ------
        ValueError
            If it is no checkpoint, was damaged, or was written by a later version.
        FileNotFoundError
            If its folder does not exist.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"the folder of checkpoint={str(self.path)!r} does not exist: make it first")
        self._last = time.monotonic()
        if not self.path.exists():
            return None
        try:
            with open(self.path, "rb") as file:
                header = container.read_header(file)
                _check_format(header.strings)
                arrays = container.read_arrays(file, header, mmap=False, verify=True)
            state = Decoder(arrays).decode(json.loads(header.strings["state"]))
        except (ValueError, TypeError, KeyError) as error:
            msg = f"checkpoint={str(self.path)!r} cannot be read: {error}; remove the file, or name another, to begin anew"
            raise ValueError(msg) from error
        return dict(state)

    def due(self) -> bool:
        """Whether it is time to keep the fit again.

        Returns
        -------
        due : bool
            True when `minutes` have passed since it was last kept.
        """
        return time.monotonic() - self._last >= 60 * self.minutes

    def save(self, state: dict[str, Any]) -> None:
        """Put a state in the place of the one before.

        Parameters
        ----------
        state : dict
            What the fit needs to go on: plain values and arrays.
        """
        encoder = Encoder()
        encoded = json.dumps(encoder.encode(state, "state"))
        strings = {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "ldavi_version": __version__,
            "state": encoded,
        }
        container.write(self.path, encoder.arrays, strings, beside=f".{self.path.name}.partial")
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file, and what a crash left of the one that was to take its place; nothing happens if there is none."""
        for path in (self.path, self.path.with_name(f".{self.path.name}.partial")):
            path.unlink(missing_ok=True)


def _check_format(strings: dict[str, str]) -> None:
    version = strings.get("format_version", "")
    if strings.get("format") != FORMAT or not version.isdecimal() or len(version) > 9:
        raise ValueError("it keeps no fit of ldavi")
    if int(version) > FORMAT_VERSION:
        wrote = strings.get("ldavi_version", "a later version")
        raise ValueError(f"it has format version {version} (ldavi {wrote}), this ldavi reads up to {FORMAT_VERSION}")
