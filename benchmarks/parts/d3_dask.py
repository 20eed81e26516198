"""D3: a pass on two single-threaded Dask workers against a pass in one thread of this process.

The blocks are persisted on the workers before the fits begin. Both fit the same model alternately: variational Bayes,
then CVB0. Times of passes are those of the trace, so preparation (validation, ordering of counts by word) counts only
in the whole fits.
"""

import statistics
import time
from typing import Any

import numpy as np

from benchmarks import clusters, timing
from benchmarks.corpora import Corpora

TITLE = "passes over two Dask workers"
THREADS = 2
KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {  # of fits: parameters, and the phases that are compared
    "VB": ({"n_collapsed_iter": 0}, {"warmup": "a warm-up pass", "monotone": "a monotone pass"}),
    "CVB0": ({"inference": "cvb0"}, {"collapsed": "a collapsed pass"}),
}


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    where = f"K={config['n_topics']}, {corpora.describe(config['corpus'])}"
    cases, notes = [], []
    for name, processes in (("processes", True), ("threads", False)):
        target = config["target"] if processes else None
        with clusters.cluster_of(2, processes=processes), clusters.blocks_of(X, config["blocks"]) as A:
            for kind in KINDS:
                cases += _cases(config, kind, X, clusters.persisted(A), f"2 workers as {name}", where, target)
    notes.append("Workers as threads pass arrays on without copying them: what they gain is what sending costs.")
    return {"cases": cases, "notes": notes}


def _cases(
    config: dict[str, Any], kind: str, X: Any, A: Any, name: str, where: str, target: float | None
) -> list[dict[str, Any]]:
    import ldavi
    from ldavi.dask import LatentDirichletAllocation

    parameters, labels = KINDS[kind]
    settings = {"max_iter": config["passes"], "tol": None, "random_state": 0} | parameters
    fits = {
        "1 thread": lambda: ldavi.LatentDirichletAllocation(config["n_topics"], **settings).fit(X),
        name: lambda: LatentDirichletAllocation(config["n_topics"], **settings).fit(A),
    }
    whole: timing.Repeats = {key: [] for key in fits}
    phases = {phase: {key: [] for key in fits} for phase in labels}
    for repeat in range(config["repeats"] + 1):
        for key, fit in fits.items():
            started = time.perf_counter()
            trace = fit().elbo_trace_
            if not repeat:  # the first turn is not timed
                continue
            whole[key].append(time.perf_counter() - started)
            passes = np.diff(trace["seconds"])
            for phase, seconds in phases.items():
                seconds[key].append(float(statistics.median(passes[trace["phase"][1:] == phase])))
    compared = [(label, phases[phase]) for phase, label in labels.items()]
    return [
        timing.ratio_case(f"{what} of {kind}, {where}", repeats, "1 thread", name, target=target)
        for what, repeats in (*compared, (f"{config['passes']} passes", whole))
    ]
