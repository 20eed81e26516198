"""The record of a fit."""

import corpora
import numpy as np
import pytest

import ldavi
from ldavi._core.documents import Documents
from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.passes import PassSettings
from ldavi._inference.trace import record, relative_gain, to_array
from ldavi._inference.vb_batch import BatchVB

PRIORS = corpora.make_priors(np.array([0.25, 0.5]), 0.125)


def record_with(terms, *, iteration=1, phase="monotone", tokens=10.0, n_inner_iter=1.0):
    return record(iteration, phase, ELBOTerms(*terms), PRIORS, tokens=tokens, n_inner_iter=n_inner_iter, seconds=0.5)


def record_of(elbo, phase="monotone"):
    return record_with((elbo, 0.0, 0.0), phase=phase)


def test_the_perplexity_does_not_include_the_topic_term():
    one = record_with((-30.0, -10.0, -500.0), tokens=20.0)
    np.testing.assert_allclose(one.perplexity, np.exp(2))
    assert one.elbo == -540


def test_the_perplexity_without_tokens_is_1():
    assert record_with((0.0, 0.0, -5.0), tokens=0.0).perplexity == 1


def test_the_perplexity_of_documents_beyond_double_precision_is_infinite_without_a_warning():
    model = ldavi.LatentDirichletAllocation(2, topic_word_prior=0.001, max_iter=2, n_collapsed_iter=0, tol=None).fit(
        [[5, 0], [3, 0]]
    )
    assert model.perplexity([[0, 1]]) == np.inf


def test_the_gain_is_relative_to_the_later_bound():
    assert relative_gain(record_of(-110.0), record_of(-100.0)) == pytest.approx(0.1)
    assert relative_gain(record_of(-100.0), record_of(-110.0)) == pytest.approx(-10 / 110)
    assert relative_gain(record_of(0.0), record_of(0.0)) == 0


def test_the_gain_of_a_bound_of_0_is_infinite_without_a_warning():
    assert relative_gain(record_of(-100.0), record_of(0.0)) == np.inf


def test_the_gain_between_phases_is_infinite():
    assert relative_gain(record_of(-100.0, "warmup"), record_of(-100.0, "monotone")) == np.inf


def test_the_array_contains_every_field_of_every_record():
    records = [
        record_with((-3.0, -2.0, -1.0), phase="warmup", n_inner_iter=5.0),
        record_with((-2.0, -1.0, -1.0), iteration=2, n_inner_iter=1.5),
    ]
    trace = to_array(records)
    assert len(trace) == 2
    assert list(trace["phase"]) == ["warmup", "monotone"]
    for name in trace.dtype.names:
        np.testing.assert_array_equal(trace[name], [getattr(one, name) for one in records])


def test_a_record_has_the_sum_of_alpha_and_the_mean_of_eta():
    assert record_of(-1.0).alpha_sum == 0.75
    assert record_of(-1.0).eta == 0.125


def test_the_phase_field_is_long_enough_for_every_phase():
    phases = ["warmup", "monotone", "online", "collapsed", "final"]
    assert list(to_array([record_of(0.0, phase) for phase in phases])["phase"]) == phases


def test_an_empty_trace_has_the_same_fields():
    assert to_array([]).dtype == to_array([record_of(0.0)]).dtype


def test_records_of_a_fit_have_pass_numbers_phases_and_inner_iterations(workers):
    X = corpora.topical_counts(0)
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(np.full(3, 0.5), 0.25)
    lam = corpora.word_major(corpora.random_lam(0, 3, 25))
    passes = corpora.passes_of(BatchVB(PassSettings(2, 4, 3, 0.0), 4), documents, priors, lam, workers)
    trace = to_array([record for _, record in passes])
    assert list(trace["iteration"]) == [1, 2, 3, 4]
    assert list(trace["phase"]) == ["warmup", "warmup", "monotone", "monotone"]
    assert list(trace["n_inner_iter"]) == [4, 4, 3, 3]
    assert (np.diff(trace["seconds"]) >= 0).all()
    np.testing.assert_allclose(trace["perplexity"], np.exp(-(trace["word"] + trace["doc_topic"]) / X.sum()), rtol=1e-12)


def test_each_pass_is_logged(caplog):
    X = np.array([[3, 1, 0], [0, 2, 4]])
    with caplog.at_level("INFO", logger="ldavi"):
        lda = ldavi.LatentDirichletAllocation(2, max_iter=4, tol=None, random_state=0).fit(X)
    passes = [line for line in caplog.messages if line.startswith("pass ")]
    assert len(passes) == 4
    assert f"ELBO {lda.elbo_trace_['elbo'][-1]:.6g}" in passes[-1]
    assert caplog.messages[-1].startswith("fit ended after pass 4, not converged: ELBO ")
