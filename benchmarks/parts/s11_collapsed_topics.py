"""S11: time of a collapsed pass per stored count, as the number of topics grows.

Fits with different numbers of topics run at the same time and alternate pass by pass. Only collapsed passes count; the
first two, which include the preparation and a change of representation, are omitted.
"""

from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.adapters import ldavi_
from benchmarks.corpora import Corpora
from benchmarks.parts.lockstep import in_lockstep

TITLE = "Collapsed passes with many topics"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, _ = corpora.split(config["corpus"], config["judged_documents"])

    def fit(n_topics: int) -> Any:
        options = {"inference": "cvb0", "init": "random", "max_iter": config["passes"], "tol": None}
        return lambda callback: ldavi_.train(X, n_topics, 0, callbacks=callback, **options)

    names = [f"K={n_topics}" for n_topics in config["n_topics"]]
    models, seconds = in_lockstep({name: fit(K) for name, K in zip(names, config["n_topics"], strict=True)})
    collapsed = [np.flatnonzero(model.elbo_trace_["phase"] == "collapsed") for model in models.values()]
    n = min(map(len, collapsed)) - 2
    per_count = {
        name: [seconds[name][i] / X.nnz * 1e9 for i in passes[-n:]]
        for name, passes in zip(names, collapsed, strict=True)
    }
    cases = [
        timing.ratio_case(
            f"collapsed pass, ns per stored count, {corpora.describe(config['corpus'])}",
            {name: per_count[name] for name in (many, names[0])},
            many,
            names[0],
            target=target,
            sense="<=",
        )
        for many, target in zip(names[1:], config["targets"], strict=True)
    ]
    return {"cases": cases, "notes": []}
