"""Corpora: count matrices from a directory of the user's, or drawn from an LDA model of the same size.

The repository holds no text and no counts. `NAME.npz` is what `scipy.sparse.save_npz` writes, documents × words.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

LEAST_TOKENS = 10  # of a document
VARIABLE = "LDAVI_CORPORA"


@dataclass(frozen=True)
class Corpora:
    """Where corpora come from.

    Attributes
    ----------
    directory : Path or None
        Holds NAME.npz; None draws every corpus.
    shapes : dict
        Documents, words and mean tokens of each name, for those that are drawn.
    """

    directory: Path | None
    shapes: dict[str, list[int]]

    def load(self, name: str) -> sparse.csr_array:
        """All documents of at least LEAST_TOKENS tokens, as int32."""
        path = self.directory / f"{name}.npz" if self.directory else None
        if path is not None and path.is_file():
            X = sparse.csr_array(sparse.load_npz(path))
        else:
            if path is not None and name != "quick":
                raise FileNotFoundError(f"the directory of corpora holds no {name}.npz")
            X = drawn(*self.shapes[name])
        return X[np.flatnonzero(X.sum(axis=1) >= LEAST_TOKENS)].astype(np.int32)

    def split(self, name: str, most_judged: int = 500) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Documents to learn from and documents to judge by: a tenth, at most `most_judged`."""
        X = self.load(name)
        order = np.random.RandomState(1).permutation(X.shape[0])
        judged = min(X.shape[0] // 10, most_judged)
        return X[order[judged:]], X[order[:judged]]

    def describe(self, name: str) -> str:
        return name if self.directory and name != "quick" else f"drawn ({name})"


def from_environment(data: str | None, shapes: dict[str, list[int]]) -> Corpora:
    """The directory given, else the environment's, else none."""
    directory = data or os.environ.get(VARIABLE)
    return Corpora(Path(directory) if directory else None, shapes)


def drawn(n_docs: int, n_words: int, mean_tokens: int, *, n_topics: int = 50, seed: int = 0) -> sparse.csr_array:
    """Documents of an LDA model with words as frequent as in text (Zipf) and lengths as uneven (log-normal)."""
    rng = np.random.default_rng(seed)
    popularity = 1 / (np.arange(n_words) + 2.7)
    cumulative = np.cumsum(popularity * rng.standard_gamma(0.1, (n_topics, n_words)), axis=1)
    lengths = np.maximum(rng.lognormal(np.log(mean_tokens) - 0.25, 0.7, n_docs).astype(int), LEAST_TOKENS)
    by_topic = rng.multinomial(lengths, rng.dirichlet(np.full(n_topics, 0.1), n_docs))  # tokens of each topic
    docs, words = [], []
    for k in range(n_topics):
        docs.append(np.repeat(np.arange(n_docs), by_topic[:, k]))
        words.append(np.searchsorted(cumulative[k], rng.random(len(docs[-1])) * cumulative[k, -1]))
    columns = np.minimum(np.concatenate(words), n_words - 1)
    ones = np.ones(len(columns), np.int32)
    X = sparse.csr_array(sparse.coo_array((ones, (np.concatenate(docs), columns)), shape=(n_docs, n_words)))
    X.sum_duplicates()
    return X


def widened(X: sparse.csr_array, n_words: int) -> sparse.csr_array:
    """X with empty columns added: a larger vocabulary, the same documents."""
    return sparse.csr_array((X.data, X.indices, X.indptr), shape=(X.shape[0], n_words))


class Known(NamedTuple):
    """Documents of topics that are known.

    Attributes
    ----------
    X : sparse array of shape (D, V)
        To learn from.
    held_out : sparse array of shape (H, V)
    topics : array of shape (K, V)
    given : array of shape (K, V)
        How many tokens of X each topic gave to each word.
    """

    X: sparse.csr_array
    held_out: sparse.csr_array
    topics: np.ndarray
    given: np.ndarray


def known(
    n_docs: int, n_words: int, n_topics: int, tokens: int, *, held_out: int, alpha: float, eta: float, seed: int
) -> Known:
    """Documents of an LDA model with symmetric priors, all of one length."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(n_words, eta), n_topics)
    by_topic = rng.multinomial(tokens, rng.dirichlet(np.full(n_topics, alpha), n_docs + held_out))  # (D + H, K)
    X, given = np.zeros((n_docs + held_out, n_words), np.int32), np.zeros((n_topics, n_words), np.int64)
    for k in range(n_topics):
        words = rng.multinomial(by_topic[:, k], topics[k])
        X += words.astype(np.int32)
        given[k] = words[:n_docs].sum(axis=0)
    every = sparse.csr_array(X)
    return Known(every[:n_docs], every[n_docs:], topics, given)
