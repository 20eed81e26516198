"""The record of a fit."""

import itertools

import corpora
import numpy as np
import pytest

from ldavi._inference.elbo import ELBOTerms
from ldavi._inference.trace import record, relative_gain, to_array
from ldavi._inference.vb_batch import Documents, PassSettings, fit_batch


def line(elbo, phase="monotone", iteration=1):
    return record(iteration, phase, ELBOTerms(elbo, 0.0, 0.0), 10.0, 1.0, 0.0)


def test_the_perplexity_leaves_the_topic_term_out():
    one = record(3, "monotone", ELBOTerms(-30.0, -10.0, -500.0), 20.0, 2.5, 0.1)
    np.testing.assert_allclose(one.perplexity, np.exp(2))
    assert one.elbo == -540


def test_the_perplexity_of_no_token_is_one():
    assert record(1, "monotone", ELBOTerms(0.0, 0.0, -5.0), 0.0, 0.0, 0.0).perplexity == 1


def test_the_gain_is_relative_to_the_later_bound():
    assert relative_gain(line(-110.0), line(-100.0)) == pytest.approx(0.1)
    assert relative_gain(line(-100.0), line(-110.0)) == pytest.approx(-10 / 110)
    assert relative_gain(line(0.0), line(0.0)) == 0


def test_the_gain_across_phases_is_no_sign_of_convergence():
    assert relative_gain(line(-100.0, "warmup"), line(-100.0, "monotone")) == np.inf


def test_the_array_holds_every_field_of_every_line():
    lines = [
        record(1, "warmup", ELBOTerms(-3.0, -2.0, -1.0), 4.0, 5.0, 0.5),
        record(2, "monotone", ELBOTerms(-2.0, -1.0, -1.0), 4.0, 1.5, 0.75),
    ]
    trace = to_array(lines)
    assert len(trace) == 2
    assert list(trace["phase"]) == ["warmup", "monotone"]
    for name in ("iteration", "elbo", "word", "doc_topic", "topic_word", "perplexity", "sweeps", "seconds"):
        np.testing.assert_array_equal(trace[name], [getattr(one, name) for one in lines])


def test_every_phase_fits_its_field():
    phases = ["warmup", "monotone", "online", "final"]
    assert list(to_array([line(0.0, phase) for phase in phases])["phase"]) == phases


def test_an_empty_trace_has_the_same_fields():
    assert to_array([]).dtype == to_array([line(0.0)]).dtype


def test_a_fit_counts_its_passes_phases_and_sweeps(workers):
    X = corpora.topical_counts(0)
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(np.full(3, 0.5), 0.25)
    loop = fit_batch(
        documents, priors, corpora.word_major(corpora.random_lam(0, 3, 25)), PassSettings(2, 4, 3, 0.0), workers
    )
    trace = to_array([one.record for one in itertools.islice(loop, 4)])
    assert list(trace["iteration"]) == [1, 2, 3, 4]
    assert list(trace["phase"]) == ["warmup", "warmup", "monotone", "monotone"]
    assert list(trace["sweeps"]) == [4, 4, 3, 3]
    assert (np.diff(trace["seconds"]) >= 0).all()
    np.testing.assert_allclose(trace["perplexity"], np.exp(-(trace["word"] + trace["doc_topic"]) / X.sum()), rtol=1e-12)
