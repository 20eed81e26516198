"""P4: `transform` of few and of many documents against scikit-learn's, with the same topics, and the error of θ.

The error of a document is the largest difference of a proportion from its limit: the float64 iteration continues from
the result until it converges. Times are processor times, since ratios of wall-clock times depend on other load.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import timing
from benchmarks.adapters import ldavi_, sklearn_
from benchmarks.corpora import Corpora

TITLE = "transform against scikit-learn's, and its distance from the limit"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X = corpora.load(config["corpus"])
    K, priors = config["n_topics"], {"doc_topic_prior": config["alpha"], "topic_word_prior": config["eta"]}
    ours = ldavi_.train(X, K, 0, max_iter=config["passes"], tol=None, **priors)
    theirs = sklearn_.with_topics(ours.components_, sklearn_.prepare(X), **priors)
    described, cases = f"{corpora.describe(config['corpus'])} K={K}", []
    for n in config["documents"]:
        new = X[: min(n, X.shape[0])]
        given = sklearn_.prepare(new)
        jobs = {"ldavi": lambda new=new: ours.transform(new), "sklearn": lambda given=given: theirs.transform(given)}
        seconds = processor_seconds(jobs, config["repeats"])
        name = f"{new.shape[0]} documents, {described}"
        cases.append(timing.ratio_case(name, seconds, "sklearn", "ldavi", target=config["target"]))
    judged = X[: config["judged"]]
    distance = distances(judged, sklearn_.exp_expected_log(ours.components_.astype(float)), ours, config["alpha"])
    what = "mean over documents of the largest error of a proportion"
    share = float((np.array(distance) > config["max_distance"]).mean())
    case = timing.value_case(
        f"error of θ, {described}", [statistics.mean(distance)], what, target=config["max_distance"], sense="<="
    )
    return {"cases": [*cases, case | {"share_above": share}], "notes": []}


def processor_seconds(jobs: dict[str, Callable[[], object]], repeats: int) -> timing.Repeats:
    """Return the processor time of each job in each of `repeats` turns; an untimed turn precedes them."""
    seconds: timing.Repeats = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            started = time.process_time()
            job()
            if turn:
                seconds[name].append(time.process_time() - started)
    return seconds


def distances(X: sparse.csr_array, exp_beta: np.ndarray, model: Any, alpha: float) -> list[float]:
    """Return for each document the largest difference between θ and its limit, in float64 and without extrapolation."""
    from scipy.special import psi

    found = []
    for d, start in enumerate(model.transform(X, normalize=False).astype(np.float64)):
        at = slice(X.indptr[d], X.indptr[d + 1])
        B, n, gamma, change = exp_beta[:, X.indices[at]].astype(np.float64), X.data[at].astype(float), start, np.inf
        for _ in range(10_000):
            if change <= 1e-8 * n.sum():
                break
            t = np.exp(psi(gamma))
            updated = alpha + t * (B @ (n / (t @ B)))
            change, gamma = np.abs(updated - gamma).sum(), updated
        found.append(float(np.abs(start / start.sum() - gamma / gamma.sum()).max()))
    return found
