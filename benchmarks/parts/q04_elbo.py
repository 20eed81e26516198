"""Q4: final ELBO and number of inner iterations, against scikit-learn's batch schedule with the same fixed priors.

The schedule cold-starts every document in every pass and iterates until convergence, at most 100 times. It is run with
ldavi's kernels, which stop at Σ_k |Δγ_dk| <= tol · N_d, where scikit-learn compares the mean over topics; its best pass
counts. With `sklearn_too`, scikit-learn itself is fitted as well, and its last pass counts. The exact ELBO is computed
in the same way for every λ.
"""

from typing import Any

import numpy as np

from benchmarks import internals, timing
from benchmarks.adapters import ldavi_, sklearn_
from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "ELBO per token against scikit-learn's schedule"
SCHEDULE, SKLEARN = "schedule", "sklearn"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    K, alpha, eta = config["n_topics"], config["alpha"], config["eta"]
    priors = {"doc_topic_prior": alpha, "topic_word_prior": eta}
    passes = config["passes"]
    where = fits.where(config, corpora)
    elbo, inner_iter = _reused(config, where)
    reused = set(elbo)
    until: dict[str, list[float]] = {}
    for seed in range(config["repeats"]):
        ours = ldavi_.train(X, K, seed, **priors)
        trace = ours.elbo_trace_
        reached = {"ldavi": internals.Schedule(ours.components_, float(trace["n_inner_iter"].sum()))}
        if SCHEDULE not in reused:
            reached[SCHEDULE] = internals.sklearn_schedule(
                X, K, seed, alpha=alpha, eta=eta, passes=passes, **config["e_step"]
            )
        if config["sklearn_too"] and SKLEARN not in reused:
            theirs = sklearn_.Counted(K, random_state=seed, max_iter=passes, **priors).fit(sklearn_.prepare(X))
            reached[SKLEARN] = internals.Schedule(theirs.components_, theirs.n_inner_iter_)
        for name, (lam, count) in reached.items():
            elbo.setdefault(name, []).append(internals.elbo_per_token(X, lam, alpha, eta, **config["bound"]))
            inner_iter.setdefault(name, []).append(count)
        for name in elbo:
            if name != "ldavi":
                until.setdefault(name, []).append(_inner_iter_until(trace, elbo[name][seed] * X.sum()))
    return {
        "cases": [case for name in until for case in _compare(config, where, name, elbo, inner_iter, until[name])],
        "notes": [],
    }


def _reused(config: dict[str, Any], where: str) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return ELBOs and inner iterations of the schedule and of scikit-learn measured earlier with as many seeds."""
    earlier = {(case["name"], case["what"]): case["repeats"] for case in config.get("known", [])}
    elbo: dict[str, list[float]] = {}
    inner_iter: dict[str, list[float]] = {}
    for name in (SCHEDULE, SKLEARN):
        bounds = earlier.get((f"{where}: ELBO per token", f"nats above {name}"), {}).get(name, [])
        counts = earlier.get((f"{where}: sweeps, whole fit", f"ldavi / {name}"), {}).get(name, [])
        if len(bounds) == len(counts) == config["repeats"]:
            elbo[name], inner_iter[name] = bounds, counts
    return elbo, inner_iter


def _inner_iter_until(trace: np.ndarray, elbo: float) -> float:
    """Sum the inner iterations up to the first pass whose bound is at least `elbo`; of the whole fit if none is."""
    above = np.flatnonzero(trace["elbo"] >= elbo)
    return float(trace["n_inner_iter"][: above[0] + 1 if len(above) else None].sum())


def _compare(
    config: dict[str, Any],
    where: str,
    peer: str,
    elbo: dict[str, list[float]],
    inner_iter: dict[str, list[float]],
    until: list[float],
) -> list[dict[str, Any]]:
    bounds = {name: elbo[name] for name in ("ldavi", peer)}
    counts = {name: inner_iter[name] for name in ("ldavi", peer)}
    gains = [ours - theirs for ours, theirs in zip(*bounds.values(), strict=True)]
    higher = timing.value_case(
        f"{where}: ELBO per token",
        gains,
        f"nats above {peer}",
        target=0.0,
        repeats=bounds,
        medians=timing.medians(bounds),
    )
    whole = timing.ratio_case(
        f"{where}: sweeps, whole fit", counts, "ldavi", peer, target=config["target"], sense="<=", unit="sweeps"
    )
    early = timing.ratio_case(
        f"{where}: sweeps, until as high", counts | {"ldavi": until}, "ldavi", peer, unit="sweeps"
    )
    return [higher | {"unit": "nats", "digits": 5}, whole, early]
