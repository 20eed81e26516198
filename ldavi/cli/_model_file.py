"""Model files of the command line: a model with its words and how its texts were counted."""

import os
from typing import Any, NamedTuple

from ldavi import LatentDirichletAllocation, io
from ldavi.cli._options import Options
from ldavi.io._counting.recipe import Counting


class SavedModel(NamedTuple):
    """The content of a model file.

    Attributes
    ----------
    model : LatentDirichletAllocation
    words : array of shape (n_words,) or None
        The words of the columns.
    counting : Counting
        How texts were counted.
    corpus : dict
        Facts about the documents of the fit.
    """

    model: LatentDirichletAllocation
    words: Any
    counting: Counting
    corpus: dict[str, Any]

    @classmethod
    def of_fit(
        cls, model: LatentDirichletAllocation, words: Any, counting: Counting, corpus: dict[str, Any]
    ) -> "SavedModel":
        """Return the content for a model that was fitted just now; the model gets its words."""
        model.vocabulary_ = words
        return cls(model, words, counting, corpus)

    @property
    def n_words(self) -> int:
        """The number of columns."""
        return int(self.model.components_.shape[1])


def save(path: str, saved: SavedModel) -> None:
    """Write a model file."""
    metadata = {"counting": saved.counting.as_metadata(), "corpus": saved.corpus}
    io.save(saved.model, path, metadata=metadata)


def load(path: str, options: Options) -> SavedModel:
    """Read a model file.

    Raises
    ------
    ValueError
        If it is not a model file, or its model is not fitted.
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
    words = getattr(model, "vocabulary_", None)
    if hasattr(model, "feature_names_in_"):
        del model.feature_names_in_  # scikit-learn would warn that counts have no names here
        model.vocabulary_ = words
    corpus = info.metadata.get("corpus")
    try:
        counting = Counting.from_metadata(info.metadata.get("counting"))
        counting = counting.trusted(
            **{name: getattr(options, name, None) for name in ("token_pattern", "tokenizer", "lemmatizer")}
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return SavedModel(model, words, counting, corpus if isinstance(corpus, dict) else {})
