"""Q4: the bound that a fit reaches and the sweeps it takes, against scikit-learn's batch schedule with the same fixed priors.

The schedule starts every document afresh in every pass and sweeps until it settles, 100 times at most. ldavi's kernels run
it, which stop at Σ_k |Δγ_dk| <= tol · N_d where scikit-learn compares the mean over topics; it is taken at its best pass.
Where `sklearn_too` is set, scikit-learn itself runs as well and is taken at its last. One exact bound judges every λ.
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
    elbo, sweeps = _known(config, where)
    before = set(elbo)
    until: dict[str, list[float]] = {}
    for seed in range(config["repeats"]):
        ours = ldavi_.train(X, K, seed, **priors)
        trace = ours.elbo_trace_
        reached = {"ldavi": internals.Schedule(ours.components_, float(trace["n_inner_iter"].sum()))}
        if SCHEDULE not in before:
            reached[SCHEDULE] = internals.sklearn_schedule(
                X, K, seed, alpha=alpha, eta=eta, passes=passes, **config["visits"]
            )
        if config["sklearn_too"] and SKLEARN not in before:
            theirs = sklearn_.Counted(K, random_state=seed, max_iter=passes, **priors).fit(sklearn_.prepare(X))
            reached[SKLEARN] = internals.Schedule(theirs.components_, theirs.sweeps_)
        for name, (lam, made) in reached.items():
            elbo.setdefault(name, []).append(internals.elbo_per_token(X, lam, alpha, eta, **config["bound"]))
            sweeps.setdefault(name, []).append(made)
        for name in elbo:
            if name != "ldavi":
                until.setdefault(name, []).append(_sweeps_until(trace, elbo[name][seed] * X.sum()))
    return {
        "cases": [case for name in until for case in _compare(config, where, name, elbo, sweeps, until[name])],
        "notes": [],
    }


def _known(config: dict[str, Any], where: str) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Bounds and sweeps of the schedule, and of scikit-learn, where they were measured before with as many seeds."""
    before = {(case["name"], case["what"]): case["repeats"] for case in config.get("known", [])}
    elbo: dict[str, list[float]] = {}
    sweeps: dict[str, list[float]] = {}
    for name in (SCHEDULE, SKLEARN):
        bounds = before.get((f"{where}: ELBO per token", f"nats above {name}"), {}).get(name, [])
        made = before.get((f"{where}: sweeps, whole fit", f"ldavi / {name}"), {}).get(name, [])
        if len(bounds) == len(made) == config["repeats"]:
            elbo[name], sweeps[name] = bounds, made
    return elbo, sweeps


def _sweeps_until(trace: np.ndarray, elbo: float) -> float:
    """Sweeps per document until the trace was as high; of the whole fit where it never was."""
    above = np.flatnonzero(trace["elbo"] >= elbo)
    return float(trace["n_inner_iter"][: above[0] + 1 if len(above) else None].sum())


def _compare(
    config: dict[str, Any],
    where: str,
    peer: str,
    elbo: dict[str, list[float]],
    sweeps: dict[str, list[float]],
    until: list[float],
) -> list[dict[str, Any]]:
    bounds = {name: elbo[name] for name in ("ldavi", peer)}
    made = {name: sweeps[name] for name in ("ldavi", peer)}
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
        f"{where}: sweeps, whole fit", made, "ldavi", peer, target=config["target"], sense="<=", unit="sweeps"
    )
    early = timing.ratio_case(f"{where}: sweeps, until as high", made | {"ldavi": until}, "ldavi", peer, unit="sweeps")
    return [higher | {"unit": "nats", "digits": 5}, whole, early]
