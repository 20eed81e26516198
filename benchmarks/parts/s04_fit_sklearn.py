"""S4: time until ldavi reaches the final perplexity of scikit-learn.

scikit-learn computes integer counts in float64, so it is timed with counts in float32 as well.
"""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits, to_quality

TITLE = "fit to scikit-learn's quality"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, n_topics = fits.judge_of(config, held_out), config["n_topics"]
    lengths = range(1, config["max_passes"] + 1)
    cases = []
    for dtype in config["peer_dtypes"]:
        name = f"{corpora.describe(config['corpus'])} K={n_topics}, scikit-learn given {dtype}"
        peers = {config["peer"]: fits.Fit(config, config["peer"], X.astype(dtype))}
        cases.append(to_quality.compare(config, peers, X, perplexity, name, n_topics=n_topics, lengths=lengths))
    return {"cases": cases, "notes": []}
