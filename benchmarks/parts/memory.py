"""How much memory a fit takes at its peak: what S9 and Q8 share.

Each measurement is a process of its own: X is loaded, then the fit's highest resident size is compared with the size just
before.
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
    """Bytes beyond X of ldavi's fit of a whole corpus, measured in a process of its own."""
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
    """Bytes by which the fit's highest resident size exceeds the size before it."""
    from benchmarks.adapters import ldavi_

    directory = settings["directory"]
    X = Corpora(Path(directory) if directory else None, settings["shapes"]).load(settings["corpus"])
    ldavi_.train(X[:20], 2, 0, **settings["ours"])  # whatever is imported or allocated once
    before = resident_now()
    forget_highest()
    ldavi_.train(X, settings["n_topics"], 0, **settings["ours"])
    return float(highest() - before)


def forget_highest() -> None:
    """On Linux the kernel can be told to; elsewhere loading X has to have taken less than the fit will."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def resident_now() -> int:
    return _status("VmRSS") if sys.platform == "linux" else highest()


def highest() -> int:
    if sys.platform == "linux":
        return _status("VmHWM")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


def _status(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{field}:")[1].split()[0])


if __name__ == "__main__":
    print(_measure(json.loads(sys.stdin.read())))
