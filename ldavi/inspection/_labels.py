"""Labels: phrases that stand for a topic, found in the documents themselves."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from ldavi._core.tables import table
from ldavi._core.topics_of_model import feature_names_of, topics_of
from ldavi._core.typing import Doubles
from ldavi._estimator import validation as check
from ldavi.inspection._posterior import posterior_of, responsibilities
from ldavi.inspection._words import relevance

COUNTS_AT_ONCE = 2**15
PIECES = re.compile(r"\w+|[^\w\s-]")  # a mark other than a hyphen parts what stands around it


def topic_labels(
    model: Any,
    X: Any,
    candidates: Any,
    *,
    n_labels: int = 3,
    ngram_range: tuple[int, int] = (2, 3),
    min_documents: int = 5,
    relevance_weight: float = 0.6,
    doc_topic_prior: float | ArrayLike | None = None,
    candidate_names: Any = None,
    feature_names: Any = None,
) -> Any:
    """Phrases of the documents that stand for each topic.

    Each occurrence of a phrase goes to the topics by θ_d and the words that it is made of, as if one topic had written all of
    them: q(k) ∝ exp E[log θ_dk] Π_w β_kw. The sums over documents make p(phrase | topic), and phrases are ranked by their
    relevance in it. A phrase that is part of a better one of the same topic, or holds one, is left out.

    Parameters
    ----------
    model : estimator or array of shape (n_topics, n_words)
        Fitted topics.
    X : array-like or sparse matrix of shape (n_docs, n_words)
        Counts, documents × words.
    candidates : list of n_docs str, or array-like or sparse matrix of shape (n_docs, n_candidates)
        The texts of X, in which phrases of the model's words are looked for; or counts of phrases found elsewhere.
    n_labels : int, default=3
        Labels of a topic.
    ngram_range : tuple of two int, default=(2, 3)
        Words of a phrase, at least and at most, if texts are given.
    min_documents : int, default=5
        Documents that a phrase must occur in.
    relevance_weight : float, default=0.6
        λ of the relevance, between 0 (phrases of this topic alone) and 1 (its most frequent).
    doc_topic_prior : float, array of shape (n_topics,) or None, default=None
        α. None takes the model's own, or 0.1 for topics that have none.
    candidate_names : array-like of str of shape (n_candidates,), or None, default=None
        The phrases, words separated by blanks, if `candidates` holds counts.
    feature_names : array-like of str of shape (n_words,), or None, default=None
        Names of the words, in lower case if texts are given; None takes those that the model was fitted with.

    Returns
    -------
    labels : DataFrame, or structured array without pandas
        A row for each topic and rank, with the columns topic, rank (from 1), label, score (the relevance) and count, the
        occurrences that go to the topic. A topic without phrases has no rows.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or no phrase is in `min_documents` documents.

    References
    ----------
    Mei, Shen, Zhai. "Automatic labeling of multinomial topic models". KDD 2007. Sievert, Shirley. "LDAvis: a method for
    visualizing and interpreting topics", 2014 (relevance).

    Examples
    --------
    >>> from ldavi.inspection import topic_labels
    >>> texts = ["big cat sat", "big cat", "red dog ran", "red dog, big cat"]
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]
    >>> topics = [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    >>> rows = topic_labels(topics, X, texts, min_documents=2, feature_names=["big", "cat", "red", "dog"])
    >>> print(rows["label"].tolist())
    ['big cat', 'red dog']
    """
    n_labels = check.check_integer("n_labels", n_labels, minimum=1)
    min_documents = check.check_integer("min_documents", min_documents, minimum=1)
    check.check_number("relevance_weight", relevance_weight, minimum=0, maximum=1)
    topics = topics_of(model)
    words = feature_names_of(model, topics.shape[1], feature_names)
    posterior = posterior_of(model, X, doc_topic_prior, "topic_labels")
    if _are_texts(candidates):
        phrases, names = _find_phrases(candidates, words, ngram_range)
    else:
        phrases = check.check_counts(candidates, dtype=np.float64, name="topic_labels")
        names = _candidate_names(candidate_names, phrases.shape[1])
    if phrases.shape[0] != len(posterior.gamma):
        found, wanted = phrases.shape[0], len(posterior.gamma)
        raise ValueError(f"candidates has {found} documents and X has {wanted}; both must be of the same documents")
    often = np.bincount(phrases.indices, minlength=phrases.shape[1]) >= min_documents
    if not often.any():
        raise ValueError(
            f"none of {len(names)} phrases is in min_documents={min_documents} documents. Lower it, or check that "
            "feature_names are the words of the texts."
        )
    phrases, names = phrases[:, np.flatnonzero(often)], names[often]
    tokens = _phrase_tokens(phrases, names, posterior.gamma, topics, words)
    scores = _phrase_relevance(tokens, relevance_weight)
    rows = [
        (k, rank, p) for k in range(len(topics)) for rank, p in enumerate(_best(scores[k], names, n_labels), start=1)
    ]
    topic, rank, phrase = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return table(topic=topic, rank=rank, label=names[phrase], score=scores[topic, phrase], count=tokens[topic, phrase])


def _are_texts(candidates: Any) -> bool:
    return not sparse.issparse(candidates) and len(candidates) > 0 and isinstance(next(iter(candidates)), str)


def _find_phrases(texts: Sequence[str], words: Any, ngram_range: tuple[int, int]) -> tuple[sparse.csr_array, Any]:
    """Counts of the runs of words that the model knows, and the runs."""
    fewest, most = (check.check_integer("ngram_range", n, minimum=1) for n in ngram_range)
    known = set(words.tolist())

    def phrases_of(text: str) -> Iterator[str]:
        pieces = [piece if piece in known else "" for piece in PIECES.findall(text.lower())]
        for n in range(fewest, most + 1):
            for start in range(len(pieces) - n + 1):
                run = pieces[start : start + n]
                if all(run):
                    yield " ".join(run)

    vectorizer = CountVectorizer(analyzer=phrases_of, dtype=np.float64)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError as error:
        msg = (
            f"candidates holds no run of {fewest} to {most} of the model's words: check feature_names against the texts"
        )
        raise ValueError(msg) from error
    return sparse.csr_array(counts), vectorizer.get_feature_names_out()


def _candidate_names(candidate_names: Any, n_candidates: int) -> Any:
    names = np.asarray([] if candidate_names is None else candidate_names, dtype=object)
    if names.shape != (n_candidates,):
        msg = f"candidate_names has shape {names.shape}, but candidates has {n_candidates} columns. Give one name for each."
        raise ValueError(msg)
    return names


def _phrase_tokens(phrases: sparse.csr_array, names: Any, gamma: Doubles, topics: Doubles, words: Any) -> Doubles:
    """Occurrences of each phrase that go to each topic, (K, phrases)."""
    column = {word: place for place, word in enumerate(words.tolist())}
    likelihood = np.ones((len(names), len(topics)))
    for place, name in enumerate(names):
        made_of = [column[word] for word in name.split() if word in column]
        likelihood[place] = topics[:, made_of].prod(axis=1)
    documents = np.repeat(np.arange(phrases.shape[0]), np.diff(phrases.indptr))
    tokens = np.zeros((len(names), len(topics)))
    for start in range(0, len(documents), COUNTS_AT_ONCE):
        at = slice(start, start + COUNTS_AT_ONCE)
        phi = responsibilities(gamma[documents[at]], likelihood[phrases.indices[at]])
        cells = (phrases.indices[at], np.arange(len(phi)))
        tokens += sparse.csr_array((phrases.data[at], cells), shape=(len(names), len(phi))) @ phi
    return tokens.T


def _phrase_relevance(tokens: Doubles, weight: float) -> Doubles:
    """Relevance of phrases in p(phrase | topic); −∞ where a topic has none."""
    of_topic = tokens.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_share = np.log(np.divide(tokens, of_topic, out=np.zeros_like(tokens), where=of_topic > 0))
        return relevance(log_share, np.log(tokens.sum(axis=0) / tokens.sum()), weight)


def _best(scores: Doubles, names: Any, n_labels: int) -> list[int]:
    """The highest scores, without a phrase that is part of one before it or holds one."""
    chosen: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        if len(chosen) == n_labels or np.isneginf(scores[place]):
            break
        phrase = f" {names[place]} "
        if not any(phrase in f" {names[other]} " or f" {names[other]} " in phrase for other in chosen):
            chosen.append(int(place))
    return chosen
