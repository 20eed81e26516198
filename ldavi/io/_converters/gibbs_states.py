"""Models of Gibbs samplers, whose state is a topic for each token: MALLET and tomotopy."""

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

from ldavi._core.topics_of_model import doc_topic_prior_of, feature_names_of, topics_of
from ldavi._estimator import restore
from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.inspection._posterior import posterior_of, responsibilities_of
from ldavi.io._converters.model_files import DAMAGE, lines_of, single_prior
from ldavi.io._models.container import replace_file

GZIP = 31  # zlib's name for a header and a checksum of gzip
WORDS_BESIDE, WORDS_PER_WORD = 1000, 16  # types without a token that a state may have: a column of λ is made for each
DOCUMENTS = 256  # whose φ are in memory together
LARGEST = 2**53  # above it float64 does not hold each whole number


def from_mallet_state(path: str | os.PathLike[str]) -> LatentDirichletAllocation:
    """Read a Gibbs state of MALLET: λ = counts + β, with MALLET's α and β.

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

    See Also
    --------
    to_mallet_state : The way back.
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
        topics, words, tokens = np.array([(*place, count) for place, count in counts.items()], dtype=np.int64).T
        if not alpha or beta <= 0 or topics.min() < 0 or topics.max() >= len(alpha) or words.min() < 0:
            raise ValueError(
                f"#alpha has {len(alpha)} values and #beta is {beta:g}; tokens have topics up to {topics.max()}"
            )
        if words.max() >= WORDS_BESIDE + WORDS_PER_WORD * len(names):
            raise ValueError(f"it has a type {words.max()}, but only {len(names)} types occur; the file is damaged")
        lam = np.full((len(alpha), words.max() + 1), beta)
        lam[topics, words] += tokens
        return restore.fitted_with(
            lam,
            doc_topic_prior=alpha,
            topic_word_prior=beta,
            feature_names=[names.get(w, f"x{w}") for w in range(lam.shape[1])],
            n_samples=len(documents),
        )
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise ValueError(
            f"path={os.fspath(path)!r} is not a state of MALLET; line {number}: {str(error)[:200]}"
        ) from error


def to_mallet_state(
    model: Any,
    X: Any,
    path: str | os.PathLike[str],
    *,
    feature_names: Any = None,
    corpus: str | os.PathLike[str] | None = None,
    random_state: Any = None,
) -> None:
    """Write a Gibbs state that MALLET goes on from: each token of X with a topic drawn from its φ.

    Summed over tokens, the state's expected counts are those of λ where X are the documents of the fit.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted; ours or scikit-learn's.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words; whole numbers.
    path : str or path-like
        The state, compressed by gzip: what ``mallet train-topics --input-state`` reads.
    feature_names : sequence of str, optional
        The word of each column. Default: `feature_names_in_`, else "x0", "x1", …
    corpus : str, path-like or None, default=None
        Where to write the same tokens as a text that ``mallet import-file`` takes: see Notes.
    random_state : int, RandomState instance or None, default=None
        Of the topics that are drawn.

    Raises
    ------
    ValueError
        If a count is not a whole number, X holds none, a word is empty or has a space in it, or the model's topics are point
        estimates.

    Warns
    -----
    UserWarning
        If `topic_word_prior` has several values: MALLET knows one number and gets their mean.

    Notes
    -----
    MALLET takes a state only with the tokens that it was made of, in their order. X does not tell the order of words: tokens
    stand in the order of columns, and types are numbered as they first occur. With `corpus`, the way into MALLET is::

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
    unfit = [name for name in map(str, names) if not name or re.search(r"\s", name) or name.startswith(",")]
    if unfit:
        raise ValueError(
            f"feature_names holds {unfit[0]!r}; a word of MALLET is not empty, has no space and does not begin with a comma. "
            "Pass feature_names=[name.replace(' ', '_') for name in names]"
        )
    eta = _word_prior(model, "MALLET")
    alpha = " ".join(repr(value) for value in doc_topic_prior_of(model, len(topics)).tolist())
    head = f"#doc source pos typeindex type topic\n#alpha : {alpha} \n#beta : {eta!r}\n"
    random = check_random_state(random_state)
    if corpus is not None:
        replace_file(corpus, _texts(counts, names))
    replace_file(path, _packed(_state_lines(head, _assignments(model, counts, random), names)))


class _Tokens(NamedTuple):
    """The tokens of a document: the column of each, and its topic."""

    document: int
    words: list[int]
    topics: list[int]


def _assignments(model: Any, counts: sparse.csr_array, random: Any) -> Iterator[_Tokens]:
    """A topic for each token, drawn from φ."""
    for first in range(0, counts.shape[0], DOCUMENTS):
        part = counts[first : first + DOCUMENTS]
        times = part.data.astype(np.int64)
        topics = np.empty(0, dtype=np.int64)
        if len(times):
            phi = responsibilities_of(model, part, posterior_of(model, part, None, "to_mallet_state"), None)
            heaps = phi.cumsum(axis=1)
            heaps /= heaps[:, -1:]
            entry = np.repeat(np.arange(len(times)), times)
            # Rows one after another, each 1 above the one before, are one ascending list: one search for all tokens.
            ladder = (heaps + np.arange(len(times))[:, None]).ravel()
            found = np.searchsorted(ladder, entry + random.uniform(size=len(entry)), side="right")
            topics = np.minimum(found - entry * phi.shape[1], phi.shape[1] - 1)
        words = np.repeat(part.indices, times)
        ends = np.concatenate([[0], np.cumsum(times)])[part.indptr]
        for row, (begin, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
            yield _Tokens(first + row, words[begin:end].tolist(), topics[begin:end].tolist())


def _state_lines(head: str, documents: Iterator[_Tokens], names: list[str]) -> Iterator[bytes]:
    yield head.encode("utf-8")
    types: dict[int, int] = {}  # by first occurrence, as MALLET's import numbers them
    for document, words, topics in documents:
        lines = [
            f"{document} NA {position} {types.setdefault(word, len(types))} {names[word]} {topic}\n"
            for position, (word, topic) in enumerate(zip(words, topics, strict=True))
        ]
        yield "".join(lines).encode("utf-8")


def _texts(counts: sparse.csr_array, names: list[str]) -> Iterator[bytes]:
    """Name, label and words of each document."""
    for document, (begin, end) in enumerate(zip(counts.indptr[:-1], counts.indptr[1:], strict=True)):
        tokens = np.repeat(counts.indices[begin:end], counts.data[begin:end].astype(np.int64)).tolist()
        yield f"{document} X {' '.join(str(names[word]) for word in tokens)}\n".encode()


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def from_tomotopy(model: Any) -> LatentDirichletAllocation:
    """Turn tomotopy's trained model into one of ldavi: λ = counts of the last Gibbs state + η.

    Parameters
    ----------
    model : tomotopy.LDAModel
        Trained, with the term weighting "one".

    Returns
    -------
    model : LatentDirichletAllocation
        Fitted; its columns are the words of `model.used_vocabs`, in that order, and named so. Where words have priors of
        their own (`set_word_prior`), `topic_word_prior_` is an array of shape (n_components, n_features).

    Raises
    ------
    TypeError
        If the model is not tomotopy's.

    See Also
    --------
    to_tomotopy : The way back.
    """
    if not hasattr(model, "get_topic_word_dist") or not hasattr(model, "used_vocabs"):
        raise TypeError(f"model is a {type(model).__name__}; from_tomotopy takes a tomotopy.LDAModel")
    words, eta = list(model.used_vocabs), float(model.eta)
    lam = np.array([model.get_topic_word_dist(k, normalize=False) for k in range(model.k)], dtype=np.float64)
    own = {column: each for column, word in enumerate(words) if len(each := model.get_word_prior(word))}
    prior: Any = eta
    if own:
        prior = np.full(lam.shape, eta)
        prior[:, list(own)] = np.array(list(own.values()), dtype=np.float64).T
        lam += prior - eta  # which tomotopy samples with, and does not add to what it tells
    return restore.fitted_with(
        lam,
        doc_topic_prior=np.broadcast_to(model.alpha, model.k),
        topic_word_prior=prior,
        feature_names=words,
        n_samples=len(model.docs),
    )


def to_tomotopy(model: Any, X: Any, *, feature_names: Any = None, iterations: int = 20, seed: int = 0) -> Any:
    """Turn a fitted model into tomotopy's, with the same topics, priors of documents and words.

    tomotopy takes no λ: its topics are counts of tokens, each with a topic of its own. So the documents are given to a new
    model whose words have priors with the mean of our topics (`set_word_prior`), from which tomotopy also draws the first
    topic of each token, and are sampled for a few iterations. The topics agree up to what sampling does to rare words.

    Parameters
    ----------
    model : LatentDirichletAllocation
        Fitted; ours or scikit-learn's.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words, of the fit's documents or of others like them; whole numbers. Empty documents are left
        out, as tomotopy does.
    feature_names : sequence of str, optional
        The word of each column. Default: `feature_names_in_`, else "x0", "x1", …
    iterations : int, default=20
        Gibbs sweeps, after which `docs` have topics of their own; 0 leaves the first draw, which knows the topics of words
        but not those of documents.
    seed : int, default=0
        tomotopy's.

    Returns
    -------
    model : tomotopy.LDAModel
        `infer` answers, `train` goes on. `alpha` is ours, and stays unless you set `optim_interval`.

    Raises
    ------
    ValueError
        If a count is not a whole number, X holds none or has another width than the model, two words are the same,
        `iterations` is negative or the model's topics are point estimates.
    ImportError
        If tomotopy is not installed.

    Warns
    -----
    UserWarning
        If `topic_word_prior` has several values: their mean becomes tomotopy's.
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
    names = np.array([str(name) for name in feature_names_of(model, n_words, feature_names)], dtype=object)
    if len(set(names)) < n_words:
        raise ValueError("feature_names holds a word twice; tomotopy tells words by their names")
    eta = _word_prior(model, "tomotopy")
    theirs = LDAModel(k=K, alpha=doc_topic_prior_of(model, K).tolist(), eta=eta, seed=seed, min_cf=0)
    for name, column in zip(names.tolist(), (eta * n_words * topics).T.tolist(), strict=True):
        theirs.set_word_prior(name, column)
    for begin, end in zip(counts.indptr[:-1], counts.indptr[1:], strict=True):
        if end > begin:
            theirs.add_doc(
                np.repeat(names[counts.indices[begin:end]], counts.data[begin:end].astype(np.int64)).tolist()
            )
    theirs.optim_interval = 0
    theirs.train(iterations, workers=1)
    return theirs


def _whole_counts(X: Any, name: str) -> sparse.csr_array:
    counts = check.check_counts(X, dtype=np.float64, name=name)
    data: NDArray[Any] = counts.data
    if (data != np.floor(data)).any() or data.max(initial=0) >= LARGEST:
        raise ValueError("X holds counts that are not whole numbers: a Gibbs sampler has a topic for each token")
    if not len(data):
        raise ValueError("X holds no counts: there is no token that could have a topic; pass the documents of the fit")
    return counts


def _word_prior(model: Any, other: str) -> float:
    """η as one number."""
    prior = getattr(model, "topic_word_prior_", 0.0)
    if not np.any(prior):
        raise ValueError(
            f"topic_word_prior=0 made the topics point estimates, which {other} does not know: see to_lda_c"
        )
    return single_prior(prior, "topic_word_prior", other)
