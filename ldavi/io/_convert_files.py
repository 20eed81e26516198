"""Models in the text files of MALLET, lda-c and Vowpal Wabbit."""

import gzip
import io as streams
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ldavi import _restore
from ldavi._estimator import LatentDirichletAllocation
from ldavi._models import topics_of
from ldavi.io._container import replace_file

LOG_OF_ZERO = -100.0  # what lda-c writes for a word that a topic does not have
WORDS_AT_ONCE = 2**14


def from_mallet_state(path: str | os.PathLike[str]) -> LatentDirichletAllocation:
    """Read a Gibbs state of MALLET: λ = counts + β, with MALLET's α and β.

    There is no way back: a state holds a topic for each token, which λ does not tell.

    Parameters
    ----------
    path : str or path-like
        What ``mallet train-topics --output-state`` wrote, compressed by gzip or not.

    Returns
    -------
    model : LatentDirichletAllocation
        Fitted; column w is MALLET's type w, and named so.

    Raises
    ------
    ValueError
        If the file is not such a state. The message has the number of the line.
    """
    alpha: list[float] = []
    beta = 0.0
    counts: Counter[tuple[int, int]] = Counter()
    names: dict[int, str] = {}
    documents = set()
    number = 0
    try:
        for line in _lines(path):
            number += 1
            if line.startswith("#"):
                label, _, values = line[1:].partition(":")
                if label.strip() == "alpha":
                    alpha = [float(value) for value in values.split()]
                elif label.strip() == "beta":
                    beta = float(values)
                continue
            first, _, word, name, topic = line.rsplit(" ", 4)
            counts[int(topic), int(word)] += 1
            names[int(word)] = name
            documents.add(first.split(" ", 1)[0])
        topics, words, tokens = np.array([(*place, count) for place, count in counts.items()], dtype=np.int64).T
        if not alpha or beta <= 0 or topics.min() < 0 or topics.max() >= len(alpha) or words.min() < 0:
            raise ValueError(f"#alpha has {len(alpha)} values and #beta is {beta:g}; tokens have topics up to {topics.max()}")
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"path={os.fspath(path)!r} is not a state of MALLET; line {number}: {error}") from error
    lam = np.full((len(alpha), words.max() + 1), beta)
    lam[topics, words] += tokens
    return _restore.fitted_with(
        lam,
        doc_topic_prior=alpha,
        topic_word_prior=beta,
        feature_names=[names.get(w, f"x{w}") for w in range(lam.shape[1])],
        n_samples=len(documents),
    )


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
    other = dict(line.split() for line in _lines(f"{os.fspath(prefix)}.other") if len(line.split()) == 2)
    path = f"{os.fspath(prefix)}.beta"
    try:
        shape, alpha = (int(other["num_topics"]), int(other["num_terms"])), float(other["alpha"])
        log_beta = np.array([[float(value) for value in line.split()] for line in _lines(path) if line.strip()])
    except (KeyError, ValueError) as error:
        raise ValueError(f"prefix={os.fspath(prefix)!r} does not name a model of lda-c: {error}") from error
    if log_beta.shape != shape or (log_beta > 1e-6).any():
        msg = f"{path!r} holds an array of shape {log_beta.shape}; it must be {shape}, the logarithms of probabilities"
        raise ValueError(msg)
    beta = np.where(log_beta <= LOG_OF_ZERO, 0.0, np.exp(log_beta))
    return _restore.fitted_with(topics_of(beta), doc_topic_prior=alpha, topic_word_prior=0, feature_names=feature_names)


def to_lda_c(model: Any, prefix: str | os.PathLike[str]) -> None:
    """Write E[β] and α as a model of lda-c: `prefix`.beta and `prefix`.other.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted. What is known of the topics beside their mean is lost, unless they are point estimates.
    prefix : str or path-like
        Of the two files.

    Raises
    ------
    ValueError
        If α is not the same for all topics: lda-c knows one number.
    """
    check_is_fitted(model)
    topics = topics_of(model)
    alpha = np.unique(model.doc_topic_prior_)
    if len(alpha) != 1:
        raise ValueError(f"doc_topic_prior has {len(alpha)} different values; lda-c knows one for all topics")
    with np.errstate(divide="ignore"):
        log_beta = np.maximum(np.log(topics), LOG_OF_ZERO)
    replace_file(f"{os.fspath(prefix)}.beta", _log_lines(log_beta))
    other = f"num_topics {len(topics)}\nnum_terms {topics.shape[1]}\nalpha {alpha[0]:.10f}\n"
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
    lines = _lines(path)
    header = []
    for line in lines:
        header.append(line)
        if line.startswith("Checksum:"):
            break
    options = "\n".join(header)
    rows: dict[int, list[float]] = {}
    try:
        K = int(_option(options, r"--lda (\d+)", "0"))
        for line in lines:
            row, *values = line.split() or [":0"]
            if not row.startswith(":"):  # ":0" ends the header in some versions
                rows[int(row)] = [float(value) for value in values[:K]]
        if K == 0 or not rows or {len(values) for values in rows.values()} != {K}:
            raise ValueError("it has no line '--lda K', or rows that are not of K numbers")
        if indices is None:
            indices = range(len(rows) if feature_names is None else len(feature_names))
        lam = np.array([rows[int(index)] for index in indices]).T
    except (ValueError, KeyError) as error:
        raise ValueError(f"path={os.fspath(path)!r} is not a readable model of vw --lda with these rows: {error}") from error
    return _restore.fitted_with(
        lam,
        doc_topic_prior=float(_option(options, r"--lda_alpha (\S+)", "0.1")),
        topic_word_prior=float(_option(options, r"--lda_rho (\S+)", "0.1")),
        feature_names=feature_names,
        learning_method="online",
    )


def _option(options: str, pattern: str, default: str) -> str:
    found = re.search(pattern, options)
    return found[1] if found else default


def _log_lines(log_beta: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[bytes]:
    for row in log_beta:
        for first in range(0, len(row), WORDS_AT_ONCE):
            yield "".join(f" {value:.10f}" for value in row[first : first + WORDS_AT_ONCE]).encode("ascii")
        yield b"\n"


def _lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """Lines of a text, compressed by gzip or not."""
    with open(path, "rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        stream: Any = gzip.GzipFile(fileobj=file) if packed else file
        with streams.TextIOWrapper(stream, encoding="utf-8", newline="\n") as text:
            for line in text:
                yield line.rstrip("\r\n")
