"""Q8: "cvb0" with hundreds of topics: time to topica's best perplexity, and memory by stored counts of X.

As many (K, V) arrays as `arrays` says are subtracted by arithmetic. Everything else is shared out over the counts, γ of the
last pass, of shape (D, K), too. What does not grow with K is told apart by a second fit with half the topics.
"""

from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.corpora import Corpora
from benchmarks.parts import fits, memory, to_quality

TITLE = "hundreds of topics: time to topica's best perplexity, memory"


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    return {"cases": [*_memory(config, corpora), to_quality.cvb0_to_peers(config, corpora)], "notes": []}


def _memory(config: dict[str, Any], corpora: Corpora) -> list[dict[str, Any]]:
    corpus, K, where = config["corpus"], config["n_topics"], fits.where(config, corpora)
    X = corpora.load(corpus)
    gamma, unit = X.shape[0] * K * memory.ITEM, K * X.shape[1] * memory.ITEM
    few, many = (
        np.array(
            [
                memory.peak_of_fit(corpora, corpus, n_topics, config["memory_passes"], inference="cvb0")
                for _ in range(config["repeats"])
            ]
        )
        for n_topics in (K // 2, K)
    )
    by_counts = 2 * few - many
    what = "bytes per stored count"
    return [
        timing.value_case(
            f"{where}: all but {config['arrays']} (K, V) arrays",
            ((many - config["arrays"] * unit) / X.nnz).tolist(),
            what,
            target=config["most_bytes"],
            sense="<=",
        ),
        timing.value_case(f"{where}: what does not grow with K", (by_counts / X.nnz).tolist(), what),
        timing.value_case(
            f"{where}: what grows with K, but γ", ((2 * (many - few) - gamma) / unit).tolist(), "(K, V) arrays"
        ),
        timing.value_case(f"{where}: everything", (many / 2**20).tolist(), "MiB", digits=4),
    ]
