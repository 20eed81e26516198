"""The words and documents that the page contains: a subset of the vocabulary and of the corpus."""

import numpy as np

from ldavi._core.typing import Doubles, Int64s
from ldavi.inspection._documents import most_representative
from ldavi.inspection._words import relevance

SLIDER_STEPS = 21  # λ = 0, 0.05, …, 1
SHORT_DOCUMENTS = 0.25  # quantile of the document lengths below which documents are left out


def slider_words(topics: Doubles, word_probabilities: Doubles, n_words: int) -> list[Int64s]:
    """Return, for each topic, the columns of words among its `n_words` most relevant at any position of the slider."""
    log_p = np.log(word_probabilities, out=np.full_like(word_probabilities, -np.inf), where=word_probabilities > 0)
    columns = []
    for topic in topics:
        possible = np.flatnonzero(topic > 0)
        log_topic, shown = np.log(topic[possible]), np.zeros(len(possible), bool)
        for weight in np.linspace(0, 1, SLIDER_STEPS):
            scores = relevance(log_topic, log_p[possible], float(weight))
            n_shown = min(n_words, len(scores))
            shown[np.argpartition(-scores, n_shown - 1)[:n_shown]] = True
        columns.append(possible[shown])
    return columns


def shown_documents(theta: Doubles, tokens: Doubles, shares: Doubles, n_documents: int) -> Int64s:
    """Choose documents round-robin over topics, the largest topic first, by decreasing proportion of the topic.

    Short documents, the lower quarter, are left out, since few words say little about a topic.
    """
    if not tokens.any() or not n_documents:
        return np.zeros(0, dtype=np.int64)
    candidates = np.flatnonzero(tokens >= max(1, np.quantile(tokens[tokens > 0], SHORT_DOCUMENTS)))
    ranking = candidates[most_representative(theta[candidates], tokens[candidates], n_documents)]
    by_turns = ranking[np.argsort(-shares, kind="stable")].T.ravel()
    _, first = np.unique(by_turns, return_index=True)
    return np.asarray(by_turns[np.sort(first)][:n_documents], dtype=np.int64)
