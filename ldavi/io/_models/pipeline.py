"""`load_pipeline`: a pipeline from texts to topic proportions, which counts words as the model was fitted with."""

import os
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from ldavi.io._counting.recipe import Counting
from ldavi.io._counting.word_counter import WordCounter
from ldavi.io._models.counters import COUNTING
from ldavi.io._models.model_file import StrPath, load, read_info


class TextCounter(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A step of a pipeline that counts the words of texts with a `WordCounter`.

    Parameters
    ----------
    counter : WordCounter
        With a vocabulary, which `fit` leaves as it is.
    """

    def __init__(self, counter: WordCounter) -> None:
        self.counter = counter

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Return the step itself: the words are known.

        Parameters
        ----------
        X : sequence of str
            Texts; ignored.
        y : object
            Ignored; present for compatibility with pipelines.

        Returns
        -------
        self : TextCounter
        """
        return self

    def transform(self, X: Sequence[str]) -> sparse.csr_array:
        """Count the words of texts.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        counts : sparse array of shape (n_texts, n_words)
        """
        return self.counter.transform(X)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the words of the columns.

        Parameters
        ----------
        input_features : object
            Ignored; present for compatibility with pipelines.

        Returns
        -------
        words : array of shape (n_words,)
        """
        return self.counter.vocabulary_

    def __sklearn_is_fitted__(self) -> bool:
        return True


def load_pipeline(
    path: StrPath,
    *,
    token_pattern: str | None = None,
    tokenizer: str | None = None,
    lemmatizer: str | None = None,
) -> Pipeline:
    """Read a model as a pipeline from texts to topic proportions; reading it runs no code.

    Words are counted exactly as the model was fitted with: by `ldavi fit`, or by the counter that was passed to `save`.

    Parameters
    ----------
    path : str or path-like
        The model file.
    token_pattern : str or None, default=None
        The regular expression of a word in the file, repeated to say that you trust it. Needed only if it might
        backtrack exponentially on some texts; the error message contains it.
    tokenizer : str or None, default=None
        The function "module:function" in the file, repeated to say that you trust it: importing it runs code.
    lemmatizer : str or None, default=None
        The same for the function that returns the word to count for a word.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        The fitted steps "count", which takes a sequence of texts, and "lda", the model of `load`.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not a model file, its model is not fitted, or it has no words or no description of how texts were
        counted.

    See Also
    --------
    load : Read the model alone.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from ldavi import LatentDirichletAllocation, io
    >>> texts = ["cat dog cat", "dog cat dog", "bond stock bond", "stock bond stock"]
    >>> counter = io.WordCounter()
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(counter.fit_transform(texts))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.ldavi")
    ...     io.save(lda, path, counter=counter)
    ...     pipeline = io.load_pipeline(path)
    >>> pipeline.transform(["the dog and the cat"]).shape
    (1, 2)
    """
    name = f"path={os.fspath(path)!r}"
    model = load(path)
    if not model.__sklearn_is_fitted__():
        raise ValueError(f"{name}: the model is not fitted, so that it has no topics; fit it before saving")
    words = getattr(model, "vocabulary_", None)
    if words is None:
        raise ValueError(
            f"{name}: the file has no words, with which texts could be counted; load the model with io.load, assign "
            "vocabulary_, and save it with counter="
        )
    counting = _counting_in(path, name).trusted(token_pattern=token_pattern, tokenizer=tokenizer, lemmatizer=lemmatizer)
    if hasattr(model, "feature_names_in_"):  # scikit-learn would warn that counts have no names
        del model.feature_names_in_
        model.vocabulary_ = words
    counter = WordCounter(vocabulary=words.tolist(), **counting.parameters())
    return Pipeline([("count", TextCounter(counter)), ("lda", model)])


def _counting_in(path: StrPath, name: str) -> Counting:
    entry = read_info(path).metadata.get(COUNTING)
    if entry is None:
        raise ValueError(
            f"{name}: the file does not say how texts were counted; save the model with counter=, or load it with "
            "io.load and count the texts as the documents of the fit were counted"
        )
    try:
        return Counting.from_metadata(entry)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
