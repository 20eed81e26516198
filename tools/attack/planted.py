"""Not an attack: attempts that fail in every way, to check that the runner finds each."""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

KINDS = ("passes", "raises", "crashes", "hangs", "exits", "passes again")


def attempt(seed: int, index: int, options: Mapping[str, Any]) -> str:
    """Fail in the way of the index."""
    kind = KINDS[index % len(KINDS)]
    if kind == "raises":
        raise ValueError("planted")
    if kind == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "hangs":
        time.sleep(1000)
    if kind == "exits":
        os._exit(0)
    return kind
