"""The scikit-learn estimator: stores, validates, calls the floors below, sets attributes. No mathematics."""

import itertools
import warnings
from collections.abc import Generator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ldavi import _fit
from ldavi import _validation as check
from ldavi._fit import Documents, Learned, LearningRate, Plan
from ldavi._fitted import FittedTopics
from ldavi._mstep import DecayingRows, learning_rate
from ldavi._parallel import Workers
from ldavi._state import Counts, Priors, aligned_zeros, padded
from ldavi._trace import TraceRecord, relative_gain, to_array
from ldavi._typing import Floats

WARMUP_PASSES = 10  # and at most half of max_iter
WARMUP_SWEEPS = 10
WARMUP_OFFSET = 0.5
MONOTONE_SWEEPS = 2
ONLINE_SWEEPS = 5
MEMOIZED_BATCHES = 32  # of a lap, at most: each keeps statistics of its words
WORDS_AT_ONCE = 2**12


class LatentDirichletAllocation(FittedTopics, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Latent Dirichlet allocation by mean-field variational inference.

    A drop-in for :class:`sklearn.decomposition.LatentDirichletAllocation`: every parameter, method and attribute of that
    class is here under its name and with its meaning. Defaults differ where noted.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.
    doc_topic_prior : float, array of shape (n_components,) or None, default=0.1
        α, the Dirichlet prior of a document's topics. None means 1 / n_components, which is scikit-learn's default.
    topic_word_prior : float, array of shape (n_features,) or (n_components, n_features), or None, default=0.05
        η, the Dirichlet prior of a topic's words. None means 1 / n_components, which is scikit-learn's default and a bad
        one: a word not seen under a topic then costs about K nats. 0 makes the topics point estimates (Blei's unsmoothed
        EM) in place of posteriors.
    learning_method : {"batch", "online", "memoized"}, default="batch"
        How `fit` learns. "batch": coordinate ascent over all documents, after a warm-up that starts each visit afresh.
        "online": a natural gradient step after every `batch_size` documents [2]_. "memoized": batches whose statistics
        are kept and replaced, without a learning rate [4]_.
    learning_decay : float, default=0.7
        κ of the online step size ρ_t = (τ0 + t)^−κ, between 0 and 1.
    learning_offset : float, default=10.0
        τ0 of the online step size, >= 0.
    max_iter : int, default=100
        Passes over the documents in `fit`, at most. scikit-learn's default is 10.
    batch_size : int, default=128
        Documents of an online step. "memoized" cuts a lap in at most 32 batches of at least this many documents.
    evaluate_every : int, default=-1
        With n > 0, `fit` compares the training perplexity every n passes, prints it if `verbose`, and stops where it
        changed by less than `perp_tol`.
    total_samples : float or None, default=None
        Documents in the whole corpus, for `partial_fit`. None means those seen so far; scikit-learn's default is 1e6.
    perp_tol : float, default=0.1
        See `evaluate_every`.
    mean_change_tol : float, default=1e-3
        A document's visit ends when Σ_k |Δγ_dk| is at most this share of its tokens. scikit-learn takes the mean over
        topics, which loosens as their number grows.
    max_doc_update_iter : int, default=100
        Sweeps over a document in one visit, at most. Visits of a fit make fewer: 10 in the warm-up, 2
        after it, 5 online.
    n_jobs : int or None, default=None
        Threads; None means one, -1 all cores, and inside a joblib worker it is always one. The result has the same bits
        for every number.
    verbose : int, default=0
        Print a line per pass.
    random_state : int, RandomState instance or None, default=None
        Draws the topics that the fit starts from; nothing else is random.
    inference : {"vb"}, default="vb"
        "vb" is mean-field variational Bayes.
    tol : float or None, default=1e-4
        `fit` has converged when a pass raises the ELBO by less than this share of it. None makes all `max_iter` passes.
    callbacks : callable, list of callables or None, default=None
        Called after each pass with its :class:`ldavi.TraceRecord`; one that returns True stops the fit.
    warm_start : bool, default=False
        Whether `fit` goes on from the topics it has instead of from random ones.
    dtype : {"float32", "float64"} or None, default=None
        Of the computation and of the results. None keeps that of X; integer counts are computed in float32, which
        is twice as fast, or in float64 where one exceeds 2^24.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        λ, the Dirichlet parameters of the topics' posteriors; expected counts where the topics are point estimates.
    topics_ : array of shape (n_components, n_features)
        E[β]: λ with rows that sum to 1.
    exp_dirichlet_component_ : array of shape (n_components, n_features)
        exp(E[log β]).
    elbo_ : float
        The evidence lower bound of the training documents, in nats, every constant kept.
    elbo_trace_ : structured array of shape (n_passes,)
        A record per pass with the fields of :class:`ldavi.TraceRecord`; `elbo_trace_["elbo"]` is the bound.
    bound_ : float
        Training perplexity of the last record, under the name that scikit-learn gives it.
    converged_ : bool
        Whether a tolerance ended the fit, or a callback.
    doc_topic_prior_ : float or array of shape (n_components,)
        α as used.
    topic_word_prior_ : float or array
        η as used.
    n_iter_ : int
        Passes of the last `fit`.
    n_batch_iter_ : int
        Number of the next online step.
    n_samples_seen_ : int
        Documents that `fit` and `partial_fit` have seen.
    n_features_in_ : int
        V, the columns of X.
    feature_names_in_ : array of shape (n_features,)
        Names of the columns of X, if they were strings.
    random_state_ : RandomState instance
        The generator that the start was drawn from.

    See Also
    --------
    ldavi.infer : Documents given topics that are known.

    References
    ----------
    .. [1] Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003.
    .. [2] Hoffman, Blei, Bach. "Online learning for latent Dirichlet allocation". NIPS 2010.
    .. [3] Hoffman, Blei, Wang, Paisley. "Stochastic variational inference". JMLR 14, 2013.
    .. [4] Hughes, Sudderth. "Memoized online variational inference for Dirichlet process mixture models". NIPS 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from ldavi import LatentDirichletAllocation
    >>> X = np.array([[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]])
    >>> lda = LatentDirichletAllocation(n_components=2, random_state=0).fit(X)
    >>> lda.transform([[1, 1, 0, 0]]).shape
    (1, 2)
    """

    def __init__(
        self,
        n_components: int = 10,
        *,
        doc_topic_prior: float | ArrayLike | None = 0.1,
        topic_word_prior: float | ArrayLike | None = 0.05,
        learning_method: str = "batch",
        learning_decay: float = 0.7,
        learning_offset: float = 10.0,
        max_iter: int = 100,
        batch_size: int = 128,
        evaluate_every: int = -1,
        total_samples: float | None = None,
        perp_tol: float = 1e-1,
        mean_change_tol: float = 1e-3,
        max_doc_update_iter: int = 100,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        inference: str = "vb",
        tol: float | None = 1e-4,
        callbacks: Any = None,
        warm_start: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.learning_method = learning_method
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.evaluate_every = evaluate_every
        self.total_samples = total_samples
        self.perp_tol = perp_tol
        self.mean_change_tol = mean_change_tol
        self.max_doc_update_iter = max_doc_update_iter
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state
        self.inference = inference
        self.tol = tol
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.dtype = dtype

    def fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the topics of X.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        y : object
            Not used; there for pipelines.
        sample_weight : array of shape (n_samples,), optional
            Each document's weight, >= 0: a weight of 2 is worth the document twice.

        Returns
        -------
        self : LatentDirichletAllocation
            The fitted estimator. Ctrl-C leaves it fitted with the topics of the last whole pass.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not as described; an estimator fitted before is left as it was.
        """
        self._check_parameters()
        documents, priors = self._check_learning_input(X, sample_weight, reset=True)
        random_state = check_random_state(self.random_state)
        start = self._start(documents.counts, priors, random_state)
        learned: Learned | None = None
        records: list[TraceRecord] = []
        converged = False
        with Workers(check.count_threads(self.n_jobs)) as workers:
            loop = self._loop(documents, priors, start, workers)
            del start  # the loop owns its memory
            try:
                for learned in itertools.islice(loop, self.max_iter):
                    records.append(learned.record)
                    converged = self._stops(records)
                    if converged:
                        break
                if learned is not None and self.learning_method == "online":
                    records.append(_fit.exact_record(documents, priors, learned, self._online_plan(), workers))
            finally:  # an interrupt, too, leaves the topics of the last whole pass
                loop.close()  # and with it every array that only the loop needed
                if learned is not None:
                    self._remember(X, priors, random_state)
                    self._keep(learned, records, documents, priors)
                    self.converged_ = converged
        if not converged and self.tol is not None:
            self._warn_not_converged(records)
        return self

    def partial_fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take online steps on X, a batch of `batch_size` documents at a time, from the topics so far.

        The cost of a step grows with the words of its documents, not with the vocabulary.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        y : object
            Not used; there for pipelines.
        sample_weight : array of shape (n_samples,), optional
            Each document's weight, >= 0.

        Returns
        -------
        self : LatentDirichletAllocation
            The estimator after the steps.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not as described; the estimator is left as it was.
        """
        self._check_parameters()
        first = not self.__sklearn_is_fitted__()
        documents, priors = self._check_learning_input(X, sample_weight, reset=first)
        if first:
            random_state = check_random_state(self.random_state)
            self._rows = DecayingRows(self._start(documents.counts, priors, random_state), priors)
            self.n_samples_seen_, self.n_iter_, self.n_batch_iter_ = 0, 0, 1
            self._remember(X, priors, random_state)
        self.n_samples_seen_ += documents.counts.n_docs
        scale_to = self.n_samples_seen_ if self.total_samples is None else self.total_samples
        with Workers(check.count_threads(self.n_jobs)) as workers:
            for part in documents.parts(self.batch_size):
                rho = learning_rate(self.n_batch_iter_, offset=self.learning_offset, decay=self.learning_decay)
                _fit.online_update(part, priors, self._rows, self._online_plan(), workers, rho=rho, scale_to=scale_to)
                self.n_batch_iter_ += 1
        return self

    def _loop(self, documents: Documents, priors: Priors, start: Floats, workers: Workers) -> Generator[Learned]:
        if self.learning_method == "batch":
            return _fit.fit_batch(documents, priors, start, self._plan(), workers)
        if self.learning_method == "memoized":
            size = max(self.batch_size, -(-documents.counts.n_docs // MEMOIZED_BATCHES))
            return _fit.fit_memoized(documents, priors, start, self._plan(), workers, batch_size=size)
        steps = LearningRate(self.learning_offset, self.learning_decay)
        plan = self._online_plan()
        return _fit.fit_online(documents, priors, start, plan, workers, batch_size=self.batch_size, steps=steps)

    def _plan(self) -> Plan:
        most = self.max_doc_update_iter
        goes_on = self.warm_start and self.__sklearn_is_fitted__()  # then documents settle at once
        return Plan(
            warmup=1 if goes_on else min(WARMUP_PASSES, self.max_iter // 2),
            warmup_sweeps=most if goes_on else min(most, WARMUP_SWEEPS),
            monotone_sweeps=min(most, MONOTONE_SWEEPS),
            most_sweeps=most,
            tol=self.mean_change_tol,
            offset=0.0 if goes_on else WARMUP_OFFSET,
        )

    def _online_plan(self) -> Plan:
        most = self.max_doc_update_iter
        return Plan(0, min(most, ONLINE_SWEEPS), 0, tol=self.mean_change_tol, most_sweeps=most)

    def _start(self, counts: Counts, priors: Priors, random_state: np.random.RandomState) -> Floats:
        """λ that a fit starts from, word-major of shape (V, Kp): the topics so far, or noise around 1."""
        K, dtype = self.n_components, counts.values.dtype
        start = aligned_zeros((counts.n_words, padded(K)), dtype)
        if self.warm_start and self.__sklearn_is_fitted__():
            if self.components_.shape != (K, counts.n_words):
                msg = (
                    f"warm_start=True goes on from topics of shape {self.components_.shape}, but n_components and X make "
                    f"{(K, counts.n_words)}; set warm_start=False to start anew"
                )
                raise ValueError(msg)
            start[:, :K] = self.components_.T
            return start
        generator = np.random.Generator(np.random.PCG64(random_state.randint(0, 2**31 - 1, size=4)))
        for first in range(0, counts.n_words, WORDS_AT_ONCE):  # slice by slice: no second (V, K) array
            rows = start[first : first + WORDS_AT_ONCE]
            rows[:, :K] = 0.8 + 0.4 * generator.random((len(rows), K), dtype=np.float32)  # alike in either precision
        return start

    def _stops(self, records: list[TraceRecord]) -> bool:
        """Print, call back, and say whether the pass just recorded is the last."""
        now = records[-1]
        evaluates = self.evaluate_every > 0 and now.iteration % self.evaluate_every == 0
        if self.verbose:
            perplexity = f", perplexity: {now.perplexity:.4f}" if evaluates else ""
            print(f"iteration: {now.iteration} of max_iter: {self.max_iter}, elbo: {now.elbo:.6g}{perplexity}", flush=True)
        stop = [callback(now) is True for callback in check.check_callbacks(self.callbacks)]
        before = [record for record in records[:-1] if record.phase == now.phase]
        if evaluates and len(before) >= self.evaluate_every:
            stop.append(abs(before[-self.evaluate_every].perplexity - now.perplexity) < self.perp_tol)
        if before and self.tol is not None:
            stop.append(now.phase != "warmup" and relative_gain(before[-1], now) < self.tol)
        return any(stop)

    def _keep(self, learned: Learned, records: list[TraceRecord], documents: Documents, priors: Priors) -> None:
        self._rows = DecayingRows(_fit.all_words(learned, documents.counts.n_words, priors), priors)
        self.elbo_trace_ = to_array(records)
        self.elbo_, self.bound_ = records[-1].elbo, records[-1].perplexity
        self.n_iter_ = learned.record.iteration
        self.n_batch_iter_ = learned.n_updates + 1
        self.n_samples_seen_ = documents.counts.n_docs

    def _remember(self, X: Any, priors: Priors, random_state: np.random.RandomState) -> None:
        validate_data(self, X, skip_check_array=True, reset=True)  # the columns of X
        self._priors, self.random_state_ = priors, random_state
        self.doc_topic_prior_ = self._prior_as_used(self.doc_topic_prior)
        self.topic_word_prior_ = self._prior_as_used(self.topic_word_prior)

    def _prior_as_used(self, prior: Any) -> Any:
        return 1 / self.n_components if prior is None else np.asarray(prior, dtype=np.float64)[()]

    def _warn_not_converged(self, records: list[TraceRecord]) -> None:
        gain = relative_gain(records[-2], records[-1]) if len(records) > 1 else np.inf
        msg = (
            f"The ELBO still rose by {gain:.2g} of itself in pass {self.n_iter_}, the last of max_iter={self.max_iter}; "
            f"tol={self.tol:g} asks for less. Raise max_iter or tol."
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=3)

    def fit_transform(
        self, X: Any, y: object = None, sample_weight: ArrayLike | None = None, *, normalize: bool = True
    ) -> NDArray[Any]:
        """Fit to X, then return what `transform` returns for it.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        y : object
            Not used; there for pipelines.
        sample_weight : array of shape (n_samples,), optional
            Each document's weight, >= 0.
        normalize : bool, default=True
            As for `transform`.

        Returns
        -------
        theta : array of shape (n_samples, n_components)
            E[θ], or γ.
        """
        return self.fit(X, y, sample_weight=sample_weight).transform(X, normalize=normalize)

    def _check_parameters(self) -> None:
        check.check_integer("n_components", self.n_components, least=1)
        for name in ("max_iter", "batch_size", "max_doc_update_iter"):
            check.check_integer(name, getattr(self, name), least=1)
        for name in ("perp_tol", "mean_change_tol", "learning_offset"):
            check.check_number(name, getattr(self, name), least=0)
        check.check_number("learning_decay", self.learning_decay, least=0, most=1)
        if self.tol is not None:
            check.check_number("tol", self.tol, least=0)
        if self.total_samples is not None:
            check.check_number("total_samples", self.total_samples, least=0, above=True)
        check.check_integer("evaluate_every", self.evaluate_every)
        check.check_choice("learning_method", self.learning_method, ("batch", "online", "memoized"))
        check.check_choice("inference", self.inference, ("vb",))
        check.check_callbacks(self.callbacks)
        check.count_threads(self.n_jobs)
        check.check_dtype(self.dtype)

    def _check_learning_input(self, X: Any, sample_weight: Any, *, reset: bool) -> tuple[Documents, Priors]:
        """The documents that weigh something, and priors of their shape; raises before anything has changed."""
        dtype = check.check_dtype(self.dtype) if reset else self._rows.dtype
        matrix = check.check_documents(self, X, dtype=dtype, reset=reset)
        weight = check.check_sample_weight(sample_weight, matrix.shape[0], matrix.dtype)
        priors = check.check_priors(self.doc_topic_prior, self.topic_word_prior, self.n_components, matrix.shape[1])
        if not reset and not priors.equal(self._priors):
            msg = (
                f"n_components={self.n_components} or a prior is not what these topics were begun with "
                f"({self._priors.n_topics} topics); partial_fit needs the same, or fit anew"
            )
            raise ValueError(msg)
        if weight is not None and not weight.all():
            matrix, weight = matrix[np.flatnonzero(weight)], weight[weight > 0]
        if matrix.nnz == 0:
            warnings.warn("X holds no counts (with any weight): the topics will equal their prior", stacklevel=3)
        return Documents(check.to_counts(matrix), weight), priors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32", "float64"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self._priors.n_topics
