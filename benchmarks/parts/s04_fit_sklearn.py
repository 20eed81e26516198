"""S4: a fit to the perplexity at which scikit-learn's ends. It computes integers in float64, so float32 is timed too."""

from typing import Any

from benchmarks.adapters import sklearn_
from benchmarks.corpora import Corpora
from benchmarks.parts import to_quality

TITLE = "fit to scikit-learn's quality"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity = to_quality.judge_of(config, held_out)
    name = f"{corpora.describe(config['corpus'])} K={config['n_topics']}, scikit-learn given"
    cases = [
        to_quality.compare(config, "sklearn_", sklearn_.prepare(X.astype(dtype)), X, perplexity, f"{name} {dtype}")
        for dtype in config["peer_dtypes"]
    ]
    return {"cases": cases, "notes": []}
