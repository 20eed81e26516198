"""Conversion of models from and to the files of lda-c and Vowpal Wabbit."""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ldavi._core.chunks import chunks
from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles, Names
from ldavi._estimator import restore
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.io._converters.libraries import FittedModel
from ldavi.io._models.container import write_chunks
from ldavi.io._readers.source import MAX_LINE

LOG_OF_ZERO = -100.0  # lda-c writes this number for a word with probability 0
WORDS_PER_CHUNK = 2**14
PARSE_ERRORS = (ValueError, KeyError, OverflowError, EOFError, OSError, zlib.error)


def from_lda_c(prefix: str | os.PathLike[str], *, feature_names: Names | None = None) -> LatentDirichletAllocation:
    """Read a model of lda-c, whose topics are point estimates.

    Parameters
    ----------
    prefix : str or path-like
        Prefix of the names of two files: `prefix`.beta, with the logarithms of the word probabilities, one line per
        topic; and `prefix`.other, with α.
    feature_names : sequence of str, optional
        The word of each column, from the lines of the vocabulary file.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model, with `topic_word_prior` = 0, so that it infers as lda-c does. `components_` are probabilities,
        since the files contain no counts.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    ValueError
        If the files do not agree, or do not contain probabilities.

    References
    ----------
    Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003.
    """
    path = f"{os.fspath(prefix)}.beta"
    with _errors_name(f"prefix={os.fspath(prefix)!r}", "a model of lda-c"):
        other = dict(line.split() for line in lines_of(f"{os.fspath(prefix)}.other") if len(line.split()) == 2)
        shape, alpha = (int(other["num_topics"]), int(other["num_terms"])), float(other["alpha"])
        log_beta = np.array([[float(value) for value in line.split()] for line in lines_of(path) if line.strip()])
        if log_beta.shape != shape or not (log_beta <= 1e-6).all():
            raise ValueError(
                f"{path!r} has an array of shape {log_beta.shape}, expected {shape} logarithms of probabilities"
            )
        beta = np.where(log_beta <= LOG_OF_ZERO, 0.0, np.exp(log_beta))
        return restore.fitted_with(
            topics_of(beta), doc_topic_prior=alpha, topic_word_prior=0, feature_names=feature_names
        )


def to_lda_c(model: FittedModel, prefix: str | os.PathLike[str]) -> None:
    """Write E[β] and α as a model of lda-c: `prefix`.beta and `prefix`.other.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model. Only the mean of each topic is written, so its uncertainty is lost.
    prefix : str or path-like
        Prefix of the names of the two files.

    Warns
    -----
    UserWarning
        If α has several values, for example because it was learned. lda-c supports one number and gets their mean.
    """
    check_is_fitted(model)
    topics = topics_of(model)
    alpha = single_prior(model.doc_topic_prior_, "doc_topic_prior", "lda-c")
    with np.errstate(divide="ignore"):
        log_beta = np.maximum(np.log(topics), LOG_OF_ZERO)
    write_chunks(f"{os.fspath(prefix)}.beta", _log_lines(log_beta))
    other = f"num_topics {len(topics)}\nnum_terms {topics.shape[1]}\nalpha {alpha:.10f}\n"
    write_chunks(f"{os.fspath(prefix)}.other", [other.encode("ascii")])


def from_vw(
    path: str | os.PathLike[str],
    *,
    indices: Sequence[int] | None = None,
    feature_names: Sequence[str] | NDArray[Any] | None = None,
) -> LatentDirichletAllocation:
    """Read a model of Vowpal Wabbit that ``vw --lda K --readable_model path`` wrote.

    Parameters
    ----------
    path : str or path-like
        The readable model: a header with the options, then a line per row of the weight table, with its number and λ.
    indices : sequence of int, optional
        The row of the table for each word, since Vowpal Wabbit stores numbers instead of words. A feature whose name
        is a number is in the row of that number. By default the first rows, one for each of `feature_names`, or the
        whole table without names.
    feature_names : sequence of str, optional
        The word of each column.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model, with the priors `--lda_alpha` and `--lda_rho` of the header.

    Raises
    ------
    ValueError
        If the file is not a readable model of `--lda`, or a row is missing.

    References
    ----------
    Hoffman, Blei, Bach. "Online learning for latent Dirichlet allocation". NIPS 2010.
    """
    _refuse_binary_model(path)
    with _errors_name(f"path={os.fspath(path)!r}", "a readable model of vw --lda with these rows"):
        lines = lines_of(path)
        options = _vw_header(lines)
        K = int(_option(options, r"--lda (\d+)", "0"))
        rows = _vw_rows(lines, K)
        if indices is None:
            indices = range(len(rows) if feature_names is None else len(feature_names))
        return restore.fitted_with(
            np.array([rows[int(index)] for index in indices]).T,
            doc_topic_prior=float(_option(options, r"--lda_alpha (\S+)", "0.1")),
            topic_word_prior=float(_option(options, r"--lda_rho (\S+)", "0.1")),
            feature_names=feature_names,
            learning_method="online",
        )


def _refuse_binary_model(path: str | os.PathLike[str]) -> None:
    """Raise a ValueError for a binary model of Vowpal Wabbit, which begins with the length of its version."""
    with open(path, "rb") as file:
        start = file.read(16)
    if re.match(rb"[\x01-\x20]\x00\x00\x00\d", start):
        name = os.fspath(path)
        raise ValueError(
            f"path={name!r} is a binary model of Vowpal Wabbit; write the readable one that is needed here: "
            f"vw --testonly --initial_regressor {name} --readable_model {name}.txt"
        )


def _vw_header(lines: Iterator[str]) -> str:
    """Read the header of a readable model, up to and including its checksum."""
    header = []
    for line in lines:
        header.append(line)
        if line.startswith("Checksum:"):
            break
    return "\n".join(header)


def _vw_rows(lines: Iterator[str], K: int) -> dict[int, list[float]]:
    """Read the rows of the weight table."""
    rows: dict[int, list[float]] = {}
    for line in lines:
        row, *values = line.split() or [":0"]
        if not row.startswith(":"):  # some versions end the header with ":0"
            rows[int(row)] = [float(value) for value in values[:K]]
    if K == 0 or not rows or {len(values) for values in rows.values()} != {K}:
        raise ValueError("it has no option '--lda K', or has rows without K numbers")
    return rows


def to_vw(model: FittedModel, path: str | os.PathLike[str]) -> None:
    """Write a model of Vowpal Wabbit, for ``vw --initial_regressor path``; with ``--testonly``, vw only infers.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model, of ldavi or scikit-learn. λ becomes float32.
    path : str or path-like
        The file, in Vowpal Wabbit's binary format. Word w is the feature with the name "w", as in ``| 0:2 7:1``.

    Raises
    ------
    ValueError
        If the topics are point estimates.
    ImportError
        If the library vowpalwabbit, which writes the file, is not installed.

    Warns
    -----
    UserWarning
        If a prior has several values. Vowpal Wabbit supports one number and gets their mean.

    References
    ----------
    Hoffman, Blei, Bach. "Online learning for latent Dirichlet allocation". NIPS 2010.
    """
    from vowpalwabbit import Workspace

    check_is_fitted(model)
    alpha = single_prior(model.doc_topic_prior_, "doc_topic_prior", "Vowpal Wabbit")
    eta = single_prior(model.topic_word_prior_, "topic_word_prior", "Vowpal Wabbit")
    if eta == 0:
        raise ValueError(
            "topic_word_prior=0 made the topics point estimates, which Vowpal Wabbit does not support; use to_lda_c"
        )
    weights = np.maximum(np.asarray(model.components_, dtype=np.float64) - eta, 0)  # Vowpal Wabbit stores λ − η
    K, n_words = weights.shape
    bits = max(1, (n_words - 1).bit_length())
    options = f"--lda {K} --lda_alpha {alpha!r} --lda_rho {eta!r} --bit_precision {bits} --quiet"
    workspace = Workspace(options)
    try:
        # Rows without a word are set to zero, too: their random numbers would count in the totals of the topics.
        for word in range(2**bits):
            column = weights[:, word].tolist() if word < n_words else [0.0] * K
            for topic, value in enumerate(column):
                workspace.set_weight(word, topic, value)
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder, "model")
            workspace.save(str(temporary))
            write_chunks(path, [temporary.read_bytes()])
    finally:
        workspace.finish()


def single_prior(prior: ArrayLike, name: str, other: str) -> float:
    """Return a prior as one number; several values become their mean, with a warning."""
    values = np.asarray(prior, dtype=np.float64)
    if np.ptp(values) > 0:
        warnings.warn(f"{name} became one number, the mean of several, since {other} supports no other", stacklevel=3)
    return float(values.mean()) if values.ndim else float(values)


def _option(options: str, pattern: str, default: str) -> str:
    """Return the value of an option on vw's command line."""
    match = re.search(pattern, options)
    return match[1] if match else default


def _log_lines(log_beta: Doubles) -> Iterator[bytes]:
    for row in log_beta:
        for words in chunks(len(row), WORDS_PER_CHUNK):
            yield "".join(f" {value:.10f}" for value in row[words]).encode("ascii")
        yield b"\n"


@contextmanager
def _errors_name(what: str, kind: str) -> Iterator[None]:
    """Turn parse errors into a ValueError that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise
    except PARSE_ERRORS as error:
        raise ValueError(f"{what} is not {kind}: {str(error)[:200]}") from error


def lines_of(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the lines of a text file, plain or compressed with gzip.

    Raises
    ------
    ValueError
        If a line has more than `MAX_LINE` bytes, which a small compressed file can expand to.
    """
    with open(path, "rb") as file:
        is_compressed = file.peek(2)[:2] == b"\x1f\x8b"
        stream: Any = gzip.GzipFile(fileobj=file) if is_compressed else file
        for number, line in enumerate(iter(partial(stream.readline, MAX_LINE + 1), b"")):
            if len(line) > MAX_LINE:
                raise ValueError(f"a line of {os.fspath(path)!r} has more than {MAX_LINE} bytes")
            yield line.decode("utf-8-sig" if number == 0 else "utf-8").rstrip("\r\n")
