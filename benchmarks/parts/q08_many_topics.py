"""Q8: `inference="cvb0"` with hundreds of topics: time to topica's best perplexity, and memory per stored count of X.

The size of `arrays` arrays of shape (K, V) is subtracted from the peak. The remainder, which includes γ of the last
pass, of shape (D, K), is divided by the number of counts. A second fit with half the topics separates the part that
does not grow with K.
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
    """Return the cases of the peak memory."""
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
            target=config["max_bytes"],
            sense="<=",
        ),
        timing.value_case(f"{where}: what does not grow with K", (by_counts / X.nnz).tolist(), what),
        timing.value_case(
            f"{where}: what grows with K, but γ", ((2 * (many - few) - gamma) / unit).tolist(), "(K, V) arrays"
        ),
        timing.value_case(f"{where}: everything", (many / 2**20).tolist(), "MiB", digits=4),
    ]
