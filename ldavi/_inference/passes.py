"""What the inference engines have in common: settings of a pass, its result, and its record.

An engine is a *phase* of a fit. It has a typed state with everything that the next pass depends on, and a generator of
passes that yields the state and a record after each. Stopping, printing and warning are the caller's responsibility.
Equation numbers refer to docs/math.md.
"""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.records import Priors, Topics, aligned_zeros
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int64s
from ldavi._inference import elbo
from ldavi._inference.e_step import EStepResult, EStepSettings
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.trace import TraceRecord, predictive_record, record

Saved = Mapping[str, Any]  # arrays and plain values of a saved state, read from a file


@dataclass(frozen=True, slots=True)
class PassSettings:
    """Settings of the variational passes of one phase.

    Attributes
    ----------
    n_warmup : int
        First passes of the phase, in each of which γ starts from α + N_d / K. This acts as annealing, equation (15.1):
        with γ of the previous pass, documents converge to a poor optimum from topics that are still changing.
    warmup_inner_iter, monotone_inner_iter : int
        Maximum number of inner iterations per document, during and after the warm-up. Online steps use the former.
    tol : float
        The E-step of a document ends when Σ_k |Δγ_dk| ≤ tol · N_d. Equation (14.1).
    max_inner_iter : int
        Maximum number of inner iterations where a document has to converge.
    digamma_offset : float
        δ of the warm-up, section 15: exp ψ(x + ½) ≈ x, so small counts are not penalised.
    learn_alpha, learn_eta : bool
        Whether α is set to the maximum of the bound, and a symmetric η moved towards it. Equations (19.8), (19.9).
    """

    n_warmup: int
    warmup_inner_iter: int
    monotone_inner_iter: int
    tol: float
    max_inner_iter: int = 100
    digamma_offset: float = 0.0
    learn_alpha: bool = False
    learn_eta: bool = False

    def is_warmup(self, t: int) -> bool:
        """Return whether pass t of the phase, counted from 1, belongs to the warm-up."""
        return t <= self.n_warmup

    def learns_after(self, t: int) -> bool:
        """Return whether priors are updated in pass t: in every pass after the warm-up.

        The topics of a warm-up, and of a first pass, have not converged. A pass that updates topics and priors together
        gains little only if both have converged.
        """
        return (self.learn_alpha or self.learn_eta) and t > max(1, self.n_warmup)

    def offset_of(self, t: int) -> float:
        """Return δ of pass t."""
        return self.digamma_offset if self.is_warmup(t) else 0.0

    def e_step_of(self, t: int) -> EStepSettings:
        """Return the settings of the E-step of pass t."""
        is_warmup, cold_start = self.is_warmup(t), t == 1 or self.is_warmup(t)
        max_inner_iter = self.warmup_inner_iter if is_warmup else self.monotone_inner_iter
        return EStepSettings(max_inner_iter, self.tol, cold_start, cold_start)


class PassResult(NamedTuple):
    """The topics after a pass.

    Attributes
    ----------
    lam : array of shape (U, Kp)
        λ of some words, word-major.
    words : array of shape (U,)
        The columns of X that the rows belong to; all other words have λ = η.
    priors : Priors
        As given, or as learned.
    n_updates : int
        M-steps so far.
    iteration : int
        Passes so far.
    seconds : float
        Time since the fit began.
    """

    lam: Floats
    words: Int64s
    priors: Priors
    n_updates: int = 0
    iteration: int = 0
    seconds: float = 0.0

    def rows_of(self, words: Int64s) -> Floats:
        """Return λ of the given words, of shape (words, Kp); this may be `lam` itself."""
        if np.array_equal(words, self.words):
            return self.lam
        n_words = int(max(words.max(initial=-1), self.words.max(initial=-1))) + 1
        return self.all_words(n_words)[words]

    def all_words(self, n_words: int) -> Floats:
        """Return λ of every word, of shape (n_words, Kp); this may be `lam` itself."""
        if len(self.words) == n_words and np.array_equal(self.words, np.arange(n_words)):
            return self.lam
        lam = aligned_zeros((n_words, self.lam.shape[1]), self.lam.dtype)
        lam[:, : self.priors.n_topics] = self.priors.eta
        lam[self.words] = self.lam
        return lam

    def fetch(self) -> "PassResult":
        """Return the topics, as `RemoteResult.fetch` does."""
        return self


class RemoteResult(Protocol):
    """Topics after a pass that other processes (Dask workers) hold."""

    @property
    def iteration(self) -> int:
        """Passes so far."""

    def fetch(self) -> PassResult:
        """Bring the topics into this process."""


class State(Protocol):
    """The state of a phase between two passes: everything that the next pass depends on."""

    @property
    def result(self) -> PassResult | RemoteResult | None:
        """The topics after the last complete pass; None before the first."""

    def to_arrays(self) -> dict[str, object]:
        """Return the state as arrays and plain values; nothing is copied."""


AnyDocuments = TypeVar("AnyDocuments")
AnyState = TypeVar("AnyState", bound=State)


class Phase(Protocol[AnyDocuments, AnyState]):
    """One algorithm for a number of passes."""

    @property
    def name(self) -> str:
        """Identifies the phase in a checkpoint."""

    def prepare(self, documents: Any) -> AnyDocuments:
        """Return the documents in the form that this phase reads."""

    def start(self, documents: AnyDocuments, priors: Priors, initial: Callable[[], PassResult]) -> AnyState:
        """Return the state before the first pass; `initial` returns the topics to start from."""

    def from_arrays(self, documents: AnyDocuments, arrays: Saved) -> AnyState:
        """Restore a state from the output of its `to_arrays`."""

    def passes(
        self, documents: AnyDocuments, state: AnyState, workers: Workers
    ) -> Generator[tuple[AnyState, TraceRecord | None]]:
        """Yield the state and a record after each pass; record None marks a state within a pass."""


@dataclass(slots=True)
class RecordWriter:
    """Writes the records of a fit, which share the time of its start and the number of tokens."""

    documents: DocumentSource
    started: float = field(default_factory=time.perf_counter)

    @classmethod
    def after(cls, documents: DocumentSource, seconds: float) -> "RecordWriter":
        """Return a writer for a fit that has taken so many seconds already."""
        return cls(documents, time.perf_counter() - seconds)

    def record(self, iteration: int, phase: str, terms: ELBOTerms, priors: Priors, n_inner_iter: int) -> TraceRecord:
        """Return the record of a pass with a bound; `n_inner_iter` is summed over documents."""
        return record(
            iteration,
            phase,
            terms,
            priors,
            tokens=self.documents.n_tokens,
            n_inner_iter=n_inner_iter / max(1, self.documents.n_docs),
            seconds=self._seconds(),
        )

    def predictive_record(self, iteration: int, phase: str, log_predictive: float, priors: Priors) -> TraceRecord:
        """Return the record of a pass without a bound, with the log-likelihood of equation (18.7)."""
        tokens = self.documents.n_tokens
        return predictive_record(iteration, phase, log_predictive, priors, tokens=tokens, seconds=self._seconds())

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


def summed_terms(result: EStepResult, documents: Documents, priors: Priors, topics: Topics) -> tuple[float, float]:
    """Return the word term and the document term of the bound, summed over documents with their weights."""
    assert result.bound is not None
    word, doc_topic = elbo.document_terms(
        result.bound, documents.counts.doc_tokens, priors.alpha_of(documents.covariates), topics
    )
    return documents.weighted_sum(word), documents.weighted_sum(doc_topic)


def column_sums(rows: Floats, priors: Priors) -> Doubles:
    """Return Σ_w of word-major rows for each topic, of shape (K,), in float64."""
    sums: Doubles = rows[:, : priors.n_topics].sum(axis=0, dtype=np.float64)
    return sums
