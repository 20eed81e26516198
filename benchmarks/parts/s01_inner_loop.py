"""S1: the inner loop's share of the peak rate of multiply-adds, and its time per element over a grid of sizes.

An element is one (word, topic, inner iteration): one multiply-add for the norm of φ and one for the sum over words in
γ. Peak and loop are measured alternately, so that both run at the same clock rate. Every inner iteration covers all
topics, without active-set pruning: see `internals.EStep`.
"""

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import internals, timing
from benchmarks.corpora import Corpora
from benchmarks.peak import Peak

TITLE = "inner loop: share of the FMA peak"
FMA_PER_ELEMENT = 2
DTYPES = ("float32", "float64")


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    sets = internals.instruction_sets()
    peak = Peak(sets)
    cases = [_share_of_peak(config, peak, name, dtype, widest=sets[0]) for name in sets for dtype in DTYPES]
    cliffs = config["cliffs"]
    for n_words in cliffs["n_words"]:
        for doc_words in cliffs["doc_words"]:
            for n_topics in cliffs["n_topics"]:
                if internals.bytes_of_topics(n_words, n_topics, np.float32) <= cliffs["largest"]:
                    cases.append(_nanoseconds(cliffs, n_topics, doc_words, n_words, config["repeats"]))
    return {"cases": cases, "notes": ["float64 and the narrower instruction sets have no target of their own"]}


def _share_of_peak(config: dict[str, Any], peak: Peak, name: str, dtype: str, widest: str) -> dict[str, Any]:
    """Compare the multiply-adds per second of the inner loop with the peak of an instruction set."""
    K, length, n_docs = config["n_topics"], config["doc_words"], config["n_documents"]
    estep = _documents(n_docs, length, length, K, config["n_inner_iter"], dtype)
    times = max(1, int(config["elements"] / (3 * estep.elements)))
    lanes = FMA_PER_ELEMENT * estep.elements * times
    speeds: timing.Repeats = {"loop": [], "peak": []}
    with internals.instruction_set(name):
        job = internals.repeated(estep, times)
        job()
        for _ in range(config["repeats"]):
            speeds["peak"].append(peak.lanes_per_second(name, dtype) / 1e9)
            speeds["loop"].append(
                lanes / min(timing.seconds_of(job) for _ in range(3)) / 1e9
            )  # the minimum of three, like the peak
    target = config["target"] if name == widest and dtype == "float32" else None
    return timing.ratio_case(
        f"{name} {dtype} K={K}, {length} words", speeds, "loop", "peak", target=target, unit="G lanes/s"
    )


def _nanoseconds(cliffs: dict[str, Any], n_topics: int, doc_words: int, n_words: int, repeats: int) -> dict[str, Any]:
    """Measure nanoseconds per element, which include the set-up of the E-step."""
    n_docs = max(1, int(cliffs["elements"] / (doc_words * n_topics * cliffs["n_inner_iter"])))
    n_docs = min(n_docs, 4_000_000 // doc_words)
    estep = _documents(n_docs, doc_words, n_words, n_topics, cliffs["n_inner_iter"], "float32")
    times = max(1, int(cliffs["elements"] / estep.elements))
    seconds = timing.take_turns({"ldavi": internals.repeated(estep, times)}, repeats)["ldavi"]
    values = [1e9 * second / (estep.elements * times) for second in seconds]
    name = f"V={n_words}, {doc_words} words, K={n_topics}"
    return timing.value_case(name, values, "ns per (word, topic, sweep)", table="cliffs")


def _documents(n_docs: int, length: int, n_words: int, n_topics: int, n_inner_iter: int, dtype: str) -> internals.EStep:
    """Draw documents of equal length with frequencies of 1 / rank; a word that is drawn twice is stored twice."""
    rng = np.random.default_rng(0)
    nnz = n_docs * length
    indices = np.minimum(n_words ** rng.random(nnz) - 1, n_words - 1).astype(np.int32)
    counts = rng.integers(1, 4, nnz).astype(dtype)
    X = sparse.csr_array((counts, indices, np.arange(0, nnz + 1, length)), shape=(n_docs, n_words))
    lam = rng.random((n_words, n_topics), np.float32) * 10
    lam += 0.05
    return internals.EStep(X, lam, 0.1, n_inner_iter, np.dtype(dtype).type, dense=True)
