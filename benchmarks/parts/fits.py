"""Run, time and evaluate the fits that config.toml names; documents are prepared once for all seeds."""

import statistics
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from benchmarks import adapters, judge, results, timing
from benchmarks.corpora import Corpora

Judge = Callable[[np.ndarray], float]


def judge_of(config: dict[str, Any], held_out: sparse.csr_array) -> Judge:
    """Return the function that computes the perplexity of topics on held-out documents."""
    halves, settings = judge.halve(held_out), config["judge"]
    return lambda topics: judge.perplexity(
        topics, halves, alphas=tuple(settings["alphas"]), burn=settings["burn"], keep=settings["keep"]
    )


class Fitted(NamedTuple):
    """Topics, (K, V), not necessarily normalised, and the seconds of the fit."""

    seconds: float
    topics: np.ndarray


class Fit:
    """A library with its settings, `config["fits"][name]`, and the documents in the library's own format."""

    def __init__(self, config: dict[str, Any], name: str, X: sparse.csr_array) -> None:
        self._settings = dict(config["fits"][name])
        self._adapter = adapters.load(self._settings.pop("library"))
        self._data, self._n_words = self._adapter.prepare(X), X.shape[1]

    def __call__(self, n_topics: int, seed: int, **more: Any) -> Fitted:
        trained: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings = self._settings | more
            seconds = timing.seconds_of(
                lambda: trained.append(self._adapter.train(self._data, n_topics, seed, **settings))
            )
        return Fitted(seconds, self._adapter.topics(trained[0], self._n_words))


def each(
    config: dict[str, Any], names: Iterable[str], X: sparse.csr_array, n_topics: int, **more: Any
) -> Iterator[tuple[str, Fitted]]:
    """Yield every fit with every seed; those in `config["once"]` with one."""
    names = list(names)
    for name in names:  # a missing library raises before the first fit
        adapters.load(config["fits"][name]["library"])
    for name in names:
        fit = Fit(config, name, X)
        for seed in range(1 if name in config.get("once", ()) else config["repeats"]):
            yield name, fit(n_topics, seed, **more)


class Runs(NamedTuple):
    """Seconds and perplexities of a fit with several seeds."""

    seconds: list[float]
    perplexity: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.perplexity)


def where(config: dict[str, Any], corpora: Corpora) -> str:
    """Return the prefix of the names of a part's cases on one corpus."""
    return f"{corpora.describe(config['corpus'])} K={config['n_topics']}"


def judged(config: dict[str, Any], corpora: Corpora, names: list[str]) -> dict[str, Runs]:
    """Run every fit with every seed on the part's corpus; results of peers in `config["known"]` are reused."""
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity = judge_of(config, held_out)
    earlier = results.reusable(config.get("known", []), where(config, corpora), config["peers"], config["repeats"])
    runs = {name: Runs(case["values"], case["perplexity"][name]) for name, case in earlier.items()}
    for name, fitted in each(config, [name for name in names if name not in runs], X, config["n_topics"]):
        of_name = runs.setdefault(name, Runs([], []))
        of_name.seconds.append(fitted.seconds)
        of_name.perplexity.append(perplexity(fitted.topics))
    return {name: runs[name] for name in names}


def cases(prefix: str, runs: dict[str, Runs]) -> list[dict[str, Any]]:
    """Return a case for each fit: its seconds, with its perplexities."""
    return [
        timing.value_case(f"{prefix}: {name}", of_name.seconds, "s", perplexity={name: of_name.perplexity})
        for name, of_name in runs.items()
    ]


def against_peers(config: dict[str, Any], corpora: Corpora) -> list[dict[str, Any]]:
    """Return cases for Q1, Q3, Q5 and Q9: `ours` against the peer of the lowest median perplexity, then every fit."""
    here = where(config, corpora)
    runs = judged(config, corpora, [config["ours"], *config["peers"], *config.get("once", ())])
    return [comparison(config, here, runs), *cases(here, runs)]


def comparison(config: dict[str, Any], here: str, runs: dict[str, Runs]) -> dict[str, Any]:
    """Return the case that compares `ours` with the peer of the lowest median perplexity."""
    ours, best = config["ours"], min(config["peers"], key=lambda name: runs[name].median)
    return timing.value_case(
        here,
        [value / runs[best].median for value in runs[ours].perplexity],
        f"perplexity, {ours} / best peer",
        target=config["target"],
        sense="<=",
        perplexity={name: runs[name].median for name in (ours, best)},
    )
