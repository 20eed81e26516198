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

    @property
    def n_topics(self) -> int:
        """The number of topics."""
        return int(self.model.components_.shape[0])


def save(path: str, saved: SavedModel) -> None:
    """Write a model file."""
    metadata = {"counting": saved.counting.as_metadata(), "corpus": saved.corpus}
    io.save(saved.model, path, metadata=metadata)


def save_edited(path: str, saved: SavedModel, source: str) -> None:
    """Write a model that was read from the file `source` and edited, with all other content of that file."""
    metadata = io.read_info(source).metadata
    if isinstance(metadata.get("corpus"), dict):
        metadata["corpus"] = saved.corpus
    io.save(saved.model, path, metadata=metadata)


def load(path: str, options: Options) -> SavedModel:
    """Read a model file to use the model.

    Raises
    ------
    ValueError
        If it is not a model file, or its model is not fitted.
    """
    saved = load_to_edit(path, options)
    saved.model.n_jobs = getattr(options, "jobs", None)
    if hasattr(saved.model, "feature_names_in_"):
        del saved.model.feature_names_in_  # scikit-learn would warn that counts have no names here
        saved.model.vocabulary_ = saved.words
    return saved


def load_to_edit(path: str, options: Options) -> SavedModel:
    """Read a model file, and leave all attributes and parameters of the model as they are.

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
    words = getattr(model, "vocabulary_", None)
    corpus = info.metadata.get("corpus")
    try:
        counting = Counting.from_metadata(info.metadata.get("counting"))
        counting = counting.trusted(
            **{name: getattr(options, name, None) for name in ("token_pattern", "tokenizer", "lemmatizer")}
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return SavedModel(model, words, counting, corpus if isinstance(corpus, dict) else {})
