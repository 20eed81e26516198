"""D1, D2, D5, D6: fits to documents that are not in memory, and fits that are killed and resumed.

python -m benchmarks.scale D1 D2 D5 D6 --data DIR --out benchmarks/results [--quick]

D1  memory over time while documents are streamed once from disk           (--documents, 10 million)
D2  throughput of a stream against the same documents in memory             (--repeats, alternately)
D5  a fit with a checkpoint, killed by SIGKILL at random times and resumed  (--kills, 20)
D6  peak memory with a million words, in (K, V) arrays of float32

Every fit runs in a process of its own. DIR contains NAME.npz (see `benchmarks.corpora`); without it, documents are
drawn. D1 writes 0.5 kB per document to --scratch and removes them at the end.
"""

import argparse
import contextlib
import datetime
import hashlib
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from benchmarks import corpora, machine, report, timing
from benchmarks.parts.memory import forget_highest, highest, resident_now
from ldavi import LatentDirichletAllocation, io

ROOT = Path(__file__).parents[1]
SHAPES = {"arxiv100k": [20_000, 20_000, 70], "quick": [500, 1000, 50]}
MB = 10**6
ONLINE = {"learning_method": "online", "max_iter": 1, "tol": None, "random_state": 0, "batch_size": 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--data", help="directory of NAME.npz (default: LDAVI_CORPORA)")
    parser.add_argument("--out", type=Path, help="directory for NAME.json; without one, results are only printed")
    parser.add_argument("--corpus", default="arxiv100k")
    parser.add_argument("--documents", type=int, default=10_000_000, help="number of documents of D1")
    parser.add_argument("--topics", type=int, default=100, help="number of topics of D1, D2 and D5")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of D2")
    parser.add_argument("--kills", type=int, default=20, help="kills of D5")
    parser.add_argument(
        "--scratch", type=Path, help="directory for the streamed documents (default: the directory for temporary files)"
    )
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, to check that everything runs")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        settings = json.loads(options.child)
        print(json.dumps(CHILDREN[settings.pop("fit")](**settings)))
        return
    if options.quick:
        options.corpus, options.data, options.documents = "quick", None, 20_000
        options.topics, options.repeats, options.kills = 10, 2, 3
    for name in options.parts:
        described = machine.describe()
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            part = PARTS[name](options, Path(folder))
        part |= {"threads": 1, "load_average": described["load_average"]}
        print(report.plain(name, part), flush=True)
        command = shlex.join(["python", "-m", "benchmarks.scale", name, *_without_directories(sys.argv[1:])])
        result = {"date": datetime.date.today().isoformat(), **_commit(), "quick": options.quick, "command": command}
        result |= {"machine": described, "parts": {name: part}}
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{name}.json").write_text(
                json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )


def _without_directories(arguments: list[str]) -> list[str]:
    """Return the options without names of parts; directories of this machine are replaced by DIR."""
    options = [word for word in arguments if word not in PARTS]
    for option in ("--data", "--out", "--scratch"):
        if option in options:
            options[options.index(option) + 1] = "DIR"
    return options


def _commit() -> dict[str, Any]:
    """Return the commit of ldavi that was measured, and whether its sources have uncommitted changes."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD"),
        "changed": bool(git("status", "--porcelain", "--", "ldavi", "setup.py")),
    }


# Parts


def memory_of_a_stream(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """D1: memory of a fit to documents that are streamed once from disk."""
    X = _corpus(options)
    path = folder / "documents"
    io.save_counts(path, _repeated(X, options.documents))
    size = sum(file.stat().st_size for file in path.iterdir())
    found = _in_a_process("stream", path=str(path), n_topics=options.topics, batch_size=8192)
    arrays = 4 * options.topics * X.shape[1]
    resident = np.array([bytes_ for _, bytes_ in found["resident"]])
    beyond = (found["peak"] - arrays) / MB
    quarter = len(resident) // 4  # all buffers are allocated in the first one
    growth = float(resident[-max(1, quarter) :].max() - resident[: max(2, quarter)].max()) / MB
    where = f"{options.documents:,} documents of {options.corpus} repeated, K={options.topics}"
    return {
        "title": "documents streamed once from disk: memory of the fit",
        "cases": [
            timing.value_case(f"{where}: peak beyond λ", [beyond], "MB", target=500, sense="<="),
            timing.value_case(
                f"{where}: highest of the last quarter less that of the first", [growth], "MB", target=50, sense="<="
            ),
            timing.value_case(
                f"{where}: documents a second, the exact last record included",
                [options.documents / found["seconds"]],
                "1/s",
            ),
            timing.value_case(f"{where}: on disk", [size / MB], "MB"),
        ],
        "notes": [
            "bytes beyond those before the fit; λ is one (K, V) array of float32",
            f"the pass took {found['pass_seconds']:.0f} s, all of it {found['seconds']:.0f} s",
        ],
        "resident": found["resident"],
    }


def throughput(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """D2: throughput of a stream against the same documents in memory."""
    X = _corpus(options)
    path = folder / "documents.npz"
    io.save_counts(path, X)
    found = _in_a_process("turns", path=str(path), n_topics=options.topics, repeats=options.repeats)
    where = f"{X.shape[0]:,} documents of {options.corpus}, K={options.topics}, one pass"
    case = timing.ratio_case(where, found, "in memory", "streamed", target=0.9)
    return {"title": "throughput of a stream against the same documents in memory", "cases": [case], "notes": []}


def kills(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """D5: compare fits that were killed and resumed with an uninterrupted one."""
    X = _corpus(options)[:20_000]
    path, checkpoint = folder / "documents", folder / "fit.checkpoint"
    io.save_counts(path, X)
    settings = {"path": str(path), "n_topics": options.topics, "checkpoint": str(checkpoint)}
    whole = _in_a_process("checkpointed", **settings)
    io.Checkpoint(checkpoint).remove()
    random, same, moments, resumed = np.random.default_rng(0), [], [], []
    for _ in range(options.kills):
        moments.append(float(random.uniform(0, whole["seconds"])))
        _kill_after(moments[-1], **settings)
        resumed.append(checkpoint.exists())
        found = _in_a_process("checkpointed", **settings)
        same.append(float(found["digest"] == whole["digest"]))
        io.Checkpoint(checkpoint).remove()
    where = f"{X.shape[0]:,} documents of {options.corpus}, K={options.topics}, 2 passes"
    return {
        "title": "a fit killed by SIGKILL at random moments, and started again",
        "cases": [
            timing.value_case(
                f"{where}: share of {len(same)} with the bits of the fit that was not killed",
                [min(same)],
                "least",
                target=1,
            ),
            timing.value_case(f"{where}: of them went on from a checkpoint", [float(sum(resumed))], "fits"),
        ],
        "notes": [
            f"kept every {EVERY_MINUTES * 60:.2g} s; killed after {', '.join(f'{moment:.2f}' for moment in moments)} s"
        ],
    }


def many_words(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """D6: peak memory of an online fit with many words."""
    n_words, n_topics, n_docs = (20_000, 50, 2000) if options.quick else (1_000_000, 500, 16_384)
    arrays, cases = 4 * n_topics * n_words, []
    for passes in (1, 2):
        found = _in_a_process("drawn", n_words=n_words, n_topics=n_topics, n_docs=n_docs, max_iter=passes)
        where = f"V={n_words:,}, K={n_topics}, {n_docs:,} documents, {passes} pass{'es' if passes > 1 else ''}"
        cases.append(timing.value_case(where, [found["peak"] / arrays], "(K, V) arrays", target=3.5, sense="<="))
    return {"title": "peak memory of a streamed online fit beyond that before it", "cases": cases, "notes": []}


def _corpus(options: argparse.Namespace) -> sparse.csr_array:
    return corpora.from_environment(options.data, SHAPES).load(options.corpus)


def _repeated(X: sparse.csr_array, n_docs: int) -> Iterator[sparse.csr_array]:
    """Yield batches that repeat the documents until there are `n_docs`."""
    for start in itertools.count(0, X.shape[0]):
        rest = n_docs - start
        if rest <= 0:
            return
        for first in range(0, min(rest, X.shape[0]), 8192):
            yield X[first : min(first + 8192, rest)]


# Fits in a process of their own

EVERY_MINUTES = 0.2 / 60


def stream(path: str, n_topics: int, batch_size: int) -> dict[str, Any]:
    """Fit one pass over documents on disk and record the memory."""
    batches = io.open_counts(path, batch_size=batch_size)
    return _with_memory(lambda: LatentDirichletAllocation(n_topics, **ONLINE, max_doc_update_iter=5).fit(batches))


def drawn(n_words: int, n_topics: int, n_docs: int, max_iter: int) -> dict[str, Any]:
    """Fit to documents that are drawn while they are read, and record the memory."""
    settings = ONLINE | {"max_iter": max_iter}
    return _with_memory(lambda: LatentDirichletAllocation(n_topics, **settings).fit(Drawn(n_docs, n_words)))


class Drawn:
    """Batches of documents of 100 words each, with a few frequent words; every pass yields the same batches."""

    def __init__(self, n_docs: int, n_words: int, batch_size: int = 2048) -> None:
        self.n_docs, self.n_words, self.batch_size = n_docs, n_words, batch_size

    def __iter__(self) -> Iterator[sparse.csr_array]:
        for first in range(0, self.n_docs, self.batch_size):
            rng, n_docs = np.random.default_rng(first), min(self.batch_size, self.n_docs - first)
            words = (self.n_words * rng.random((n_docs, 100)) ** 4).astype(np.int32)
            ones = np.ones(words.size, np.int32)
            X = sparse.csr_array((ones, words.ravel(), np.arange(0, words.size + 1, 100)), shape=(n_docs, self.n_words))
            X.sum_duplicates()
            yield X


def turns(path: str, n_topics: int, repeats: int) -> dict[str, Any]:
    """Time fits to the same documents in memory and streamed, alternately."""
    X = sparse.csr_array(sparse.load_npz(path))
    jobs = {
        "in memory": lambda: LatentDirichletAllocation(n_topics, **ONLINE).fit(X),
        "streamed": lambda: LatentDirichletAllocation(n_topics, **ONLINE).fit(io.open_counts(path, batch_size=8192)),
    }
    return timing.take_turns(jobs, repeats)


def checkpointed(path: str, n_topics: int, checkpoint: str) -> dict[str, Any]:
    """Fit with a checkpoint, and return a digest of the results."""
    print("begins", file=sys.stderr, flush=True)
    started = time.perf_counter()
    settings = ONLINE | {"max_iter": 2}
    lda = LatentDirichletAllocation(n_topics, **settings).fit(
        io.open_counts(path), checkpoint=io.Checkpoint(checkpoint, minutes=EVERY_MINUTES)
    )
    digest = hashlib.blake2b(np.ascontiguousarray(lda.components_).tobytes())
    for field in ("elbo", "word", "doc_topic", "topic_word", "perplexity", "n_inner_iter"):
        digest.update(lda.elbo_trace_[field].tobytes())
    digest.update(np.asarray(lda.doc_topic_prior_).tobytes() + np.asarray(lda.topic_word_prior_).tobytes())
    return {"digest": digest.hexdigest(), "seconds": time.perf_counter() - started}


def _with_memory(job: Any) -> dict[str, Any]:
    """Run a job; return its seconds and its memory minus that before the job, the peak and the course over time."""
    few = [sparse.csr_array(np.ones((50, 20), np.int32))]
    LatentDirichletAllocation(2, **ONLINE).fit(few)  # imports and one-time allocations
    before, over, resident = resident_now(), threading.Event(), []
    forget_highest()
    started = time.perf_counter()

    def watch() -> None:
        while not over.wait(1.0):
            resident.append((round(time.perf_counter() - started, 1), resident_now() - before))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    lda = job()
    seconds = time.perf_counter() - started
    over.set()
    watcher.join()
    resident.append((round(seconds, 1), resident_now() - before))
    thinned = resident[:: -(-len(resident) // 200)]
    passes = float(lda.elbo_trace_["seconds"][lda.elbo_trace_["phase"] != "final"][-1])
    return {"seconds": seconds, "pass_seconds": passes, "peak": highest() - before, "resident": thinned}


def _command(fit: str, settings: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "benchmarks.scale", "--child", json.dumps({"fit": fit, **settings})]


def _in_a_process(fit: str, **settings: Any) -> dict[str, Any]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        _command(fit, settings), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _kill_after(seconds: float, **settings: Any) -> None:
    """Start a fit and kill it that many seconds after it has begun, unless it ends earlier."""
    process = subprocess.Popen(
        _command("checkpointed", settings), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("begins"):
            break
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()


PARTS = {"D1": memory_of_a_stream, "D2": throughput, "D5": kills, "D6": many_words}
CHILDREN = {"stream": stream, "drawn": drawn, "turns": turns, "checkpointed": checkpointed}

if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
