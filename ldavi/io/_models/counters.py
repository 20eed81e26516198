"""What a model file stores of the counter of its texts: the words, and how they are counted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ldavi.io._counting.recipe import counting_of

COUNTING = "counting"  # the key in the metadata of a model file


def parts_of_pipeline(model: Any, counter: Any) -> tuple[Any, Any]:
    """Return the model and its counter, which may be given as the two steps of a pipeline."""
    if not isinstance(model, Pipeline):
        return model, counter
    if len(model.steps) != 2 or counter is not None:
        raise ValueError(
            f"model is a pipeline of {len(model.steps)} steps; save supports a counter and a model: save the last step "
            "alone with vocabulary=, or pickle the pipeline"
        )
    return model.steps[1][1], model.steps[0][1]


def words_to_store(model: Any, vocabulary: Sequence[str] | None, counter: Any) -> NDArray[Any] | None:
    """Return the words for the file's vocabulary; None if there are none but `feature_names_in_`, which are stored."""
    own: NDArray[Any] | None = getattr(model, "vocabulary_", None)
    words: NDArray[Any] | None
    n_words = getattr(model, "n_features_in_", None)
    if vocabulary is not None:
        words = _check_vocabulary(vocabulary, n_words)
        if hasattr(model, "feature_names_in_") and not np.array_equal(words, model.feature_names_in_):
            raise ValueError(
                "vocabulary differs from the model's feature_names_in_, the column names of X; leave it out"
            )
    elif hasattr(model, "feature_names_in_"):
        words = None
    else:
        words = own
    counted = getattr(getattr(counter, "counter", counter), "vocabulary_", None)
    if counted is None:
        return words
    if isinstance(counted, dict):
        counted = sorted(counted, key=counted.__getitem__)
    counted = _check_vocabulary(counted, n_words)
    known = own if words is None else words
    if known is not None and not np.array_equal(known, counted):
        raise ValueError("the words of the counter differ from those of the model; pass the counter of its documents")
    return counted


def with_counting(metadata: dict[str, Any] | None, counter: Any) -> dict[str, Any] | None:
    """Return the metadata with a description of how the counter counts."""
    if counter is None:
        return metadata
    counting = counting_of(getattr(counter, "counter", counter)).as_metadata()
    if isinstance(metadata, dict) and metadata.get(COUNTING, counting) != counting:
        raise ValueError(
            f"metadata[{COUNTING!r}] describes another way of counting than counter; leave one of them out"
        )
    return {**(metadata or {}), COUNTING: counting}


def _check_vocabulary(vocabulary: Sequence[str], n_words: int | None) -> NDArray[Any]:
    words = np.array([vocabulary] if isinstance(vocabulary, str) else list(vocabulary), dtype=object)
    if not all(isinstance(word, str) for word in words.ravel()):
        raise TypeError("vocabulary must contain strings, the word of each column")
    if words.ndim != 1 or (n_words is not None and len(words) != n_words):
        raise ValueError(
            f"vocabulary has {len(words)} words, but the model has {n_words} columns; pass one word per column"
        )
    return words
