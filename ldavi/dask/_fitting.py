"""One fit on an executor: prepares the corpus on the workers, runs passes, and starts again if inputs are lost."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from ldavi._core.documents import Documents
from ldavi._core.records import Counts, Priors
from ldavi._core.threads import Workers
from ldavi._core.typing import Floats
from ldavi._estimator import validation as check
from ldavi._estimator.convergence import ConvergenceMonitor, Restart
from ldavi._estimator.fitting import FitContext, PlannedPhase, phases_of, run_phases
from ldavi._estimator.settings import FitSettings, Parameters
from ldavi._estimator.starting_priors import starting_priors
from ldavi._estimator.starting_topics import Initialization
from ldavi._inference import anchor_words
from ldavi._inference.vb_distributed import PartArrays
from ldavi.dask import _collections
from ldavi.dask._collections import BlockSummary, LazyBlocks
from ldavi.dask._executor import Executor, LostError, Value
from ldavi.dask._phases import distributed_phase
from ldavi.dask._pipeline import DistributedCorpus

MAX_ATTEMPTS = 4  # of a fit whose inputs are lost
Result = TypeVar("Result")


class DistributedFit:
    """One fit of an estimator: what all its restarts share.

    Parameters
    ----------
    parameters : Parameters
        The parameters of the estimator.
    settings : FitSettings
    fitted : Priors or None
        The priors of the fitted model in a warm start.

    Attributes
    ----------
    outline : Documents
        Has the size, the words and the tokens of the corpus, but not its counts.
    priors : Priors
    """

    outline: Documents
    priors: Priors

    def __init__(
        self,
        parameters: Parameters,
        settings: FitSettings,
        executor: Executor,
        lazy: LazyBlocks,
        sample_weight: ArrayLike | None,
        fitted: Priors | None,
    ) -> None:
        if not lazy.blocks:
            raise ValueError("X has no blocks; it must have at least one")
        self._parameters, self._settings, self._fitted = parameters, settings, fitted
        self._executor, self._lazy = executor, lazy
        is_lazy = _collections.is_collection(sample_weight)
        self._weight: Any = cast(Any, sample_weight).compute() if is_lazy else sample_weight
        self._corpus = _repeated(self._prepare)

    def _prepare(self) -> DistributedCorpus:
        """Read and prepare the blocks on their workers; this determines the words, the dtype and the priors."""
        executor, lazy, K = self._executor, self._lazy, self._settings.n_components
        n_blocks, requested = len(lazy.blocks), check.check_dtype(self._parameters.dtype)
        blocks = executor.load(lazy.blocks, _collections.read_block, range(n_blocks), [requested] * n_blocks)
        weights = self._weights(blocks)
        summaries: Sequence[BlockSummary] = executor.fetch(executor.map(_collections.summarise, blocks, weights))
        n_words = _collections.n_words_of(summaries, lazy.n_words)
        dtype = np.result_type(*(summary.dtype for summary in summaries))
        self.outline = _outline(summaries, n_words, dtype)
        normalised = any(summary.is_normalised for summary in summaries)
        check.warn_if_normalised(normalised, self._parameters, stacklevel=5)
        if self._weight is not None:
            check.check_sample_weight(self._weight, len(self._weight), dtype)  # for the precision of the fit
            check.check_total(self.outline.n_tokens, dtype, "X times sample_weight")
        self.priors = starting_priors(
            self._parameters,
            self._settings,
            n_words,
            lambda: self.outline.n_tokens,
            dtype=dtype,
            column_names=None,
            fitted=self._fitted,
        )
        layout = _collections.layout_of(summaries, n_words, self.priors.eta)
        handle = executor.send(layout)
        arguments = [handle] * n_blocks, [K] * n_blocks, [dtype.name] * n_blocks
        parts = executor.map(_collections.part_of, blocks, weights, *arguments)
        sizes = self.outline.n_docs, self.outline.n_tokens, self.outline.total_weight
        return DistributedCorpus(K, parts, handle, layout, *sizes, dtype.name)

    def _weights(self, blocks: Sequence[Value]) -> Sequence[Floats | None]:
        """Return the weights of each block."""
        if self._weight is None:
            return [None] * len(blocks)
        n_docs = [int(n) for n in self._executor.fetch(self._executor.map(_collections.n_docs_of, blocks))]
        dtype = check.check_dtype(self._parameters.dtype) or np.dtype(np.float64)
        weight = check.check_sample_weight(self._weight, sum(n_docs), dtype)
        assert weight is not None
        return np.split(weight, np.cumsum(n_docs)[:-1])

    def sample(self, step: int) -> anchor_words.DocumentSample:
        """Return every `step`-th document, and the frequency of each word in the whole corpus."""
        executor, parts = self._executor, self._corpus.parts
        sizes = executor.fetch(executor.map(_n_docs_of, parts))
        firsts = np.append(0, np.cumsum(sizes))[:-1].tolist()
        samples = executor.fetch(executor.map(_sample_documents, parts, [step] * len(parts), firsts))
        return anchor_words.join_samples(samples, self.outline.n_words)

    def run(self, start: Initialization, restarts: list[Restart]) -> None:
        """Run the fit from one start, and append to `restarts` what it reaches; repeat it if its inputs are lost."""
        restart = Restart(ConvergenceMonitor(self._settings))
        restarts.append(restart)
        try:
            _repeated(lambda: self._run(start, restarts), before_repetition=lambda: self._recover(restart))
        finally:  # an interrupt during repeated passes leaves topics that are older than the last record
            n_passes, records = 0 if restart.last is None else restart.last.iteration, restart.monitor.records
            records[:] = [record for record in records if record.iteration <= n_passes]

    def _run(self, start: Initialization, restarts: list[Restart]) -> None:
        settings, where = self._settings, (self._executor, self._corpus, self._settings.n_threads)
        plan = [
            PlannedPhase(distributed_phase(planned.phase, *where, self.sample), planned.role)
            for planned in phases_of(settings, self.outline, start)
        ]
        with Workers(settings.n_threads) as workers:
            run_phases(FitContext(settings, self.outline, workers), plan, start, restarts)
        last = restarts[-1].last
        assert last is not None
        restarts[-1].last = last.fetch()

    def _recover(self, restart: Restart) -> None:
        """Prepare the corpus again; the repeated passes give the same bits and are not recorded twice."""
        restart.last = None
        self._corpus = _repeated(self._prepare)


def _repeated(function: Callable[[], Result], before_repetition: Callable[[], None] | None = None) -> Result:
    """Return function(), which is called again if what it computes from is lost."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return function()
        except LostError:
            if attempt == MAX_ATTEMPTS:
                raise
            if before_repetition is not None:
                before_repetition()
    raise AssertionError("unreachable")


class Outline(Documents):
    """Documents that have the size, the words, the tokens and the weight of a corpus, but no counts."""

    known_weight: float

    @property
    def total_weight(self) -> float:
        return self.known_weight


def _outline(summaries: Sequence[BlockSummary], n_words: int, dtype: np.dtype) -> Outline:
    """Return the outline of a corpus whose blocks have been summarised."""
    n_docs, n_tokens = sum(summary.n_docs for summary in summaries), sum(summary.tokens for summary in summaries)
    if not n_docs:
        raise ValueError("X has no documents (with any weight); it must have at least one")
    if n_tokens == 0:
        warnings.warn("X holds no counts (with any weight): the topics will equal their prior", stacklevel=6)
    empty = np.zeros(0, np.int32), np.zeros(0, dtype)
    counts = Counts(np.zeros(n_docs + 1, np.int64), *empty, np.arange(n_words), n_words, np.array([n_tokens]))
    outline = Outline(counts, None)
    outline.known_weight = sum(summary.total_weight for summary in summaries)
    return outline


def _n_docs_of(part: PartArrays) -> int:
    return len(part.indptr) - 1


def _sample_documents(part: PartArrays, step: int, first: int) -> anchor_words.DocumentSample:
    return anchor_words.sample_documents(part.documents, step, first)
