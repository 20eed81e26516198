"""Counts, weights and priors that a precision cannot compute with are refused; all others give finite results."""

import copy
import warnings

import numpy as np
import pytest
from scipy import sparse

import ldavi
from ldavi import LatentDirichletAllocation
from ldavi._core.limits import LARGEST_PRIOR, MAX_TOKENS, SMALLEST
from ldavi._inference import vb_batch, vb_memoized, vb_online

DTYPES = ("float32", "float64")
ENGINES = {
    "batch": {},
    "online": {"learning_method": "online", "batch_size": 8},
    "memoized": {"learning_method": "memoized"},
    "cvb0": {"inference": "cvb0"},
    "collapsed, then VB": {"n_collapsed_iter": 15},
    "point estimates": {"topic_word_prior": 0},
}
TOPICS = np.random.default_rng(1).dirichlet(np.full(12, 0.3), 3)


def counts(n_docs=30, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.dirichlet(np.full(3, 0.3), n_docs)
    return np.array([rng.multinomial(20, row / row.sum()) for row in theta @ TOPICS]).astype(float)


def model(**parameters):
    return LatentDirichletAllocation(3, **{"max_iter": 6, "tol": None, "random_state": 0} | parameters)


def of_total(total):
    X = counts()
    return X * (total / X.sum())


def check_finite(lda, X):
    objective = np.where(
        lda.elbo_trace_["phase"] == "collapsed", lda.elbo_trace_["predictive"], lda.elbo_trace_["elbo"]
    )
    assert np.isfinite(objective).all()
    assert (objective < 0).all()
    assert np.isfinite(lda.components_).all()
    np.testing.assert_allclose(lda.transform(X).sum(axis=1), 1, rtol=1e-3)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_permitted_counts_give_finite_results(dtype, engine):
    X = of_total(0.999 * MAX_TOKENS[np.dtype(dtype)])
    check_finite(model(dtype=dtype, **engine).fit(X), X)


@pytest.mark.parametrize("dtype", DTYPES)
def test_larger_counts_are_refused_everywhere(dtype):
    X, fitted = of_total(1.01 * MAX_TOKENS[np.dtype(dtype)]), model(dtype=dtype).fit(counts())
    calls = [model(dtype=dtype, **engine).fit for engine in ENGINES.values()]
    calls += [model(dtype=dtype).partial_fit, fitted.partial_fit, fitted.transform, fitted.score]
    calls += [lambda X: ldavi.infer(X, TOPICS, dtype=dtype), lambda X: model(dtype=dtype).fit([X[:20], X[20:] * 4])]
    for call in calls:
        with pytest.raises(ValueError, match=f"counts too large for {dtype}: they sum to .* at most 1e.* is permitted"):
            call(X)


@pytest.mark.parametrize("size", [3e38, 1e39, 1e60])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_count_that_is_too_large_is_refused(dtype, size):
    X = counts()
    X[3, 4] = size
    with pytest.raises(ValueError, match="too large for"):
        model(dtype=dtype).fit(X)


PRIORS = ("doc_topic_prior", "topic_word_prior")


@pytest.mark.parametrize(
    "engine", [ENGINES[name] for name in ("batch", "online", "memoized", "cvb0", "collapsed, then VB")]
)
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_priors_at_the_limits_give_finite_results(dtype, prior, engine):
    X = counts()
    for value in (SMALLEST[np.dtype(dtype)], LARGEST_PRIOR[np.dtype(dtype)]):
        lda = model(dtype=dtype, **{prior: value}, **engine).fit(X)
        assert np.isfinite(lda.elbo_)
        assert np.isfinite(lda.components_).all()
        assert np.isfinite(lda.transform(X)).all()


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_priors_beyond_the_limits_are_refused_with_the_range(dtype, prior):
    smallest, largest = SMALLEST[np.dtype(dtype)], LARGEST_PRIOR[np.dtype(dtype)]
    for value in (smallest / 2, largest * 2, 1e83, 5e-324):
        with pytest.raises(ValueError, match=f"{prior}=.* must be between {smallest:g} and .* dtype='{dtype}'"):
            model(dtype=dtype, **{prior: value}).fit(counts())
    with pytest.raises(ValueError, match=f"{prior}=.* must be between"):
        model(dtype=dtype, **{prior: value}).partial_fit(counts())


def test_infer_refuses_a_prior_beyond_the_limits():
    with pytest.raises(ValueError, match="doc_topic_prior=1e-44 must be between"):
        ldavi.infer(counts().astype(np.float32), TOPICS, 1e-44)


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_beyond_the_limits_are_refused(dtype):
    weight, lda = np.ones(30), model(dtype=dtype)
    for value in (SMALLEST[np.dtype(dtype)] / 2, MAX_TOKENS[np.dtype(dtype)] * 2):
        weight[3] = value
        with pytest.raises(ValueError, match="sample_weight holds"):
            lda.fit(counts(), sample_weight=weight)
    weight[3] = MAX_TOKENS[np.dtype(dtype)] / 10
    with pytest.raises(ValueError, match="X times sample_weight holds counts too large"):
        lda.fit(counts(), sample_weight=weight)


@pytest.mark.parametrize("collection", ["dask"])
def test_dask_refuses_what_the_precision_cannot_compute_with(collection):
    da = pytest.importorskip("dask.array")
    from ldavi.dask import LatentDirichletAllocation as Distributed

    lda = Distributed(3, max_iter=2, tol=None, dtype="float32")
    with pytest.raises(ValueError, match="counts too large for float32"):
        lda.fit(da.from_array(of_total(1e25), chunks=(10, 12)))
    with pytest.raises(ValueError, match="doc_topic_prior=1e\\+39 must be between"):
        lda.set_params(doc_topic_prior=1e39).fit(da.from_array(counts(), chunks=(10, 12)))


# Objectives that are not finite


def broken_terms(*arguments):
    return float("nan"), -1.0


@pytest.mark.parametrize(
    ("engine", "module"),
    [("batch", vb_batch), ("memoized", vb_memoized), ("online", vb_online)],
)
def test_an_objective_that_is_not_finite_ends_the_fit_at_once(engine, module, monkeypatch):
    lda = model(**ENGINES[engine]).fit(counts())
    before = copy.deepcopy(lda.components_), lda.elbo_
    name = "summed_terms" if hasattr(module, "summed_terms") else "document_terms"
    monkeypatch.setattr(module, name, broken_terms)
    with pytest.raises(ValueError, match=r"is nan: X, sample_weight, .* prior .* too large or too small"):
        lda.fit(counts(seed=1))
    np.testing.assert_array_equal(lda.components_, before[0])
    assert lda.elbo_ == before[1]


def test_an_online_step_that_would_overflow_changes_nothing():
    X = of_total(1e20).astype(np.float32)
    lda = model(total_samples=1e15, batch_size=30).partial_fit(counts().astype(np.float32))
    before = lda.components_.copy()
    with pytest.raises(ValueError, match="expected number of tokens in the corpus after online step 2 is inf"):
        lda.partial_fit(X)
    np.testing.assert_array_equal(lda.components_, before)


# Rows that are normalised


def normalised(how):
    X = counts()
    if how == "sum 1":
        return X / X.sum(axis=1, keepdims=True)
    if how == "norm 1":
        return X / np.linalg.norm(X, axis=1, keepdims=True)
    return X * 0.1


def messages(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [w for w in caught if "X holds fractions" in str(w.message)]


CALLS = {
    "fit": lambda X: model().fit(X),
    "sparse": lambda X: model(inference="cvb0").fit(sparse.csr_array(X)),
    "partial_fit": lambda X: model().partial_fit(X),
    "batches": lambda X: model().fit([X[:10], X[10:]]),
}


@pytest.mark.parametrize("how", ["sum 1", "norm 1", "tenths"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_normalised_rows_produce_one_warning_at_the_callers_line(call, how):
    (warning,) = messages(lambda: call(normalised(how)))
    assert warning.filename == __file__
    assert "Pass counts" in str(warning.message)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "X",
    [
        counts(),
        np.eye(30, 12),  # a token per document
        np.minimum(counts(), 1.0),
        counts() * 0.5,
        counts() * np.linspace(0.5, 2, 12),
    ],
    ids=["counts", "one token", "binary", "halves", "weights"],
)
def test_counts_and_weights_of_usual_size_produce_no_warning(call, X):
    assert not messages(lambda: call(X))


def test_given_priors_produce_no_warning():
    assert not messages(lambda: model(doc_topic_prior=0.1, topic_word_prior=0.1).fit(normalised("sum 1")))


def test_dask_warns_of_normalised_rows_once():
    da = pytest.importorskip("dask.array")
    from ldavi.dask import LatentDirichletAllocation as Distributed

    X = da.from_array(normalised("sum 1"), chunks=(10, 12))
    assert len(messages(lambda: Distributed(3, max_iter=2, tol=None).fit(X))) == 1


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_the_bound_never_falls_where_the_weights_of_a_topic_underflow(method):
    """exp(E[log β]) of a topic without tokens is 0 here, and documents are repeated in log space."""
    X = np.array([[0.67], [2.48], [2.27]])
    fit = {"learning_method": method, "n_collapsed_iter": 0, "max_iter": 12, "tol": None, "dtype": "float64"}
    priors = {"doc_topic_prior": np.array([5.0, 1.0, 0.1, 1.0]), "topic_word_prior": 0.001}
    trace = LatentDirichletAllocation(4, random_state=0, **fit, **priors).fit(X).elbo_trace_
    elbo = trace["elbo"][trace["phase"] == "monotone"]
    assert (np.diff(elbo) >= -1e-9).all()
