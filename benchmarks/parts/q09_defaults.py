"""Q9: seconds and held-out perplexity of each library with its defaults, but for the number of topics, and others."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "default settings of each library: held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": fits.against_peers(config, corpora), "notes": []}
