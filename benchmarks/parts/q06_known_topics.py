"""Q6: recovery of the topics that documents were drawn from.

The gap is the held-out perplexity of a fit minus that of the true topics. Three lower limits are reported with the
fits: the posterior mean of the topics given the true topic of every token; the posterior mean given the documents, by
Gibbs sampling initialised at the true topics with the true priors, which no estimate improves on average; and
`inference="cvb0"` initialised at the true topics.
"""

import statistics
from typing import Any

from benchmarks import gibbs, timing
from benchmarks.corpora import Corpora, SyntheticCorpus, with_known_topics
from benchmarks.parts import fits

TITLE = "known topics: gap of held-out perplexity to theirs"
Gaps = dict[str, list[list[float]]]  # by fit, corpus and seed


def run(config: dict[str, Any], corpora: Corpora, quick: bool) -> dict[str, Any]:
    gaps: Gaps = {}
    true: list[float] = []
    for seed in range(config["drawn"]):
        perplexity_of_true, of_corpus = _on_one(config, seed)
        true.append(perplexity_of_true)
        for name, values in of_corpus.items():
            gaps.setdefault(name, []).append(values)
    peers = config["peers"]
    best = min(peers, key=lambda name: statistics.median(_flat(gaps[name])))
    cases = [ratio(config, gaps, ours, best) for ours in config["ours"]]
    cases += [timing.value_case(name, _flat(values), "gap", by_corpus=values) for name, values in gaps.items()]
    return {"cases": [*cases, timing.value_case("true topics", true, "perplexity", digits=5)], "notes": []}


def _on_one(config: dict[str, Any], seed: int) -> tuple[float, dict[str, list[float]]]:
    """Draw a corpus, and return the perplexity of its true topics and the gaps of every fit by seed."""
    K, eta = config["n_topics"], config["eta"]
    corpus = drawn_corpus(config, seed)
    X, held_out = corpus.X, corpus.held_out
    perplexity = fits.judge_of(config, held_out)
    true = perplexity(corpus.topics)
    gaps = {"floor: every token's topic known": [perplexity(corpus.topic_word + eta) - true]}
    sampled = gibbs.posterior_topics(X, corpus.topics, alpha=config["alpha"], eta=eta, **config["gibbs"], seed=seed)
    gaps["floor: posterior mean, sampled from the true topics"] = [perplexity(sampled) - true]
    for _, fitted in fits.each(config, ["ldavi cvb0"], X, K, init=corpus.topics):
        gaps.setdefault("floor: cvb0 from the true topics", []).append(perplexity(fitted.topics) - true)
    for name, fitted in fits.each(config, [*config["ours"], *config["peers"]], X, K):
        gaps.setdefault(name, []).append(perplexity(fitted.topics) - true)
    return true, gaps


def drawn_corpus(config: dict[str, Any], seed: int) -> SyntheticCorpus:
    """Draw the corpus of a seed."""
    sizes = config["documents"], config["n_words"], config["n_topics"], config["tokens"]
    more = {name: config[name] for name in ("held_out", "alpha", "eta")}
    return with_known_topics(*sizes, **more, seed=seed)


def ratio(config: dict[str, Any], gaps: Gaps, ours: str, best: str) -> dict[str, Any]:
    """Return the case of the ratio of the gap of `ours` to that of the best peer, one value per corpus."""
    medians = {name: [statistics.median(values) for values in gaps[name]] for name in (ours, best)}
    target = config["target"] if ours == config["ours"][0] else None
    case = timing.ratio_case(f"{ours} against {best}", medians, ours, best, target=target, sense="<=", unit="")
    return case | {"what": f"gap, {ours} / best peer"}


def _flat(values: list[list[float]]) -> list[float]:
    return [value for of_corpus in values for value in of_corpus]
