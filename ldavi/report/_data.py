"""The numbers of the page: pure functions of topics, documents' proportions and counts."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import entr, psi

from ldavi._core.typing import Doubles, Int64s

STEPS = 21  # of the slider: λ = 0, 0.05, …, 1
MAP_WORDS = 5_000
FLAT = 0.95  # of all words, spread over evenly: a topic that got no tokens keeps its prior


class Sizes(NamedTuple):
    """How large topics are: `share` of all tokens, (K,); `documents` whose largest topic each is, (K,)."""

    share: Doubles
    documents: Int64s


def topic_sizes(theta: Doubles, lengths: Doubles) -> Sizes:
    """Σ_d N_d θ_dk / Σ_d N_d, and in how many documents with words each topic is the largest."""
    occupied = lengths > 0
    weights = lengths if occupied.any() else np.ones_like(lengths)
    largest = np.bincount(theta[occupied].argmax(axis=1), minlength=theta.shape[1])
    return Sizes(weights @ theta / weights.sum(), largest.astype(np.int64))


def most_relevant(topics: Doubles, words: Doubles, n_words: int) -> list[Int64s]:
    """For each topic, every word among its `n_words` most relevant at a step of the slider, ascending.

    relevance = λ log p(w|k) + (1 − λ) log(p(w|k) / p(w)): Sievert, Shirley, "LDAvis", 2014.
    """
    found = []
    log_words = np.log(words, out=np.full_like(words, -np.inf), where=words > 0)
    for topic in topics:
        possible = np.flatnonzero(topic > 0)
        log_topic = np.log(topic[possible])
        lift = log_topic - log_words[possible]
        kept: set[int] = set()
        for weight in np.linspace(0, 1, STEPS):
            relevance = weight * log_topic + (1 - weight) * lift
            kept.update(possible[_largest(relevance, n_words)].tolist())
        found.append(np.array(sorted(kept), dtype=np.int64))
    return found


def _largest(values: Doubles, n: int) -> Int64s:
    """Indices of the n largest, in no order; all where there are fewer."""
    if n >= len(values):
        return np.arange(len(values))
    return np.argpartition(-values, n - 1)[:n].astype(np.int64)


def short_labels(topics: Doubles, words: Doubles, names: Any, n_words: int = 3, weight: float = 0.6) -> list[str]:
    """The most relevant words of each topic, and of one that no word stands out of, that. `ldavi.inspection` names better."""
    labels = []
    for topic, spread in zip(topics, effective_words(topics), strict=True):
        if spread > FLAT * topics.shape[1]:
            labels.append("(no words of its own)")
            continue
        possible = np.flatnonzero(topic > 0)
        log_topic = np.log(topic[possible])
        relevance = weight * log_topic + (1 - weight) * (log_topic - np.log(words[possible]))
        best = possible[np.argsort(-relevance, kind="stable")[:n_words]]
        labels.append(", ".join(str(names[w]) for w in best))
    return labels


def topic_map(topics: Doubles, words: Doubles) -> Doubles:
    """Topics in the plane, (K, 2): principal coordinates of their Jensen-Shannon distances.

    Words beyond the 5,000 most frequent count as one word, which can only draw topics closer together. Each axis is turned
    so that its largest coordinate is positive.
    """
    n_topics = len(topics)
    if topics.shape[1] > MAP_WORDS:
        order = np.argsort(-words, kind="stable")
        rare = topics[:, order[MAP_WORDS:]].sum(axis=1, keepdims=True)
        topics = np.hstack([topics[:, order[:MAP_WORDS]], rare])
    squared = np.zeros((n_topics, n_topics))
    entropy = entr(topics).sum(axis=1)
    for k in range(n_topics - 1):
        middle = entr((topics[k] + topics[k + 1 :]) / 2).sum(axis=1)
        divergence = middle - (entropy[k] + entropy[k + 1 :]) / 2
        squared[k, k + 1 :] = squared[k + 1 :, k] = np.maximum(divergence, 0)
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    plane = np.zeros((n_topics, 2))
    n_axes = min(2, n_topics)
    plane[:, :n_axes] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :n_axes]
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), range(2)])
    return plane * np.where(signs == 0, 1, signs)


def effective_words(topics: Doubles) -> Doubles:
    """exp of each topic's entropy: over how many words it would spread evenly. `ldavi.metrics` has more of these."""
    spread: Doubles = np.exp(entr(topics).sum(axis=1))
    return spread


def exclusivity(topics: Doubles, n_words: int = 10) -> Doubles:
    """Mean over a topic's top words of β_kw / Σ_j β_jw; 1 when no other topic uses them."""
    best = np.argsort(-topics, axis=1, kind="stable")[:, :n_words]
    totals = topics.sum(axis=0)
    return np.array([(topics[k, top] / totals[top]).mean() for k, top in enumerate(best)])


def u_mass(topics: Doubles, counts: sparse.csr_array, n_words: int = 10) -> Doubles:
    """Mean of log((D(v, w) + 1) / D(w)) over pairs of a topic's top words, w the likelier: Mimno et al., 2011.

    NaN where fewer than two of its top words occur in the counts.
    """
    present = sparse.csc_array(
        (np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape[::-1]
    ).T.tocsc()
    found = np.full(len(topics), np.nan)
    for k, topic in enumerate(topics):
        best = np.argsort(-topic, kind="stable")[:n_words]
        block = present[:, best]
        together = np.asarray((block.T @ block).todense(), dtype=np.float64)
        likelier, other = np.triu_indices(len(best), 1)
        alone = np.diag(together)[likelier]
        if (alone > 0).any():
            found[k] = np.log((together[likelier, other] + 1)[alone > 0] / alone[alone > 0]).mean()
    return found


def representative_documents(theta: Doubles, lengths: Doubles, shares: Doubles, n_documents: int) -> Int64s:
    """Documents that show the topics best: by turns from each topic, the largest first, where its share is highest.

    Short documents, the lower quarter, are left out, since a few words say little of a topic.
    """
    if not lengths.any():
        return np.zeros(0, dtype=np.int64)
    long_enough = np.flatnonzero(lengths >= max(1, np.quantile(lengths[lengths > 0], 0.25)))
    n_turns = min(len(long_enough), n_documents)
    ranking = np.argsort(-theta[long_enough], axis=0, kind="stable")[:n_turns]
    chosen: dict[int, None] = {}
    for row in ranking[:, np.argsort(-shares, kind="stable")]:
        for d in long_enough[row].tolist():
            if len(chosen) < n_documents:
                chosen.setdefault(d)
    return np.array(list(chosen), dtype=np.int64)


def word_topics(counts: sparse.csr_array, gamma: Doubles, topics: Doubles) -> Doubles:
    """φ for topics known exactly, (nnz, K): β_kw exp(ψ(γ_dk)), rows normalised; even where a word has no topic."""
    documents = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    weights = topics.T[counts.indices] * np.exp(psi(gamma) - psi(gamma).max(axis=1, keepdims=True))[documents]
    totals = weights.sum(axis=1, keepdims=True)
    phi: Doubles = np.where(totals > 0, weights / np.where(totals > 0, totals, 1), 1 / topics.shape[0])
    return phi
