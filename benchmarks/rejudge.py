"""Compute perplexities of recorded fits again, after a change of an adapter or of the judge; times stay as measured.

python -m benchmarks.rejudge ap "tomotopy 500" "topica cvb0 150" --data DIR [--results benchmarks/results]

Fits run with the recorded seeds and settings, so that their topics are those that were timed if the library returns the
same topics in every run; tomotopy does not. Perplexities do not depend on the load of the machine; times do, so this
script may run while other programs do. In the result files of Q1, Q3 and Q5, the perplexities of the case are replaced,
and `judged` records the date and the perplexities before; the comparison with the best peer is computed from the new
values. For Q6, the argument is Q6 instead of a corpus:

python -m benchmarks.rejudge Q6 "tomotopy 500"
"""

import argparse
import datetime
import itertools
import statistics
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks import corpora, results, settings, timing
from benchmarks.parts import fits, q06_known_topics

PARTS = ("Q1", "Q3", "Q5")  # whose cases are complete fits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="name of a corpus, or Q6")
    parser.add_argument("fits", nargs="+", metavar="FIT", help="names of fits in config.toml")
    parser.add_argument("--data", help="directory of NAME.npz (default: LDAVI_CORPORA)")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"), help="directory of result files")
    arguments = parser.parse_args()
    if arguments.corpus == "Q6":
        replace_gaps(arguments.results / "Q6.json", arguments.fits)
        return
    for name in arguments.fits:
        recorded = [part for part in PARTS if _is_peer(part, arguments.corpus, name)]
        if not recorded:
            parser.error(f"FIT {name!r} is not a peer of {', '.join(PARTS)} on {arguments.corpus}; see config.toml")
        perplexities = _perplexities(arguments, recorded, name)
        print(f"{arguments.corpus}, {name}: {perplexities}", file=sys.stderr, flush=True)
        for part in recorded:
            replace(arguments.results / f"{part}.json", part, arguments.corpus, name, perplexities)


def _is_peer(part: str, corpus: str, name: str) -> bool:
    """Return whether a part runs the fit on the corpus."""
    measured = settings.corpora_of(part, quick=False)
    return corpus in measured and name in settings.load(part, quick=False, corpus=corpus)["peers"]


def _perplexities(arguments: argparse.Namespace, recorded: list[str], name: str) -> list[float]:
    """Run a fit with as many seeds as the parts use, and return its perplexities."""
    configs = [settings.load(part, quick=False, corpus=arguments.corpus) for part in recorded]
    config = max(configs, key=lambda candidate: candidate["repeats"])
    X, held_out = corpora.from_environment(arguments.data, config["shapes"]).split(arguments.corpus)
    perplexity = fits.judge_of(config, held_out)
    with threadpool_limits(1):
        return [perplexity(fitted.topics) for _, fitted in fits.each(config, [name], X, config["n_topics"])]


def replace(path: Path, part: str, corpus: str, name: str, perplexities: list[float]) -> None:
    """Write perplexities of a fit into the case of a result file, and update the comparison with the best peer."""
    config = settings.load(part, quick=False, corpus=corpus)
    collected = results.read(path, quick=False)
    cases = {case["name"]: case for case in collected["parts"][part]["cases"]}
    here = f"{corpus} K={config['n_topics']}"
    case = cases[f"{here}: {name}"]
    before = case.get("judged", {}).get("before", case["perplexity"][name])
    case["perplexity"] = {name: perplexities[: len(before)]}
    case["judged"] = {"date": datetime.date.today().isoformat(), "before": before}
    names = [config["ours"], *config["peers"]]
    runs = {fit: fits.Runs([], cases[f"{here}: {fit}"]["perplexity"][fit]) for fit in names}
    cases[here].update(fits.comparison(config, here, runs), judged={"date": case["judged"]["date"]})
    results.write(path, collected)


def replace_gaps(path: Path, names: list[str]) -> None:
    """Compute the gaps of fits in Q6 again, and the comparison with the best peer."""
    config = settings.load("Q6", quick=False)
    gaps: dict[str, list[list[float]]] = {name: [] for name in names}
    for seed in range(config["drawn"]):
        corpus = q06_known_topics.drawn_corpus(config, seed)
        perplexity = fits.judge_of(config, corpus.held_out)
        true = perplexity(corpus.topics)
        for name in names:
            found = fits.each(config, [name], corpus.X, config["n_topics"])
            gaps[name].append([perplexity(fitted.topics) - true for _, fitted in found])
            print(f"Q6, {name}, corpus {seed}: {gaps[name][-1]}", file=sys.stderr, flush=True)
    collected = results.read(path, quick=False)
    part = collected["parts"]["Q6"]
    today = datetime.date.today().isoformat()
    for case in part["cases"]:
        if case["name"] in gaps:
            values = [value for of_corpus in gaps[case["name"]] for value in of_corpus]
            case["judged"] = {"date": today, "before": case.get("judged", {}).get("before", case["values"])}
            case |= timing.value_case(case["name"], values, "gap", by_corpus=gaps[case["name"]])
    everything = {case["name"]: case["by_corpus"] for case in part["cases"] if "by_corpus" in case}
    best = min(config["peers"], key=lambda name: statistics.median(itertools.chain(*everything[name])))
    ratios = [q06_known_topics.ratio(config, everything, ours, best) for ours in config["ours"]]
    part["cases"][: len(ratios)] = [case | {"judged": {"date": today}} for case in ratios]
    results.write(path, collected)


if __name__ == "__main__":
    main()
