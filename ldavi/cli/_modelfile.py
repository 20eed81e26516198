"""Model files as the command line writes them: with their words, how texts were counted, and how far a fit has come."""

import os
from typing import Any, NamedTuple

import numpy as np

from ldavi import LatentDirichletAllocation, io
from ldavi.cli._corpus import Counting
from ldavi.cli._options import Options


class Kept(NamedTuple):
    """A model and what its file says of it.

    Attributes
    ----------
    model : LatentDirichletAllocation
    words : array of shape (n_words,) or None
        The words of the columns.
    counting : Counting
        How texts were counted.
    corpus : dict
        What the model was fitted to.
    progress : dict
        How far an interrupted fit has come; empty for a finished one.
    """

    model: LatentDirichletAllocation
    words: Any
    counting: Counting
    corpus: dict[str, Any]
    progress: dict[str, Any]

    @property
    def n_words(self) -> int:
        """V."""
        return int(self.model.components_.shape[1])


def save(path: str, kept: Kept) -> None:
    """Write the model file."""
    metadata = {"counting": kept.counting.as_metadata(), "corpus": kept.corpus, "progress": kept.progress}
    callbacks, kept.model.callbacks = kept.model.callbacks, None  # progress bars are no part of a model
    try:
        words = None if kept.words is None else [str(word) for word in kept.words]
        io.save(kept.model, path, vocabulary=words, metadata=metadata)
    finally:
        kept.model.callbacks = callbacks


def load(path: str, options: Options) -> Kept:
    """Read a model file.

    Raises
    ------
    ValueError
        If it is none, or the model in it is not fitted.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(2, "there is no such model file", path)
    if os.path.isdir(path):
        raise IsADirectoryError(21, "is a folder, not a model file", path)
    try:
        info, model = io.read_info(path), io.load(path)
    except ValueError as error:
        raise ValueError(str(error).replace(f"path={path!r} cannot", f"{path}: cannot")) from error
    if not hasattr(model, "n_features_in_"):
        raise ValueError(f"{path}: the model in it is not fitted")
    model.n_jobs = getattr(options, "jobs", None)
    words = info.vocabulary
    if words is None and hasattr(model, "feature_names_in_"):
        words = [str(word) for word in model.feature_names_in_]
        del model.feature_names_in_  # counts come without names here, which scikit-learn would warn of
    metadata = info.metadata
    parts = [metadata.get(name) for name in ("corpus", "progress")]
    corpus, progress = [part if isinstance(part, dict) else {} for part in parts]
    names = None if words is None else np.array(words, dtype=object)
    return Kept(model, names, Counting.from_metadata(metadata.get("counting")), corpus, progress)


def topic_shares(model: LatentDirichletAllocation) -> Any:
    """Share of the training tokens in each topic, from λ − η = Σ n φ."""
    lam = np.asarray(model.components_, dtype=np.float64)
    tokens = (lam - np.asarray(getattr(model, "topic_word_prior_", 0.0))).sum(axis=1).clip(min=0)
    return tokens / (tokens.sum() or 1.0)
