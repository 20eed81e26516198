"""S2: the E-step alone against scikit-learn's, with the same λ, γ, number of inner iterations and dtype.

Neither computes sufficient statistics. ldavi is measured with active-set pruning, which it uses when there are many
topics, and dense, where every inner iteration covers all topics, as in scikit-learn. Each case contains the distance
of θ from scikit-learn's.
"""

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import internals, timing
from benchmarks.adapters import ldavi_, sklearn_
from benchmarks.corpora import Corpora

TITLE = "E-step against scikit-learn's"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, where = corpora.load(config["corpus"]), corpora.describe(config["corpus"])
    cases = []
    for n_topics in config["n_topics"]:
        lam = ldavi_.train_passes(X, n_topics, 0, config["passes"]).components_
        for dtype, target in config["targets"].items():
            cases += _compare(config, X, lam, dtype, target, f"{where} K={n_topics} {dtype}")
    return {"cases": cases, "notes": []}


def _compare(
    config: dict[str, Any], X: sparse.csr_array, lam: np.ndarray, dtype: str, target: float, name: str
) -> list[dict[str, Any]]:
    n_inner_iter, alpha = config["n_inner_iter"], config["alpha"]
    own = {
        "ldavi": internals.EStep(X, lam.T, alpha, n_inner_iter, np.dtype(dtype).type),
        "ldavi dense": internals.EStep(X, lam.T, alpha, n_inner_iter, np.dtype(dtype).type, dense=True),
    }
    theirs = SklearnEStep(X, lam.astype(dtype), alpha, n_inner_iter)
    seconds = timing.take_turns({**own, "sklearn": theirs}, config["repeats"])
    cases = []
    for key, ours in own.items():
        distance = np.abs(ours.gamma - theirs.gamma).sum(axis=1) / theirs.gamma.sum(axis=1)
        pair = {which: seconds[which] for which in (key, "sklearn")}
        speeds = {which: ours.elements / second for which, second in timing.medians(pair).items()}
        more = {
            "elements_per_second": speeds,
            "distance_of_theta": {"median": float(np.median(distance)), "largest": float(distance.max())},
        }
        cases.append(timing.ratio_case(name, pair, "sklearn", key, target=target, **more))
    return cases


class SklearnEStep:
    """scikit-learn's private E-step, from γ = 1, with a tolerance that is never reached."""

    def __init__(self, X: sparse.csr_array, lam: np.ndarray, alpha: float, n_inner_iter: int) -> None:
        from sklearn.decomposition import _lda

        self._update = _lda._update_doc_distribution
        self._X = sparse.csr_matrix(X.astype(lam.dtype))
        self._exp_log_beta = sklearn_.exp_expected_log(lam)
        self._alpha, self._n_inner_iter = alpha, n_inner_iter
        self.gamma = np.ones((X.shape[0], len(lam)), lam.dtype)

    def __call__(self) -> None:
        self.gamma, _ = self._update(
            self._X,
            self._exp_log_beta,
            self._alpha,
            max_doc_update_iter=self._n_inner_iter,
            mean_change_tol=-1.0,
            cal_sstats=False,
            random_state=None,
        )
