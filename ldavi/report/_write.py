"""`ldavi.report.write` and `show`: check the input, collect the content of the page, fill the template."""

from __future__ import annotations

import html as html_module
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.atomic_write import atomic_write
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Matrix, Names
from ldavi._estimator import validation as check
from ldavi.inspection._columns import BinChoice
from ldavi.report import _page
from ldavi.report._collect import collect
from ldavi.report._input import checked


class Page:
    """A report as one HTML page, displayed in a notebook cell and written to a file.

    Parameters
    ----------
    html : str
        The page.
    title : str
        Its title.
    height : int, default=720
        Height of the frame in a notebook, in pixels.

    Examples
    --------
    >>> from ldavi.report import Page
    >>> Page("<!doctype html><title>T</title>", "T")
    <report 'T', 0.0 MB: a notebook cell displays it, write(path) saves it>
    """

    def __init__(self, html: str, title: str, height: int = 720) -> None:
        self.html = html
        self.title = title
        self.height = height

    def __repr__(self) -> str:
        size = len(self.html.encode()) / 1e6
        return f"<report {self.title!r}, {size:.1f} MB: a notebook cell displays it, write(path) saves it>"

    def _repr_html_(self) -> str:
        """Return a frame that contains the page, so that its style and scripts do not affect the notebook."""
        style = f"width:100%;height:{self.height}px;border:1px solid #ccc;border-radius:6px"
        document = html_module.escape(self.html)
        return f'<iframe title="{html_module.escape(self.title)}" style="{style}" srcdoc="{document}"></iframe>'

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file, completely or not at all.

        Parameters
        ----------
        path : str or os.PathLike
            File to write, such as "report.html"; an existing file is replaced.

        Returns
        -------
        path : Path
            The path of the file.
        """
        with atomic_write(path) as file:
            file.write(self.html.encode())
        return Path(path)


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
    bins: Mapping[str, BinChoice] | None = None,
    theta: ArrayLike | None = None,
    document_map: ArrayLike | None = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    diagnostics: Mapping[str, ArrayLike] | None = None,
    covariates: Mapping[str, ArrayLike] | Sequence[str] | None = None,
    formula: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = 0,
    title: str | None = None,
    n_words: int = 30,
    n_documents: int = 400,
    all_documents: bool = True,
) -> Path:
    """Write a self-contained HTML page about a model, which opens without a network.

    The page shows the most relevant words of each topic, a map, a tree and a term-topic matrix. It shows trends of
    topics over `metadata`, differences between groups and effects of `covariates`, with confidence intervals. It shows
    documents with words coloured by topic, a map of documents and a search of all documents. It has a table of all
    topics, the parameters of the model and its ELBO after each pass. Topics can be renamed in the page, and the names
    saved to a file that
    :func:`ldavi.io.read_topic_names` reads. The page prints completely. The numbers are those of `ldavi.inspection` and
    `ldavi.metrics`. The same input gives the same bytes. Text from documents is displayed, never executed. The file is
    written completely or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, such as "report.html"; an existing file is replaced.
    model : estimator, pipeline, or array of shape (n_topics, n_words)
        A fitted model, of this package or of scikit-learn, or a pipeline whose last step is one; or topics alone: the
        page then has no section about the fit.
    X : array-like, sparse matrix or DataFrame of shape (n_documents, n_words), or the input of a pipeline
        Counts of the documents that are shown and from which sizes are computed, usually those of the fit. For a
        pipeline that begins with a vectorizer, the texts, which are then also shown.
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
    bins : mapping of str to str, int or sequence, or None, default=None
        How columns of `metadata` are divided, by name. For dates, a unit ("day", "week", "month", "quarter", "year",
        "decade", "century") or the ascending edges of intervals. None offers each unit that makes 2 to 100 bins, and
        begins with the shortest. For numbers, a number of bins or their edges; None shows up to 100 integers or 20
        other values as they are, and 20 bins with equally many documents otherwise. For classes, how many of the most
        frequent ones, or the ones to show; None shows 40.
    theta : array of shape (n_documents, n_topics) or None, default=None
        Topic proportions of the documents, such as the result of `transform(X)`. None infers them.
    document_map : array of shape (n_documents, 2) or None, default=None
        Positions of the documents on their map, such as coordinates of UMAP or t-SNE. None places each document at the
        mean of its topics' positions on the topic map, weighted by squared proportions.
    labels : sequence of str, mapping of int to str, or None, default=None
        Names of the topics: one for each, or by number for some, as of :func:`ldavi.io.read_topic_names`. Other topics
        have the names of the model (`topic_names_`), or three of their most relevant words, chosen such that the labels
        of two topics differ.
    diagnostics : mapping of str to array-like of shape (n_topics,), DataFrame or None, default=None
        Additional columns of the table of diagnostics, for example `ldavi.metrics.coherence(...)`.
    covariates : mapping of str to array-like of shape (n_documents,), DataFrame, list of str or None, default=None
        Covariates whose effects on the shares of topics the page shows, as :func:`ldavi.inspection.estimate_effect`
        estimates them, with the mean shares of topics by group of each, as of
        :func:`ldavi.inspection.shares_by_group`. A list names columns of `metadata`. Dates become numbers of years, and
        texts that are numbers become numbers. Documents without a value are left out. None leaves out the section.
    formula : str or None, default=None
        Right-hand side of the regression on `covariates`, such as "~ party * bs(year, df=4)". It is evaluated as Python
        code: use no formula from others unread. None takes the sum of the covariates.
    n_samples : int, default=25
        Draws of θ for these effects and shares, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of these draws.
    title : str or None, default=None
        None means the numbers of topics and documents.
    n_words : int, default=30
        Number of words per topic at each position of the slider.
    n_documents : int, default=400
        Maximum number of documents to show with coloured words: the most representative ones of each topic. Texts are
        truncated to 6,000 characters each, and all these documents together to 3 MB. 0 leaves out all documents.
    all_documents : bool, default=True
        Whether the page contains all documents in compressed form, for its search and the document map. It has counts,
        names, metadata, and as much of the texts as keeps the page smaller than 10 MB. The page says what is searched.
        False limits the search to the documents that are shown.

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
        If jinja2 is not installed: `pip install ldavi[report]`; or, for a formula, formulaic: `ldavi[effects]`.

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
    page = show(
        model,
        X,
        feature_names=feature_names,
        vectorizer=vectorizer,
        texts=texts,
        document_names=document_names,
        metadata=metadata,
        bins=bins,
        theta=theta,
        document_map=document_map,
        labels=labels,
        diagnostics=diagnostics,
        covariates=covariates,
        formula=formula,
        n_samples=n_samples,
        random_state=random_state,
        title=title,
        n_words=n_words,
        n_documents=n_documents,
        all_documents=all_documents,
    )
    return page.write(path)


def show(
    model: ModelOrTopics,
    X: Matrix,
    *,
    feature_names: Names | None = None,
    vectorizer: Any = None,
    texts: Sequence[str] | None = None,
    document_names: Sequence[str] | None = None,
    metadata: Mapping[str, ArrayLike] | None = None,
    bins: Mapping[str, BinChoice] | None = None,
    theta: ArrayLike | None = None,
    document_map: ArrayLike | None = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    diagnostics: Mapping[str, ArrayLike] | None = None,
    covariates: Mapping[str, ArrayLike] | Sequence[str] | None = None,
    formula: str | None = None,
    n_samples: int = 25,
    random_state: int | np.random.RandomState | None = 0,
    title: str | None = None,
    n_words: int = 30,
    n_documents: int = 400,
    all_documents: bool = True,
    height: int = 720,
) -> Page:
    """Return a report as a page that a notebook cell displays in a frame.

    The page is that of :func:`write`, which describes it. A notebook stores the page with its output:
    `all_documents=False` and a smaller `n_documents` make it smaller.

    Parameters
    ----------
    model : estimator, pipeline, or array of shape (n_topics, n_words)
        A fitted model, of this package or of scikit-learn, or a pipeline whose last step is one; or topics alone: the
        page then has no section about the fit.
    X : array-like, sparse matrix or DataFrame of shape (n_documents, n_words), or the input of a pipeline
        Counts of the documents that are shown and from which sizes are computed, usually those of the fit. For a
        pipeline that begins with a vectorizer, the texts, which are then also shown.
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
    bins : mapping of str to str, int or sequence, or None, default=None
        How columns of `metadata` are divided, by name. For dates, a unit ("day", "week", "month", "quarter", "year",
        "decade", "century") or the ascending edges of intervals. None offers each unit that makes 2 to 100 bins, and
        begins with the shortest. For numbers, a number of bins or their edges; None shows up to 100 integers or 20
        other values as they are, and 20 bins with equally many documents otherwise. For classes, how many of the most
        frequent ones, or the ones to show; None shows 40.
    theta : array of shape (n_documents, n_topics) or None, default=None
        Topic proportions of the documents, such as the result of `transform(X)`. None infers them.
    document_map : array of shape (n_documents, 2) or None, default=None
        Positions of the documents on their map, such as coordinates of UMAP or t-SNE. None places each document at the
        mean of its topics' positions on the topic map, weighted by squared proportions.
    labels : sequence of str, mapping of int to str, or None, default=None
        Names of the topics: one for each, or by number for some, as of :func:`ldavi.io.read_topic_names`. Other topics
        have the names of the model (`topic_names_`), or three of their most relevant words, chosen such that the labels
        of two topics differ.
    diagnostics : mapping of str to array-like of shape (n_topics,), DataFrame or None, default=None
        Additional columns of the table of diagnostics, for example `ldavi.metrics.coherence(...)`.
    covariates : mapping of str to array-like of shape (n_documents,), DataFrame, list of str or None, default=None
        Covariates whose effects on the shares of topics the page shows, as :func:`ldavi.inspection.estimate_effect`
        estimates them, with the mean shares of topics by group of each, as of
        :func:`ldavi.inspection.shares_by_group`. A list names columns of `metadata`. Dates become numbers of years, and
        texts that are numbers become numbers. Documents without a value are left out. None leaves out the section.
    formula : str or None, default=None
        Right-hand side of the regression on `covariates`, such as "~ party * bs(year, df=4)". It is evaluated as Python
        code: use no formula from others unread. None takes the sum of the covariates.
    n_samples : int, default=25
        Draws of θ for these effects and shares, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of these draws.
    title : str or None, default=None
        None means the numbers of topics and documents.
    n_words : int, default=30
        Number of words per topic at each position of the slider.
    n_documents : int, default=400
        Maximum number of documents to show with coloured words: the most representative ones of each topic. Texts are
        truncated to 6,000 characters each, and all these documents together to 3 MB. 0 leaves out all documents.
    all_documents : bool, default=True
        Whether the page contains all documents in compressed form, for its search and the document map. It has counts,
        names, metadata, and as much of the texts as keeps the page smaller than 10 MB. The page says what is searched.
        False limits the search to the documents that are shown.
    height : int, default=720
        Height of the frame in pixels.

    Returns
    -------
    page : Page
        Its `write` saves it to a file.

    Raises
    ------
    ValueError
        If lengths differ from those of X or of the topics, or X does not hold counts.
    TypeError
        If `texts`, `document_names` or `labels` is one string.
    ImportError
        If jinja2 is not installed: `pip install ldavi[report]`; or, for a formula, formulaic: `ldavi[effects]`.

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
    >>> page = ldavi.report.show(lda, X, feature_names=words)  # doctest: +SKIP
    """
    check.check_integer("n_words", n_words, minimum=1)
    check.check_integer("n_documents", n_documents, minimum=0)
    check.check_integer("height", height, minimum=1)
    fitted, documents = checked(
        model,
        X,
        feature_names=feature_names,
        vectorizer=vectorizer,
        texts=texts,
        document_names=document_names,
        metadata=metadata,
        bins=bins,
        theta=theta,
        document_map=document_map,
        labels=labels,
        diagnostics=diagnostics,
        covariates=covariates,
        formula=formula,
        n_samples=n_samples,
        random_state=random_state,
    )
    content = collect(fitted, documents, title=title, n_words=n_words, n_documents=n_documents)
    return Page(_page.render(content, all_documents=all_documents), content.data["title"], height)
