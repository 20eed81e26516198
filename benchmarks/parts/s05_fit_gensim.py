"""S5: a fit to the perplexity at which gensim's ends."""

from typing import Any

from benchmarks.adapters import gensim_
from benchmarks.corpora import Corpora
from benchmarks.parts import to_quality

TITLE = "fit to gensim's quality"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity = to_quality.judge_of(config, held_out)
    name = f"{corpora.describe(config['corpus'])} K={config['n_topics']}"
    return {"cases": [to_quality.compare(config, "gensim_", gensim_.prepare(X), X, perplexity, name)], "notes": []}
