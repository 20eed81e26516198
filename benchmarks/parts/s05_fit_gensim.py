"""S5: time until ldavi reaches the final perplexity of gensim."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits, to_quality

TITLE = "fit to gensim's quality"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, n_topics = fits.judge_of(config, held_out), config["n_topics"]
    name = f"{corpora.describe(config['corpus'])} K={n_topics}"
    peers = {config["peer"]: fits.Fit(config, config["peer"], X)}
    lengths = range(1, config["max_passes"] + 1)
    return {
        "cases": [to_quality.compare(config, peers, X, perplexity, name, n_topics=n_topics, lengths=lengths)],
        "notes": [],
    }
