"""Documents as tokens, and topics in an order of their own: what every sampler of `ldavi._sampling` is given.

A document's key is a hash of its words, their counts and the seed, and seeds its random numbers; topics are sorted by what
they hold. So an estimate depends on the seed, the document, the topics and the prior, and on no order of any of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import _sampling
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.topics_of_model import doc_topic_prior_of, topics_of
from ldavi._core.typing import Doubles, Int32s, Int64s
from ldavi._estimator import validation as check

CALL_WORK = 2**22  # topics drawn by one compiled call, at most: some tenths of a second, so that Ctrl-C is heard


class FixedTopics(NamedTuple):
    """Topics and prior that are known, topics sorted by (α_k, β_k)."""

    topics: Doubles  # (K, V)
    alpha: Doubles  # (K,)


class Tokens(NamedTuple):
    """Documents of whole counts over the words that can occur."""

    indptr: Int64s  # (D + 1,)
    indices: Int32s  # (nnz,) rows of the tables, rising within a document
    counts: Int32s  # (nnz,)
    key: NDArray[np.uint64]  # (D,)
    lengths: Int64s  # (D,) tokens that can occur
    unseen: Int64s  # (D,) tokens of words without mass under any topic


class Tables(NamedTuple):
    """The rows of the words that occur."""

    beta: Doubles  # (U, K)
    cumulative: Doubles  # (U, K) sums over topics of α_k β_kw


def check_tokens(X: Any, name: str) -> sparse.csr_array:
    """X as CSR of whole counts in int32, sorted, without zeros."""
    counts = check.check_counts(X, dtype=np.float64, name=name)
    if (counts.data != np.rint(counts.data)).any():
        worst = counts.data[counts.data != np.rint(counts.data)][0]
        raise ValueError(
            f"X holds {worst:g}; {name} draws a topic for each token, so counts must be whole. Pass raw counts."
        )
    if counts.data.max(initial=0) > np.iinfo(np.int32).max:
        raise ValueError(
            f"X holds {counts.data.max():g}; counts must be at most {np.iinfo(np.int32).max}. Scale them down."
        )
    return sparse.csr_array((counts.data.astype(np.int32), counts.indices, counts.indptr), shape=counts.shape)


def check_seed(seed: Any) -> int:
    """An integer that 64 bits hold."""
    if check.check_integer("seed", seed, minimum=0) >= 2**64:
        raise ValueError(f"seed={seed!r} must be an integer >= 0 and < 2**64")
    return int(seed)


def check_prior(model: Any, n_topics: int, doc_topic_prior: Any) -> Doubles:
    """α as (K,): as given, or the model's own for None."""
    own = doc_topic_prior_of(model, n_topics) if doc_topic_prior is None else doc_topic_prior
    return check.check_priors(own, 0, n_topics, 1).alpha


def fixed_topics(model: Any, doc_topic_prior: Any, n_words: int) -> FixedTopics:
    """Topics of a model, and α, sorted."""
    topics = topics_of(model)
    if topics.shape[1] != n_words:
        raise ValueError(
            f"the topics have {topics.shape[1]} words and X has {n_words} columns; both must name the same words"
        )
    alpha = check_prior(model, len(topics), doc_topic_prior)
    order = sorted(range(len(topics)), key=lambda k: (alpha[k], topics[k].tobytes()))
    return FixedTopics(topics[order], alpha[order])


def document_keys(counts: sparse.csr_array, seed: int) -> NDArray[np.uint64]:
    """A number for each document, of its words, their counts and the seed."""
    key = np.empty(counts.shape[0], np.uint64)
    _sampling.hash_documents(counts.indptr.astype(np.int64), counts.indices.astype(np.int64), counts.data, seed, key)
    return key


def possible_words(fixed: FixedTopics) -> NDArray[np.bool_]:
    """Words that some topic gives a mass that does not underflow, of shape (V,)."""
    possible: NDArray[np.bool_] = fixed.topics.max(axis=0) * fixed.alpha.min() > 0
    return possible


def to_tokens(
    counts: sparse.csr_array, possible: NDArray[np.bool_], columns: Int64s, key: NDArray[np.uint64]
) -> Tokens:
    """Documents over `columns`, which rise and hold every possible word that occurs."""
    allowed = possible[counts.indices]
    document = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.bincount(document[allowed], counts.data[allowed], counts.shape[0]).astype(np.int64)
    unseen = np.bincount(document[~allowed], counts.data[~allowed], counts.shape[0]).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(document[allowed], minlength=counts.shape[0]))]).astype(
        np.int64
    )
    indices = np.searchsorted(columns, counts.indices[allowed]).astype(np.int32)
    return Tokens(indptr, indices, counts.data[allowed], key, lengths, unseen)


def tables(fixed: FixedTopics, columns: Int64s) -> Tables:
    """Rows of the given words."""
    beta = np.ascontiguousarray(fixed.topics[:, columns].T)
    return Tables(beta, np.cumsum(beta * fixed.alpha, axis=1))


def occurring(possible: NDArray[np.bool_], *parts: sparse.csr_array) -> Int64s:
    """The possible words that occur in any of the parts, rising."""
    seen = np.zeros(len(possible), bool)
    for counts in parts:
        seen[counts.indices] = True
    return np.flatnonzero(seen & possible).astype(np.int64)


def run(function: Callable[[int, int], None], draws: Doubles, n_jobs: Any) -> None:
    """Call function(start, stop) on ranges of documents until all are done; `draws` is each document's work."""
    cumulative = np.concatenate([[0], np.cumsum(draws + 1)]).astype(np.int64)
    with Workers(check.count_threads(n_jobs)) as workers:
        most = CALL_WORK
        if workers.n_threads > 1:
            most = min(most, int(cumulative[-1]) // (4 * workers.n_threads))
        workers.run(lambda edges: function(*edges), even_ranges(cumulative, 0, len(draws), most))


def scratch(lengths: Int64s, n_topics: int, n_doubles: int) -> tuple[Int32s, Doubles]:
    """Room for one call on documents of the given lengths: their tokens and topics, and `n_doubles` besides those held."""
    longest = max(int(lengths.max(initial=0)), 1)  # so that no part is empty, for bounds checks
    return np.empty(2 * longest + 2 * n_topics, np.int32), np.empty(n_topics + n_doubles)
