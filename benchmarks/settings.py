"""config.toml as the parts see it."""

import tomllib
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("config.toml")


def load(part: str, *, quick: bool, corpus: str | None = None) -> dict[str, Any]:
    """The settings that all parts share, over them the part's own, over these what the part has for the corpus.

    `corpora` of a part names its corpora, with the number of topics of each where there is one; a `corpus` of them becomes
    `corpus` and `n_topics`.
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
    """The corpora that a part measures one after another; None for one that makes its own."""
    config = load(part, quick=quick)
    return list(config.get("corpora", [config.get("corpus")]))
