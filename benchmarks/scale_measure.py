"""Measurements of a machine for the model of `benchmarks.scale_model`, and of fits that the model predicts.

Rates of one core: multiply-adds of the inner loop in cache, bytes of a triad by the size of its arrays, and other costs
of the E-step and the M-step, on random documents. The network: arrays through a dask cluster of two processes on the
loopback interface.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import internals, timing
from benchmarks.corpora import Corpora, drawn

REPEATS = 5
SHARE = 0.99  # of the mass of a document or a word: the topics with the largest masses that reach it are counted
TRIADS = {"l2": 2**19, "l3": 2**23, "memory": 2**29}  # bytes of three arrays together
SIZES = (2**10, 2**14, 2**18, 2**20, 2**22, 2**24, 2**26)  # bytes sent through the network


def _seconds(job: Callable[[], object]) -> float:
    """Return the minimum processor time in seconds, which other processes increase less than wall-clock time."""
    seconds = []
    for _ in range(REPEATS + 1):
        started = time.process_time()
        job()
        seconds.append(time.process_time() - started)
    return min(seconds[1:])


def rates() -> dict[str, float]:
    """Return the rates of one core per second."""
    found = {f"triad_{level}": _triad(size) for level, size in TRIADS.items()}
    return found | {"lanes": _lanes(), "topic_sweep": _topic_sweep(), "m_step": _m_step()} | _of_documents()


def _triad(n_bytes: int) -> float:
    """Return bytes per second of a = b + s c: NumPy writes a twice and reads it once, so five arrays pass."""
    n = n_bytes // 24
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    times = max(1, 2**28 // n_bytes)

    def job() -> None:
        for _ in range(times):
            np.multiply(c, 3.0, out=a)
            np.add(a, b, out=a)

    return 5 * 8 * n * times / _seconds(job)


def _e_step(n_docs: int, length: int, n_topics: int, sweeps: int) -> tuple[internals.EStep, float]:
    """Return an E-step over all topics of documents with the same `length` words, and its seconds."""
    indices = np.tile(np.arange(length, dtype=np.int32), n_docs)
    counts = np.random.default_rng(0).integers(1, 4, len(indices)).astype(np.float32)
    X = sparse.csr_array((counts, indices, np.arange(0, len(indices) + 1, length)), shape=(n_docs, length))
    estep = internals.EStep(X, _lam(length, n_topics), 0.1, sweeps, np.float32, dense=True)
    return estep, _seconds(estep)


def _lam(n_words: int, n_topics: int) -> np.ndarray:
    return np.random.default_rng(1).random((n_words, n_topics), np.float32) * 10 + np.float32(0.05)


def _lanes() -> float:
    """Return multiply-adds per second, two for each (word, topic, inner iteration), as in S1."""
    estep, seconds = _e_step(500, 100, 128, 20)
    return 2 * estep.elements / seconds


def _topic_sweep() -> float:
    """Return seconds of a (document, topic, inner iteration) without its words: digammas of γ, sums, stopping rule."""
    few, many = (_e_step(500, length, 500, 10)[1] for length in (8, 40))
    return max(0.0, (few - (many - few) / 4) / (500 * 500 * 10))


def _of_documents() -> dict[str, float]:
    """Return costs of an E-step besides inner iterations, on documents with word frequencies of text, by differences.

    `first_rows`: bytes per second of rows of B that a document reads for the first time. `statistic`: seconds of a
    (count, topic) for S. `topic_bound` and `count_bound`: seconds of a (document, topic) and of a count for the bound.
    """
    X = drawn(12_000, 20_000, 140)
    bounds = {}
    for n_topics in (32, 128):
        lam = _lam(X.shape[1], n_topics)
        one, six = (internals.EStep(X, lam, 0.1, sweeps, np.float32, dense=True) for sweeps in (1, 6))
        once, often = _seconds(one), _seconds(six)
        with_bound, with_statistics = _seconds(one.with_bound), _seconds(one.with_statistics)
        bounds[n_topics] = max(with_bound - once, 0.0)
    first = max(once - (often - once) / 5, 1e-9)
    n_counts, n_docs = X.nnz, X.shape[0]
    topic_bound = max(bounds[128] - bounds[32], 0.0) / (96 * n_docs)
    return {
        "first_rows": 4 * one.elements / first,
        "statistic": max(with_statistics - once, 0.0) / one.elements,
        "topic_bound": topic_bound,
        "count_bound": max(bounds[128] - 128 * n_docs * topic_bound, 0.0) / n_counts,
    }


def _m_step() -> float:
    """Return seconds of an entry of λ: digamma, exponential, lnΓ."""
    from ldavi._core.records import Priors, aligned_zeros
    from ldavi._core.threads import Workers
    from ldavi._inference.m_step import WordPriors, m_step, topics_from

    priors = Priors(np.full(128, 0.1), np.full((1, 1), 0.05))
    rows = aligned_zeros((8192, 128), np.float32)
    rows[:] = np.random.default_rng(0).gamma(1, 10, rows.shape)
    with Workers(1) as workers:
        topics = topics_from(rows, rows.sum(axis=0, dtype=np.float64), workers, point_estimate=False)
        statistics = rows.copy()

        def job() -> None:
            statistics[:] = rows
            m_step(statistics, topics, WordPriors(priors.eta, np.zeros(128)), workers)

        return _seconds(job) / rows.size


def network() -> dict[str, Any]:
    """Return lines fitted to seconds of moving an array between workers, and from the client to a worker."""
    import dask
    from distributed import Client, LocalCluster

    dask.config.set({"distributed.comm.compression": None})
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **settings) as cluster, Client(cluster) as client:
        first, second = list(client.scheduler_info(n_workers=-1)["workers"])
        between, scattered = {}, {}
        for size in SIZES:
            still, moved, sent = zip(*(_moved(client, size, first, second) for _ in range(2 * REPEATS)), strict=True)
            between[size] = max(min(moved) - min(still), 0.0)  # the least: waits are not the network's
            scattered[size] = min(sent)
    return {"between_workers": _line(between), "scatter": _line(scattered)}


def _moved(client: Any, size: int, first: str, second: str) -> tuple[float, float, float]:
    """Seconds of a call that moves nothing, of one that moves an array between workers, and of one from the client."""
    here = np.arange(size // 8)
    made = client.submit(np.arange, size // 8, workers=[first], pure=False)
    client.submit(len, made, workers=[first], pure=False).result()
    still = timing.seconds_of(lambda: client.submit(len, made, workers=[first], pure=False).result())
    moved = timing.seconds_of(lambda: client.submit(len, made, workers=[second], pure=False).result())
    return still, moved, timing.seconds_of(lambda: client.scatter(here, workers=[first], direct=True, hash=False))


def _line(seconds: dict[int, float]) -> dict[str, Any]:
    """The latency of the smallest arrays, and the bytes per second of the largest beyond it."""
    sizes, times = np.array(list(seconds), float), np.array(list(seconds.values()))
    latency = float(np.median(times[:3]))
    rate = sizes[-1] / (times[-1] - latency)
    return {
        "latency": latency,
        "bytes_per_second": float(rate),
        "seconds": {str(size): seconds[size] for size in seconds},
    }


def fits(data: str, name: str, n_topics: int, passes: int = 16) -> dict[str, float]:
    """Run a fit in its own process: return seconds and inner iterations of a pass of each phase, and bytes beyond X."""
    settings = {"data": data, "name": name, "n_topics": n_topics, "passes": passes}
    command = [sys.executable, "-m", "benchmarks.scale_measure"]
    done = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _fit(settings: dict[str, Any]) -> dict[str, float]:
    import warnings

    from benchmarks.parts.s09_memory import _forget_highest, _highest, _resident
    from ldavi import LatentDirichletAllocation

    warnings.simplefilter("ignore")
    X, held_out = Corpora(Path(settings["data"]), {}).split(settings["name"], 300)
    LatentDirichletAllocation(2, max_iter=2).fit(X[:20])  # for everything that is imported or allocated once
    before = _resident()
    _forget_highest()
    K, passes = settings["n_topics"], settings["passes"]
    clock: list[float] = []
    lda = LatentDirichletAllocation(
        K, max_iter=passes, tol=None, random_state=0, n_jobs=1, callbacks=lambda _: clock.append(time.process_time())
    ).fit(X)
    beyond = _highest() - before
    trace, seconds = lda.elbo_trace_, np.diff(clock, prepend=np.nan)
    found = {"documents": X.shape[0], "words": X.shape[1], "counts": X.nnz, "topics": K, "memory": float(beyond)}
    for phase in ("warmup", "monotone"):
        chosen = np.flatnonzero(trace["phase"] == phase)[
            1:-1
        ]  # the first pass cuts blocks, the last one may learn priors
        found[f"{phase}_seconds"] = float(np.min(seconds[chosen]))
        found[f"{phase}_sweeps"] = float(np.mean(trace["n_inner_iter"][chosen]))
    counts = lda.transform(X[:2000], normalize=False) - lda.doc_topic_prior_
    topics = lda.components_ - lda.topic_word_prior_
    found["topics_of_document"] = _holding(counts)
    found["topics_of_word"] = _holding(topics.T, weights=np.asarray(X.sum(axis=0)).ravel())
    return found | _losses(lda, topics, held_out)


def _losses(lda: Any, counts: np.ndarray, held_out: sparse.csr_array) -> dict[str, float]:
    """Return held-out perplexity with the topics in full, through float16, and with 99 % of the mass of each word."""
    from ldavi.metrics import document_completion

    half = counts.astype(np.float16).astype(np.float32)
    ordered = -np.sort(-counts, axis=0)
    last = (np.cumsum(ordered, axis=0) < SHARE * ordered.sum(axis=0)).sum(axis=0)
    kept = np.where(counts >= np.take_along_axis(ordered, last[None], axis=0), counts, 0)
    forms = {"whole": counts, "half": half, "kept": kept}
    return {
        f"perplexity_{name}": document_completion(
            form + lda.topic_word_prior_, held_out, doc_topic_prior=0.1
        ).perplexity
        for name, form in forms.items()
    }


def _holding(mass: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return how many entries of a row contain nearly all of its mass, as a weighted mean over rows."""
    ordered = -np.sort(-np.maximum(mass, 0), axis=1)
    enough = (np.cumsum(ordered, axis=1) < SHARE * ordered.sum(axis=1, keepdims=True)).sum(axis=1) + 1
    return float(np.average(enough, weights=weights))


if __name__ == "__main__":
    print(json.dumps(_fit(json.load(sys.stdin))))
