"""S4: a fit to the perplexity at which scikit-learn's ends. It computes integers in float64, so float32 is timed too."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits, to_quality

TITLE = "fit to scikit-learn's quality"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, n_topics = fits.judge_of(config, held_out), config["n_topics"]
    lengths = range(1, config["most_passes"] + 1)
    cases = []
    for dtype in config["peer_dtypes"]:
        name = f"{corpora.describe(config['corpus'])} K={n_topics}, scikit-learn given {dtype}"
        peers = {config["peer"]: fits.Fit(config, config["peer"], X.astype(dtype))}
        cases.append(to_quality.compare(config, peers, X, perplexity, name, n_topics=n_topics, lengths=lengths))
    return {"cases": cases, "notes": []}
