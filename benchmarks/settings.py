"""config.toml as the parts see it."""

import tomllib
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).with_name("config.toml")


def load(part: str, *, quick: bool) -> dict[str, Any]:
    """The settings that all parts share, and over them the part's own."""
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    shared = {name: value for name, value in config.items() if not isinstance(value, dict)}
    own = {name: value for name, value in config[part].items() if name != "quick"}
    if quick:
        own |= {"repeats": 2} | config[part].get("quick", {})
    return shared | {"judge": config["judge"], "shapes": config["shapes"]} | own
