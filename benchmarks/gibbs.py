"""Collapsed Gibbs sampling initialised from known topics, to estimate the posterior mean of the topics.

No estimate of the topics has a smaller expected error than the posterior mean.
"""

import numba
import numpy as np
from scipy import sparse


def posterior_topics(
    X: sparse.csr_array, topics: np.ndarray, *, alpha: float, eta: float, burn: int, keep: int, seed: int
) -> np.ndarray:
    """Estimate the posterior mean of β, (K, V), by Gibbs sampling; initial topics are drawn from `topics` alone."""
    words = np.repeat(X.indices, X.data).astype(np.int64)
    documents = np.repeat(np.repeat(np.arange(X.shape[0]), np.diff(X.indptr)), X.data)
    return _sweeps(documents, words, np.ascontiguousarray(topics.T), X.shape[0], alpha, eta, burn, keep, seed)


@numba.njit(cache=False)
def _sweeps(documents, words, word_topics, n_docs, alpha, eta, burn, keep, seed):
    np.random.seed(seed)  # noqa: NPY002  numba's own generator
    n_words, n_topics = word_topics.shape
    z, reached = np.empty(len(words), np.int64), np.empty(n_topics)
    n_dk, n_wk, n_k = np.zeros((n_docs, n_topics)), np.zeros((n_words, n_topics)), np.zeros(n_topics)
    mean = np.zeros((n_topics, n_words))
    for sweep in range(-1, burn + keep):
        for i in range(len(words)):
            d, w, total = documents[i], words[i], 0.0
            if sweep >= 0:
                n_dk[d, z[i]] -= 1
                n_wk[w, z[i]] -= 1
                n_k[z[i]] -= 1
            for k in range(n_topics):
                if sweep < 0:
                    total += word_topics[w, k]
                else:
                    total += (n_dk[d, k] + alpha) * (n_wk[w, k] + eta) / (n_k[k] + n_words * eta)
                reached[k] = total
            z[i] = min(np.searchsorted(reached, np.random.random() * total), n_topics - 1)  # noqa: NPY002
            n_dk[d, z[i]] += 1
            n_wk[w, z[i]] += 1
            n_k[z[i]] += 1
        if sweep >= burn:
            for k in range(n_topics):
                for w in range(n_words):
                    mean[k, w] += (n_wk[w, k] + eta) / (n_k[k] + n_words * eta) / keep
    return mean
