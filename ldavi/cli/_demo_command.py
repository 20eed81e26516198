"""`ldavi demo`: fit topics to the docstrings of installed packages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import LatentDirichletAllocation, datasets
from ldavi._core.typing import Floats, Int64s
from ldavi.cli._options import Options
from ldavi.cli._progress import progress_display

HELD_OUT = 10  # every tenth document
NOT_TOPICAL = (
    "array ndarray int float bool str None True False default optional parameters returns return returned shape like "
    "object example examples import numpy scipy sklearn value values given used using use type dtype new set data "
    "following note notes function method class see print result results references versionadded version"
)


def run(options: Options) -> int:
    """Read, count, fit, and print the topics and their held-out perplexity."""
    n_topics, n_jobs, seed = options.topics, options.jobs, options.seed
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
    lda = LatentDirichletAllocation(n_topics, n_jobs=n_jobs, random_state=seed)
    with _timed("fit", seconds), progress_display(options, "fitting", "pass") as display:
        lda.callbacks = lambda record: display.advance(1, f"perplexity {record.perplexity:,.1f}")
        lda.fit(X[~held_out])
    with _timed("transform", seconds):
        theta = lda.transform(X)
    perplexity = lda.perplexity(X[held_out])
    _print_topics(lda, words, theta, np.asarray(X.sum(axis=1)).ravel())
    stopped = "converged" if lda.converged_ else "stopped by max_iter"
    tokens = int(X[~held_out].sum())
    print(f"\nELBO {lda.elbo_:.6g} ({lda.elbo_ / tokens:.4f} per token), {stopped} after {lda.n_iter_} passes")
    print(f"held-out perplexity {perplexity:.1f} on {int(held_out.sum())} held-out documents")
    print("seconds: " + ", ".join(f"{step} {value:.2f}" for step, value in seconds.items()))
    return 0


def _print_topics(lda: LatentDirichletAllocation, words: NDArray[Any], theta: Floats, tokens: Int64s) -> None:
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
