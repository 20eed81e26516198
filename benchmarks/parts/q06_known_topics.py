"""Q6: how near fits come to the topics that documents were drawn from.

The gap is that of held-out perplexity to the true topics'. Three floors stand beside the fits: the posterior mean of the
topics given the true topic of every token, which nobody knows; the posterior mean given the documents, sampled from the true
topics with the true priors, which no estimate is better than on average; and "cvb0" started at the true topics.
"""

import statistics
from typing import Any

from benchmarks import gibbs, timing
from benchmarks.corpora import Corpora, known
from benchmarks.parts import fits

TITLE = "known topics: gap of held-out perplexity to theirs"
Gaps = dict[str, list[list[float]]]  # of each fit, by corpus, by seed


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
    cases = [_ratio(config, gaps, ours, best) for ours in config["ours"]]
    cases += [timing.value_case(name, _flat(values), "gap", by_corpus=values) for name, values in gaps.items()]
    return {"cases": [*cases, timing.value_case("true topics", true, "perplexity", digits=5)], "notes": []}


def _on_one(config: dict[str, Any], seed: int) -> tuple[float, dict[str, list[float]]]:
    """Perplexity of the true topics of one corpus, and the gap of every fit by seed."""
    K, eta = config["n_topics"], config["eta"]
    corpus = known(
        config["documents"],
        config["n_words"],
        K,
        config["tokens"],
        held_out=config["held_out"],
        alpha=config["alpha"],
        eta=eta,
        seed=seed,
    )
    X, held_out = corpus.X, corpus.held_out
    perplexity = fits.judge_of(config, held_out)
    true = perplexity(corpus.topics)
    gaps = {"floor: every token's topic known": [perplexity(corpus.given + eta) - true]}
    sampled = gibbs.posterior_topics(X, corpus.topics, alpha=config["alpha"], eta=eta, **config["gibbs"], seed=seed)
    gaps["floor: posterior mean, sampled from the true topics"] = [perplexity(sampled) - true]
    for _, fitted in fits.each(config, ["ldavi cvb0"], X, K, init=corpus.topics):
        gaps.setdefault("floor: cvb0 from the true topics", []).append(perplexity(fitted.topics) - true)
    for name, fitted in fits.each(config, [*config["ours"], *config["peers"]], X, K):
        gaps.setdefault(name, []).append(perplexity(fitted.topics) - true)
    return true, gaps


def _ratio(config: dict[str, Any], gaps: Gaps, ours: str, best: str) -> dict[str, Any]:
    """The gap of `ours` as a share of the best peer's, on each corpus."""
    medians = {name: [statistics.median(values) for values in gaps[name]] for name in (ours, best)}
    target = config["target"] if ours == config["ours"][0] else None
    case = timing.ratio_case(f"{ours} against {best}", medians, ours, best, target=target, sense="<=", unit="")
    return case | {"what": f"gap, {ours} / best peer"}


def _flat(values: list[list[float]]) -> list[float]:
    return [value for of_corpus in values for value in of_corpus]
