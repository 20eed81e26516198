"""The scikit-learn estimator: stores, validates, calls the floors below, sets attributes. No mathematics."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ldavi._core.corpus import Documents
from ldavi._core.records import Priors
from ldavi._core.threads import Workers
from ldavi._estimator import schedule, vocabulary_growth
from ldavi._estimator import validation as check
from ldavi._estimator.batched_corpus import Batches, check_source
from ldavi._estimator.checkpointing import Keeper
from ldavi._estimator.fitting import learn, warn_not_converged
from ldavi._estimator.prediction import FittedTopics
from ldavi._estimator.schedule import Run
from ldavi._inference import initialization
from ldavi._inference.m_step import LazyLambda, learning_rate
from ldavi._inference.trace import to_array
from ldavi._inference.vb_batch import all_words
from ldavi._inference.vb_online import Online


class LatentDirichletAllocation(FittedTopics, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Latent Dirichlet allocation by mean-field variational inference.

    A drop-in for :class:`sklearn.decomposition.LatentDirichletAllocation`: every parameter, method and attribute of that
    class is here under its name and with its meaning. Defaults differ where noted.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K.
    doc_topic_prior : float, array of shape (n_components,), "auto" or None, default="auto"
        α, the Dirichlet prior of a document's topics. "auto" learns one for each topic, from 0.1, once the warm-up is
        over; online, every 16th step; from 5 / n_components, if that is less, where a collapsed fit begins with passes
        of VB. Its later passes visit documents with values ever nearer to their mean. None means 1 / n_components,
        which is scikit-learn's default.
    topic_word_prior : float, array of shape (n_features,) or (n_components, n_features), "auto" or None, default="auto"
        η, the Dirichlet prior of a topic's words. "auto" learns one for all words, from 0.05. None means 1 / n_components,
        which is scikit-learn's default and a bad one: a word not seen under a topic then costs about K nats. 0 makes the
        topics point estimates (Blei's unsmoothed EM) in place of posteriors.
    learning_method : {"batch", "online", "memoized"}, default="batch"
        How `fit` learns. "batch": coordinate ascent over all documents, after a warm-up that starts each visit afresh.
        "online": a natural gradient step after every `batch_size` documents [2]_. "memoized": batches whose statistics
        are kept and replaced, without a learning rate [4]_.
    learning_decay : float, default=0.7
        κ of the online step size ρ_t = (τ0 + t)^−κ, between 0 and 1.
    learning_offset : float, default=10.0
        τ0 of the online step size, >= 0.
    max_iter : int, default=1000
        Passes over the documents in `fit`, at most. scikit-learn's default is 10.
    batch_size : int or "auto", default="auto"
        Documents of an online step. "auto" makes some 128 steps of a pass: the power of two nearest to a 128th of the
        documents, from 64 to 4096; in `partial_fit` it is 128 where `total_samples` is not given. scikit-learn's default is
        128. "memoized" cuts a lap in at most 32 batches of at least this many documents, by "auto" 128.
    evaluate_every : int, default=-1
        With n > 0, `fit` compares the training perplexity every n passes, prints it if `verbose`, and stops where it
        changed by less than `perp_tol`.
    total_samples : float or None, default=None
        Documents in the whole corpus, for `partial_fit`. None means those seen so far; scikit-learn's default is 1e6. An
        online `fit` of batches whose number of documents is not known takes it, too; None has them counted first.
    perp_tol : float, default=0.1
        See `evaluate_every`.
    mean_change_tol : float, default=1e-3
        A document's visit ends when Σ_k |Δγ_dk| is at most this share of its tokens. scikit-learn takes the mean over
        topics, which loosens as their number grows.
    max_doc_update_iter : int, default=100
        Sweeps over a document in one visit, at most. Visits of a fit make fewer: 5 in the warm-up, 2
        after it, 5 online.
    n_jobs : int or None, default=None
        Threads; None means one, -1 all cores, and inside a joblib worker it is always one. The result has the same bits
        for every number.
    verbose : int, default=0
        Print a line per pass.
    random_state : int, RandomState instance or None, default=None
        Draws random starts, the documents set aside, and topics in passes of "cvb0". "vb" with `init="auto"` draws none.
    inference : {"vb", "cvb0"}, default="vb"
        "vb" is mean-field variational Bayes, with a bound. "cvb0" is collapsed variational Bayes of zeroth order [5]_: better
        topics from more passes, and no bound on the way; `fit` begins with 5 passes of "vb" (half of `max_iter` at most;
        with `init="random"` 30 where each topic has 10,000 tokens or more, else none). Its online steps are those of
        SCVB0 [6]_.
    init : {"auto", "random", "cvb0"}, array of shape (n_components, n_features) or fitted model, default="auto"
        Where the topics start. "auto" starts `fit` at what stands with words that keep as different company as can be
        (anchor words [7]_), which needs no random numbers; but at random where it learns online, or where priors tell topics
        apart. "cvb0" starts where "auto" does, but "vb" goes on from 20 passes of "cvb0" (half of `max_iter` at most, none
        after a warm start): a higher bound and, mostly, better topics, for some 30 bytes more a stored count; for
        `learning_method="batch"` and X in memory. Or at random always, or at the topics of an array or of a model (ours or
        scikit-learn's).
    n_init : int, default=1
        Starts of `fit`, those after the first at random; the one with the best objective is kept.
    seed_words : dict or None, default=None
        Words that should belong to a topic, {topic: [word, ...]}: names of columns, or their numbers. Each gets a prior of
        1 % of an average topic's tokens there, on top of `topic_word_prior`; with seeds, "auto" is 0.05.
    tol : float or None, default=1e-4
        `fit` has converged when a pass raises the ELBO by less than this share of it; for "cvb0", when the last quarter of
        the collapsed passes has an objective higher than the quarter before by less than three times this share. None makes
        all `max_iter` passes.
    validation_fraction : float or None, default=None
        Share of the documents that `fit` sets aside. Every five passes it predicts one half of each from the other; it keeps
        the topics that do so best, and stops after `n_iter_no_change` such checks without a better one.
    n_iter_no_change : int, default=3
        See `validation_fraction`.
    callbacks : callable, list of callables or None, default=None
        Called after each pass with its :class:`ldavi.TraceRecord`; one that returns True stops the fit.
    warm_start : bool, default=False
        Whether `fit` goes on from the topics it has instead of from random ones.
    new_words : {"error", "add"}, default="error"
        What `partial_fit` does with columns that it has not seen: with "add", columns that have names are matched by them, in
        any order, and others by their place; new ones become words of every topic.
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
        A record per pass with the fields of :class:`ldavi.TraceRecord`; `elbo_trace_["elbo"]` is the bound. Of the best of
        `n_init` starts.
    bound_ : float
        Training perplexity of the last record, under the name that scikit-learn gives it.
    converged_ : bool
        Whether a tolerance ended the fit, or a callback.
    doc_topic_prior_ : float or array of shape (n_components,)
        α as used, or as learned.
    topic_word_prior_ : float or array
        η as used, or as learned.
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
    .. [5] Asuncion, Welling, Smyth, Teh. "On smoothing and inference for topic models". UAI 2009.
    .. [6] Foulds, Boyles, DuBois, Smyth, Welling. "Stochastic collapsed variational Bayesian inference for latent Dirichlet
       allocation". KDD 2013.
    .. [7] Arora, Ge, Halpern, Mimno, Moitra, Sontag, Wu, Zhu. "A practical algorithm for topic modeling with provable
       guarantees". ICML 2013.

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
        doc_topic_prior: float | str | ArrayLike | None = "auto",
        topic_word_prior: float | str | ArrayLike | None = "auto",
        learning_method: str = "batch",
        learning_decay: float = 0.7,
        learning_offset: float = 10.0,
        max_iter: int = 1000,
        batch_size: int | str = "auto",
        evaluate_every: int = -1,
        total_samples: float | None = None,
        perp_tol: float = 1e-1,
        mean_change_tol: float = 1e-3,
        max_doc_update_iter: int = 100,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        inference: str = "vb",
        init: Any = "auto",
        n_init: int = 1,
        seed_words: Any = None,
        tol: float | None = 1e-4,
        validation_fraction: float | None = None,
        n_iter_no_change: int = 3,
        callbacks: Any = None,
        warm_start: bool = False,
        new_words: str = "error",
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
        self.init = init
        self.n_init = n_init
        self.seed_words = seed_words
        self.tol = tol
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.new_words = new_words
        self.dtype = dtype

    def fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None, *, checkpoint: Any = None) -> Self:
        """Learn the topics of X.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), or iterable of such
            Counts, documents × words. An iterable that can be gone through again (a list of matrices,
            :func:`ldavi.io.open_counts`, an object of yours) is read a batch at a time and never held whole, with
            inference="vb" (but init="cvb0") or learning_method="online"; online, each batch is cut into steps of `batch_size`
            documents.
        y : object
            Not used; there for pipelines.
        sample_weight : array of shape (n_samples,), optional
            Each document's weight, >= 0: a weight of 2 is worth the document twice. Not offered with batches.
        checkpoint : ldavi.io.Checkpoint, optional
            Keeps the fit in a file every few minutes. The same call, made again after a crash, goes on from there and ends
            with the bits of a fit that was not interrupted.

        Returns
        -------
        self : LatentDirichletAllocation
            The fitted estimator. Ctrl-C leaves it fitted with the topics of the last whole pass.

        Raises
        ------
        ValueError, TypeError
            If a parameter, X or the checkpoint is not as described; an estimator fitted before is left as it was, unless the
            fault is in a batch that a later pass was the first to see.
        """
        check.check_parameters(self)
        documents: Documents | Batches
        if check.is_source(X):
            documents, priors = check_source(self, X, sample_weight)
        else:
            documents, priors = self._check_learning_input(X, sample_weight, reset=True)
        keeper = Keeper(self, documents, checkpoint)
        random_state = keeper.random_state(self.random_state)
        documents, held_out = schedule.set_aside(documents, self.validation_fraction, random_state)
        runs: list[Run] = []
        with Workers(check.count_threads(self.n_jobs)) as workers:
            try:
                online = self.learning_method == "online"
                for number in range(self.n_init):
                    runs.append(Run())
                    start = schedule.start_of(self, documents, priors, random_state, online=online, again=number > 0)
                    learn(self, runs[-1], documents, priors, held_out, start, workers, keeper)
            finally:  # an interrupt, too, leaves the topics of the last whole pass
                whole = [run for run in runs if run.learned is not None]
                if whole:
                    best = max(whole, key=lambda run: run.progress.reached)
                    self._remember(documents.first if isinstance(documents, Batches) else X, random_state)
                    self._keep(best, documents)
        if not self.converged_ and self.tol is not None:
            warn_not_converged(self, best.progress)
        return self

    def partial_fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take online steps on X, a batch of `batch_size` documents at a time, from the topics so far.

        The cost of a step grows with the words of its documents, not with the vocabulary.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words; see `new_words` for columns that were not there before.
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
        check.check_parameters(self)
        first = not self.__sklearn_is_fitted__()
        documents, priors = self._check_learning_input(X, sample_weight, reset=first)
        if first:
            random_state = check_random_state(self.random_state)
            self._priors, self._mean_log_theta = priors, None
            self._rows = LazyLambda(schedule.start_of(self, documents, priors, random_state, online=True).lam(), priors)
            self.n_samples_seen_, self.n_iter_, self.n_batch_iter_ = 0, 0, 1
            self._remember(X, random_state)
        vocabulary_growth.add_words(self, X, documents.counts.n_words)
        self.n_samples_seen_ += documents.counts.n_docs
        scale_to = self.n_samples_seen_ if self.total_samples is None else self.total_samples
        steps = self.n_batch_iter_ - 1, getattr(self, "_mean_log_theta", None)
        online = Online(self._rows, self._priors, schedule.online_plan(self), scale_to, *steps)
        with Workers(check.count_threads(self.n_jobs)) as workers:
            for part in documents.parts(schedule.step_size(self.batch_size, self.total_samples)):
                rho = learning_rate(self.n_batch_iter_, offset=self.learning_offset, decay=self.learning_decay)
                online.update(part, workers, rho=rho)
                self.n_batch_iter_ = online.n_updates + 1
                self._priors, self._mean_log_theta = online.priors, online.mean_log_theta
        self._show_priors()
        return self

    def _keep(self, run: Run, documents: Documents | Batches) -> None:
        learned, records = run.learned, run.progress.records
        assert learned is not None
        self._priors, self._mean_log_theta = learned.priors, None
        self._rows = LazyLambda(all_words(learned, documents.n_words), learned.priors)
        self._show_priors()
        self.elbo_trace_ = to_array(records)
        self.elbo_, self.bound_ = records[-1].elbo, records[-1].perplexity
        self.converged_ = run.progress.converged
        self.n_iter_ = records[-1].iteration
        self.n_batch_iter_ = learned.n_updates + 1
        self.n_samples_seen_ = documents.n_read

    def _remember(self, X: Any, random_state: np.random.RandomState) -> None:
        validate_data(self, X, skip_check_array=True, reset=True)  # the columns of X
        self.random_state_ = random_state

    def _show_priors(self) -> None:
        for name, learned in (("doc_topic_prior", self._priors.alpha), ("topic_word_prior", self._priors.eta)):
            given = getattr(self, name)
            used: Any = learned
            if given is None:
                used = 1 / self.n_components
            elif schedule.is_auto(given):
                used = (
                    learned.copy()
                    if learned.ndim == 1
                    else learned.T.copy()
                    if learned.size > 1
                    else float(learned[0, 0])
                )
            else:
                used = np.asarray(given, dtype=np.float64)[()]
            setattr(self, f"{name}_", used)

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

    def _check_learning_input(self, X: Any, sample_weight: Any, *, reset: bool) -> tuple[Documents, Priors]:
        """The documents that weigh something, and priors of their shape; raises before anything has changed."""
        dtype = check.check_dtype(self.dtype) if reset else self._rows.dtype
        matrix = vocabulary_growth.check_documents(self, X, dtype=dtype, reset=reset)
        weight = check.check_sample_weight(sample_weight, matrix.shape[0], matrix.dtype)
        priors = check.check_priors(self.doc_topic_prior, self.topic_word_prior, self.n_components, matrix.shape[1])
        if reset and self.warm_start and self.__sklearn_is_fitted__():
            priors = check.learned_before(self._priors, priors, self.doc_topic_prior, self.topic_word_prior)
        if not reset:
            of_words = (
                self.topic_word_prior if self.seed_words is None else "auto"
            )  # the seeds' share came from the first X
            priors = check.kept_priors(self._priors, priors, self.doc_topic_prior, of_words)
        if weight is not None and not weight.all():
            matrix, weight = matrix[np.flatnonzero(weight)], weight[weight > 0]
        if matrix.nnz == 0:
            warnings.warn("X holds no counts (with any weight): the topics will equal their prior", stacklevel=3)
        documents = Documents(check.to_counts(matrix), weight)
        if self.seed_words is not None and reset:
            seeds = initialization.seeded_columns(
                self.seed_words, self.n_components, matrix.shape[1], check.column_names(X)
            )
            priors = initialization.with_seeds(
                priors, seeds, documents.total(documents.counts.doc_tokens), matrix.shape[1]
            )
        check.check_collapsed(self, priors)
        return documents, priors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32", "float64"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self._priors.n_topics
