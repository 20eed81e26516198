"""`ldavi demo`: the main job on real text that is installed anyway."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import LatentDirichletAllocation, TraceRecord, datasets
from ldavi.cli._options import Commands, positive

HELD_OUT = 10  # every tenth document
NOT_TOPICAL = (
    "array ndarray int float bool str None True False default optional parameters returns return returned shape like "
    "object example examples import numpy scipy sklearn value values given used using use type dtype new set data "
    "following note notes function method class see print result results references versionadded version"
)


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = commands.add_parser("demo", help="fit topics to the docstrings of numpy, scipy and scikit-learn")
    parser.add_argument("-k", "--topics", type=positive, default=20, metavar="K", help="number of topics (default: 20)")
    parser.add_argument("--jobs", type=int, default=-1, metavar="N", help="threads (default: -1, all cores)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (default: 0)")
    parser.set_defaults(run=lambda options: run_demo(options.topics, options.jobs, options.seed))


def run_demo(n_topics: int, n_jobs: int, seed: int) -> int:
    """The main job on real text: read, count, fit, print the topics and how good they are."""
    seconds: dict[str, float] = {}
    with _timed("read", seconds):
        texts = datasets.load_docstrings().texts
    vectorizer = CountVectorizer(token_pattern=r"[a-z]{3,}", stop_words="english", min_df=5, max_df=0.3, dtype=np.int32)
    with _timed("count", seconds):
        X = vectorizer.fit_transform(texts)
        named = [word for word in NOT_TOPICAL.lower().split() if word in vectorizer.vocabulary_]
        keep = np.setdiff1d(np.arange(X.shape[1]), [vectorizer.vocabulary_[word] for word in named])
        X, words = X[:, keep], vectorizer.get_feature_names_out()[keep]
    print(f"{X.shape[0]} docstrings, {X.shape[1]} words, {int(X.sum())} tokens")
    held_out = np.arange(X.shape[0]) % HELD_OUT == 0
    lda = LatentDirichletAllocation(n_topics, n_jobs=n_jobs, random_state=seed, callbacks=_show_progress)
    with _timed("fit", seconds):
        lda.fit(X[~held_out])
    _end_progress()
    with _timed("transform", seconds):
        theta = lda.transform(X)
    perplexity = lda.perplexity(X[held_out])
    _print_topics(lda, words, theta, np.asarray(X.sum(axis=1)).ravel())
    stopped = "converged" if lda.converged_ else "stopped by max_iter"
    tokens = int(X[~held_out].sum())
    print(f"\nELBO {lda.elbo_:.6g} ({lda.elbo_ / tokens:.4f} per token), {stopped} after {lda.n_iter_} passes")
    print(f"held-out perplexity {perplexity:.1f} on {int(held_out.sum())} documents that were not fitted")
    print("seconds: " + ", ".join(f"{step} {value:.2f}" for step, value in seconds.items()))
    return 0


def _print_topics(lda: LatentDirichletAllocation, words: Any, theta: Any, tokens: Any) -> None:
    share = tokens @ theta / tokens.sum()
    print("\n share  topic")
    for k in np.argsort(-share):
        top = words[np.argsort(-lda.components_[k])[:10]]
        print(f"{share[k]:6.1%}  {' '.join(top)}")


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


def _show_progress(record: TraceRecord) -> None:
    """One line, written over with each pass; a line per tenth pass where nobody watches."""
    line = f"pass {record.iteration:3d}  {record.phase:8}  ELBO {record.elbo:.6g}  {record.seconds:.1f} s"
    if sys.stderr.isatty():
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
    elif record.iteration % 10 == 1:
        print(line, file=sys.stderr)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
