"""The file of finished fits: a header that identifies the sweep, then a line of JSON for each fit."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy import sparse

from ldavi._core.atomic_write import atomic_write
from ldavi._version import __version__
from ldavi.selection._design import Fit

FORMAT = "ldavi sweep 1"
NOT_HASHED = ("n_components", "random_state", "n_jobs", "verbose")  # set by the sweep, or no effect on the result


def fingerprint(counts: sparse.csr_matrix, estimator: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Return, by name, what must be equal for fits to belong to the same sweep.

    Raises
    ------
    ValueError
        If a parameter of the estimator cannot be pickled, such as a lambda.
    """
    digest = hashlib.sha256(f"{counts.shape} {counts.dtype}".encode())
    for part, dtype in ((counts.indptr, "<i8"), (counts.indices, "<i8"), (counts.data, "<f8")):
        digest.update(np.ascontiguousarray(part, dtype=dtype).tobytes())
    parameters = {name: value for name, value in estimator.get_params().items() if name not in NOT_HASHED}
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    try:
        hashed = joblib.hash(sorted(parameters.items()))
    except Exception as error:  # pickling may raise any error
        raise ValueError(
            f"estimator={kind} has a parameter that cannot be pickled, so that it cannot be compared with the file of "
            f"fits ({error}). Leave the parameter out, or set path=None."
        ) from error
    return {"X": digest.hexdigest(), "estimator": f"{kind} {hashed}", **settings, "ldavi": __version__}


class Journal:
    """The file of finished fits of a sweep; without a path the fits are held in memory only.

    A line without a newline at its end was cut short by an interruption and is ignored.

    Parameters
    ----------
    path : path-like or None

    Attributes
    ----------
    fits : dict of (int, int, int) to Fit
        The finished fits by number of topics, fold and restart.
    header : dict or None
        The fingerprint in the file; None if there is no file yet.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.fits: dict[tuple[int, int, int], Fit] = {}
        self.header: dict[str, Any] | None = None
        if self.path is not None and self.path.exists() and self.path.stat().st_size:
            self._read(self.path)

    def open(self, header: dict[str, Any]) -> None:
        """Continue the file if it belongs to the same sweep, or begin it.

        Raises
        ------
        ValueError
            If the file belongs to another sweep; it is left unchanged.
        """
        if self.path is None:
            return
        if self.header is not None:
            differ = [name for name in sorted({*header, *self.header}) if header.get(name) != self.header.get(name)]
            if differ:
                raise ValueError(
                    f"path={str(self.path)!r} holds fits of another sweep: {', '.join(differ)} differ. Pass what the "
                    "sweep was begun with, or another path."
                )
        lines = [json.dumps({"format": FORMAT, **header}), *(_to_line(fit) for fit in self.fits.values())]
        with atomic_write(self.path) as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
        self.header = header

    def append(self, fit: Fit) -> None:
        """Add a fit, which is on the disk when this returns."""
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
                f"path={str(path)!r} exists, but is no file of a sweep ({FORMAT!r}). It is unchanged; pass another."
            )
        self.header = header
        for number, line in enumerate(rest[:-1], start=2):  # the last element is empty, or a line cut short
            try:
                fit = _from_line(line)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
                raise ValueError(
                    f"path={str(path)!r}, line {number}, does not describe a fit: {error}. Delete the line to repeat "
                    "the fit."
                ) from error
            self.fits.setdefault(fit[:3], fit)


def _to_line(fit: Fit) -> str:
    values = fit._asdict()
    values["top_words"] = fit.top_words.tolist()
    values["document_log_likelihood"] = base64.b64encode(fit.document_log_likelihood.astype("<f8").tobytes()).decode()
    return json.dumps({**values, "checksum": _checksum(values)})


def _checksum(values: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()


def _from_line(line: bytes) -> Fit:
    values = json.loads(line)
    checksum = values.pop("checksum", None)  # lines of ldavi 0.1.0 have none
    if checksum is not None and checksum != _checksum(values):
        raise ValueError("its checksum does not match its content")
    scores = np.frombuffer(base64.b64decode(values["document_log_likelihood"], validate=True), dtype="<f8").astype(
        np.float64
    )
    for name, kind in Fit.__annotations__.items():
        if kind in (int, float):
            values[name] = _number(name, values[name], kind)
    return Fit(
        **{**values, "top_words": np.array(values["top_words"], dtype=np.int64), "document_log_likelihood": scores}
    )


def _number(name: str, value: Any, kind: type[int] | type[float]) -> int | float:
    """Return a number of a fit as int or float."""
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        raise ValueError(f"{name} is {value!r:.60}, not a number of type {kind.__name__}")
    return kind(value)
