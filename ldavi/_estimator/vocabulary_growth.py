"""A growing vocabulary: matches the columns of X with the words of a model, and appends new words to these."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ldavi._core.records import Counts
from ldavi._core.typing import Int64s
from ldavi._estimator import validation as check
from ldavi._estimator.starting_priors import check_priors


def check_new_documents(estimator: Any, X: Any, *, dtype: DTypeLike) -> sparse.csr_array:
    """Return X as counts over the known words and, with new_words="add", words that were not seen before.

    If both X and the estimator have names of columns, columns are matched by name, in any order, and columns that X
    lacks are 0. Otherwise columns are matched by position, and additional ones are new words.

    Raises
    ------
    ValueError
        If names are missing on one side or occur twice, or the prior has no value for new words.
    """
    if estimator.new_words == "error":
        return check.check_documents(estimator, X, dtype=dtype, reset=False)
    counts = check.check_counts(X, dtype=dtype, name=type(estimator).__name__)
    n_known, known, names = estimator.n_features_in_, getattr(estimator, "feature_names_in_", None), names_of(X)
    if known is not None and names is not None:
        counts = _in_place(counts, _places(known, names), n_known)
    elif counts.shape[1] <= n_known or (known is None) != (names is None):
        _check_unnamed(counts.shape[1], n_known, known, names)
        validate_data(estimator, X, skip_check_array=True, reset=False)  # raises the error of scikit-learn
    if counts.shape[1] > n_known:
        _check_prior(estimator, counts.shape[1] - n_known)
    return counts


def check_known_documents(estimator: Any, X: Any, *, dtype: DTypeLike | None) -> sparse.csr_array:
    """Return X as counts over the words of a model, for inference.

    With new_words="add", named columns are matched by name, in any order, and words that X lacks are 0: X may be of the
    form that it had before the vocabulary grew. Otherwise X has the columns of the model.

    Raises
    ------
    ValueError
        If X has columns that the model does not know, or lacks columns without new_words="add".
    """
    places = _matched(estimator, X)
    if places is None:
        return check.check_documents(estimator, X, dtype=dtype, reset=False)
    counts, n_known = check.check_counts(X, dtype=dtype, name=type(estimator).__name__), estimator.n_features_in_
    if places.max() >= n_known:
        unknown = np.asarray(names_of(X))[places >= n_known].tolist()
        msg = (
            f"X has {len(unknown)} columns that the model does not know, such as {unknown[0]!r}: leave them out, or "
            "call partial_fit with them first"
        )
        raise ValueError(msg)
    return _in_place(counts, places, n_known)


def order_of_counts(estimator: Any, X: Any, counts: Counts) -> Int64s | None:
    """Return the position of each stored count of X among those that `check_known_documents` returns; None if equal."""
    places = _matched(estimator, X)
    if places is None or (np.diff(places) > 0).all():
        return None
    column = np.zeros(estimator.n_features_in_, np.int64)
    column[places] = np.arange(len(places))
    documents = np.repeat(np.arange(counts.n_docs), np.diff(counts.indptr))
    return np.lexsort((column[counts.words[counts.indices]], documents))


def _matched(estimator: Any, X: Any) -> Int64s | None:
    """Return the place of each column of X in a model that matches them by name; None if it does not."""
    known = getattr(estimator, "feature_names_in_", None)
    if getattr(estimator, "new_words", "error") == "error" or known is None or check.is_source(X):
        return None
    names = names_of(X)
    return None if names is None else _places(known, names)


def names_of(X: Any) -> NDArray[Any] | None:
    """Return the names of the columns of X as scikit-learn finds them, or None."""
    finder = BaseEstimator()
    validate_data(finder, X, skip_check_array=True, reset=True)
    return getattr(finder, "feature_names_in_", None)


def add_words(estimator: Any, X: Any, n_words: int) -> None:
    """Add the words of X, which `check_new_documents` has accepted, to an estimator, with λ = η. Equation (10.3)."""
    if n_words == estimator.n_features_in_:
        return
    known, names = getattr(estimator, "feature_names_in_", None), names_of(X)
    if known is not None and names is not None:
        words = set(known)
        new = np.array([name for name in names if name not in words], dtype=object)
        known = np.concatenate([known, new])
    eta = estimator._priors.eta
    if eta.shape != (1, 1):  # of seed words, whose prior is added to that of all words
        eta = check_priors(estimator.doc_topic_prior, estimator.topic_word_prior, estimator.n_components, n_words).eta
    estimator._priors = estimator._lambda.grow(n_words, eta)
    estimator.n_features_in_ = n_words
    if known is not None:
        estimator.feature_names_in_ = known


def _places(known: NDArray[Any], names: NDArray[Any]) -> Int64s:
    """Return the column of each name; unknown names follow the known ones, in their order."""
    for whose, some in (("X has", names), ("the model knows", known)):
        name, times = Counter(some.tolist()).most_common(1)[0]
        if times > 1:
            raise ValueError(
                f"{whose} {times} columns named {name!r}, but columns are matched by name: rename or add them up"
            )
    columns = {name: column for column, name in enumerate(known.tolist())}
    return np.array([columns.setdefault(name, len(columns)) for name in names.tolist()], dtype=np.int64)


def _in_place(counts: sparse.csr_array, places: Int64s, n_known: int) -> sparse.csr_array:
    """Return the counts with column j moved to `places[j]`."""
    n_words = max(n_known, int(places.max()) + 1)
    if np.array_equal(places, np.arange(n_words)):
        return counts
    moved = sparse.csr_array(
        (counts.data.copy(), places[counts.indices], counts.indptr), shape=(counts.shape[0], n_words)
    )
    moved.sort_indices()
    return moved


def _check_unnamed(n_columns: int, n_known: int, known: Any, names: Any) -> None:
    if n_columns > n_known and known is not None:
        msg = (
            f"X has {n_columns} columns without names, and the model knows its {n_known} words by name: pass a "
            "DataFrame, "
            "so that columns can be matched"
        )
        raise ValueError(msg)
    if n_columns > n_known and names is not None:
        msg = (
            f"X has names for its {n_columns} columns, and the model has none for the {n_known} words that it knows: "
            "pass X "
            "without names if its first columns are these words, or start with a DataFrame"
        )
        raise ValueError(msg)


def _check_prior(estimator: Any, n_more: int) -> None:
    """Raise ValueError if the prior has no value for words that were not seen before."""
    prior = estimator.topic_word_prior
    if np.ndim(prior) > 0:
        msg = (
            f"X has {n_more} new words, and topic_word_prior is an array of shape {np.shape(prior)} that has no "
            "value for "
            "them: start with one number for all words, or fit from scratch with an array that includes these words"
        )
        raise ValueError(msg)
    if estimator._priors.point_estimate:
        msg = (
            f"X has {n_more} new words, which topic_word_prior=0 gives probability 0 in every topic: start with a "
            "number > 0"
        )
        raise ValueError(msg)
