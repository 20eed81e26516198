"""Q2: time until `inference="cvb0"` reaches the best perplexity of topica's samplers."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import to_quality

TITLE = "time to topica's best perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": [to_quality.cvb0_to_peers(config, corpora)], "notes": []}
