"""Collapsed passes with sparse rows of n_wk: the same distributions as with dense ones. Section 18."""

import corpora
import numpy as np
import pytest
from scipy.stats import chi2
from test_cvb0 import (
    after_passes,
    check_pass,
    counts_of,
    dense_shares,
    masses,
    reference_weights,
    whole,
    word_masses,
)

from ldavi import LatentDirichletAllocation
from ldavi._core.documents import Documents
from ldavi._core.threads import Workers
from ldavi._estep import SHARES
from ldavi._inference import assignments, sparse_rows
from ldavi._inference.assignments import SPARSE_TOPICS, uninitialised_assignments
from ldavi._inference.cvb0 import Cvb0, Cvb0Settings
from ldavi._inference.cvb0_pass import DRAW_ALL, update_assignments


@pytest.fixture(autouse=True, params=["sparse", "dense"])
def kind_of_rows(request, monkeypatch):
    """Store all rows in one way, in passes for many topics."""
    monkeypatch.setattr(assignments, "SPARSE_TOPICS", 1)
    monkeypatch.setattr(sparse_rows, "DENSE_COUNTS", np.inf if request.param == "sparse" else 0)
    return request.param


def random_corpus():
    return corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5)


def eta_of(kind, n_topics, n_words):
    shape = {"one": (), "word": (n_words,), "topic and word": (n_topics, n_words)}[kind]
    return np.random.default_rng(5).uniform(0.05, 1, shape)


def first_counts(state, priors, tau, n_passes):
    """Return the mean shares of the first count of each document over many seeds, each pass from the same state."""
    part, rows, total = whole(state), state.sparse, 0.0
    before = [x.copy() for x in (part.topic, part.share, rows.length, rows.topic, rows.mass, state.totals)]
    starts = counts_of(state).indptr[:-1][np.diff(counts_of(state).indptr) > 0]
    with Workers(1) as workers:
        for seed in range(n_passes):
            update_assignments(state, priors, workers, seed=100 + seed, min_share=tau)
            total = total + dense_shares(state, priors.n_topics)[starts]
            after = part.topic, part.share, rows.length, rows.topic, rows.mass, state.totals
            for array, values in zip(after, before, strict=True):
                array[:] = values
    return total / n_passes / SHARES


@pytest.mark.parametrize("n_topics", [1, 3, 17, 40, 100])
def test_a_pass_equals_the_reference_implementation(n_topics, dtype, instruction_set):
    check_pass(random_corpus(), n_topics, dtype, seed=7)


@pytest.mark.parametrize("tau", [0.01, 0.05, 0.5, 2.0])
def test_topics_above_the_given_share_are_deterministic(tau, dtype, instruction_set):
    check_pass(random_corpus(), 17, dtype, seed=7, tau=tau)


def test_whole_counts_follow_whole_counts(dtype):
    check_pass(random_corpus(), 17, dtype, seed=7, tau=DRAW_ALL, tau_before=DRAW_ALL)


@pytest.mark.parametrize("kind", ["word", "topic and word"])
def test_eta_may_vary(kind, dtype):
    check_pass(random_corpus(), 17, dtype, seed=7, eta=eta_of(kind, 17, 20))


@pytest.mark.parametrize("tau", [0.1, DRAW_ALL])
@pytest.mark.parametrize("kind", ["one", "topic and word"])
def test_shares_have_the_mean_phi(kind, tau):
    X, K, n = random_corpus(), 12, 250
    alpha, eta = corpora.random_alpha(1, K), eta_of(kind, 12, 20)
    state, priors = after_passes(X, alpha, eta, np.float32)
    counts, unit, old, N = counts_of(state), state.unit, dense_shares(state, K), word_masses(state)[:, :K]
    by_topic, mass = np.broadcast_to(eta, (K, X.shape[1])), masses(state)
    totals, phi = state.totals[:K] / unit, []
    for d in np.flatnonzero(np.diff(counts.indptr)):
        at = np.arange(counts.indptr[d], counts.indptr[d + 1])
        shares, j = counts.values[at, None] * old[at] / SHARES, at[0]
        of_word, own = by_topic[:, counts.words[counts.indices[j]]], mass[j] * old[j] / unit
        n_wk = N[counts.indices[j]] / unit
        weight = reference_weights(shares.sum(0), shares[0], n_wk, own, totals, alpha, of_word, by_topic.sum(axis=1))
        phi.append(weight / weight.sum())
    error = np.sqrt(np.multiply(phi, np.subtract(1, phi)) / n)  # at most: deterministic shares do not vary
    assert (np.abs(first_counts(state, priors, tau, n) - phi) < 5 * error + 1e-4).all()


@pytest.mark.parametrize("kind", ["one", "topic and word"])
def test_topics_without_mass_are_sampled_in_proportion_to_the_priors(kind, monkeypatch):
    """In the first pass, no document has a topic and no topic has mass."""
    n, K = 4000, 20
    monkeypatch.setattr(assignments, "MIN_COUNTS", n)  # one block, so that n_wk stays 0
    alpha, eta = np.linspace(0.01, 1, K), eta_of(kind, K, 1)
    state = uninitialised_assignments(Documents(corpora.to_counts(np.ones((n, 1)), np.float32), None), K)
    with Workers(1) as workers:
        update_assignments(state, corpora.make_priors(alpha, eta), workers, seed=3, min_share=DRAW_ALL)
    found, expected = np.bincount(whole(state).topic[:, 0], minlength=K), n * alpha / alpha.sum()
    assert ((found - expected) ** 2 / expected).sum() < chi2.ppf(0.999, K - 1)


def test_rows_equal_the_sums_of_the_assignments_exactly(dtype, kind_of_rows, monkeypatch):
    monkeypatch.setattr(assignments, "MIN_COUNTS", 40)
    K = 30
    state, _ = after_passes(random_corpus(), corpora.random_alpha(1, K), 0.1, dtype, passes=4)
    expected = np.zeros((len(state.sparse), K))
    np.add.at(expected, counts_of(state).indices, masses(state)[:, None] * dense_shares(state, K))
    np.testing.assert_array_equal(word_masses(state)[:, :K], expected)
    np.testing.assert_array_equal(state.totals[:K], expected.sum(axis=0))
    if kind_of_rows == "sparse":
        np.testing.assert_array_equal(state.sparse.length, (expected > 0).sum(axis=1))


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_threads_do_not_change_bits(n_jobs, monkeypatch):
    monkeypatch.setattr(assignments, "MIN_COUNTS", 40)
    one, many = (
        after_passes(random_corpus(), corpora.random_alpha(1, 30), 0.1, np.float32, passes=3, n_jobs=n)[0]
        for n in (1, n_jobs)
    )
    np.testing.assert_array_equal(word_masses(one), word_masses(many))
    np.testing.assert_array_equal(dense_shares(one, 30), dense_shares(many, 30))


def test_a_state_that_is_restored_continues_with_the_same_bits():
    """n_wk is not saved, since the assignments determine it."""
    counts, _ = corpora.to_counts(random_corpus(), np.float32).compact()
    documents, phase = Documents(counts, None), Cvb0(Cvb0Settings(seed=1, learn_alpha=True, learn_eta=True), 30)
    priors, found = corpora.make_priors(np.full(30, 0.1), 0.1), []
    with Workers(1) as workers:
        state = phase.start(documents, priors, lambda: pytest.fail("no topics are needed"))
        for now, record in phase.passes(documents, state, workers):
            if record.iteration == 22:
                saved = {name: np.copy(x) if isinstance(x, np.ndarray) else x for name, x in now.to_arrays().items()}
                saved |= {name: [np.copy(x) for x in saved[name]] for name in ("topic", "share")}
        found.append(state.result.lam)
        state = phase.from_arrays(documents, saved)
        list(phase.passes(documents, state, workers))
        found.append(state.result.lam)
    np.testing.assert_array_equal(*found)


def test_a_fit_that_starts_from_topics_ends_as_well_as_with_dense_rows(monkeypatch):
    X = corpora.random_counts(8, n_docs=200, n_words=60, mean=0.5)
    options = {"inference": "cvb0", "max_iter": 30, "tol": None, "random_state": 0}
    sparse = LatentDirichletAllocation(10, **options).fit(X)
    monkeypatch.setattr(assignments, "SPARSE_TOPICS", SPARSE_TOPICS)
    dense = LatentDirichletAllocation(10, **options).fit(X)
    assert sparse.elbo_ == pytest.approx(dense.elbo_, rel=0.01)
