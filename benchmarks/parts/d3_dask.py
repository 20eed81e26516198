"""D3: a pass on two single-threaded Dask workers against a pass in one thread of this process.

The blocks are persisted on the workers before the fits begin. Both fit the same model alternately. Times of passes are
those of the trace, so preparation (validation, ordering of counts by word) counts only in the whole fits.
"""

import statistics
import time
from typing import Any

import numpy as np

from benchmarks import clusters, timing
from benchmarks.corpora import Corpora

TITLE = "passes over two Dask workers"
THREADS = 2


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    where = f"K={config['n_topics']}, {corpora.describe(config['corpus'])}"
    cases, notes = [], []
    for name, processes in (("processes", True), ("threads", False)):
        target = config["target"] if processes else None
        with clusters.cluster_of(2, processes=processes), clusters.blocks_of(X, config["blocks"]) as A:
            cases += _cases(config, X, clusters.persisted(A), f"2 workers as {name}", where, target)
    notes.append("Workers as threads pass arrays on without copying them: what they gain is what sending costs.")
    return {"cases": cases, "notes": notes}


def _cases(config: dict[str, Any], X: Any, A: Any, name: str, where: str, target: float | None) -> list[dict[str, Any]]:
    import ldavi
    from ldavi.dask import LatentDirichletAllocation

    settings = {"max_iter": config["passes"], "tol": None, "random_state": 0}
    fits = {
        "1 thread": lambda: ldavi.LatentDirichletAllocation(config["n_topics"], **settings).fit(X),
        name: lambda: LatentDirichletAllocation(config["n_topics"], **settings).fit(A),
    }
    whole: timing.Repeats = {key: [] for key in fits}
    phases = {phase: {key: [] for key in fits} for phase in ("warmup", "monotone")}
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
    return [
        timing.ratio_case(f"{what}, {where}", repeats, "1 thread", name, target=target)
        for what, repeats in (
            ("a warm-up pass", phases["warmup"]),
            ("a monotone pass", phases["monotone"]),
            (f"a fit of {config['passes']} passes", whole),
        )
    ]
