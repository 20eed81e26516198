"""Q2: how much sooner "cvb0" reaches the best perplexity that topica's samplers reach."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import to_quality

TITLE = "time to topica's best perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": [to_quality.cvb0_to_peers(config, corpora)], "notes": []}
