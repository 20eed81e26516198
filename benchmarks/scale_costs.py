"""Model the cost of a fit: bytes, memory and seconds of a pass, on one machine or on a cluster.

All results are computed from `Assumptions` and `Machine`, whose fields state their unit and their source.
The tables and the command line are in `benchmarks.scale_model`.
"""

import heapq
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

BLOCK_BYTES, BLOCK_COUNTS = (
    2**21,
    2**18,
)  # limits of a block: bytes of its factors, and counts; as in ldavi._inference.e_step
FLOAT, PAIR, LINE = 4, 6, 64  # bytes of a float32, of a float32 with its topic number, and of a cache line


def quantity(value: float, unit: str, source: str) -> Any:
    """Return a dataclass field with a default value, its unit, and the source of the value."""
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Machine:
    """Rates and sizes of one core, one worker and one network link."""

    multiply_adds: float = quantity(
        2.8e10, "multiply-adds / s / core", "measured: inner loop, float32, K = 128, 100 words"
    )
    triad_l2: float = quantity(1.1e11, "bytes / s / core", "measured: NumPy triad, 0.5 MB")
    triad_l3: float = quantity(9.6e10, "bytes / s / core", "measured: NumPy triad, 8 MB")
    triad_memory: float = quantity(3.7e10, "bytes / s / core", "measured: NumPy triad, 512 MB, one core in use")
    first_rows: float = quantity(6.2e10, "bytes / s / core", "measured: first read of the rows of B by a document")
    statistic: float = quantity(2e-10, "s / (count, topic)", "measured: statistics of a block, word by word")
    topic_iteration: float = quantity(
        1.1e-9, "s / (document, topic, inner iteration)", "measured: ψ and exp of γ, and the stopping rule"
    )
    topic_bound: float = quantity(9e-9, "s / (document, topic)", "measured: lnΓ and ψ of γ for the bound")
    count_bound: float = quantity(3.1e-9, "s / count", "measured: logarithm of the normaliser, for the bound")
    m_step: float = quantity(6.9e-9, "s / entry of λ", "measured: ψ, exp and lnΓ of λ")
    l2: float = quantity(1e6, "bytes / core", "cache of the machine on which the rates were measured")
    l3: float = quantity(4e6, "bytes / core", "assumed: 128 MB for the 32 cores of a server")
    cores: float = quantity(32, "cores / worker", "assumed")
    memory_bandwidth: float = quantity(
        300e9, "bytes / s / worker", "assumed: 12 memory channels; 32 cores could read four times as much"
    )
    memory: float = quantity(256e9, "bytes / worker", "assumed")
    link: float = quantity(
        1.4e9, "bytes / s / link, in each direction", "measured: arrays between two Dask workers on the loopback"
    )
    latency: float = quantity(0.0033, "s / message", "measured: the same arrays")

    def bandwidth(self, n_bytes: float) -> float:
        """Return the bytes per second of one core that reads `n_bytes` repeatedly while all cores are in use."""
        if n_bytes <= self.l2:
            return self.triad_l2
        return self.triad_l3 if n_bytes <= self.l3 else self.bandwidth_from_memory

    @property
    def bandwidth_from_memory(self) -> float:
        """Bytes per second that one core reads from memory while all cores are in use."""
        return min(self.triad_memory, self.memory_bandwidth / self.cores)


@dataclass(frozen=True)
class Assumptions:
    """Sizes of a corpus, a model and a cluster."""

    documents: float = quantity(1e9, "documents", "given")
    doc_words: float = quantity(100, "distinct words / document", "given")
    words: float = quantity(1e6, "words", "given; frequencies proportional to 1 / (rank + 2.7)")
    topics: float = quantity(1e4, "topics", "given")
    inner_iter: float = quantity(2, "inner iterations / E-step", "the monotone phase")
    warmup_passes: float = quantity(10, "passes / fit", "the warm-up")
    warmup_cost: float = quantity(
        2, "E-step of the warm-up / E-step of the monotone phase", "measured: 1.7 to 2.0, see the checks"
    )
    warmup_sample: float = quantity(0.01, "share of the documents", "assumed: 1000 documents per topic")
    monotone_passes: float = quantity(50, "passes / fit", "assumed")
    doc_topics: float = quantity(
        64, "topics / document, for 99 % of its mass", "assumed; 5 to 7 with K = 100 and 500, see the checks"
    )
    word_topics: float = quantity(
        500, "topics / word, for 99 % of its mass", "assumed; 11 to 61 with K = 100 and 500, see the checks"
    )
    block_documents: float = quantity(1e5, "documents / block", "assumed: 80 MB of counts")
    workers: float = quantity(128, "workers", "assumed")
    dense_interval: float = quantity(
        10, "passes", "assumed: from one pass over all topics to the next, where other passes are over active topics"
    )
    gather_rate: float = quantity(
        0.125, "share of the rate for whole rows", "assumed: single entries are read instead of vectors of 16"
    )


@lru_cache
def frequencies(n_words: int) -> np.ndarray:
    """Return the probabilities of words by rank."""
    shares = 1 / (np.arange(n_words) + 2.7)
    return shares / shares.sum()


def distinct_words(a: Assumptions, n_docs: float) -> float:
    """Return the expected number of distinct words in `n_docs` documents."""
    return float(-np.expm1(-n_docs * a.doc_words * frequencies(int(a.words))).sum())


def rare_share(a: Assumptions, n_frequent: float) -> float:
    """Return the share of counts whose word is not among the `n_frequent` most frequent words."""
    return float(frequencies(int(a.words))[int(n_frequent) :].sum())


def dense_e_step_seconds(a: Assumptions, m: Machine) -> dict[str, float]:
    """Return seconds of one core for the E-step of a document over all topics, by part.

    Each part takes the longer of its computation and its memory traffic (roofline model).
    """
    n, K = a.doc_words, a.topics
    row = K * FLOAT
    per_block = min(max(1.0, BLOCK_BYTES / row), BLOCK_COUNTS / n)
    new_rows = distinct_words(a, per_block) / per_block  # rows of S and B read from memory, per document
    in_cache = min(1.0, m.l3 / (3 * row) / a.words)  # share of the words whose rows of λ, B and S are in the cache
    missed = rare_share(a, m.l3 / row)
    first_read = (1 - missed) / m.first_rows + missed / min(m.first_rows, m.bandwidth_from_memory)
    return {
        "inner iterations": a.inner_iter * n * K * max(2 / m.multiply_adds, FLOAT / m.bandwidth(n * row)),
        "first read of rows": n * row * first_read,
        "γ and bound": K * (a.inner_iter * m.topic_iteration + m.topic_bound) + n * m.count_bound,
        "statistics": max(n * K * m.statistic, (1 - in_cache) * new_rows * 3 * row / m.bandwidth_from_memory),
    }


def sparse_e_step_seconds(a: Assumptions, m: Machine, n_topics: float, entry: float) -> float:
    """Return seconds of one core for the E-step of a document over `n_topics` entries of `entry` bytes per row."""
    n, active = a.doc_words, min(n_topics, a.topics)
    moved = n * min(active * entry, a.topics * FLOAT)
    iterations = a.inner_iter * n * active * 2 / (m.multiply_adds * a.gather_rate)
    of_document = active * (a.inner_iter * m.topic_iteration + m.topic_bound) + n * m.count_bound
    statistics = max(3 * moved / m.bandwidth_from_memory, n * active * m.statistic / a.gather_rate)
    return iterations + statistics + of_document


def e_step_seconds(a: Assumptions, m: Machine, d: "Design") -> float:
    """Return seconds of one core for the E-step of a document, averaged over passes with all and with active topics."""
    dense = sum(dense_e_step_seconds(a, m).values())
    over_all = sparse_e_step_seconds(a, m, a.word_topics, PAIR) if d.sparse_rows else dense
    if not d.active_topics:
        return over_all
    active = sparse_e_step_seconds(a, m, a.doc_topics, PAIR if d.sparse_rows else LINE)
    return active + max(0.0, over_all - active) / a.dense_interval


@dataclass(frozen=True)
class Design:
    """Decisions about the work of a cluster.

    Attributes
    ----------
    name : str
    rows_per_worker : bool
        Rows of words are sent once per worker and pass, instead of once per block.
    sharded : bool
        λ and S are distributed over the workers by word, instead of stored by the head.
    sparse_gamma : bool
        Only the topics with 99 % of the mass of a document are stored.
    active_topics : bool
        E-steps run over these topics only, except in one pass of `Assumptions.dense_interval`.
    sparse_rows : bool
        Only the topics with 99 % of the mass of a word are sent, as rows and as statistics.
    float16 : bool
        Messages are in float16.
    sampled_warmup : bool
        The warm-up runs on a sample of the documents.
    """

    name: str
    rows_per_worker: bool = False
    sharded: bool = False
    sparse_gamma: bool = False
    active_topics: bool = False
    sparse_rows: bool = False
    float16: bool = False
    sampled_warmup: bool = False


CHANGES = {  # in the order in which `DESIGNS` adds them
    "rows_per_worker": "+ rows sent once per worker",
    "sharded": "+ λ and S sharded by word",
    "sparse_gamma": "+ sparse γ",
    "active_topics": "+ E-steps over active topics",
    "sparse_rows": "+ sparse rows and statistics",
    "float16": "+ float16 in messages",
    "sampled_warmup": "+ warm-up on a sample of documents",
}


def _cumulative_designs() -> tuple[Design, ...]:
    """Return the present design and, for each change, the design with this change and all before it."""
    designs = [Design("present design")]
    for change, name in CHANGES.items():
        designs.append(replace(designs[-1], name=name, **{change: True}))
    return tuple(designs)


DESIGNS = _cumulative_designs()


@dataclass(frozen=True)
class Cost:
    """Cost of one pass.

    Attributes
    ----------
    memory : dict
        Bytes of a worker, by what they store.
    head : float
        Bytes of the head, the process that stores λ and computes the M-step; 0 where λ is sharded.
    busiest : float
        Bytes through the busiest link, in the direction with more of them.
    compute, network, m_step : float
        Seconds. They are added: the model assumes that nothing overlaps.
    """

    memory: dict[str, float]
    head: float
    busiest: float
    compute: float
    network: float
    m_step: float

    @property
    def seconds(self) -> float:
        """Seconds of the pass."""
        return self.compute + self.network + self.m_step

    def bottleneck(self, m: Machine) -> str:
        """Return the memory that is exceeded or, if none is, the part that takes longest."""
        if sum(self.memory.values()) > m.memory:
            return "memory of a worker: " + max(self.memory, key=lambda name: self.memory[name])
        if self.head > m.memory:
            return "memory of the head"
        seconds = {"compute": self.compute, "network": self.network, "M-step": self.m_step}
        return max(seconds, key=lambda name: seconds[name])


@dataclass(frozen=True)
class _Share:
    """Documents, blocks and distinct words of one worker."""

    documents: float
    blocks: float
    words: float
    block_words: float


def cost(a: Assumptions, m: Machine, d: Design) -> Cost:
    """Return the cost of one pass of the monotone phase."""
    documents = a.documents / a.workers
    share = _Share(
        documents,
        blocks=max(1.0, documents / a.block_documents),
        words=distinct_words(a, documents),
        block_words=distinct_words(a, min(documents, a.block_documents)),
    )
    topics_bytes = a.words * a.topics * FLOAT
    reduction = 0.0 if d.sharded else np.ceil(np.log2(max(a.workers, 2))) * topics_bytes / m.link
    busiest, messages = _traffic(a, d, share)
    return Cost(
        _worker_memory(a, m, d, share),
        0.0 if d.sharded else 3 * topics_bytes,
        busiest,
        compute=documents * e_step_seconds(a, m, d) / m.cores,
        network=busiest / m.link + messages * m.latency + reduction,
        m_step=a.words * a.topics * m.m_step / m.cores / (a.workers if d.sharded else 1),
    )


def _worker_memory(a: Assumptions, m: Machine, d: Design, share: _Share) -> dict[str, float]:
    """Return bytes of a worker, by what they store."""
    row = PAIR * min(a.word_topics, a.topics) if d.sparse_rows else FLOAT * a.topics
    n_rows = share.words if d.rows_per_worker else share.block_words * min(m.cores, share.blocks)
    memory = {
        "counts": share.documents * a.doc_words * 8,
        "γ": share.documents * (min(a.doc_topics, a.topics) * PAIR if d.sparse_gamma else a.topics * FLOAT),
        "rows and statistics": 2 * n_rows * row,
    }
    if d.sharded:
        memory["shard of λ and S"] = 2 * a.words / a.workers * row
    return memory


def _traffic(a: Assumptions, d: Design, share: _Share) -> tuple[float, float]:
    """Return bytes through the busiest link, in the direction with more of them, and the messages sent one by one."""
    entry = (2 if d.float16 else FLOAT) + (2 if d.sparse_rows else 0)  # entries of sparse rows include a topic number
    row = entry * (min(a.word_topics, a.topics) if d.sparse_rows else a.topics)
    if d.sharded:
        # A worker receives rows of its words and statistics of its shard; it sends as much.
        return 2 * share.words * row, 2 * a.workers
    if d.rows_per_worker:
        return a.workers * share.words * row, a.workers
    return a.workers * (share.blocks * share.block_words) * row, a.workers * share.blocks


def fit_seconds(a: Assumptions, m: Machine, d: Design) -> float:
    """Return seconds of a fit: a warm-up with dense rows over all topics, then passes of the monotone phase."""
    n_docs = a.documents * (a.warmup_sample if d.sampled_warmup else 1.0)
    warmup = cost(replace(a, documents=n_docs), m, replace(d, active_topics=False, sparse_rows=False))
    warmup_pass = warmup.seconds + (a.warmup_cost - 1) * warmup.compute
    return a.warmup_passes * warmup_pass + a.monotone_passes * cost(a, m, d).seconds


def simulated_pass(
    a: Assumptions, m: Machine, d: Design, *, pieces: int = 8, spread: float = 0.1, seed: int = 0
) -> float:
    """Return seconds of a simulated pass in which each worker requests the rows of its next piece while it computes.

    A link serves requests in their order. All requests use the link of the head; where λ is sharded, the requests of a
    worker use a link of its own. Pieces take log-normal times with standard deviation `spread` of the logarithm.
    """
    expected = cost(a, m, d)
    workers = int(a.workers)
    transfer = expected.busiest / (2 * pieces if d.sharded else workers * pieces) / m.link  # seconds, rows of a piece
    rng = np.random.default_rng(seed)
    work = expected.compute / pieces * rng.lognormal(-(spread**2) / 2, spread, (workers, pieces))
    link_free = np.zeros(workers if d.sharded else 1)  # time at which each link is free
    finished = np.zeros(workers)  # time at which each worker has finished its pieces so far
    requests = [(0.0, worker, 0) for worker in range(workers)]
    while requests:
        requested, worker, piece = heapq.heappop(requests)
        link = worker if d.sharded else 0
        link_free[link] = max(link_free[link], requested) + transfer
        started = max(link_free[link] + m.latency, finished[worker])
        finished[worker] = started + work[worker, piece]
        if piece + 1 < pieces:
            heapq.heappush(requests, (started, worker, piece + 1))
    sums = expected.network - expected.busiest / m.link if not d.sharded else expected.busiest / 2 / m.link
    return float(finished.max() + sums + expected.m_step)


def one_machine(fit: dict[str, float], m: Machine, phase: str = "monotone") -> dict[str, float]:
    """Return the predicted seconds of a pass, and bytes in addition to X, of a measured fit on one core."""
    a = Assumptions(
        documents=fit["documents"],
        doc_words=fit["counts"] / fit["documents"],
        words=fit["words"],
        topics=fit["topics"],
        inner_iter=fit[f"{phase}_inner_iter"],
    )
    e_steps = a.documents * sum(dense_e_step_seconds(a, m).values())
    padded = -(-a.topics // 16) * 16
    memory = 4 * a.words * padded * FLOAT + a.documents * a.topics * FLOAT + 2 * fit["counts"] * 8
    return {"seconds": e_steps + a.words * a.topics * m.m_step, "memory": memory}


def measured_machine(rates: dict[str, float]) -> Machine:
    """Return the machine on which `rates` were measured, with one core in use."""
    known = {f.name: rates[f.name] for f in fields(Machine) if f.name in rates}
    return replace(Machine(), **known, cores=1, memory_bandwidth=1e12, l3=32e6)
