"""`ldavi.infer`: inference on documents with fixed, known topics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from ldavi._core.records import aligned_zeros, padded
from ldavi._core.threads import Workers
from ldavi._estimator import validation as check
from ldavi._estimator.starting_priors import check_priors, refuse_names
from ldavi._inference import fixed_topics
from ldavi._inference.e_step import EStepSettings
from ldavi._inference.fixed_topics import Inference
from ldavi._inference.m_step import topics_from


def infer(
    X: Any,
    topics: ArrayLike,
    doc_topic_prior: float | ArrayLike | None = None,
    *,
    mean_change_tol: float = 1e-3,
    max_doc_update_iter: int = 100,
    n_jobs: int | None = None,
    dtype: Any = None,
) -> Inference:
    """Run the E-step alone: infer γ and the bound of each document, with α and β fixed and known.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words.
    topics : array of shape (n_components, n_features)
        β, each row a distribution over words. A word may be 0 under a topic.
    doc_topic_prior : float, array of shape (n_components,) or None, default=None
        α. None means 1 / n_components.
    mean_change_tol : float, default=1e-3
        A document has converged when Σ_k |Δγ_dk| is at most this share of its tokens.
    max_doc_update_iter : int, default=100
        Maximum number of inner iterations per document.
    n_jobs : int or None, default=None
        Threads; None means one.
    dtype : {"float32", "float64"} or None, default=None
        Of the computation. None keeps that of X, integers in float32.

    Returns
    -------
    inference : Inference
        `gamma` of shape (n_samples, n_components), the parameters of q(θ_d) = Dir(γ_d); `bound` of shape (n_samples,),
        a lower bound of log p(w_d | α, β) in nats; `n_inner_iter` of shape (n_samples,).

    Raises
    ------
    ValueError
        If X or topics hold invalid values, their widths differ, or a row of topics does not sum to 1.

    References
    ----------
    Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003, section 5.2.

    Examples
    --------
    >>> import ldavi
    >>> topics = [[0.5, 0.5, 0.0], [0.0, 0.1, 0.9]]
    >>> gamma = ldavi.infer([[3, 1, 0]], topics, doc_topic_prior=0.1).gamma
    >>> print(gamma.argmax(axis=1))
    [0]
    """
    check.check_number("mean_change_tol", mean_change_tol, minimum=0)
    check.check_integer("max_doc_update_iter", max_doc_update_iter, minimum=1)
    matrix = check.check_counts(X, dtype=check.check_dtype(dtype), name="infer")
    beta = _check_topics(topics, matrix.shape[1])
    refuse_names(doc_topic_prior)
    priors = check_priors(doc_topic_prior, 0, len(beta), matrix.shape[1], matrix.dtype)
    counts, words = check.to_counts(matrix).compact()
    rows = aligned_zeros((len(words), padded(len(beta))), counts.values.dtype)
    rows[:, : len(beta)] = beta.T[words]
    with Workers(check.count_threads(n_jobs)) as workers:
        known = topics_from(rows, np.ones(len(beta)), workers, point_estimate=True)
        # The updates as they are written down, without extrapolation.
        settings = EStepSettings(max_doc_update_iter, mean_change_tol, extrapolate=False)
        return fixed_topics.infer_documents(counts, known, priors.alpha, settings, workers)


def _check_topics(topics: ArrayLike, n_words: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    if np.ndim(topics) != 2:
        raise ValueError(f"topics has shape {np.shape(topics)}; it must be 2D, of shape (n_components, n_features)")
    beta = check_array(topics, dtype=np.float64, estimator="infer", input_name="topics")
    if beta.shape[1] != n_words:
        raise ValueError(f"topics has {beta.shape[1]} columns and X has {n_words}; both must name the same words")
    if beta.min() < 0:
        raise ValueError(f"topics holds {beta.min()}; probabilities must be >= 0")
    sums = beta.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > 1e-3:
        msg = f"topics[{worst}] sums to {sums[worst]:.6g}; each row must sum to 1: pass topics_, not components_"
        raise ValueError(msg)
    return beta  # type: ignore[no-any-return]
