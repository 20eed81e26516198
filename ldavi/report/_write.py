"""`ldavi.report.write`: collect what the page shows, fill the template, replace the file in one step."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ldavi._core.topics_of_model import feature_names_of, topics_of
from ldavi._estimator import validation as check
from ldavi.report import _page
from ldavi.report._collect import Corpus, Fitted, collect


def write(
    path: str | os.PathLike[str],
    model: Any,
    X: Any,
    *,
    feature_names: Any = None,
    vectorizer: Any = None,
    texts: Sequence[str] | None = None,
    document_names: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    theta: Any = None,
    labels: Sequence[str] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
    title: str | None = None,
    n_words: int = 30,
    n_documents: int = 400,
) -> Path:
    """Write one HTML page about a model, complete in itself: it opens from a disk, without a network.

    Topics with their most relevant words under a slider, a map of topics, sizes, search, diagnostics; documents with words
    coloured by topic; trends over `metadata`; how the model was fitted and how its bound rose, where the model tells. The
    same input gives the same bytes. Text from documents is shown, never run. The file appears whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        File to write, such as "report.html"; replaced where it exists.
    model : estimator, or array of shape (n_topics, n_words)
        Fitted, ours or scikit-learn's, or topics alone: then the page has no part about the fit.
    X : array-like, sparse matrix or DataFrame of shape (n_documents, n_words)
        Counts of the documents to show and to measure sizes on, mostly those of the fit.
    feature_names : array-like of shape (n_words,) or None, default=None
        The words. None means those of `vectorizer`, else those that the model saw, else "x0", "x1", …
    vectorizer : object or None, default=None
        scikit-learn's vectorizer that made X: it tells the words, and its analyzer which word of a text is which column.
        None seeks words of texts as they are and in lower case.
    texts : sequence of str or None, default=None
        The documents as they were written, one for each row of X. None shows their words with their counts.
    document_names : sequence of str or None, default=None
        One for each row of X. None means "Document 0", "Document 1", …
    metadata : mapping of str to array-like of shape (n_documents,), DataFrame or None, default=None
        What is known of documents: dates (`datetime64`, or text in ISO 8601), numbers or classes. A missing value (None,
        NaN, NaT, "") leaves its document out of that column's trends.
    theta : array of shape (n_documents, n_topics) or None, default=None
        Topic proportions of the documents, where they are at hand. None infers them.
    labels : sequence of str or None, default=None
        One for each topic. None means each topic's three most relevant words.
    diagnostics : mapping of str to array-like of shape (n_topics,), DataFrame or None, default=None
        More columns of the table of diagnostics, say `ldavi.metrics.coherence(...)`.
    title : str or None, default=None
        None says how many topics of how many documents.
    n_words : int, default=30
        Words of a topic to show at each position of the slider.
    n_documents : int, default=400
        Documents to show, at most: those that show the topics best. Texts are cut to 6,000 characters each, and the
        documents end at 3 MB.

    Returns
    -------
    path : Path
        Of the file written.

    Raises
    ------
    ValueError
        If lengths differ from those of X or of the topics, or X holds what counts may not.
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
    >>> lda = LatentDirichletAllocation(n_components=2, max_iter=30, random_state=0).fit(X)
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
    corpus = Corpus(
        counts=counts,
        names=feature_names_of(model, counts.shape[1], feature_names),
        texts=_strings("texts", texts, counts.shape[0], "document"),
        document_names=_strings("document_names", document_names, counts.shape[0], "document"),
        metadata={} if metadata is None else {str(name): values for name, values in metadata.items()},
        vectorizer=vectorizer,
    )
    fitted = Fitted(
        model=model,
        topics=topics,
        theta=None if theta is None else _check_theta(theta, counts.shape[0], len(topics)),
        labels=_strings("labels", labels, len(topics), "topic"),
        diagnostics={} if diagnostics is None else _check_diagnostics(diagnostics, len(topics)),
    )
    content = collect(fitted, corpus, title=title, n_words=n_words, n_documents=n_documents)
    return _replace(Path(path), _page.render(content).encode())


def _strings(name: str, values: Any, n: int, of: str) -> list[str] | None:
    if values is None:
        return None
    if isinstance(values, (str, bytes)):
        raise TypeError(
            f"{name} is one {type(values).__name__}; it must be a sequence of {n} strings, one for each {of}"
        )
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} entries, but there are {n} {of}s. Give one for each.")
    return [str(value) for value in values]


def _check_theta(theta: Any, n_documents: int, n_topics: int) -> Any:
    array = np.array(theta, dtype=np.float64)
    if array.shape != (n_documents, n_topics):
        raise ValueError(
            f"theta has shape {array.shape}; it must be (n_documents, n_topics), here {(n_documents, n_topics)}"
        )
    totals = array.sum(axis=1, keepdims=True)
    if not np.isfinite(array).all() or (array < 0).any() or (totals <= 0).any():
        raise ValueError(
            "theta must be finite and >= 0 with rows that have mass. Pass proportions, as of transform(X)."
        )
    return array / totals


def _check_diagnostics(diagnostics: Mapping[str, Any], n_topics: int) -> dict[str, Any]:
    columns = {str(name): np.asarray(values) for name, values in diagnostics.items()}
    for name, values in columns.items():
        if values.shape != (n_topics,):
            raise ValueError(
                f"diagnostics[{name!r}] has shape {values.shape}; give one value for each of {n_topics} topics"
            )
    return columns


def _replace(path: Path, content: bytes) -> Path:
    """Beside the file first, then in its place: a reader never meets half a page."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _umask() -> int:
    """The process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
