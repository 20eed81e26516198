"""The estimator over a cluster: its fits and questions go to where the blocks are; what it keeps is that of one machine."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

import ldavi._estimator.lda as one_machine
from ldavi._estimator import schedule
from ldavi._estimator import validation as check
from ldavi._estimator.fitting import warn_not_converged
from ldavi._estimator.schedule import Progress, Run
from ldavi.dask import _answers, _collections, _places
from ldavi.dask._learning import Learning


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
        check.check_parameters(self)
        self._check_offered()
        if checkpoint is not None:
            raise ValueError(
                "checkpoint is not offered in ldavi.dask, where a worker that dies costs only its work: leave it out"
            )
        place = _places.place()
        with place.copies_stay():
            best = self._fit(Learning(self, place, _collections.lazy_blocks(X), sample_weight))
        if not self.converged_ and self.tol is not None:
            warn_not_converged(self, best)
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
        for matrix in _answers.blocks_here(
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
        self._fitted_rows()
        return _answers.lazy_transform(self.to_local(), _collections.lazy_blocks(X), normalize)

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
        self._fitted_rows()
        return _answers.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))[0]

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
        self._fitted_rows()
        bound, tokens = _answers.bound_and_tokens(self.to_local(), _collections.lazy_blocks(X))
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

    def _fit(self, fit: Learning) -> Progress:
        """As many starts as asked for, the best of them kept."""
        random_state = check_random_state(self.random_state)
        runs: list[Run] = []
        try:
            for number in range(self.n_init):
                runs.append(Run())
                start = schedule.start_of(
                    self, fit.outline, fit.priors, random_state, online=False, again=number > 0, look=fit.look
                )
                fit.learn(runs[-1], start)
        finally:  # an interrupt, too, leaves the topics of the last whole pass
            for run in runs:
                fit.bring_home(run)
            whole = [run for run in runs if run.learned is not None]
            if whole:
                best = max(whole, key=lambda run: run.progress.reached)
                self.__dict__.pop("feature_names_in_", None)
                self.n_features_in_, self.random_state_ = fit.outline.counts.n_words, random_state
                self._keep(best, fit.outline)
        return best.progress

    def _check_offered(self) -> None:
        """Parameters whose work needs the documents in one place."""
        if self.learning_method != "batch":
            also = (
                ", or partial_fit, which takes the blocks one after another" if self.learning_method == "online" else ""
            )
            raise ValueError(f'learning_method={self.learning_method!r} must be "batch" in ldavi.dask: set it{also}')
        if self.inference != "vb":
            msg = f'inference={self.inference!r} must be "vb" in ldavi.dask; ldavi.LatentDirichletAllocation has the other'
            raise ValueError(msg)
        if check.begins_collapsed(self):
            raise ValueError(
                'init="cvb0" holds the topics of every count, and is not offered in ldavi.dask: use init="auto"'
            )
        if self.validation_fraction is not None:
            msg = (
                f"validation_fraction={self.validation_fraction!r} must be None in ldavi.dask: use tol, or callbacks with "
                "documents of your own that were set aside"
            )
            raise ValueError(msg)
