"""scikit-learn."""

from typing import Any
from unittest import mock

import numpy as np
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation


def prepare(X: sparse.csr_array) -> sparse.csr_matrix:
    return sparse.csr_matrix(X)


def train(data: sparse.csr_matrix, n_topics: int, seed: int, **settings: Any) -> LatentDirichletAllocation:
    return LatentDirichletAllocation(n_topics, random_state=seed, **settings).fit(data)


def topics(model: LatentDirichletAllocation, n_words: int) -> np.ndarray:
    return model.components_


def transform(model: LatentDirichletAllocation, data: sparse.csr_matrix) -> np.ndarray:
    return model.transform(data)


def with_topics(lam: np.ndarray, data: sparse.csr_matrix, **settings: Any) -> LatentDirichletAllocation:
    """A model that has these λ, so that its inference can be compared under the same topics."""
    model = LatentDirichletAllocation(len(lam), max_iter=1, **settings).fit(data[:10])
    model.components_ = np.ascontiguousarray(lam, model.components_.dtype)
    model.exp_dirichlet_component_ = exp_expected_log(model.components_)
    return model


def exp_expected_log(lam: np.ndarray) -> np.ndarray:
    """exp E[log β], (K, V), as its E-step reads it."""
    from scipy.special import psi

    wide = lam.astype(np.float64)
    return np.ascontiguousarray(np.exp(psi(wide) - psi(wide.sum(axis=1, keepdims=True))), lam.dtype)


class Counted(LatentDirichletAllocation):
    """One that counts the sweeps of its batch passes: calls of the comparison that ends each sweep of a document."""

    def _em_step(self, X: Any, *arguments: Any, **more: Any) -> None:
        from sklearn.decomposition import _lda

        calls = 0

        def counting(compare: Any) -> Any:
            def compared(before: Any, after: Any) -> float:
                nonlocal calls
                calls += 1
                return compare(before, after)

            return compared

        comparisons = {ctype: counting(_lda.cy_mean_change[ctype]) for ctype in ("float", "double")}
        with mock.patch.object(_lda, "cy_mean_change", comparisons):
            super()._em_step(X, *arguments, **more)
        self.sweeps_ = getattr(self, "sweeps_", 0.0) + calls / X.shape[0]  # per document
