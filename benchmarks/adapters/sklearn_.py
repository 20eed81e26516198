"""Adapter of scikit-learn."""

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
    """Return a model with the given λ, (K, V), so that inference is compared under the same topics."""
    model = LatentDirichletAllocation(len(lam), max_iter=1, **settings).fit(data[:10])
    model.components_ = np.ascontiguousarray(lam, model.components_.dtype)
    model.exp_dirichlet_component_ = exp_expected_log(model.components_)
    return model


def exp_expected_log(lam: np.ndarray) -> np.ndarray:
    """Compute exp(E[log β]), (K, V), in the layout that scikit-learn's E-step reads."""
    from scipy.special import psi

    wide = lam.astype(np.float64)
    return np.ascontiguousarray(np.exp(psi(wide) - psi(wide.sum(axis=1, keepdims=True))), lam.dtype)


class Counted(LatentDirichletAllocation):
    """scikit-learn's estimator that counts inner iterations of batch passes, in `n_inner_iter_`.

    Every inner iteration of a document ends with one call of the private comparison of γ, and these calls are counted.
    """

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
        self.n_inner_iter_ = getattr(self, "n_inner_iter_", 0.0) + calls / X.shape[0]  # per document
