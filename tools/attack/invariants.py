"""Invariants of fits: one function each, which raises AssertionError if a fitted model violates it.

An invariant that does not apply to a problem returns at once. Those in ALWAYS are cheap and checked after every fit; of
those in SAMPLED, which fit again, some are drawn for each problem.
"""

import contextlib
import copy
import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import LatentDirichletAllocation, io
from tools.attack.fitting import StoppedError, StopsAfter, fit, is_auto, without_restarts
from tools.attack.problems import Problem

sys.path.append(str(Path(__file__).parents[2] / "tests"))
import reference

MAX_ASSIGNMENTS = 2000  # that are enumerated for the exact evidence


def relative_error(model: LatentDirichletAllocation) -> float:
    """Return the relative error that rounding may cause in the dtype of a model."""
    return 5e-5 if model.components_.dtype == np.float32 else 1e-9


def values_are_finite(problem: Problem, model: LatentDirichletAllocation) -> None:
    assert np.isfinite(model.components_).all(), "λ is not finite"
    assert (model.components_ >= 0).all(), "λ is negative"
    assert np.isfinite(model.topics_).all(), "E[β] is not finite"
    assert np.isfinite(model.doc_topic_prior_).all(), "α is not finite"
    assert np.isfinite(model.topic_word_prior_).all(), "η is not finite"
    if problem.way != "partial_fit":
        assert np.isfinite(model.elbo_), f"elbo_={model.elbo_}"
    assert np.isfinite(model.score(problem.fitted())), "the score is not finite"
    perplexity = model.perplexity(problem.fitted())  # infinite if no float is large enough
    assert perplexity > 0, f"the perplexity is {perplexity}"


def rows_sum_to_1(problem: Problem, model: LatentDirichletAllocation) -> None:
    rtol = relative_error(model)
    theta = model.transform(problem.X)
    assert theta.shape == (len(problem.dense), problem.parameters["n_components"])
    assert (theta > 0).all(), "θ has entries that are not positive"
    np.testing.assert_allclose(theta.sum(axis=1, dtype=float), 1, rtol=rtol)
    np.testing.assert_allclose(model.topics_.sum(axis=1, dtype=float), 1, rtol=rtol)


def statistics_sum_to_counts(problem: Problem, model: LatentDirichletAllocation) -> None:
    """φ of every count sums to 1, so γ without its prior sums to the tokens of the document."""
    rtol = relative_error(model)
    np.testing.assert_allclose(model.word_topics(problem.X).sum(axis=1, dtype=float), 1, rtol=rtol)
    gamma = model.transform(problem.X, normalize=False).sum(axis=1, dtype=float)
    alpha = np.broadcast_to(model.doc_topic_prior_, problem.parameters["n_components"]).sum()
    np.testing.assert_allclose(gamma, alpha + problem.dense.sum(axis=1), rtol=rtol)


def topics_contain_every_token(problem: Problem, model: LatentDirichletAllocation) -> None:
    """λ without η sums to the counts of each word, since the last pass assigns every token."""
    parameters = problem.parameters
    if parameters["learning_method"] == "online" or problem.way == "partial_fit":
        return
    if is_auto(parameters["topic_word_prior"]) and "seed_words" not in parameters:
        return  # λ belongs to the value of η before the last update
    K, V = model.components_.shape
    eta = np.broadcast_to(model.topic_word_prior_, (K, V)) if "seed_words" not in parameters else model._priors.eta.T
    tokens = problem.weighted().sum(axis=0)
    expected = np.broadcast_to(eta, (K, V)).sum(axis=0) + tokens
    is_single = model.components_.dtype == np.float32
    units = tokens.max() * 2.0**-21 if parameters["inference"] == "cvb0" and is_single else 0  # counts are whole units
    np.testing.assert_allclose(
        model.components_.sum(axis=0, dtype=float),
        expected,
        rtol=relative_error(model),
        atol=len(problem.dense) * units,
    )


def the_elbo_never_decreases(problem: Problem, model: LatentDirichletAllocation) -> None:
    if problem.way == "partial_fit":
        return
    trace = model.elbo_trace_
    assert np.isfinite(trace["elbo"][trace["phase"] != "collapsed"]).all(), "the trace is not finite"
    elbo = trace["elbo"][trace["phase"] == "monotone"]
    rtol = 1e-6 if model.components_.dtype == np.float32 else 1e-9
    alpha_sum = trace["alpha_sum"][trace["phase"] == "monotone"][1:]
    # Terms of α and λ cancel in the sum, but not their rounding.
    sizes = (
        problem.weighted().sum()
        + len(problem.dense) * alpha_sum
        + model._priors.eta_totals(problem.dense.shape[1]).sum()
    )
    slack = rtol * (1 + np.abs(elbo[1:]) + sizes)
    assert (np.diff(elbo) >= -slack).all(), f"the ELBO decreases: {elbo.tolist()}"


def the_elbo_is_at_most_0(problem: Problem, model: LatentDirichletAllocation) -> None:
    slack = relative_error(model) * (1 + problem.weighted().sum())
    assert problem.way == "partial_fit" or model.elbo_ <= slack, f"elbo_={model.elbo_}"
    assert model.score(problem.X) <= relative_error(model) * (1 + problem.dense.sum())  # documents of weight 0, too


def rows_are_independent(problem: Problem, model: LatentDirichletAllocation) -> None:
    row = int(problem.rng.integers(len(problem.dense)))
    alone = model.transform(problem.dense[row : row + 1])
    np.testing.assert_array_equal(model.transform(problem.dense)[row : row + 1], alone)


def scores_are_additive(problem: Problem, model: LatentDirichletAllocation) -> None:
    cut = int(problem.rng.integers(len(problem.dense) + 1))
    parts = [part for part in (problem.dense[:cut], problem.dense[cut:]) if len(part)]
    whole, rtol = model.score(problem.dense), relative_error(model)
    np.testing.assert_allclose(sum(map(model.score, parts)), whole, rtol=rtol, atol=rtol)


def the_form_of_x_does_not_matter(problem: Problem, model: LatentDirichletAllocation) -> None:
    if problem.X.dtype != problem.dense.dtype or problem.way == "batches":
        return
    other = fit(problem, X=sparse.csr_array(problem.dense))
    assert_same_bits(model, other)


def x_is_not_changed(problem: Problem, model: LatentDirichletAllocation) -> None:
    before = copy.deepcopy(problem.X)
    fit(problem)
    model.transform(problem.X)
    for name in ("data", "indices", "indptr") if sparse.issparse(before) else ():
        if hasattr(before, name):
            np.testing.assert_array_equal(getattr(before, name), getattr(problem.X, name))
    if not sparse.issparse(before):
        np.testing.assert_array_equal(before, problem.X)


def threads_do_not_change_bits(problem: Problem, model: LatentDirichletAllocation) -> None:
    other = fit(problem, n_jobs=problem.parameters["n_jobs"] % 4 + 1)
    assert_same_bits(model, other)
    np.testing.assert_array_equal(model.transform(problem.dense), other.transform(problem.dense))


def documents_may_be_permuted(problem: Problem, model: LatentDirichletAllocation) -> None:
    """Batch VB from given topics does not depend on the order of the documents, except for rounding."""
    if not _is_plain_ascent(problem):
        return
    order = problem.rng.permutation(len(problem.dense))
    weight = None if problem.sample_weight is None else problem.sample_weight[order]
    a = fit(problem, X=problem.dense, **EXACT)
    b = fit(problem, X=problem.dense[order], sample_weight=weight, **EXACT)
    assert_close(a.components_, b.components_)


def words_may_be_permuted(problem: Problem, model: LatentDirichletAllocation) -> None:
    """Batch VB from given topics does not depend on the order of the words, except for rounding."""
    parameters = problem.parameters
    if not _is_plain_ascent(problem) or "seed_words" in parameters:
        return
    order, eta = problem.rng.permutation(problem.dense.shape[1]), parameters["topic_word_prior"]
    a = fit(problem, X=problem.dense, **EXACT)
    moved = {"init": parameters["init"][:, order], "topic_word_prior": eta if np.ndim(eta) == 0 else eta[..., order]}
    b = fit(problem, X=problem.dense[:, order], **EXACT, **moved)
    assert_close(a.components_[:, order], b.components_)


def topics_may_be_permuted(problem: Problem, model: LatentDirichletAllocation) -> None:
    """Batch VB from given topics does not depend on the order of the topics, except for rounding."""
    parameters = problem.parameters
    if not _is_plain_ascent(problem) or "seed_words" in parameters:
        return
    alpha, eta = parameters["doc_topic_prior"], parameters["topic_word_prior"]
    order = problem.rng.permutation(parameters["n_components"])
    a = fit(problem, X=problem.dense, **EXACT)
    moved = {"init": parameters["init"][order], "doc_topic_prior": alpha if np.ndim(alpha) == 0 else alpha[order]}
    moved["topic_word_prior"] = eta[order] if np.ndim(eta) == 2 else eta
    b = fit(problem, X=problem.dense, **EXACT, **moved)
    assert_close(a.components_[order], b.components_)


# Without decisions that rounding can change: no convergence of documents or of the fit.
EXACT: dict[str, Any] = {"dtype": "float64", "mean_change_tol": 0.0, "tol": None}


def _is_plain_ascent(problem: Problem) -> bool:
    parameters = problem.parameters
    is_vb = parameters["inference"] == "vb" and parameters["learning_method"] == "batch" and problem.way == "fit"
    return is_vb and isinstance(parameters["init"], np.ndarray) and without_restarts(problem)


def the_elbo_is_below_the_evidence(problem: Problem, model: LatentDirichletAllocation) -> None:
    """The exact evidence is a sum over all assignments of tokens to topics."""
    K, whole = problem.parameters["n_components"], np.array_equal(problem.dense, np.round(problem.dense))
    tokens = problem.dense.sum()
    if not whole or tokens > 12 or K**tokens > MAX_ASSIGNMENTS or problem.sample_weight is not None:
        return
    if problem.way == "partial_fit" or np.any(model.topic_word_prior_ == 0):
        return
    alpha = np.broadcast_to(model.doc_topic_prior_, K).astype(float)
    eta = model._priors.eta.T if "seed_words" in problem.parameters else model.topic_word_prior_
    exact = reference.log_evidence(problem.dense, alpha, np.broadcast_to(eta, model.components_.shape))
    slack = 1e-9 if model.components_.dtype == np.float64 else 1e-4 * (1 + abs(exact))
    assert model.elbo_ <= exact + slack, f"elbo_={model.elbo_} exceeds the evidence {exact}"


def a_file_holds_the_whole_model(problem: Problem, model: LatentDirichletAllocation) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ldavi")
        io.save(model, path)
        loaded = io.load(path, mmap=bool(problem.rng.integers(2)))
        assert_same_model(problem, model, loaded)


def a_pickle_holds_the_whole_model(problem: Problem, model: LatentDirichletAllocation) -> None:
    assert_same_model(problem, model, pickle.loads(pickle.dumps(model)))
    assert_same_model(problem, model, copy.deepcopy(model))


def assert_same_model(problem: Problem, model: LatentDirichletAllocation, other: LatentDirichletAllocation) -> None:
    assert repr(model.get_params()) == repr(other.get_params())
    np.testing.assert_array_equal(model.transform(problem.dense), other.transform(problem.dense))
    assert_same_bits(model, other)


def a_resumed_fit_has_the_same_bits(problem: Problem, model: LatentDirichletAllocation) -> None:
    if problem.way != "fit" or model.n_iter_ < 2:
        return
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = io.Checkpoint(Path(folder, "fit.checkpoint"), minutes=0)
        stops = StopsAfter(int(problem.rng.integers(1, model.n_iter_ + 1)))
        with contextlib.suppress(StoppedError):
            fit(problem, checkpoint=checkpoint, callbacks=stops)
        checkpoint = io.Checkpoint(checkpoint.path, minutes=0)
        assert_same_bits(model, fit(problem, checkpoint=checkpoint, callbacks=StopsAfter(10**9)))


def reading_changes_nothing(problem: Problem, model: LatentDirichletAllocation) -> None:
    other = copy.deepcopy(model)
    for name in ("topics_", "components_", "exp_dirichlet_component_"):
        getattr(other, name)
    other.perplexity(problem.dense)
    np.testing.assert_array_equal(model.transform(problem.dense), other.transform(problem.dense))


def weights_count_documents(problem: Problem, model: LatentDirichletAllocation) -> None:
    """In batch VB from given topics, a weight of 2 equals repeating the document."""
    if not _is_plain_ascent(problem) or problem.sample_weight is None:
        return
    weight = np.floor(problem.sample_weight).astype(int)
    if not weight.any() or not problem.dense[weight > 0].any():
        return
    a = fit(problem, X=problem.dense, sample_weight=weight.astype(float), **EXACT)
    b = fit(problem, X=np.repeat(problem.dense, weight, axis=0), sample_weight=None, **EXACT)
    assert_close(a.components_, b.components_)


def assert_same_bits(a: LatentDirichletAllocation, b: LatentDirichletAllocation) -> None:
    np.testing.assert_array_equal(a.components_, b.components_)
    np.testing.assert_array_equal(a.doc_topic_prior_, b.doc_topic_prior_)
    np.testing.assert_array_equal(a.topic_word_prior_, b.topic_word_prior_)
    for name in ("elbo", "predictive"):
        if hasattr(a, "elbo_trace_") and hasattr(b, "elbo_trace_"):
            np.testing.assert_array_equal(a.elbo_trace_[name], b.elbo_trace_[name])


def assert_close(a: NDArray[Any], b: NDArray[Any]) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-9 * a.sum())


ALWAYS = (
    values_are_finite,
    rows_sum_to_1,
    statistics_sum_to_counts,
    topics_contain_every_token,
    the_elbo_never_decreases,
    the_elbo_is_at_most_0,
    the_elbo_is_below_the_evidence,
)
SAMPLED = (
    rows_are_independent,
    scores_are_additive,
    the_form_of_x_does_not_matter,
    x_is_not_changed,
    threads_do_not_change_bits,
    documents_may_be_permuted,
    words_may_be_permuted,
    topics_may_be_permuted,
    weights_count_documents,
    a_file_holds_the_whole_model,
    a_pickle_holds_the_whole_model,
    a_resumed_fit_has_the_same_bits,
    reading_changes_nothing,
)
