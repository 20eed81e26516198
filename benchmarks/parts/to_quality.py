"""Measure the time until ldavi reaches the final perplexity of a peer, for S4, S5, Q2 and Q8.

Each turn has its own seed. A complete fit of the peer is timed, and the perplexity of its topics is computed; of
several settings, the one with the lowest perplexity counts. Then the smallest number of passes with which ldavi
reaches this perplexity is determined, and a fit of that length is timed.
"""

from collections.abc import Iterable
from typing import Any

from scipy import sparse

from benchmarks import timing
from benchmarks.adapters import ldavi_
from benchmarks.corpora import Corpora
from benchmarks.parts.fits import Fit, Judge, judge_of, where


def compare(
    config: dict[str, Any],
    peers: dict[str, Fit],
    X: sparse.csr_array,
    perplexity: Judge,
    name: str,
    *,
    n_topics: int,
    lengths: Iterable[int],
    **ours: Any,
) -> dict[str, Any]:
    """Return the case of the ratio of the peer's seconds to ldavi's.

    Parameters
    ----------
    config : dict
        Settings of the part.
    peers : dict of Fit
        Fits of one library with several settings, by name.
    X : sparse array of shape (D, V)
        Training documents.
    perplexity : callable
        Computes the held-out perplexity of topics.
    name : str
        Name of the case.
    n_topics : int
        Number of topics of all fits.
    lengths : iterable of int
        Increasing numbers of passes of ldavi's fits.
    ours
        Parameters of ldavi's estimator.
    """
    short = next(iter(peers)).split()[0]
    seconds: timing.Repeats = {short: [], "ldavi": []}
    quality: dict[str, list[float]] = {short: [], "ldavi": [], "passes of ldavi": []}
    settings: list[dict[str, Any]] = []
    curves: list[dict[int, float]] = []
    for seed in range(config["repeats"]):
        turn = {}
        for label, fit in peers.items():
            fitted = fit(n_topics, seed)
            turn[label] = {"perplexity": perplexity(fitted.topics), "seconds": fitted.seconds}
        settings.append(turn)
        best = min(turn.values(), key=lambda run: run["perplexity"])
        tried = until_as_good(X, n_topics, seed, perplexity, best["perplexity"], lengths, **ours)
        curves.append(tried)
        passes = min(tried, key=lambda length: tried[length])  # the last one, if it reached the target
        seconds[short].append(best["seconds"])
        seconds["ldavi"].append(
            timing.seconds_of(lambda s=seed, p=passes: ldavi_.train_passes(X, n_topics, s, p, **ours))
        )
        for key, value in ((short, best["perplexity"]), ("ldavi", tried[passes]), ("passes of ldavi", passes)):
            quality[key].append(value)
    reached_all = all(own <= target for own, target in zip(quality["ldavi"], quality[short], strict=True))
    case = timing.ratio_case(name, seconds, short, "ldavi", target=config["target"], perplexity=quality)
    return case | {"met": case["met"] and reached_all, "reached": reached_all, "settings": settings, "curves": curves}


def until_as_good(
    X: sparse.csr_array, n_topics: int, seed: int, perplexity: Judge, target: float, lengths: Iterable[int], **ours: Any
) -> dict[int, float]:
    """Return perplexities of ldavi's fits by number of passes, up to the first that is at most `target`."""
    tried: dict[int, float] = {}
    for passes, model in ldavi_.train_lengths(X, n_topics, seed, lengths, **ours):
        tried[passes] = perplexity(model.topics_)
        if tried[passes] <= target:
            break
    return tried


def cvb0_to_peers(config: dict[str, Any], corpora: Corpora) -> dict[str, Any]:
    """Return the case of Q2 and Q8: time of `inference="cvb0"` to the best perplexity of the part's peers."""
    X, held_out = corpora.split(config["corpus"], config["judged_documents"])
    peers = {name: Fit(config, name, X) for name in config["peers"]}
    lengths, n_topics, perplexity = config["lengths"], config["n_topics"], judge_of(config, held_out)
    name = where(config, corpora)
    return compare(config, peers, X, perplexity, name, n_topics=n_topics, lengths=lengths, inference="cvb0")
