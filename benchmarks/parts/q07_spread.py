"""Q7: how far fits from several seeds lie apart: in perplexity, and in their topics, matched between every two of them."""

import statistics
from typing import Any

from benchmarks import timing
from benchmarks.corpora import Corpora
from benchmarks.parts import fits
from ldavi.metrics import stability

TITLE = "spread over seeds"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, where = fits.judge_of(config, held_out), fits.where(config, corpora)
    topics: dict[str, list[Any]] = {}
    for name, fitted in fits.each(config, [*config["ours"], *config["peers"]], X, config["n_topics"]):
        topics.setdefault(name, []).append(fitted.topics)
    quality = {name: [perplexity(each) for each in of_name] for name, of_name in topics.items()}
    spread = {name: statistics.stdev(values) for name, values in quality.items()}
    cosine = {name: stability(of_name, "cosine").mean for name, of_name in topics.items()}
    least = min(config["peers"], key=lambda name: spread[name])
    most = max(config["peers"], key=lambda name: cosine[name])
    cases = []
    for ours in config["ours"]:
        for values, peer, sense, what in (
            (spread, least, "<=", "standard deviation of perplexity"),
            (cosine, most, ">=", "cosine of matched topics"),
        ):
            case = timing.value_case(
                f"{where}: {ours}", [values[ours] / values[peer]], f"{what} / best peer's", target=1.0, sense=sense
            )
            cases.append(case | {"medians": {name: values[name] for name in (ours, peer)}, "unit": ""})
    for name in topics:
        more = {"perplexity": {name: quality[name]}}
        cases.append(timing.value_case(f"{where}: {name}", [spread[name]], "standard deviation of perplexity", **more))
        cases.append(timing.value_case(f"{where}: {name}", [cosine[name]], "mean cosine of matched topics"))
    return {"cases": cases, "notes": []}
