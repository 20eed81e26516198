"""Topic coherence: how often the most probable words of a topic occur together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ldavi._core.library_models import is_word_lists
from ldavi._core.topics_of_model import ModelOrTopics, has_word_names
from ldavi._core.typing import CoherenceMeasure, Doubles, Int64s, Matrix, Names
from ldavi._estimator.posterior import counts_over_words
from ldavi._estimator.validation import check_choice, check_integer
from ldavi.metrics._occurrences import InDocuments, InWindows, in_documents, in_windows
from ldavi.metrics._top_words import first_words_of

EPSILON = 1e-12  # Röder et al., and gensim
WINDOW_SIZES = {"u_mass": None, "uci": 10, "npmi": 10, "c_v": 110}
MAX_TOPICS_IN_WARNING = 5


def coherence(
    topics: ModelOrTopics,
    X: Matrix | Sequence[Sequence[str]],
    measure: CoherenceMeasure = "u_mass",
    n_words: int = 10,
    *,
    feature_names: Names | None = None,
    window_size: int | None = None,
    counting: Literal["gensim", "boolean"] = "gensim",
) -> Doubles:
    """Compute the coherence of each topic's first words, equal to gensim's `CoherenceModel` on the same windows.

    With P(i) the share of windows that contain the i-th word of a topic, P(i, j) the share that contain both, and
    ε = 1e−12:

    * "u_mass" [1]_: the mean over j < i of log((P(i, j) + ε) / P(j)); windows are documents; a pair with P(j) = 0 has
      0.
    * "uci" [2]_: the mean over i ≠ j of PMI(i, j) = log((P(i, j) + ε) / (P(i) P(j))).
    * "npmi" [3]_: the mean over i ≠ j of NPMI(i, j) = PMI(i, j) / −log(P(i, j) + ε), from −1 (never together) to 1.
    * "c_v" [4]_: the mean over i of the cosine between the vectors (NPMI(i, j))_j and Σ_i (NPMI(i, j))_j.

    Two words that are both in every window have an NPMI of −1: without ε it would be 0 / 0, and with ε this is its
    value, also in gensim. Windows are read once for all topics.

    Parameters
    ----------
    topics : array-like of shape (n_topics, n_features), model, or n_topics lists of words
        Weights >= 0; an estimator gives its `topics_` or `components_`, a pipeline those of its last step. Words with
        equal weights are in column order. Lists have the best word first.
    X : array-like or sparse matrix of shape (n_samples, n_features), or sequence of sequences of str
        Counts, documents × words, where every document is one window. Or documents as lists of tokens in text order,
        where windows slide (except for "u_mass"). Words that are not in `feature_names` count for the length of a
        window, as in gensim.
    measure : {"u_mass", "uci", "npmi", "c_v"}, default="u_mass"
        Called "u_mass", "c_uci", "c_npmi" and "c_v" in gensim.
    n_words : int, default=10
        Number of most probable words per topic, at least 2; all of them if there are fewer. gensim's default is 20.
    feature_names : array-like of shape (n_features,) or None, default=None
        The words of the columns. None means those of the model or its pipeline. Required if X holds tokens and the
        model has no words, or if X holds counts and topics are lists of words.
    window_size : int or None, default=None
        Length of a sliding window in tokens. None means 10 for "uci" and "npmi", 110 for "c_v". A document that is not
        longer is one window. Only if X holds tokens, and not for "u_mass".
    counting : {"gensim", "boolean"}, default="gensim"
        How words are counted in sliding windows. "boolean": a window contains the words that are in it, as [4]_ defines
        it. "gensim" differs where a word occurs twice in one window: it is removed when its first occurrence leaves the
        window, though the second is still in it. gensim computes this, so that values are comparable with published
        ones.

    Returns
    -------
    coherence : array of shape (n_topics,)
        float64, higher is better. NaN, with a warning, where it is undefined: for "uci", "npmi" and "c_v", if one of
        the words never occurs in X (gensim's value is then infinite or NaN).

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above, X does not have the number of columns of the topics, or X holds tokens
        and the names of the words are unknown or not distinct.

    Warns
    -----
    UserWarning
        If one of the first words of a topic never occurs in X.

    References
    ----------
    .. [1] Mimno, Wallach, Talley, Leenders, McCallum. "Optimizing semantic coherence in topic models". EMNLP 2011.
       Here in the form of gensim and [4]_: the mean instead of the sum, ε instead of one document.
    .. [2] Newman, Lau, Grieser, Baldwin. "Automatic evaluation of topic coherence". NAACL 2010.
    .. [3] Aletras, Stevenson. "Evaluating topic coherence using distributional semantics". IWCS 2013.
    .. [4] Röder, Both, Hinneburg. "Exploring the space of topic coherence measures". WSDM 2015.

    Examples
    --------
    >>> from ldavi.metrics import coherence
    >>> X = [[1, 2, 0, 0], [1, 1, 0, 0], [0, 0, 3, 1], [0, 1, 1, 0]]
    >>> topics = [[0.5, 0.4, 0.1, 0.0], [0.4, 0.0, 0.1, 0.5]]
    >>> print(coherence(topics, X, "npmi", n_words=2).round(3))
    [ 0.415 -0.925]
    """
    check_choice("measure", measure, tuple(WINDOW_SIZES))
    check_choice("counting", counting, ("gensim", "boolean"))
    first, names = first_words_of(topics, n_words, feature_names=feature_names, minimum=2)
    words, place = np.unique(first, return_inverse=True)
    place = place.reshape(first.shape)
    texts = _token_lists(X)
    occurrences: InDocuments | InWindows
    if texts is not None:
        if not is_word_lists(topics) and not has_word_names(topics, feature_names):
            raise ValueError("feature_names=None, but X holds tokens: give the word of each column of the topics")
        occurrences = _in_token_lists(texts, names, words, _window_size(measure, window_size), counting)
    else:
        if is_word_lists(topics) and feature_names is None:
            raise ValueError("feature_names=None, but topics are lists of words: give the word of each column of X")
        occurrences = _in_counts(None if is_word_lists(topics) else topics, X, len(names), words, window_size)
    joint = np.stack([occurrences.joint_counts(topic) for topic in place])
    _warn_of_absent_words(joint, names[first], measure)
    return _MEASURES[measure](joint, float(occurrences.n_windows))


def _token_lists(X: Matrix | Sequence[Sequence[str]]) -> Sequence[Sequence[str]] | None:
    """Return documents that are sequences of str, from a sequence, object array or Series; None if X has counts."""
    texts: Any = list(X) if getattr(X, "ndim", 2) == 1 else X  # type: ignore[arg-type]  # of one dimension: iterable
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        return None
    if any(isinstance(text, str) for text in texts[:1]):
        raise TypeError(f"X holds texts ({texts[0][:40]!r}, …): split each into a list of tokens, or count its words")
    first = next((text for text in texts if not isinstance(text, Sequence) or text), ())
    holds_tokens = isinstance(first, Sequence) and any(isinstance(token, str) for token in first[:1])
    return texts if holds_tokens else None


def _window_size(measure: str, window_size: int | None) -> int | None:
    if window_size is None:
        return WINDOW_SIZES[measure]
    if measure == "u_mass":
        raise ValueError(f"window_size={window_size!r}, but the windows of 'u_mass' are documents: pass None")
    return check_integer("window_size", window_size, minimum=1)


def _in_token_lists(
    texts: Sequence[Sequence[str]], names: NDArray[Any], words: Int64s, size: int | None, counting: str
) -> InWindows:
    known, times = np.unique(names.astype(str), return_counts=True)
    if (times > 1).any():
        raise ValueError(
            f"feature_names holds {str(known[times > 1][0])!r} more than once; a token must name one column"
        )
    return in_windows(texts, list(names[words]), window_size=size, counting=counting)


def _in_counts(
    model: ModelOrTopics | None, X: Matrix, n_words: int, words: Int64s, window_size: int | None
) -> InDocuments:
    if window_size is not None:
        raise ValueError(f"window_size={window_size!r}, but X holds counts: pass lists of tokens, or window_size=None")
    counts = counts_over_words(model, X, "coherence", dtype=None)
    if counts.shape[1] != n_words:
        raise ValueError(f"X has {counts.shape[1]} columns and the topics {n_words}; both must name the same words")
    return in_documents(counts, words)


def _warn_of_absent_words(joint: Int64s, names: NDArray[Any], measure: str) -> None:
    absent = np.diagonal(joint, axis1=1, axis2=2) == 0
    topics = np.flatnonzero(absent.any(axis=1))
    if not len(topics):
        return
    listed = "; ".join(
        f"topic {k}: {', '.join(repr(str(name)) for name in names[k][absent[k]])}"
        for k in topics[:MAX_TOPICS_IN_WARNING]
    )
    more = f"; and {len(topics) - MAX_TOPICS_IN_WARNING} more topics" if len(topics) > MAX_TOPICS_IN_WARNING else ""
    value = "pairs with them count as 0 or as log ε" if measure == "u_mass" else "their coherence is NaN"
    warnings.warn(f"First words that never occur in X ({listed}{more}): {value}.", UserWarning, stacklevel=3)


# Each function takes the number of windows that contain two words, (K, n, n), and of all windows, and returns a value
# for each topic.


def _u_mass(joint: Int64s, n_windows: float) -> Doubles:
    later, earlier = np.tril_indices(joint.shape[1], -1)
    given = joint[:, earlier, earlier] / n_windows
    both = joint[:, later, earlier] / n_windows + EPSILON
    ratios = np.divide(both, given, out=np.ones_like(both), where=given > 0)
    return np.asarray(np.log(ratios).mean(axis=1))


def _pmi(joint: Int64s, n_windows: float) -> Doubles:
    """Compute the pointwise mutual information of each pair, (K, n, n); NaN with a word that does not occur."""
    both = joint / n_windows
    each = np.diagonal(both, axis1=1, axis2=2)
    by_chance = each[:, :, None] * each[:, None, :]
    return np.log(np.divide(both + EPSILON, by_chance, out=np.full_like(both, np.nan), where=by_chance > 0))


def _npmi(joint: Int64s, n_windows: float) -> Doubles:
    return _pmi(joint, n_windows) / -np.log(joint / n_windows + EPSILON)


def _mean_of_pairs(values: Doubles) -> Doubles:
    different = ~np.eye(values.shape[1], dtype=bool)
    return np.asarray(values[:, different].mean(axis=1))


def _mean_cosine(vectors: Doubles) -> Doubles:
    together = vectors.sum(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=2) * np.linalg.norm(together, axis=2)
    return np.asarray(((vectors * together).sum(axis=2) / lengths).mean(axis=1))


_MEASURES: dict[str, Callable[[Int64s, float], Doubles]] = {
    "u_mass": _u_mass,
    "uci": lambda joint, n_windows: _mean_of_pairs(_pmi(joint, n_windows)),
    "npmi": lambda joint, n_windows: _mean_of_pairs(_npmi(joint, n_windows)),
    "c_v": lambda joint, n_windows: _mean_cosine(_npmi(joint, n_windows)),
}
