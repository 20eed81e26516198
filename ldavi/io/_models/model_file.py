"""`save`, `load` and `read_info`: files of fitted models."""

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ldavi._estimator import restore
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._estimator.validation import check_parameters
from ldavi._version import __version__
from ldavi.io._models import container, counters
from ldavi.io._models.encoding import Decoder, Encoder

StrPath = str | os.PathLike[str]

FORMAT = "ldavi-model"
FORMAT_VERSION = (
    1  # increased when an older ldavi could not read the file correctly; tests/model_files has a file of each
)
LAM = "lam.rows"  # the only array that stays memory-mapped; the others are small, and are copied


class ModelInfo(NamedTuple):
    """Description of a model file.

    Attributes
    ----------
    format_version : int
        Version of the file format.
    ldavi_version : str
        Version of the package that wrote the file.
    parameters : dict
        Parameters of the constructor, by name.
    arrays : dict
        Shape and dtype of each array, by name.
    vocabulary : list of str or None
        The word of each column, if it was passed to `save`.
    metadata : dict
        The metadata that was passed to `save`.
    """

    format_version: int
    ldavi_version: str
    parameters: dict[str, Any]
    arrays: dict[str, tuple[tuple[int, ...], str]]
    vocabulary: list[str] | None
    metadata: dict[str, Any]


def save(
    model: LatentDirichletAllocation | Pipeline,
    path: StrPath,
    *,
    vocabulary: Sequence[str] | None = None,
    metadata: dict[str, Any] | None = None,
    counter: Any = None,
) -> None:
    """Write a model to a file that contains data only, so reading it runs no code.

    The file is in the safetensors format (a JSON header and the bytes of the arrays), with a checksum. An existing
    file is replaced atomically: a crash at any moment leaves the old file or the complete new one.

    Parameters
    ----------
    model : LatentDirichletAllocation or Pipeline
        The model, fitted or not. Everything is stored except `callbacks`, which are functions; the loaded model
        computes the same bits. Attributes that ldavi has not set are stored, but `load` leaves them out. A pipeline has
        two steps, a `counter` and the model.
    path : str or path-like
        The file; its name usually ends in ".ldavi".
    vocabulary : sequence of str, optional
        The word of each column, the `vocabulary_` of the loaded model. By default the model's own words are stored, or
        those of the counter.
    metadata : dict, optional
        Further information as JSON: None, booleans, finite numbers, strings, lists, and dicts with strings as keys.
    counter : WordCounter or CountVectorizer, optional
        What counted the texts of the fit, so that :func:`load_pipeline` counts other texts in the same way. It becomes
        the entry "counting" of the metadata.

    Raises
    ------
    TypeError
        If the model is not exactly a :class:`ldavi.LatentDirichletAllocation`, or has an attribute that is not data;
        or if the counter is of another class.
    ValueError
        If a parameter is not valid or was changed so that it contradicts the topics, the vocabulary does not fit the
        model or the counter, the counter has a parameter that the file cannot describe, `metadata` is not JSON, or
        `path` exists and is not a regular file.
    OSError
        If the file cannot be written. An existing file is unchanged in this case.

    Warns
    -----
    UserWarning
        If the model has callbacks.

    See Also
    --------
    load : Read a model from a file.
    load_pipeline : Read a model that takes texts.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from ldavi import LatentDirichletAllocation, io
    >>> lda = LatentDirichletAllocation(2, random_state=0, tol=None).fit([[4, 3, 0, 0], [0, 0, 3, 4]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.ldavi")
    ...     io.save(lda, path, vocabulary=["cat", "dog", "bond", "stock"])
    ...     same = io.load(path)
    >>> bool((same.components_ == lda.components_).all())
    True
    """
    model, counter = counters.parts_of_pipeline(model, counter)
    if type(model) is not LatentDirichletAllocation:
        raise TypeError(
            f"model is a {type(model).__name__}; save supports only ldavi.LatentDirichletAllocation; pickle other "
            "classes"
        )
    _check_consistent(model)
    words = counters.words_to_store(model, vocabulary, counter)
    metadata = counters.with_counting(metadata, counter)
    encoder = Encoder()
    parameters, attributes = _without_callbacks(model)
    defaults = {name: parameter.default for name, parameter in signature(LatentDirichletAllocation).parameters.items()}
    description = {
        "class": "LatentDirichletAllocation",
        "parameters": {name: encoder.encode(value, f"parameters.{name}") for name, value in parameters.items()},
        "defaults": sorted(
            name for name, value in parameters.items() if value is defaults[name] or _same(value, defaults[name])
        ),
        "attributes": {name: encoder.encode(value, name) for name, value in attributes.items()},
    }
    strings = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "ldavi_version": __version__}
    strings |= {"model": json.dumps(description), "metadata": _metadata_json(metadata)}
    if words is not None:
        strings["vocabulary"] = json.dumps(encoder.encode(words, "vocabulary"))
    container.write(path, encoder.arrays, strings)


def load(path: StrPath, *, mmap: bool = False, verify: bool = True) -> LatentDirichletAllocation:
    """Read a model from a file that `save` wrote; reading it runs no code.

    Parameters
    ----------
    path : str or path-like
        The file.
    mmap : bool, default=False
        Memory-map λ instead of reading it: processes that load the same file share its memory, and only the parts in
        use are read. λ is read-only then, and `partial_fit` copies it first. While a file is mapped, replace it only
        with `save`, which does not affect the mapping; if the file is truncated in place, the process crashes when it
        accesses λ.
    verify : bool, default=True
        Verify the checksum, which reads the whole file once. With False, large files load faster, and only the header
        is checked.

    Returns
    -------
    model : LatentDirichletAllocation
        The saved model.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file was not written by `save`, is damaged, or was written by a later version with a format or parameters
        that this version does not know.

    Warns
    -----
    UserWarning
        If the file has attributes that this version does not know; they are left out.

    See Also
    --------
    save : Write a model; has an example.
    """
    with open(path, "rb", opener=_open_nonblocking) as file, _errors_name(path):
        strings, arrays = _read(file, mmap=mmap, verify=verify)
        decoder = Decoder(arrays)
        description = _description(strings)
        parameters = {name: decoder.decode(value) for name, value in _known_parameters(description, strings).items()}
        attributes = {name: decoder.decode(value) for name, value in description["attributes"].items()}
        model = restore.restored(parameters, attributes)
        if verify and LAM in arrays:
            _check_lam(arrays[LAM])
        words = _vocabulary_in(strings, decoder)
        if words is not None and model.__sklearn_is_fitted__() and not hasattr(model, "feature_names_in_"):
            model.vocabulary_ = words
        return model


def read_info(path: StrPath) -> ModelInfo:
    """Read the description of a model file; λ is neither read nor verified.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    info : ModelInfo
        Versions, parameters, arrays, vocabulary and metadata.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file was not written by `save`, or has a later format.
    """
    with open(path, "rb", opener=_open_nonblocking) as file, _errors_name(path):
        strings, arrays = _read(file, mmap=True, verify=False)
        decoder = Decoder(arrays)
        words = _vocabulary_in(strings, decoder)
        return ModelInfo(
            int(strings["format_version"]),
            strings.get("ldavi_version", ""),
            {name: decoder.decode(value) for name, value in _description(strings)["parameters"].items()},
            {name: (array.shape, array.dtype.name) for name, array in sorted(arrays.items())},
            words,
            json.loads(strings.get("metadata", "{}")),
        )


@contextmanager
def _errors_name(path: StrPath) -> Iterator[None]:
    """Turn errors that the content of a file causes into a ValueError that names the file."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"path={os.fspath(path)!r} cannot be read: {error}") from error


def _open_nonblocking(path: str, flags: int) -> int:
    """Open a file without blocking: a named pipe, which has no writer, can then be refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(file: BinaryIO, *, mmap: bool, verify: bool) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    header = container.read_header(file)
    version = header.strings.get("format_version", "")
    if header.strings.get("format") != FORMAT or not version.isdecimal() or len(version) > 9 or int(version) == 0:
        raise ValueError("it is a safetensors file, but contains no model of ldavi")
    if int(version) > FORMAT_VERSION:
        wrote = header.strings.get("ldavi_version", "a later version")
        raise ValueError(
            f"it has format version {version} (ldavi {wrote}), this version reads up to {FORMAT_VERSION}; "
            "install a later one"
        )
    arrays = container.read_arrays(file, header, mmap=mmap, verify=verify)
    return header.strings, {name: array if name == LAM or not mmap else array.copy() for name, array in arrays.items()}


def _description(strings: dict[str, str]) -> dict[str, Any]:
    description = json.loads(strings.get("model", "null"))
    if not isinstance(description, dict) or description.get("class") != "LatentDirichletAllocation":
        raise ValueError("it does not describe a LatentDirichletAllocation")
    kinds = {"parameters": dict, "attributes": dict, "defaults": list}
    if not all(isinstance(description.get(name), kind) for name, kind in kinds.items()):
        raise ValueError(f"its description has no valid {', '.join(kinds)}")
    if not all(isinstance(name, str) for name in description["defaults"]):
        raise ValueError("its 'defaults' contain something other than names")
    return description


def _known_parameters(description: dict[str, Any], strings: dict[str, str]) -> dict[str, Any]:
    """Return the parameters without those that a later version added, which must have their default values."""
    known = signature(LatentDirichletAllocation).parameters
    unknown = {name for name in description["parameters"] if name not in known}
    if used := sorted(unknown - set(description["defaults"])):
        wrote = strings.get("ldavi_version", "a later version")
        raise ValueError(
            f"its parameters {used} are unknown to ldavi {__version__}; install ldavi {wrote}, which wrote it, or "
            "a later one"
        )
    return {name: value for name, value in description["parameters"].items() if name in known}


def _check_consistent(model: LatentDirichletAllocation) -> None:
    """Refuse a model that `load` would refuse: parameters can be changed after a fit."""
    check_parameters(model)
    if hasattr(model, "_priors") and model._priors.n_topics != model.n_components:
        raise ValueError(
            f"n_components={model.n_components!r} was changed after the fit; the model has {model._priors.n_topics} "
            "topics: set n_components back, or fit again"
        )


def _check_lam(rows: NDArray[Any]) -> None:
    if not np.isfinite(rows).all() or rows.min() < 0:
        raise ValueError("λ contains numbers that are negative or not finite")


def _without_callbacks(model: LatentDirichletAllocation) -> tuple[dict[str, Any], dict[str, Any]]:
    parameters, attributes = model.get_params(deep=False), restore.state_of(model)
    for values, name in ((parameters, "callbacks"), (attributes, "_metadata_request")):
        if values.get(name) is not None:
            warnings.warn(f"{name} cannot be stored in a model file; the loaded model will have none", stacklevel=3)
    parameters["callbacks"] = None
    attributes.pop("_metadata_request", None)
    return parameters, attributes


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(np.array_equal(value, default))


def _vocabulary_in(strings: dict[str, str], decoder: Decoder) -> list[str] | None:
    return list(decoder.decode(json.loads(strings["vocabulary"]))) if "vocabulary" in strings else None


def _metadata_json(metadata: dict[str, Any] | None) -> str:
    msg = "must be a dict of None, booleans, finite numbers, strings, lists, and dicts with strings as keys"
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"metadata={metadata!r} {msg}")
    try:
        text = json.dumps(metadata or {}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"metadata {msg}: {error}") from error
    if json.loads(text) != (metadata or {}):
        raise ValueError(f"metadata {msg}; this value would change when it is stored as JSON")
    return text
