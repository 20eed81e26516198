"""S7: time of a pass with ten times as many topics, and held-out perplexity of both fits.

Both fits run at the same time and alternate pass by pass. Passes of the warm-up (cold start of every document) and of
the monotone phase (warm start from the γ of the previous pass) are separate cases. The first pass, which includes the
preparation, is omitted.
"""

from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.adapters import ldavi_
from benchmarks.corpora import Corpora
from benchmarks.parts import fits
from benchmarks.parts.lockstep import in_lockstep

TITLE = "K=1000 against K=100, one pass"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity = fits.judge_of(config, held_out)

    def fit(n_topics: int) -> Any:
        return lambda callback: ldavi_.train(X, n_topics, 0, max_iter=config["passes"], tol=None, callbacks=callback)

    names = [f"K={n_topics}" for n_topics in config["n_topics"]]
    models, seconds = in_lockstep({name: fit(K) for name, K in zip(names, config["n_topics"], strict=True)})
    quality = {name: perplexity(model.topics_) for name, model in models.items()}
    few, many = names
    cases = []
    phases = models[few].elbo_trace_["phase"]
    for phase in ("warmup", "monotone"):
        passes = [i for i in np.flatnonzero(phases == phase) if i > 0]
        repeats = {name: [seconds[name][i] for i in passes] for name in names}
        name = f"{phase} pass, {corpora.describe(config['corpus'])}"
        cases.append(
            timing.ratio_case(name, repeats, many, few, target=config["target"], sense="<=", perplexity=quality)
        )
    notes = [
        "Equal quality means: with and without the skipping of topics that carry no mass, perplexity within 0.3 %; "
        "where nothing is skipped there is one perplexity per K, given with each case."
    ]
    return {"cases": cases, "notes": notes}
