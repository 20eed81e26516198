"""Q1: held-out perplexity of `inference="cvb0"` with default parameters against the best of all peers."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "cvb0 against the best of all peers: held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": fits.against_peers(config, corpora), "notes": []}
