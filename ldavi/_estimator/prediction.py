"""The topics of a fitted model, and inference on documents with them."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from ldavi._core import dirichlet
from ldavi._core.records import Counts, Priors, Topics
from ldavi._core.threads import Workers
from ldavi._estimator import validation as check
from ldavi._estimator import vocabulary_growth
from ldavi._estimator.components import check_components
from ldavi._estimator.doc_covariates import alpha_for, show_regression
from ldavi._estimator.fit_record import forget_fit_record
from ldavi._estimator.settings import is_auto, is_regression
from ldavi._estimator.vocabulary import NamedWordsAndTopics
from ldavi._inference import fixed_topics
from ldavi._inference.document_completion import perplexity_of
from ldavi._inference.e_step import EStepSettings
from ldavi._inference.lazy_lambda import LazyLambda

Answer = TypeVar("Answer")


class FittedTopics(NamedWordsAndTopics, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Topics and inference on documents, for an estimator with `_lambda` and `_priors`.

    A transformer itself, since `set_output` wraps a `transform` only in the class that defines it.

    None of these methods changes what another returns, so threads may call them at once; assigning `components_` does.
    """

    n_components: int
    n_jobs: int | None
    mean_change_tol: float
    max_doc_update_iter: int
    _lambda: LazyLambda
    _priors: Priors

    @property
    def components_(self) -> NDArray[Any]:
        """λ, of shape (n_components, n_features), read-only; assign an array to change it."""
        return self._fitted_lambda().dense()[:, : self._priors.n_topics].T

    @components_.setter
    def components_(self, value: NDArray[Any]) -> None:
        lam, zeros = self._fitted_lambda(), self._priors.point_estimate
        lam.replace(check_components(value, shape=lam.shape, dtype=lam.dtype, zeros=zeros).T)
        forget_fit_record(self)

    @property
    def topics_(self) -> NDArray[Any]:
        """E[β], of shape (n_components, n_features); rows sum to 1."""
        return dirichlet.mean(self.components_)

    @property
    def exp_dirichlet_component_(self) -> NDArray[Any]:
        """exp(E[log β]), of shape (n_components, n_features)."""
        if self._priors.point_estimate:
            return self.topics_
        lam = self.components_
        return np.exp(dirichlet.expected_log(lam)).astype(lam.dtype)

    def transform(self, X: Any, *, normalize: bool = True, doc_covariates: Any = None) -> NDArray[Any]:
        """Infer the topic proportions of documents. Each row depends on its document alone.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        normalize : bool, default=True
            False returns γ, the parameters of q(θ) = Dir(γ), instead of its mean.
        doc_covariates : array-like of shape (n_samples, n_covariates), optional
            Covariates of the documents, for a model that was fitted with some: the prior of a document is then that of
            its covariates. Without them, it is `doc_topic_prior_`.

        Returns
        -------
        theta : array of shape (n_samples, n_components)
            E[θ], rows that sum to 1; a document without words has the prior mean.
        """
        gamma, _, _ = self._infer(fixed_topics.infer_gamma, X, doc_covariates)
        return dirichlet.mean(gamma) if normalize else gamma

    def word_topics(self, X: Any, *, doc_covariates: Any = None) -> NDArray[Any]:
        """Compute φ, the topic responsibilities of each stored count.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        doc_covariates : array-like of shape (n_samples, n_covariates), optional
            As for `transform`.

        Returns
        -------
        phi : array of shape (nnz, n_components)
            One row per count > 0, documents in order, words of a document in the order of their columns: the order of
            `scipy.sparse.csr_array(X)`. Rows sum to 1.
        """
        gamma, counts, topics = self._infer(fixed_topics.infer_gamma, X, doc_covariates)
        phi = fixed_topics.responsibilities(counts, topics, gamma)
        order = vocabulary_growth.order_of_counts(self, X, counts)
        return phi if order is None else phi[order]

    def score(self, X: Any, y: object = None, *, doc_covariates: Any = None) -> float:
        """Compute the lower bound of log p(X | topics): the word and the document terms of the ELBO, in nats.

        A sum over documents, the topics being fixed. `score` of scikit-learn adds the topics' own term,
        −KL(q(β) ‖ p(β)), which is the same for any X: so its scores of parts of X do not add up to that of X, and the
        scores of the two libraries are not comparable.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        y : object
            Not used; there for pipelines.
        doc_covariates : array-like of shape (n_samples, n_covariates), optional
            As for `transform`.

        Returns
        -------
        score : float
            Nats, higher is better.
        """
        return float(self._infer(fixed_topics.infer_documents, X, doc_covariates)[0].bound.sum())

    def perplexity(self, X: Any, sub_sampling: bool = False, *, doc_covariates: Any = None) -> float:
        """Compute exp(−score / tokens), lower is better.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        sub_sampling : bool, default=False
            Accepted as scikit-learn does. There it scales the documents' terms and tokens alike, against a term of the
            topics that is no part of this perplexity: both values give the same.
        doc_covariates : array-like of shape (n_samples, n_covariates), optional
            As for `transform`.

        Returns
        -------
        perplexity : float
            1 for documents without words.
        """
        inference, counts, _ = self._infer(fixed_topics.infer_documents, X, doc_covariates)
        tokens = counts.values.sum(dtype=np.float64)
        return perplexity_of(inference.bound.sum(), tokens)

    def _infer(
        self, function: Callable[..., Answer], X: Any, doc_covariates: Any = None
    ) -> tuple[Answer, Counts, Topics]:
        """Return function(counts, topics, α, settings, workers) for the documents X, with its counts and topics."""
        lam = self._fitted_lambda()
        counts = check.to_counts(vocabulary_growth.check_known_documents(self, X, dtype=lam.dtype))
        alpha = alpha_for(self, doc_covariates, counts.n_docs)
        settings = EStepSettings(self.max_doc_update_iter, self.mean_change_tol)
        with Workers(check.count_threads(self.n_jobs)) as workers:
            topics = lam.all_topics(workers)
            if topics is None:
                counts, _ = counts.compact()
                topics = lam.topics(counts.words, workers)
            answer = function(counts, topics, alpha, settings, workers)
        return answer, counts, topics

    def __copy__(self) -> Self:
        """Return a shallow copy, whose topics stay as they are when `partial_fit` changes those of the original."""
        copied = type(self).__new__(type(self))
        copied.__dict__.update(vars(self))
        if self.__sklearn_is_fitted__():
            copied._lambda = self._lambda.snapshot()
        return copied

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_lambda")

    def _fitted_lambda(self) -> LazyLambda:
        if not self.__sklearn_is_fitted__():
            msg = (
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
                "using this estimator."
            )
            raise NotFittedError(msg)
        return self._lambda

    def _show_priors(self) -> None:
        """Set `doc_topic_prior_` and `topic_word_prior_` to the priors as used, in the form in which they are given."""
        for name, learned in (("doc_topic_prior", self._priors.alpha), ("topic_word_prior", self._priors.eta)):
            given = getattr(self, name)
            used: Any = learned
            if given is None:
                used = 1 / self.n_components
            elif is_auto(given) or is_regression(given):
                is_array = learned.ndim == 1 or learned.size > 1
                used = learned.T.copy() if is_array else float(learned[0, 0])
            else:
                used = np.array(given, dtype=np.float64)[()]  # a copy: the caller may change the parameter
            setattr(self, f"{name}_", used)
        show_regression(self)

    @property
    def _n_features_out(self) -> int:
        return self._priors.n_topics
