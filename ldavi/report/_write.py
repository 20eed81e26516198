"""`ldavi.report.write`: check the input, collect the content of the page, fill the template, write the file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldavi._core.atomic_write import atomic_write
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Matrix, Names
from ldavi._estimator import validation as check
from ldavi.report import _page
from ldavi.report._collect import DocumentInput, ModelInput, collect


def write(
    path: str | os.PathLike[str],
    model: ModelOrTopics,
    X: Matrix,
    *,
    feature_names: Names | None = None,
    vectorizer: Any = None,
    texts: Sequence[str] | None = None,
    document_names: Sequence[str] | None = None,
    metadata: Mapping[str, ArrayLike] | None = None,
    theta: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    diagnostics: Mapping[str, ArrayLike] | None = None,
    title: str | None = None,
    n_words: int = 30,
    n_documents: int = 400,
) -> Path:
    """Write a self-contained HTML page about a model, which opens without a network.

    The page shows topics with their most relevant words, controlled by a slider, a map of topics, sizes, diagnostics
    and a search; documents with words coloured by topic; trends over `metadata`; the parameters of the model and its
    ELBO after each pass. The numbers are those of `ldavi.inspection` and `ldavi.metrics`. The same input gives the
    same bytes. Text from documents is displayed, never executed. The file is written completely or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, such as "report.html"; an existing file is replaced.
    model : estimator, or array of shape (n_topics, n_words)
        A fitted model, of this package or of scikit-learn; or topics alone: the page then has no section about the fit.
    X : array-like, sparse matrix or DataFrame of shape (n_documents, n_words)
        Counts of the documents that are shown and from which sizes are computed, usually those of the fit.
    feature_names : array-like of shape (n_words,) or None, default=None
        The words. None means those of `vectorizer`, else those that the model was fitted with, else "x0", "x1", …
    vectorizer : object or None, default=None
        The scikit-learn vectorizer that produced X: its vocabulary names the words, and its analyzer maps the words of
        texts to columns. None looks up the words of texts as they are and in lower case.
    texts : sequence of str or None, default=None
        The original documents, one for each row of X. None shows words with their counts.
    document_names : sequence of str or None, default=None
        One for each row of X. None means "Document 0", "Document 1", …
    metadata : mapping of str to array-like of shape (n_documents,), DataFrame or None, default=None
        Metadata of the documents: dates (`datetime64`, or text in ISO 8601), numbers or classes. A document with a
        missing value (None, NaN, NaT, "") is left out of that column's trends.
    theta : array of shape (n_documents, n_topics) or None, default=None
        Topic proportions of the documents, such as the result of `transform(X)`. None infers them.
    labels : sequence of str or None, default=None
        One for each topic. None means each topic's three most relevant words.
    diagnostics : mapping of str to array-like of shape (n_topics,), DataFrame or None, default=None
        Additional columns of the table of diagnostics, for example `ldavi.metrics.coherence(...)`.
    title : str or None, default=None
        None means the numbers of topics and documents.
    n_words : int, default=30
        Number of words per topic at each position of the slider.
    n_documents : int, default=400
        Maximum number of documents to show: the most representative ones of each topic. Texts are truncated to 6,000
        characters each, and all documents together to 3 MB.

    Returns
    -------
    path : Path
        The path of the file.

    Raises
    ------
    ValueError
        If lengths differ from those of X or of the topics, or X does not hold counts.
    TypeError
        If `texts`, `document_names` or `labels` is one string.
    ImportError
        If jinja2 or bokeh is not installed: `pip install ldavi[report]`.

    References
    ----------
    Sievert, Shirley. "LDAvis: a method for visualizing and interpreting topics". ACL workshop on interactive language
    learning, visualization, and interfaces, 2014: the relevance of words.

    Examples
    --------
    >>> import ldavi.report
    >>> from ldavi import LatentDirichletAllocation
    >>> X = [[3, 1, 0, 0], [2, 2, 0, 1], [0, 0, 4, 1], [0, 1, 2, 3]]
    >>> lda = LatentDirichletAllocation(n_components=2, random_state=0).fit(X)
    >>> words = ["cat", "dog", "star", "moon"]
    >>> path = ldavi.report.write("report.html", lda, X, feature_names=words)  # doctest: +SKIP
    """
    check.check_integer("n_words", n_words, minimum=1)
    check.check_integer("n_documents", n_documents, minimum=0)
    topics = topics_of(model)
    counts = check.check_counts(X, dtype=np.float64, name="report.write")
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns and the topics {topics.shape[1]} words; both must name the same words"
        )
    if feature_names is None and vectorizer is not None:
        feature_names = vectorizer.get_feature_names_out()
    documents = DocumentInput(
        counts=counts,
        names=feature_names_of(model, counts.shape[1], feature_names),
        texts=_strings("texts", texts, counts.shape[0], "document"),
        document_names=_strings("document_names", document_names, counts.shape[0], "document"),
        metadata={} if metadata is None else {str(name): values for name, values in metadata.items()},
        vectorizer=vectorizer,
    )
    fitted = ModelInput(
        model=model,
        topics=topics,
        theta=None if theta is None else _check_theta(theta, counts.shape[0], len(topics)),
        labels=_strings("labels", labels, len(topics), "topic"),
        diagnostics={} if diagnostics is None else _check_diagnostics(diagnostics, len(topics)),
    )
    content = collect(fitted, documents, title=title, n_words=n_words, n_documents=n_documents)
    page = _page.render(content).encode()
    with atomic_write(path) as file:
        file.write(page)
    return Path(path)


def _strings(name: str, values: Sequence[str] | None, n: int, of: str) -> list[str] | None:
    if values is None:
        return None
    if isinstance(values, (str, bytes)):
        raise TypeError(
            f"{name} is one {type(values).__name__}; it must be a sequence of {n} strings, one for each {of}"
        )
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} entries, but there are {n} {of}s. Give one for each.")
    return [str(value) for value in values]


def _check_theta(theta: ArrayLike, n_documents: int, n_topics: int) -> Doubles:
    array = np.array(theta, dtype=np.float64)
    if array.shape != (n_documents, n_topics):
        raise ValueError(
            f"theta has shape {array.shape}; it must be (n_documents, n_topics), here {(n_documents, n_topics)}"
        )
    totals = array.sum(axis=1, keepdims=True)
    if not np.isfinite(array).all() or (array < 0).any() or (totals <= 0).any():
        raise ValueError(
            "theta must be finite and >= 0, with a positive sum in each row. Pass the result of transform(X)."
        )
    return np.asarray(array / totals)


def _check_diagnostics(diagnostics: Mapping[str, ArrayLike], n_topics: int) -> dict[str, NDArray[Any]]:
    columns = {str(name): np.asarray(values) for name, values in diagnostics.items()}
    for name, values in columns.items():
        if values.shape != (n_topics,):
            raise ValueError(
                f"diagnostics[{name!r}] has shape {values.shape}; give one value for each of {n_topics} topics"
            )
    return columns
