"""Compare defaults that affect the quality of topics by held-out perplexity, as a median over seeds.

python -m benchmarks.defaults --data DIR --corpora bbc_news ap 20ng --topics 20 50 100 \\
    --out benchmarks/results/defaults.json
python -m benchmarks.defaults --report benchmarks/results/defaults.json

Each result is written as soon as it is measured. Results that the file already contains are not measured again.
"""

import argparse
import contextlib
import itertools
import json
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import corpora, judge
from ldavi import LatentDirichletAllocation

INITIALIZATIONS = "random", "anchor words"
FIXED = {"doc_topic_prior": 0.1, "topic_word_prior": 0.05}
# name: (parameters of the estimator, constants of the package to replace).
# Result files and docs/development/defaults.md contain the names, which therefore must not change. In them, "offset" is
# the digamma offset of the warm-up, "sweeps" are inner iterations, "from noise" is init="random", "kept above" is the
# minimum share of a deterministic topic, "visits" are the updates of assignments, and "in full" is a weight of 1.
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vb": ({}, {}),
    "vb, priors .1 and .05": (FIXED, {}),
    "vb, priors .05 and .02": ({"doc_topic_prior": 0.05, "topic_word_prior": 0.02}, {}),
    "vb, priors 1/K": ({"doc_topic_prior": None, "topic_word_prior": None}, {}),
    "vb, no offset": ({}, {"ldavi._estimator.settings.WARMUP_DIGAMMA_OFFSET": 0.0}),
    "vb, no warm-up": ({}, {"ldavi._estimator.settings.WARMUP_PASSES": dict.fromkeys(INITIALIZATIONS, 0)}),
    "vb, 10 warm-up passes": ({}, {"ldavi._estimator.settings.WARMUP_PASSES": dict.fromkeys(INITIALIZATIONS, 10)}),
    "vb, 20 warm-up passes": ({}, {"ldavi._estimator.settings.WARMUP_PASSES": dict.fromkeys(INITIALIZATIONS, 20)}),
    "vb, 10 sweeps in the warm-up": ({}, {"ldavi._estimator.settings.WARMUP_INNER_ITER": 10}),
    "vb after cvb0": ({"n_collapsed_iter": 15}, {}),
    "vb, memoized": ({"learning_method": "memoized"}, {}),
    "vb, online": ({"learning_method": "online", "max_iter": 20, "tol": None}, {}),
    "vb, online, no offset": (
        {"learning_method": "online", "max_iter": 20, "tol": None},
        {"ldavi._estimator.settings.WARMUP_DIGAMMA_OFFSET": 0.0},
    ),
    "cvb0": ({"inference": "cvb0"}, {}),
    "cvb0, priors .1 and .05": ({"inference": "cvb0", **FIXED}, {}),
    "cvb0, visits with the priors of the topics": (
        {"inference": "cvb0"},
        {"ldavi._inference.cvb0.smoothed_priors": lambda priors, settings, t: priors},
    ),
    "cvb0, α from .1": ({"inference": "cvb0"}, {"ldavi._inference.cvb0.LIMITED_ALPHA": float("inf")}),
    "cvb0, evidence for α in full": ({"inference": "cvb0"}, {"ldavi._inference.cvb0.LIMITED_TRUST": 1.0}),
} | {
    f"cvb0, kept above {tau}": ({"inference": "cvb0"}, {"ldavi._inference.cvb0.MIN_SHARE": tau})
    for tau in (0.05, 0.2, 0.5)
}
RANDOM = {"init": "random"}
SETTINGS |= {
    f"{name}, from noise": (parameters | RANDOM, constants)
    for name, (parameters, constants) in SETTINGS.items()
    if "init" not in parameters
}
SETTINGS |= {
    "cvb0, from noise, VB first": (
        {"inference": "cvb0", **RANDOM},
        {"ldavi._estimator.settings.MANY_TOKENS": 0},
    ),
    "cvb0, from noise, without VB": (
        {"inference": "cvb0", **RANDOM},
        {"ldavi._estimator.settings.MANY_TOKENS": float("inf")},
    ),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="directory of NAME.npz (default: the environment variable LDAVI_CORPORA)")
    parser.add_argument(
        "--corpora", nargs="+", default=["bbc_news", "ap", "20ng"], metavar="NAME", help="names of corpora"
    )
    parser.add_argument("--topics", nargs="+", type=int, default=[20, 50, 100], metavar="K", help="numbers of topics")
    parser.add_argument(
        "--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS), metavar="NAME", help="keys of SETTINGS"
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, which begin at 0")
    parser.add_argument("--out", type=Path, help="result file, continued if it exists")
    parser.add_argument("--report", type=Path, metavar="FILE", help="print a result file as Markdown")
    arguments = parser.parse_args()
    if arguments.report:
        print(markdown(json.loads(arguments.report.read_text(encoding="utf-8"))))
        return
    results = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out and arguments.out.exists() else []
    for result in missing_results(arguments, results):
        results.append(result)
        print(result, file=sys.stderr, flush=True)
        if arguments.out:
            arguments.out.write_text(json.dumps(results, indent=0), encoding="utf-8")
    print(markdown(results))


def missing_results(arguments: argparse.Namespace, results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Measure and yield the requested results that are not among `results`."""
    done = {(row["corpus"], row["topics"], row["setting"], row["seed"]) for row in results}
    source = corpora.from_environment(arguments.data, {})
    for name in arguments.corpora:
        X, held_out = source.split(name)
        halves = judge.halve(held_out)
        for case in itertools.product(arguments.topics, arguments.settings, range(arguments.seeds)):
            if (name, *case) not in done:
                n_topics, setting, seed = case
                key = {"corpus": name, "topics": n_topics, "setting": setting, "seed": seed}
                yield key | measure(X, halves, n_topics, setting, seed)


def measure(X: Any, halves: judge.Halves, n_topics: int, setting: str, seed: int) -> dict[str, float]:
    """Fit a model and return its held-out perplexity, its ELBO per token, and the processor seconds of the fit."""
    parameters, constants = SETTINGS[setting]
    model = LatentDirichletAllocation(n_topics, random_state=seed, **parameters)
    started = time.process_time()
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        for name, value in constants.items():
            stack.enter_context(mock.patch(name, value))
        model.fit(X)
    seconds = time.process_time() - started
    return {
        "perplexity": round(judge.perplexity(model.topics_, halves), 1),
        "elbo": round(model.elbo_ / float(X.sum()), 4),
        "seconds": round(seconds, 2),
    }


def markdown(results: list[dict[str, Any]]) -> str:
    """Return a table of perplexity and processor seconds, with a column per corpus and number of topics."""
    columns = list(dict.fromkeys((row["corpus"], row["topics"]) for row in results))
    settings = list(dict.fromkeys(row["setting"] for row in results))
    lines = [
        "| setting | " + " | ".join(f"{name} {k}" for name, k in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for setting in settings:
        cells = []
        for name, k in columns:
            rows = [row for row in results if (row["corpus"], row["topics"], row["setting"]) == (name, k, setting)]
            cells.append(_cell(rows))
        lines.append(f"| {setting} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(rows: list[dict[str, Any]]) -> str:
    """Return the median perplexity and seconds of one cell over its seeds."""
    if not rows:
        return ""
    perplexity, seconds = (statistics.median(row[name] for row in rows) for name in ("perplexity", "seconds"))
    return f"{perplexity:.0f} ({seconds:.1f} s)"


if __name__ == "__main__":
    main()
