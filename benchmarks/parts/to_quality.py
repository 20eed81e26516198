"""How much sooner ldavi reaches the quality at which a peer ends: what S4 and S5 share.

Each turn has its own seed. The peer is timed to its end and its topics are judged; the first of ldavi's passes that
predicts as well is found without a clock, then the fit is timed up to that pass.
"""

from collections.abc import Callable
from typing import Any

from scipy import sparse

from benchmarks import adapters, judge, timing
from benchmarks.adapters import ldavi_

Judge = Callable[[Any], float]


def judge_of(config: dict[str, Any], held_out: sparse.csr_array) -> Judge:
    halves, settings = judge.halve(held_out), config["judge"]
    return lambda topics: judge.perplexity(
        topics, halves, alphas=tuple(settings["alphas"]), burn=settings["burn"], keep=settings["keep"]
    )


def compare(
    config: dict[str, Any], library: str, peer_data: Any, X: sparse.csr_array, perplexity: Judge, name: str
) -> dict[str, Any]:
    adapter, n_topics = adapters.load(library), config["n_topics"]
    short = library.rstrip("_")
    seconds: timing.Repeats = {short: [], "ldavi": []}
    quality: dict[str, list[float]] = {short: [], "ldavi": [], "passes of ldavi": []}
    for seed in range(config["repeats"]):
        fitted: list[Any] = []
        seconds[short].append(timing.seconds_of(lambda s=seed, f=fitted: f.append(_train(adapter, peer_data, config, s))))
        target = perplexity(adapter.topics(fitted[0], X.shape[1]))
        passes, reached = first_pass(X, n_topics, seed, perplexity, target, config["most_passes"])
        seconds["ldavi"].append(
            timing.seconds_of(lambda s=seed, p=passes: ldavi_.train_passes(X, n_topics, s, p))  # untimed before: the search
        )
        for key, value in ((short, target), ("ldavi", reached), ("passes of ldavi", passes)):
            quality[key].append(value)
    reached_all = all(ours <= theirs for ours, theirs in zip(quality["ldavi"], quality[short], strict=True))
    case = timing.ratio_case(name, seconds, short, "ldavi", target=config["target"], perplexity=quality)
    return case | {"met": case["met"] and reached_all, "reached": reached_all}


def _train(adapter: Any, data: Any, config: dict[str, Any], seed: int) -> Any:
    return adapter.train(data, config["n_topics"], seed, **config["peer"])


def first_pass(
    X: sparse.csr_array, n_topics: int, seed: int, perplexity: Judge, target: float, most: int
) -> tuple[int, float]:
    """The first pass whose topics predict at least as well as `target`, else the last tried; and how well."""
    reached = float("inf")
    for passes in range(1, most + 1):
        model = ldavi_.train_passes(X, n_topics, seed, passes)
        reached = perplexity(model.topics_)
        if reached <= target:
            return passes, reached
    return most, reached
