"""The scikit-learn estimator: stores and checks parameters, calls the layers below, and sets fitted attributes."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_random_state

from ldavi._core.threads import Workers
from ldavi._estimator import validation as check
from ldavi._estimator import vocabulary_growth
from ldavi._estimator.batched_documents import BatchedDocuments
from ldavi._estimator.checkpointing import FitCheckpoint, check_checkpoint, describe
from ldavi._estimator.convergence import Restart, best_restart
from ldavi._estimator.fit_input import fit_input, partial_fit_input
from ldavi._estimator.fit_record import count_documents, forget_fit_record, weight_seen
from ldavi._estimator.fitted_attributes import store_columns, store_fit
from ldavi._estimator.fitting import FitContext, run_restarts, split_validation, warn_not_converged
from ldavi._estimator.model_protocol import ModelProtocol
from ldavi._estimator.settings import step_size
from ldavi._estimator.starting_topics import initialize, warm_start_of
from ldavi._estimator.topic_editing import TopicEditing
from ldavi._inference.lazy_lambda import LazyLambda
from ldavi._inference.vb_online import OnlineLearner


class LatentDirichletAllocation(TopicEditing, ClassNamePrefixFeaturesOutMixin, ModelProtocol):
    """Latent Dirichlet allocation by mean-field variational inference.

    A drop-in replacement for :class:`sklearn.decomposition.LatentDirichletAllocation`: every parameter, method and
    attribute of that class has the same name and meaning here. There are two exceptions: `score` and `perplexity` leave
    out the term of the topics, and `components_` is read-only. Different defaults are noted.

    Only `fit`, `partial_fit`, the methods that edit topics (`merge_topics`, `remove_topics`, `split_topic`) and
    assignments change a model. Threads may share a fitted model while none of them changes it.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics, K. :func:`ldavi.selection.sweep` compares several.
    doc_topic_prior : float, array of shape (n_components,), "auto", "regression" or None, default="auto"
        α, the Dirichlet prior of the topic proportions of a document. "auto" learns one value per topic: in every
        fifth collapsed pass, from 0.1 (5 / n_components, if that is less and each topic has 10,000 tokens), then in
        every pass of "vb"; online, in every 16th step and after each pass; without collapsed passes, from 0.01. Later
        collapsed passes use values ever nearer to their mean. "regression" learns α as a function of covariates of the
        documents [8]_, α_dk = exp(b_k + c_d · w_k); it needs `learning_method="batch"`, X in memory and `fit(X,
        doc_covariates=C)`. None means 1 / n_components, the default of scikit-learn.
    topic_word_prior : float, array of shape (n_features,) or (n_components, n_features), "auto" or None, default="auto"
        η, the Dirichlet prior of the words of a topic. "auto" learns one value for all words, from 0.05; give a number
        for few documents. None means 1 / n_components, scikit-learn's default, which is a poor choice: it costs about K
        nats for a word that does not occur in a topic. 0 makes the topics point estimates (Blei's unsmoothed EM).
    learning_method : {"batch", "online", "memoized"}, default="batch"
        The algorithm of `fit`. "batch": coordinate ascent over all documents, after a warm-up whose E-steps start from
        scratch. "online": a natural gradient step after every `batch_size` documents [2]_, for corpora too large for
        many passes. "memoized": batches whose statistics are stored and replaced, without a learning rate [4]_.
    learning_decay : float, default=0.7
        κ of the online step size ρ_t = (τ0 + t)^−κ, between 0 and 1. Lower it if the topics of a stream change.
    learning_offset : float, default=10.0
        τ0 of the online step size, >= 0. Larger values give less weight to the first documents.
    max_iter : int, default=1000
        Maximum number of passes of `fit` over the documents; raise it if a fit warns. scikit-learn's default is 10.
    batch_size : int or "auto", default="auto"
        Documents of an online step; larger steps are fewer and less noisy. "auto" chooses the power of two nearest to a
        128th of the documents, from 64 to 4096; in `partial_fit` without `total_samples`, 128, scikit-learn's default.
        "memoized" divides the documents into at most 32 batches of at least this many documents, with "auto" 128.
    evaluate_every : int, default=-1
        With n > 0, `fit` compares the training perplexity every n passes, as scikit-learn does, prints it if `verbose`,
        and stops if it changed by less than `perp_tol`. `tol` is the better criterion.
    total_samples : float or None, default=None
        Documents in the whole corpus, for `partial_fit`; None means those seen so far. The default of scikit-learn is
        1e6. An online `fit` of batches uses it if the source does not declare its number of documents; None counts them
        first.
    perp_tol : float, default=0.1
        See `evaluate_every`.
    mean_change_tol : float, default=1e-3
        The E-step of a document has converged when Σ_k |Δγ_dk| is at most this share of its tokens. Lower it for more
        exact proportions. scikit-learn uses the mean over topics, a looser criterion the more topics there are.
    max_doc_update_iter : int, default=100
        Maximum number of inner iterations of a document's E-step. `fit` uses fewer: 5 in the warm-up, 2 after it, 5
        online.
    n_jobs : int or None, default=None
        Threads, -1 for all cores; the result has the same bits for any number. None means one, as always in a joblib
        worker.
    verbose : int, default=0
        Whether to print a line per pass. The logger "ldavi" of `logging` gets a record per pass (level INFO) in any
        case.
    random_state : int, RandomState instance or None, default=None
        Source of random starts, of the validation set, and of the sampled topics of collapsed passes; a number repeats
        a fit. "vb" with `init="auto"` and `n_collapsed_iter=0` uses none.
    inference : {"vb", "cvb0"}, default="vb"
        "vb" is mean-field variational Bayes, which has a bound. "cvb0" is collapsed variational Bayes of zeroth order
        [5]_: better topics in a multiple of the time, without a bound until the end. `fit` starts with 5 passes of "vb"
        (at most half of `max_iter`); with `init="random"`, with 30 if there are 10,000 tokens or more per topic, else
        with none. Its online steps are those of SCVB0 [6]_.
    init : {"auto", "random"}, array of shape (n_components, n_features) or fitted model, default="auto"
        Initial topics. "auto": the co-occurrence profiles of anchor words [7]_, without random numbers; but random
        topics for online steps without collapsed passes before them, and for priors that differ between topics.
        "random": always random topics, to see how much depends on them. An array or a model: its topics; a fit that
        learns priors continues from those that a model of ldavi has learned. `clone` copies a model with its topics,
        but a search such as `GridSearchCV` clones values of a parameter without them: there, give
        `sklearn.frozen.FrozenEstimator(model)` or an array.
    n_collapsed_iter : int or "auto", default="auto"
        Passes of "cvb0" before those of "vb", which continue from their topics and learned priors. The bound is higher
        and the topics are better than those of "vb" alone. They need about 30 bytes more per stored count (12 bytes on
        disk if X comes in batches). 0 is faster, and uses no random numbers with `init="auto"`. "auto": from 15 to 75
        (120 if documents are short), the fewer tokens there are per topic the more (online: 20), and none with
        `seed_words` or if `topic_word_prior` is 0. Before online steps, they are over half of the documents, or fewer
        of a large corpus, held in memory, and not passes of `max_iter`. There are none in a memoized fit, after a warm
        start, from given topics, and for "cvb0" unless online. With the warm-up, at most half of `max_iter`.
    n_init : int, default=1
        Number of starts of `fit`, random after the first, of which the one with the best objective is kept.
    seed_words : dict or None, default=None
        Words that guide a topic, {topic: [word, ...]}, by column name or number. In that topic, the prior of each is
        increased by 1 % of the tokens of an average topic; `topic_word_prior="auto"` then means 0.05.
    tol : float or None, default=1e-5
        `fit` has converged when each of three passes, which update topics and learned priors, raises the ELBO by less
        than this share of it. For "cvb0": when the mean objective of the last quarter of the collapsed passes exceeds
        that of the quarter before by less than 40 times this share. None runs all `max_iter` passes. Smaller values
        find better topics in more passes. The default is the largest one with which planted topics and priors are
        recovered.
    validation_fraction : float or None, default=None
        Share of the documents that `fit` holds out. Every five passes, it predicts one half of each from the other; it
        stops after `n_iter_no_change` predictions that are no better, and keeps the topics with the best one.
    n_iter_no_change : int, default=3
        See `validation_fraction`.
    callbacks : callable, list of callables or None, default=None
        Called after each pass with its :class:`ldavi.TraceRecord`, to log it; one that returns True stops the fit.
    warm_start : bool, default=False
        Whether `fit` continues from the fitted topics: after `max_iter` was not enough, or for changed documents.
    new_words : {"error", "add"}, default="error"
        What `partial_fit` does with new columns. "add" makes them words of every topic; it matches named columns by
        name, in any order, and others by position. `transform` and the like then match named columns too.
    dtype : {"float32", "float64"} or None, default=None
        Of the computation and the results. None keeps that of X; integer counts are computed in float32, which is twice
        as fast, or in float64 if one exceeds 2^24. float64 has more digits.

    Attributes
    ----------
    components_ : array of shape (n_components, n_features)
        λ, the Dirichlet parameters of the topics' posteriors; expected counts if the topics are point estimates. The
        array is read-only and never changes; to change the topics, assign another one of the same shape.
    topics_ : array of shape (n_components, n_features)
        E[β]: λ with rows normalised to sum 1.
    exp_dirichlet_component_ : array of shape (n_components, n_features)
        exp(E[log β]).
    elbo_ : float
        The evidence lower bound of the training documents, in nats, including all constants. NaN if Ctrl-C ended the
        fit in a pass of "cvb0", which has no bound. `partial_fit`, editing topics and assigning `components_` delete
        it, as well as `elbo_trace_`, `bound_` and `converged_`, since these describe the topics at the end of `fit`.
    elbo_trace_ : structured array of shape (n_passes,)
        One record per pass, of the best of `n_init` starts, with the fields of :class:`ldavi.TraceRecord`.
    bound_ : float
        Training perplexity of the last record, under scikit-learn's name.
    converged_ : bool
        Whether `tol` ended the fit: topics and learned priors have converged.
    doc_topic_prior_ : float or array of shape (n_components,)
        α as used, or as learned; with "regression", that of documents without covariates.
    doc_topic_coef_, doc_topic_intercept_ : arrays of shape (n_covariates, n_components), (n_components,)
        With "regression": w and b. A constant covariate has the coefficient 0.
    doc_covariate_names_ : array of shape (n_covariates,)
        Names of the columns of `doc_covariates`, if they are strings.
    topic_word_prior_ : float or array
        η as used, or as learned.
    n_iter_ : int
        Passes of the last `fit`.
    n_batch_iter_ : int
        Number of the next online step.
    n_samples_seen_ : int
        Documents of a weight > 0 that `fit` and `partial_fit` have seen.
    n_features_in_ : int
        V, the number of columns of X.
    feature_names_in_ : array of shape (n_features,)
        Names of the columns of X, if they are strings.
    vocabulary_ : array of shape (n_features,)
        The words of the columns: `feature_names_in_` if it exists, else words that you assign (an array, or
        {word: column}). They are used wherever `feature_names` is not given, and saved with the model.
    topic_names_ : array of shape (n_components,)
        Names that you assign: one for each topic, or {topic: name} for some. Tables, plots and reports show them.
    random_state_ : RandomState instance
        The generator that was used for the start.

    Notes
    -----
    Counts may be fractions of tokens. They may sum to 1e24 in float32 and 1e30 in float64; priors must be between 1e-10
    and 1e7, or 1e-100 and 1e15. Learned priors need documents of several tokens: a `UserWarning` is given if X holds
    fractions and its rows have Euclidean norm 1, or a median sum below 3, as tf-idf weights do. Then pass counts, or
    ``TfidfTransformer(norm=None)``, or multiply X by a typical number of tokens, or give both priors as numbers.

    See Also
    --------
    ldavi.infer : Inference for documents, given the topics.

    References
    ----------
    .. [1] Blei, Ng, Jordan. "Latent Dirichlet allocation". JMLR 3, 2003.
    .. [2] Hoffman, Blei, Bach. "Online learning for latent Dirichlet allocation". NIPS 2010.
    .. [3] Hoffman, Blei, Wang, Paisley. "Stochastic variational inference". JMLR 14, 2013.
    .. [4] Hughes, Sudderth. "Memoized online variational inference for Dirichlet process mixture models". NIPS 2013.
    .. [5] Asuncion, Welling, Smyth, Teh. "On smoothing and inference for topic models". UAI 2009.
    .. [6] Foulds, Boyles, DuBois, Smyth, Welling. "Stochastic collapsed variational Bayesian inference for latent
       Dirichlet allocation". KDD 2013.
    .. [7] Arora, Ge, Halpern, Mimno, Moitra, Sontag, Wu, Zhu. "A practical algorithm for topic modeling with provable
       guarantees". ICML 2013.
    .. [8] Mimno, McCallum. "Topic models conditioned on arbitrary features with Dirichlet-multinomial regression". UAI
       2008.

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
        doc_topic_prior: float | ArrayLike | Literal["auto", "regression"] | None = "auto",
        topic_word_prior: float | ArrayLike | Literal["auto"] | None = "auto",
        learning_method: Literal["batch", "online", "memoized"] = "batch",
        learning_decay: float = 0.7,
        learning_offset: float = 10.0,
        max_iter: int = 1000,
        batch_size: int | Literal["auto"] = "auto",
        evaluate_every: int = -1,
        total_samples: float | None = None,
        perp_tol: float = 1e-1,
        mean_change_tol: float = 1e-3,
        max_doc_update_iter: int = 100,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
        inference: Literal["vb", "cvb0"] = "vb",
        init: Any = "auto",
        n_collapsed_iter: int | Literal["auto"] = "auto",
        n_init: int = 1,
        seed_words: Any = None,
        tol: float | None = 1e-5,
        validation_fraction: float | None = None,
        n_iter_no_change: int = 3,
        callbacks: Any = None,
        warm_start: bool = False,
        new_words: Literal["error", "add"] = "error",
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
        self.n_collapsed_iter = n_collapsed_iter
        self.n_init = n_init
        self.seed_words = seed_words
        self.tol = tol
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.new_words = new_words
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        *,
        doc_covariates: Any = None,
        checkpoint: Any = None,
    ) -> Self:
        """Learn the topics of X.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features), or iterable of such
            Counts, documents × words. An iterable (a list of matrices, :func:`ldavi.io.open_counts`, an object of your
            own) is read in every pass, with a few batches in memory at a time. Between passes, the state of the
            documents is in a temporary file: γ of "vb", the assignments of counts of "cvb0". Online fits have no such
            state; they divide each batch into steps of `batch_size` documents.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array of shape (n_samples,), optional
            The weight of each document, >= 0: a weight of 2 counts the document twice, a weight of 0 leaves it out. Up
            to rounding, the result is that of documents repeated as often, with three exceptions. (1)
            Steps of "online" and batches of "memoized" have `batch_size` documents whatever their weights, and repeated
            documents are divided into more of them. (2) Passes of "cvb0", and updates of η in "online", sample the
            topics of each document, so copies have samples of their own. (3) `validation_fraction` is a share of the
            documents, and copies may be on both sides. Not supported for batches.
        doc_covariates : array-like or DataFrame of shape (n_samples, n_covariates), optional
            With `doc_topic_prior="regression"`: numbers that topics depend on, such as years or indicators of sources.
        checkpoint : ldavi.io.Checkpoint, optional
            Saves the state of the fit to a file every few minutes. After a crash, the same call resumes from there and
            ends with the same bits as a fit that was not interrupted.

        Returns
        -------
        self : LatentDirichletAllocation
            The fitted estimator. Ctrl-C leaves it fitted with the topics of the last complete pass.

        Raises
        ------
        ValueError, TypeError
            If a parameter, X or the checkpoint is not valid. After any error, an estimator that was fitted before is
            left unchanged; another one has the topics of the last complete pass, if there was one.
        """
        given = warm_start_of(self)
        settings = check.check_parameters(self, is_warm=given is not None)
        documents, priors = fit_input(self, X, sample_weight, doc_covariates, settings, given)
        fit_checkpoint = None
        if checkpoint is not None:
            description = describe(self.get_params(deep=False), documents, given)
            file = check_checkpoint(checkpoint)
            fit_checkpoint = FitCheckpoint(file, description, settings, documents)
        random_state = check_random_state(self.random_state)
        if fit_checkpoint is not None:
            random_state = fit_checkpoint.random_state(random_state, given=self.random_state is not None)
        to_fit, validation_set = split_validation(documents, self.validation_fraction, random_state)
        init, restarts = given or self.init, list[Restart]()
        online = settings.learning_method == "online" and not settings.starts_on_part
        starts = (
            initialize(to_fit, priors, random_state, init=init, online=online, is_restart=number > 0)
            for number in range(settings.n_init)
        )
        with Workers(settings.n_threads) as workers:
            try:
                context = FitContext(settings, to_fit, workers, fit_checkpoint, validation_set)
                run_restarts(context, starts, restarts, keep_after_error=not self.__sklearn_is_fitted__())
            finally:  # an interrupt, too, leaves the topics of the last complete pass
                best = best_restart(restarts)
                if best is not None:
                    fitted = copy(self)  # so that an interrupt leaves either all attributes or none
                    columns = documents.first if isinstance(documents, BatchedDocuments) else X
                    store_columns(fitted, columns, random_state)
                    store_fit(fitted, best, to_fit)
                    self.__dict__ = fitted.__dict__
        assert best is not None  # else an exception has been raised
        warn_not_converged(settings, best.monitor)
        return self

    def partial_fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take online steps from the fitted topics, each on `batch_size` documents of X.

        The cost of a step depends on the words of its documents, not on the size of the vocabulary. `elbo_`,
        `elbo_trace_`, `bound_` and `converged_` of an earlier `fit` are deleted.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words; see `new_words` for new columns.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array of shape (n_samples,), optional
            The weight of each document, >= 0, as for `fit`.

        Returns
        -------
        self : LatentDirichletAllocation
            The estimator after the steps.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X is not valid; the estimator is left unchanged.
        """
        settings = replace(check.check_parameters(self), learning_method="online", n_collapsed_iter=0)
        is_first = not self.__sklearn_is_fitted__()
        documents, priors = partial_fit_input(self, X, sample_weight, settings)
        if is_first:
            random_state = check_random_state(self.random_state)
            start = initialize(documents, priors, random_state, init=warm_start_of(self) or self.init, online=True)
            self._lambda, self._mean_log_theta = LazyLambda(start.lam(), priors), None
            self.n_samples_seen_, self.n_iter_, self.n_batch_iter_ = 0, 0, 1
            store_columns(self, X, random_state)
        self._priors = priors
        vocabulary_growth.add_words(self, X, documents.n_words)
        count_documents(self, documents)
        total_weight = weight_seen(self) if self.total_samples is None else self.total_samples
        counters = self.n_batch_iter_ - 1, getattr(self, "_mean_log_theta", None)
        learner = OnlineLearner(self._lambda, self._priors, settings.online_settings(), total_weight, *counters)
        forget_fit_record(self)
        with Workers(settings.n_threads) as workers:
            for part in documents.parts(step_size(self.batch_size, self.total_samples)):
                learner.update(part, workers, rho=settings.rate.of_step(self.n_batch_iter_))
                self.n_batch_iter_ = learner.n_updates + 1
                self._priors, self._mean_log_theta = learner.priors, learner.mean_log_theta
        self._show_priors()
        return self

    def _two_topic_model(self, **parameters: Any) -> LatentDirichletAllocation:
        return LatentDirichletAllocation(2, **parameters)

    def fit_transform(
        self,
        X: Any,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        *,
        normalize: bool = True,
        doc_covariates: Any = None,
    ) -> NDArray[Any]:
        """Fit to X, then return what `transform` returns for it.

        Parameters
        ----------
        X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
            Counts, documents × words.
        y : object
            Ignored; present for compatibility with pipelines.
        sample_weight : array of shape (n_samples,), optional
            The weight of each document, >= 0.
        normalize : bool, default=True
            As for `transform`.
        doc_covariates : array-like of shape (n_samples, n_covariates), optional
            As for `fit` and `transform`.

        Returns
        -------
        theta : array of shape (n_samples, n_components)
            E[θ], or γ.

        Raises
        ------
        ValueError, TypeError
            As `fit` does, and if X comes in batches: call `fit`, and `transform` for each batch.
        """
        if check.is_source(X):  # which `fit` would accept, and `transform` refuse after the fit
            check.check_counts(X, dtype=None, name=type(self).__name__)
        fitted = self.fit(X, y, sample_weight=sample_weight, doc_covariates=doc_covariates)
        return fitted.transform(X, normalize=normalize, doc_covariates=doc_covariates)
