"""CVB0 against a reference implementation, and its guarantees. Sections 18 and 19."""

import itertools
from dataclasses import replace

import corpora
import numpy as np
import pytest
import reference
from scipy.special import gammaln, logsumexp
from scipy.stats import chi2

from ldavi import LatentDirichletAllocation
from ldavi._core.documents import Documents
from ldavi._core.random_bits import pass_seed
from ldavi._core.threads import Workers
from ldavi._estep import SHARES, SLOTS
from ldavi._inference import assignments, cvb0_pass, topic_samples
from ldavi._inference.assignments import uninitialised_assignments
from ldavi._inference.cvb0 import (
    AVERAGING,
    LIMITED_ALPHA,
    LIMITED_TRUST,
    SMOOTH_ETA,
    WHOLE_EVERY,
    Cvb0,
    Cvb0Settings,
    add_pseudocounts,
    learned_priors,
    smoothed_priors,
)
from ldavi._inference.cvb0_pass import (
    DRAW_ALL,
    MIN_SHARE,
    kernel_priors,
    rounded_word_counts,
    update_assignments,
    update_part,
)
from ldavi._inference.topic_samples import sample_topics
from ldavi._inference.vb_batch import BatchVB

RTOL = {np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-11}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(assignments, "MIN_COUNTS", 40)


def after_passes(X, alpha, eta, dtype=np.float64, passes=2, weight=None, n_jobs=1, min_share=MIN_SHARE):
    """Return assignments after some passes, and the priors."""
    counts, _ = corpora.to_counts(X, dtype).compact()
    priors = corpora.make_priors(alpha, eta)
    weight = None if weight is None else np.asarray(weight, dtype)
    state = uninitialised_assignments(Documents(counts, weight), len(alpha))
    with Workers(n_jobs) as workers:
        for seed in range(passes):
            update_assignments(state, priors, workers, seed=seed, min_share=min_share)
    return state, priors


def whole(state):
    """Return the only part of assignments in memory."""
    (part,) = state.parts()
    return part


def counts_of(state):
    return whole(state).documents.counts


def log_predictives(state, priors, *, seed, min_share=MIN_SHARE):
    """Reassign every count once, and return the predictive log-likelihood of each document."""
    part, kernel = whole(state), kernel_priors(state, priors)
    with Workers(1) as workers:
        found = update_part(part, state, kernel, workers, seed=seed, min_share=min_share)
    state.store(part)
    return found


def dense_shares(state, n_topics):
    """Return the shares of each count by topic, (nnz, K), with documents in order."""
    part = whole(state)
    dense = np.zeros((len(part.topic), n_topics))
    for block in part.blocks:
        topic, share = part.topic[block.counts][block.position], part.share[block.counts][block.position]
        for slot in range(SLOTS):
            used = share[:, slot] > 0
            at = block.counts.start + np.flatnonzero(used)
            np.add.at(dense, (at, topic[used, slot].astype(int)), share[used, slot])
    return dense


def masses(state):
    """Return the mass of one share of each count, with documents in order."""
    return np.concatenate([block.mass[block.position] for block in whole(state).blocks]).astype(np.float64)


def sample_of(state, priors, **options):
    """Return the sample of topics of assignments in memory."""
    (sample,) = sample_topics(state, priors, Workers(1), **options)
    return sample


def reference_weights(n_dk, own_doc, n_wk, own_word, n_k, alpha, eta, eta_total):
    """Return the unnormalised φ of equation (18.2), with all counts in tokens."""
    word = (eta + np.maximum(n_wk - own_word, 0)) / (eta_total + n_k - own_word)
    return (alpha + np.maximum(n_dk - own_doc, 0)) * word


def word_masses(state):
    """Return n_wk in units of mass as a dense array of shape (U, Kp)."""
    if state.sparse is None:
        return state.N
    N = np.zeros((len(state.sparse), state.width), state.N.dtype)
    row, topic, mass = state.sparse.entries(0, len(N))
    N[row, topic] = mass
    return N


def check_pass(X, K, dtype, seed, tau=MIN_SHARE, tau_before=MIN_SHARE, eta=0.25):
    """Repeat a pass count by count: take over the sampled topics, and compare the deterministic shares."""
    alpha = corpora.random_alpha(1, K)
    state, priors = after_passes(X, alpha, eta, dtype, min_share=tau_before)
    old, unit, mass = dense_shares(state, K), state.unit, masses(state)
    N, totals = word_masses(state)[:, :K].astype(float) / unit, state.totals[:K] / unit
    found = log_predictives(state, priors, seed=seed, min_share=tau)
    new, counts = dense_shares(state, K), counts_of(state)
    by_topic = np.broadcast_to(eta, (K, X.shape[1]))
    expected = np.zeros(counts.n_docs)
    assert len(whole(state).blocks) == 1  # so that N is constant
    for d in range(counts.n_docs):
        at = range(counts.indptr[d], counts.indptr[d + 1])
        n_dk = sum((counts.values[j] * old[j] / SHARES for j in at), np.zeros(K))
        for j in at:
            n, w = counts.values[j], counts.indices[j]
            own_doc, own_word = n * old[j] / SHARES, mass[j] * old[j] / unit
            of_word, eta_total = by_topic[:, counts.words[w]], by_topic.sum(axis=1)
            weight = reference_weights(n_dk, own_doc, N[w], own_word, totals, alpha, of_word, eta_total)
            phi = weight / weight.sum()
            check_count(phi, new[j], tau, RTOL[np.dtype(dtype)])
            expected[d] += n * np.log(weight.sum() / (counts.doc_tokens[d] - n + alpha.sum()))
            n_dk = n_dk + n * (new[j] - old[j]) / SHARES
    np.testing.assert_allclose(found, expected, rtol=RTOL[np.dtype(dtype)], atol=1e-5)


def check_count(phi, share, tau, rtol):
    """Check equation (18.3): the largest topics have their own shares, and one topic has all the rest."""
    largest = np.argsort(-phi)[: SLOTS - 1]
    deterministic = largest[phi[largest] > tau * (1 + rtol)]
    doubtful = largest[np.abs(phi[largest] - tau) <= tau * rtol]
    rest = np.setdiff1d(np.flatnonzero(share), [*deterministic, *doubtful])
    assert share.sum() == SHARES
    assert len(rest) <= 1
    rounding = 2 if len(rest) == 0 else 0  # which a deterministic topic then receives
    assert (np.abs(share[deterministic] - SHARES * phi[deterministic]) < 1 + rounding + SHARES * rtol).all()


@pytest.mark.parametrize("n_topics", [1, 3, 17, 40])
def test_a_pass_equals_the_reference_implementation(n_topics, dtype, instruction_set):
    check_pass(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), n_topics, dtype, seed=7)


@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
def test_topics_above_the_given_share_are_deterministic(tau, dtype, instruction_set):
    check_pass(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), 17, dtype, seed=7, tau=tau)


def test_counts_are_reassigned_as_a_whole_if_tau_exceeds_1(dtype, instruction_set):
    check_pass(corpora.random_counts(3, n_docs=15, n_words=20, mean=1.5), 17, dtype, seed=7, tau=2.0, tau_before=2.0)


def test_an_eta_of_each_word_gives_the_same_pass_as_the_same_eta_for_each_word_and_topic(dtype, instruction_set):
    X, K = corpora.random_counts(4, n_docs=8, n_words=12), 5
    alpha, V = corpora.random_alpha(4, K), X.shape[1]
    by_word = np.linspace(0.125, 2, V)
    one, priors = after_passes(X, alpha, by_word, dtype, passes=3)
    both, _ = after_passes(X, alpha, np.broadcast_to(by_word, (K, V)), dtype, passes=3)
    np.testing.assert_array_equal(one.N, both.N)
    with Workers(1) as workers:
        before = one.N[:, :K] / one.unit
        found = update_assignments(one, priors, workers, seed=3)
    assert np.isfinite(found).all()
    assert not np.array_equal(before, one.N[:, :K] / one.unit)


def test_shares_have_the_mean_phi(dtype):
    """Rounding and sampling are unbiased: over many seeds the mean share is φ. Equation (18.3)."""
    X, K, n = np.array([[1, 0, 0], [2, 3, 1], [0, 1, 4]]), 6, 3000
    alpha, eta = np.linspace(0.1, 0.6, K), 0.5
    state, priors = after_passes(X, alpha, eta, dtype)
    counts, first = counts_of(state), dense_shares(state, K)[0]
    n_wk, n_k, unit = state.N[counts.indices[0], :K] / state.unit, state.totals[:K] / state.unit, state.unit
    own = first / SHARES
    weight = reference_weights(own * 1, own, n_wk, masses(state)[0] * first / unit, n_k, alpha, eta, eta * 3)
    part = whole(state)
    topic, share = part.topic.copy(), part.share.copy()
    N, totals, total = state.N.copy(), state.totals.copy(), np.zeros(K)
    with Workers(1) as workers:
        for seed in range(n):
            update_assignments(state, priors, workers, seed=10 + seed)
            total += dense_shares(state, K)[0]
            part.topic[:], part.share[:] = topic, share
            state.N[:], state.totals[:] = N, totals
    phi = weight / weight.sum()
    error = np.sqrt(phi * (1 - phi) / n)  # at most: deterministic shares do not vary
    assert (np.abs(total / n / SHARES - phi) < 5 * error).all()


def test_topics_below_the_threshold_are_sampled_in_proportion_to_phi(dtype, instruction_set, monkeypatch):
    """In documents of a single token, and in the first pass, φ is proportional to α."""
    n, K, large = 20_000, 150, [40, 140]
    monkeypatch.setattr(assignments, "MIN_COUNTS", n)  # one block, so that all documents have the same n_wk
    alpha = np.linspace(0.5, 1.5, K)
    alpha[large] = 25  # of 199, so that these topics are deterministic
    state = uninitialised_assignments(Documents(corpora.to_counts(np.ones((n, 1)), dtype), None), K)
    with Workers(1) as workers:
        update_assignments(state, corpora.make_priors(alpha, 0.1), workers, seed=3)
    sampled = np.delete((dense_shares(state, K) > 0).sum(axis=0), large)
    expected = np.delete(n * alpha / np.delete(alpha, large).sum(), large)
    assert sampled.sum() == n
    assert ((sampled - expected) ** 2 / expected).sum() < chi2.ppf(1 - 1e-4, K - 3)


def test_sums_equal_those_of_the_assignments_exactly(dtype, small_blocks):
    X, K = corpora.topical_counts(1, n_docs=60), 4
    state, _ = after_passes(X, corpora.random_alpha(1, K), 0.1, dtype, passes=6)
    assert len(whole(state).blocks) > 3
    shares = dense_shares(state, K)
    expected = np.zeros((len(counts_of(state).words), K))
    np.add.at(expected, counts_of(state).indices, masses(state)[:, None] * shares)
    np.testing.assert_array_equal(state.N[:, :K], expected)
    np.testing.assert_array_equal(state.totals[:K], expected.sum(axis=0))
    assert state.N.sum(dtype=float) == X.sum() * state.unit


def test_sums_of_fractional_masses_do_not_depend_on_their_order():
    X = np.random.default_rng(0).gamma(0.3, 2.0, (40, 200))
    found = masses(uninitialised_assignments(Documents(corpora.to_counts(X), None), 2)) * float(SHARES)
    total = sum(int(mass) for mass in found)
    assert total < 2**53
    assert found.sum() == found[::-1].sum() == np.sort(found).sum() == total


@pytest.mark.parametrize("n_jobs", [2, 3, 7])
def test_the_bits_are_the_same_for_any_number_of_threads(n_jobs, dtype, small_blocks):
    X, alpha = corpora.topical_counts(2, n_docs=80), corpora.random_alpha(2, 5)
    one, _ = after_passes(X, alpha, 0.1, dtype, passes=4)
    many, _ = after_passes(X, alpha, 0.1, dtype, passes=4, n_jobs=n_jobs)
    np.testing.assert_array_equal(one.N, many.N)
    np.testing.assert_array_equal(whole(one).share, whole(many).share)


def test_weights_multiply_the_masses_of_documents(dtype):
    X = corpora.topical_counts(3)
    weight = np.linspace(0.25, 3, len(X))
    state, _ = after_passes(X, np.full(3, 0.2), 0.1, dtype, weight=weight)
    by_word = (weight[:, None] * X).sum(axis=0)[counts_of(state).words]
    np.testing.assert_allclose(state.N.sum(axis=1) / state.unit, by_word, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 0.37, 1e6, 3e9])
def test_the_sums_of_counts_of_any_magnitude_are_kept(scale, dtype):
    X = corpora.topical_counts(4) * scale
    state, _ = after_passes(X, np.full(3, 0.2), 0.1, dtype)
    np.testing.assert_allclose(state.N.sum(axis=1) / state.unit, X.sum(axis=0)[counts_of(state).words], rtol=2e-3)
    assert (state.N >= 0).all()


def test_empty_documents_contribute_nothing(dtype):
    X = corpora.random_counts(0)
    X[[0, -1]] = 0
    state, priors = after_passes(X, np.full(2, 0.2), 0.1, dtype)
    found = log_predictives(state, priors, seed=5)
    np.testing.assert_array_equal(found[X.sum(axis=1) == 0], 0)
    assert state.N.sum(dtype=float) == X.sum() * state.unit


def test_topics_are_sampled_from_the_posterior_of_their_document():
    """Compare means over samples with the enumerated posterior of a document of four tokens. Equation (19.1)."""
    K, X = 2, np.zeros((400, 3))
    X[:, 0], X[:, 1] = 2, 2
    X[0, 2] = 1
    alpha, eta = np.array([0.2, 0.5]), 0.3
    state, priors = after_passes(X, alpha, eta, passes=0)
    state.N[:, :K] = np.array([[900, 100], [200, 500], [100, 100]]) * state.unit
    state.totals[:K] = state.N[:, :K].sum(axis=0)
    beta = state.N[:, :K] / state.unit + eta
    beta /= beta.sum(axis=0)
    word_of = {int(word): row for row, word in enumerate(counts_of(state).words)}
    words = [word_of[w] for w in (0, 0, 1, 1)]
    log_p, first = [], []
    for z in itertools.product(range(K), repeat=4):
        n = np.bincount(z, minlength=K)
        log_p.append(gammaln(alpha + n).sum() + sum(np.log(beta[w, k]) for w, k in zip(words, z, strict=True)))
        first.append(n[0])
    p = np.exp(np.array(log_p) - logsumexp(log_p))
    mean, second = p @ np.array(first), p @ np.array(first) ** 2
    tokens = sample_of(state, priors, first=0, step=1, seed=3)
    sampled = np.bincount(tokens.document[tokens.topic == 0], minlength=400)[1:]
    assert abs(sampled.mean() - mean) < 5 * np.sqrt((second - mean**2) / len(sampled))
    assert abs((sampled**2).mean() - second) < 5 * (sampled**2).std() / np.sqrt(len(sampled))


def test_every_step_th_document_is_sampled():
    X = corpora.topical_counts(5)
    state, priors = after_passes(X, np.full(3, 0.2), 0.1)
    tokens = sample_of(state, priors, first=1, step=4, seed=3)
    assert tokens.documents.tolist() == [1, 5, 9, 13, 17]
    np.testing.assert_array_equal(np.bincount(tokens.document), X[tokens.documents].sum(axis=1))


# The phase


def run(X, alpha, eta, n_passes, settings=None, start=None):
    """Return the passes of a collapsed fit from λ, if it is given, and the priors to start with."""
    settings = settings or Cvb0Settings(1)
    if start is not None:
        settings = replace(settings, has_topics=True)
    documents, priors = Documents(corpora.to_counts(X), None), corpora.make_priors(alpha, eta)
    with Workers(1) as workers:
        return corpora.passes_of(Cvb0(settings, n_passes), documents, priors, start, workers), priors


def watch_starts(monkeypatch, engine):
    """Return a list that collects a phase, its priors and its initial topics whenever a phase of this engine starts."""
    starts, start = [], engine.start

    def watch(self, documents, priors, initial):
        topics = initial()
        starts.append((self, priors, topics._replace(lam=topics.lam.copy())))
        return start(self, documents, priors, initial)

    monkeypatch.setattr(engine, "start", watch)
    return starts


def test_the_topics_are_the_average_over_passes():
    """The weight of each pass is that of equation (18.8), multiplied out."""
    X, n = corpora.topical_counts(6), 7
    found, priors = run(X, np.full(3, 0.2), 0.1, n)
    counts, _ = corpora.to_counts(X).compact()
    state, passes = uninitialised_assignments(Documents(counts, None), 3), []
    settings = Cvb0Settings(1)
    with Workers(1) as workers:
        for t in range(1, n + 1):
            update_assignments(state, priors, workers, seed=pass_seed(1, t), min_share=settings.min_share_of(t))
            passes.append(state.N[:, :3] / state.unit)
    rho = [(AVERAGING + 1) / (t + AVERAGING) for t in range(1, n + 1)]
    weights = [r * np.prod([1 - s for s in rho[t + 1 :]]) for t, r in enumerate(rho)]
    np.testing.assert_allclose(sum(weights), 1)
    expected = sum(w * p for w, p in zip(weights, passes, strict=True)) + 0.1
    np.testing.assert_allclose(found[-1].result.lam[:, :3], expected, rtol=1e-9)


def planted_topics(K, V):
    """Return topics of V / K words each, with a small probability of all other words."""
    topics = np.kron(np.eye(K), np.ones(V // K)) + 0.01
    return topics / topics.sum(axis=1, keepdims=True)


def check_planted(topics):
    """Check that the words of each planted topic belong to one topic, a different one each."""
    owner = topics.argmax(axis=0).reshape(len(topics), -1)
    assert (owner == owner[:, :1]).all()
    assert sorted(owner[:, 0]) == list(range(len(topics)))


def test_planted_topics_are_found():
    rng, K, V = np.random.default_rng(0), 4, 40
    X = rng.poisson(30 * rng.dirichlet(np.full(K, 0.2), 200) @ planted_topics(K, V))
    passes, _ = run(X, np.full(K, 0.2), 0.1, 40)
    check_planted(corpora.lambda_of(passes[-1].result, V))


def test_planted_topics_of_few_documents_are_found_within_30_passes():
    rng, K, V = np.random.default_rng(8), 3, 30
    X = np.array([rng.multinomial(80, p) for p in rng.dirichlet(np.full(K, 0.2), 60) @ planted_topics(K, V)])
    for seed in range(6):
        model = LatentDirichletAllocation(K, inference="cvb0", max_iter=30, tol=None, random_state=seed).fit(X)
        check_planted(model.topics_)


@pytest.mark.parametrize("rows_at_once", [7, 4096])
@pytest.mark.parametrize("weight", [None, 0.01, 0.1, 10])
@pytest.mark.parametrize("eta", [0.1, np.linspace(0.05, 0.3, 25)], ids=["one eta", "one for each word"])
def test_pseudocounts_are_the_tokens_of_the_corpus_in_proportion_to_the_topics(eta, weight, rows_at_once, monkeypatch):
    """Equation (18.5)."""
    monkeypatch.setattr("ldavi._inference.cvb0.ROWS_AT_ONCE", rows_at_once)
    X = corpora.topical_counts(7)
    weights = None if weight is None else np.full(len(X), weight)
    state, priors = after_passes(X, np.full(3, 0.2), eta, passes=0, weight=weights)
    of_words = np.random.default_rng(7).dirichlet(np.ones(3), len(counts_of(state).words)).T
    lam = corpora.word_major(of_words * X.sum(axis=0)[counts_of(state).words])
    added = add_pseudocounts(state, lam, priors)[:, :3] / state.unit
    expected = np.maximum(lam[:, :3] - priors.eta_rows(counts_of(state).words), 0)
    tokens = X.sum() * (weight or 1)
    np.testing.assert_allclose(added, expected * tokens / expected.sum(), rtol=1e-3, atol=0.5 / state.unit)
    np.testing.assert_array_equal(state.N[:, :3] / state.unit, added)
    np.testing.assert_allclose(state.totals[:3] / state.unit, added.sum(axis=0))


def test_pseudocounts_of_a_word_are_limited_to_what_its_mass_can_hold():
    """Given topics may have one word only; its mass and its pseudo-counts are stored in 32 bits together."""
    X = corpora.topical_counts(7)
    state, priors = after_passes(X, np.full(3, 0.2), 0.1, np.float32, passes=0, weight=np.full(len(X), 0.1))
    lam = np.full((3, len(counts_of(state).words)), 1e-3)
    lam[:, 0] = 1e6
    added = add_pseudocounts(state, corpora.word_major(lam, np.float32), priors)
    assert added[0].max() == pytest.approx(0.99 * 2**30)
    with Workers(1) as workers:
        update_assignments(state, priors, workers, seed=0)
    assert (state.N >= 0).all()


def test_pseudocounts_are_removed_after_the_first_pass():
    X = corpora.topical_counts(7)
    start = corpora.word_major(corpora.random_lam(7, 3, X.shape[1]) * 50)
    passes, _ = run(X, np.full(3, 0.2), 0.1, 3, start=start)
    tokens = [result.lam[:, :3].sum() - 0.1 * 3 * len(result.words) for result, _ in passes]
    np.testing.assert_allclose(tokens, X.sum())


def test_the_initial_topics_determine_the_order_of_the_topics():
    rng, K, V = np.random.default_rng(1), 3, 30
    topics = planted_topics(K, V)
    X = rng.poisson(30 * rng.dirichlet(np.full(K, 0.2), 100) @ topics)
    passes, _ = run(X, np.full(K, 0.2), 0.1, 10, start=corpora.word_major(topics * 5000))
    owner = corpora.lambda_of(passes[-1].result, V).argmax(axis=0)
    assert (owner == np.repeat(np.arange(K), V // K)).all()


def test_priors_are_learned_after_the_passes_of_the_settings():
    X = corpora.topical_counts(8, n_docs=60)
    settings = Cvb0Settings(1, learn_alpha=True, learn_eta=True, learn_from=4, learn_every=3)
    passes, priors = run(X, np.full(3, 0.2), 0.1, 10, settings)
    after = [priors, *(result.priors for result, _ in passes)]
    assert [t for t in range(1, 11) if after[t] is not after[t - 1]] == [4, 7, 10]
    assert (after[-1].alpha > 0).all()
    assert after[-1].eta.shape == (1, 1)


def alphas(monkeypatch, settings, alpha, n_passes=9):
    """Return the α that the assignments of each pass were updated with, and the α after each pass."""
    used = []

    def watch(state, priors, workers, **options):
        used.append(priors.alpha)
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.update_assignments", watch)
    passes, _ = run(corpora.topical_counts(8, n_docs=60, length=100), alpha, 0.1, n_passes, settings)
    return np.array(used), np.array([result.priors.alpha for result, _ in passes])


def test_a_learned_alpha_is_used_with_ever_smaller_differences_between_topics(monkeypatch):
    """Ratios of two topics are those of the learned α to the power t0 / t; the sum is the same. Equation (19.6)."""
    settings = Cvb0Settings(1, learn_alpha=True, learn_from=2, learn_every=2)
    used, learned = alphas(monkeypatch, settings, np.full(3, 0.2))
    power = 2 / np.arange(3, 10)[:, None]
    ratios = (learned[1:-1] / learned[1:-1, :1]) ** power
    np.testing.assert_allclose(used[2:] / used[2:, :1], ratios, rtol=1e-12)
    np.testing.assert_allclose(used[2:].sum(axis=1), learned[1:-1].sum(axis=1), rtol=1e-12)
    assert np.ptp(learned[-1]) > 1e-3


def test_topics_for_learning_alpha_are_sampled_with_the_alpha_of_the_pass(monkeypatch):
    settings, sampled_with = Cvb0Settings(1, learn_alpha=True, learn_from=2, learn_every=2), []

    def watch(state, priors, *args, **options):
        sampled_with.append(priors.alpha)
        return sample_topics(state, priors, *args, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.sample_topics", watch)
    used, _ = alphas(monkeypatch, settings, np.full(3, 0.2))
    np.testing.assert_array_equal(sampled_with, used[1::2])


def watch_min_share(monkeypatch):
    """Return a list that collects τ of each pass."""
    used = []

    def watch(state, priors, workers, **options):
        used.append(options["min_share"])
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.update_assignments", watch)
    return used


@pytest.mark.parametrize(
    ("after_vb", "first"), [(False, 0.5), (True, 0.25)], ids=["from uninitialised assignments", "after VB"]
)
def test_tau_is_larger_at_first_and_then_decreases(after_vb, first):
    """τ decreases as t0 / t, to a tenth. Equation (18.6)."""
    settings = Cvb0Settings(1, after_vb=after_vb, learn_from=4)
    expected = [first] * 4 + [max(0.1, first * 4 / t) for t in range(5, 30)]
    divided = [t for t in range(1, 30) if t % WHOLE_EVERY]
    np.testing.assert_allclose([settings.min_share_of(t) for t in divided], [expected[t - 1] for t in divided])


def test_every_fourth_pass_assigns_whole_counts_except_in_the_last_quarter():
    settings = Cvb0Settings(1, has_topics=True, n_passes=20)
    assert [t for t in range(1, 21) if settings.min_share_of(t) == DRAW_ALL] == [4, 8, 12]


def test_every_pass_over_short_documents_assigns_whole_counts_except_in_the_last_quarter():
    settings = Cvb0Settings(1, has_topics=True, n_passes=20, has_short_documents=True)
    assert [t for t in range(1, 21) if settings.min_share_of(t) == DRAW_ALL] == list(range(1, 16))


def test_no_late_pass_over_short_documents_assigns_whole_counts():
    settings = Cvb0Settings(1, has_topics=True, n_passes=1000, has_short_documents=True)
    assert max(t for t in range(1, 1001) if settings.min_share_of(t) == DRAW_ALL) == 120


def test_no_late_pass_of_a_long_fit_assigns_whole_counts():
    settings = Cvb0Settings(1, has_topics=True, n_passes=1000)
    assert max(t for t in range(1, 1001) if settings.min_share_of(t) == DRAW_ALL) == 60


def test_tau_is_constant_in_a_fit_from_given_topics(monkeypatch):
    X, used = corpora.topical_counts(8), watch_min_share(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None, init=np.ones((3, X.shape[1]))).fit(X)
    assert used == [0.1, 0.1, 0.1, DRAW_ALL, 0.1, 0.1]


@pytest.mark.parametrize(
    ("many_tokens", "expected"),
    [(1e9, [0.5, 0.5, 0.5, DRAW_ALL, 1.5 / 5, 1.5 / 6]), (0, [0.25, 0.25 / 2, 0.1])],
    ids=["from uninitialised assignments", "after VB"],
)
def test_tau_is_larger_until_priors_are_learned_in_a_fit_from_random_topics(many_tokens, expected, monkeypatch):
    monkeypatch.setattr("ldavi._estimator.settings.MANY_TOKENS", many_tokens)
    X, used = corpora.topical_counts(8), watch_min_share(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None, init="random").fit(X)
    np.testing.assert_allclose(used, expected)


def test_tau_is_constant_in_a_fit_from_anchor_words(monkeypatch):
    X, used = corpora.topical_counts(8), watch_min_share(monkeypatch)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=6, tol=None).fit(X)
    assert used == [0.1] * 3  # after three VB passes


# VB passes before collapsed ones


def test_collapsed_passes_after_vb_start_from_its_topics(monkeypatch):
    starts, vb, passes = watch_starts(monkeypatch, Cvb0), [], BatchVB.passes

    def watch(*arguments):
        for state, record in passes(*arguments):
            vb.append(state.result._replace(lam=state.result.lam.copy()))
            yield state, record

    monkeypatch.setattr(BatchVB, "passes", watch)
    X = corpora.topical_counts(10)
    trace = LatentDirichletAllocation(3, inference="cvb0", max_iter=8, tol=None, dtype="float64").fit(X).elbo_trace_
    assert len(vb) == 4
    phase, priors, topics = starts[0]
    np.testing.assert_array_equal(topics.all_words(X.shape[1]), vb[-1].all_words(X.shape[1]))
    lam, documents = vb[-1].all_words(X.shape[1]), Documents(corpora.to_counts(X), None)
    with Workers(1) as workers:
        collapsed = corpora.passes_of(phase, documents, priors, lam, workers)
    assert [record.iteration for _, record in collapsed] == [5, 6, 7, 8]
    np.testing.assert_array_equal([record.predictive for _, record in collapsed], trace["predictive"][4:-1])


def test_vb_passes_before_collapsed_ones_learn_no_priors(monkeypatch):
    monkeypatch.setattr("ldavi._estimator.settings.MANY_TOKENS", 0)
    starts = watch_starts(monkeypatch, Cvb0)
    model = LatentDirichletAllocation(3, inference="cvb0", init="random", max_iter=60, tol=None, random_state=0)
    model.fit(corpora.topical_counts(10))
    _, priors, topics = starts[0]
    assert topics.iteration == 30
    np.testing.assert_array_equal(priors.alpha, np.full(3, 0.1))
    np.testing.assert_array_equal(priors.eta, [[0.05]])


def test_vb_passes_after_collapsed_ones_start_from_their_priors(monkeypatch):
    starts = watch_starts(monkeypatch, BatchVB)
    LatentDirichletAllocation(3, n_collapsed_iter=15, max_iter=44, tol=None, random_state=0).fit(
        corpora.topical_counts(10)
    )
    assert [phase.is_warmup for phase, _, _ in starts] == [True, False]
    _, priors, topics = starts[1]
    np.testing.assert_array_equal(priors.alpha, topics.priors.alpha)
    assert not np.isclose(priors.alpha, 0.1).any()


@pytest.mark.parametrize(
    ("learns", "limits", "expected"),
    [(True, True, 0.02), (True, False, 0.2), (False, True, 0.2)],
    ids=["limited", "learned", "given"],
)
def test_the_initial_alpha_is_limited_if_it_is_learned_from_topics_with_many_tokens(
    learns, limits, expected, monkeypatch
):
    """Equation (19.4)."""
    monkeypatch.setattr("ldavi._inference.cvb0.LIMITED_ALPHA", 0.06)
    X = corpora.topical_counts(10)
    start = corpora.word_major(corpora.random_lam(10, 3, X.shape[1]))
    settings = Cvb0Settings(1, limits_alpha=limits, learn_alpha=learns)
    passes, _ = run(X, np.full(3, 0.2), 0.1, 2, settings, start)
    np.testing.assert_allclose(passes[-1].result.priors.alpha, np.full(3, expected))


def test_an_initial_alpha_below_the_limit_is_unchanged():
    X = corpora.topical_counts(10)
    start = corpora.word_major(corpora.random_lam(10, 3, X.shape[1]))
    settings = Cvb0Settings(1, limits_alpha=True, learn_alpha=True)
    passes, _ = run(X, np.full(3, 0.2), 0.1, 2, settings, start)
    assert LIMITED_ALPHA > 3 * 0.2
    np.testing.assert_array_equal(passes[-1].result.priors.alpha, np.full(3, 0.2))


@pytest.mark.parametrize(
    ("init", "max_iter", "n_vb"),
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
def test_vb_passes_precede_5_from_anchor_words_30_from_random_topics_at_most_half(init, max_iter, n_vb, monkeypatch):
    monkeypatch.setattr("ldavi._estimator.settings.MANY_TOKENS", 0)
    X = corpora.topical_counts(8)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=max_iter, tol=None, init=init).fit(X)
    trace = model.elbo_trace_
    assert trace["phase"].tolist() == ["warmup"] * n_vb + ["collapsed"] * (max_iter - n_vb) + ["final"]
    np.testing.assert_array_equal(trace["iteration"][:-1], np.arange(1, max_iter + 1))
    assert (np.diff(trace["seconds"]) > 0).all()


@pytest.mark.parametrize(("tokens", "phase"), [(9_999, "collapsed"), (10_000, "warmup")])
def test_vb_passes_precede_from_random_topics_if_there_are_10000_tokens_per_topic(tokens, phase):
    X = np.full((8, 5), tokens * 3 / 40)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init="random").fit(X)
    assert model.elbo_trace_["phase"][0] == phase


@pytest.mark.parametrize("init", ["auto", "random"])
@pytest.mark.parametrize(("tokens", "limits"), [(9_999, False), (10_000, True)])
def test_alpha_is_limited_if_there_are_10000_tokens_per_topic(tokens, limits, init, monkeypatch):
    settings = []

    def watch(*arguments, **options):
        settings.append(arguments[0])
        return Cvb0(*arguments, **options)

    monkeypatch.setattr("ldavi._estimator.fitting.Cvb0", watch)
    X = np.full((8, 5), tokens * 3 / 40)
    LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init=init).fit(X)
    assert settings[0].limits_alpha is limits


def test_no_vb_passes_precede_in_a_fit_from_given_topics():
    X = corpora.topical_counts(8)
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=4, tol=None, init=np.ones((3, X.shape[1]))).fit(X)
    assert "warmup" not in model.elbo_trace_["phase"]


@pytest.mark.parametrize(
    "rule",
    [{"tol": 1e9}, {"tol": None, "evaluate_every": 1, "perp_tol": 1e9}],
    ids=["the objective", "the rule of scikit-learn"],
)
def test_no_stopping_rule_ends_a_fit_in_the_vb_passes_before_collapsed_ones(rule):
    model = LatentDirichletAllocation(3, inference="cvb0", max_iter=200, **rule).fit(corpora.topical_counts(8))
    assert model.elbo_trace_["phase"][-2] == "collapsed"
    assert model.n_iter_ < 200


def test_alpha_is_not_smoothed_before_it_is_first_learned(monkeypatch):
    given = np.array([0.1, 0.2, 0.4])
    used, _ = alphas(monkeypatch, Cvb0Settings(1, learn_alpha=True, learn_from=5), given)
    np.testing.assert_array_equal(used[:5], np.tile(given, (5, 1)))


def test_a_given_alpha_is_used_as_it_is(monkeypatch):
    given = np.array([0.1, 0.2, 0.4])
    used, learned = alphas(monkeypatch, Cvb0Settings(1, learn_eta=True, learn_from=2), given)
    np.testing.assert_array_equal(used, np.tile(given, (9, 1)))
    np.testing.assert_array_equal(learned, used)


def test_a_learned_eta_is_increased_in_passes():
    """η becomes the geometric mean of η and η_0, and never smaller than the learned one. Equation (19.7)."""
    settings, alpha = Cvb0Settings(1, learn_eta=True), np.full(3, 0.2)
    learned = SMOOTH_ETA * np.array([1 / 100, 1 / 4, 1, 4])
    used = [smoothed_priors(corpora.make_priors(alpha, eta), settings, 50).eta.item() for eta in learned]
    np.testing.assert_allclose(used, SMOOTH_ETA * np.array([1 / 10, 1 / 2, 1, 4]))


def test_assignments_are_updated_with_the_increased_eta(monkeypatch):
    monkeypatch.setattr("ldavi._inference.cvb0.SMOOTH_ETA", 10.0)
    settings, used = Cvb0Settings(1, learn_eta=True, learn_from=2, learn_every=2), []

    def watch(state, priors, workers, **options):
        used.append(priors.eta.item())
        return update_assignments(state, priors, workers, **options)

    monkeypatch.setattr("ldavi._inference.cvb0.update_assignments", watch)
    passes, _ = run(corpora.topical_counts(8), np.full(3, 0.2), 0.1, 6, settings)
    before = [0.1, *(result.priors.eta.item() for result, _ in passes[:-1])]
    np.testing.assert_allclose(used, np.sqrt(10.0 * np.array(before)))


def test_a_given_eta_is_used_as_it_is():
    priors = corpora.make_priors(np.full(3, 0.2), 0.001)
    np.testing.assert_array_equal(smoothed_priors(priors, Cvb0Settings(1, learn_alpha=True), 50).eta, priors.eta)


def test_lambda_after_a_pass_contains_the_learned_eta_and_not_the_increased_one(monkeypatch):
    monkeypatch.setattr("ldavi._inference.cvb0.SMOOTH_ETA", 10.0)
    X = corpora.topical_counts(8)
    settings = Cvb0Settings(1, learn_eta=True, learn_from=2, learn_every=2)
    passes, _ = run(X, np.full(3, 0.2), 0.1, 12, settings)
    last = passes[-1].result
    assert last.priors.eta < 1
    np.testing.assert_allclose(last.lam[:, :3].sum() - X.sum(), len(last.lam) * 3 * last.priors.eta.item(), rtol=1e-4)


def test_rounded_word_counts_equal_integer_counts():
    state, _ = after_passes(corpora.topical_counts(8), np.full(3, 0.2), 0.1)
    state.N[:] = np.rint(state.N / state.unit) * state.unit
    whole = (state.N / state.unit)[:, :3].astype(int)
    with Workers(1) as workers:
        counted = rounded_word_counts(state, workers, seed=1)
    value, times = np.unique(whole[whole > 0], return_counts=True)
    np.testing.assert_array_equal(counted.value, value)
    np.testing.assert_array_equal(counted.times, times)
    np.testing.assert_array_equal(np.repeat(counted.total, counted.total_times.astype(int)), np.sort(whole.sum(axis=0)))


def test_rounded_word_counts_are_unbiased():
    X = corpora.topical_counts(8)
    state, _ = after_passes(X, np.full(3, 0.2), 0.1, weight=np.full(len(X), 0.3))
    tokens = state.N[:, :3] / state.unit
    assert np.any(tokens % 1)
    with Workers(1) as workers:
        rounded = [rounded_word_counts(state, workers, seed=seed) for seed in range(400)]
    np.testing.assert_allclose(np.mean([one.value @ one.times for one in rounded]), tokens.sum(), rtol=5e-3)
    positive = np.sum(np.minimum(tokens, 1))  # the expected number of counts that are at least 1
    np.testing.assert_allclose(np.mean([one.times.sum() for one in rounded]), positive, rtol=5e-3)


def test_word_counts_of_different_words_are_rounded_independently(monkeypatch):
    """The variance of a sum of independently rounded counts is the sum of their variances."""
    monkeypatch.setattr(cvb0_pass, "ROWS_AT_ONCE", 1)
    X = corpora.topical_counts(8)
    state, _ = after_passes(X, np.full(3, 0.2), 0.1, weight=np.full(len(X), 0.3))
    part = state.N / state.unit % 1
    with Workers(1) as workers:
        rounded = [rounded_word_counts(state, workers, seed=seed) for seed in range(400)]
    spread = np.std([one.value @ one.times for one in rounded])
    np.testing.assert_allclose(spread, np.sqrt(np.sum(part * (1 - part))), rtol=0.15)


def test_rounded_word_counts_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(cvb0_pass, "ROWS_AT_ONCE", 7)
    state, _ = after_passes(corpora.topical_counts(8), np.full(3, 0.2), 0.1)
    with Workers(1) as one, Workers(3) as three:
        for expected, counted in zip(
            rounded_word_counts(state, one, seed=5), rounded_word_counts(state, three, seed=5), strict=True
        ):
            np.testing.assert_array_equal(counted, expected)


def test_sampled_topics_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(topic_samples, "TOKENS_AT_ONCE", 11)
    state, priors = after_passes(corpora.topical_counts(8), np.full(3, 0.2), 0.1)
    with Workers(1) as one, Workers(3) as three:
        found = [list(sample_topics(state, priors, each, first=0, step=2, seed=5)) for each in (one, three)]
    np.testing.assert_array_equal(found[1][0].topic, found[0][0].topic)


def test_a_learned_eta_maximises_the_evidence_of_all_tokens():
    X, settings = corpora.topical_counts(8, n_docs=200), Cvb0Settings(1, learn_eta=True)
    state, priors = after_passes(X, np.full(3, 0.2), 0.1, passes=6)
    with Workers(1) as workers:
        eta = learned_priors(state, priors, settings, 20, workers).eta.item()
        tokens = rounded_word_counts(state, workers, seed=pass_seed(settings.seed + 1, 20))
    evidence = [
        reference.dirichlet_multinomial_log_evidence(tokens, np.array([x]), X.shape[1])
        for x in (0.98 * eta, eta, 1.02 * eta)
    ]
    assert tokens.total @ tokens.total_times == pytest.approx(X.sum(), rel=0.01)
    assert evidence[1] > max(evidence[0], evidence[2])


def test_priors_are_unchanged_without_tokens():
    with pytest.warns(UserWarning, match="no counts"):
        model = LatentDirichletAllocation(2, inference="cvb0", max_iter=60, tol=None).fit(np.zeros((5, 6)))
    assert model.topic_word_prior_ == 0.05
    np.testing.assert_array_equal(model.doc_topic_prior_, [0.1, 0.1])


@pytest.mark.parametrize(("limits", "trust"), [(False, 1.0), (True, LIMITED_TRUST)])
def test_a_learned_alpha_maximises_the_evidence_of_the_sampled_topics(limits, trust):
    """The sampled counts are weighted where α is limited. Equation (19.5)."""
    X, settings = corpora.topical_counts(8, n_docs=200), Cvb0Settings(1, limits_alpha=limits, learn_alpha=True)
    state, priors = after_passes(X, np.full(3, 0.2), 0.1, passes=6)
    with Workers(1) as workers:
        alpha = learned_priors(state, priors, settings, 20, workers).alpha
    tokens = sample_of(state, priors, first=20 // settings.learn_every, step=1, seed=pass_seed(settings.seed + 1, 20))
    n = np.zeros((len(X), 3))
    np.add.at(n, (tokens.document, tokens.topic), 1)

    def objective(x):
        fall = gammaln(x.sum()) - gammaln(x.sum() + n.sum(axis=1))
        return np.sum(fall) + trust * np.sum(gammaln(x + n) - gammaln(x))

    assert 0 < LIMITED_TRUST < 1
    assert all(objective(alpha) > objective(alpha * (1 + step)) for step in 0.02 * np.vstack([np.eye(3), -np.eye(3)]))


def test_a_collapsed_record_has_the_predictive_log_likelihood_and_no_bound():
    X = corpora.topical_counts(9)
    record = run(X, np.full(3, 0.2), 0.1, 2)[0][-1].record
    assert record.phase == "collapsed"
    assert np.isnan(record.elbo)
    assert record.objective == record.predictive < 0
    np.testing.assert_allclose(record.perplexity, np.exp(-record.predictive / X.sum()))
