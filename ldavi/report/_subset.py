"""The words and documents that the page contains: a subset of the vocabulary and of the corpus."""

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Int64s
from ldavi.inspection._documents import most_representative
from ldavi.inspection._words import relevance

SLIDER_STEPS = 21  # λ = 0, 0.05, …, 1
STEPS_AT_ONCE = 5
SHORT_DOCUMENTS = 0.25  # quantile of the document lengths below which documents are left out


def slider_words(topics: Doubles, word_probabilities: Doubles, n_words: int) -> list[Int64s]:
    """Return, for each topic, the columns of words among its `n_words` most relevant at any position of the slider."""
    log_p = np.log(word_probabilities, out=np.full_like(word_probabilities, -np.inf), where=word_probabilities > 0)
    columns = []
    for topic in topics:
        possible = np.flatnonzero(topic > 0)
        shown = _relevant_at_any_position(np.log(topic[possible]), log_p[possible], min(n_words, len(possible)))
        columns.append(possible[shown])
    return columns


def _relevant_at_any_position(log_topic: Doubles, log_p: Doubles, n_words: int) -> NDArray[np.bool_]:
    """Return which words are among the `n_words` most relevant at one of the slider's positions.

    A score is linear in λ. Between two positions it is therefore at most the larger and at least the smaller of its
    values there. Words whose larger value is below the n-th largest of the smaller values are not considered between.
    """
    shown = np.zeros(len(log_topic), bool)
    positions = np.linspace(0, 1, SLIDER_STEPS)
    for start in range(0, SLIDER_STEPS - 1, STEPS_AT_ONCE):
        between = positions[start : start + STEPS_AT_ONCE + 1]
        ends = [relevance(log_topic, log_p, float(weight)) for weight in (between[0], between[-1])]
        smaller, larger = np.minimum(*ends), np.maximum(*ends)
        limit = np.partition(smaller, len(smaller) - n_words)[len(smaller) - n_words]
        considered = np.flatnonzero(larger >= limit)
        for weight in between:
            scores = relevance(log_topic[considered], log_p[considered], float(weight))
            shown[considered[np.argpartition(-scores, n_words - 1)[:n_words]]] = True
    return shown


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
