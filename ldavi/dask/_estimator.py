"""The estimator over a cluster: its fits and questions go to where the blocks are; what it keeps is that of one machine."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

import ldavi._estimator.lda as one_machine
from ldavi._estimator import validation as check
from ldavi._estimator.convergence import Restart, best_restart
from ldavi._estimator.fitting import warn_not_converged
from ldavi._estimator.settings import FitSettings
from ldavi._estimator.starting_topics import initialize
from ldavi.dask import _collections, _prediction
from ldavi.dask._executor import current_executor
from ldavi.dask._fitting import DistributedFit


class LatentDirichletAllocation(one_machine.LatentDirichletAllocation):
    """Latent Dirichlet allocation over the workers of a Dask cluster.

    Takes the parameters of :class:`ldavi.LatentDirichletAllocation` and has its attributes after `fit`, with its values: to
    rounding those of one machine, and the same bits for any number of workers. Documents stay where they are. A worker
    that dies costs time and changes no result.

    The cluster is that of the present :class:`distributed.Client`; without one, blocks are fitted in this process.

    Parameters
    ----------
    n_components, ... :
        As of :class:`ldavi.LatentDirichletAllocation`. `learning_method` is "batch", `inference` is "vb", `init` is not
        "cvb0", and `validation_fraction` is None: other values need the documents in one place, and are refused. `n_jobs`
        are threads of one task on a worker, None meaning one.

    See Also
    --------
    ldavi.LatentDirichletAllocation : The same for documents in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from ldavi.dask import LatentDirichletAllocation
    >>> X = np.array([[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]])
    >>> A = da.from_array(X, chunks=(2, 4))  # blocks may be sparse, and their lengths unknown
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(A)
    >>> lda.transform(A)  # doctest: +SKIP
    dask.array<...>
    """

    def fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None, *, checkpoint: Any = None) -> Self:
        """Learn the topics of X.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents
            Counts. An array of shape (n_samples, n_features) whose blocks, rows of it, are CSR matrices or anything that
            `ldavi.LatentDirichletAllocation` takes, of known length or not. Of a bag or a Series, each item is a sparse
            matrix of one or more documents, or one document as a dict {column: count}.
        y : object
            Not used; there for pipelines.
        sample_weight : array or dask array of shape (n_samples,), optional
            Each document's weight, >= 0: a weight of 2 is worth the document twice.
        checkpoint : None
            Not offered here, where a worker may die at any moment and the fit goes on.

        Returns
        -------
        self : LatentDirichletAllocation
            The fitted estimator. Ctrl-C leaves it fitted with the topics of the last whole pass.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not as described; an estimator fitted before is left as it was.
        """
        settings = check.check_parameters(self)
        self._check_supported(settings, checkpoint)
        is_warm = self.warm_start and self.__sklearn_is_fitted__()
        fitted, warm_lambda = (self._priors, self.components_) if is_warm else (None, None)
        executor, restarts, random_state = current_executor(), list[Restart](), check_random_state(self.random_state)
        with executor.keep_copies():
            fit = DistributedFit(self, settings, executor, _collections.lazy_blocks(X), sample_weight, fitted)
            try:
                for number in range(settings.n_init):
                    start = initialize(
                        fit.outline,
                        fit.priors,
                        random_state,
                        init=self.init,
                        warm_lambda=warm_lambda,
                        is_restart=number > 0,
                        sampler=fit.sample,
                    )
                    fit.run(start, restarts)
            finally:  # an interrupt, too, leaves the topics of the last complete pass
                best = best_restart(restarts)
                if best is not None:
                    self.__dict__.pop("feature_names_in_", None)
                    self.n_features_in_, self.random_state_ = fit.outline.n_words, random_state
                    self._store(best, fit.outline)
        assert best is not None  # else an exception has been raised
        warn_not_converged(settings, best.monitor)
        return self

    def partial_fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take online steps on one block of X after another, in this process.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or what `ldavi.LatentDirichletAllocation` takes
            Counts, as for `fit`; a block is brought here when its turn comes.
        y : object
            Not used; there for pipelines.
        sample_weight : array of shape (n_samples,), optional
            Each document's weight, >= 0; for documents in memory only.

        Returns
        -------
        self : LatentDirichletAllocation
            The estimator after the steps.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not as described; the estimator is left as it was before the block in question.
        """
        if not _collections.is_collection(X):
            return super().partial_fit(X, y, sample_weight)
        if sample_weight is not None:
            raise ValueError(
                "sample_weight is not offered here by partial_fit: call it with each block and its weights"
            )
        for matrix in _prediction.blocks_here(
            _collections.lazy_blocks(X), self.n_features_in_ if self.__sklearn_is_fitted__() else None
        ):
            super().partial_fit(matrix)
        return self

    def transform(self, X: Any, *, normalize: bool = True) -> Any:
        """Topic proportions of documents. Each row depends on its document alone.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or what `ldavi.LatentDirichletAllocation` takes
            Counts, as for `fit`.
        normalize : bool, default=True
            False returns γ, the parameters of q(θ) = Dir(γ), in place of its mean.

        Returns
        -------
        theta : dask array of shape (n_samples, n_components)
            E[θ], lazy, with a dense block for each block of X and the topics of now; an array in memory if X was in memory.
        """
        if not _collections.is_collection(X):
            return super().transform(X, normalize=normalize)
        self._fitted_lambda()
        return _prediction.lazy_transform(self.to_local(), _collections.lazy_blocks(X), normalize)

    def score(self, X: Any, y: object = None) -> float:
        """Lower bound of log p(X | topics): the word and the document terms of the ELBO, in nats.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or what `ldavi.LatentDirichletAllocation` takes
            Counts, as for `fit`; each block is scored where it is.
        y : object
            Not used; there for pipelines.

        Returns
        -------
        score : float
            Nats, higher is better.
        """
        if not _collections.is_collection(X):
            return super().score(X)
        self._fitted_lambda()
        return _prediction.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))[0]

    def perplexity(self, X: Any, sub_sampling: bool = False) -> float:
        """exp(−score / tokens), lower is better.

        Parameters
        ----------
        X : dask array, bag or Series of n_samples documents, or what `ldavi.LatentDirichletAllocation` takes
            Counts, as for `fit`; each block is scored where it is.
        sub_sampling : bool, default=False
            Accepted as scikit-learn does; both values give the same.

        Returns
        -------
        perplexity : float
            1 for documents without words.
        """
        if not _collections.is_collection(X):
            return super().perplexity(X)
        self._fitted_lambda()
        bound, tokens = _prediction.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))
        return float(np.exp(-bound / tokens)) if tokens else 1.0

    def word_topics(self, X: Any) -> Any:
        """φ: to which topics each stored count of each document belongs.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words, in memory: one row per count would not line up with the blocks of a Dask collection.

        Returns
        -------
        phi : array of shape (nnz, n_components)
            As of `ldavi.LatentDirichletAllocation`.
        """
        if _collections.is_collection(X):
            msg = f"X is a {type(X).__name__}; word_topics takes documents in memory: send to_local() to where each block is"
            raise TypeError(msg)
        return super().word_topics(X)

    def to_local(self) -> one_machine.LatentDirichletAllocation:
        """The same model as a plain estimator, which `ldavi.io.save` writes and which needs no Dask.

        Returns
        -------
        model : ldavi.LatentDirichletAllocation
            Fitted if this one is. The topics are shared, not copied.
        """
        model = one_machine.LatentDirichletAllocation(**self.get_params(deep=False))
        parameters = self.get_params(deep=False)
        model.__dict__.update({name: value for name, value in vars(self).items() if name not in parameters})
        return model

    def _check_supported(self, settings: FitSettings, checkpoint: object) -> None:
        """Raise ValueError for parameters that need all documents in one process."""
        if settings.learning_method != "batch":
            also = (
                ", or use partial_fit, which reads the blocks in turn" if settings.learning_method == "online" else ""
            )
            raise ValueError(f'learning_method={self.learning_method!r} must be "batch" in ldavi.dask: set it{also}')
        if settings.inference != "vb":
            msg = f'inference={self.inference!r} must be "vb" in ldavi.dask; use ldavi.LatentDirichletAllocation for "cvb0"'
            raise ValueError(msg)
        if settings.runs_cvb0_first:
            msg = 'init="cvb0" needs the assignments of all counts in one process, which ldavi.dask does not have'
            raise ValueError(f'{msg}: use init="auto"')
        if settings.validation_fraction is not None:
            msg = (
                f"validation_fraction={self.validation_fraction!r} must be None in ldavi.dask: use tol, or a callback that "
                "evaluates documents of your own"
            )
            raise ValueError(msg)
        if checkpoint is not None:
            msg = "checkpoint is not supported in ldavi.dask, where the loss of a worker costs only its work: leave it out"
            raise ValueError(msg)
