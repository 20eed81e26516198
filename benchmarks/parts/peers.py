"""Beyond the table: every library to its own end, with how long it takes and how well its topics predict."""

import warnings
from typing import Any

from benchmarks import adapters, timing
from benchmarks.corpora import Corpora
from benchmarks.parts import to_quality

TITLE = "every library: seconds and held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    cases = []
    for corpus, n_topics in config["corpora"].items():
        X, held_out = corpora.split(corpus, config["judged_documents"])
        perplexity = to_quality.judge_of(config, held_out)
        where = f"{corpora.describe(corpus)} K={n_topics}"
        runs: dict[str, list[tuple[float, float]]] = {}
        for seed in range(config["repeats"]):
            for settings in config["settings"]:
                runs.setdefault(_label(settings), []).append(_one(settings, X, n_topics, seed, perplexity))
        for name, results in runs.items():
            seconds, quality = zip(*results, strict=True)
            more = {"table": "peers", "perplexity": {name: list(quality)}}
            cases.append(timing.value_case(f"{where}: {name}", list(seconds), "s", **more))
    return {"cases": cases, "notes": ["one thread each; preparing the documents is not timed"]}


def _label(settings: dict[str, Any]) -> str:
    shown = ", ".join(f"{key}={value}" for key, value in settings.items() if key != "library")
    return f"{settings['library'].rstrip('_')} {shown}".rstrip()


def _one(settings: dict[str, Any], X: Any, n_topics: int, seed: int, perplexity: to_quality.Judge) -> tuple[float, float]:
    own = {key: value for key, value in settings.items() if key != "library"}
    adapter = adapters.load(settings["library"])
    data, fitted = adapter.prepare(X), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = timing.seconds_of(lambda: fitted.append(adapter.train(data, n_topics, seed, **own)))
    return seconds, perplexity(adapter.topics(fitted[0], X.shape[1]))
