"""S8: speed by instruction set, of the E-step and of complete passes of a fit."""

import itertools
from typing import Any

import numpy as np

from benchmarks import internals, timing
from benchmarks.adapters import ldavi_
from benchmarks.corpora import Corpora

TITLE = "AVX-512, AVX2, baseline"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X = corpora.load(config["corpus"])
    K, n_inner_iter, alpha = config["n_topics"], config["n_inner_iter"], config["alpha"]
    where = f"{corpora.describe(config['corpus'])} K={K}"
    lam = ldavi_.train_passes(X, K, 0, config["passes"]).components_
    cases = []
    for dtype in ("float32", "float64"):
        estep = internals.EStep(X, lam.T, alpha, n_inner_iter, np.dtype(dtype).type)
        cases += _compare(config, estep, f"E-step, {where} {dtype}", estep.elements)
        data = X.astype(dtype)
        cases += _compare(
            config, lambda data=data: ldavi_.train_passes(data, K, 0, config["passes"]), f"fit, {where} {dtype}", None
        )
    return {"cases": cases, "notes": []}


def _compare(config: dict[str, Any], job: Any, name: str, elements: int | None) -> list[dict[str, Any]]:
    """Compare each instruction set with the next wider one; the target is for AVX2 as a share of AVX-512."""

    def on(instruction_set: str) -> Any:
        def run_on() -> None:
            with internals.instruction_set(instruction_set):
                job()

        return run_on

    sets = internals.instruction_sets()
    seconds = timing.take_turns({each: on(each) for each in sets}, config["repeats"])
    more: dict[str, Any] = {}
    if elements is not None:
        more["elements_per_second"] = {each: elements / second for each, second in timing.medians(seconds).items()}
    cases = []
    for wide, narrow in itertools.pairwise(sets):
        target = config["target"] if narrow == "avx2" else None  # seconds of wide / narrow = speed of narrow / wide
        cases.append(
            timing.ratio_case(
                f"{name}: speed of {narrow} as a share of {wide}", seconds, wide, narrow, target=target, **more
            )
        )
    return cases
