"""A fit over places: the corpus settled there, pass after pass, and all of it again should too much be lost."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ldavi._core.corpus import Documents
from ldavi._core.records import Counts, Priors
from ldavi._core.threads import Workers
from ldavi._core.typing import Floats
from ldavi._estimator import schedule
from ldavi._estimator import validation as check
from ldavi._estimator.fitting import stops
from ldavi._estimator.schedule import Run, Start
from ldavi._inference import anchor_words, initialization
from ldavi._inference.topic_shards import compact_priors
from ldavi._inference.vb_batch import PassResult
from ldavi._inference.vb_distributed import Part, first_fields
from ldavi.dask import _collections
from ldavi.dask._collections import LazyBlocks, Summary
from ldavi.dask._passes import Corpus, Reached, first_state, lam, passes
from ldavi.dask._places import LostError, Place

BEGINNINGS = 4  # of a fit, if what it began from is lost


class Learning:
    """One fit of an estimator: what is the same for all its random starts.

    Attributes
    ----------
    outline : Documents
        Of the size, the words and the tokens of the corpus, without its counts.
    priors : Priors
    """

    outline: Documents
    priors: Priors

    def __init__(self, estimator: Any, place: Place, lazy: LazyBlocks, sample_weight: Any) -> None:
        self._estimator, self._place, self._lazy = estimator, place, lazy
        if not lazy.blocks:
            raise ValueError("X has no blocks; it must have at least one")
        self._weight = sample_weight.compute() if hasattr(sample_weight, "compute") else sample_weight
        self._threads = check.count_threads(estimator.n_jobs)
        self._reached: dict[int, Reached] = {}  # by the identity of a run, until λ is brought here
        self._corpus = self._settled()

    def _settled(self) -> Corpus:
        """Blocks read and made ready where they are; the corpus' words, dtype and priors found on the way."""
        for beginning in range(1, BEGINNINGS + 1):
            try:
                return self._settle()
            except LostError:
                if beginning == BEGINNINGS:
                    raise
        raise AssertionError("unreachable")

    def _settle(self) -> Corpus:
        estimator, place, lazy = self._estimator, self._place, self._lazy
        n_blocks = len(lazy.blocks)
        asked = check.check_dtype(estimator.dtype)
        blocks = place.load(lazy.blocks, _collections.read_block, range(n_blocks), [asked] * n_blocks)
        weights = self._weights(blocks)
        summaries: Sequence[Summary] = place.fetch(place.map(_collections.summarise, blocks, weights))
        n_words = _collections.n_words_of(summaries, lazy.n_words)
        dtype = np.result_type(*(summary.dtype for summary in summaries))
        n_docs, tokens = sum(summary.n_docs for summary in summaries), sum(summary.tokens for summary in summaries)
        if not n_docs:
            raise ValueError("X has no documents (with any weight); it must have at least one")
        if tokens == 0:
            warnings.warn("X holds no counts (with any weight): the topics will equal their prior", stacklevel=5)
        empty = np.zeros(0, np.int32), np.zeros(0, dtype)
        counts = Counts(np.zeros(n_docs + 1, np.int64), *empty, np.arange(n_words), n_words, np.array([tokens]))
        self.outline, self.priors = Documents(counts, None), self._checked_priors(n_words, tokens)
        ground = _collections.ground_of(summaries, n_words, self.priors.eta)
        sent, K = place.send(ground), estimator.n_components
        parts = place.map(
            _collections.part_of, blocks, weights, [sent] * n_blocks, [K] * n_blocks, [dtype.name] * n_blocks
        )
        weight = sum(summary.weight for summary in summaries)
        return Corpus(K, parts, sent, ground, n_docs, weight, tokens, dtype.name)

    def _weights(self, blocks: Sequence[Any]) -> Sequence[Floats | None]:
        """Each block's share of the weights."""
        if self._weight is None:
            return [None] * len(blocks)
        n_docs = [int(n) for n in self._place.fetch(self._place.map(_collections.n_docs_of, blocks))]
        dtype = check.check_dtype(self._estimator.dtype) or np.dtype(np.float64)
        weight = check.check_sample_weight(self._weight, sum(n_docs), dtype)
        assert weight is not None
        return np.split(weight, np.cumsum(n_docs)[:-1])

    def _checked_priors(self, n_words: int, tokens: float) -> Priors:
        asked = self._estimator
        priors = check.check_priors(asked.doc_topic_prior, asked.topic_word_prior, asked.n_components, n_words)
        if asked.warm_start and asked.__sklearn_is_fitted__():
            priors = check.learned_before(asked._priors, priors, asked.doc_topic_prior, asked.topic_word_prior)
        if asked.seed_words is not None:
            seeds = initialization.seeded_columns(asked.seed_words, asked.n_components, n_words, None)
            priors = initialization.with_seeds(priors, seeds, tokens, n_words)
        return priors

    def look(self, step: int) -> anchor_words.DocumentSample:
        """Every `step`-th document brought here, and how frequent words are in all."""
        place, parts = self._place, self._corpus.parts
        sizes = place.fetch(place.map(_n_docs_of, parts))
        firsts = np.append(0, np.cumsum(sizes))[:-1].tolist()
        looks = place.fetch(place.map(_look_at, parts, [step] * len(parts), firsts))
        return anchor_words.join_samples(looks, self.outline.n_words)

    def learn(self, run: Run, start: Start) -> None:
        """Pass after pass until it is enough; `run` always has the records of what has been reached."""
        for beginning in range(1, BEGINNINGS + 1):
            try:
                return self._learn(run, start)
            except LostError:
                if beginning == BEGINNINGS:
                    raise
                self._corpus = self._settled()  # the same bits will come again
        return None

    def _learn(self, run: Run, start: Start) -> None:
        estimator, place, corpus, progress = self._estimator, self._place, self._corpus, run.progress
        plan = schedule.batch_plan(estimator, start.origin)
        with Workers(self._threads) as workers:
            rows, ground = start.lam()[corpus.words.words], corpus.words
            shards = first_fields(rows, self.priors, ground, workers, offset=plan.offset_of(1))
        first = first_state(place, shards, compact_priors(self.priors))
        loop = passes(place, corpus, first, plan, max_iter=estimator.max_iter, n_threads=self._threads)
        try:
            for reached in loop:
                self._reached[id(run)] = reached
                if reached.record.iteration <= len(progress.records):  # seen before all was lost
                    continue
                progress.records.append(reached.record)
                if stops(estimator, progress):
                    progress.converged = True
                    break
            run.learned = self._brought(reached)
        finally:
            loop.close()

    def bring_home(self, run: Run) -> None:
        """Have the topics of an interrupted run here."""
        reached = self._reached.pop(id(run), None)
        if run.learned is None and reached is not None:
            run.learned = self._brought(reached)

    def _brought(self, reached: Reached) -> PassResult:
        rows, hyper = lam(self._place, self._corpus, reached.handles, self._threads)
        words = self._corpus.words
        return PassResult(rows, words.words, reached.record.iteration, reached.record, hyper.priors(words))


def _n_docs_of(part: Part) -> int:
    return len(part.indptr) - 1


def _look_at(part: Part, step: int, first: int) -> anchor_words.DocumentSample:
    return anchor_words.sample_documents(part.documents, step, first)
