"""Saved states of phases: a phase that resumes from the arrays of any state gives the same bits."""

import copy
import dataclasses

import corpora
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ldavi._core.documents import Documents
from ldavi._core.threads import Workers
from ldavi._inference import exact_bound
from ldavi._inference.cvb0 import Cvb0, Cvb0Settings
from ldavi._inference.exact_bound import ExactBound
from ldavi._inference.passes import PassResult, PassSettings
from ldavi._inference.vb_batch import BatchVB
from ldavi._inference.vb_memoized import MemoizedVB
from ldavi._inference.vb_online import LearningRate, OnlineVB

N_PASSES, K = 9, 3
VB = PassSettings(2, 4, 2, 1e-3, digamma_offset=0.5, learn_alpha=True, learn_eta=True)
CVB0 = Cvb0Settings(7, learn_alpha=True, learn_eta=True, learn_from=3, learn_every=2)
PHASES = {
    "batch": BatchVB(VB, N_PASSES),
    "memoized": MemoizedVB(VB, N_PASSES, 3),
    "online": OnlineVB(VB, N_PASSES, 3, LearningRate(10.0, 0.7)),
    "CVB0": Cvb0(CVB0, N_PASSES),
    "CVB0 from topics": Cvb0(dataclasses.replace(CVB0, has_topics=True), N_PASSES),
    "exact bound": ExactBound(5, 1e-3, 2),
}
few = settings(derandomize=True, max_examples=5, deadline=None, database=None)
counts = st.tuples(st.integers(1, 8), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 5))
)


def copied(state):
    """Return what a checkpoint stores of a state; the state itself changes in later passes."""
    return copy.deepcopy(state.to_arrays())


def run(phase, documents, state):
    """Return the final result, and the records and saved states of the passes, from a state."""
    records, saved = [], []
    with Workers(1) as workers:
        for now, record in phase.passes(documents, state, workers):
            records.append(record)
            saved.append(copied(now))
        return now.result._replace(lam=now.result.lam.copy()), records, saved


def check_same_bits(result, expected):
    np.testing.assert_array_equal(result.lam, expected.lam)
    np.testing.assert_array_equal(result.words, expected.words)
    np.testing.assert_array_equal(result.priors.alpha, expected.priors.alpha)
    np.testing.assert_array_equal(result.priors.eta, expected.priors.eta)
    assert (result.n_updates, result.iteration) == (expected.n_updates, expected.iteration)


def numbers(records):
    """Return the records without their times."""
    complete = [record for record in records if record is not None]
    return [repr(dataclasses.replace(record, seconds=0.0)) for record in complete]


@pytest.mark.parametrize("phase", PHASES.values(), ids=list(PHASES))
@few
@given(X=counts, dtype=st.sampled_from([np.float32, np.float64]), weighted=st.booleans(), seed=st.integers(0, 99))
def test_a_phase_that_resumes_from_any_saved_state_gives_the_same_bits(phase, X, dtype, weighted, seed):
    weight = np.random.default_rng(seed).integers(1, 9, len(X)).astype(dtype) / 4 if weighted else None
    priors = corpora.make_priors(corpora.random_alpha(seed, K), 0.25)
    initial = PassResult(
        corpora.word_major(corpora.random_lam(seed, K, X.shape[1]), dtype), np.arange(X.shape[1]), priors
    )
    documents = phase.prepare(Documents(corpora.to_counts(X, dtype), weight))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(exact_bound, "MAX_DOCUMENTS", 2)  # so that there are states between parts of the corpus
        result, records, saved = run(phase, documents, phase.start(documents, priors, lambda: initial))
        for n_done, state in enumerate(saved[:-1], start=1):
            resumed = phase.from_arrays(documents, copy.deepcopy(state))
            other, others, later = run(phase, documents, resumed)
            check_same_bits(other, result)
            assert numbers(others) == numbers(records[n_done:])
            assert len(later) == len(saved) - n_done


@pytest.mark.parametrize("name", ["batch", "memoized", "online", "CVB0"])
def test_priors_are_learned_in_these_phases(name):
    """Otherwise the test above would not show that learned priors are part of the states."""
    X = corpora.topical_counts(0, n_docs=60)
    phase, priors = PHASES[name], corpora.make_priors(np.full(K, 0.2), 0.25)
    lam = corpora.word_major(corpora.random_lam(0, K, X.shape[1]))
    with Workers(1) as workers:
        passes = corpora.passes_of(phase, Documents(corpora.to_counts(X), None), priors, lam, workers)
    assert not np.array_equal(passes[-1].result.priors.alpha, priors.alpha)
