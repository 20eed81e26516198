"""Q3: how well topics by variational Bayes predict, everything at its default, against the best peer that does the same."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "VB against the best VB peer: held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": fits.against_peers(config, corpora), "notes": []}
