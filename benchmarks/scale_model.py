"""What a fit of a given size costs, by arithmetic: bytes, memory and seconds, on one machine and on many.

python -m benchmarks.scale_model                                   the tables of docs/scale.md
python -m benchmarks.scale_model --documents 1e8 --topics 1e3      the same for another size
python -m benchmarks.scale_model --write                           put the tables into docs/scale.md
python -m benchmarks.scale_model --measure                         the rates of this machine, and of a network on its
loopback python -m benchmarks.scale_model --check --data DIR                predicted against measured, on this machine

Everything follows from `Assumptions` and `Machine`, whose every field says its unit and where its value is from.
"""

import argparse
import heapq
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scale.md"
RECORDED = ROOT / "benchmarks" / "results" / "scale.json"
BLOCK_BYTES, BLOCK_COUNTS = 2**21, 2**18  # of a block's factors, as in ldavi._inference.e_step
FLOAT, PAIR, LINE = 4, 6, 64  # bytes: of a number, of one with its topic, of a line of the cache
CHECKED = (("20ng", 100), ("20ng", 500), ("imdb", 100))


def of(value: float, unit: str, source: str) -> Any:
    """A number with its unit and where it is from."""
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Machine:
    """What one core does, and what it shares."""

    lanes: float = of(2.8e10, "multiply-adds / s / core", "measured: inner loop, float32, K = 128, 100 words")
    triad_l2: float = of(1.1e11, "bytes / s / core", "measured: NumPy triad, 0.5 MB")
    triad_l3: float = of(9.6e10, "bytes / s / core", "measured: NumPy triad, 8 MB")
    triad_memory: float = of(3.7e10, "bytes / s / core", "measured: NumPy triad, 512 MB, one core at work")
    first_rows: float = of(6.2e10, "bytes / s / core", "measured: rows that a document reads for the first time")
    statistic: float = of(2e-10, "s / (count, topic)", "measured: statistics of a block, by words")
    topic_sweep: float = of(1.1e-9, "s / (document, topic, sweep)", "measured: ψ and exp of γ, and the test to stop")
    topic_bound: float = of(9e-9, "s / (document, topic)", "measured: lnΓ and ψ of γ for the bound")
    count_bound: float = of(3.1e-9, "s / count", "measured: the logarithm of its normaliser, for the bound")
    m_step: float = of(6.9e-9, "s / entry of λ", "measured: ψ, exp and lnΓ of λ")
    l2: float = of(1e6, "bytes / core", "this machine")
    l3: float = of(4e6, "bytes / core", "assumed: a server's 128 MB for 32 cores")
    cores: float = of(32, "cores / worker", "assumed")
    shared_memory: float = of(
        300e9, "bytes / s / worker", "assumed: twelve channels; 32 cores alone would ask for four times that"
    )
    memory: float = of(256e9, "bytes / worker", "assumed")
    link: float = of(1.4e9, "bytes / s / link, either way", "measured: arrays between two dask workers on the loopback")
    latency: float = of(0.0033, "s / message", "measured: as above")

    def stream(self, n_bytes: float) -> float:
        """Bytes per second that one core reads when it reads so many again and again, all cores being at work."""
        if n_bytes <= self.l2:
            return self.triad_l2
        return self.triad_l3 if n_bytes <= self.l3 else self.from_memory

    @property
    def from_memory(self) -> float:
        return min(self.triad_memory, self.shared_memory / self.cores)


@dataclass(frozen=True)
class Assumptions:
    """A corpus and a model."""

    documents: float = of(1e9, "documents", "the question")
    doc_words: float = of(100, "distinct words / document", "the question")
    words: float = of(1e6, "words", "the question; frequencies as 1 / (rank + 2.7)")
    topics: float = of(1e4, "topics", "the question")
    sweeps: float = of(2, "sweeps / visit", "the monotone phase")
    warm_passes: float = of(10, "passes / fit", "the warm-up")
    warm_visit: float = of(2, "of a monotone visit", "measured: 1.7 to 2.0, see the checks")
    warm_sample: float = of(0.01, "of the documents", "assumed: 1000 of them for each topic")
    monotone_passes: float = of(50, "passes / fit", "assumed")
    doc_topics: float = of(
        64, "topics / document that hold 99 % of it", "assumed; 5 to 7 with K = 100 and 500, see the checks"
    )
    word_topics: float = of(
        500, "topics / word that hold 99 % of it", "assumed; 11 to 61 with K = 100 and 500, see the checks"
    )
    block_documents: float = of(1e5, "documents / block", "assumed: 80 MB of counts")
    workers: float = of(128, "workers", "assumed")
    dense_every: float = of(10, "passes", "assumed: how often visits look at every topic where they else do not")
    gather: float = of(0.125, "of the rate of whole rows", "assumed: one entry at a time instead of a vector of 16")


@lru_cache
def frequencies(n_words: int) -> np.ndarray:
    """p_w of words by rank."""
    shares = 1 / (np.arange(n_words) + 2.7)
    return shares / shares.sum()


def distinct_words(a: Assumptions, n_docs: float) -> float:
    """Words that occur in so many documents, on average."""
    return float(-np.expm1(-n_docs * a.doc_words * frequencies(int(a.words))).sum())


def seldom(a: Assumptions, n_rows: float) -> float:
    """Share of the counts whose word is not among the n most frequent."""
    return float(frequencies(int(a.words))[int(n_rows) :].sum())


def document_seconds(a: Assumptions, m: Machine) -> dict[str, float]:
    """Of one core, for a visit over every topic and its statistics: each part as slow as its kernel or memory is."""
    n, K = a.doc_words, a.topics
    row = K * FLOAT
    per_block = min(max(1.0, BLOCK_BYTES / row), BLOCK_COUNTS / n)
    of_block = distinct_words(a, per_block) / per_block  # rows of S and B that come from memory, for each document
    in_cache = min(1.0, m.l3 / (3 * row) / a.words)  # of λ's words, with B and S
    missed = seldom(a, m.l3 / row)
    return {
        "sweeps": a.sweeps * n * K * max(2 / m.lanes, FLOAT / m.stream(n * row)),
        "rows met first": n * row * ((1 - missed) / m.first_rows + missed / min(m.first_rows, m.from_memory)),
        "γ and bound": K * (a.sweeps * m.topic_sweep + m.topic_bound) + n * m.count_bound,
        "statistics": max(n * K * m.statistic, (1 - in_cache) * of_block * 3 * row / m.from_memory),
    }


def gathered_seconds(a: Assumptions, m: Machine, n_topics: float, entry: float) -> float:
    """Of one core, for a visit over so many topics of each word that take so many bytes each, and their statistics."""
    n, active = a.doc_words, min(n_topics, a.topics)
    moved = n * min(active * entry, a.topics * FLOAT)
    sweeps = a.sweeps * n * active * 2 / (m.lanes * a.gather)
    of_document = active * (a.sweeps * m.topic_sweep + m.topic_bound) + n * m.count_bound
    return sweeps + max(3 * moved / m.from_memory, n * active * m.statistic / a.gather) + of_document


def visit_seconds(a: Assumptions, m: Machine, d: "Design") -> float:
    """Of one core, averaged over passes that look at every topic and passes that do not."""
    every = gathered_seconds(a, m, a.word_topics, PAIR) if d.sparse_rows else sum(document_seconds(a, m).values())
    if not d.active_sweeps:
        return every
    own = gathered_seconds(a, m, a.doc_topics, PAIR if d.sparse_rows else LINE)
    return own + max(0.0, every - own) / a.dense_every


@dataclass(frozen=True)
class Design:
    """What a cluster does, one decision after another."""

    name: str
    rows_once: bool = False  # rows of words come once for each worker and pass, and not for each block
    sharded: bool = False  # λ and S live on the workers, by word
    active_gamma: bool = False  # of γ, what stands out is kept
    active_sweeps: bool = False  # and visits look at nothing else, but in every tenth pass
    sparse_rows: bool = False  # of a word's row and statistics, what stands out is sent
    half: bool = False  # in float16
    sampled: bool = False  # the warm-up sees a part of the documents


DESIGNS = (
    Design("as designed"),
    Design("+ rows once for each worker", True),
    Design("+ λ and S by word on the workers", True, True),
    Design("+ γ: the topics that stand out", True, True, True),
    Design("+ visits look at these alone", True, True, True, True),
    Design("+ sparse rows and statistics", True, True, True, True, True),
    Design("+ float16 on the wire", True, True, True, True, True, True),
    Design("+ a warm-up on a part of the documents", True, True, True, True, True, True, True),
)


@dataclass(frozen=True)
class Cost:
    """Of one pass.

    Attributes
    ----------
    memory : dict
        Bytes of a worker, by what they hold.
    head : float
        Bytes of the process that holds λ, where there is one.
    busiest : float
        Bytes through the busiest link, in the direction that has more.
    compute, network, m_step : float
        Seconds, one after the other: nothing is supposed to overlap.
    """

    memory: dict[str, float]
    head: float
    busiest: float
    compute: float
    network: float
    m_step: float

    @property
    def seconds(self) -> float:
        return self.compute + self.network + self.m_step

    def bend(self, m: Machine) -> str:
        """What is short first: memory if it does not suffice, else what takes longest."""
        if sum(self.memory.values()) > m.memory:
            return "a worker's memory: " + max(self.memory, key=lambda name: self.memory[name])
        if self.head > m.memory:
            return "the head's memory"
        return max(
            {"compute": self.compute, "network": self.network, "M-step": self.m_step}.items(), key=lambda pair: pair[1]
        )[0]


def cost(a: Assumptions, m: Machine, d: Design) -> Cost:
    """One pass of the monotone phase."""
    mine = a.documents / a.workers
    entry = (2 if d.half else FLOAT) + (
        2 if d.sparse_rows else 0
    )  # bytes, with the topic's number where rows are sparse
    sent = entry * (min(a.word_topics, a.topics) if d.sparse_rows else a.topics)  # of a row
    held = PAIR * min(a.word_topics, a.topics) if d.sparse_rows else FLOAT * a.topics
    here, in_block = distinct_words(a, mine), distinct_words(a, min(mine, a.block_documents))
    blocks = max(1.0, mine / a.block_documents)
    at_once = here if d.rows_once else in_block * min(m.cores, blocks)
    memory = {
        "counts": mine * a.doc_words * 8,
        "γ": mine * (min(a.doc_topics, a.topics) * PAIR if d.active_gamma else a.topics * FLOAT),
        "rows and statistics of its words": 2 * at_once * held,
    }
    if d.sharded:
        memory["its shard of λ and S"] = 2 * a.words / a.workers * held
        busiest = 2 * here * sent  # rows come and statistics go, and it is asked for as many as it asks for
        messages = 2 * a.workers
    else:
        busiest = a.workers * (here if d.rows_once else blocks * in_block) * sent
        messages = a.workers * (1 if d.rows_once else blocks)
    up = (
        0.0 if d.sharded else np.ceil(np.log2(max(a.workers, 2))) * a.words * a.topics * FLOAT / m.link
    )  # a tree of sums
    return Cost(
        memory,
        0.0 if d.sharded else 3 * a.words * a.topics * FLOAT,
        busiest,
        compute=mine * visit_seconds(a, m, d) / m.cores,
        network=busiest / m.link + messages * m.latency + up,
        m_step=a.words * a.topics * m.m_step / m.cores / (a.workers if d.sharded else 1),
    )


def fit_seconds(a: Assumptions, m: Machine, d: Design) -> float:
    """The warm-up, in which nothing stands out and γ is not kept; then passes of the monotone phase."""
    seen = a.documents * (a.warm_sample if d.sampled else 1.0)
    warm = cost(replace(a, documents=seen), m, replace(d, active_sweeps=False, sparse_rows=False))
    first = warm.seconds + (a.warm_visit - 1) * warm.compute
    return a.warm_passes * first + a.monotone_passes * cost(a, m, d).seconds


def simulated_pass(
    a: Assumptions, m: Machine, d: Design, *, pieces: int = 8, spread: float = 0.1, seed: int = 0
) -> float:
    """Seconds of a pass in which each worker asks for the rows of its next piece while it works on one.

    A link serves who asks first. With a head, its link serves all; else each worker's own link serves it. Pieces take
    times that differ by `spread` (log-normal).
    """
    found = cost(a, m, d)
    workers = int(a.workers)
    share = (
        found.busiest / (2 * pieces if d.sharded else workers * pieces) / m.link
    )  # of a link, for the rows of a piece
    work = found.compute / pieces * np.random.default_rng(seed).lognormal(-(spread**2) / 2, spread, (workers, pieces))
    free = np.zeros(workers if d.sharded else 1)  # when each link is
    ready = np.zeros(workers)  # when each worker has done its pieces so far
    arrived = np.zeros(workers)
    queue = [(0.0, worker, 0) for worker in range(workers)]
    while queue:
        asked, worker, piece = heapq.heappop(queue)
        link = worker if d.sharded else 0
        free[link] = max(free[link], asked) + share
        arrived[worker] = free[link] + m.latency
        begun = max(arrived[worker], ready[worker])
        ready[worker] = begun + work[worker, piece]
        if piece + 1 < pieces:
            heapq.heappush(queue, (begun, worker, piece + 1))
    sums = found.network - found.busiest / m.link if not d.sharded else found.busiest / 2 / m.link
    return float(ready.max() + sums + found.m_step)


def one_machine(found: dict[str, float], m: Machine, phase: str = "monotone") -> dict[str, float]:
    """Predicted seconds of a pass, and bytes beyond X, of a fit on one core of this machine."""
    a = Assumptions(
        documents=found["documents"],
        doc_words=found["counts"] / found["documents"],
        words=found["words"],
        topics=found["topics"],
        sweeps=found[f"{phase}_sweeps"],
    )
    visits = a.documents * sum(document_seconds(a, m).values())
    padded = -(-a.topics // 16) * 16
    memory = 4 * a.words * padded * FLOAT + a.documents * a.topics * FLOAT + 2 * found["counts"] * 8
    return {"seconds": visits + a.words * a.topics * m.m_step, "memory": memory}


# Tables


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def short(value: float, unit: str = "") -> str:
    """Two digits or three, with a prefix."""
    if value == 0:
        return "–"
    for power, prefix in ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if unit == "B" and value >= 0.9995 * 10**power:
            return f"{value / 10**power:.3g} {prefix}B"
    return f"{value:,.0f}{unit and ' ' + unit}" if value >= 100 else f"{value:.2g}{unit and ' ' + unit}"


def plain(value: float) -> str:
    return f"{value:,.0f}" if 1 <= value < 1e5 else f"{value:.3g}"


def stated(thing: Any) -> str:
    rows = [(f.name, plain(getattr(thing, f.name)), f.metadata["unit"], f.metadata["source"]) for f in fields(thing)]
    return table(("name", "value", "unit", "from"), rows)


def sizes(a: Assumptions) -> str:
    rows = {
        "counts, 8 bytes each": a.documents * a.doc_words * 8,
        "γ, every topic": a.documents * a.topics * FLOAT,
        "γ, the topics that stand out, 6 bytes each": a.documents * a.doc_topics * PAIR,
        "φ, which is never kept": a.documents * a.doc_words * a.topics * FLOAT,
        "λ, and as much for B and for S": a.words * a.topics * FLOAT,
        "B as a pass reads it, a row for each count and visit": a.documents * a.doc_words * a.topics * FLOAT,
    }
    return table(("what", "bytes"), [(name, short(value, "B")) for name, value in rows.items()])


def visits(a: Assumptions, m: Machine) -> str:
    parts = document_seconds(a, m)
    rows = [(name, short(1e6 * value), f"{100 * value / sum(parts.values()):.0f} %") for name, value in parts.items()]
    total = sum(parts.values())
    others = {
        "over the document's own topics": gathered_seconds(a, m, a.doc_topics, LINE),
        "over what is in sparse rows": gathered_seconds(a, m, a.word_topics, PAIR),
        "over the document's own topics in sparse rows": gathered_seconds(a, m, a.doc_topics, PAIR),
    }
    rows += [("together", short(1e6 * total), "")]
    rows += [(f"instead, {name}", short(1e6 * value), f"{100 * value / total:.0f} %") for name, value in others.items()]
    return table(("part of a visit", "µs of a core", "share"), rows)


def bends(a: Assumptions, m: Machine) -> str:
    rows = []
    for documents, words, topics, workers in ((1e6, 1e5, 100, 2), (1e7, 2e5, 300, 8), (1e8, 5e5, 1e3, 32)):
        rows.append(_bend(replace(a, documents=documents, words=words, topics=topics, workers=workers), m))
    head = (
        "documents",
        "V",
        "K",
        "workers",
        "memory of a worker",
        "of the head",
        "compute",
        "network",
        "M-step",
        "pass",
        "short first",
    )
    return table(head, [*rows, _bend(a, m)])


def _bend(a: Assumptions, m: Machine) -> tuple[str, ...]:
    found = cost(a, m, DESIGNS[0])
    size = (f"{a.documents:.0e}".replace("e+0", "e"), plain(a.words), plain(a.topics), plain(a.workers))
    return (*size, *_figures(found), found.bend(m))


def _figures(found: Cost) -> tuple[str, ...]:
    seconds = [short(value, "s") for value in (found.compute, found.network, found.m_step, found.seconds)]
    return short(sum(found.memory.values()), "B"), short(found.head, "B"), *seconds


def changes(a: Assumptions, m: Machine) -> str:
    rows = []
    for design in DESIGNS:
        found = cost(a, m, design)
        fit = f"{fit_seconds(a, m, design) / 3600:,.1f} h"
        rows.append((design.name, short(found.busiest, "B"), *_figures(found), fit, found.bend(m)))
    head = (
        "design",
        "busiest link",
        "memory of a worker",
        "of the head",
        "compute",
        "network",
        "M-step",
        "pass",
        "fit",
        "short first",
    )
    return table(head, rows)


def queues(a: Assumptions, m: Machine) -> str:
    """Return a table of seconds, and of the share of them in which cores work, for more and more workers."""
    designs = (DESIGNS[1], DESIGNS[2], DESIGNS[5])
    rows = []
    for workers in (1, 4, 16, 64, 256):
        at = replace(a, workers=workers, documents=a.documents / a.workers * workers)
        seconds = [(simulated_pass(at, m, design), cost(at, m, design).compute) for design in designs]
        rows.append((str(workers), *(f"{short(passed, 's')} ({work / passed:.0%})" for passed, work in seconds)))
    return table(("workers", *(design.name for design in designs)), rows)


def checks(recorded: dict[str, Any]) -> str:
    rows = []
    for found in recorded["fits"]:
        own = machine_of(recorded["rates"])
        told = one_machine(found, own)
        seconds, memory = found["monotone_seconds"], found["memory"]
        warm = one_machine(found, own, "warmup")["seconds"]
        rows.append(
            (
                f"{found['name']}, K = {found['topics']:.0f}",
                f"{1e3 * told['seconds']:.0f} / {1e3 * seconds:.0f} ms = {told['seconds'] / seconds:.2f}",
                f"{1e3 * warm:.0f} / {1e3 * found['warmup_seconds']:.0f} ms = {warm / found['warmup_seconds']:.2f}",
                f"{told['memory'] / 1e6:.0f} / {memory / 1e6:.0f} MB = {told['memory'] / memory:.2f}",
                f"{found['topics_of_document']:.1f}",
                f"{found['topics_of_word']:.1f}",
                " / ".join(f"{found[f'perplexity_{form}']:.1f}" for form in ("whole", "half", "kept")),
            )
        )
    head = (
        "fit",
        "monotone pass, predicted / measured",
        "warm-up pass",
        "memory beyond X",
        "topics of a document",
        "of a word",
        "perplexity, through float16, without the last 1 %",
    )
    return table(head, rows)


def machine_of(rates: dict[str, float]) -> Machine:
    """This machine, one core of it at work."""
    known = {f.name: rates[f.name] for f in fields(Machine) if f.name in rates}
    return replace(Machine(), **known, cores=1, shared_memory=1e12, l3=32e6)


def tables(a: Assumptions, m: Machine) -> dict[str, str]:
    """Every table of the page, by its name there."""
    made: dict[str, Callable[[], str]] = {
        "assumptions": lambda: stated(a),
        "machine": lambda: stated(m),
        "sizes": lambda: sizes(a),
        "visits": lambda: visits(a, m),
        "bends": lambda: bends(a, m),
        "changes": lambda: changes(a, m),
        "queues": lambda: queues(a, m),
    }
    if RECORDED.exists():
        made["checks"] = lambda: checks(json.loads(RECORDED.read_text(encoding="utf-8")))
    return {name: make() for name, make in made.items()}


MARKED = r"(<!-- table: {} -->).*?(<!-- end -->)"


def written(page: str, made: dict[str, str]) -> str:
    """The page with these tables in their places."""
    for name, text in made.items():
        pattern = re.compile(MARKED.format(name), re.DOTALL)
        page = pattern.sub(lambda match, text=text: f"{match[1]}\n\n{text}\n\n{match[2]}", page)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description="What a fit of a given size costs.")
    for thing in (Assumptions, Machine):
        for f in fields(thing):
            told = f"{f.metadata['unit']} (default: {f.default:g})"
            parser.add_argument(f"--{f.name.replace('_', '-')}", type=float, default=f.default, metavar="N", help=told)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    parser.add_argument("--measure", action="store_true", help="measure the rates of this machine and its loopback")
    parser.add_argument("--check", action="store_true", help="measure, fit, and compare with what is predicted")
    parser.add_argument("--data", help="with --check, a directory of NAME.npz")
    parser.add_argument("--out", help="with --measure or --check, a file for what was measured (JSON)")
    given = vars(parser.parse_args())
    a, m = (thing(**{f.name: given[f.name] for f in fields(thing)}) for thing in (Assumptions, Machine))
    if given["measure"] or given["check"]:
        found = measured(given["data"] if given["check"] else None, network=given["measure"])
        print(json.dumps(found, indent=1))
        if given["out"]:
            Path(given["out"]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        if given["check"]:
            print(checks(found))
    elif given["write"]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables(a, m)), encoding="utf-8")
    else:
        print("\n\n".join(f"## {name}\n\n{text}" for name, text in tables(a, m).items()))


def measured(data: str | None, *, network: bool) -> dict[str, Any]:
    """Rates, and fits where there is data."""
    from benchmarks import machine, scale_measure

    found: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine.describe()}
    found["rates"] = scale_measure.rates()
    if network:
        found["network"] = scale_measure.network()
    if data:
        found["fits"] = [{"name": name} | scale_measure.fits(data, name, n_topics) for name, n_topics in CHECKED]
    return found


if __name__ == "__main__":
    main()
