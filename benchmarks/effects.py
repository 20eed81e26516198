"""Bias and coverage of effects of covariates on planted corpora.

python -m benchmarks.effects --corpora 200
"""

import argparse
import warnings

import numpy as np

from ldavi import LatentDirichletAllocation
from ldavi.inspection import estimate_effect
from ldavi.metrics import match_topics

N_DOCS, N_WORDS, N_TOPICS, CONCENTRATION = 400, 300, 5, 2.0
SETTINGS = ((30, 0.2), (100, 0.0), (100, 0.2), (400, 0.2))  # tokens, effect


def planted(n_tokens: int, effect: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a corpus of two groups, between which the expected shares of topics 0 and 1 differ by ± `effect`."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(N_WORDS, 0.1), N_TOPICS)
    group = rng.permutation(np.arange(N_DOCS) % 2)
    means = np.full((2, N_TOPICS), 1 / N_TOPICS)
    means[:, 0] += np.array([-0.5, 0.5]) * effect
    means[:, 1] -= np.array([-0.5, 0.5]) * effect
    theta = np.array([rng.dirichlet(CONCENTRATION * means[g]) for g in group])
    return topics, group, np.array([rng.multinomial(n_tokens, row @ topics) for row in theta])


def effects(topics: np.ndarray, group: np.ndarray, X: np.ndarray, *, is_fitted: bool) -> np.ndarray:
    """Return estimate, standard error, lower and upper for each topic, with the true topics or with fitted ones."""
    options = {"random_state": 0, "n_samples": 15}
    if not is_fitted:
        rows = estimate_effect(topics, X, {"group": group}, doc_topic_prior=CONCENTRATION / N_TOPICS, **options)
        order = np.arange(N_TOPICS)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LatentDirichletAllocation(N_TOPICS, random_state=0).fit(X)
        rows = estimate_effect(model, X, {"group": group}, **options)
        order = match_topics(topics, model).pairs[:, 1]
    found = np.column_stack([np.asarray(rows[name]) for name in ("estimate", "std_error", "lower", "upper")])
    return found[1::2][order]


def row(n_tokens: int, effect: float, n_corpora: int, *, is_fitted: bool) -> str:
    """Return the cells of a table row: mean estimate, its deviation and the mean standard error, and coverage."""
    truth = np.zeros(N_TOPICS)
    truth[:2] = effect, -effect
    found = np.array([effects(*planted(n_tokens, effect, seed), is_fitted=is_fitted) for seed in range(n_corpora)])
    estimate, std_error = found[:, 0, 0], found[:, 0, 1]
    covered = (found[:, :, 2] <= truth) & (truth <= found[:, :, 3])
    return (
        f"{estimate.mean():.4f} | {estimate.std(ddof=1):.4f} | {std_error.mean():.4f} | "
        f"{covered[:, :2].mean():.3f} | {covered[:, 2:].mean():.3f}"
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=int, default=200)
    parser.add_argument("--topics", nargs="+", choices=("true", "fitted"), default=["true", "fitted"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[30, 100, 400])
    given = parser.parse_args()
    print("| topics | tokens | effect | mean estimate | its deviation | mean std. error | coverage | of no effect |")
    print("|---|---|---|---|---|---|---|---|")
    for topics in given.topics:
        for n_tokens, effect in SETTINGS:
            if n_tokens in given.tokens:
                cells = row(n_tokens, effect, given.corpora, is_fitted=topics == "fitted")
                print(f"| {topics} | {n_tokens} | {effect:g} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
