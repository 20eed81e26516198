"""Recovery of planted topics and of Σα, by the tolerance of the fit.

python -m benchmarks.planted --seeds 10 --tol 1e-5
"""

import argparse
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ldavi import LatentDirichletAllocation
from ldavi.metrics import match_topics

LENGTH, ETA = 80, 0.05  # tokens of a document, and the prior of the planted topics


class Corpus(NamedTuple):
    """A corpus that is drawn from the model."""

    n_topics: int
    n_words: int
    n_docs: int
    alpha: tuple[float, ...]


CORPORA = {
    "K=5, uneven": Corpus(5, 200, 3000, (1.0, 0.5, 0.25, 0.1, 0.05)),
    "K=5, α=1": Corpus(5, 200, 3000, (1.0,) * 5),
    "K=20, α=.1": Corpus(20, 2000, 4000, (0.1,) * 20),
    "K=50, α=.05": Corpus(50, 3000, 4000, (0.05,) * 50),
}


def draw(corpus: Corpus, seed: int) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the counts and the topics of a corpus."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(corpus.n_words, ETA), corpus.n_topics)
    theta = rng.dirichlet(corpus.alpha, corpus.n_docs)
    return sparse.csr_array(np.array([rng.multinomial(LENGTH, proportions @ topics) for proportions in theta])), topics


def measure(corpus: Corpus, tol: float, seeds: int, n_collapsed_iter: int | str) -> str:
    """Return the cells of a table row: the range over seeds of similarity, Σα relative to the truth, and passes."""
    similarities, ratios, passes = [], [], []
    for seed in range(seeds):
        X, topics = draw(corpus, seed)
        model = LatentDirichletAllocation(
            corpus.n_topics, tol=tol, n_collapsed_iter=n_collapsed_iter, random_state=0
        ).fit(X)
        similarities.append(match_topics(model, topics).similarity.min())
        ratios.append(float(np.sum(model.doc_topic_prior_)) / sum(corpus.alpha))
        passes.append(model.n_iter_)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"{min(similarities):.3f} | {spread} | {min(passes)} to {max(passes)}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--without-collapsed-passes", action="store_true", help="fit with n_collapsed_iter=0")
    parser.add_argument("--tol", type=float, nargs="+", default=[1e-4, 2e-5, 1e-5])
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    given = parser.parse_args()
    n_collapsed_iter = 0 if given.without_collapsed_passes else "auto"
    print("| corpus | tol | least similarity | Σα / truth | passes |\n|---|---|---|---|---|")
    for name in given.corpora:
        for tol in given.tol:
            print(f"| {name} | {tol:g} | {measure(CORPORA[name], tol, given.seeds, n_collapsed_iter)} |", flush=True)


if __name__ == "__main__":
    main()
