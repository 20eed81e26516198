"""D7: time until ldavi reaches the final held-out perplexity of Spark MLlib's online LDA.

Spark runs on `local[2]` with default parameters except the numbers of topics and iterations. Its rows are cached
before, and neither the start of the Java virtual machine nor reading is timed. ldavi uses two threads. Both are fitted
to the same documents and evaluated by document completion on the same held-out documents. The smallest number of
passes of ldavi that reaches Spark's perplexity is determined first, then a complete fit of that length is timed.
"""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import timing
from benchmarks.corpora import Corpora
from benchmarks.parts.to_quality import judge_of

TITLE = "time to the final perplexity of Spark MLlib's online LDA"
THREADS = 2


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    perplexity, n_topics = judge_of(config, held_out), config["n_topics"]
    where = f"K={n_topics}, {config['iterations']} iterations, {corpora.describe(config['corpus'])}"
    seconds: timing.Repeats = {"spark": [], "ldavi": []}
    quality: dict[str, list[float]] = {"spark": [], "ldavi": [], "passes of ldavi": []}
    with _session(config["memory"]) as spark, TemporaryDirectory() as directory:
        rows = _rows(spark, X, Path(directory) / "rows.libsvm")
        for seed in range(config["repeats"]):
            fitted: list[Any] = []
            seconds["spark"].append(timing.seconds_of(lambda s=seed, f=fitted: f.append(_spark(rows, config, s))))
            target = perplexity(np.asarray(fitted[0].topicsMatrix().toArray()).T)
            passes, reached = _first(X, n_topics, seed, perplexity, target, config["passes"])
            seconds["ldavi"].append(timing.seconds_of(lambda s=seed, p=passes: _ours(X, n_topics, s, p)))
            for key, value in (("spark", target), ("ldavi", reached), ("passes of ldavi", passes)):
                quality[key].append(value)
    reached_all = all(ours <= theirs for ours, theirs in zip(quality["ldavi"], quality["spark"], strict=True))
    case = timing.ratio_case(where, seconds, "spark", "ldavi", target=config["target"], perplexity=quality)
    versions = {"pyspark": _version(), "java": _java()}
    return {"cases": [case | {"met": case["met"] and reached_all, "reached": reached_all} | versions], "notes": []}


def _session(memory: str) -> Any:
    """Start Spark with two threads and without its web interface."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("D7").config("spark.driver.memory", memory)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.maxResultSize": "0",
        "spark.sql.shuffle.partitions": "2",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _rows(spark: Any, X: sparse.csr_array, path: Path) -> Any:
    """Load the documents into a cached table with two partitions."""
    X = sparse.csr_array(X)
    X.sort_indices()
    with path.open("w", encoding="ascii") as file:
        for d in range(X.shape[0]):
            at = slice(X.indptr[d], X.indptr[d + 1])
            entries = " ".join(f"{w + 1}:{n}" for w, n in zip(X.indices[at], X.data[at], strict=True))
            file.write(f"{d} {entries}\n")
    rows = spark.read.format("libsvm").option("numFeatures", str(X.shape[1])).load(str(path)).repartition(2).cache()
    assert rows.count() == X.shape[0]
    return rows


def _spark(rows: Any, config: dict[str, Any], seed: int) -> Any:
    from pyspark.ml.clustering import LDA

    return LDA(k=config["n_topics"], maxIter=config["iterations"], optimizer="online", seed=seed).fit(rows)


def _ours(X: sparse.csr_array, n_topics: int, seed: int, passes: int) -> Any:
    from ldavi import LatentDirichletAllocation

    return LatentDirichletAllocation(n_topics, max_iter=passes, tol=None, random_state=seed, n_jobs=2).fit(X)


def _first(X: Any, n_topics: int, seed: int, perplexity: Any, target: float, passes: list[int]) -> tuple[int, float]:
    """Return the first number of passes whose perplexity is at most `target`, else the last one, and its perplexity."""
    reached = float("inf")
    for number in passes:
        reached = perplexity(_ours(X, n_topics, seed, number).topics_)
        if reached <= target:
            return number, reached
    return passes[-1], reached


def _version() -> str:
    import pyspark

    return str(pyspark.__version__)


def _java() -> str:
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if "JAVA_HOME" in os.environ else "java"
    text = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False).stderr
    return text.splitlines()[0] if text else "unknown"
