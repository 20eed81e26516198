"""Read the settings of a part from config.toml."""

import tomllib
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("config.toml")


def load(part: str, *, quick: bool, corpus: str | None = None) -> dict[str, Any]:
    """Return the settings of a part: those of all parts, updated by the part's own, updated by those for the corpus.

    Where a part has `corpora`, the result contains the chosen one as `corpus`, and as `n_topics` the number of topics
    that `corpora` gives for it, if there is one.
    """
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    shared = {name: value for name, value in config.items() if not isinstance(value, dict)}
    shared |= {name: config[name] for name in ("judge", "shapes", "fits")}
    own = dict(config[part])
    small = own.pop("quick", {})
    by_corpus = {name: own.pop(name) for name in config["shapes"] if name in own}
    if quick:
        own |= {"repeats": 2} | small
    if corpus is not None and corpus in own.get("corpora", ()):
        own |= by_corpus.get(corpus, {}) | {"corpus": corpus}
        if isinstance(own["corpora"], dict):
            own["n_topics"] = own["corpora"][corpus]
    return shared | own


def corpora_of(part: str, *, quick: bool) -> list[str | None]:
    """Return the corpora that a part measures; [None] for a part that draws its own."""
    config = load(part, quick=quick)
    return list(config.get("corpora", [config.get("corpus")]))
