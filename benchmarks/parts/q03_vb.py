"""Q3: held-out perplexity of variational Bayes with default parameters against the best peer with the same method."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "VB against the best VB peer: held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": fits.against_peers(config, corpora), "notes": []}
