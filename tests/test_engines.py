"""Fits with every engine: stopping, learned priors, initial topics, restarts, seed words."""

import corpora
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation
from ldavi._core.records import Priors, aligned_zeros
from ldavi._estimator import fitting
from ldavi._estimator.convergence import CVB0_TOLERANCE, ConvergenceMonitor
from ldavi._estimator.validation import check_parameters
from ldavi._inference import part_of_corpus
from ldavi._inference.trace import predictive_record, relative_gain
from ldavi._inference.vb_online import scaled_to

K, V = 3, 24
all_methods = pytest.mark.parametrize("method", ["batch", "online", "memoized"])
both_engines = pytest.mark.parametrize("inference", ["vb", "cvb0"])


def corpus(n_docs=60, seed=0):
    rng = np.random.default_rng(seed)
    topics = np.kron(np.eye(K), np.ones(V // K)) + 0.05
    return rng.poisson(30 * rng.dirichlet(np.full(K, 0.3), n_docs) @ (topics / topics.sum(axis=1, keepdims=True)))


def model(**parameters):
    return LatentDirichletAllocation(
        **{"n_components": K, "random_state": 0, "max_iter": 30, "tol": None, "n_collapsed_iter": 0, "batch_size": 10}
        | parameters
    )


def owners(model):
    """Return the topic with the highest probability of each block of words."""
    return model.topics_.reshape(-1, K, V // K).sum(axis=2).argmax(axis=0)


@all_methods
@both_engines
def test_every_engine_and_method_finds_planted_topics(inference, method):
    fitted = model(inference=inference, learning_method=method).fit(corpus())
    assert sorted(owners(fitted)) == [0, 1, 2]


@all_methods
@both_engines
@pytest.mark.parametrize("n_jobs", [2, 3, 7])
def test_the_bits_are_the_same_for_any_number_of_threads(inference, method, n_jobs, small_pieces):
    parameters = {"inference": inference, "learning_method": method, "max_iter": 26}
    one = model(**parameters).fit(corpus())
    many = model(**parameters, n_jobs=n_jobs).fit(corpus())
    np.testing.assert_array_equal(one.components_, many.components_)
    np.testing.assert_array_equal(one.doc_topic_prior_, many.doc_topic_prior_)
    assert one.elbo_ == many.elbo_


def test_a_collapsed_fit_ends_with_the_exact_bound():
    X = corpus()
    fitted = model(inference="cvb0", max_iter=30).fit(X)
    assert fitted.elbo_trace_["phase"].tolist() == ["warmup"] * 5 + ["collapsed"] * 25 + ["final"]
    assert np.isfinite(fitted.elbo_)
    assert fitted.elbo_ == fitted.elbo_trace_["elbo"][-1]
    collapsed = fitted.elbo_trace_[5:-1]
    assert np.isnan(collapsed["elbo"]).all()
    assert collapsed["predictive"][-1] > collapsed["predictive"][0]


def test_collapsed_topics_contain_the_tokens_and_their_prior():
    X = corpus()
    fitted = model(inference="cvb0", topic_word_prior=0.2, dtype="float64").fit(X)
    np.testing.assert_allclose(fitted.components_.sum(axis=0), X.sum(axis=0) + 0.2 * K, rtol=1e-9)


def test_a_collapsed_fit_stops_when_the_gain_over_a_quarter_of_the_passes_is_small():
    fitted = model(inference="cvb0", tol=1e-3, max_iter=400).fit(corpus())
    predictive = fitted.elbo_trace_["predictive"][10:-1]  # after the warm-up

    def gain(passes):
        window = passes // 4
        last, before = (
            predictive[passes - window : passes].mean(),
            predictive[passes - 2 * window : passes - window].mean(),
        )
        return (last - before) / abs(last)

    assert fitted.converged_
    assert gain(len(predictive)) < CVB0_TOLERANCE * 1e-3
    assert all(gain(passes) >= CVB0_TOLERANCE * 1e-3 for passes in range(100, len(predictive)))


@pytest.mark.parametrize(
    ("objective", "converged"),
    [
        (np.linspace(-200, -100, 200), False),
        (np.linspace(-100.2, -100, 200), True),  # the means of the last two quarters differ by 0.05
        (np.full(100, -100.0), True),
        (np.full(99, -100.0), False),
        (np.concatenate([np.full(150, -101.0), np.full(50, -100.0)]), False),
        (np.concatenate([np.full(100, -101.0), np.full(100, -100.0)]), True),
    ],
    ids=["rising", "hardly rising", "flat", "flat but short", "up in the last quarter", "up before the last two"],
)
def test_a_collapsed_fit_has_converged_if_its_last_quarter_is_little_above_the_previous_one(objective, converged):
    priors = Priors(np.full(3, 0.1), np.full((1, 1), 0.05))
    records = [
        predictive_record(t, "collapsed", value, priors, tokens=100.0, seconds=0.0)
        for t, value in enumerate(objective, 1)
    ]
    monitor = ConvergenceMonitor(check_parameters(model()), records)
    assert monitor.objective_converged(1e-3 / CVB0_TOLERANCE) is converged


def test_gains_are_not_compared_between_phases():
    records = []
    model(inference="cvb0", callbacks=records.append).fit(corpus())
    model(callbacks=records.append).fit(corpus())
    assert relative_gain(records[0], records[-1]) == np.inf


def test_partial_fit_can_continue_from_a_collapsed_fit():
    fitted = model(inference="cvb0").fit(corpus())
    before = fitted.components_.copy()
    fitted.partial_fit(corpus(seed=1))
    assert not np.array_equal(fitted.components_, before)
    assert sorted(owners(fitted)) == [0, 1, 2]


def test_collapsed_inference_with_point_estimates_raises_and_keeps_the_fitted_topics():
    fitted = model(inference="cvb0").fit(corpus())
    before = fitted.components_.copy()
    with pytest.raises(ValueError, match="topic_word_prior=0"):
        fitted.set_params(topic_word_prior=0).fit(corpus())
    np.testing.assert_array_equal(fitted.components_, before)


# Learned priors


@all_methods
@both_engines
def test_auto_priors_are_learned_and_positive(inference, method):
    fitted = model(inference=inference, learning_method=method).fit(corpus())
    assert fitted.doc_topic_prior_.shape == (K,)
    assert (fitted.doc_topic_prior_ > 0).all()
    assert not np.allclose(fitted.doc_topic_prior_, 0.1)
    assert fitted.topic_word_prior_ > 0
    assert fitted.topic_word_prior_ != 0.05


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_the_bound_never_decreases_while_priors_are_learned(method):
    fitted = model(learning_method=method, dtype="float64", max_iter=60, n_components=5).fit(corpus())
    trace = fitted.elbo_trace_
    monotone = trace["elbo"][trace["phase"] == "monotone"]
    assert (np.diff(monotone) >= -1e-9 * np.abs(monotone[1:])).all()
    assert len(set(np.round(fitted.doc_topic_prior_, 9))) > 1


def test_the_recorded_bound_is_that_of_the_learned_priors():
    X = corpus()
    fitted = model(dtype="float64", max_iter=20, callbacks=lambda record: record.iteration == 15).fit(X)
    fixed = model(dtype="float64", doc_topic_prior=fitted.doc_topic_prior_, topic_word_prior=fitted.topic_word_prior_)
    fixed.set_params(init=fitted, max_iter=1, max_doc_update_iter=2000, mean_change_tol=1e-12).fit(X)
    assert fitted.elbo_ <= fixed.elbo_
    np.testing.assert_allclose(fitted.elbo_, fixed.elbo_, rtol=2e-3)


def test_learned_priors_give_a_higher_bound_than_the_initial_ones():
    X = corpus(200)
    fixed = model(max_iter=80, doc_topic_prior=0.1, topic_word_prior=0.05).fit(X)
    assert model(max_iter=80).fit(X).elbo_ > fixed.elbo_


def test_the_most_frequent_topic_has_the_largest_alpha():
    rng = np.random.default_rng(0)
    topics = np.kron(np.eye(K), np.ones(V // K)) + 0.01
    theta = rng.dirichlet([2.0, 0.2, 0.2], 300)
    X = rng.poisson(30 * theta @ (topics / topics.sum(axis=1, keepdims=True)))
    for inference in ("vb", "cvb0"):
        fitted = model(inference=inference, max_iter=60, n_init=4).fit(X)  # one start in three splits the largest topic
        assert fitted.doc_topic_prior_.argmax() == owners(fitted)[0]


def test_partial_fit_learns_priors_and_sets_their_attributes():
    fitted = model()
    for seed in range(4):
        fitted.partial_fit(corpus(seed=seed))
    assert not np.allclose(fitted.doc_topic_prior_, 0.1)
    assert fitted.topic_word_prior_ != 0.05
    np.testing.assert_array_equal(fitted.doc_topic_prior_, fitted._priors.alpha)


def test_a_warm_start_keeps_learned_priors():
    fitted = model(warm_start=True).fit(corpus())
    learned = fitted.doc_topic_prior_.copy()
    fitted.set_params(max_iter=1).fit(corpus())
    np.testing.assert_array_equal(fitted.doc_topic_prior_, learned)


@pytest.mark.parametrize("name", ["doc_topic_prior", "topic_word_prior"])
def test_a_prior_that_is_another_string_than_auto_raises(name):
    with pytest.raises(TypeError, match=name):
        model(**{name: "learn"}).fit(corpus())


# init and n_init


@pytest.mark.parametrize("kind", [np.asarray, LatentDirichletAllocation, ScikitLearnLDA])
@both_engines
def test_a_fit_can_start_from_given_topics(kind, inference):
    X = corpus()
    order = [2, 0, 1]
    topics = np.kron(np.eye(K)[order], np.ones(V // K)) + 0.01
    start = topics
    if kind is not np.asarray:
        start = kind(K, random_state=0, max_iter=3).partial_fit(X)
        start.components_ = topics
    assert owners(model(init=start, inference=inference).fit(X)).tolist() == np.argsort(order).tolist()


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (np.ones((2, V)), "shape"),
        (np.ones((K, 5)), "shape"),
        (-np.ones((K, V)), "negative"),
        ("spectral", "init='spectral'"),
    ],
)
def test_invalid_initial_topics_raise(init, message):
    with pytest.raises(ValueError, match=message):
        model(init=init).fit(corpus())


@pytest.mark.parametrize(
    ("max_iter", "phases"),
    [
        (1, ["monotone"]),
        (3, ["collapsed", "warmup", "monotone"]),
        (8, ["warmup"] * 2 + ["collapsed"] * 2 + ["warmup"] + ["monotone"] * 3),
        (44, ["warmup"] * 5 + ["collapsed"] * 15 + ["warmup"] + ["monotone"] * 23),
    ],
)
def test_vb_passes_can_follow_collapsed_ones(max_iter, phases):
    X = corpora.topical_counts(3)
    trace = model(n_collapsed_iter=15, max_iter=max_iter).fit(X).elbo_trace_
    assert trace["phase"].tolist() == phases
    np.testing.assert_array_equal(trace["iteration"], np.arange(1, max_iter + 1))
    assert (np.diff(trace["seconds"]) > 0).all()


def test_collapsed_passes_before_vb_are_those_of_a_collapsed_fit():
    X = corpora.topical_counts(3)
    before = model(n_collapsed_iter=15, max_iter=60).fit(X).elbo_trace_[:20]
    alone = model(inference="cvb0", max_iter=20).fit(X).elbo_trace_[:20]
    for name in ("phase", "elbo", "predictive"):
        np.testing.assert_array_equal(before[name], alone[name])


def test_vb_passes_after_collapsed_ones_start_from_their_topics():
    """They use the initial priors, and documents start cold."""
    X, priors = corpora.topical_counts(3), {"doc_topic_prior": 0.2, "topic_word_prior": 0.1}
    found = model(inference="cvb0", max_iter=20, **priors).fit(X)
    trace = model(n_collapsed_iter=15, max_iter=41, **priors).fit(X).elbo_trace_[20:]
    after = model(**priors, warm_start=True, max_iter=20)
    after.fit(X).set_params(max_iter=21)
    after._lambda = found._lambda  # with the masses of its topics, which init=found would make equal
    np.testing.assert_allclose(trace["elbo"], after.fit(X).elbo_trace_["elbo"], rtol=1e-6)


def test_the_bound_never_decreases_after_collapsed_passes():
    elbo = (
        model(n_collapsed_iter=15, max_iter=80, dtype="float64").fit(corpora.topical_counts(3)).elbo_trace_["elbo"][21:]
    )
    assert (np.diff(elbo) >= -1e-9 * np.abs(elbo[1:])).all()


def test_no_stopping_rule_ends_a_fit_in_the_collapsed_passes_before_vb():
    eager = {"tol": 1.0, "evaluate_every": 1, "perp_tol": 1e9}
    assert model(n_collapsed_iter=15, max_iter=60, **eager).fit(corpus()).n_iter_ == 23


def test_topics_of_collapsed_passes_before_vb_are_not_validated():
    fitted = model(n_collapsed_iter=15, max_iter=44, validation_fraction=0.2, n_iter_no_change=1).fit(corpus(200))
    measured = fitted.elbo_trace_["iteration"][~np.isnan(fitted.elbo_trace_["validation"])]
    assert measured[0] == 25
    assert fitted.n_iter_ >= 30


def test_a_fit_that_a_callback_ends_in_its_collapsed_passes_has_their_exact_bound():
    fitted = model(n_collapsed_iter=15, max_iter=40, callbacks=lambda record: record.iteration == 12).fit(corpus())
    assert fitted.elbo_trace_["phase"][-2:].tolist() == ["collapsed", "final"]
    assert np.isfinite(fitted.elbo_)


@pytest.mark.parametrize("parameters", [{"n_collapsed_iter": 15}, {"inference": "cvb0"}], ids=["before", "throughout"])
def test_a_restart_that_was_interrupted_before_its_first_bound_is_not_kept(parameters):
    calls = []

    def interrupt(record):
        calls.append(record.iteration)
        if calls.count(8) == 2:
            raise KeyboardInterrupt

    lda = model(n_init=2, callbacks=interrupt, **parameters)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(corpus())
    assert lda.n_iter_ == 30
    assert np.isfinite(lda.elbo_)


def test_collapsed_passes_of_restarts_after_the_first_start_at_random(monkeypatch):
    kinds, phases_of = [], fitting.phases_of

    def watch(settings, documents, start):
        kinds.append(start.kind)
        return phases_of(settings, documents, start)

    monkeypatch.setattr(fitting, "phases_of", watch)
    model(n_collapsed_iter=15, n_init=3, max_iter=4).fit(corpus())
    assert kinds == ["anchor words", "random", "random"]


def test_a_warm_start_has_no_collapsed_passes():
    fitted = model(n_collapsed_iter=15, warm_start=True).fit(corpus())
    assert set(fitted.fit(corpus()).elbo_trace_["phase"].tolist()) == {"warmup", "monotone"}


WITHOUT_COLLAPSED_PASSES = {
    "memoized": {"learning_method": "memoized"},
    "given topics": {"init": np.ones((K, V)) + np.eye(K, V)},
    "point estimates": {"topic_word_prior": 0},
    "seed words": {"seed_words": {0: [1]}},
    "one topic": {"n_components": 1},
    "one pass": {"max_iter": 1},
}


@both_engines
def test_an_online_fit_starts_from_passes_over_a_part_of_the_corpus(inference, monkeypatch):
    monkeypatch.setattr(part_of_corpus, "MIN_TOKENS", 100)
    topics, sizes, prepare = [], [], part_of_corpus.OnPart.prepare

    def watch(phase, documents):
        part = prepare(phase, documents)
        sizes.append(part.n_docs)
        return part

    monkeypatch.setattr(part_of_corpus.OnPart, "prepare", watch)
    for n_passes in (0, 20):
        one_pass = {"learning_method": "online", "inference": inference, "n_collapsed_iter": n_passes, "max_iter": 1}
        fitted = model(**one_pass).fit(corpora.topical_counts(3, n_docs=400))
        topics.append(fitted)
    assert sizes == [200, 200]  # of the VB passes and the collapsed ones
    assert topics[1].elbo_trace_["phase"].tolist() == ["online", "final"]
    assert topics[1].elbo_ > topics[0].elbo_


@pytest.mark.parametrize("eta", [np.full((1, 1), 0.1), np.linspace(0.1, 0.5, 6)[:, None]], ids=["one", "by word"])
def test_topics_of_a_part_are_scaled_to_the_tokens_of_the_corpus(eta):
    counts = np.random.default_rng(0).gamma(1.0, 1.0, (6, 3))
    lam = aligned_zeros((6, 16), np.float64)
    lam[:, :3] = counts + eta
    scaled = scaled_to(5000.0, lam, Priors(np.full(3, 0.1), eta))
    np.testing.assert_allclose(scaled[:, :3] - eta, counts * 5000 / counts.sum())
    np.testing.assert_allclose(lam[:, :3], counts + eta)  # the topics of the part are unchanged


def test_steps_after_passes_over_a_part_continue_their_count():
    fitted = model(learning_method="online", n_collapsed_iter=15, max_iter=1).fit(corpus())  # the part is the corpus
    assert fitted.n_batch_iter_ == 1 + (5 + 15) * 6 + 6  # five passes of VB precede the collapsed ones


@pytest.mark.parametrize("parameters", WITHOUT_COLLAPSED_PASSES.values(), ids=WITHOUT_COLLAPSED_PASSES)
def test_auto_makes_no_collapsed_passes_where_they_cannot_run(parameters):
    trace = model(**{"n_collapsed_iter": "auto", "max_iter": 8} | parameters).fit(corpus()).elbo_trace_
    assert set(trace["phase"].tolist()) <= {"warmup", "monotone"}


def test_alpha_starts_at_its_first_value_of_vb_wherever_no_collapsed_passes_run():
    fitted = model(n_collapsed_iter="auto", init=np.ones((K, V)) + np.eye(K, V), max_iter=1).fit(corpus())
    np.testing.assert_array_equal(fitted.doc_topic_prior_, 0.01)


def test_partial_fit_updates_point_estimates_whatever_the_collapsed_passes_of_fit():
    fitted = model(n_collapsed_iter="auto", topic_word_prior=0, doc_topic_prior=0.1, max_iter=3).fit(corpus())
    before = fitted.components_
    assert (fitted.partial_fit(corpus(seed=1)).components_ != before).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_method": "memoized"}, "needs .* learning_method='online', but these are 'vb' and 'memoized'"),
        ({"inference": "cvb0"}, "needs inference='vb' .*, but these are 'cvb0' and 'batch'"),
        ({"topic_word_prior": 0}, "n_collapsed_iter=15 does not support"),
    ],
)
def test_collapsed_passes_that_the_fit_cannot_make_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        model(n_collapsed_iter=15, **parameters).fit(corpus())


def test_an_array_as_init_survives_cloning():
    start = np.ones((K, V))
    assert clone(model(init=start)).init is not None


@both_engines
def test_the_best_of_several_restarts_is_kept(inference):
    X = corpora.topical_counts(0, n_docs=40)
    parameters = {"inference": inference, "n_components": 8, "max_iter": 12}
    several = model(n_init=4, **parameters).fit(X)
    random_state = np.random.RandomState(0)
    alone = [model(random_state=random_state, init=init, **parameters).fit(X) for init in ("auto", *["random"] * 3)]
    name = "elbo" if inference == "vb" else "predictive"
    scores = [fitted.elbo_trace_[name][11] for fitted in alone]
    finals = [fitted.elbo_ for fitted in alone]
    assert several.elbo_ == finals[int(np.argmax(finals))]
    assert len(set(scores)) == 4


# Seed words


@all_methods
@both_engines
def test_seed_words_determine_the_order_of_topics(inference, method):
    seeds = {0: [V - 1, V - 2], 2: [0, 1]}
    fitted = model(seed_words=seeds, inference=inference, learning_method=method).fit(corpus(200))
    assert owners(fitted)[2] == 0
    assert owners(fitted)[0] == 2


def test_seed_words_may_be_column_names():
    X = pd.DataFrame(corpus(), columns=[f"w{i}" for i in range(V)])
    named = model(seed_words={1: ["w0", "w3"]}).fit(X)
    numbered = model(seed_words={1: [0, 3]}).fit(X)
    np.testing.assert_array_equal(named.components_, numbered.components_)


def test_a_seed_word_has_a_larger_prior_in_its_topic():
    X = corpus()
    fitted = model(seed_words={1: [4]}, topic_word_prior=0.1).fit(X)
    assert np.isclose(fitted._priors.eta[4, 1], 0.1 + 0.01 * X.sum() / K)
    others = fitted._priors.eta.copy()
    others[4, 1] = 0.1
    np.testing.assert_allclose(others, 0.1)


@pytest.mark.parametrize(
    ("seeds", "error", "message"),
    [
        ({K: [0]}, ValueError, "topic 3"),
        ({0: [V]}, ValueError, "column 24"),
        ({0: ["word"]}, ValueError, "X has none"),
        ({0: "word"}, TypeError, "list of words"),
        (["word"], TypeError, "dict"),
    ],
)
def test_invalid_seed_words_raise(seeds, error, message):
    with pytest.raises(error, match=message):
        model(seed_words=seeds).fit(corpus())


def test_partial_fit_keeps_the_seed_words_of_the_first_call():
    fitted = model(seed_words={0: [V - 1], 2: [0]})
    for seed in range(3):
        fitted.partial_fit(corpus(seed=seed))
    assert fitted._priors.eta.shape == (V, K)


def collapsed_passes(X, **given):
    lda = LatentDirichletAllocation(K, random_state=0, max_iter=400, callbacks=lambda record: record.iteration >= 130)
    lda.fit(X, **given)
    return int((lda.elbo_trace_["phase"] == "collapsed").sum())


def test_a_default_fit_has_more_collapsed_passes_if_documents_are_short():
    X = corpus()
    assert X.sum(axis=1).mean() > 20
    halves = np.concatenate([X // 2, X - X // 2])
    assert (collapsed_passes(X), collapsed_passes(halves)) == (75, 120)


def test_weights_do_not_make_documents_long():
    X = corpus() // 2
    assert collapsed_passes(X, sample_weight=np.full(len(X), 3.0)) == 120


def test_documents_in_batches_are_as_short_as_in_memory():
    X = corpus() // 2
    assert collapsed_passes([X[:20], X[20:]]) == 120
