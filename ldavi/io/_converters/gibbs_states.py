"""Conversion of models from and to Gibbs samplers, whose state is a topic for each token: MALLET and tomotopy."""

from __future__ import annotations

import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ldavi._core.chunks import chunks
from ldavi._core.topics_of_model import doc_topic_prior_of, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Int64s, Names
from ldavi._estimator import restore
from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._estimator.posterior import posterior_of, responsibilities_of
from ldavi.io._converters.libraries import FittedModel
from ldavi.io._converters.model_files import PARSE_ERRORS, lines_of, single_prior
from ldavi.io._models.container import write_chunks

GZIP_WBITS = 31  # makes zlib write the header and the checksum of gzip
# Each type up to the largest becomes a column of λ. More types than these are taken for damage.
MIN_TYPES_ALLOWED, MAX_TYPES_PER_WORD = 1000, 16
DOCUMENTS_PER_CHUNK = 256  # whose responsibilities φ are in memory at the same time
MAX_COUNT = 2**53  # float64 represents all smaller integers


def from_mallet_state(path: str | os.PathLike[str]) -> LatentDirichletAllocation:
    """Read a Gibbs state of MALLET; λ is counts + β, with the α and β of MALLET.

    Parameters
    ----------
    path : str or path-like
        The file of ``mallet train-topics --output-state``, plain or compressed with gzip.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model; column w is MALLET's type w and has its name.

    Raises
    ------
    ValueError
        If the file is not such a state. The message contains the line number.

    See Also
    --------
    to_mallet_state : The inverse conversion.
    """
    alpha: list[float] = []
    beta = 0.0
    counts: Counter[tuple[int, int]] = Counter()
    names: dict[int, str] = {}
    documents = set()
    number = 0
    try:
        for line in lines_of(path):
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
        return _model_of_state(alpha, beta, counts, names, len(documents))
    except FileNotFoundError:
        raise
    except PARSE_ERRORS as error:
        raise ValueError(
            f"path={os.fspath(path)!r} is not a Gibbs state of MALLET; line {number}: {str(error)[:200]}"
        ) from error


def _model_of_state(
    alpha: list[float], beta: float, counts: Counter[tuple[int, int]], names: dict[int, str], n_documents: int
) -> LatentDirichletAllocation:
    """Return the model of a state with the given number of tokens for each (topic, type)."""
    topics, words, n_tokens = np.array([(*place, count) for place, count in counts.items()], dtype=np.int64).T
    if not alpha or beta <= 0 or topics.min() < 0 or topics.max() >= len(alpha) or words.min() < 0:
        raise ValueError(
            f"#alpha has {len(alpha)} values and #beta is {beta:g}, but tokens have topics up to {topics.max()}"
        )
    if words.max() >= MIN_TYPES_ALLOWED + MAX_TYPES_PER_WORD * len(names):
        raise ValueError(f"it has type {words.max()}, but only {len(names)} types occur; the file is damaged")
    lam = np.full((len(alpha), words.max() + 1), beta)
    lam[topics, words] += n_tokens
    return restore.fitted_with(
        lam,
        doc_topic_prior=alpha,
        topic_word_prior=beta,
        feature_names=[names.get(w, f"x{w}") for w in range(lam.shape[1])],
        n_samples=n_documents,
    )


def to_mallet_state(
    model: FittedModel,
    X: Any,
    path: str | os.PathLike[str],
    *,
    feature_names: Names | None = None,
    corpus: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> None:
    """Write a Gibbs state that MALLET can resume from; the topic of each token of X is sampled from its φ.

    If X are the documents of the fit, the expected topic-word counts of the state agree with λ − η.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model, of ldavi or scikit-learn.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words; whole numbers.
    path : str or path-like
        The file, compressed with gzip, for ``mallet train-topics --input-state``.
    feature_names : sequence of str, optional
        The word of each column. By default `feature_names_in_`, or else "x0", "x1", …
    corpus : str, path-like or None, default=None
        A second file for the same tokens as text, for ``mallet import-file``; see Notes.
    random_state : int, RandomState instance or None, default=None
        Random numbers for sampling the topics.

    Raises
    ------
    ValueError
        If a count is not a whole number, X contains no counts, a word is empty, contains a space or starts with a
        comma, or the model's topics are point estimates.

    Warns
    -----
    UserWarning
        If `topic_word_prior` has several values. MALLET supports one number and gets their mean.

    Notes
    -----
    MALLET accepts a state only together with the same tokens in the same order. X does not contain the order of
    words, so tokens are written in the order of the columns, and types are numbered by first occurrence. With
    `corpus`, import both::

        mallet import-file --input corpus --output corpus.mallet --keep-sequence --preserve-case --token-regex '\\S+'
        mallet train-topics --input corpus.mallet --input-state path --num-topics K --num-iterations 100

    References
    ----------
    Griffiths, Steyvers. "Finding scientific topics". PNAS 101, 2004.
    """
    check_is_fitted(model)
    counts = _whole_counts(X, "to_mallet_state")
    topics = topics_of(model)
    names = feature_names_of(model, topics.shape[1], feature_names).tolist()
    invalid = [name for name in map(str, names) if not name or re.search(r"\s", name) or name.startswith(",")]
    if invalid:
        raise ValueError(
            f"feature_names holds {invalid[0]!r}; a word in MALLET must not be empty, contain a space or start with a "
            "comma. Pass feature_names=[name.replace(' ', '_') for name in names]"
        )
    eta = _word_prior(model, "MALLET")
    alpha = " ".join(repr(value) for value in doc_topic_prior_of(model, len(topics)).tolist())
    header = f"#doc source pos typeindex type topic\n#alpha : {alpha} \n#beta : {eta!r}\n"
    random = check_random_state(random_state)
    if corpus is not None:
        write_chunks(corpus, _text_lines(counts, names))
    write_chunks(path, _compressed(_state_lines(header, _sample_assignments(model, counts, random), names)))


class _DocumentTokens(NamedTuple):
    """The tokens of a document: the column and the topic of each."""

    document: int
    words: list[int]
    topics: list[int]


def _sample_assignments(
    model: FittedModel, counts: sparse.csr_array, random: np.random.RandomState
) -> Iterator[_DocumentTokens]:
    """Sample a topic from φ for each token."""
    for rows in chunks(counts.shape[0], DOCUMENTS_PER_CHUNK):
        part = counts[rows]
        n_tokens = part.data.astype(np.int64)
        topics = np.empty(0, dtype=np.int64)
        if len(n_tokens):
            phi = responsibilities_of(model, posterior_of(model, part, None, "to_mallet_state"))
            topics = _sample_topics(phi, n_tokens, random)
        words = np.repeat(part.indices, n_tokens)
        ends = np.concatenate([[0], np.cumsum(n_tokens)])[part.indptr]
        for row, (begin, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True), rows.start):
            yield _DocumentTokens(row, words[begin:end].tolist(), topics[begin:end].tolist())


def _sample_topics(phi: Doubles, n_tokens: Int64s, random: np.random.RandomState) -> Int64s:
    """Sample `n_tokens[i]` topics from each row φ_i, by inversion of the cumulative distribution."""
    cumulative = phi.cumsum(axis=1)
    cumulative /= cumulative[:, -1:]
    entry = np.repeat(np.arange(len(n_tokens)), n_tokens)
    # Row i shifted by i makes one ascending array, so a single search serves all tokens.
    shifted = (cumulative + np.arange(len(n_tokens))[:, None]).ravel()
    position = np.searchsorted(shifted, entry + random.uniform(size=len(entry)), side="right")
    topics: Int64s = np.minimum(position - entry * phi.shape[1], phi.shape[1] - 1)
    return topics


def _state_lines(header: str, documents: Iterator[_DocumentTokens], names: list[str]) -> Iterator[bytes]:
    yield header.encode("utf-8")
    types: dict[int, int] = {}  # numbered by first occurrence, as in MALLET's import
    for document, words, topics in documents:
        lines = [
            f"{document} NA {position} {types.setdefault(word, len(types))} {names[word]} {topic}\n"
            for position, (word, topic) in enumerate(zip(words, topics, strict=True))
        ]
        yield "".join(lines).encode("utf-8")


def _text_lines(counts: sparse.csr_array, names: list[str]) -> Iterator[bytes]:
    """Yield a line with name, label and words for each document."""
    for document, (begin, end) in enumerate(zip(counts.indptr[:-1], counts.indptr[1:], strict=True)):
        tokens = np.repeat(counts.indices[begin:end], counts.data[begin:end].astype(np.int64)).tolist()
        yield f"{document} X {' '.join(str(names[word]) for word in tokens)}\n".encode()


def _compressed(parts: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=GZIP_WBITS)
    for part in parts:
        yield compressor.compress(part)
    yield compressor.flush()


def from_tomotopy(model: Any) -> LatentDirichletAllocation:
    """Convert a trained model of tomotopy to ldavi; λ is the counts of the last Gibbs state + η.

    Parameters
    ----------
    model : tomotopy.LDAModel
        The trained model, with the term weighting "one".

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model; its columns are the words of `model.used_vocabs`, in the same order. If words have their own
        priors (`set_word_prior`), `topic_word_prior_` is an array of shape (n_components, n_features).

    Raises
    ------
    TypeError
        If the model is not one of tomotopy.
    ValueError
        If its topics are not those of LDA: it weights terms (IDF, PMI), or is an HDPModel, some of whose topics are
        dead.

    See Also
    --------
    to_tomotopy : The inverse conversion.
    """
    if not hasattr(model, "get_topic_word_dist") or not hasattr(model, "used_vocabs"):
        raise TypeError(f"model is a {type(model).__name__}; from_tomotopy needs a tomotopy.LDAModel")
    _check_tomotopy(model)
    words, eta = list(model.used_vocabs), float(model.eta)
    lam = np.array([model.get_topic_word_dist(k, normalize=False) for k in range(model.k)], dtype=np.float64)
    word_priors = {column: each for column, word in enumerate(words) if len(each := model.get_word_prior(word))}
    prior: float | Doubles = eta
    if word_priors:
        prior = np.full(lam.shape, eta)
        prior[:, list(word_priors)] = np.array(list(word_priors.values()), dtype=np.float64).T
        lam += prior - eta  # tomotopy samples with these priors, but its word distributions do not include them
    return restore.fitted_with(
        lam,
        doc_topic_prior=np.broadcast_to(model.alpha, model.k),
        topic_word_prior=prior,
        feature_names=words,
        n_samples=len(model.docs),
    )


def _check_tomotopy(model: Any) -> None:
    """Raise a ValueError for models whose word distributions are no counts of tokens, or have dead topics."""
    if hasattr(model, "convert_to_lda"):
        raise ValueError(
            f"model is a {type(model).__name__}, whose number of topics is open; pass model.convert_to_lda()[0]"
        )
    weighting = getattr(model, "tw", 0)
    if int(getattr(weighting, "value", weighting)) != 0:
        raise ValueError(
            f"model weights terms (tw={weighting}), so that its topics are no counts of tokens; train it with "
            "tw=tomotopy.TermWeight.ONE"
        )


def to_tomotopy(
    model: FittedModel, X: Any, *, feature_names: Names | None = None, iterations: int = 20, seed: int = 0
) -> Any:
    """Convert a fitted model to tomotopy, with the same topics, priors of documents and words.

    tomotopy does not accept λ; its topics are counts of tokens with assigned topics. Therefore the documents are
    added to a new model, in which each word has a prior (`set_word_prior`) proportional to its probability in the
    topics of ldavi. tomotopy samples the first assignments from these priors, and a few iterations follow. The topics
    agree up to sampling noise of rare words.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model, of ldavi or scikit-learn.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words, of the documents of the fit or similar ones; whole numbers. Empty documents are
        omitted, as in tomotopy.
    feature_names : sequence of str, optional
        The word of each column. By default `feature_names_in_`, or else "x0", "x1", …
    iterations : int, default=20
        Number of Gibbs iterations. With 0, the first assignments remain, which depend on the words alone and not on the
        topics of their documents.
    seed : int, default=0
        Seed of tomotopy's random numbers.

    Returns
    -------
    model : tomotopy.LDAModel
        The trained model, with working `infer` and `train`. `alpha` is that of `model`, and is not optimised unless
        you set `optim_interval`.

    Raises
    ------
    ValueError
        If a count is not a whole number, X contains no counts or has another number of columns than the model, two
        words are the same, `iterations` is negative, or the model's topics are point estimates.
    ImportError
        If tomotopy is not installed.

    Warns
    -----
    UserWarning
        If `topic_word_prior` has several values. tomotopy gets their mean.
    """
    from tomotopy import LDAModel

    check_is_fitted(model)
    if iterations < 0:
        raise ValueError(f"iterations={iterations} must be at least 0")
    counts = _whole_counts(X, "to_tomotopy")
    topics = topics_of(model)
    K, n_words = topics.shape
    if counts.shape[1] != n_words:
        raise ValueError(
            f"X has {counts.shape[1]} columns, but the topics have {n_words} words; pass counts of the same words"
        )
    names: NDArray[Any] = np.array(
        [str(name) for name in feature_names_of(model, n_words, feature_names)], dtype=object
    )
    if len(set(names)) < n_words:
        raise ValueError(
            "feature_names holds a word twice; tomotopy identifies words by their names, so they must be unique"
        )
    eta = _word_prior(model, "tomotopy")
    result = LDAModel(k=K, alpha=doc_topic_prior_of(model, K).tolist(), eta=eta, seed=seed, min_cf=0)
    for name, column in zip(names.tolist(), (eta * n_words * topics).T.tolist(), strict=True):
        result.set_word_prior(name, column)
    for begin, end in zip(counts.indptr[:-1], counts.indptr[1:], strict=True):
        if end > begin:
            result.add_doc(
                np.repeat(names[counts.indices[begin:end]], counts.data[begin:end].astype(np.int64)).tolist()
            )
    result.optim_interval = 0
    result.train(iterations, workers=1)
    return result


def _whole_counts(X: Any, name: str) -> sparse.csr_array:
    counts = check.check_counts(X, dtype=np.float64, name=name)
    data: NDArray[Any] = counts.data
    if (data != np.floor(data)).any() or data.max(initial=0) >= MAX_COUNT:
        raise ValueError(
            "X holds counts that are not whole numbers, or too large; a Gibbs sampler needs a number of tokens"
        )
    if not len(data):
        raise ValueError("X holds no counts, so there are no tokens to assign; pass the documents of the fit")
    return counts


def _word_prior(model: FittedModel, other: str) -> float:
    """Return η as one number, for a model whose topics have posterior distributions."""
    prior = getattr(model, "topic_word_prior_", 0.0)
    if not np.any(prior):
        raise ValueError(
            f"topic_word_prior=0 made the topics point estimates, which {other} does not support; use to_lda_c"
        )
    return single_prior(prior, "topic_word_prior", other)
