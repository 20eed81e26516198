"""Models in the files of lda-c and Vowpal Wabbit."""

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
from sklearn.utils.validation import check_is_fitted

from ldavi._core.topics_of_model import topics_of
from ldavi._estimator import restore
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.io._models.container import replace_file
from ldavi.io._readers.source import MAX_LINE

LOG_OF_ZERO = -100.0  # what lda-c writes for a word that a topic does not have
WORDS_AT_ONCE = 2**14
DAMAGE = (ValueError, KeyError, OverflowError, EOFError, OSError, zlib.error)


def from_lda_c(prefix: str | os.PathLike[str], *, feature_names: Any = None) -> LatentDirichletAllocation:
    """Read a model of lda-c, whose topics are point estimates.

    Parameters
    ----------
    prefix : str or path-like
        Of the files `prefix`.beta, logarithms of word probabilities, a line per topic; and `prefix`.other, which has α.
    feature_names : sequence of str, optional
        The word of each column: the lines of the vocabulary file.

    Returns
    -------
    model : LatentDirichletAllocation
        Fitted, with `topic_word_prior` = 0, so that inference is lda-c's. `components_` are probabilities, since the
        files do not tell counts.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    ValueError
        If the files do not agree, or hold what cannot be probabilities.

    References
    ----------
    Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003.
    """
    path = f"{os.fspath(prefix)}.beta"
    with is_named(f"prefix={os.fspath(prefix)!r}", "a model of lda-c"):
        other = dict(line.split() for line in lines_of(f"{os.fspath(prefix)}.other") if len(line.split()) == 2)
        shape, alpha = (int(other["num_topics"]), int(other["num_terms"])), float(other["alpha"])
        log_beta = np.array([[float(value) for value in line.split()] for line in lines_of(path) if line.strip()])
        if log_beta.shape != shape or not (log_beta <= 1e-6).all():
            raise ValueError(
                f"{path!r} has an array of shape {log_beta.shape}, not {shape}, or of no logarithms of probabilities"
            )
        beta = np.where(log_beta <= LOG_OF_ZERO, 0.0, np.exp(log_beta))
        return restore.fitted_with(
            topics_of(beta), doc_topic_prior=alpha, topic_word_prior=0, feature_names=feature_names
        )


def to_lda_c(model: Any, prefix: str | os.PathLike[str]) -> None:
    """Write E[β] and α as a model of lda-c: `prefix`.beta and `prefix`.other.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted. What is known of the topics beside their mean is lost, unless they are point estimates.
    prefix : str or path-like
        Of the two files.

    Warns
    -----
    UserWarning
        If α has several values, as one that was learned has: lda-c knows one number and gets their mean.
    """
    check_is_fitted(model)
    topics = topics_of(model)
    alpha = single_prior(model.doc_topic_prior_, "doc_topic_prior", "lda-c")
    with np.errstate(divide="ignore"):
        log_beta = np.maximum(np.log(topics), LOG_OF_ZERO)
    replace_file(f"{os.fspath(prefix)}.beta", _log_lines(log_beta))
    other = f"num_topics {len(topics)}\nnum_terms {topics.shape[1]}\nalpha {alpha:.10f}\n"
    replace_file(f"{os.fspath(prefix)}.other", [other.encode("ascii")])


def from_vw(
    path: str | os.PathLike[str], *, indices: Sequence[int] | None = None, feature_names: Any = None
) -> LatentDirichletAllocation:
    """Read the topics of Vowpal Wabbit, ``vw --lda K --readable_model path``.

    Parameters
    ----------
    path : str or path-like
        The readable model: a header with the options, then a line per row of the table of weights, its number and λ.
    indices : sequence of int, optional
        The row of the table for each word, since Vowpal Wabbit keeps numbers and no words. A feature that was named by a
        number is in the row of that number. Default: the rows from 0 on, one for each of `feature_names`; without
        names the whole table.
    feature_names : sequence of str, optional
        The words.

    Returns
    -------
    model : LatentDirichletAllocation
        Fitted, with the priors `--lda_alpha` and `--lda_rho` of the header.

    Raises
    ------
    ValueError
        If the file is not a readable model of `--lda`, or lacks a row.

    References
    ----------
    Hoffman, Blei, Bach. "Online learning for latent Dirichlet allocation". NIPS 2010.
    """
    with is_named(f"path={os.fspath(path)!r}", "a readable model of vw --lda with these rows"):
        lines = lines_of(path)
        header = []
        for line in lines:
            header.append(line)
            if line.startswith("Checksum:"):
                break
        options = "\n".join(header)
        rows: dict[int, list[float]] = {}
        K = int(_option(options, r"--lda (\d+)", "0"))
        for line in lines:
            row, *values = line.split() or [":0"]
            if not row.startswith(":"):  # ":0" ends the header in some versions
                rows[int(row)] = [float(value) for value in values[:K]]
        if K == 0 or not rows or {len(values) for values in rows.values()} != {K}:
            raise ValueError("it has no line '--lda K', or rows that are not of K numbers")
        if indices is None:
            indices = range(len(rows) if feature_names is None else len(feature_names))
        return restore.fitted_with(
            np.array([rows[int(index)] for index in indices]).T,
            doc_topic_prior=float(_option(options, r"--lda_alpha (\S+)", "0.1")),
            topic_word_prior=float(_option(options, r"--lda_rho (\S+)", "0.1")),
            feature_names=feature_names,
            learning_method="online",
        )


def to_vw(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model that Vowpal Wabbit goes on from: ``vw --initial_regressor path``, with ``--testonly`` to infer alone.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted; ours or scikit-learn's. λ becomes float32.
    path : str or path-like
        The file, in Vowpal Wabbit's own binary format. Word w is the feature that is named by the number w, as in
        ``| 0:2 7:1``.

    Raises
    ------
    ValueError
        If the topics are point estimates.
    ImportError
        If the library vowpalwabbit is not installed, which writes the file.

    Warns
    -----
    UserWarning
        If a prior has several values: Vowpal Wabbit knows one number and gets their mean.

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
            "topic_word_prior=0 made the topics point estimates, which Vowpal Wabbit does not know: see to_lda_c"
        )
    weights = np.maximum(np.asarray(model.components_, dtype=np.float64) - eta, 0)  # what is kept there is λ − η
    K, n_words = weights.shape
    bits = max(1, (n_words - 1).bit_length())
    options = f"--lda {K} --lda_alpha {alpha!r} --lda_rho {eta!r} --bit_precision {bits} --quiet"
    workspace = Workspace(options)
    try:
        for word in range(2**bits):  # rows of no word hold random numbers, which would count in the totals of topics
            column = weights[:, word].tolist() if word < n_words else [0.0] * K
            for topic, value in enumerate(column):
                workspace.set_weight(word, topic, value)
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "model")
            workspace.save(str(written))
            replace_file(path, [written.read_bytes()])
    finally:
        workspace.finish()


def single_prior(prior: Any, name: str, other: str) -> float:
    """A prior as one number: the mean of several, with a warning."""
    values = np.asarray(prior, dtype=np.float64)
    if np.ptp(values) > 0:
        warnings.warn(f"{name} became one number, the mean of several: {other} knows no other", stacklevel=3)
    return float(values.mean()) if values.ndim else float(values)


def _option(options: str, pattern: str, default: str) -> str:
    found = re.search(pattern, options)
    return found[1] if found else default


def _log_lines(log_beta: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[bytes]:
    for row in log_beta:
        for first in range(0, len(row), WORDS_AT_ONCE):
            yield "".join(f" {value:.10f}" for value in row[first : first + WORDS_AT_ONCE]).encode("ascii")
        yield b"\n"


@contextmanager
def is_named(what: str, kind: str) -> Iterator[None]:
    """Say of anything that is wrong with a file which one it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise ValueError(f"{what} is not {kind}: {str(error)[:200]}") from error


def lines_of(path: str | os.PathLike[str]) -> Iterator[str]:
    """Lines of a text, compressed by gzip or not.

    Raises
    ------
    ValueError
        If a line has more than `MAX_LINE` bytes: a few compressed ones can stand for any number.
    """
    with open(path, "rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        stream: Any = gzip.GzipFile(fileobj=file) if packed else file
        for line in iter(partial(stream.readline, MAX_LINE + 1), b""):
            if len(line) > MAX_LINE:
                raise ValueError(f"a line of {os.fspath(path)!r} has more than {MAX_LINE} bytes")
            yield line.decode("utf-8").rstrip("\r\n")
