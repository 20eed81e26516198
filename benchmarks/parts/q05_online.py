"""Q5: held-out perplexity after one online pass against the best peer's after one pass."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "one online pass: held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": fits.against_peers(config, corpora), "notes": []}
