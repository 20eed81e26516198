"""Measure the peak memory of a fit, for S9 and Q8.

Each measurement runs in a process of its own: X is loaded, then the highest resident size during the fit is compared
with the size before it.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.corpora import Corpora

ITEM = 4  # bytes of a float32


def peak_of_fit(corpora: Corpora, corpus: str, n_topics: int, passes: int, **ours: Any) -> float:
    """Measure the peak bytes of a fit of ldavi in addition to X, in a process of its own."""
    settings = {
        "directory": str(corpora.directory) if corpora.directory else None,
        "shapes": corpora.shapes,
        "corpus": corpus,
        "n_topics": n_topics,
        "ours": {"max_iter": passes, "tol": None} | ours,
    }
    command = [sys.executable, "-m", "benchmarks.parts.memory"]
    done = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=True)
    return float(done.stdout)


def _measure(settings: dict[str, Any]) -> float:
    """Return the highest resident size during the fit minus the size before it."""
    from benchmarks.adapters import ldavi_

    directory = settings["directory"]
    X = Corpora(Path(directory) if directory else None, settings["shapes"]).load(settings["corpus"])
    ldavi_.train(X[:20], 2, 0, **settings["ours"])  # imports and one-time allocations
    before = resident_now()
    forget_highest()
    ldavi_.train(X, settings["n_topics"], 0, **settings["ours"])
    return float(highest() - before)


def forget_highest() -> None:
    """Reset the highest resident size on Linux; elsewhere the fit must need more memory than loading X did."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def resident_now() -> int:
    """Return the resident size in bytes; outside Linux, the highest one so far."""
    return _status("VmRSS") if sys.platform == "linux" else highest()


def highest() -> int:
    """Return the highest resident size in bytes since the last reset."""
    if sys.platform == "linux":
        return _status("VmHWM")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


def _status(field: str) -> int:
    """Read a size from /proc/self/status, in bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{field}:")[1].split()[0])


if __name__ == "__main__":
    print(_measure(json.loads(sys.stdin.read())))
