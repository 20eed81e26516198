"""Corpora: count matrices read from a directory, or drawn from an LDA model of the same size.

The repository contains no corpora. `NAME.npz` is a documents × words matrix written by `scipy.sparse.save_npz`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

MIN_TOKENS = 10  # of a document
VARIABLE = "LDAVI_CORPORA"


@dataclass(frozen=True)
class Corpora:
    """Load corpora from a directory, or draw them.

    Attributes
    ----------
    directory : Path or None
        Contains NAME.npz; if None, every corpus is drawn.
    shapes : dict
        Numbers of documents and words and mean number of tokens, by the name of the corpus, to draw from.
    """

    directory: Path | None
    shapes: dict[str, list[int]]

    def load(self, name: str) -> sparse.csr_array:
        """Return all documents of at least MIN_TOKENS tokens, as int32."""
        path = self.directory / f"{name}.npz" if self.directory else None
        if path is not None and path.is_file():
            X = sparse.csr_array(sparse.load_npz(path))
        else:
            if path is not None and name != "quick":
                raise FileNotFoundError(
                    f"the directory of corpora contains no {name}.npz; add the file, or omit --data to draw corpora"
                )
            X = drawn(*self.shapes[name])
        return X[np.flatnonzero(X.sum(axis=1) >= MIN_TOKENS)].astype(np.int32)

    def split(self, name: str, max_judged: int = 500) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return training documents and held-out documents, a tenth of all but at most `max_judged`."""
        X = self.load(name)
        order = np.random.RandomState(1).permutation(X.shape[0])
        judged = min(X.shape[0] // 10, max_judged)
        return X[order[judged:]], X[order[:judged]]

    def describe(self, name: str) -> str:
        """Return the name that results give to a corpus, which says whether it was drawn."""
        return name if self.directory and name != "quick" else f"drawn ({name})"


def from_environment(data: str | None, shapes: dict[str, list[int]]) -> Corpora:
    """Return the corpora of the given directory, else of the one in the environment variable; else all are drawn."""
    directory = data or os.environ.get(VARIABLE)
    return Corpora(Path(directory) if directory else None, shapes)


def drawn(n_docs: int, n_words: int, mean_tokens: int, *, n_topics: int = 50, seed: int = 0) -> sparse.csr_array:
    """Draw documents from an LDA model whose word frequencies follow Zipf's law; lengths are log-normal, as in text."""
    rng = np.random.default_rng(seed)
    popularity = 1 / (np.arange(n_words) + 2.7)
    cumulative = np.cumsum(popularity * rng.standard_gamma(0.1, (n_topics, n_words)), axis=1)
    lengths = np.maximum(rng.lognormal(np.log(mean_tokens) - 0.25, 0.7, n_docs).astype(int), MIN_TOKENS)
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
    """Add empty columns to X: the same documents with a larger vocabulary."""
    return sparse.csr_array((X.data, X.indices, X.indptr), shape=(X.shape[0], n_words))


class SyntheticCorpus(NamedTuple):
    """Documents drawn from known topics.

    Attributes
    ----------
    X : sparse array of shape (D, V)
        Training documents.
    held_out : sparse array of shape (H, V)
        Held-out documents.
    topics : array of shape (K, V)
        True topics.
    topic_word : array of shape (K, V)
        Numbers of tokens of X by true topic and word.
    """

    X: sparse.csr_array
    held_out: sparse.csr_array
    topics: np.ndarray
    topic_word: np.ndarray


def with_known_topics(
    n_docs: int, n_words: int, n_topics: int, tokens: int, *, held_out: int, alpha: float, eta: float, seed: int
) -> SyntheticCorpus:
    """Draw documents of equal length from an LDA model with symmetric priors."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(n_words, eta), n_topics)
    by_topic = rng.multinomial(tokens, rng.dirichlet(np.full(n_topics, alpha), n_docs + held_out))  # (D + H, K)
    X, topic_word = np.zeros((n_docs + held_out, n_words), np.int32), np.zeros((n_topics, n_words), np.int64)
    for k in range(n_topics):
        words = rng.multinomial(by_topic[:, k], topics[k])
        X += words.astype(np.int32)
        topic_word[k] = words[:n_docs].sum(axis=0)
    every = sparse.csr_array(X)
    return SyntheticCorpus(every[:n_docs], every[n_docs:], topics, topic_word)
