"""Recovery of planted topics by each library that is installed, by the strength of the planted structure.

Documents are drawn from LDA. The longer the documents and the smaller α, the easier it is to find the topics. Every
library is given the number of topics and fits with its own defaults, or with --long until it has converged; samplers
have no default number of iterations and make 1000. Measured are the similarity of matched topics
(1 − Hellinger distance: mean and minimum), the share of planted topics that some topic resembles, and the agreement of
the tokens' topics with the planted ones (normalised mutual information, Shi et al. 2019), for which the posterior of
each token is computed from the library's topics in the same way.

With --reruns, each corpus is fitted so many times, with other seeds and its documents in other orders. Fits that agree
with each other may all be wrong: the table has the similarity of matched topics between fits (consistency) and to the
planted topics (accuracy), as in Magsarjav et al., "Quantifying consistency and accuracy of latent Dirichlet
allocation", arXiv 2511.12850.

python -m benchmarks.recovery --seeds 5 --libraries ldavi_ sklearn_ gensim_ tomotopy_
python -m benchmarks.recovery --seeds 1 --reruns 20 --libraries ldavi_ sklearn_ gensim_ tomotopy_
"""

import argparse
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.adapters import LIBRARIES, load
from ldavi import infer
from ldavi.metrics import match_topics

ETA = 0.05  # prior of the planted topics
FOUND = 0.7  # similarity from which a planted topic counts as found
ALPHA = 0.1  # of the posterior of tokens, for all libraries
DEFAULTS = {"tomotopy_": {"iterations": 1000}, "topica_": {"iterations": 1000}}
LONG = DEFAULTS | {"sklearn_": {"max_iter": 200}, "gensim_": {"passes": 50, "iterations": 200}}
SIMILARITIES: tuple[Literal["jensen_shannon", "jaccard"], ...] = ("jensen_shannon", "jaccard")  # of reruns
COLUMNS = "mean similarity | least | found | tokens"
COLUMNS_OF_RERUNS = "between fits, 1 − √JSD | to the truth | between fits, ten words | to the truth"


class Setting(NamedTuple):
    """Parameters of the planted corpora."""

    n_topics: int
    n_words: int
    n_docs: int
    length: int
    alpha: float


SETTINGS = {
    "strong: 100 words, α=.05": Setting(10, 500, 1000, 100, 0.05),
    "medium: 50 words, α=.2": Setting(10, 500, 1000, 50, 0.2),
    "weak: 20 words, α=.5": Setting(10, 500, 1000, 20, 0.5),
    "many topics: 80 words, α=.05": Setting(30, 1000, 2000, 80, 0.05),
}


class Planted(NamedTuple):
    """A corpus, its topics, and the topic of each token, as documents × words × topics of entries."""

    counts: sparse.csr_array
    topics: np.ndarray
    tokens: np.ndarray  # (n_entries, 4): document, word, topic, number


def plant(setting: Setting, seed: int) -> Planted:
    """Draw a corpus from the model."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(setting.n_words, ETA), setting.n_topics)
    theta = rng.dirichlet(np.full(setting.n_topics, setting.alpha), setting.n_docs)
    entries = []
    for document, proportions in enumerate(theta):
        for topic, n in enumerate(rng.multinomial(setting.length, proportions)):
            drawn = rng.multinomial(n, topics[topic])
            words = np.flatnonzero(drawn)
            entries.append(
                np.column_stack([np.full_like(words, document), words, np.full_like(words, topic), drawn[words]])
            )
    tokens = np.concatenate(entries)
    cells = (tokens[:, 3], (tokens[:, 0], tokens[:, 1]))
    counts = sparse.coo_array(cells, shape=(setting.n_docs, setting.n_words)).tocsr()
    return Planted(counts, topics, tokens)


def token_agreement(planted: Planted, topics: np.ndarray) -> float:
    """Return the normalised mutual information of planted and most probable topics over all tokens."""
    gamma = infer(planted.counts, topics, ALPHA, dtype="float64").gamma
    document, word, planted_topic, number = planted.tokens.T
    scores = (gamma / gamma.sum(axis=1, keepdims=True))[document] * topics[:, word].T
    most_probable = np.repeat(scores.argmax(axis=1), number)
    return float(normalized_mutual_info_score(np.repeat(planted_topic, number), most_probable))


def measure(library: str, setting: Setting, seeds: int, options: dict[str, int]) -> str:
    """Return the cells of a table row: means over corpora."""
    adapter, rows = load(library), []
    for seed in range(seeds):
        planted = plant(setting, seed)
        model = adapter.train(adapter.prepare(planted.counts), setting.n_topics, seed, **options)
        topics = np.asarray(adapter.topics(model, setting.n_words), dtype=np.float64)
        topics /= topics.sum(axis=1, keepdims=True)
        similarity = match_topics(planted.topics, topics).similarity
        found = (similarity >= FOUND).mean()
        rows.append([similarity.mean(), similarity.min(), found, token_agreement(planted, topics)])
    return " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))


def measure_reruns(library: str, setting: Setting, seeds: int, reruns: int, options: dict[str, int]) -> str:
    """Return the cells of a table row: mean similarities between fits of a corpus, and to its topics."""
    adapter, rows = load(library), []
    for seed in range(seeds):
        planted, fits = plant(setting, seed), []
        for rerun in range(reruns):
            order = np.random.default_rng((seed, rerun)).permutation(setting.n_docs)
            model = adapter.train(adapter.prepare(planted.counts[order]), setting.n_topics, rerun, **options)
            fits.append(np.asarray(adapter.topics(model, setting.n_words), dtype=np.float64))
        rows.append(
            [
                float(np.mean([match_topics(a, b, distance).mean for a, b in pairs]))
                for distance in SIMILARITIES
                for pairs in (list(combinations(fits, 2)), [(planted.topics, topics) for topics in fits])
            ]
        )
    return " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--long", action="store_true", help="let each library converge")
    parser.add_argument("--reruns", type=int, help="compare so many fits of each corpus with each other")
    given = parser.parse_args()
    print(f"| corpora | library | {COLUMNS_OF_RERUNS if given.reruns else COLUMNS} |\n|---|---|---|---|---|---|")
    for name in given.settings:
        for library in given.libraries:
            try:
                options = (LONG if given.long else DEFAULTS).get(library, {})
                where = library, SETTINGS[name], given.seeds
                cells = measure_reruns(*where, given.reruns, options) if given.reruns else measure(*where, options)
            except ImportError as error:
                print(f"| {name} | {library.rstrip('_')} | not installed: {error.name} ||||", flush=True)
                continue
            print(f"| {name} | {library.rstrip('_')} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
