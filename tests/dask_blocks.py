"""Corpora as Dask collections, for the tests of ldavi.dask."""

import itertools

import numpy as np
from scipy import sparse


def topical(n_docs=90, n_words=50, n_topics=4, seed=0, length=30):
    """Return counts of documents sampled from an LDA model, in float64."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_words, 0.1), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.3), n_docs)
    return np.array([rng.multinomial(length, p / p.sum()) for p in theta @ beta], dtype=np.float64)


def as_array(X, cuts, *, known=True, make=sparse.csr_matrix):
    """Return X as a Dask array of blocks of rows."""
    import dask.array as da
    from dask import delayed

    edges = [0, *cuts, len(X)]
    blocks = [
        da.from_delayed(
            delayed(make(X[first:last])),
            shape=(last - first if known else np.nan, X.shape[1]),
            dtype=X.dtype,
            meta=make(np.zeros((0, 0), X.dtype)),
        )
        for first, last in itertools.pairwise(edges)
    ]
    return da.concatenate(blocks, allow_unknown_chunksizes=True)


def as_dicts(X):
    """Return documents as dicts {column: count}."""
    return [{int(w): float(row[w]) for w in np.flatnonzero(row)} for row in X]
