"""Not in the tables: seconds and held-out perplexity of complete fits of every library."""

from typing import Any

from benchmarks.corpora import Corpora
from benchmarks.parts import fits

TITLE = "every library: seconds and held-out perplexity"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    runs = fits.judged(config, corpora, config["peers"])
    notes = ["one thread each; preparing the documents is not timed"]
    return {"cases": fits.cases(fits.where(config, corpora), runs), "notes": notes}
