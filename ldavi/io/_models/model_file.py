"""Models in and out: `save`, `load` and `read_info`."""

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._estimator import restore
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._version import __version__
from ldavi.io._models import container
from ldavi.io._models.encoding import Decoder, Encoder

FORMAT = "ldavi-model"
FORMAT_VERSION = 1  # rises when an older ldavi could not read the file rightly; tests/model_files holds one of each
LAM = "lam.rows"  # the one array that is mapped: all others are small, and copied


class ModelInfo(NamedTuple):
    """What a model file says of itself.

    Attributes
    ----------
    format_version : int
        Of the file format.
    ldavi_version : str
        Of the package that wrote the file.
    parameters : dict
        Of the constructor, by name.
    arrays : dict
        Shape and dtype of each array, by name.
    vocabulary : list of str or None
        The words of the columns, if `save` was given them.
    metadata : dict
        What the user of `save` wrote.
    """

    format_version: int
    ldavi_version: str
    parameters: dict[str, Any]
    arrays: dict[str, tuple[tuple[int, ...], str]]
    vocabulary: list[str] | None
    metadata: dict[str, Any]


def save(
    model: LatentDirichletAllocation,
    path: str | os.PathLike[str],
    *,
    vocabulary: Sequence[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Write a model to a file that holds data only: it can be read by anyone, and reading it runs no code.

    The file is in the safetensors format (JSON header, arrays as they lie in memory), with a checksum over all of it. It
    takes the place of an older one in a single step: a crash at any moment leaves the old file or the new one, whole.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted or not. It is left as it was. Everything that it holds is kept, and the loaded model goes on with the same
        bits; only `callbacks`, which are functions, are left out.
    path : str or path-like
        By custom it ends in ".ldavi".
    vocabulary : sequence of str, optional
        The word of each column, for those who read the file: see `read_info`. Names of columns that the model knows
        itself (`feature_names_in_`) are kept in any case.
    metadata : dict, optional
        Anything else, as JSON knows it: None, booleans, finite numbers, strings, lists, dicts with strings for keys.

    Raises
    ------
    TypeError
        If the model is not a :class:`ldavi.LatentDirichletAllocation` itself, or holds what is no data.
    ValueError
        If the vocabulary does not fit the model, `metadata` is not JSON, or `path` names something that is no file.
    OSError
        If the file cannot be written. What was there before is still there.

    Warns
    -----
    UserWarning
        If the model has callbacks.

    See Also
    --------
    load : The model of a file.

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
    if type(model) is not LatentDirichletAllocation:
        msg = f"model is a {type(model).__name__}; save writes ldavi.LatentDirichletAllocation itself: pickle other classes"
        raise TypeError(msg)
    encoder = Encoder()
    parameters, attributes = _without_functions(model)
    defaults = {name: parameter.default for name, parameter in signature(LatentDirichletAllocation).parameters.items()}
    described = {
        "class": "LatentDirichletAllocation",
        "parameters": {name: encoder.encode(value, f"parameters.{name}") for name, value in parameters.items()},
        "defaults": sorted(
            name for name, value in parameters.items() if value is defaults[name] or _same(value, defaults[name])
        ),
        "attributes": {name: encoder.encode(value, name) for name, value in attributes.items()},
    }
    strings = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "ldavi_version": __version__}
    strings |= {"model": json.dumps(described), "metadata": _metadata_text(metadata)}
    if vocabulary is not None:
        words = _check_vocabulary(vocabulary, getattr(model, "n_features_in_", None))
        strings["vocabulary"] = json.dumps(encoder.encode(words, "vocabulary"))
    container.write(path, encoder.arrays, strings)


def load(path: str | os.PathLike[str], *, mmap: bool = False, verify: bool = True) -> LatentDirichletAllocation:
    """Read the model of a file that `save` wrote; no code in it can run.

    Parameters
    ----------
    path : str or path-like
        The file.
    mmap : bool, default=False
        Map λ instead of reading it: processes that load the same file share its memory, and what is not used is not read.
        λ is read-only then; `partial_fit` makes a copy first. Replace the file with `save`, which leaves the mapped one
        alone; one that is cut short in place takes the process down when its lost part is used.
    verify : bool, default=True
        Whether to compare the checksum, which reads the whole file once. False trusts a file of many gigabytes that is to
        be mapped; what its header claims is checked all the same.

    Returns
    -------
    model : LatentDirichletAllocation
        As it was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not one that `save` wrote, was damaged or cut, or was written by a later version whose
        format or parameters this one does not know.

    See Also
    --------
    save : Writes the file, with an example.
    """
    with open(path, "rb", opener=_open_without_waiting) as file, _naming(path):
        strings, arrays = _read(file, mmap=mmap, verify=verify)
        decoder = Decoder(arrays)
        described = _described(strings)
        parameters = {name: decoder.decode(value) for name, value in _known_parameters(described, strings).items()}
        attributes = {name: decoder.decode(value) for name, value in described["attributes"].items()}
        model = restore.restored(parameters, attributes)
        if verify and LAM in arrays:
            _check_lam(arrays[LAM])
        return model


def read_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Read what a model file says of itself; λ is neither read nor checked.

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
        If there is no such file.
    ValueError
        If the file is not one that `save` wrote, or of a later format.
    """
    with open(path, "rb", opener=_open_without_waiting) as file, _naming(path):
        strings, arrays = _read(file, mmap=True, verify=False)
        decoder = Decoder(arrays)
        words = decoder.decode(json.loads(strings["vocabulary"])) if "vocabulary" in strings else None
        return ModelInfo(
            int(strings["format_version"]),
            strings.get("ldavi_version", ""),
            {name: decoder.decode(value) for name, value in _described(strings)["parameters"].items()},
            {name: (array.shape, array.dtype.name) for name, array in sorted(arrays.items())},
            None if words is None else list(words),
            json.loads(strings.get("metadata", "{}")),
        )


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Says which file it was that could not be read, and calls every fault of its contents a ValueError."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"path={os.fspath(path)!r} cannot be read: {error}") from error


def _open_without_waiting(path: str, flags: int) -> int:
    """A pipe, which would wait for its writer, opens at once and is then refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(file: BinaryIO, *, mmap: bool, verify: bool) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    header = container.read_header(file)
    version = header.strings.get("format_version", "")
    if header.strings.get("format") != FORMAT or not version.isdecimal() or len(version) > 9 or int(version) == 0:
        raise ValueError("it is a safetensors file, but holds no model of ldavi")
    if int(version) > FORMAT_VERSION:
        wrote = header.strings.get("ldavi_version", "a later version")
        msg = f"it has format version {version} (ldavi {wrote}), this ldavi reads up to {FORMAT_VERSION}: install a later one"
        raise ValueError(msg)
    arrays = container.read_arrays(file, header, mmap=mmap, verify=verify)
    return header.strings, {name: array if name == LAM or not mmap else array.copy() for name, array in arrays.items()}


def _described(strings: dict[str, str]) -> dict[str, Any]:
    described = json.loads(strings.get("model", "null"))
    if not isinstance(described, dict) or described.get("class") != "LatentDirichletAllocation":
        raise ValueError("it does not describe a LatentDirichletAllocation")
    kinds = {"parameters": dict, "attributes": dict, "defaults": list}
    if not all(isinstance(described.get(name), kind) for name, kind in kinds.items()):
        raise ValueError(f"its description lacks one of {', '.join(kinds)}")
    if not all(isinstance(name, str) for name in described["defaults"]):
        raise ValueError("its 'defaults' are not all names")
    return described


def _known_parameters(described: dict[str, Any], strings: dict[str, str]) -> dict[str, Any]:
    """Without those that a later ldavi has added, which must be at their defaults: then they change nothing."""
    known = signature(LatentDirichletAllocation).parameters
    unknown = {name for name in described["parameters"] if name not in known}
    if used := sorted(unknown - set(described["defaults"])):
        wrote = strings.get("ldavi_version", "a later version")
        raise ValueError(
            f"parameters {used} are not known to ldavi {__version__}; ldavi {wrote} wrote it: install that or later"
        )
    return {name: value for name, value in described["parameters"].items() if name in known}


def _check_lam(rows: NDArray[Any]) -> None:
    if not np.isfinite(rows).all() or rows.min() < 0:
        raise ValueError("λ holds numbers that are negative or not finite")


def _without_functions(model: LatentDirichletAllocation) -> tuple[dict[str, Any], dict[str, Any]]:
    parameters, attributes = model.get_params(deep=False), restore.state_of(model)
    for values, name in ((parameters, "callbacks"), (attributes, "_metadata_request")):
        if values.get(name) is not None:
            warnings.warn(f"{name} cannot be kept in a model file: the loaded model will have none", stacklevel=3)
    parameters["callbacks"] = None
    attributes.pop("_metadata_request", None)
    return parameters, attributes


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(np.array_equal(value, default))


def _metadata_text(metadata: Any) -> str:
    msg = "must be a dict of None, booleans, finite numbers, strings, lists, and dicts with strings for keys"
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"metadata={metadata!r} {msg}")
    try:
        text = json.dumps(metadata or {}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"metadata {msg}: {error}") from error
    if json.loads(text) != (metadata or {}):
        raise ValueError(f"metadata {msg}; JSON would change it")
    return text


def _check_vocabulary(vocabulary: Any, n_words: int | None) -> NDArray[Any]:
    words = np.array([vocabulary] if isinstance(vocabulary, str) else list(vocabulary), dtype=object)
    if not all(isinstance(word, str) for word in words.ravel()):
        raise TypeError("vocabulary must hold strings, the word of each column")
    if words.ndim != 1 or (n_words is not None and len(words) != n_words):
        raise ValueError(f"vocabulary has {len(words)} words and the model {n_words}; give one for each column")
    return words
