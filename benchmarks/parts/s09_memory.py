"""S9: peak memory of a fit beyond X, in units of a (K, V) array of float32.

Each measurement is a process of its own: X is loaded, then the fit's highest resident size is compared with the size just
before. γ, of shape (D, K), is told apart by arithmetic. What else grows with X and not with K (its canonical copy, the
order of its words) is told apart by a second fit with half the topics.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import timing
from benchmarks.corpora import Corpora

TITLE = "peak memory of fit beyond X"
ITEM = 4  # bytes of a float32


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    K = config["n_topics"]
    n_docs, n_words = corpora.load(config["corpus"]).shape
    peaks: dict[int, list[float]] = {K: [], K // 2: []}
    for _ in range(config["repeats"]):
        for n_topics, values in peaks.items():
            values.append(_in_a_process(config, corpora, n_topics))
    unit, gamma = K * n_words * ITEM, n_docs * K * ITEM
    where = f"{corpora.describe(config['corpus'])} K={K}"
    beyond = [(peak - gamma) / unit for peak in peaks[K]]
    slope = [2 * (a - b) / unit - gamma / unit for a, b in zip(peaks[K], peaks[K // 2], strict=True)]
    cases = [
        timing.value_case(f"{where}: all but γ", beyond, "(K, V) arrays", target=config["target"], sense="<="),
        timing.value_case(f"{where}: what grows with K, but γ", slope, "(K, V) arrays", target=config["target"], sense="<="),
        timing.value_case(f"{where}: everything", [peak / unit for peak in peaks[K]], "(K, V) arrays"),
        timing.value_case(f"{where}: everything", [peak / 2**20 for peak in peaks[K]], "MiB"),
    ]
    return {"cases": cases, "notes": [f"γ itself is {gamma / unit:.2f} (K, V) arrays; bytes by K: {peaks}"]}


def _in_a_process(config: dict[str, Any], corpora: Corpora, n_topics: int) -> float:
    settings = {
        "directory": str(corpora.directory) if corpora.directory else None,
        "shapes": corpora.shapes,
        "corpus": config["corpus"],
        "passes": config["passes"],
        "n_topics": n_topics,
    }
    command = [sys.executable, "-m", "benchmarks.parts.s09_memory"]
    done = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=True)
    return float(done.stdout)


def _measure(settings: dict[str, Any]) -> float:
    """Bytes by which the fit's highest resident size exceeds the size before it."""
    from benchmarks.adapters import ldavi_

    directory = settings["directory"]
    X = Corpora(Path(directory) if directory else None, settings["shapes"]).load(settings["corpus"])
    ldavi_.train(X[:20], 2, 0, max_iter=2, tol=None)  # whatever is imported or allocated once
    before = _resident()
    _forget_highest()
    ldavi_.train(X, settings["n_topics"], 0, max_iter=settings["passes"], tol=None)
    return float(_highest() - before)


def _forget_highest() -> None:
    """On Linux the kernel can be told to; elsewhere loading X has to have taken less than the fit will."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def _resident() -> int:
    return _status("VmRSS") if sys.platform == "linux" else _highest()


def _highest() -> int:
    if sys.platform == "linux":
        return _status("VmHWM")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


def _status(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{field}:")[1].split()[0])


if __name__ == "__main__":
    print(_measure(json.loads(sys.stdin.read())))
