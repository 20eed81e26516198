"""Collapsed inference against its twin, and what it promises: equations (30) to (34), (39)."""

import itertools
from dataclasses import replace

import corpora
import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import chi2

from ldavi import LatentDirichletAllocation
from ldavi._core.random_bits import pass_seed
from ldavi._core.threads import Workers
from ldavi._estep import SHARES, SLOTS
from ldavi._inference import cvb0_pass
from ldavi._inference.cvb0 import (
    AVERAGING,
    CAUTIOUS_ALPHA,
    CAUTIOUS_TRUST,
    FIRST_MIN_SHARE,
    SMOOTH,
    CollapsedPlan,
    add_pseudocounts,
    fit_batch_after,
    fit_collapsed,
    learned_priors,
    min_share,
    smoothed_priors,
)
from ldavi._inference.cvb0_pass import (
    MIN_SHARE,
    rounded_word_counts,
    sample_topics,
    uninitialised_assignments,
    update_assignments,
)
from ldavi._inference.dirichlet_priors import log_evidence
from ldavi._inference.vb_batch import Documents, PassSettings, all_words, fit_batch

LEAD = PassSettings(warmup=2, warmup_inner_iter=5, monotone_inner_iter=2, tol=1e-3, offset=0.5)
RTOL = {np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-11}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(cvb0_pass, "LEAST_COUNTS", 40)


def begun(X, alpha, eta, dtype=np.float64, passes=2, weight=None, n_jobs=1, min_share=MIN_SHARE):
    """A state after some passes, and the priors."""
    counts, _ = corpora.to_counts(X, dtype).compact()
    priors = corpora.make_priors(alpha, eta)
    weight = None if weight is None else np.asarray(weight, dtype)
    state = uninitialised_assignments(counts, weight, len(alpha))
    with Workers(n_jobs) as workers:
        for seed in range(passes):
            update_assignments(state, priors, workers, seed=seed, min_share=min_share)
    return state, priors


def assignments(state, n_topics):
    """Shares of each count by topic, (nnz, K), documents in order."""
    dense = np.zeros((len(state.counts.indices), n_topics))
    for block in state.blocks:
        first = state.counts.indptr[block.start]
        topic, share = block.topic[block.position], block.share[block.position]
        for slot in range(SLOTS):
            held = share[:, slot] > 0
            np.add.at(dense, (first + np.flatnonzero(held), topic[held, slot].astype(int)), share[held, slot])
    return dense


def masses(state):
    """Mass of one share of each count, documents in order."""
    return np.concatenate([block.mass[block.position] for block in state.blocks]).astype(np.float64)


def twin_weights(n_dk, own_doc, n_wk, own_word, n_k, alpha, eta, eta_total):
    """Equation (31), every count in tokens."""
    word = (eta + np.maximum(n_wk - own_word, 0)) / (eta_total + n_k - own_word)
    return (alpha + np.maximum(n_dk - own_doc, 0)) * word


def check_visit(X, K, dtype, seed, tau=MIN_SHARE, tau_before=MIN_SHARE):
    """Follow one pass count by count, taking over what was drawn, and compare what was not."""
    alpha, eta = corpora.random_alpha(1, K), 0.25
    state, priors = begun(X, alpha, eta, dtype, min_share=tau_before)
    old, unit, mass = assignments(state, K), state.unit, masses(state)
    N, totals = state.N[:, :K].astype(float) / unit, state.totals[:K] / unit
    with Workers(1) as workers:
        found = update_assignments(state, priors, workers, seed=seed, min_share=tau)
    new, counts, eta_total = assignments(state, K), state.counts, eta * state.counts.n_words
    expected = np.zeros(counts.n_docs)
    assert len(state.blocks) == 1  # so that N stands still
    for d in range(counts.n_docs):
        at = range(counts.indptr[d], counts.indptr[d + 1])
        n_dk = sum((counts.values[j] * old[j] / SHARES for j in at), np.zeros(K))
        for j in at:
            n, w = counts.values[j], counts.indices[j]
            own_doc, own_word = n * old[j] / SHARES, mass[j] * old[j] / unit
            weight = twin_weights(n_dk, own_doc, N[w], own_word, totals, alpha, eta, eta_total)
            phi = weight / weight.sum()
            check_count(phi, new[j], tau, RTOL[np.dtype(dtype)])
            expected[d] += n * np.log(weight.sum() / (counts.doc_tokens[d] - n + alpha.sum()))
            n_dk = n_dk + n * (new[j] - old[j]) / SHARES
    np.testing.assert_allclose(found, expected, rtol=RTOL[np.dtype(dtype)], atol=1e-5)


def check_count(phi, share, tau, rtol):
    """Equation (32): the largest topics keep what they have, one topic all the rest."""
    largest = np.argsort(-phi)[: SLOTS - 1]
    kept = largest[phi[largest] > tau * (1 + rtol)]
    doubtful = largest[np.abs(phi[largest] - tau) <= tau * rtol]
    rest = np.setdiff1d(np.flatnonzero(share), [*kept, *doubtful])
    assert share.sum() == SHARES
    assert len(rest) <= 1
    left = 2 if len(rest) == 0 else 0  # of rounding, which then falls to a kept one
    assert (np.abs(share[kept] - SHARES * phi[kept]) < 1 + left + SHARES * rtol).all()


@pytest.mark.parametrize("n_topics", [1, 3, 17, 40])
def test_a_visit_equals_the_twin(n_topics, dtype, instruction_set):
    check_visit(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), n_topics, dtype, seed=7)


@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
def test_a_visit_keeps_the_topics_above_the_share_that_it_is_given(tau, dtype, instruction_set):
    check_visit(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), 17, dtype, seed=7, tau=tau)


def test_counts_go_whole_from_one_topic_to_another(dtype, instruction_set):
    check_visit(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), 17, dtype, seed=7, tau=2.0, tau_before=2.0)


def test_a_visit_equals_the_twin_where_words_have_priors_of_their_own(dtype, instruction_set):
    X, K = corpora.random_counts(4, n_docs=8, n_words=12), 5
    alpha, V = corpora.random_alpha(4, K), X.shape[1]
    by_word = np.linspace(0.125, 2, V)
    one, priors = begun(X, alpha, by_word, dtype, passes=3)
    both, _ = begun(X, alpha, np.broadcast_to(by_word, (K, V)), dtype, passes=3)
    np.testing.assert_array_equal(one.N, both.N)
    with Workers(1) as workers:
        before = one.N[:, :K] / one.unit
        found = update_assignments(one, priors, workers, seed=3)
    assert np.isfinite(found).all()
    assert not np.array_equal(before, one.N[:, :K] / one.unit)


def test_shares_are_right_on_average(dtype):
    """Rounding and the draw lose nothing: over many seeds the mean share is φ. Equation (32)."""
    X, K, n = np.array([[1, 0, 0], [2, 3, 1], [0, 1, 4]]), 6, 3000
    alpha, eta = np.linspace(0.1, 0.6, K), 0.5
    state, priors = begun(X, alpha, eta, dtype)
    counts, first = state.counts, assignments(state, K)[0]
    n_wk, n_k, unit = state.N[counts.indices[0], :K] / state.unit, state.totals[:K] / state.unit, state.unit
    own = first / SHARES
    weight = twin_weights(own * 1, own, n_wk, masses(state)[0] * first / unit, n_k, alpha, eta, eta * 3)
    saved = [(block.topic.copy(), block.share.copy()) for block in state.blocks]
    N, totals, total = state.N.copy(), state.totals.copy(), np.zeros(K)
    with Workers(1) as workers:
        for seed in range(n):
            update_assignments(state, priors, workers, seed=10 + seed)
            total += assignments(state, K)[0]
            for block, (topic, share) in zip(state.blocks, saved, strict=True):
                block.topic[:], block.share[:] = topic, share
            state.N[:], state.totals[:] = N, totals
    phi = weight / weight.sum()
    error = np.sqrt(phi * (1 - phi) / n)  # at most: what is kept does not vary
    assert (np.abs(total / n / SHARES - phi) < 5 * error).all()


def test_what_is_not_kept_is_drawn_in_proportion(dtype, instruction_set, monkeypatch):
    """Of words alone in their documents, visited first: φ is α, and a topic of many is drawn as often as its φ has it."""
    n, K, large = 20_000, 150, [40, 140]
    monkeypatch.setattr(cvb0_pass, "LEAST_COUNTS", n)  # one block: all see the same
    alpha = np.linspace(0.5, 1.5, K)
    alpha[large] = 25  # of 199: kept
    state = uninitialised_assignments(corpora.to_counts(np.ones((n, 1)), dtype), None, K)
    with Workers(1) as workers:
        update_assignments(state, corpora.make_priors(alpha, 0.1), workers, seed=3)
    drawn = np.delete((assignments(state, K) > 0).sum(axis=0), large)
    expected = np.delete(n * alpha / np.delete(alpha, large).sum(), large)
    assert drawn.sum() == n
    assert ((drawn - expected) ** 2 / expected).sum() < chi2.ppf(1 - 1e-4, K - 3)


def test_sums_are_those_of_the_assignments_to_the_last_unit(dtype, small_blocks):
    X, K = corpora.topical_counts(1, n_docs=60), 4
    state, _ = begun(X, corpora.random_alpha(1, K), 0.1, dtype, passes=6)
    assert len(state.blocks) > 3
    shares = assignments(state, K)
    expected = np.zeros((len(state.counts.words), K))
    np.add.at(expected, state.counts.indices, masses(state)[:, None] * shares)
    np.testing.assert_array_equal(state.N[:, :K], expected)
    np.testing.assert_array_equal(state.totals[:K], expected.sum(axis=0))
    assert state.N.sum(dtype=float) == X.sum() * state.unit


@pytest.mark.parametrize("n_jobs", [2, 3, 7])
def test_the_bits_are_the_same_for_any_number_of_threads(n_jobs, dtype, small_blocks):
    X, alpha = corpora.topical_counts(2, n_docs=80), corpora.random_alpha(2, 5)
    one, _ = begun(X, alpha, 0.1, dtype, passes=4)
    many, _ = begun(X, alpha, 0.1, dtype, passes=4, n_jobs=n_jobs)
    np.testing.assert_array_equal(one.N, many.N)
    for block, other in zip(one.blocks, many.blocks, strict=True):
        np.testing.assert_array_equal(block.share, other.share)


def test_weights_scale_a_documents_mass(dtype):
    X = corpora.topical_counts(3)
    weight = np.linspace(0.25, 3, len(X))
    state, _ = begun(X, np.full(3, 0.2), 0.1, dtype, weight=weight)
    by_word = (weight[:, None] * X).sum(axis=0)[state.counts.words]
    np.testing.assert_allclose(state.N.sum(axis=1) / state.unit, by_word, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 0.37, 1e6, 3e9])
def test_counts_of_any_size_keep_their_sums(scale, dtype):
    X = corpora.topical_counts(4) * scale
    state, _ = begun(X, np.full(3, 0.2), 0.1, dtype)
    np.testing.assert_allclose(state.N.sum(axis=1) / state.unit, X.sum(axis=0)[state.counts.words], rtol=2e-3)
    assert (state.N >= 0).all()


def test_documents_without_words_do_no_harm(dtype):
    X = corpora.random_counts(0)
    X[[0, -1]] = 0
    state, priors = begun(X, np.full(2, 0.2), 0.1, dtype)
    with Workers(1) as workers:
        found = update_assignments(state, priors, workers, seed=5)
    np.testing.assert_array_equal(found[X.sum(axis=1) == 0], 0)
    assert state.N.sum(dtype=float) == X.sum() * state.unit


def test_tokens_are_drawn_from_the_posterior_of_their_document():
    """Means over draws against the enumerated posterior of one document of four tokens, topics fixed. Equation (35)."""
    K, X = 2, np.zeros((400, 3))
    X[:, 0], X[:, 1] = 2, 2
    X[0, 2] = 1
    alpha, eta = np.array([0.2, 0.5]), 0.3
    state, priors = begun(X, alpha, eta, passes=0)
    state.N[:, :K] = np.array([[900, 100], [200, 500], [100, 100]]) * state.unit
    state.totals[:K] = state.N[:, :K].sum(axis=0)
    beta = state.N[:, :K] / state.unit + eta
    beta /= beta.sum(axis=0)
    word_of = {int(word): row for row, word in enumerate(state.counts.words)}
    words = [word_of[w] for w in (0, 0, 1, 1)]
    log_p, first = [], []
    for z in itertools.product(range(K), repeat=4):
        n = np.bincount(z, minlength=K)
        log_p.append(gammaln(alpha + n).sum() + sum(np.log(beta[w, k]) for w, k in zip(words, z, strict=True)))
        first.append(n[0])
    p = np.exp(np.array(log_p) - logsumexp(log_p))
    mean, second = p @ np.array(first), p @ np.array(first) ** 2
    tokens = sample_topics(state, priors, first=0, step=1, seed=3)
    drawn = np.bincount(tokens.document[tokens.topic == 0], minlength=400)[1:]
    assert abs(drawn.mean() - mean) < 5 * np.sqrt((second - mean**2) / len(drawn))
    assert abs((drawn**2).mean() - second) < 5 * (drawn**2).std() / np.sqrt(len(drawn))


def test_every_step_th_document_is_sampled():
    X = corpora.topical_counts(5)
    state, priors = begun(X, np.full(3, 0.2), 0.1)
    tokens = sample_topics(state, priors, first=1, step=4, seed=3)
    assert tokens.documents.tolist() == [1, 5, 9, 13, 17]
    np.testing.assert_array_equal(np.bincount(tokens.document), X[tokens.documents].sum(axis=1))


# The loop


def run(X, alpha, eta, n_passes, plan=None, start=None, weight=None):
    """What passes led to."""
    documents = Documents(corpora.to_counts(X), weight)
    priors = corpora.make_priors(alpha, eta)
    with Workers(1) as workers:
        loop = fit_collapsed(documents, priors, start, plan or CollapsedPlan(1), workers)
        return list(itertools.islice(loop, n_passes)), priors


def test_the_topics_are_the_average_over_passes():
    """Each pass's weight is that of equation (39), multiplied out."""
    X, n = corpora.topical_counts(6), 7
    learned, priors = run(X, np.full(3, 0.2), 0.1, n)
    counts, _ = corpora.to_counts(X).compact()
    state, passes = uninitialised_assignments(counts, None, 3), []
    plan = CollapsedPlan(1)
    with Workers(1) as workers:
        for t in range(1, n + 1):
            update_assignments(state, priors, workers, seed=pass_seed(1, t), min_share=min_share(plan, t))
            passes.append(state.N[:, :3] / state.unit)
    rho = [(AVERAGING + 1) / (t + AVERAGING) for t in range(1, n + 1)]
    weights = [r * np.prod([1 - s for s in rho[t + 1 :]]) for t, r in enumerate(rho)]
    np.testing.assert_allclose(sum(weights), 1)
    expected = sum(w * p for w, p in zip(weights, passes, strict=True)) + 0.1
    np.testing.assert_allclose(learned[-1].lam[:, :3], expected, rtol=1e-9)


def planted_topics(K, V):
    """Topics of their own words, V / K each, and a little of the others'."""
    topics = np.kron(np.eye(K), np.ones(V // K)) + 0.01
    return topics / topics.sum(axis=1, keepdims=True)


def check_planted(topics):
    """Each planted topic's words are those of one topic found, and of another one each."""
    owner = topics.argmax(axis=0).reshape(len(topics), -1)
    assert (owner == owner[:, :1]).all()
    assert sorted(owner[:, 0]) == list(range(len(topics)))


def test_planted_topics_are_found():
    rng, K, V = np.random.default_rng(0), 4, 40
    X = rng.poisson(30 * rng.dirichlet(np.full(K, 0.2), 200) @ planted_topics(K, V))
    learned, _ = run(X, np.full(K, 0.2), 0.1, 40)
    check_planted(all_words(learned[-1], V)[:, :K].T)


def test_few_documents_show_their_planted_topics_within_thirty_passes():
    rng, K, V = np.random.default_rng(8), 3, 30
    X = np.array([rng.multinomial(80, p) for p in rng.dirichlet(np.full(K, 0.2), 60) @ planted_topics(K, V)])
    for seed in range(6):
        model = LatentDirichletAllocation(K, inference="cvb0", max_iter=30, tol=None, random_state=seed).fit(X)
        check_planted(model.topics_)


@pytest.mark.parametrize("rows_at_once", [7, 4096])
@pytest.mark.parametrize("weight", [None, 0.01, 0.1, 10])
@pytest.mark.parametrize("eta", [0.1, np.linspace(0.05, 0.3, 25)], ids=["one eta", "one for each word"])
def test_what_is_lent_are_the_tokens_of_the_corpus_in_proportion_to_the_topics(eta, weight, rows_at_once, monkeypatch):
    """Equation (46)."""
    monkeypatch.setattr("ldavi._inference.cvb0.ROWS_AT_ONCE", rows_at_once)
    X = corpora.topical_counts(7)
    weights = None if weight is None else np.full(len(X), weight)
    state, priors = begun(X, np.full(3, 0.2), eta, passes=0, weight=weights)
    of_words = np.random.default_rng(7).dirichlet(np.ones(3), len(state.counts.words)).T
    lam = corpora.word_major(of_words * X.sum(axis=0)[state.counts.words])
    lent = add_pseudocounts(state, lam, priors)[:, :3] / state.unit
    held = np.maximum(lam[:, :3] - priors.eta_rows(state.counts.words), 0)
    tokens = X.sum() * (weight or 1)
    np.testing.assert_allclose(lent, held * tokens / held.sum(), rtol=1e-3, atol=0.5 / state.unit)
    np.testing.assert_array_equal(state.N[:, :3] / state.unit, lent)
    np.testing.assert_allclose(state.totals[:3] / state.unit, lent.sum(axis=0))


def test_a_word_that_is_lent_more_than_its_mass_can_be_stays_within_it():
    """Given topics may put all on one word; its mass and what is lent go into 32 bits together."""
    X = corpora.topical_counts(7)
    state, priors = begun(X, np.full(3, 0.2), 0.1, np.float32, passes=0, weight=np.full(len(X), 0.1))
    lam = np.full((3, len(state.counts.words)), 1e-3)
    lam[:, 0] = 1e6
    lent = add_pseudocounts(state, corpora.word_major(lam, np.float32), priors)
    assert lent[0].max() == pytest.approx(0.99 * 2**30)
    with Workers(1) as workers:
        update_assignments(state, priors, workers, seed=0)
    assert (state.N >= 0).all()


def test_what_was_lent_for_the_first_pass_is_taken_back():
    X = corpora.topical_counts(7)
    start = corpora.word_major(corpora.random_lam(7, 3, X.shape[1]) * 50)
    learned, _ = run(X, np.full(3, 0.2), 0.1, 3, start=start)
    tokens = [found.lam[:, :3].sum() - 0.1 * 3 * len(found.words) for found in learned]
    np.testing.assert_allclose(tokens, X.sum())


def test_a_start_decides_which_topic_is_which():
    rng, K, V = np.random.default_rng(1), 3, 30
    topics = planted_topics(K, V)
    X = rng.poisson(30 * rng.dirichlet(np.full(K, 0.2), 100) @ topics)
    learned, _ = run(X, np.full(K, 0.2), 0.1, 10, start=corpora.word_major(topics * 5000))
    assert (all_words(learned[-1], V)[:, :K].argmax(axis=1) == np.repeat(np.arange(K), V // K)).all()


def test_priors_are_learned_after_the_passes_that_the_plan_names():
    X = corpora.topical_counts(8, n_docs=60)
    plan = CollapsedPlan(1, learn_alpha=True, learn_eta=True, learn_from=4, learn_every=3)
    learned, priors = run(X, np.full(3, 0.2), 0.1, 10, plan)
    changed = [i + 1 for i in range(10) if learned[i].priors is not (priors if i == 0 else learned[i - 1].priors)]
    assert changed == [4, 7, 10]
    assert (learned[-1].priors.alpha > 0).all()
    assert learned[-1].priors.eta.shape == (1, 1)


def visited_with(monkeypatch, plan, alpha, n_passes=9):
    """α of each visit, and the α that each pass ended with."""
    seen = []

    def watch(state, priors, workers, **options):
        seen.append(priors.alpha)
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.visit_all", watch)
    learned, _ = run(corpora.topical_counts(8, n_docs=60, length=100), alpha, 0.1, n_passes, plan)
    return np.array(seen), np.array([reached.priors.alpha for reached in learned])


def test_while_alpha_is_learned_documents_are_visited_with_less_and_less_of_its_differences(monkeypatch):
    """Ratios of two topics are those of the learned α to the power t0 / t, equation (44); the sum stays."""
    plan = CollapsedPlan(1, learn_alpha=True, learn_from=2, learn_every=2)
    seen, learned = visited_with(monkeypatch, plan, np.full(3, 0.2))
    power = 2 / np.arange(3, 10)[:, None]
    ratios = (learned[1:-1] / learned[1:-1, :1]) ** power
    np.testing.assert_allclose(seen[2:] / seen[2:, :1], ratios, rtol=1e-12)
    np.testing.assert_allclose(seen[2:].sum(axis=1), learned[1:-1].sum(axis=1), rtol=1e-12)
    assert np.ptp(learned[-1]) > 1e-3


def test_tokens_for_learning_are_drawn_with_the_alpha_of_the_visits(monkeypatch):
    plan, drawn = CollapsedPlan(1, learn_alpha=True, learn_from=2, learn_every=2), []

    def watch(state, priors, **options):
        drawn.append(priors.alpha)
        return sample_topics(state, priors, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.sample_tokens", watch)
    seen, _ = visited_with(monkeypatch, plan, np.full(3, 0.2))
    np.testing.assert_array_equal(drawn, seen[1::2])


def watch_tau(monkeypatch):
    """Where τ of each pass will be found."""
    seen = []

    def watch(state, priors, workers, **options):
        seen.append(options["kept_above"])
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.visit_all", watch)
    return seen


@pytest.mark.parametrize(("lead", "first"), [(None, 0.5), (LEAD, 0.25)], ids=["from nothing", "from topics of VB"])
def test_topics_are_kept_above_a_larger_share_first_and_then_above_less_and_less(lead, first):
    """Equation (45): τ falls as t0 / t, to a tenth."""
    plan = CollapsedPlan(1, lead, 3, learn_from=4)
    expected = [first] * 4 + [max(0.1, first * 4 / t) for t in range(5, 30)]
    np.testing.assert_allclose([min_share(plan, t) for t in range(1, 30)], expected)


def test_a_fit_that_starts_from_topics_draws_no_more_at_first(monkeypatch):
    X, seen = corpora.topical_counts(8), watch_tau(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None, init=np.ones((3, X.shape[1]))).fit(X)
    assert seen == [0.1] * 6


@pytest.mark.parametrize(
    ("least_tokens", "expected"),
    [(1e9, [0.5, 0.5, 0.5, 1.5 / 4, 1.5 / 5, 1.5 / 6]), (0, [0.25, 0.25 / 2, 0.1])],
    ids=["from nothing", "led"],
)
def test_a_fit_draws_more_until_priors_are_learned(least_tokens, expected, monkeypatch):
    monkeypatch.setattr("ldavi._estimator.schedule.MANY_TOKENS", least_tokens)
    X, seen = corpora.topical_counts(8), watch_tau(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None, init="random").fit(X)
    np.testing.assert_allclose(seen, expected)


def test_a_fit_from_what_documents_tell_draws_no_more_at_first(monkeypatch):
    X, seen = corpora.topical_counts(8), watch_tau(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None).fit(X)
    assert seen == [0.1] * 3  # after three variational passes


# The variational passes before them


def test_collapsed_passes_start_from_the_topics_of_the_variational_ones(monkeypatch):
    X, alpha, eta = corpora.topical_counts(10), np.full(3, 0.2), 0.1
    noise = corpora.random_lam(10, 3, X.shape[1])
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, eta)
    with Workers(1) as workers:
        variational = itertools.islice(fit_batch(documents, priors, corpora.word_major(noise), LEAD, workers), 3)
        for found in variational:
            topics = all_words(found, X.shape[1]).copy()
    monkeypatch.setattr("ldavi._inference.cvb0.KEPT_ABOVE_AFTER_LEAD", FIRST_MIN_SHARE)  # or τ would not be the same
    led, _ = run(X, alpha, eta, 5, CollapsedPlan(1, LEAD, 3), corpora.word_major(noise))
    from_topics, _ = run(X, alpha, eta, 2, CollapsedPlan(1), topics)
    np.testing.assert_array_equal(all_words(led[2], X.shape[1]), topics)
    for one, other in zip(led[3:], from_topics, strict=True):
        np.testing.assert_array_equal(one.lam, other.lam)


def test_priors_that_the_variational_passes_learn_end_with_them():
    X, alpha, lead = corpora.topical_counts(10), np.full(3, 0.2), replace(LEAD, learn_alpha=True, learn_eta=True)
    start = corpora.word_major(corpora.random_lam(10, 3, X.shape[1]))
    learned, given = run(X, alpha, 0.1, 9, CollapsedPlan(1, lead, 8), start)
    assert not np.array_equal(learned[7].priors.alpha, given.alpha)
    np.testing.assert_array_equal(learned[8].priors.alpha, given.alpha)
    np.testing.assert_array_equal(learned[8].priors.eta, given.eta)


def test_priors_that_collapsed_passes_learn_end_with_them():
    X, alpha = corpora.topical_counts(10), np.full(3, 0.2)
    documents, given = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, 0.1)
    collapsed = CollapsedPlan(1, learn_alpha=True, learn_eta=True, learn_from=2)
    plan = PassSettings(
        warmup=4, warmup_inner_iter=5, monotone_inner_iter=2, tol=1e-3, learn_alpha=True, learn_eta=True
    )
    with Workers(1) as workers:
        loop = fit_batch_after(documents, given, None, collapsed, 3, plan, workers)
        learned = [found.priors for found in itertools.islice(loop, 4)]
    assert not np.array_equal(learned[2].alpha, alpha)
    np.testing.assert_array_equal(learned[3].alpha, alpha)
    np.testing.assert_array_equal(learned[3].eta, given.eta)


@pytest.mark.parametrize(
    ("learns", "cautious", "expected"),
    [(True, True, 0.02), (True, False, 0.2), (False, True, 0.2)],
    ids=["cautiously", "learned", "given"],
)
def test_an_alpha_that_is_learned_begins_smaller_where_it_is_learned_cautiously(
    learns, cautious, expected, monkeypatch
):
    """Equation (48)."""
    monkeypatch.setattr("ldavi._inference.cvb0.CAUTIOUS_ALPHA", 0.06)
    X = corpora.topical_counts(10)
    start = corpora.word_major(corpora.random_lam(10, 3, X.shape[1]))
    plan = CollapsedPlan(1, LEAD, 2, cautious=cautious, learn_alpha=learns)
    learned, _ = run(X, np.full(3, 0.2), 0.1, 4, plan, start)
    np.testing.assert_allclose(learned[-1].priors.alpha, np.full(3, expected))


def test_an_alpha_that_is_small_already_begins_as_it_is():
    X = corpora.topical_counts(10)
    start = corpora.word_major(corpora.random_lam(10, 3, X.shape[1]))
    learned, _ = run(X, np.full(3, 0.2), 0.1, 4, CollapsedPlan(1, LEAD, 2, cautious=True, learn_alpha=True), start)
    assert CAUTIOUS_ALPHA > 3 * 0.2
    np.testing.assert_array_equal(learned[-1].priors.alpha, np.full(3, 0.2))


@pytest.mark.parametrize(
    ("init", "max_iter", "n_lead"),
    [
        ("auto", 1, 0),
        ("auto", 2, 1),
        ("auto", 9, 4),
        ("auto", 40, 5),
        ("random", 9, 4),
        ("random", 60, 30),
        ("random", 64, 30),
    ],
)
def test_five_passes_or_thirty_from_noise_or_half_of_a_fit_are_variational(init, max_iter, n_lead, monkeypatch):
    monkeypatch.setattr("ldavi._estimator.schedule.MANY_TOKENS", 0)
    X = corpora.topical_counts(8)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=max_iter, tol=None, init=init).fit(X)
    trace = model.elbo_trace_
    assert trace["phase"].tolist() == ["warmup"] * n_lead + ["collapsed"] * (max_iter - n_lead) + ["final"]
    np.testing.assert_array_equal(trace["iteration"][:-1], np.arange(1, max_iter + 1))
    assert (np.diff(trace["seconds"]) > 0).all()


@pytest.mark.parametrize(("tokens", "phase"), [(9_999, "collapsed"), (10_000, "warmup")])
def test_from_noise_variational_passes_come_first_where_each_topic_has_ten_thousand_tokens(tokens, phase):
    X = np.full((8, 5), tokens * 3 / 40)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init="random").fit(X)
    assert model.elbo_trace_["phase"][0] == phase


@pytest.mark.parametrize("init", ["auto", "random"])
@pytest.mark.parametrize(("tokens", "cautious"), [(9_999, False), (10_000, True)])
def test_alpha_is_learned_cautiously_where_each_topic_has_ten_thousand_tokens(tokens, cautious, init, monkeypatch):
    plans = []

    def watch(documents, priors, start, plan, workers):
        plans.append(plan)
        return fit_collapsed(documents, priors, start, plan, workers)

    monkeypatch.setattr("ldavi._estimator.schedule.fit_collapsed", watch)
    X = np.full((8, 5), tokens * 3 / 40)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init=init).fit(X)
    assert plans[0].cautious is cautious


def test_a_fit_that_starts_from_given_topics_has_no_variational_passes():
    X = corpora.topical_counts(8)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init=np.ones((3, X.shape[1]))).fit(X)
    assert "warmup" not in model.elbo_trace_["phase"]


@pytest.mark.parametrize(
    "rule",
    [{"tol": 1e9}, {"tol": None, "evaluate_every": 1, "perp_tol": 1e9}],
    ids=["the objective", "scikit-learn's"],
)
def test_no_rule_ends_a_fit_in_its_variational_passes(rule):
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=200, **rule).fit(corpora.topical_counts(8))
    assert model.elbo_trace_["phase"][-2] == "collapsed"
    assert model.n_iter_ < 200


def test_up_to_the_pass_that_first_learns_it_alpha_is_that_of_the_visits(monkeypatch):
    given = np.array([0.1, 0.2, 0.4])
    seen, _ = visited_with(monkeypatch, CollapsedPlan(1, learn_alpha=True, learn_from=5), given)
    np.testing.assert_array_equal(seen[:5], np.tile(given, (5, 1)))


def test_an_alpha_that_is_given_is_that_of_the_visits(monkeypatch):
    given = np.array([0.1, 0.2, 0.4])
    seen, learned = visited_with(monkeypatch, CollapsedPlan(1, learn_eta=True, learn_from=2), given)
    np.testing.assert_array_equal(seen, np.tile(given, (9, 1)))
    np.testing.assert_array_equal(learned, seen)


def test_an_eta_that_is_learned_is_larger_in_the_visits():
    """Equation (47): half way to η_0, by logarithms, and never smaller than what is learned."""
    plan, alpha = CollapsedPlan(1, learn_eta=True), np.full(3, 0.2)
    learned = SMOOTH * np.array([1 / 100, 1 / 4, 1, 4])
    seen = [smoothed_priors(corpora.make_priors(alpha, eta), plan, 50).eta.item() for eta in learned]
    np.testing.assert_allclose(seen, SMOOTH * np.array([1 / 10, 1 / 2, 1, 4]))


def test_counts_are_visited_with_the_larger_eta(monkeypatch):
    monkeypatch.setattr("ldavi._inference.cvb0.SMOOTH", 10.0)
    plan, seen = CollapsedPlan(1, learn_eta=True, learn_from=2, learn_every=2), []

    def watch(state, priors, workers, **options):
        seen.append(priors.eta.item())
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.visit_all", watch)
    learned, _ = run(corpora.topical_counts(8), np.full(3, 0.2), 0.1, 6, plan)
    before = [0.1, *(reached.priors.eta.item() for reached in learned[:-1])]
    np.testing.assert_allclose(seen, np.sqrt(10.0 * np.array(before)))


def test_an_eta_that_is_given_is_that_of_the_visits():
    priors = corpora.make_priors(np.full(3, 0.2), 0.001)
    np.testing.assert_array_equal(smoothed_priors(priors, CollapsedPlan(1, learn_alpha=True), 50).eta, priors.eta)


def test_the_topics_of_a_pass_hold_the_eta_that_is_learned_not_that_of_the_visits(monkeypatch):
    monkeypatch.setattr("ldavi._inference.cvb0.SMOOTH", 10.0)
    X = corpora.topical_counts(8)
    passes, _ = run(X, np.full(3, 0.2), 0.1, 12, CollapsedPlan(1, learn_eta=True, learn_from=2, learn_every=2))
    last = passes[-1]
    assert last.priors.eta < 1
    np.testing.assert_allclose(last.lam[:, :3].sum() - X.sum(), len(last.lam) * 3 * last.priors.eta.item(), rtol=1e-4)


def test_whole_tokens_are_the_counts_of_the_topics_where_those_are_whole():
    state, _ = begun(corpora.topical_counts(8), np.full(3, 0.2), 0.1)
    state.N[:] = np.rint(state.N / state.unit) * state.unit
    whole = (state.N / state.unit)[:, :3].astype(int)
    with Workers(1) as workers:
        counted = rounded_word_counts(state, workers, seed=1)
    value, times = np.unique(whole[whole > 0], return_counts=True)
    np.testing.assert_array_equal(counted.value, value)
    np.testing.assert_array_equal(counted.times, times)
    np.testing.assert_array_equal(np.repeat(counted.total, counted.total_times.astype(int)), np.sort(whole.sum(axis=0)))


def test_whole_tokens_are_those_of_the_topics_on_average():
    X = corpora.topical_counts(8)
    state, _ = begun(X, np.full(3, 0.2), 0.1, weight=np.full(len(X), 0.3))
    tokens = state.N[:, :3] / state.unit
    assert np.any(tokens % 1)
    with Workers(1) as workers:
        drawn = [rounded_word_counts(state, workers, seed=seed) for seed in range(400)]
    np.testing.assert_allclose(np.mean([one.value @ one.times for one in drawn]), tokens.sum(), rtol=5e-3)
    held = np.sum(np.minimum(tokens, 1))  # P(at least one) of each
    np.testing.assert_allclose(np.mean([one.times.sum() for one in drawn]), held, rtol=5e-3)


def test_whole_tokens_of_two_words_are_rounded_by_bits_of_their_own(monkeypatch):
    """Roundings that do not depend on each other spread a sum by the root of the sum of their variances."""
    monkeypatch.setattr(cvb0_pass, "ROWS_AT_ONCE", 1)
    X = corpora.topical_counts(8)
    state, _ = begun(X, np.full(3, 0.2), 0.1, weight=np.full(len(X), 0.3))
    part = state.N / state.unit % 1
    with Workers(1) as workers:
        drawn = [rounded_word_counts(state, workers, seed=seed) for seed in range(400)]
    spread = np.std([one.value @ one.times for one in drawn])
    np.testing.assert_allclose(spread, np.sqrt(np.sum(part * (1 - part))), rtol=0.15)


def test_whole_tokens_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(cvb0_pass, "ROWS_AT_ONCE", 7)
    state, _ = begun(corpora.topical_counts(8), np.full(3, 0.2), 0.1)
    with Workers(1) as one, Workers(3) as three:
        for expected, counted in zip(
            rounded_word_counts(state, one, seed=5), rounded_word_counts(state, three, seed=5), strict=True
        ):
            np.testing.assert_array_equal(counted, expected)


def test_eta_is_learned_from_all_tokens_where_their_evidence_is_highest():
    X, plan = corpora.topical_counts(8, n_docs=200), CollapsedPlan(1, learn_eta=True)
    state, priors = begun(X, np.full(3, 0.2), 0.1, passes=6)
    with Workers(1) as workers:
        eta = learned_priors(state, priors, None, plan, 20, workers).eta.item()
        tokens = rounded_word_counts(state, workers, seed=pass_seed(plan.seed + 1, 20))
    evidence = [log_evidence(tokens, np.array([x]), X.shape[1]) for x in (0.98 * eta, eta, 1.02 * eta)]
    assert tokens.total @ tokens.total_times == pytest.approx(X.sum(), rel=0.01)
    assert evidence[1] > max(evidence[0], evidence[2])


def test_where_no_word_occurs_priors_stay_as_they_began():
    with pytest.warns(UserWarning, match="no counts"):
        model = LatentDirichletAllocation(2, inference="cvb0", max_iter=60, tol=None).fit(np.zeros((5, 6)))
    assert model.topic_word_prior_ == 0.05
    np.testing.assert_array_equal(model.doc_topic_prior_, [0.1, 0.1])


@pytest.mark.parametrize(("cautious", "trust"), [(False, 1.0), (True, CAUTIOUS_TRUST)])
def test_alpha_is_learned_where_the_evidence_of_the_drawn_topics_is_highest(cautious, trust):
    """What occurs is weighted where α is learned cautiously. Equation (49)."""
    X, plan = corpora.topical_counts(8, n_docs=200), CollapsedPlan(1, cautious=cautious, learn_alpha=True)
    state, priors = begun(X, np.full(3, 0.2), 0.1, passes=6)
    with Workers(1) as workers:
        alpha = learned_priors(state, priors, None, plan, 20, workers).alpha
    tokens = sample_topics(state, priors, first=20 // plan.learn_every, step=1, seed=pass_seed(plan.seed + 1, 20))
    n = np.zeros((len(X), 3))
    np.add.at(n, (tokens.document, tokens.topic), 1)

    def objective(x):
        fall = gammaln(x.sum()) - gammaln(x.sum() + n.sum(axis=1))
        return np.sum(fall) + trust * np.sum(gammaln(x + n) - gammaln(x))

    assert 0 < CAUTIOUS_TRUST < 1
    assert all(objective(alpha) > objective(alpha * (1 + step)) for step in 0.02 * np.vstack([np.eye(3), -np.eye(3)]))


def test_a_record_has_the_predictive_log_likelihood_and_no_bound():
    X = corpora.topical_counts(9)
    record = run(X, np.full(3, 0.2), 0.1, 2)[0][-1].record
    assert record.phase == "collapsed"
    assert np.isnan(record.elbo)
    assert record.objective == record.predictive < 0
    np.testing.assert_allclose(record.perplexity, np.exp(-record.predictive / X.sum()))
