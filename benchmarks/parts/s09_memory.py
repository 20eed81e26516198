"""S9: peak memory of a fit in addition to X, in units of a (K, V) array of float32.

The size of γ, of shape (D, K), is subtracted. A second fit with half the topics separates the memory that grows with X
but not with K (the canonical copy of X, the order of its counts by word).
"""

from typing import Any

from benchmarks import timing
from benchmarks.corpora import Corpora
from benchmarks.parts import memory
from benchmarks.parts.memory import ITEM

TITLE = "peak memory of fit beyond X"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    K = config["n_topics"]
    n_docs, n_words = corpora.load(config["corpus"]).shape
    peaks: dict[int, list[float]] = {K: [], K // 2: []}
    for _ in range(config["repeats"]):
        for n_topics, values in peaks.items():
            values.append(memory.peak_of_fit(corpora, config["corpus"], n_topics, config["passes"]))
    unit, gamma = K * n_words * ITEM, n_docs * K * ITEM
    where = f"{corpora.describe(config['corpus'])} K={K}"
    beyond = [(peak - gamma) / unit for peak in peaks[K]]
    slope = [2 * (a - b) / unit - gamma / unit for a, b in zip(peaks[K], peaks[K // 2], strict=True)]
    cases = [
        timing.value_case(f"{where}: all but γ", beyond, "(K, V) arrays", target=config["target"], sense="<="),
        timing.value_case(
            f"{where}: what grows with K, but γ", slope, "(K, V) arrays", target=config["target"], sense="<="
        ),
        timing.value_case(f"{where}: everything", [peak / unit for peak in peaks[K]], "(K, V) arrays"),
        timing.value_case(f"{where}: everything", [peak / 2**20 for peak in peaks[K]], "MiB"),
    ]
    return {"cases": cases, "notes": [f"γ itself is {gamma / unit:.2f} (K, V) arrays; bytes by K: {peaks}"]}
