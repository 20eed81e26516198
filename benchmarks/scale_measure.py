"""Measure a machine for the model of `benchmarks.scale_costs`, and fits that the model predicts.

The rates of one core are multiply-adds of the inner loop in cache, bytes of a triad by the size of its arrays, and
other costs of the E-step and the M-step, measured on random documents. The network is measured with arrays that are
sent between two processes of a Dask cluster on the loopback interface.
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
from benchmarks.parts.memory import forget_highest, highest, resident_now

REPEATS = 5
SHARE = 0.99  # of the mass of a document or word, that its counted topics must have together
TRIADS = {"l2": 2**19, "l3": 2**23, "memory": 2**29}  # total bytes of the three arrays
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
    """Return the rates and costs of one core, by the fields of `benchmarks.scale_costs.Machine`."""
    triads = {f"triad_{level}": _triad(size) for level, size in TRIADS.items()}
    kernels = {"multiply_adds": _multiply_adds(), "topic_iteration": _topic_iteration(), "m_step": _m_step()}
    return triads | kernels | _document_costs()


def _triad(n_bytes: int) -> float:
    """Return bytes per second of a = b + s c, which NumPy computes in two steps with five accesses per entry."""
    n = n_bytes // 24
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    times = max(1, 2**28 // n_bytes)

    def job() -> None:
        for _ in range(times):
            np.multiply(c, 3.0, out=a)
            np.add(a, b, out=a)

    return 5 * 8 * n * times / _seconds(job)


def _e_step(n_docs: int, length: int, n_topics: int, n_inner_iter: int) -> tuple[internals.EStep, float]:
    """Return an E-step over all topics, of documents that all contain the same `length` words, and its seconds."""
    indices = np.tile(np.arange(length, dtype=np.int32), n_docs)
    counts = np.random.default_rng(0).integers(1, 4, len(indices)).astype(np.float32)
    X = sparse.csr_array((counts, indices, np.arange(0, len(indices) + 1, length)), shape=(n_docs, length))
    estep = internals.EStep(X, _lam(length, n_topics), 0.1, n_inner_iter, np.float32, dense=True)
    return estep, _seconds(estep)


def _lam(n_words: int, n_topics: int) -> np.ndarray:
    """Return random λ, word-major."""
    return np.random.default_rng(1).random((n_words, n_topics), np.float32) * 10 + np.float32(0.05)


def _multiply_adds() -> float:
    """Return multiply-adds per second; S1 also counts two per (word, topic, inner iteration)."""
    estep, seconds = _e_step(500, 100, 128, 20)
    return 2 * estep.elements / seconds


def _topic_iteration() -> float:
    """Return seconds per (document, topic, inner iteration) of work that does not depend on the number of words.

    This work is the digammas of γ, sums and the stopping rule. It is extrapolated to documents without words from
    documents of 8 and 40 words.
    """
    few, many = (_e_step(500, length, 500, 10)[1] for length in (8, 40))
    return max(0.0, (few - (many - few) / 4) / (500 * 500 * 10))


def _document_costs() -> dict[str, float]:
    """Return costs of an E-step in addition to its inner iterations, as differences between E-steps.

    The documents have word frequencies similar to those of text.

    Returns
    -------
    dict
        `first_rows`: bytes per second when a document reads its rows of B for the first time.
        `statistic`: seconds per (count, topic) for S.
        `topic_bound`: seconds per (document, topic) for the bound.
        `count_bound`: seconds per count for the bound.
    """
    X = drawn(12_000, 20_000, 140)
    bounds = {}
    for n_topics in (32, 128):
        lam = _lam(X.shape[1], n_topics)
        single, six = (internals.EStep(X, lam, 0.1, n, np.float32, dense=True) for n in (1, 6))
        single_seconds, six_seconds = _seconds(single), _seconds(six)
        with_bound, with_statistics = _seconds(single.with_bound), _seconds(single.with_statistics)
        bounds[n_topics] = max(with_bound - single_seconds, 0.0)
    first = max(single_seconds - (six_seconds - single_seconds) / 5, 1e-9)
    n_counts, n_docs = X.nnz, X.shape[0]
    topic_bound = max(bounds[128] - bounds[32], 0.0) / (96 * n_docs)
    return {
        "first_rows": 4 * single.elements / first,
        "statistic": max(with_statistics - single_seconds, 0.0) / single.elements,
        "topic_bound": topic_bound,
        "count_bound": max(bounds[128] - 128 * n_docs * topic_bound, 0.0) / n_counts,
    }


def _m_step() -> float:
    """Return seconds of the M-step per entry of λ: digamma, exponential and lnΓ."""
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
    """Return latency and bandwidth of arrays sent between two workers, and from the client to a worker."""
    import dask
    from distributed import Client, LocalCluster

    dask.config.set({"distributed.comm.compression": None})
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **settings) as cluster, Client(cluster) as client:
        first, second = list(client.scheduler_info(n_workers=-1)["workers"])
        between, scattered = {}, {}
        for size in SIZES:
            runs = (_transfer_seconds(client, size, first, second) for _ in range(2 * REPEATS))
            local, remote, from_client = (min(seconds) for seconds in zip(*runs, strict=True))  # other load only adds
            between[size] = max(remote - local, 0.0)
            scattered[size] = from_client
    return {"between_workers": _latency_and_bandwidth(between), "scatter": _latency_and_bandwidth(scattered)}


def _transfer_seconds(client: Any, size: int, first: str, second: str) -> tuple[float, float, float]:
    """Return seconds of a task on a local array, of one on an array of another worker, and of a scatter."""
    local_array = np.arange(size // 8)
    on_first = client.submit(np.arange, size // 8, workers=[first], pure=False)
    client.submit(len, on_first, workers=[first], pure=False).result()  # wait until the array exists
    local = timing.seconds_of(lambda: client.submit(len, on_first, workers=[first], pure=False).result())
    remote = timing.seconds_of(lambda: client.submit(len, on_first, workers=[second], pure=False).result())
    scatter = timing.seconds_of(lambda: client.scatter(local_array, workers=[first], direct=True, hash=False))
    return local, remote, scatter


def _latency_and_bandwidth(seconds: dict[int, float]) -> dict[str, Any]:
    """Return the latency (seconds of the smallest arrays) and the bandwidth, from the largest array without latency."""
    sizes, times = np.array(list(seconds), float), np.array(list(seconds.values()))
    latency = float(np.median(times[:3]))
    rate = sizes[-1] / (times[-1] - latency)
    return {
        "latency": latency,
        "bytes_per_second": float(rate),
        "seconds": {str(size): seconds[size] for size in seconds},
    }


def fits(data: str, name: str, n_topics: int, passes: int = 16) -> dict[str, float]:
    """Measure a fit in a process of its own.

    Returns
    -------
    dict
        Sizes of the corpus, seconds and inner iterations of a pass of each phase, peak bytes in addition to X, topics
        per document and per word with 99 % of the mass, and held-out perplexity with rounded and truncated topics.
    """
    settings = {"data": data, "name": name, "n_topics": n_topics, "passes": passes}
    command = [sys.executable, "-m", "benchmarks.scale_measure"]
    done = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _fit(settings: dict[str, Any]) -> dict[str, float]:
    """Fit a corpus and return the measurements of `fits`."""
    import warnings

    from ldavi import LatentDirichletAllocation

    warnings.simplefilter("ignore")
    X, held_out = Corpora(Path(settings["data"]), {}).split(settings["name"], 300)
    LatentDirichletAllocation(2, max_iter=2).fit(X[:20])  # imports and one-time allocations
    before = resident_now()
    forget_highest()
    K, passes = settings["n_topics"], settings["passes"]
    clock: list[float] = []
    lda = LatentDirichletAllocation(
        K, max_iter=passes, tol=None, random_state=0, n_jobs=1, callbacks=lambda _: clock.append(time.process_time())
    ).fit(X)
    memory = float(highest() - before)
    measured = {"documents": X.shape[0], "words": X.shape[1], "counts": X.nnz, "topics": K, "memory": memory}
    measured |= _phases(lda.elbo_trace_, np.diff(clock, prepend=np.nan))
    counts = lda.transform(X[:2000], normalize=False) - lda.doc_topic_prior_
    topics = lda.components_ - lda.topic_word_prior_
    measured["topics_of_document"] = _mean_entries(counts)
    measured["topics_of_word"] = _mean_entries(topics.T, weights=np.asarray(X.sum(axis=0)).ravel())
    return measured | _perplexities(lda, topics, held_out)


def _phases(trace: np.ndarray, seconds: np.ndarray) -> dict[str, float]:
    """Return the minimum seconds and the mean inner iterations of the passes of each phase."""
    measured = {}
    for phase in ("warmup", "monotone"):
        # The first pass of a phase may include the preparation of blocks, the last one the learning of priors.
        passes = np.flatnonzero(trace["phase"] == phase)[1:-1]
        measured[f"{phase}_seconds"] = float(np.min(seconds[passes]))
        measured[f"{phase}_inner_iter"] = float(np.mean(trace["n_inner_iter"][passes]))
    return measured


def _perplexities(lda: Any, counts: np.ndarray, held_out: sparse.csr_array) -> dict[str, float]:
    """Return held-out perplexity with topics in float32, rounded to float16, and with 99 % of the mass of each word."""
    from ldavi.metrics import document_completion

    rounded = counts.astype(np.float16).astype(np.float32)
    ordered = -np.sort(-counts, axis=0)
    last = (np.cumsum(ordered, axis=0) < SHARE * ordered.sum(axis=0)).sum(axis=0)
    truncated = np.where(counts >= np.take_along_axis(ordered, last[None], axis=0), counts, 0)
    forms = {"float32": counts, "float16": rounded, "truncated": truncated}
    return {
        f"perplexity_{name}": document_completion(
            form + lda.topic_word_prior_, held_out, doc_topic_prior=0.1
        ).perplexity
        for name, form in forms.items()
    }


def _mean_entries(mass: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the number of entries of a row with 99 % of its mass, as a weighted mean over rows."""
    ordered = -np.sort(-np.maximum(mass, 0), axis=1)
    n_entries = (np.cumsum(ordered, axis=1) < SHARE * ordered.sum(axis=1, keepdims=True)).sum(axis=1) + 1
    return float(np.average(n_entries, weights=weights))


if __name__ == "__main__":
    print(json.dumps(_fit(json.load(sys.stdin))))
