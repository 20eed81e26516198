"""Draws of the topics of tokens, documents that a model generates, and mutual information of words and documents."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import xlogy
from sklearn.utils import check_random_state

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.topics_of_model import ModelOrTopics, topics_of
from ldavi._core.typing import Doubles, Int64s, Matrix
from ldavi._estimator import validation as check
from ldavi._estimator.posterior import Posterior, posterior_of, responsibilities_of
from ldavi.metrics._tokens import check_tokens

ENTRIES_AT_ONCE = 2**20  # of counts × topics


class TokenCounts:
    """Tokens of each topic by group and word, from which mutual information is computed. Equation (23.4).

    Parameters
    ----------
    cells : arrays of topic, group and word of each entry
    n : array
        Tokens of each entry; entries are distinct.
    shape : tuple of int
        Numbers of topics, groups and words.
    """

    def __init__(self, cells: tuple[Int64s, Int64s, Int64s], n: Doubles, shape: tuple[int, int, int]) -> None:
        (topic, group, word), (n_topics, n_groups, n_words) = cells, shape
        self.totals: Doubles = np.bincount(topic, n, n_topics).astype(np.float64)
        by_group = np.bincount(topic * n_groups + group, n, n_topics * n_groups).reshape(n_topics, n_groups)
        self.of_words: Doubles = (
            np.bincount(topic * n_words + word, n, n_topics * n_words).reshape(n_topics, n_words).astype(np.float64)
        )
        entropy_terms = np.bincount(topic * n_words + word, xlogy(n, n), n_topics * n_words)
        self.of_cells: Doubles = entropy_terms.reshape(n_topics, n_words).astype(np.float64)  # Σ_d n log n
        self.of_groups: Doubles = xlogy(by_group, by_group).sum(axis=1)

    def mutual_information(self) -> Doubles:
        """Return I(W; D | k) of each topic in nats; 0 without tokens."""
        total = self.totals
        joint = self.of_cells.sum(axis=1) - self.of_groups - xlogy(self.of_words, self.of_words).sum(axis=1)
        found: Doubles = np.divide(joint + xlogy(total, total), total, out=np.zeros_like(total), where=total > 0)
        return found

    def instantaneous(self) -> Doubles:
        """Return H(D | k) − H(D | W = w, k) of each topic and word in nats; NaN for words without tokens."""
        total, words = self.totals[:, None], self.of_words
        known = words > 0
        of_word = np.log(words, out=np.zeros_like(words), where=known)
        of_word -= np.divide(self.of_cells, words, out=np.zeros_like(words), where=known)
        has_tokens = np.maximum(total, 1)
        entropy = np.log(has_tokens) - self.of_groups[:, None] / has_tokens
        found: Doubles = np.where(known, entropy - of_word, np.nan)
        return found


def token_draws(
    model: ModelOrTopics, X: Matrix, groups: ArrayLike | None, n_samples: int, random_state: Any, name: str
) -> tuple[Doubles, Iterator[tuple[TokenCounts, TokenCounts]]]:
    """Check the input, and return the topics and pairs of the tokens of a draw and of its replicate."""
    n_samples = check.check_integer("n_samples", n_samples, minimum=2)
    topics, counts = topics_of(model), check_tokens(X, name, model)
    posterior = posterior_of(model, X, None, name)  # X itself, whose columns may have names
    labels = np.arange(counts.shape[0]) if groups is None else np.asarray(groups)
    if labels.shape != (counts.shape[0],):
        raise ValueError(
            f"groups has shape {labels.shape}, but X has {counts.shape[0]} documents. Give one label each."
        )
    group = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    rng = generator(random_state)

    def pairs() -> Iterator[tuple[TokenCounts, TokenCounts]]:
        shape = (len(topics), int(group.max(initial=-1)) + 1, topics.shape[1])
        documents = np.repeat(np.arange(posterior.counts.shape[0]), np.diff(posterior.counts.indptr))
        for entry, topic, n in _assign_tokens(rng, model, posterior, n_samples):
            document, word = documents[entry], posterior.counts.indices[entry].astype(np.int64)
            per_topic = np.zeros((posterior.counts.shape[0], len(topics)), np.int64)
            np.add.at(per_topic, (document, topic), n)
            own = _token_counts(group[document], word, topic, n, shape)
            yield own, _replicated(rng, per_topic, topics, group, shape)

    return topics, pairs()


def _assign_tokens(
    rng: np.random.Generator, model: ModelOrTopics, posterior: Posterior, n_samples: int
) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
    """Draw the topic of every token from φ, several times; yield stored count, topic and number of equal tokens.

    φ is computed once for all draws, for some documents at a time, and is the larger part of the work.
    """
    counts = posterior.counts
    parts: list[list[NDArray[np.int32]]] = [[] for _ in range(n_samples)]
    per_document = max(1, counts.nnz // max(1, counts.shape[0]))
    for at in chunks(counts.shape[0], rows_within(ENTRIES_AT_ONCE, per_document * posterior.gamma.shape[1])):
        some = posterior.documents(np.arange(at.start, at.stop))
        n, phi = some.counts.data.astype(np.int64), responsibilities_of(model, some)
        once, several = np.flatnonzero(n == 1), np.flatnonzero(n > 1)
        cumulated = np.cumsum(phi[once], axis=1)
        probabilities = phi[several] / phi[several].sum(axis=1, keepdims=True)
        for part in parts:
            drawn = (cumulated <= rng.random((len(once), 1)) * cumulated[:, -1:]).sum(axis=1)
            tokens = rng.multinomial(n[several], probabilities)
            entry, topic = np.nonzero(tokens)
            columns = (
                np.concatenate([once, several[entry]]) + counts.indptr[at.start],
                np.concatenate([np.minimum(drawn, phi.shape[1] - 1), topic]),
                np.concatenate([np.ones(len(once), np.int64), tokens[entry, topic]]),
            )
            part.append(np.array(columns, dtype=np.int32))
    for part in parts:
        found = np.concatenate(part, axis=1).astype(np.int64)
        part.clear()
        yield found[0], found[1], found[2]


def _draw_words(rng: np.random.Generator, per_topic: Int64s, topics: Doubles) -> Iterator[tuple[int, Int64s, Int64s]]:
    """Yield for each topic the documents and the words of as many tokens as each document has of it."""
    documents = np.arange(len(per_topic))
    for k, topic in enumerate(topics):
        cumulated = np.cumsum(topic)
        document = np.repeat(documents, per_topic[:, k])
        word = np.searchsorted(cumulated, rng.random(len(document)) * cumulated[-1], side="right")
        yield k, document, np.minimum(word, len(topic) - 1)


def _replicated(
    rng: np.random.Generator, per_topic: Int64s, topics: Doubles, group: Int64s, shape: tuple[int, int, int]
) -> TokenCounts:
    columns = [
        (group[document], word, np.full(len(word), k)) for k, document, word in _draw_words(rng, per_topic, topics)
    ]
    groups, words, numbers = (np.concatenate(column) for column in zip(*columns, strict=True))
    return _token_counts(groups, words, numbers, np.ones(len(words), np.int64), shape)


def _token_counts(group: Int64s, word: Int64s, topic: Int64s, n: Int64s, shape: tuple[int, int, int]) -> TokenCounts:
    """Add up the entries that have the same topic, group and word."""
    cell, place = np.unique((topic * shape[1] + group) * shape[2] + word, return_inverse=True)
    summed = np.bincount(place, n, len(cell)).astype(np.float64)
    rest, of_word = np.divmod(cell, shape[2])
    of_topic, of_group = np.divmod(rest, shape[1])
    return TokenCounts((of_topic, of_group, of_word), summed, shape)


def replicate(rng: np.random.Generator, posterior: Posterior, topics: Doubles) -> sparse.csr_array:
    """Draw documents of the same lengths from the model, given θ from its posterior."""
    gamma = rng.standard_gamma(posterior.gamma)
    theta = gamma / np.maximum(gamma.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    per_topic = rng.multinomial(posterior.tokens.astype(np.int64), theta / theta.sum(axis=1, keepdims=True))
    drawn = [(document, word) for _, document, word in _draw_words(rng, per_topic, topics)]
    document, word = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return sparse.csr_array(sparse.coo_array((np.ones(len(word)), (document, word)), shape=posterior.counts.shape))


def generator(random_state: Any) -> np.random.Generator:
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
