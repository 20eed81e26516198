"""The estimator for Dask collections, which computes on the workers that hold the blocks."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

import ldavi._estimator.lda as local
from ldavi._estimator import validation as check
from ldavi._estimator.convergence import Restart, best_restart
from ldavi._estimator.doc_covariates import refuse_covariates
from ldavi._estimator.fitted_attributes import store_fit
from ldavi._estimator.fitting import warn_not_converged
from ldavi._estimator.settings import FitSettings
from ldavi._estimator.starting_topics import initialize, warm_start_of
from ldavi._estimator.vocabulary import forget_names
from ldavi._inference.document_completion import perplexity_of
from ldavi.dask import _collections, _prediction
from ldavi.dask._executor import current_executor
from ldavi.dask._fitting import DistributedFit

CLUSTER = "on a cluster"


class LatentDirichletAllocation(local.LatentDirichletAllocation):
    """Latent Dirichlet allocation on the workers of a Dask cluster.

    The parameters, and the attributes after `fit`, are those of :class:`ldavi.LatentDirichletAllocation`, and the fit
    runs the same algorithms. Passes of variational Bayes give the results of a fit in memory up to rounding; collapsed
    passes and online steps give other draws and topics as good. The bits depend on how X is divided into blocks, but
    not on the number of workers. Documents stay on the workers, except in `partial_fit`. The loss of a worker costs
    time but changes no result.

    The cluster is that of the current :class:`distributed.Client`; without one, blocks are fitted in this process.

    Parameters
    ----------
    n_components, ... :
        As in :class:`ldavi.LatentDirichletAllocation`. Two values need all documents in one process and are refused:
        `learning_method` must be "batch" or "online", and `validation_fraction` must be None. A step of "online" takes
        its `batch_size` documents from several blocks, and updates the topics in this process. `n_jobs` is the number
        of threads of one task on a worker; None means one.

    See Also
    --------
    ldavi.LatentDirichletAllocation : The estimator for documents in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from ldavi.dask import LatentDirichletAllocation
    >>> X = np.array([[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]])
    >>> A = da.from_array(X, chunks=(2, 4))  # blocks may be sparse, and of unknown length
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(A)
    >>> lda.transform(A)  # doctest: +SKIP
    dask.array<...>
    """

    def fit(
        self,
        X: Any,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        *,
        doc_covariates: None = None,
        checkpoint: None = None,
    ) -> Self:
        """Learn the topics of X.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents
            Counts. An array has shape (n_samples, n_features) and is divided into blocks of rows, of known length or
            not. A block is a CSR matrix, or any other type that `ldavi.LatentDirichletAllocation` accepts. An item of a
            bag or a Series is a sparse matrix of one or more documents, or one document as a dict {column: count}.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array or dask array of shape (n_samples,), optional
            The weight of each document, >= 0: a weight of 2 counts the document twice.
        doc_covariates : None
            Not supported on a cluster, as `doc_topic_prior="regression"`.
        checkpoint : None
            Not supported: the loss of a worker does not end a fit.

        Returns
        -------
        self : LatentDirichletAllocation
            The fitted estimator. Ctrl-C leaves it fitted with the topics of the last complete pass.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not valid; an estimator that was fitted before is left unchanged.
        """
        refuse_covariates(self.doc_topic_prior, doc_covariates, CLUSTER)
        given = warm_start_of(self)
        settings = check.check_parameters(self, is_warm=given is not None)
        self._check_supported(settings, checkpoint)
        fitted, init = None if given is None else given.priors, given or self.init
        executor, restarts, random_state = current_executor(), list[Restart](), check_random_state(self.random_state)
        online = settings.learning_method == "online" and not settings.starts_on_part
        with executor.keep_copies():
            fit = DistributedFit(self, settings, executor, _collections.lazy_blocks(X), sample_weight, fitted)
            try:
                for number in range(settings.n_init):
                    start = initialize(
                        fit.outline,
                        fit.priors,
                        random_state,
                        init=init,
                        online=online,
                        is_restart=number > 0,
                        sampler=fit.sample,
                    )
                    fit.run(start, restarts)
            finally:  # an interrupt, too, leaves the topics of the last complete pass
                best = best_restart(restarts)
                if best is not None:
                    self.__dict__.pop("feature_names_in_", None)
                    if given is None:
                        forget_names(self)
                    self.n_features_in_, self.random_state_ = fit.outline.n_words, random_state
                    store_fit(self, best, fit.outline)
        assert best is not None  # else an exception has been raised
        warn_not_converged(settings, best.monitor)
        return self

    def partial_fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take online steps on the blocks of X in turn, in this process.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or documents in memory
            Counts, as for `fit`; one block at a time is brought into this process.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array of shape (n_samples,), optional
            The weight of each document, >= 0; only for documents in memory.

        Returns
        -------
        self : LatentDirichletAllocation
            The estimator after the steps.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not valid; the estimator keeps the steps of the blocks before the invalid one.
        """
        if not _collections.is_collection(X):
            return super().partial_fit(X, y, sample_weight)
        if sample_weight is not None:
            msg = (
                "sample_weight is not supported by partial_fit with a Dask collection: pass each block with its weights"
            )
            raise ValueError(msg)
        n_words = self.n_features_in_ if self.__sklearn_is_fitted__() else None
        for matrix in _prediction.blocks_here(_collections.lazy_blocks(X), n_words):
            super().partial_fit(matrix)
        return self

    def fit_transform(
        self,
        X: Any,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        *,
        normalize: bool = True,
        doc_covariates: None = None,
    ) -> Any:
        """Fit to X, then return what `transform` returns for it.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or documents in memory
            Counts, as for `fit`.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array or dask array of shape (n_samples,), optional
            The weight of each document, >= 0.
        normalize : bool, default=True
            As for `transform`.
        doc_covariates : None
            Not supported on a cluster.

        Returns
        -------
        theta : dask array of shape (n_samples, n_components)
            E[θ], or γ, as of `transform`.
        """
        fitted = self.fit(X, y, sample_weight=sample_weight, doc_covariates=doc_covariates)
        return fitted.transform(X, normalize=normalize)

    def transform(self, X: Any, *, normalize: bool = True, doc_covariates: None = None) -> Any:
        """Return the topic proportions of documents. Each row depends on its document alone.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or documents in memory
            Counts, as for `fit`.
        normalize : bool, default=True
            False returns γ, the parameters of q(θ) = Dir(γ), instead of its mean.
        doc_covariates : None
            Not supported on a cluster.

        Returns
        -------
        theta : dask array of shape (n_samples, n_components)
            E[θ], or γ. It is lazy, has a dense block for each block of X, and uses the topics at the time of this call.
            For X in memory, an array in memory.
        """
        refuse_covariates(None, doc_covariates, CLUSTER)
        if not _collections.is_collection(X):
            return super().transform(X, normalize=normalize)
        self._fitted_lambda()
        return _prediction.lazy_transform(self.to_local(), _collections.lazy_blocks(X), normalize)

    def score(self, X: Any, y: object = None, *, doc_covariates: None = None) -> float:
        """Return a lower bound of log p(X | topics): the word and the document terms of the ELBO, in nats.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or documents in memory
            Counts, as for `fit`; each block is scored on its worker.
        y : object
            Ignored; present for compatibility with pipelines.
        doc_covariates : None
            Not supported on a cluster.

        Returns
        -------
        score : float
            Nats, higher is better.
        """
        refuse_covariates(None, doc_covariates, CLUSTER)
        if not _collections.is_collection(X):
            return super().score(X)
        self._fitted_lambda()
        return _prediction.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))[0]

    def perplexity(self, X: Any, sub_sampling: bool = False, *, doc_covariates: None = None) -> float:
        """Return exp(−score / tokens); lower is better.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or documents in memory
            Counts, as for `fit`; each block is scored on its worker.
        sub_sampling : bool, default=False
            Accepted for compatibility with scikit-learn; it has no effect.
        doc_covariates : None
            Not supported on a cluster.

        Returns
        -------
        perplexity : float
            1 for documents without words.
        """
        refuse_covariates(None, doc_covariates, CLUSTER)
        if not _collections.is_collection(X):
            return super().perplexity(X)
        self._fitted_lambda()
        bound, tokens = _prediction.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))
        return perplexity_of(bound, tokens)

    def word_topics(self, X: Any, *, doc_covariates: None = None) -> Any:
        """Return φ, the topic responsibilities of each stored count of each document.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words, in memory: one row per count does not fit the blocks of a Dask collection.
        doc_covariates : None
            Not supported on a cluster.

        Returns
        -------
        phi : array of shape (nnz, n_components)
            As in `ldavi.LatentDirichletAllocation`.
        """
        refuse_covariates(None, doc_covariates, CLUSTER)
        if _collections.is_collection(X):
            msg = (
                f"X is a {type(X).__name__}; word_topics takes documents in memory: call it on the workers, with "
                "to_local()"
            )
            raise TypeError(msg)
        return super().word_topics(X)

    def to_local(self) -> local.LatentDirichletAllocation:
        """Return the same model as a `ldavi.LatentDirichletAllocation`, which `ldavi.io.save` writes and needs no Dask.

        Returns
        -------
        model : ldavi.LatentDirichletAllocation
            Fitted if this estimator is. The two share the memory of the topics until one of them changes.
        """
        model = local.LatentDirichletAllocation(**self.get_params(deep=False))
        parameters = self.get_params(deep=False)
        model.__dict__.update({name: value for name, value in vars(self).items() if name not in parameters})
        if self.__sklearn_is_fitted__():
            model._lambda = self._lambda.snapshot()
        return model

    def _check_supported(self, settings: FitSettings, checkpoint: object) -> None:
        """Raise ValueError for parameters that need all documents in one process."""
        if settings.learning_method == "memoized":
            msg = f'learning_method={self.learning_method!r} must be "batch" or "online" in ldavi.dask: set one of them'
            raise ValueError(msg)
        if settings.validation_fraction is not None:
            msg = (
                f"validation_fraction={self.validation_fraction!r} must be None in ldavi.dask: use tol, or a "
                "callback that "
                "evaluates documents of your own"
            )
            raise ValueError(msg)
        if checkpoint is not None:
            msg = (
                "checkpoint is not supported in ldavi.dask, where the loss of a worker costs only its work: leave it "
                "out"
            )
            raise ValueError(msg)
