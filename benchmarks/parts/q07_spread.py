"""Q7: variation over seeds: of the perplexity, and of the topics, matched between every two fits."""

import statistics
from typing import Any

from benchmarks import timing
from benchmarks.corpora import Corpora
from benchmarks.parts import fits
from ldavi.metrics import stability

TITLE = "spread over seeds"
SPREAD, COSINE = "standard deviation of perplexity", "mean cosine of matched topics"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, where = fits.judge_of(config, held_out), fits.where(config, corpora)
    quality, cosine = _reused(config, where)
    names = [*config["ours"], *config["peers"]]
    topics: dict[str, list[Any]] = {}
    for name, fitted in fits.each(config, [name for name in names if name not in quality], X, config["n_topics"]):
        topics.setdefault(name, []).append(fitted.topics)
    quality |= {name: [perplexity(each) for each in of_name] for name, of_name in topics.items()}
    cosine |= {name: stability(of_name, "cosine").mean for name, of_name in topics.items()}
    spread = {name: statistics.stdev(values) for name, values in quality.items()}
    lowest = min(config["peers"], key=lambda name: spread[name])
    highest = max(config["peers"], key=lambda name: cosine[name])
    cases = []
    for ours in config["ours"]:
        for values, peer, sense, what in (
            (spread, lowest, "<=", SPREAD),
            (cosine, highest, ">=", "cosine of matched topics"),
        ):
            case = timing.value_case(
                f"{where}: {ours}", [values[ours] / values[peer]], f"{what} / best peer's", target=1.0, sense=sense
            )
            cases.append(case | {"medians": {name: values[name] for name in (ours, peer)}, "unit": ""})
    for name in names:
        more = {"perplexity": {name: quality[name]}}
        cases.append(timing.value_case(f"{where}: {name}", [spread[name]], SPREAD, **more))
        cases.append(timing.value_case(f"{where}: {name}", [cosine[name]], COSINE))
    return {"cases": cases, "notes": []}


def _reused(config: dict[str, Any], where: str) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return perplexities and mean cosines of peers that were measured earlier with as many seeds."""
    earlier = {(case["name"], case["what"]): case for case in config.get("known", [])}
    quality, cosine = {}, {}
    for name in config["peers"]:
        spread, alike = earlier.get((f"{where}: {name}", SPREAD)), earlier.get((f"{where}: {name}", COSINE))
        if spread and alike and len(spread["perplexity"][name]) == config["repeats"]:
            quality[name], cosine[name] = spread["perplexity"][name], alike["value"]
    return quality, cosine
