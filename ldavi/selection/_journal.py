"""Fits kept in a file as they come: a line of JSON each, after a line that says what they are fits of."""

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy import sparse

from ldavi._version import __version__
from ldavi.selection._design import Fit

FORMAT = "ldavi sweep 1"
NOT_HASHED = ("n_components", "random_state", "n_jobs", "verbose")  # set by the sweep, or without effect on the result


def fingerprint(counts: sparse.csr_matrix, estimator: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for fits to belong together, by name.

    Raises
    ------
    ValueError
        If a parameter of the estimator has no content to compare, as a lambda has none.
    """
    digest = hashlib.sha256(f"{counts.shape} {counts.dtype}".encode())
    for part, dtype in ((counts.indptr, "<i8"), (counts.indices, "<i8"), (counts.data, "<f8")):
        digest.update(np.ascontiguousarray(part, dtype=dtype).tobytes())
    parameters = {name: value for name, value in estimator.get_params().items() if name not in NOT_HASHED}
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    try:
        hashed = joblib.hash(sorted(parameters.items()))
    except Exception as error:  # joblib names no errors of its own
        msg = f"estimator={kind} has a parameter that cannot be pickled, so a file of fits cannot tell whether it is the same"
        raise ValueError(f"{msg} ({error}). Leave it away, or leave path=None.") from error
    return {"X": digest.hexdigest(), "estimator": f"{kind} {hashed}", **settings, "ldavi": __version__}


class Journal:
    """A file of fits. Without a path it keeps nothing.

    A line is whole when its newline is there; what an interruption left of a last line is dropped.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.fits: dict[tuple[int, int, int], Fit] = {}
        self.header: dict[str, Any] | None = None
        if self.path is not None and self.path.exists() and self.path.stat().st_size:
            self._read(self.path)

    def open(self, header: dict[str, Any]) -> None:
        """Go on with the file if it is of the same sweep, or start it.

        Raises
        ------
        ValueError
            If it holds fits of something else; the file is then left as it is.
        """
        if self.path is None:
            return
        if self.header is not None:
            differ = [name for name in sorted({*header, *self.header}) if header.get(name) != self.header.get(name)]
            if differ:
                raise ValueError(
                    f"path={str(self.path)!r} holds fits of another sweep: {', '.join(differ)} differ. Pass what it was "
                    "started with, or another path."
                )
        lines = [json.dumps({"format": FORMAT, **header}), *(_to_line(fit) for fit in self.fits.values())]
        _replace(self.path, "".join(f"{line}\n" for line in lines))
        self.header = header

    def keep(self, fit: Fit) -> None:
        """Add a fit; when this returns, it is on the disk."""
        self.fits[fit[:3]] = fit
        if self.path is not None:
            with open(self.path, "ab") as file:
                file.write(f"{_to_line(fit)}\n".encode())
                file.flush()
                os.fsync(file.fileno())

    def _read(self, path: Path) -> None:
        first, *rest = path.read_bytes().split(b"\n")
        try:
            header = json.loads(first)
        except ValueError:
            header = None
        if not isinstance(header, dict) or header.pop("format", None) != FORMAT:
            raise ValueError(
                f"path={str(path)!r} is a file, but none of a sweep ({FORMAT!r}). It is left as it is; pass another."
            )
        self.header = header
        for number, line in enumerate(rest[:-1], start=2):  # after the last newline comes nothing, or a line cut short
            try:
                fit = _from_line(line)
            except (ValueError, KeyError, TypeError) as error:
                msg = f"path={str(path)!r}, line {number}, is not a fit of a sweep: {error}. Delete that line to fit it again."
                raise ValueError(msg) from error
            self.fits.setdefault(fit[:3], fit)


def _to_line(fit: Fit) -> str:
    values = fit._asdict()
    values["top_words"] = fit.top_words.tolist()
    values["document_log_likelihood"] = base64.b64encode(fit.document_log_likelihood.astype("<f8").tobytes()).decode()
    return json.dumps(values)


def _from_line(line: bytes) -> Fit:
    values = json.loads(line)
    scores = np.frombuffer(base64.b64decode(values["document_log_likelihood"], validate=True), dtype="<f8").astype(
        np.float64
    )
    return Fit(
        **{**values, "top_words": np.array(values["top_words"], dtype=np.int64), "document_log_likelihood": scores}
    )


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
