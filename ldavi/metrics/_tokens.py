"""Input of the samplers of `ldavi._sampling`: documents as tokens, and topics in canonical order.

The random numbers of a document are seeded by its key, a hash of its words, their counts and the seed; topics are
sorted by their content. An estimate therefore depends on the seed, the document, the topics and the prior, but not on
the order of documents or topics.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ldavi import _sampling
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.topics_of_model import ModelOrTopics, doc_topic_prior_of, topics_of
from ldavi._core.typing import Doubles, Int32s, Int64s, Matrix
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import counts_over_words
from ldavi._estimator.starting_priors import check_priors, refuse_names

MAX_DRAWS = 2**22  # topics sampled by one compiled call: some tenths of a second, after which Ctrl-C takes effect


class FixedTopics(NamedTuple):
    """Known topics and prior, sorted by (α_k, β_k)."""

    topics: Doubles  # (K, V)
    alpha: Doubles  # (K,)


class DocumentTokens(NamedTuple):
    """Documents with integer counts over the words that topics can produce."""

    indptr: Int64s  # (D + 1,)
    indices: Int32s  # (nnz,) rows of the tables, ascending within a document
    counts: Int32s  # (nnz,)
    key: NDArray[np.uint64]  # (D,)
    lengths: Int64s  # (D,) tokens that topics can produce
    unseen: Int64s  # (D,) tokens of words without mass under any topic


class Tables(NamedTuple):
    """The rows of the words that occur."""

    beta: Doubles  # (U, K)
    cumulative: Doubles  # (U, K) sums over topics of α_k β_kw


def check_tokens(X: Matrix, name: str, model: ModelOrTopics | None = None) -> sparse.csr_array:
    """Return X as CSR array of integer counts in int32, sorted, without zeros; over the words of a model, if given."""
    counts = counts_over_words(model, X, name)
    if (counts.data != np.rint(counts.data)).any():
        worst = counts.data[counts.data != np.rint(counts.data)][0]
        raise ValueError(
            f"X holds {worst:g}; {name} samples a topic for each token, so counts must be whole numbers. "
            "Pass raw counts."
        )
    if counts.data.max(initial=0) > np.iinfo(np.int32).max:
        raise ValueError(
            f"X holds {counts.data.max():g}; counts must be at most {np.iinfo(np.int32).max}. Scale them down."
        )
    return sparse.csr_array((counts.data.astype(np.int32), counts.indices, counts.indptr), shape=counts.shape)


def check_seed(seed: int) -> int:
    """Check the parameter `seed`, an integer of 64 bits."""
    if check.check_integer("seed", seed, minimum=0) >= 2**64:
        raise ValueError(f"seed={seed!r} must be an integer >= 0 and < 2**64")
    return int(seed)


def check_prior(model: ModelOrTopics, n_topics: int, doc_topic_prior: float | ArrayLike | None) -> Doubles:
    """Return α as (K,): as given, or the model's own for None."""
    refuse_names(doc_topic_prior)
    own = doc_topic_prior_of(model, n_topics) if doc_topic_prior is None else doc_topic_prior
    return check_priors(own, 0, n_topics, 1).alpha


def fixed_topics(model: ModelOrTopics, doc_topic_prior: float | ArrayLike | None, n_words: int) -> FixedTopics:
    """Return the topics of a model, and α, sorted."""
    topics = topics_of(model)
    if topics.shape[1] != n_words:
        raise ValueError(
            f"the topics have {topics.shape[1]} words and X has {n_words} columns; both must have the same vocabulary"
        )
    alpha = check_prior(model, len(topics), doc_topic_prior)
    order = sorted(range(len(topics)), key=lambda k: (alpha[k], topics[k].tobytes()))
    return FixedTopics(topics[order], alpha[order])


def document_keys(counts: sparse.csr_array, seed: int) -> NDArray[np.uint64]:
    """Hash each document's words and counts together with the seed."""
    key = np.empty(counts.shape[0], np.uint64)
    columns = counts.indices.astype(np.int64)
    _sampling.hash_documents(counts.indptr.astype(np.int64), columns, counts.data.astype(np.int64), seed, key)
    return key


def possible_words(fixed: FixedTopics) -> NDArray[np.bool_]:
    """Return whether some topic gives each word a probability that does not underflow, of shape (V,)."""
    possible: NDArray[np.bool_] = fixed.topics.max(axis=0) * fixed.alpha.min() > 0
    return possible


def to_tokens(
    counts: sparse.csr_array, possible: NDArray[np.bool_], columns: Int64s, key: NDArray[np.uint64]
) -> DocumentTokens:
    """Convert documents to tokens over `columns`, which ascend and contain every possible word that occurs."""
    allowed = possible[counts.indices]
    document = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.bincount(document[allowed], counts.data[allowed], counts.shape[0]).astype(np.int64)
    unseen = np.bincount(document[~allowed], counts.data[~allowed], counts.shape[0]).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(document[allowed], minlength=counts.shape[0]))]).astype(
        np.int64
    )
    indices = np.searchsorted(columns, counts.indices[allowed]).astype(np.int32)
    return DocumentTokens(indptr, indices, counts.data[allowed], key, lengths, unseen)


def tables(fixed: FixedTopics, columns: Int64s) -> Tables:
    """Return the rows of the given words."""
    beta = np.ascontiguousarray(fixed.topics[:, columns].T)
    return Tables(beta, np.cumsum(beta * fixed.alpha, axis=1))


class SamplerInput(NamedTuple):
    """Input of a sampler of whole documents."""

    fixed: FixedTopics
    alpha: Doubles  # (K,) in the order of the model's topics
    tokens: DocumentTokens
    tables: Tables


def sampler_input(
    model: ModelOrTopics, X: Matrix, doc_topic_prior: float | ArrayLike | None, *, seed: int, name: str
) -> SamplerInput:
    """Check topics and documents, and convert them for the samplers; `name` is the function that was called."""
    counts = check_tokens(X, name, model)
    key = document_keys(counts, check_seed(seed))
    fixed = fixed_topics(model, doc_topic_prior, counts.shape[1])
    possible = possible_words(fixed)
    columns = occurring(possible, counts)
    alpha = check_prior(model, len(fixed.alpha), doc_topic_prior)
    return SamplerInput(fixed, alpha, to_tokens(counts, possible, columns, key), tables(fixed, columns))


def occurring(possible: NDArray[np.bool_], *parts: sparse.csr_array) -> Int64s:
    """Return the possible words that occur in any of the parts, ascending."""
    seen = np.zeros(len(possible), bool)
    for counts in parts:
        seen[counts.indices] = True
    return np.flatnonzero(seen & possible).astype(np.int64)


def run(function: Callable[[int, int], None], draws: Doubles, n_jobs: int | None) -> None:
    """Call function(start, stop) on ranges that cover all documents; `draws` is the work of each document."""
    cumulative = np.concatenate([[0], np.cumsum(draws + 1)]).astype(np.int64)
    with Workers(check.count_threads(n_jobs)) as workers:
        max_draws = MAX_DRAWS
        if workers.n_threads > 1:
            max_draws = min(max_draws, int(cumulative[-1]) // (4 * workers.n_threads))
        workers.run(lambda edges: function(*edges), even_ranges(cumulative, 0, len(draws), max_draws))


def scratch(lengths: Int64s, n_topics: int, n_doubles: int) -> tuple[Int32s, Doubles]:
    """Allocate scratch memory for documents of the given lengths: their tokens and topics, and `n_doubles` more."""
    longest = max(int(lengths.max(initial=0)), 1)  # so that no part is empty, for bounds checks
    return np.empty(2 * longest + 2 * n_topics, np.int32), np.empty(n_topics + n_doubles)
