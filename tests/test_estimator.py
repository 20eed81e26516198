"""The estimator: forms of input and output, fitted state, stopping, parameters, weights."""

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.special import psi
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

import ldavi
from ldavi import LatentDirichletAllocation, TraceRecord
from ldavi._estimator import settings
from ldavi._estimator.settings import step_size
from ldavi._estimator.validation import count_threads
from ldavi._inference import vb_batch, vb_memoized, vb_online

K, V = 3, 12
METHODS = ["batch", "online", "memoized"]
all_methods = pytest.mark.parametrize("method", METHODS)


def corpus(n_docs=40, n_words=V, seed=0):
    """Return documents of three topics with disjoint main words."""
    rng = np.random.default_rng(seed)
    topics = np.kron(np.eye(K), np.ones(n_words // K)) + 0.05
    theta = rng.dirichlet(np.full(K, 0.3), n_docs)
    return rng.poisson(20 * theta @ (topics / topics.sum(axis=1, keepdims=True))) + np.eye(n_docs, n_words, dtype=int)


def model(**parameters):
    return LatentDirichletAllocation(
        **{"n_components": K, "max_iter": 6, "tol": None, "n_collapsed_iter": 0, "random_state": 0} | parameters
    )


def same_model(a, b, X):
    np.testing.assert_array_equal(a.components_, b.components_)
    np.testing.assert_array_equal(a.transform(X), b.transform(X))
    np.testing.assert_array_equal(a.word_topics(X), b.word_topics(X))
    assert a.score(X) == b.score(X)


def state(estimator):
    """Return every attribute, arrays as bytes; without values that are computed from λ on demand."""
    found = {}
    for name, value in vars(estimator).items():
        if name == "_lambda":
            parts = {key: part for key, part in value.to_arrays().items() if key != "excess"}
            found[name] = {key: part.tobytes() if isinstance(part, np.ndarray) else part for key, part in parts.items()}
        else:
            found[name] = value.tobytes() if isinstance(value, np.ndarray) else repr(value)
    return found


# Forms of X


@all_methods
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_counts_keep_their_dtype(method, dtype):
    X = corpus().astype(dtype)
    lda = model(learning_method=method).fit(X)
    for array in (lda.components_, lda.topics_, lda.exp_dirichlet_component_, lda.transform(X), lda.word_topics(X)):
        assert array.dtype == dtype
    assert lda.fit_transform(X).dtype == dtype
    assert lda.partial_fit(X).components_.dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, np.uint64])
def test_integers_are_computed_in_float32(dtype):
    assert model().fit(corpus().astype(dtype)).components_.dtype == np.float32


def test_integers_beyond_2_to_the_24_are_computed_in_float64():
    X = corpus()
    X[0, 0] = 2**24
    assert model().fit(X).components_.dtype == np.float32
    X[0, 0] = 2**24 + 1
    assert model().fit(X).components_.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", np.float64, np.dtype("f4")])
def test_the_parameter_dtype_overrides_that_of_x(dtype):
    for given in (np.float32, np.float64, np.int64):
        lda = model(dtype=dtype).fit(corpus().astype(given))
        assert lda.components_.dtype == dtype
        assert lda.transform(corpus().astype(given)).dtype == dtype


def test_float32_and_float64_agree():
    X = corpus()
    single, double = model(dtype="float32").fit(X), model(dtype="float64").fit(X)
    np.testing.assert_allclose(single.components_, double.components_, rtol=1e-4)
    np.testing.assert_allclose(single.elbo_, double.elbo_, rtol=1e-6)


FORMS = {
    "csr array": sparse.csr_array,
    "csr matrix": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "list": lambda X: X.tolist(),
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=[f"w{i}" for i in range(X.shape[1])]),
    "Fortran": np.asfortranarray,
}


@all_methods
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_x_gives_the_same_bits(form, method):
    X = corpus()
    expected, found = model(learning_method=method).fit(X), model(learning_method=method).fit(form(X))
    np.testing.assert_array_equal(found.components_, expected.components_)
    np.testing.assert_array_equal(found.transform(form(X)), expected.transform(X))
    assert found.score(form(X)) == expected.score(X)
    assert found.perplexity(form(X)) == expected.perplexity(X)
    assert found.partial_fit(form(X)).components_.tobytes() == expected.partial_fit(X).components_.tobytes()


def test_indices_of_32_and_64_bits_give_the_same_bits():
    narrow = sparse.csr_array(corpus())
    wide = narrow.copy()
    wide.indices, wide.indptr = narrow.indices.astype(np.int64), narrow.indptr.astype(np.int64)
    same_model(model().fit(narrow), model().fit(wide), wide)
    assert wide.indices.dtype == wide.indptr.dtype == np.int64


# With scikit-learn


def test_names_of_features_come_in_and_go_out():
    X = pd.DataFrame(corpus(), columns=[f"w{i}" for i in range(V)])
    lda = model().set_output(transform="pandas").fit(X)
    out = lda.transform(X)
    assert isinstance(out, pd.DataFrame)
    assert list(out.columns) == list(lda.get_feature_names_out()) == [f"latentdirichletallocation{k}" for k in range(K)]
    assert list(lda.feature_names_in_) == list(X.columns)
    assert lda.n_features_in_ == V
    np.testing.assert_array_equal(out.to_numpy(), model().fit(corpus()).transform(corpus()))
    assert isinstance(lda.fit_transform(X), pd.DataFrame)
    assert isinstance(lda.set_output(transform="polars").transform(X), pl.DataFrame)
    assert not hasattr(lda.fit(X.to_numpy()), "feature_names_in_")


def test_works_after_a_vectorizer_in_a_pipeline():
    texts = ["cat dog cat mouse", "dog cat dog", "bond stock fund", "stock fund stock bond"] * 3
    pipeline = make_pipeline(CountVectorizer(), model(n_components=2, max_iter=50))
    theta = pipeline.fit_transform(texts)
    assert theta.shape == (12, 2)
    assert theta[0].argmax() == theta[1].argmax()
    assert theta[2].argmax() == theta[3].argmax()
    assert theta[0].argmax() != theta[2].argmax()
    assert np.isfinite(pipeline.score(texts))
    assert list(pipeline.get_feature_names_out()) == ["latentdirichletallocation0", "latentdirichletallocation1"]


@pytest.mark.slow
def test_a_grid_search_in_two_processes_scores_as_the_fits_alone():
    X, grid = corpus(), {"n_components": [2, 3], "learning_decay": [0.6, 0.9]}
    lda, folds = model(learning_method="online", batch_size=8, max_iter=2), KFold(2)
    search = GridSearchCV(lda, grid, cv=folds, n_jobs=2).fit(X)
    for i, parameters in enumerate(search.cv_results_["params"]):
        for j, (train, test) in enumerate(folds.split(X)):
            alone = clone(lda).set_params(**parameters).fit(X[train]).score(X[test])
            assert search.cv_results_[f"split{j}_test_score"][i] == alone


def test_a_clone_has_the_parameters_and_not_the_fit():
    lda = model(topic_word_prior=np.full(V, 0.2), callbacks=[print], n_jobs=2)
    lda.max_iter = 1
    copied = clone(lda.set_params(callbacks=None).fit(corpus()))
    assert repr(copied.get_params()) == repr(lda.get_params())
    assert not hasattr(copied, "components_")
    same_model(copied.fit(corpus()), lda, corpus())


def by_joblib(lda):
    file = io.BytesIO()
    joblib.dump(lda, file)
    file.seek(0)
    return joblib.load(file)


@all_methods
@pytest.mark.parametrize(
    "copied",
    [lambda lda: pickle.loads(pickle.dumps(lda)), copy.deepcopy, by_joblib],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_a_copy_by_serialisation_is_the_same_model(copied, method):
    X = corpus()
    lda = model(learning_method=method).fit(X)
    same_model(copied(lda), lda, X)
    lda.partial_fit(X[:7])
    again = copied(lda)
    np.testing.assert_array_equal(again.transform(X), lda.transform(X))
    same_model(again.partial_fit(X[7:]), lda.partial_fit(X[7:]), X)


@all_methods
def test_the_number_of_threads_changes_no_bit(method):
    X = corpus(300, 60)
    alone = model(learning_method=method, n_jobs=1, batch_size=50).fit(X)
    for n_jobs in (2, 3, 7):
        together = model(learning_method=method, n_jobs=n_jobs, batch_size=50).fit(X)
        same_model(together, alone, X)
        assert (
            together.elbo_trace_[["elbo", "n_inner_iter"]].tolist()
            == alone.elbo_trace_[["elbo", "n_inner_iter"]].tolist()
        )
        same_model(
            together.partial_fit(X[:99]), model(learning_method=method, batch_size=50).fit(X).partial_fit(X[:99]), X
        )


@pytest.mark.parametrize("backend", [pytest.param("loky", marks=pytest.mark.slow), "threading"])
def test_inside_a_joblib_worker_there_is_one_thread(backend):
    inside = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(count_threads)(n) for n in (None, 2, -1))
    assert inside == [1, 1, 1]
    assert (count_threads(None), count_threads(1), count_threads(3)) == (1, 1, 3)


# Inference


@all_methods
def test_a_row_of_transform_depends_on_its_document_alone(method):
    X = corpus()
    lda = model(learning_method=method).fit(X)
    theta = lda.transform(X)
    np.testing.assert_array_equal(lda.transform(X), theta)
    np.testing.assert_array_equal(np.vstack([lda.transform(X[d : d + 1]) for d in range(len(X))]), theta)
    np.testing.assert_array_equal(lda.transform(X[::-1]), theta[::-1])
    np.testing.assert_array_equal(lda.transform(np.vstack([corpus(100, seed=5), X]))[100:], theta)


@all_methods
def test_inference_does_not_change_the_model(method):
    X = corpus()
    for lda in (model(learning_method=method).fit(X), model().partial_fit(X)):
        before, generator = state(lda), copy.deepcopy(lda.random_state_)
        for name in ("transform", "score", "perplexity", "word_topics"):
            getattr(lda, name)(X)
        assert state(lda) == before
        assert str(lda.random_state_.get_state()) == str(generator.get_state())


def test_an_empty_document_has_the_prior_mean():
    alpha = np.array([0.5, 0.1, 0.2])
    lda = model(doc_topic_prior=alpha, dtype="float64").fit(corpus())
    X = np.vstack([np.zeros(V), corpus()[0], np.zeros(V)])
    np.testing.assert_allclose(lda.transform(X)[[0, 2]], np.tile(alpha / alpha.sum(), (2, 1)), rtol=1e-14)
    np.testing.assert_array_equal(lda.transform(X, normalize=False)[[0, 2]], np.tile(alpha, (2, 1)))
    assert lda.score(X) == pytest.approx(lda.score(X[1:2]), abs=1e-12)


def test_rows_are_proportions_and_gamma_holds_the_tokens():
    X = corpus()
    lda = model(dtype="float64").fit(X)
    gamma = lda.transform(X, normalize=False)
    np.testing.assert_allclose(gamma.sum(axis=1), lda.doc_topic_prior_.sum() + X.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(lda.transform(X), gamma / gamma.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(lda.topics_.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(lda.topics_, lda.components_ / lda.components_.sum(axis=1, keepdims=True), rtol=1e-12)


def test_exp_dirichlet_component_is_the_exponential_of_the_expected_log():
    lda = model(dtype="float64").fit(corpus())
    expected = np.exp(psi(lda.components_) - psi(lda.components_.sum(axis=1, keepdims=True)))
    np.testing.assert_allclose(lda.exp_dirichlet_component_, expected, rtol=1e-12)


def test_score_adds_up_over_documents():
    X = corpus()
    lda = model(dtype="float64").fit(X)
    parts = [lda.score(X[d : d + 1]) for d in range(len(X))]
    np.testing.assert_allclose(lda.score(X), np.sum(parts), rtol=1e-12)


def test_perplexity_is_that_of_the_score_however_x_is_split():
    X = corpus()
    lda = model(dtype="float64").fit(X)
    tokens = X.sum()
    np.testing.assert_allclose(lda.perplexity(X), np.exp(-lda.score(X) / tokens), rtol=1e-12)
    shares = [(part.sum() / tokens, np.log(lda.perplexity(part))) for part in (X[:3], X[3:20], X[20:])]
    np.testing.assert_allclose(lda.perplexity(X), np.exp(sum(share * log for share, log in shares)), rtol=1e-12)
    np.testing.assert_allclose(lda.perplexity(np.vstack([X, X])), lda.perplexity(X), rtol=1e-12)
    assert lda.perplexity(X, sub_sampling=True) == lda.perplexity(X)


def test_perplexity_of_one_possible_word_is_1():
    X = np.full((5, 1), 3.0)
    lda = model(n_components=1).fit(X)
    assert lda.perplexity(X) == pytest.approx(1, abs=1e-12)
    assert model(n_components=4).fit(X).perplexity(X) >= 1


@pytest.mark.parametrize("prior", [0.05, 0])
def test_word_topics_has_a_distribution_for_each_stored_count(prior):
    X = sparse.csr_array(corpus().astype(np.float64))
    lda = model(topic_word_prior=prior, mean_change_tol=1e-10, max_doc_update_iter=10_000).fit(X)
    phi = lda.word_topics(X)
    assert phi.shape == (X.nnz, K)
    np.testing.assert_allclose(phi.sum(axis=1), 1, rtol=1e-12)
    documents = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    sums = np.zeros((X.shape[0], K))
    np.add.at(sums, documents, X.data[:, None] * phi)
    np.testing.assert_allclose(lda.doc_topic_prior_ + sums, lda.transform(X, normalize=False), rtol=1e-6)


# Stopping, traces, output


@all_methods
def test_the_trace_has_a_record_per_pass_and_ends_with_the_elbo(method):
    lda = model(learning_method=method, max_iter=7, batch_size=10).fit(corpus())
    trace = lda.elbo_trace_
    fields = [field for field in TraceRecord.__dataclass_fields__ if field != "elbo"]
    assert set(trace.dtype.names) == {*fields, "elbo"}
    last = ["final"] if method == "online" else []
    assert trace["iteration"].tolist() == [*range(1, 8), *([7] * len(last))]
    assert lda.elbo_ == trace["elbo"][-1]
    assert lda.bound_ == trace["perplexity"][-1]
    np.testing.assert_allclose(trace["elbo"], trace["word"] + trace["doc_topic"] + trace["topic_word"], rtol=1e-12)
    tokens = corpus().sum()
    np.testing.assert_allclose(trace["perplexity"], np.exp(-(trace["word"] + trace["doc_topic"]) / tokens), rtol=1e-12)
    phases = {
        "batch": ["warmup"] * 3 + ["monotone"] * 4,
        "online": ["online"] * 7,
        "memoized": ["warmup"] * 3 + ["monotone"] * 4,
    }
    assert trace["phase"].tolist() == phases[method] + last
    assert (np.diff(trace["seconds"]) >= 0).all()
    assert (trace["n_inner_iter"] >= 1).all()
    assert lda.n_iter_ == 7
    assert lda.n_samples_seen_ == 40
    assert lda.n_batch_iter_ == 1 + 7 * {"batch": 1, "online": 4, "memoized": 4}[method]


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_the_elbo_rises_in_the_monotone_passes(method):
    trace = model(learning_method=method, max_iter=40, batch_size=10, dtype="float64").fit(corpus()).elbo_trace_
    elbo = trace["elbo"][trace["phase"] == "monotone"]
    assert (np.diff(elbo) >= -1e-9 * np.abs(elbo[1:])).all()
    assert elbo[-1] > elbo[0]


@all_methods
def test_tol_ends_the_fit_after_three_smaller_gains_in_a_row(method):
    lda = model(learning_method=method, max_iter=500, tol=1e-4).fit(corpus())
    assert lda.converged_
    assert lda.n_iter_ < 500
    trace = lda.elbo_trace_[lda.elbo_trace_["phase"] != "final"]
    gains = (np.diff(trace["elbo"]) / np.abs(trace["elbo"][1:]))[trace["phase"][:-1] == trace["phase"][-1]]
    small = np.concatenate([[False], gains < 1e-4, [False]])
    assert small[-4:-1].all()
    assert np.diff(np.flatnonzero(~small[:-1])).max() <= 3


@all_methods
def test_max_iter_reached_before_tol_warns_with_the_gain_and_the_limits(method):
    with pytest.warns(
        ConvergenceWarning, match=r"rose by up to .* until pass 4, the last of max_iter=4; tol=1e-12 requires"
    ):
        lda = model(learning_method=method, max_iter=4, tol=1e-12, learning_decay=0.9, batch_size=7).fit(corpus())
    assert not lda.converged_
    assert lda.n_iter_ == 4


@all_methods
def test_without_tol_every_pass_is_made_without_a_warning(method):
    lda = model(learning_method=method, max_iter=60, tol=None).fit(corpus())
    assert lda.n_iter_ == 60
    assert not lda.converged_


@all_methods
def test_callbacks_get_each_record_and_true_stops(method):
    seen = []

    def callback(record):
        seen.append(record)
        return record.iteration == 3

    lda = model(learning_method=method, max_iter=9, callbacks=callback).fit(corpus())
    assert [record.iteration for record in seen] == [1, 2, 3]
    assert all(isinstance(record, TraceRecord) for record in seen)
    assert [record.elbo for record in seen] == lda.elbo_trace_["elbo"][:3].tolist()
    assert lda.n_iter_ == 3


@pytest.mark.parametrize("answer", [None, False, 1, "stop"])
def test_only_a_callback_that_returns_true_stops_the_fit(answer):
    lda = model(max_iter=5, callbacks=[lambda record: answer]).fit(corpus())
    assert lda.n_iter_ == 5
    assert not lda.converged_


@pytest.mark.filterwarnings("error")
def test_a_fit_that_a_callback_stops_has_not_converged_and_gives_no_warning():
    assert not model(max_iter=9, tol=1e-12, callbacks=lambda record: record.iteration == 3).fit(corpus()).converged_


def test_a_callback_may_return_the_true_of_numpy():
    assert model(max_iter=9, callbacks=lambda record: np.float64(record.elbo) < 0).fit(corpus()).n_iter_ == 1


class CallbackError(Exception):
    """Raised by a callback."""


def fails_after(n_passes):
    def callback(record):
        if record.iteration == n_passes:
            raise CallbackError

    return callback


def test_an_error_of_a_callback_leaves_a_fitted_model_unchanged():
    lda = model(max_iter=5).fit(corpus())
    lda.topic_names_ = [f"topic {k}" for k in range(lda.n_components)]
    before = lda.__dict__ | {"callbacks": fails_after(2)}
    with pytest.raises(CallbackError):
        lda.set_params(callbacks=before["callbacks"]).fit(corpus())
    assert lda.__dict__ == before


def test_an_error_of_a_callback_leaves_a_new_model_with_the_topics_of_the_last_complete_pass():
    lda = model(max_iter=5, callbacks=fails_after(3))
    with pytest.raises(CallbackError):
        lda.fit(corpus())
    assert lda.n_iter_ == 3


def test_every_callback_is_called_even_after_one_that_stops_the_fit():
    seen = []
    model(callbacks=[lambda record: True, lambda record: seen.append(record)]).fit(corpus())
    assert len(seen) == 1


@all_methods
@pytest.mark.parametrize("last", [1, 3, 4])
def test_an_interrupt_leaves_the_topics_of_the_last_complete_pass(method, last):
    def interrupt(record):
        if record.iteration == last:
            raise KeyboardInterrupt

    X = corpus()
    parameters = {"learning_method": method, "batch_size": 10, "max_iter": 8}
    expected = model(**parameters, callbacks=lambda record: record.iteration == last).fit(X)
    lda = model(**parameters, callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(X)
    assert not lda.converged_
    assert lda.n_iter_ == last
    same_model(lda, expected, X)
    assert np.isfinite(lda.elbo_)
    lda.set_params(callbacks=None).partial_fit(X)


@all_methods
def test_an_interrupt_within_a_pass_leaves_the_topics_of_the_pass_before(method, monkeypatch):
    X = corpus()
    parameters = {"learning_method": method, "batch_size": 10, "max_iter": 8}
    expected = model(**parameters, callbacks=lambda record: record.iteration == 2).fit(X)
    module = {"batch": vb_batch, "online": vb_online, "memoized": vb_memoized}[method]
    calls, e_step, stop_at = [], module.e_step, {"batch": 3, "online": 11, "memoized": 11}[method]

    def interrupted(*arguments, **options):
        calls.append(1)
        result = e_step(*arguments, **options)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(module, "e_step", interrupted)
    lda = model(**parameters)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(X)
    monkeypatch.undo()
    assert lda.n_iter_ == 2
    same_model(lda, expected, X)


def test_an_interrupt_before_the_first_pass_leaves_the_estimator_as_it_was(monkeypatch):
    lda = model().fit(corpus())
    before = state(lda)

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(vb_batch, "e_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(corpus(seed=1))
    assert state(lda) == before


def test_verbose_prints_a_line_per_pass(capsys):
    model(max_iter=3, verbose=1).fit(corpus())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"iteration: {i} of max_iter: 3" for i in (1, 2, 3)]
    assert all("elbo: -" in line and "perplexity" not in line for line in lines)
    model(max_iter=3, verbose=1, evaluate_every=2).fit(corpus())
    assert ["perplexity" in line for line in capsys.readouterr().out.splitlines()] == [False, True, False]
    model(max_iter=3, evaluate_every=1).fit(corpus())
    assert capsys.readouterr().out == ""


def test_a_perplexity_that_changes_by_less_than_perp_tol_ends_the_fit():
    lda = model(max_iter=200, evaluate_every=2, perp_tol=0.01).fit(corpus())
    perplexity = lda.elbo_trace_["perplexity"]
    assert not lda.converged_  # in the sense of `tol`
    assert lda.n_iter_ < 200
    assert lda.n_iter_ % 2 == 0
    assert abs(perplexity[-1] - perplexity[-3]) < 0.01
    assert model(max_iter=20, evaluate_every=-1, perp_tol=100.0).fit(corpus()).n_iter_ == 20
    assert model(max_iter=20, evaluate_every=0, perp_tol=100.0).fit(corpus()).n_iter_ == 20


# Warm starts and partial_fit


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_a_warm_start_continues_from_the_fitted_topics(method):
    X = corpus()
    parameters = {"learning_method": method, "dtype": "float64", "mean_change_tol": 1e-6, "max_doc_update_iter": 1000}
    lda = model(max_iter=30, warm_start=True, **parameters).fit(X)
    first, topics = lda.elbo_, lda.topics_.copy()
    lda.set_params(max_iter=4, random_state=99).fit(X)
    assert lda.elbo_ >= first - 1e-3 * abs(first)
    assert lda.n_iter_ == 4
    np.testing.assert_array_equal(lda.topics_.argmax(axis=1), topics.argmax(axis=1))
    assert lda.elbo_ > model(max_iter=4, **parameters).fit(X).elbo_


def test_consecutive_warm_starts_end_with_a_higher_bound_than_the_first():
    # not each with a higher one: documents start cold in each, and may converge to another optimum
    X = corpus()
    lda = model(max_iter=10, warm_start=True, dtype="float64", max_doc_update_iter=1000, mean_change_tol=1e-9).fit(X)
    elbo = [lda.elbo_] + [lda.set_params(max_iter=3).fit(X).elbo_ for _ in range(8)]
    assert elbo[-1] > elbo[0]


@pytest.mark.parametrize(("parameters", "n_words"), [({"n_components": K + 1}, V), ({}, V + 3)])
def test_a_warm_start_of_another_shape_is_refused(parameters, n_words):
    lda = model(warm_start=True).fit(corpus())
    before = state(lda)
    lda.set_params(**parameters)
    with pytest.raises(ValueError, match=r"warm_start=True continues from topics of shape \(3, 12\)"):
        lda.fit(corpus(n_words=n_words))
    lda.set_params(n_components=K)
    assert state(lda) == before


def test_without_a_warm_start_a_second_fit_ignores_the_first():
    lda = model().fit(corpus(n_words=15, seed=3)).partial_fit(corpus(n_words=15))
    same_model(lda.fit(corpus()), model().fit(corpus()), corpus())


@pytest.mark.parametrize("batch_size", [40, 13])
def test_one_online_pass_is_partial_fit_with_the_same_total(batch_size):
    X, priors = corpus(), {"doc_topic_prior": 0.1, "topic_word_prior": 0.05}  # learned ones change after a pass, too
    fitted = model(learning_method="online", max_iter=1, batch_size=batch_size, **priors).fit(X)
    stepped = model(batch_size=batch_size, total_samples=len(X), **priors).partial_fit(X)
    np.testing.assert_array_equal(stepped.components_, fitted.components_)
    stepped.components_ = stepped.components_  # so that Σ_w λ_kw is summed again, instead of updated in each step
    same_model(stepped, fitted, X)
    assert stepped.n_batch_iter_ == fitted.n_batch_iter_ == 1 + -(-40 // batch_size)


@pytest.mark.parametrize(
    ("n_docs", "documents"),
    [
        (1, 64),
        (8_192, 64),
        (2**13 * 1.42, 128),
        (18_273, 128),
        (100_000, 1024),
        (3e5, 2048),
        (2**19, 4096),
        (1e9, 4096),
    ],
)
def test_an_automatic_step_is_about_a_128th_of_the_corpus(n_docs, documents):
    assert step_size("auto", n_docs) == documents
    assert step_size(7, n_docs) == 7


def test_the_automatic_step_of_an_online_fit_depends_on_the_number_of_documents(monkeypatch):
    monkeypatch.setattr(settings, "STEPS_PER_PASS", 5)
    monkeypatch.setattr(settings, "MIN_STEP", 1)
    X, online = corpus(), {"learning_method": "online", "max_iter": 2}
    by_eight = model(batch_size=8, **online).fit(X)
    same_model(model(**online).fit(X), by_eight, X)
    weights = np.full(len(X), 1e-3)  # which do not count as documents
    assert model(**online).fit(X, sample_weight=weights).n_batch_iter_ == by_eight.n_batch_iter_ == 1 + 2 * 5
    assert model(**online).fit([X[:16], X[16:]]).n_batch_iter_ == 1 + 2 * 5


@pytest.mark.parametrize(("total_samples", "n_steps"), [(None, 2), (100, 4), (40_000, 1)])
def test_the_automatic_step_of_partial_fit_depends_on_total_samples(total_samples, n_steps):
    X = corpus(n_docs=200)
    assert model(total_samples=total_samples).partial_fit(X).n_batch_iter_ == 1 + n_steps


def test_total_samples_none_means_the_documents_seen_so_far():
    X = corpus()
    one = model(total_samples=None).partial_fit(X[:10]).partial_fit(X[10:25])
    two = model(total_samples=10).partial_fit(X[:10]).set_params(total_samples=25).partial_fit(X[10:25])
    np.testing.assert_array_equal(one.components_, two.components_)
    assert one.n_samples_seen_ == 25
    assert one.n_iter_ == 0
    assert one.n_batch_iter_ == 3


def test_partial_fit_after_fit_continues_the_counters():
    lda = model(learning_method="online", batch_size=10).fit(corpus()).partial_fit(corpus()[:15])
    assert lda.n_samples_seen_ == 55
    assert lda.n_batch_iter_ == 1 + 6 * 4 + 2


def test_partial_fit_changes_only_the_rows_of_its_words():
    X = corpus()
    lda = model().fit(X)
    before = lda._lambda._rows.copy()
    part = np.zeros_like(X[:5])
    part[:, [2, 7]] = 4
    lda.partial_fit(part)
    others = np.setdiff1d(np.arange(V), [2, 7])
    np.testing.assert_array_equal(lda._lambda._rows[others], before[others])
    assert (lda._lambda._rows[[2, 7], :K] != before[[2, 7], :K]).any()
    rho, eta = (10.0 + 7) ** -0.7, lda.topic_word_prior_
    np.testing.assert_allclose(lda.components_[:, others], (1 - rho) * before[others, :K].T + rho * eta, rtol=1e-5)


def test_an_error_of_partial_fit_leaves_the_model_as_it_was():
    lda = model().partial_fit(corpus())
    before = state(lda)
    for X in (corpus(n_words=V + 3), -corpus(), corpus() * np.nan):
        with pytest.raises(ValueError, match=r"X|counts"):
            lda.partial_fit(X)
        assert state(lda) == before


@pytest.mark.parametrize("n_components", [K - 1, K + 1, 17])
def test_partial_fit_with_another_number_of_topics_is_refused(n_components):
    lda = model().fit(corpus())
    lda.set_params(n_components=n_components)
    before = state(lda)
    with pytest.raises(ValueError, match="n_components"):
        lda.partial_fit(corpus())
    assert state(lda) == before


@pytest.mark.parametrize(("first", "then"), [("float32", "float64"), ("float64", "float32"), ("float32", "int64")])
def test_partial_fit_takes_counts_of_another_dtype(first, then):
    X = corpus()
    lda = model().fit(X.astype(first)).partial_fit(X.astype(then))
    assert lda.components_.dtype == first
    expected = model().fit(X.astype(first)).partial_fit(X.astype(first))
    np.testing.assert_allclose(lda.components_, expected.components_, rtol=1e-5)


def test_a_chain_of_many_steps_keeps_the_topics_finite():
    lda, X = model(batch_size=4, learning_decay=0.5, learning_offset=0.0), corpus()
    for _ in range(30):
        lda.partial_fit(X)
    assert np.isfinite(lda.components_).all()
    assert (lda.components_ > 0).all()
    np.testing.assert_allclose(lda.transform(X).sum(axis=1), 1, rtol=1e-5)


# components_


def test_topics_given_through_the_setter_are_used():
    X = corpus()
    fixed = {"doc_topic_prior": 0.1, "topic_word_prior": 0.05}
    lda, other = model(**fixed).fit(X), model(random_state=5, **fixed).fit(corpus(seed=8))
    lda.transform(X)
    lda.components_ = other.components_
    same_model(lda, other, X)


def test_topics_cannot_be_changed_in_place():
    lda = model().fit(corpus())
    before = lda.components_.copy()
    with pytest.raises(ValueError, match="read-only"):
        lda.components_[0, :] = 7.0
    with pytest.raises(ValueError, match="read-only"):
        lda.components_ *= 2
    lda.components_ = 2 * lda.components_
    np.testing.assert_array_equal(lda.components_, 2 * before)


def test_an_array_of_topics_keeps_its_values_when_the_model_learns():
    lda = model().fit(corpus())
    for _ in range(2):
        seen = lda.components_
        before = seen.copy()
        lda.partial_fit(corpus()[:7])
        np.testing.assert_array_equal(seen, before)
        assert (lda.components_ != before).any()


INVALID_COMPONENTS = {
    "None": (None, TypeError),
    "words": ([["a"] * V] * K, TypeError),
    "complex": (np.ones((K, V), complex), TypeError),
    "rows of different lengths": ([[1.0], [1.0, 2.0]], ValueError),
    "one topic fewer": (np.ones((K - 1, V)), ValueError),
    "transposed": (np.ones((V, K)), ValueError),
    "one row": (np.ones(V), ValueError),
    "negative": (np.where(np.eye(K, V), -1.0, 1.0), ValueError),
    "zero": (np.where(np.eye(K, V), 0.0, 1.0), ValueError),
    "NaN": (np.where(np.eye(K, V), np.nan, 1.0), ValueError),
    "infinite": (np.where(np.eye(K, V), np.inf, 1.0), ValueError),
    "too large for float32": (np.full((K, V), 1e39), ValueError),
    "too small for float32": (np.full((K, V), 1e-60), ValueError),
}


@pytest.mark.parametrize(("value", "error"), INVALID_COMPONENTS.values(), ids=INVALID_COMPONENTS)
def test_invalid_topics_are_refused_and_change_nothing(value, error):
    lda = model().fit(corpus())
    before, theta = state(lda), lda.transform(corpus())
    with pytest.raises(error, match=rf"components_.* must be an array of shape \({K}, {V}\) with finite values > 0"):
        lda.components_ = value
    assert state(lda) == before
    np.testing.assert_array_equal(lda.transform(corpus()), theta)


def test_topics_that_are_point_estimates_may_hold_zeros_but_no_empty_row():
    lda = model(topic_word_prior=0).fit(corpus())
    lda.components_ = np.eye(K, V)
    np.testing.assert_array_equal(lda.topics_, np.eye(K, V))
    with pytest.raises(ValueError, match="sum > 0 in each row"):
        lda.components_ = np.eye(K, V) * (np.arange(K) > 0)[:, None]


def partial_fit_on_documents(lda):
    lda.partial_fit(corpus()[:5])


def assign_topics(lda):
    lda.components_ = lda.components_[::-1]


@pytest.mark.parametrize("change", [partial_fit_on_documents, assign_topics])
@all_methods
def test_what_describes_the_topics_at_the_end_of_fit_goes_when_they_change(method, change):
    lda = model(learning_method=method).fit(corpus())
    change(lda)
    for name in ("elbo_", "bound_", "elbo_trace_", "converged_"):
        assert not hasattr(lda, name)
    assert lda.n_iter_ > 0
    assert np.isfinite(lda.fit(corpus()).elbo_)


@pytest.mark.parametrize("X", [-np.ones((2, V)), np.ones((2, V + 1)), [np.ones((2, V))]])
def test_a_partial_fit_that_fails_leaves_what_describes_the_fit(X):
    lda = model().fit(corpus())
    before = state(lda)
    with pytest.raises((ValueError, TypeError)):
        lda.partial_fit(X)
    assert state(lda) == before


def test_topics_of_another_shape_are_refused():
    lda = model().fit(corpus())
    for shape in [(K + 1, V), (K, V - 1), (V, K)]:
        with pytest.raises(ValueError, match="shape"):
            lda.components_ = np.ones(shape)


# Priors


@all_methods
def test_a_topic_word_prior_of_0_makes_point_estimates(method):
    X = corpus()
    X[:, 5] = 0
    lda = model(learning_method=method, topic_word_prior=0, max_iter=40, dtype="float64", learning_decay=0.0).fit(X)
    np.testing.assert_allclose(lda.topics_.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(lda.topics_[:, 5], 0, atol=1e-12)
    np.testing.assert_allclose(lda.components_.sum(), X.sum(), rtol=1e-9)
    np.testing.assert_array_equal(lda.exp_dirichlet_component_, lda.topics_)
    assert (lda.elbo_trace_["topic_word"] == 0).all()
    assert np.isfinite(lda.elbo_)
    unseen = np.zeros((1, V))
    unseen[0, [0, 5]] = 2, 1
    assert np.isfinite(lda.transform(unseen)).all()
    np.testing.assert_allclose(lda.transform(unseen).sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(lda.word_topics(unseen).sum(axis=1), 1, rtol=1e-12)


@all_methods
@pytest.mark.parametrize("shape", [(), (V,), (K, V)], ids=["number", "words", "topics and words"])
def test_equal_entries_of_any_shape_are_the_same_topic_word_prior(method, shape):
    a = model(learning_method=method, topic_word_prior=0.3, dtype="float64").fit(corpus())
    b = model(learning_method=method, topic_word_prior=np.full(shape, 0.3), dtype="float64").fit(corpus())
    np.testing.assert_allclose(b.components_, a.components_, rtol=1e-9)
    np.testing.assert_allclose(b.elbo_, a.elbo_, rtol=1e-10)
    np.testing.assert_array_equal(b.topic_word_prior_, np.full(shape, 0.3))


@all_methods
@pytest.mark.parametrize("shape", [(V,), (K, V)], ids=["words", "topics and words"])
def test_the_mass_of_the_topics_is_the_tokens_and_the_prior(method, shape):
    eta = np.random.default_rng(0).uniform(0.1, 3, shape)
    X = corpus()
    X[:, 3] = 0
    lda = model(learning_method=method, topic_word_prior=eta, max_iter=40, dtype="float64", learning_decay=0.0).fit(X)
    np.testing.assert_allclose(
        lda.components_.sum(axis=0), np.broadcast_to(eta, (K, V)).sum(axis=0) + X.sum(axis=0), rtol=1e-9
    )
    np.testing.assert_allclose(lda.components_[:, 3], np.broadcast_to(eta, (K, V))[:, 3], rtol=1e-9)


def test_a_large_prior_of_words_in_a_topic_gives_them_probability_there():
    eta = np.full((K, V), 0.01)
    eta[2, :4] = 500.0
    lda = model(topic_word_prior=eta, max_iter=40).fit(corpus())
    assert (lda.topics_[2, :4] > 0.15).all()


@all_methods
def test_an_asymmetric_document_prior_is_used(method):
    alpha = np.array([5.0, 0.01, 0.01])
    lda = model(learning_method=method, doc_topic_prior=alpha, dtype="float64", max_iter=30).fit(corpus())
    np.testing.assert_array_equal(lda.doc_topic_prior_, alpha)
    assert lda.transform(corpus())[:, 0].mean() > 0.4
    flat = model(learning_method=method, doc_topic_prior=np.full(K, 0.1), dtype="float64").fit(corpus())
    np.testing.assert_array_equal(
        flat.components_, model(learning_method=method, doc_topic_prior=0.1, dtype="float64").fit(corpus()).components_
    )


def test_priors_of_none_are_1_by_n_components():
    lda = model(doc_topic_prior=None, topic_word_prior=None).fit(corpus())
    assert lda.doc_topic_prior_ == lda.topic_word_prior_ == 1 / K
    same_model(lda, model(doc_topic_prior=1 / K, topic_word_prior=1 / K).fit(corpus()), corpus())


# Every parameter does something


CHANGES = {
    "n_components": ({}, 4),
    "doc_topic_prior": ({}, 0.9),
    "topic_word_prior": ({}, 0.9),
    "learning_method": ({}, "online"),
    "learning_decay": ({"learning_method": "online"}, 0.9),
    "learning_offset": ({"learning_method": "online"}, 100.0),
    "max_iter": ({}, 7),
    "batch_size": ({"learning_method": "memoized"}, 16),
    "mean_change_tol": ({"learning_method": "online"}, 0.5),
    "max_doc_update_iter": ({}, 1),
    "random_state": ({"init": "random"}, 1),
    "dtype": ({}, "float64"),
    "tol": ({"max_iter": 60}, 0.1),
    "evaluate_every": ({"max_iter": 60}, 5),
    "perp_tol": ({"max_iter": 60, "evaluate_every": 1}, 1e-9),
    "callbacks": ({}, [lambda record: True]),
    "inference": ({}, "cvb0"),
    "init": ({}, np.arange(1.0, K * V + 1).reshape(K, V)),
    "n_collapsed_iter": ({}, 3),
    "n_init": ({"init": "random"}, 4),
    "seed_words": ({}, {0: [1, 2]}),
    "validation_fraction": ({}, 0.25),
    "n_iter_no_change": ({"validation_fraction": 0.25, "max_iter": 60, "tol": None, "init": "random"}, 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changes_the_topics(name):
    context, value = CHANGES[name]
    before = model(**{"batch_size": 8} | context).fit(corpus()).components_
    after = model(**{"batch_size": 8} | context | {name: value}).fit(corpus()).components_
    assert before.shape != after.shape or before.dtype != after.dtype or not np.array_equal(before, after)


def test_every_parameter_has_a_test_that_it_changes_something():
    tested_elsewhere = {"total_samples", "n_jobs", "verbose", "warm_start", "new_words"}
    assert CHANGES.keys() | tested_elsewhere == LatentDirichletAllocation().get_params().keys()


def test_total_samples_scales_the_steps_of_partial_fit():
    few, many = model(total_samples=40).partial_fit(corpus()), model(total_samples=4000).partial_fit(corpus())
    assert many.components_.sum() > 10 * few.components_.sum()


# sample_weight


@all_methods
def test_weights_of_1_change_nothing(method):
    X = corpus()
    weighted = model(learning_method=method).fit(X, sample_weight=np.ones(len(X)))
    np.testing.assert_allclose(weighted.components_, model(learning_method=method).fit(X).components_, rtol=1e-6)


def test_a_weight_of_2_is_the_document_twice():
    X, weight = corpus(), np.arange(40) % 3
    weighted = model(dtype="float64", max_iter=12).fit(X, sample_weight=weight)
    repeated = model(dtype="float64", max_iter=12).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, rtol=1e-8)
    np.testing.assert_allclose(weighted.elbo_trace_["elbo"], repeated.elbo_trace_["elbo"], rtol=1e-10)


@all_methods
def test_a_weight_of_0_drops_the_document(method):
    X, weight = corpus(), (np.arange(40) % 3 > 0).astype(float)
    weighted = model(learning_method=method).fit(X, sample_weight=weight)
    dropped = model(learning_method=method).fit(X[weight > 0])
    np.testing.assert_allclose(weighted.components_, dropped.components_, rtol=1e-6)
    np.testing.assert_allclose(weighted.elbo_, dropped.elbo_, rtol=1e-6)


@all_methods
def test_the_mass_of_the_topics_is_the_weighted_tokens(method):
    X, weight = corpus(), np.random.default_rng(1).uniform(0.1, 4, 40)
    parameters = {"learning_method": method, "learning_decay": 0.0, "dtype": "float64", "max_iter": 30}
    lda = model(**parameters).fit(X, sample_weight=weight)
    np.testing.assert_allclose(lda.components_.sum(axis=0), K * lda.topic_word_prior_ + weight @ X, rtol=1e-9)


def test_fit_transform_passes_the_weights_on():
    X, weight = corpus(), np.arange(40) % 3
    expected = model().fit(X, sample_weight=weight).transform(X)
    np.testing.assert_array_equal(model().fit_transform(X, sample_weight=weight), expected)
    np.testing.assert_array_equal(
        model().fit_transform(X, normalize=False), model().fit(X).transform(X, normalize=False)
    )


# Edges of size


@all_methods
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 4)])
@pytest.mark.parametrize("n_components", [1, 2, 40])
def test_any_small_shape_is_fitted_without_a_warning(method, shape, n_components):
    X = np.random.default_rng(0).integers(1, 5, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lda = model(learning_method=method, n_components=n_components).fit(X)
    theta = lda.transform(X)
    np.testing.assert_allclose(theta.sum(axis=1), 1, rtol=1e-5)
    assert np.isfinite(lda.elbo_)
    assert lda.components_.shape == (n_components, shape[1])


def test_the_package_exports_its_public_names():
    assert set(ldavi.__all__) >= {"LatentDirichletAllocation", "infer", "Inference", "TraceRecord", "show_config"}
    assert all(hasattr(ldavi, name) for name in ldavi.__all__)
