"""Conversion of models from and to scikit-learn, gensim and Spark, and to the input of pyLDAvis."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ldavi._core.topics_of_model import feature_names_of, topics_of
from ldavi._core.typing import Names
from ldavi._estimator import restore
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi._estimator.posterior import counts_over_words
from ldavi._estimator.settings import step_size

FittedModel: TypeAlias = LatentDirichletAllocation | ScikitLearnLDA


def from_sklearn(model: ScikitLearnLDA) -> LatentDirichletAllocation:
    """Convert a fitted model of scikit-learn to ldavi, with the same λ, priors and parameters.

    Parameters
    ----------
    model : sklearn.decomposition.LatentDirichletAllocation
        The fitted model. `mean_change_tol` is copied, although it bounds a mean over topics in scikit-learn and a
        share of a document's tokens in ldavi.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model. It has no `elbo_`, since no fit was run. `partial_fit` continues with the next online step.

    Raises
    ------
    TypeError
        If the model is not one of scikit-learn.
    ValueError
        If the model is not fitted.

    Examples
    --------
    >>> from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
    >>> from ldavi import io
    >>> fitted = ScikitLearnLDA(2, random_state=0).fit([[4, 3, 0, 0], [0, 0, 3, 4]])
    >>> bool(io.from_sklearn(fitted).components_[0, 0] == fitted.components_[0, 0])
    True
    """
    if not isinstance(model, ScikitLearnLDA):
        raise TypeError(
            f"model is a {type(model).__name__}; from_sklearn needs a sklearn.decomposition.LatentDirichletAllocation"
        )
    if not hasattr(model, "components_"):
        raise ValueError("model is not fitted; fit it first")
    shared = LatentDirichletAllocation().get_params().keys() - {"n_components", "doc_topic_prior", "topic_word_prior"}
    parameters = {name: value for name, value in model.get_params().items() if name in shared}
    result = restore.fitted_with(
        model.components_,
        doc_topic_prior=model.doc_topic_prior_,
        topic_word_prior=model.topic_word_prior_,
        feature_names=getattr(model, "feature_names_in_", None),
        n_updates=model.n_batch_iter_ - 1,
        **parameters,
    )
    result.n_iter_ = model.n_iter_
    return result


def to_sklearn(model: LatentDirichletAllocation) -> ScikitLearnLDA:
    """Convert a fitted model to scikit-learn, with the same λ, priors and parameters.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model.

    Returns
    -------
    model : sklearn.decomposition.LatentDirichletAllocation
        The fitted model, with working `transform` and `partial_fit`. The learning method "memoized", which
        scikit-learn does not have, becomes "batch".

    Raises
    ------
    ValueError
        If `topic_word_prior` is 0; scikit-learn supports only numbers > 0.

    Warns
    -----
    UserWarning
        If a prior has several values, for example because it was learned. scikit-learn supports a single number and
        gets their mean, so it infers slightly different topic proportions.
    """
    alpha, eta = _posterior_priors(model, "to_sklearn")
    several = [name for name, prior in (("doc_topic_prior", alpha), ("topic_word_prior", eta)) if np.ndim(prior)]
    if several:
        warnings.warn(
            f"{' and '.join(several)} became one number, the mean, since scikit-learn supports no other; it infers "
            "slightly different proportions. Fit with single numbers to get the same.",
            stacklevel=2,
        )
    alpha, eta = np.mean(alpha), np.mean(eta)
    shared = ScikitLearnLDA().get_params().keys()
    parameters = {name: value for name, value in model.get_params().items() if name in shared}
    parameters |= {
        "n_components": len(model.components_),
        "doc_topic_prior": float(alpha),
        "topic_word_prior": float(eta),
    }
    if parameters["learning_method"] == "memoized":
        parameters["learning_method"] = "batch"
    parameters["batch_size"] = step_size(model.batch_size, model.total_samples)
    if parameters["total_samples"] is None:
        parameters["total_samples"] = max(model.n_samples_seen_, 1)
    result = ScikitLearnLDA(**parameters)
    result.components_ = np.array(model.components_, order="C")
    result.exp_dirichlet_component_ = np.array(model.exp_dirichlet_component_, order="C")
    result.doc_topic_prior_, result.topic_word_prior_ = float(alpha), float(eta)
    result.random_state_ = check_random_state(model.random_state)
    for name in ("n_features_in_", "feature_names_in_", "n_iter_", "n_batch_iter_", "bound_"):
        if hasattr(model, name):
            setattr(result, name, getattr(model, name))
    return result


def from_gensim(model: Any) -> LatentDirichletAllocation:
    """Convert a model of gensim to ldavi, with the same λ, priors and words.

    Parameters
    ----------
    model : gensim.models.LdaModel or LdaMulticore
        The trained model. Its `id2word` names the columns; see Notes.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model; column w is the word with id w. `partial_fit` continues with the next online step.

    Raises
    ------
    TypeError
        If the model is not one of gensim.

    Notes
    -----
    scikit-learn warns if a model has column names (`feature_names_in_`) and X has none. Pass a DataFrame, or delete
    the names with ``del model.feature_names_in_``.
    """
    if not hasattr(getattr(model, "state", None), "get_lambda"):
        raise TypeError(f"model is a {type(model).__name__}; from_gensim needs a gensim.models.LdaModel")
    lam = model.state.get_lambda()
    words = model.id2word
    has_words = hasattr(words, "items") and type(words).__name__ != "FakeDict"  # FakeDict has ids instead of words
    return restore.fitted_with(
        lam,
        doc_topic_prior=model.alpha,
        topic_word_prior=model.eta,
        feature_names=[words.get(w, f"x{w}") for w in range(lam.shape[1])] if has_words else None,
        n_updates=int(model.num_updates // max(model.chunksize, 1)),
        n_samples=int(model.state.numdocs),
        learning_method="online",
        learning_decay=float(model.decay),
        learning_offset=float(model.offset),
        batch_size=int(model.chunksize),
    )


def to_gensim(model: LatentDirichletAllocation, feature_names: Names | None = None) -> Any:
    """Convert a fitted model to gensim, with the same λ and priors.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model.
    feature_names : sequence of str, optional
        The word of each column, whose number becomes its id. By default `feature_names_in_`, or else "x0", "x1", …

    Returns
    -------
    model : gensim.models.LdaModel
        The trained model; `update` continues the training.

    Raises
    ------
    ValueError
        If `topic_word_prior` is 0, which gensim does not support.
    ImportError
        If gensim is not installed.
    """
    from gensim.models import LdaModel

    alpha, eta = _posterior_priors(model, "to_gensim")
    lam = model.components_
    K, n_words = lam.shape
    documents_per_step = step_size(model.batch_size, model.total_samples)
    result = LdaModel(
        num_topics=K,
        id2word=dict(enumerate(feature_names_of(model, n_words, feature_names).tolist())),
        alpha=np.full(K, alpha, dtype=lam.dtype) if np.ndim(alpha) == 0 else np.asarray(alpha, dtype=lam.dtype),
        eta=np.full(n_words, eta, dtype=lam.dtype) if np.ndim(eta) == 0 else np.asarray(eta, dtype=lam.dtype),
        decay=model.learning_decay,
        offset=model.learning_offset,
        chunksize=documents_per_step,
        dtype=lam.dtype.type,
        random_state=0,  # of an initialisation that the next lines replace
    )
    result.state.sstats = np.ascontiguousarray(lam - result.eta)
    result.state.numdocs = model.n_samples_seen_
    result.num_updates = (model.n_batch_iter_ - 1) * documents_per_step
    result.sync_state()
    return result


def from_spark(
    topics_matrix: Any,
    *,
    doc_topic_prior: ArrayLike | None = None,
    topic_word_prior: float | None = None,
    vocabulary: ArrayLike | None = None,
) -> LatentDirichletAllocation:
    """Convert the topics of a Spark MLlib model to ldavi.

    Parameters
    ----------
    topics_matrix : pyspark.ml.linalg.DenseMatrix or array of shape (n_features, n_components)
        λ with one row per word, from `LDAModel.topicsMatrix()`.
    doc_topic_prior : float, array of shape (n_components,) or None, default=None
        α, from `LDAModel.estimatedDocConcentration()`. None means 1 / n_components, Spark's default.
    topic_word_prior : float or None, default=None
        η, Spark's `topicConcentration`. None means 1 / n_components, Spark's default.
    vocabulary : sequence of str, optional
        The word of each row, from `CountVectorizerModel.vocabulary`. It becomes `feature_names_in_`.

    Returns
    -------
    model : LatentDirichletAllocation
        The fitted model.

    Raises
    ------
    ValueError
        If the matrix is not a valid λ, is transposed, or a prior or the vocabulary has another shape.

    Warns
    -----
    UserWarning
        If there are fewer words than topics.

    Examples
    --------
    >>> from ldavi import io
    >>> model = io.from_spark([[9.0, 0.5], [8.0, 0.5], [0.5, 7.0]], vocabulary=["cat", "dog", "bond"])
    >>> model.components_.shape
    (2, 3)
    """
    matrix, alpha = (getattr(each, "toArray", lambda each=each: each)() for each in (topics_matrix, doc_topic_prior))
    matrix = np.asarray(matrix, dtype=np.float64)
    _check_orientation(matrix, alpha, vocabulary)
    return restore.fitted_with(
        matrix.T,
        doc_topic_prior=alpha,
        topic_word_prior=topic_word_prior,
        feature_names=vocabulary,
        learning_method="online",
    )


def _check_orientation(matrix: NDArray[np.float64], alpha: Any, vocabulary: Any) -> None:
    """Check that the rows of Spark's matrix are words.

    Raises
    ------
    ValueError
        If the prior or the vocabulary shows that they are topics.
    """
    if matrix.ndim != 2 or 0 in matrix.shape or matrix.shape[0] == matrix.shape[1]:
        return
    n_rows, n_columns = matrix.shape
    n_words = None if vocabulary is None else len(vocabulary)
    if n_words == n_columns or (np.ndim(alpha) == 1 and len(alpha) == n_rows):
        raise ValueError(
            f"topics_matrix has shape {matrix.shape}, whose rows are topics; pass its transpose, whose rows are words"
        )
    if n_rows < n_columns and n_words is None:
        warnings.warn(
            f"topics_matrix has {n_rows} rows, taken for words, and {n_columns} columns, taken for topics; if the rows "
            "are topics, pass its transpose",
            stacklevel=3,
        )


def to_spark_topics_matrix(model: LatentDirichletAllocation) -> NDArray[np.float64]:
    """Return λ in the layout of Spark MLlib, with one row per word.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model.

    Returns
    -------
    topics_matrix : array of shape (n_features, n_components)
        λ. ``pyspark.ml.linalg.DenseMatrix(*m.shape, m.ravel(order="F"))`` converts it to an object of Spark.
    """
    return np.array(model.components_.T, dtype=np.float64, order="F")


def to_pyldavis(model: FittedModel, X: Any, feature_names: Names | None = None) -> dict[str, Any]:
    """Compute the input of pyLDAvis; use it as ``pyLDAvis.prepare(**to_pyldavis(model, X))``.

    Parameters
    ----------
    model : LatentDirichletAllocation
        The fitted model, of ldavi or scikit-learn.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words. Documents without words, and words that do not occur, are omitted, since pyLDAvis
        divides by both totals.
    feature_names : sequence of str, optional
        The word of each column. By default `feature_names_in_`, or else "x0", "x1", …

    Returns
    -------
    arguments : dict
        The arguments topic_term_dists, doc_topic_dists, doc_lengths, vocab and term_frequency.

    Raises
    ------
    ValueError
        If X or the names do not fit the model.

    References
    ----------
    Sievert, Shirley. "LDAvis: a method for visualizing and interpreting topics". ACL workshop ILLVI, 2014.
    """
    check_is_fitted(model)
    topics = topics_of(model)
    names = feature_names_of(model, topics.shape[1], feature_names)
    theta = np.asarray(model.transform(X), dtype=np.float64)
    counts = counts_over_words(model, X, "to_pyldavis")
    lengths, frequency = np.asarray(counts.sum(axis=1)), np.asarray(counts.sum(axis=0))
    documents, words = lengths > 0, frequency > 0
    if not words.any():
        raise ValueError("X contains no counts, so there is nothing to draw; pass the documents of the fit")
    topics, theta = topics[:, words], theta[documents]
    return {
        "topic_term_dists": topics / topics.sum(axis=1, keepdims=True),
        "doc_topic_dists": theta / theta.sum(axis=1, keepdims=True),
        "doc_lengths": lengths[documents],
        "vocab": names[words].tolist(),
        "term_frequency": frequency[words],
    }


def _posterior_priors(model: LatentDirichletAllocation, name: str) -> tuple[Any, Any]:
    """Return α and η of a model, after checking that its topics have posterior distributions."""
    if not isinstance(model, LatentDirichletAllocation):
        raise TypeError(f"model is a {type(model).__name__}; {name} needs a ldavi.LatentDirichletAllocation")
    model._fitted_lambda()
    if np.ndim(model.topic_word_prior_) == 0 and model.topic_word_prior_ == 0:
        raise ValueError("topic_word_prior=0 made the topics point estimates, which only lda-c supports; use to_lda_c")
    return model.doc_topic_prior_, model.topic_word_prior_
