"""Draws of topic proportions: autocorrelation and burn-in, coverage of intervals, and time.

python -m benchmarks.theta_samples autocorrelation
python -m benchmarks.theta_samples coverage --corpora 200
python -m benchmarks.theta_samples time --data DIR
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmarks.corpora import Corpora
from ldavi import LatentDirichletAllocation
from ldavi.inspection import _theta_samples as sampling
from ldavi.inspection import theta_intervals

ALPHA, N_TOPICS, N_WORDS = 0.3, 10, 200
PLANTED = ((0.02, 20), (0.02, 100), (0.02, 500), (0.1, 20), (0.1, 100), (0.1, 500), (0.5, 20), (0.5, 100), (0.5, 500))
SHAPES = {"20ng": [18273, 21302, 81]}  # documents, words and mean tokens, to draw from without --data
NOT_NEGLIGIBLE = 0.02  # a mean proportion


def planted(eta: float, n_tokens: int, n_docs: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw topics, proportions and counts from the model."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(N_WORDS, eta), N_TOPICS)
    theta = rng.dirichlet(np.full(N_TOPICS, ALPHA), n_docs)
    return topics, theta, np.array([rng.multinomial(n_tokens, row @ topics) for row in theta])


def autocorrelation_time(draws: np.ndarray) -> np.ndarray:
    """Estimate 1 + 2 sum of autocorrelations, by Geyer's initial positive sequence, over the first axis."""
    centred, n = draws - draws.mean(axis=0), len(draws)
    spectrum = np.fft.rfft(centred, 2 * n, axis=0)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), axis=0)[:n]
    correlation /= np.maximum(correlation[0], 1e-300)
    pairs = correlation[0 : n // 2 * 2 : 2] + correlation[1 : n // 2 * 2 : 2]
    return 2 * (pairs * np.cumprod(pairs > 0, axis=0)).sum(axis=0) - 1


def print_autocorrelation(name: str, topics: np.ndarray, X: sparse.csr_array, alpha: np.ndarray | float) -> None:
    """Print quantiles of the autocorrelation time of draws, and what is left of the start after burn-in."""
    kept = sampling.BURN_IN, sampling.SPACING
    for spacing in (1, 2, 3, 5):
        sampling.BURN_IN, sampling.SPACING = 200, spacing
        sampler = sampling.sampler_of(topics, X, 0, doc_topic_prior=alpha, n_jobs=None, name="benchmark")
        draws = sampler.draw(2000, 0, sampler.n_docs)
        present = draws.mean(axis=0) > NOT_NEGLIGIBLE
        quantiles = np.quantile(autocorrelation_time(draws)[present], [0.5, 0.9, 0.99])
        print(f"| {name} | spacing {spacing} | " + " | ".join(f"{value:.1f}" for value in quantiles) + " |", flush=True)
    n_docs, n_chains = min(20, X.shape[0]), 1000
    many = sparse.csr_array(sparse.vstack([X[[d]] for d in range(n_docs) for _ in range(n_chains)]))
    mean, deviation = draws[:, :n_docs].mean(axis=0), draws[:, :n_docs].std(axis=0)
    for burn_in in (0, 10, 20, 40, 80):
        sampling.BURN_IN, sampling.SPACING = burn_in, 1
        sampler = sampling.sampler_of(topics, many, 1, doc_topic_prior=alpha, n_jobs=None, name="benchmark")
        first = sampler.draw(1, 0, sampler.n_docs)[0].reshape(n_docs, n_chains, -1).mean(axis=1)
        bias = ((first - mean) / np.maximum(deviation, 1e-12))[mean > NOT_NEGLIGIBLE]
        left = np.sqrt(max((bias**2).mean() - 1 / n_chains, 0))
        print(f"| {name} | burn-in {burn_in} | bias {left:.2f} standard deviations | | |", flush=True)
    sampling.BURN_IN, sampling.SPACING = kept


def print_coverage(n_corpora: int) -> None:
    """Print the share of planted proportions within intervals of level 0.95, for both methods."""
    print("| topics from | tokens | mean-field | sampling |\n|---|---|---|---|")
    for eta, n_tokens in PLANTED:
        covered: dict[str, list[float]] = {"mean_field": [], "sampling": []}
        for seed in range(n_corpora):
            topics, theta, X = planted(eta, n_tokens, 50, seed)
            for method, found in covered.items():
                rows = theta_intervals(topics, X, method=method, random_state=seed, doc_topic_prior=ALPHA)
                low, high = (np.asarray(rows[name]).reshape(theta.shape) for name in ("low", "high"))
                found.append(float(np.mean((low <= theta) & (theta <= high))))
        cells = " | ".join(f"{np.mean(found):.3f}" for found in covered.values())
        print(f"| Dir({eta:g}) | {n_tokens} | {cells} |", flush=True)


def print_time(corpora: Corpora, name: str, n_topics: int, n_samples: int) -> None:
    """Print the processor time of draws for all documents of a corpus, on one thread."""
    X = corpora.load(name)
    model = LatentDirichletAllocation(n_topics, random_state=0, max_iter=40).fit(X)
    start = time.process_time()
    sampling.theta_samples(model, X, n_samples, 0)
    seconds = time.process_time() - start
    print(
        f"{name}: {n_samples} draws of {X.shape[0]:,} documents, {n_topics} topics: {seconds:.1f} s of processor time"
    )


def fitted(corpora: Corpora, name: str) -> tuple[np.ndarray, sparse.csr_array, np.ndarray]:
    """Return topics of a corpus, some of its documents, and the learned prior."""
    X = corpora.load(name)
    model = LatentDirichletAllocation(100, random_state=0).fit(X)
    return model.topics_, X[:: max(1, X.shape[0] // 80)], model.doc_topic_prior_


def main() -> None:
    """Print one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("autocorrelation", "coverage", "time"))
    parser.add_argument("--data", metavar="DIR", help="directory of corpora")
    parser.add_argument("--corpus", default="20ng")
    parser.add_argument("--corpora", type=int, default=200, help="planted corpora")
    given = parser.parse_args()
    corpora = Corpora(None if given.data is None else Path(given.data), SHAPES)
    if given.what == "coverage":
        print_coverage(given.corpora)
    elif given.what == "time":
        print_time(corpora, given.corpus, 100, 100)
    else:
        print("| corpus | setting | median | 90 % | 99 % |\n|---|---|---|---|---|")
        if given.data is not None:
            print_autocorrelation(given.corpus, *fitted(corpora, given.corpus))
        for eta, n_tokens in ((0.1, 100), (0.5, 100), (0.5, 500)):
            topics, _, X = planted(eta, n_tokens, 40, 0)
            print_autocorrelation(f"Dir({eta:g}), {n_tokens} tokens", topics, sparse.csr_array(X), ALPHA)


if __name__ == "__main__":
    main()
