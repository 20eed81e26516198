"""Recovery of planted effects of covariates by `doc_topic_prior="regression"`, and by tomotopy's DMRModel.

python -m benchmarks.doc_regression --corpora 200
python -m benchmarks.doc_regression --corpora 20 --peer  # needs tomotopy
"""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ldavi import LatentDirichletAllocation
from ldavi.metrics import match_topics

K, N_WORDS, N_DOCS, LENGTH = 5, 200, 1500, 60
GROUPS, SHARES = 3, (0.5, 0.3, 0.2)
PEER_ITERATIONS, PEER_BURN_IN, PEER_INTERVAL = 1000, 100, 20  # more iterations no longer change its error


class Corpus(NamedTuple):
    """Documents of three groups, and the effects of two of them on log α relative to the first."""

    X: np.ndarray
    group: np.ndarray
    topics: np.ndarray
    effects: np.ndarray  # (GROUPS - 1, K)


def draw(seed: int) -> Corpus:
    """Return a corpus."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(N_WORDS, 0.05), K)
    intercept, effects = rng.normal(-1.2, 0.3, K), rng.normal(0, 0.7, (GROUPS - 1, K))
    group = rng.choice(GROUPS, N_DOCS, p=SHARES)
    alpha = np.exp(intercept + np.vstack([np.zeros(K), effects]))[group]
    theta = np.array([rng.dirichlet(row) for row in alpha])
    X = np.array([rng.multinomial(LENGTH, proportions @ topics) for proportions in theta])
    return Corpus(X, group, topics, effects)


def fit_ldavi(corpus: Corpus, **parameters: object) -> tuple[np.ndarray, np.ndarray]:
    """Return topics and effects."""
    indicators = (corpus.group[:, None] == np.arange(1, GROUPS)).astype(float)
    model = LatentDirichletAllocation(K, doc_topic_prior="regression", random_state=0, **parameters)
    model.fit(corpus.X, doc_covariates=indicators)
    return model.topics_, model.doc_topic_coef_


def fit_tomotopy(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Return topics and effects of tomotopy's model."""
    import tomotopy

    model = tomotopy.DMRModel(k=K, seed=1)
    for counts, group in zip(corpus.X, corpus.group, strict=True):
        model.add_doc([str(word) for word in np.repeat(np.arange(N_WORDS), counts)], metadata=str(group))
    model.burn_in, model.optim_interval = PEER_BURN_IN, PEER_INTERVAL
    model.train(PEER_ITERATIONS, workers=1)
    topics = np.zeros((K, N_WORDS))
    topics[:, [int(word) for word in model.used_vocabs]] = [model.get_topic_word_dist(k) for k in range(K)]
    log_alpha = np.array([model.get_topic_prior(str(group), raw=True) for group in range(GROUPS)])
    return topics, log_alpha[1:] - log_alpha[0]


def measure(fit: Callable[[Corpus], tuple[np.ndarray, np.ndarray]], seeds: range) -> str:
    """Return the cells of a table row: bias, slope, root mean square error, and seconds of a fit."""
    found, true, seconds = [], [], []
    for seed in seeds:
        corpus, started = draw(seed), time.process_time()
        topics, effects = fit(corpus)
        seconds.append(time.process_time() - started)
        pairs = match_topics(topics, corpus.topics).pairs
        found.append(effects[:, pairs[:, 0]])
        true.append(corpus.effects[:, pairs[:, 1]])
    error = np.ravel(found) - np.ravel(true)
    slope = float(np.ravel(found) @ np.ravel(true) / np.square(true).sum())
    rmse = float(np.sqrt(np.square(error).mean()))
    return f"{error.mean():+.3f} | {slope:.3f} | {rmse:.3f} | {np.median(seconds):.2f}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=int, default=200)
    parser.add_argument("--peer", action="store_true", help="also fit tomotopy's DMRModel")
    options = parser.parse_args()
    rows = {
        "default": fit_ldavi,
        'inference="cvb0"': lambda corpus: fit_ldavi(corpus, inference="cvb0"),
        "n_collapsed_iter=0": lambda corpus: fit_ldavi(corpus, n_collapsed_iter=0),
    }
    if options.peer:
        rows["tomotopy"] = fit_tomotopy
    print("| fit | mean error | slope | root mean square error | seconds |\n|---|---|---|---|---|")
    for name, fit in rows.items():
        print(f"| {name} | {measure(fit, range(options.corpora))} |", flush=True)


if __name__ == "__main__":
    main()
