"""D4: kill a worker (SIGKILL) in each of three passes, and compare the topics with those of an undisturbed fit."""

import time
from typing import Any

import numpy as np

from benchmarks import clusters, timing
from benchmarks.corpora import Corpora

TITLE = "a worker dies in each of three passes"
THREADS = 2


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    from ldavi.dask import LatentDirichletAllocation

    X, _ = corpora.split(config["corpus"], config["judged_documents"])
    where = f"K={config['n_topics']}, {corpora.describe(config['corpus'])}"
    seconds, models = {}, {}
    with clusters.cluster_of(2) as (cluster, client), clusters.blocks_of(X, config["blocks"]) as A:
        A = clusters.persisted(A)
        remaining = list(config["killed_after"])

        def kill(record: Any) -> None:
            if remaining and record.iteration == remaining[0]:  # the next pass has begun
                clusters.kill_a_worker(cluster, client, len(remaining))
                remaining.pop(0)

        for name, callbacks in (("undisturbed", None), ("disturbed", kill)):
            started = time.perf_counter()
            models[name] = LatentDirichletAllocation(
                config["n_topics"],
                max_iter=config["passes"],
                tol=None,
                random_state=0,
                dtype="float64",
                callbacks=callbacks,
            ).fit(A)
            seconds[name] = time.perf_counter() - started
    one, other = (models[name].topics_ for name in ("undisturbed", "disturbed"))
    worst = float(np.max(np.abs(one - other) / one.max(axis=1, keepdims=True)))
    what = "largest difference of topics, as a share of a topic's largest probability"
    case = timing.value_case(
        f"deaths in passes {config['killed_after']}, {where}", [worst], what, target=1e-6, sense="<="
    )
    return {
        "cases": [case | {"same_bits": bool((one == other).all()), "seconds": seconds, "left": len(remaining)}],
        "notes": [],
    }
