"""Settings of a fit: made from an estimator once, and all that the layers below know of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ldavi._core.documents import DocumentSource
from ldavi._estimator.starting_topics import Initialization, InitializationKind
from ldavi._inference.cvb0 import Cvb0Settings
from ldavi._inference.passes import PassSettings
from ldavi._inference.trace import TraceRecord
from ldavi._inference.vb_online import LearningRate

WARMUP_PASSES = {"random": 10, "anchor words": 5}  # by initialization; at most half of max_iter
VB_BEFORE_CVB0 = {"random": 30, "anchor words": 5}  # passes of VB that precede collapsed ones; at most half of them
# Collapsed passes before the ascent of VB: c / √(tokens per topic), since topics with few tokens need more passes.
COLLAPSED_PASSES, MIN_COLLAPSED_PASSES, MAX_COLLAPSED_PASSES = 5600, 15, 75
SHORT_DOCUMENT = 20  # tokens, in the mean: topics of shorter documents separate only while counts are drawn as a whole
PASSES_OVER_SHORT_DOCUMENTS = 1.6  # times as many collapsed passes
PASSES_ON_PART = 20  # collapsed passes over a part of the documents, before online steps
WARMUP_INNER_ITER = 5
WARMUP_DIGAMMA_OFFSET = 0.5
MONOTONE_INNER_ITER = 2
ONLINE_INNER_ITER = 5
EXACT_BOUND_INNER_ITER = 20  # of collapsed fits, whose topics depend little on γ
STEPS_PER_PASS = 128  # of an online fit, about
MIN_STEP, MAX_STEP = 2**6, 2**12  # documents
DEFAULT_STEP = 128  # documents, if the size of the corpus is not known; the minimum of a memoized batch
MAX_MEMOIZED_BATCHES = 32  # each stores statistics of its words
MANY_TOKENS = 10_000  # per topic; with fewer, VB from random topics is a worse start for collapsed passes than none
LEARN_FROM = 20  # first collapsed pass that updates priors, from random topics; at most half of the passes
LEARN_FROM_WITH_TOPICS = 5  # the same from anchor words or given topics
VALIDATE_EVERY = 5  # passes


class Parameters(Protocol):
    """The parameters of an estimator, as scikit-learn stores them."""

    n_components: int
    doc_topic_prior: float | str | ArrayLike | None
    topic_word_prior: float | str | ArrayLike | None
    learning_method: str
    learning_decay: float
    learning_offset: float
    max_iter: int
    batch_size: int | str
    evaluate_every: int
    total_samples: float | None
    perp_tol: float
    mean_change_tol: float
    max_doc_update_iter: int
    n_jobs: int | None
    verbose: int
    random_state: int | np.random.RandomState | None
    inference: str
    init: Any
    n_collapsed_iter: int | str
    n_init: int
    seed_words: Any
    tol: float | None
    validation_fraction: float | None
    n_iter_no_change: int
    callbacks: Any
    warm_start: bool
    new_words: str
    dtype: DTypeLike | None


Callback = Callable[[TraceRecord], object]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Validated settings of a fit; the attributes are those of the estimator of the same name.

    Attributes
    ----------
    n_collapsed_iter : int or None
        Collapsed passes before those of batch VB, or before online steps; None for a number by the size of the corpus.
    learn_alpha, learn_eta : bool
        Whether priors are learned; η is not if seed words make it differ between topics.
    callbacks : tuple of callable
    n_threads : int
    """

    learning_method: Literal["batch", "online", "memoized"]
    inference: Literal["vb", "cvb0"]
    n_collapsed_iter: int | None
    n_init: int
    n_components: int
    max_iter: int
    batch_size: int | Literal["auto"]
    rate: LearningRate
    learn_alpha: bool
    learn_eta: bool
    mean_change_tol: float
    max_doc_update_iter: int
    tol: float | None
    evaluate_every: int
    perp_tol: float
    validation_fraction: float | None
    n_iter_no_change: int
    verbose: bool
    callbacks: tuple[Callback, ...]
    n_threads: int

    @property
    def runs_cvb0(self) -> bool:
        """Whether the fit has collapsed passes."""
        return self.inference == "cvb0" or self.n_collapsed_iter != 0

    def n_before_ascent(self, documents: DocumentSource, start: Initialization) -> int:
        """Return the passes that precede batch VB, the VB passes before collapsed ones included."""
        n_passes = self.n_collapsed_iter
        if n_passes == 0:
            return 0
        if n_passes is None:
            wanted = COLLAPSED_PASSES / math.sqrt(max(documents.n_tokens, 1.0) / self.n_components)
            factor = PASSES_OVER_SHORT_DOCUMENTS if _has_short_documents(documents) else 1
            n_passes = round(factor * min(max(wanted, MIN_COLLAPSED_PASSES), MAX_COLLAPSED_PASSES))
        return min(n_passes + self._vb_before_cvb0(documents, start), self.max_iter // 2)

    @property
    def starts_on_part(self) -> bool:
        """Return whether an online fit finds its initial topics by passes over a part of the documents."""
        return self.learning_method == "online" and self.n_collapsed_iter != 0

    def n_on_part(self, documents: DocumentSource, start: Initialization) -> int:
        """Return the passes over a part of the documents that find initial topics for an online fit."""
        if not self.starts_on_part:
            return 0
        n_passes = PASSES_ON_PART if self.n_collapsed_iter is None else self.n_collapsed_iter
        return n_passes + self._vb_before_cvb0(documents, start)

    def pass_settings(self, kind: InitializationKind) -> PassSettings:
        """Return the settings of batch or memoized passes; given topics let documents converge in the first pass."""
        max_inner_iter, is_warm = self.max_doc_update_iter, kind == "given"
        return PassSettings(
            n_warmup=1 if is_warm else min(WARMUP_PASSES[kind], self.max_iter // 2),
            warmup_inner_iter=max_inner_iter if is_warm else min(max_inner_iter, WARMUP_INNER_ITER),
            monotone_inner_iter=min(max_inner_iter, MONOTONE_INNER_ITER),
            max_inner_iter=max_inner_iter,
            tol=self.mean_change_tol,
            digamma_offset=0.0 if is_warm else WARMUP_DIGAMMA_OFFSET,
            learn_alpha=self.learn_alpha,
            learn_eta=self.learn_eta,
        )

    def online_settings(self) -> PassSettings:
        """Return the settings of online steps: those of a warm-up without end, whose steps are those of SCVB0."""
        return PassSettings(
            n_warmup=0,
            warmup_inner_iter=min(self.max_doc_update_iter, ONLINE_INNER_ITER),
            monotone_inner_iter=0,
            max_inner_iter=self.max_doc_update_iter,
            tol=self.mean_change_tol,
            digamma_offset=WARMUP_DIGAMMA_OFFSET,
            learn_alpha=self.learn_alpha,
            learn_eta=self.learn_eta,
        )

    def n_vb_before_cvb0(self, documents: DocumentSource, start: Initialization, n_passes: int) -> int:
        """Return the number of VB passes that precede collapsed ones, out of `n_passes` of both."""
        return min(self._vb_before_cvb0(documents, start), n_passes // 2)

    def cvb0_settings(self, documents: DocumentSource, start: Initialization, n_passes: int) -> Cvb0Settings:
        """Return the settings of collapsed passes, out of `n_passes` including the VB passes that precede them."""
        has_topics, n_vb = start.kind != "random", self.n_vb_before_cvb0(documents, start, n_passes)
        learn_from = LEARN_FROM_WITH_TOPICS if has_topics else LEARN_FROM
        return Cvb0Settings(
            seed=start.seed,
            has_topics=has_topics,
            after_vb=n_vb > 0,
            limits_alpha=self._has_many_tokens(documents) and not start.is_warm,
            learn_alpha=self.learn_alpha,
            learn_eta=self.learn_eta,
            learn_from=max(1, min(learn_from, (n_passes - n_vb) // 2)),
            n_passes=n_passes - n_vb,
            has_short_documents=_has_short_documents(documents),
        )

    def step_size(self, n_docs: float) -> int:
        """Return the number of documents of an online step; other fits use it to sum documents in parts."""
        return step_size(self.batch_size, n_docs if self.learning_method == "online" else None)

    def memoized_batch_size(self, n_docs: int) -> int:
        """Return the number of documents of a batch of a memoized fit in memory."""
        return max(self.step_size(n_docs), -(-n_docs // MAX_MEMOIZED_BATCHES))

    def exact_bound_inner_iter(self) -> int:
        """Return the maximum of inner iterations per document for the exact bound."""
        is_online = self.learning_method == "online" and self.inference == "vb"
        return self.max_doc_update_iter if is_online else min(EXACT_BOUND_INNER_ITER, self.max_doc_update_iter)

    def _vb_before_cvb0(self, documents: DocumentSource, start: Initialization) -> int:
        """Return how many VB passes are a good start for collapsed ones; given topics need none."""
        if start.is_warm or (start.kind == "random" and not self._has_many_tokens(documents)):
            return 0
        return VB_BEFORE_CVB0[start.kind]

    def _has_many_tokens(self, documents: DocumentSource) -> bool:
        return documents.n_tokens >= MANY_TOKENS * self.n_components


def is_auto(prior: object) -> bool:
    """Return whether a prior is learned."""
    return isinstance(prior, str) and prior == "auto"


def is_regression(doc_topic_prior: object) -> bool:
    """Return whether the prior of the topics of a document depends on covariates."""
    return isinstance(doc_topic_prior, str) and doc_topic_prior == "regression"


def is_zero(prior: Any) -> bool:
    """Return whether a prior is the number 0, which requests point estimates of the topics."""
    return not isinstance(prior, (bool, str)) and np.ndim(prior) == 0 and prior == 0


def _has_short_documents(documents: DocumentSource) -> bool:
    return documents.mean_length < SHORT_DOCUMENT


def step_size(batch_size: int | str, n_docs: float | None) -> int:
    """Return the documents of an online step: `batch_size`, or by the size of the corpus if it is "auto".

    A few steps leave topics close to their start, and many small ones are noisy; some hundred serve a corpus of any
    size. A power of two divides the batches that documents may come in.

    Parameters
    ----------
    batch_size : int or "auto"
    n_docs : float or None
        In the whole corpus, if that is known.
    """
    if not isinstance(batch_size, str):
        return batch_size
    if n_docs is None:
        return DEFAULT_STEP
    nearest = 1 << round(math.log2(max(1.0, n_docs / STEPS_PER_PASS)))
    return min(max(nearest, MIN_STEP), MAX_STEP)
