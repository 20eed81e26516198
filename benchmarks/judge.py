"""Document completion: held-out perplexity of the second halves of documents.

The tokens of each document are shuffled and halved. The posterior mean of θ given the first half and the topics is
estimated by Gibbs sampling, so that no library's own inference is favoured; the second half is scored. For every
library, α is the best value of the same grid.
"""

import itertools
from typing import NamedTuple

import numba
import numpy as np
from scipy import sparse

TINY = 1e-300  # probability of a word that no topic can produce


class Halves(NamedTuple):
    """Tokens (word indices) of the observed and of the scored halves, and the start of each document in them."""

    observed: np.ndarray
    observed_start: np.ndarray
    scored: np.ndarray
    scored_start: np.ndarray


def halve(X: sparse.csr_array, seed: int = 0) -> Halves:
    """Shuffle the tokens of each document and cut them in two; an odd token belongs to the scored half."""
    rng = np.random.RandomState(seed)
    observed, scored = [], []
    for first, last in itertools.pairwise(X.indptr):
        tokens = np.repeat(X.indices[first:last], X.data[first:last].astype(int))
        rng.shuffle(tokens)
        middle = len(tokens) // 2
        observed.append(tokens[:middle])
        scored.append(tokens[middle:])
    starts = [np.concatenate([[0], np.cumsum([len(part) for part in half])]) for half in (observed, scored)]
    return Halves(np.concatenate(observed), starts[0], np.concatenate(scored), starts[1])


@numba.njit(cache=False)
def _draw(weight, total):
    target, k, reached = np.random.random() * total, 0, weight[0]  # noqa: NPY002  numba's own generator
    while reached < target and k < len(weight) - 1:
        k += 1
        reached += weight[k]
    return k


@numba.njit(cache=False)
def _posterior_mean(tokens, word_topics, alpha, burn, keep):
    """Estimate the mean of θ from `keep` Gibbs sweeps after `burn`; initial topics are drawn from β alone."""
    n_tokens, n_topics = len(tokens), word_topics.shape[1]
    z, n_k, n_k_sum = np.empty(n_tokens, np.int64), np.zeros(n_topics), np.zeros(n_topics)
    weight = np.empty(n_topics)
    for sweep in range(-1, burn + keep):
        for i in range(n_tokens):
            row = word_topics[tokens[i]]
            total = 0.0
            if sweep >= 0:
                n_k[z[i]] -= 1.0
            for k in range(n_topics):
                weight[k] = row[k] if sweep < 0 else row[k] * (n_k[k] + alpha)
                total += weight[k]
            z[i] = _draw(weight, total)
            n_k[z[i]] += 1.0
        if sweep >= burn:
            n_k_sum += n_k
    return (n_k_sum / keep + alpha) / (n_tokens + n_topics * alpha)


@numba.njit(cache=False)
def _log_probability(observed, observed_start, scored, scored_start, word_topics, alpha, burn, keep):
    total = 0.0
    for d in range(len(observed_start) - 1):
        np.random.seed(d)  # noqa: NPY002  a document's score depends on that document alone
        theta = _posterior_mean(observed[observed_start[d] : observed_start[d + 1]], word_topics, alpha, burn, keep)
        for i in range(scored_start[d], scored_start[d + 1]):
            total += np.log(max(np.dot(theta, word_topics[scored[i]]), TINY))
    return total


def perplexity(
    topics: np.ndarray,
    halves: Halves,
    *,
    alphas: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3),
    burn: int = 30,
    keep: int = 60,
) -> float:
    """Compute exp(−log probability per scored token) under the best α of the grid; topics, (K, V), are normalised."""
    beta = np.asarray(topics, np.float64)
    word_topics = np.ascontiguousarray((beta / beta.sum(axis=1, keepdims=True)).T)
    best = max(_log_probability(*halves, word_topics, alpha, burn, keep) for alpha in alphas)
    return float(np.exp(-best / len(halves.scored)))


def predictive_perplexity(theta: np.ndarray, topics: np.ndarray, halves: Halves) -> float:
    """Compute the perplexity of the scored halves for θ that a library inferred from the observed halves."""
    beta = np.asarray(topics, np.float64)
    beta = beta / beta.sum(axis=1, keepdims=True)
    documents = np.repeat(np.arange(len(theta)), np.diff(halves.scored_start))
    probability = np.einsum("ik,ki->i", np.asarray(theta, np.float64)[documents], beta[:, halves.scored])
    return float(np.exp(-np.log(np.maximum(probability, TINY)).mean()))


def observed_counts(halves: Halves, n_words: int) -> sparse.csr_array:
    """Return the observed halves as a documents × words matrix."""
    shape = (len(halves.observed_start) - 1, n_words)
    ones = np.ones(len(halves.observed), np.int32)
    X = sparse.csr_array((ones, halves.observed, halves.observed_start), shape=shape)
    X.sum_duplicates()
    return X
