"""Invalid input is refused with a clear error and no side effect; unusual but valid input gives correct results."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import ldavi
from ldavi import LatentDirichletAllocation, inspection, metrics
from ldavi._estimator.validation import check_counts

K, V = 3, 6
ON_DOCUMENTS = ("fit", "partial_fit", "transform", "score", "perplexity", "word_topics", "fit_transform")
TOPICS = np.full((K, V), 1 / V)


def counts(n_docs=8, n_words=V, seed=0):
    return np.random.default_rng(seed).integers(0, 5, (n_docs, n_words)) + np.eye(n_docs, n_words, dtype=int)


def model(**parameters):
    return LatentDirichletAllocation(
        **{"n_components": K, "max_iter": 4, "tol": None, "n_collapsed_iter": 0, "random_state": 0} | parameters
    )


def fitted(**parameters):
    return model(**parameters).fit(counts())


def flat(value):
    """Return a value that is equal for values with the same bits."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, np.random.RandomState):
        return flat(value.get_state())
    if isinstance(value, (list, tuple)):
        return tuple(flat(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, flat(item)) for name, item in value.items())
    if hasattr(value, "__slots__") and hasattr(value, "__dataclass_fields__"):
        return flat({name: getattr(value, name) for name in value.__dataclass_fields__})
    if hasattr(value, "__dict__") and not callable(value):
        return flat(value.__dict__)
    return repr(value)


def snapshot(estimator):
    return flat(copy.deepcopy(estimator.__dict__))


def copy_of(X):
    return copy.deepcopy(X)


def same(X, Y):
    names = {"coo": ("data", "row", "col"), "csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr")}
    if sparse.issparse(X):
        return X.shape == Y.shape and all(flat(getattr(X, name)) == flat(getattr(Y, name)) for name in names[X.format])
    return flat(np.asarray(X)) == flat(np.asarray(Y))


def refuses(call, *texts, error=ValueError):
    with pytest.raises(error) as caught:
        call()
    for text in texts:
        assert text in str(caught.value)


def refuses_documents(X, *texts, methods=ON_DOCUMENTS, error=ValueError):
    """Assert that every method that takes documents raises, and leaves the model and X unchanged."""
    for method in methods:
        estimator, before = fitted(), copy_of(X)
        estimator.transform(counts())  # fills caches
        was = snapshot(estimator)
        refuses(lambda: getattr(estimator, method)(X), *texts, error=error)  # noqa: B023  called at once
        assert snapshot(estimator) == was, method
        assert same(X, before), method


def with_entry(value, dtype=float):
    X = counts().astype(dtype)
    X[1, 2] = value
    return X


FORMS = {"dense": np.asarray, "csr": sparse.csr_array, "csc": sparse.csc_matrix, "coo": sparse.coo_array}


# Invalid X


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("value", "text"), [(np.nan, "NaN"), (np.inf, "infinity"), (-1.0, "X[1, 2] = -1.0")])
def test_a_count_that_is_not_finite_and_non_negative_is_refused(form, value, text):
    refuses_documents(form(with_entry(value)), "X" if text != "X[1, 2] = -1.0" else "counts must be >= 0", text)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_infer_refuses_a_count_that_is_not_finite_and_non_negative(value):
    refuses(lambda: ldavi.infer(with_entry(value), TOPICS))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_x_without_documents_is_refused(form):
    refuses_documents(form(np.zeros((0, V))), "0 sample(s)", "minimum of 1 is required")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_x_without_words_is_refused(form):
    refuses_documents(form(np.zeros((4, 0))), "0 feature(s)", "minimum of 1 is required")


def test_infer_refuses_x_without_documents_or_words():
    refuses(lambda: ldavi.infer(np.zeros((0, V)), TOPICS), "minimum of 1 is required")
    refuses(lambda: ldavi.infer(np.zeros((2, 0)), TOPICS), "minimum of 1 is required")


@pytest.mark.parametrize("width", [V - 1, V + 1])
def test_a_different_number_of_columns_than_in_fit_is_refused(width):
    methods = [name for name in ON_DOCUMENTS if name not in ("fit", "fit_transform")]
    refuses_documents(counts(n_words=width), f"X has {width} features", f"expecting {V} features", methods=methods)


def test_a_one_dimensional_document_is_refused():
    refuses_documents(counts()[0], "Reshape your data")


def test_three_dimensions_are_refused():
    refuses_documents(counts()[None], "dim 3")


def test_strings_are_refused():
    refuses_documents(np.array([["a"] * V] * 2, dtype=object), "could not convert", error=(ValueError, TypeError))
    refuses_documents(np.array([["a"] * V] * 2), error=(ValueError, TypeError))


def test_complex_numbers_are_refused():
    refuses_documents(counts() + 0j, "Complex data not supported")
    refuses_documents(sparse.csr_array(counts() + 0j), "Complex data not supported")


def test_a_number_and_none_are_refused():
    refuses_documents(3, error=(ValueError, TypeError))
    refuses_documents(None, error=(ValueError, TypeError))


def frame(names):
    return pd.DataFrame(counts(n_words=len(names)), columns=names)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_different_column_names_than_in_fit_are_refused():
    names = list("abcdef")
    for method in ("partial_fit", "transform", "score", "perplexity", "word_topics"):
        estimator = model().fit(frame(names))
        estimator.transform(frame(names))
        was = snapshot(estimator)
        refuses(lambda: getattr(estimator, method)(frame(names[::-1])), "feature names should match")  # noqa: B023
        assert snapshot(estimator) == was


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_column_names_of_mixed_types_are_refused_without_a_change_of_the_estimator(method):
    estimator = model()
    was = snapshot(estimator)
    refuses(lambda: getattr(estimator, method)(frame(["a", "b", "c", "d", "e", 6])), "names", error=TypeError)
    assert snapshot(estimator) == was


def broken_csr(indices=None, indptr=None):
    X = sparse.csr_array(counts().astype(float))
    if indices is not None:
        X.indices = np.asarray(indices(X.indices), dtype=X.indices.dtype)
    if indptr is not None:
        X.indptr = np.asarray(indptr(X.indptr), dtype=X.indptr.dtype)
    return X


BROKEN = {
    "column too large": broken_csr(indices=lambda i: np.where(np.arange(len(i)) == 3, V, i)),
    "column far too large": broken_csr(indices=lambda i: np.where(np.arange(len(i)) == 3, 2**30, i)),
    "column below 0": broken_csr(indices=lambda i: np.where(np.arange(len(i)) == 3, -1, i)),
    "indptr falls": broken_csr(indptr=lambda p: np.where(np.arange(len(p)) == 3, 0, p)),
    "indptr beyond the end": broken_csr(indptr=lambda p: np.where(np.arange(len(p)) == len(p) - 1, p[-1] + 50, p)),
    "indptr does not begin at 0": broken_csr(indptr=lambda p: np.where(np.arange(len(p)) == 0, 1, p)),
}


@pytest.mark.parametrize("X", BROKEN.values(), ids=BROKEN)
def test_an_invalid_sparse_structure_is_refused(X):
    refuses_documents(X, "X is not a valid sparse matrix of shape (8, 6)")
    refuses(lambda: ldavi.infer(X, TOPICS), "X is not a valid sparse matrix of shape (8, 6)")


def test_a_coordinate_out_of_range_is_refused():
    for name, value in (("row", 8), ("row", -1), ("col", V), ("col", -1)):
        X = sparse.coo_array(counts().astype(float))
        getattr(X, name)[3] = value
        refuses_documents(X, "X is not a valid sparse matrix of shape (8, 6)")


def test_more_columns_than_32_bit_indices_allow_are_refused():
    n_words = 2**31 + 10
    X = sparse.csr_array(
        (np.ones(1), np.array([n_words - 1], np.int64), np.array([0, 1], np.int64)), shape=(1, n_words)
    )
    for call in (model().fit, model().partial_fit, fitted().transform, lambda X: ldavi.infer(X, TOPICS)):
        refuses(lambda: call(X), f"X has {n_words} features", "at most 2147483647")  # noqa: B023


def test_counts_beyond_the_range_of_float32_are_refused_in_float32():
    X = counts().astype(float)
    X[0, 0] = 1e39
    refuses(lambda: model(dtype="float32").fit(X), "too large for float32")


# Unusual but valid X


@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_without_counts_the_topics_equal_their_prior(form, method):
    with pytest.warns(UserWarning, match="no counts"):
        estimator = model(learning_method=method, topic_word_prior=0.3, max_iter=200).fit(form(np.zeros((4, V))))
    np.testing.assert_allclose(estimator.components_, 0.3, rtol=1e-6 if method != "online" else 1e-2)
    assert np.isfinite(estimator.elbo_)
    assert estimator.perplexity(np.zeros((2, V))) == 1.0
    assert estimator.score(np.zeros((2, V))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
def test_an_empty_document_changes_no_topic(method):
    X = counts()
    with_empty = np.vstack([X, np.zeros((1, V), int)])
    a, b = model(learning_method=method).fit(X), model(learning_method=method).fit(with_empty)
    np.testing.assert_array_equal(a.components_, b.components_)


@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
def test_a_column_that_never_occurs_has_its_prior(method):
    X = counts()
    X[:, 4] = 0
    estimator = model(learning_method=method, max_iter=100, topic_word_prior=0.3).fit(X)
    np.testing.assert_allclose(estimator.components_[:, 4], 0.3, rtol=1e-6 if method != "online" else 0.05)


def test_object_arrays_of_numbers_are_read_as_numbers():
    a, b = model().fit(counts().astype(float)), model().fit(counts().astype(float).astype(object))
    np.testing.assert_array_equal(a.components_, b.components_)


def test_float16_is_computed_in_float32():
    a, b = model().fit(counts().astype(np.float16)), model().fit(counts().astype(np.float32))
    assert a.components_.dtype == np.float32
    np.testing.assert_array_equal(a.components_, b.components_)


def test_big_endian_integers_are_read_as_integers():
    a, b = model().fit(counts().astype(">i4")), model().fit(counts().astype("int32"))
    np.testing.assert_array_equal(a.components_, b.components_)


def test_booleans_count_as_0_and_1():
    X = counts() > 2
    for form in FORMS.values():
        a, b = model().fit(form(X)), model().fit(X.astype(int))
        np.testing.assert_array_equal(a.components_, b.components_)


@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
def test_no_token_of_counts_of_1e9_is_lost(method):
    X = counts() * 10**9
    estimator = model(learning_method=method, learning_decay=0.0, max_iter=10, topic_word_prior=0.05).fit(X)
    assert estimator.components_.dtype == np.float64
    np.testing.assert_allclose(estimator.components_.sum(), K * V * 0.05 + X.sum(), rtol=1e-12)
    assert np.isfinite(estimator.elbo_)
    assert np.isfinite(estimator.perplexity(X))
    np.testing.assert_allclose(estimator.transform(X).sum(axis=1), 1, rtol=1e-12)


def shuffled(X, rng):
    """Return the same matrix with the indices of each row in another order."""
    X = sparse.csr_array(X)
    order = np.concatenate(
        [start + rng.permutation(stop - start) for start, stop in zip(X.indptr, X.indptr[1:], strict=False)]
    )
    return sparse.csr_array((X.data[order], X.indices[order], X.indptr), shape=X.shape)


def doubled(X):
    """Return the same matrix with each entry as the sum of two."""
    X = sparse.coo_array(X)
    parts = X.data - X.data // 2, X.data // 2
    rows, columns = np.tile(X.coords[0], 2), np.tile(X.coords[1], 2)
    by_row = np.argsort(rows, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=X.shape[0]))])
    return sparse.csr_array((np.concatenate(parts)[by_row], columns[by_row], indptr), shape=X.shape)


def zeros_stored(X):
    X = np.asarray(X)
    columns = np.indices(X.shape)[1]
    return sparse.csr_array((X.ravel(), columns.ravel(), np.arange(0, X.size + 1, X.shape[1])), shape=X.shape)


def wide_indices(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def read_only(X):
    X = sparse.csr_array(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def read_only_dense(X):
    X = X.copy()
    X.flags.writeable = False
    return X


ODD = {
    "indices out of order": lambda X: shuffled(X, np.random.default_rng(0)),
    "duplicate indices": doubled,
    "explicit zeros": zeros_stored,
    "int64 indices": wide_indices,
    "read-only": read_only,
    "read-only and out of order": lambda X: read_only(shuffled(X, np.random.default_rng(0))),
    "read-only dense": read_only_dense,
    "every second row of an array": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column of an array": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "Fortran order": np.asfortranarray,
    "big-endian": lambda X: X.astype(">f8"),
    "long double": lambda X: X.astype(np.longdouble),
    "coo with duplicates": lambda X: sparse.coo_array(doubled(X)),
    "lil": sparse.lil_array,
    "dok": sparse.dok_array,
}


@pytest.mark.parametrize("form", ODD.values(), ids=ODD)
@pytest.mark.parametrize("method", ["batch", "online", "memoized"])
def test_the_form_of_x_does_not_matter_and_x_is_left_unchanged(form, method):
    X = counts().astype(float)
    odd = form(X)
    before = copy_of(odd)
    expected, found = model(learning_method=method).fit(X), model(learning_method=method).fit(odd)
    np.testing.assert_array_equal(found.components_, expected.components_)
    np.testing.assert_array_equal(found.transform(odd), expected.transform(X))
    np.testing.assert_array_equal(found.word_topics(odd), expected.word_topics(X))
    assert found.score(odd) == expected.score(X)
    np.testing.assert_array_equal(ldavi.infer(odd, TOPICS).gamma, ldavi.infer(X, TOPICS).gamma)
    if sparse.issparse(odd) and odd.format not in ("lil", "dok"):
        assert same(odd, before)
    else:
        np.testing.assert_array_equal(odd.toarray() if sparse.issparse(odd) else odd, X)


# Parameters

BAD_PARAMETERS = [
    *[(name, value) for name in ("n_components", "max_iter", "batch_size", "max_doc_update_iter") for value in (0, -1)],
    *[
        (name, value)
        for name in ("perp_tol", "mean_change_tol", "learning_offset", "tol")
        for value in (-1.0, np.nan, np.inf)
    ],
    *[("learning_decay", value) for value in (-0.1, 1.1, np.nan)],
    *[("total_samples", value) for value in (0, -5.0, np.inf)],
    *[("doc_topic_prior", value) for value in (0, 0.0, -1.0, np.nan, np.inf)],
    *[("topic_word_prior", value) for value in (-1.0, np.nan, np.inf)],
    ("learning_method", "gibbs"),
    ("inference", "mcmc"),
    ("n_jobs", 0),
    ("dtype", "float16"),
    ("dtype", int),
    ("dtype", "no such type"),
    ("random_state", "seed"),
    ("random_state", -1),
]
WRONG_TYPES = [
    *[
        (name, value)
        for name in ("n_components", "max_iter", "batch_size", "max_doc_update_iter", "evaluate_every", "n_jobs")
        for value in (2.0, "2", True)
    ],
    *[(name, None) for name in ("n_components", "max_iter", "batch_size", "max_doc_update_iter", "evaluate_every")],
    *[
        (name, value)
        for name in ("perp_tol", "mean_change_tol", "learning_offset", "learning_decay")
        for value in ("1", None)
    ],
    *[(name, value) for name in ("tol", "total_samples") for value in ("1", True, [1])],
    *[(name, value) for name in ("learning_method", "inference") for value in (None, 3)],
    *[(name, value) for name in ("doc_topic_prior", "topic_word_prior") for value in ("asymmetric", True, {"a": 1})],
    ("callbacks", 3),
    ("callbacks", [print, 3]),
]


def refuses_parameter(name, value, error):
    for method in ("fit", "partial_fit", "fit_transform"):
        fresh = model(**{name: value})
        was = snapshot(fresh)
        shown = () if name == "random_state" else (name, str(value) if isinstance(value, (float, int)) else repr(value))
        refuses(lambda: getattr(fresh, method)(counts()), *shown, error=error)  # noqa: B023  called at once
        assert snapshot(fresh) == was
        estimator = fitted().set_params(**{name: value})
        was = snapshot(estimator)
        if not (name == "random_state" and method == "partial_fit"):  # then it uses no random numbers
            refuses(lambda: getattr(estimator, method)(counts()), *shown, error=error)  # noqa: B023
            assert snapshot(estimator) == was


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS)
def test_the_error_for_a_parameter_out_of_range_has_its_name_and_value(name, value):
    refuses_parameter(name, value, ValueError)


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES)
def test_the_error_for_a_parameter_of_the_wrong_type_has_its_name_and_value(name, value):
    refuses_parameter(name, value, TypeError)


SHAPES = [
    *[("doc_topic_prior", np.ones(shape)) for shape in [(0,), (K - 1,), (K + 1,), (1, K), (V,), (1,)]],
    *[
        ("topic_word_prior", np.ones(shape))
        for shape in [(0,), (V - 1,), (V + 1,), (V, K), (1, V), (K + 1, V), (K, V, 1), (1,)]
    ],
]


@pytest.mark.parametrize(
    ("name", "value"), SHAPES, ids=lambda value: value if isinstance(value, str) else str(value.shape)
)
def test_the_error_for_a_prior_of_the_wrong_shape_has_the_allowed_shapes(name, value):
    for estimator in (model(**{name: value}), fitted().set_params(**{name: value})):
        for method in ("fit", "partial_fit"):
            was = snapshot(estimator)
            allowed = (
                f"(n_components,) = ({K},)" if name == "doc_topic_prior" else f"(n_components, n_features) = ({K}, {V})"
            )
            refuses(lambda: getattr(estimator, method)(counts()), name, str(value.shape), allowed)  # noqa: B023
            assert snapshot(estimator) == was


@pytest.mark.parametrize("value", [0.0, -0.5, np.nan, np.inf])
@pytest.mark.parametrize(("name", "length"), [("doc_topic_prior", K), ("topic_word_prior", V)])
def test_the_error_for_a_prior_with_an_entry_out_of_range_has_that_entry(name, length, value):
    prior = np.full(length, 0.2)
    prior[1] = value
    refuses(lambda: model(**{name: prior}).fit(counts()), name, str(value), "must be finite and > 0")


def test_parameters_may_be_numpy_scalars():
    numpy = model(
        n_components=np.int64(K), max_iter=np.int32(4), doc_topic_prior=np.float32(0.5), learning_decay=np.float64(0.7)
    )
    plain = model(doc_topic_prior=0.5)
    np.testing.assert_array_equal(numpy.fit(counts()).components_, plain.fit(counts()).components_)


# sample_weight


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (np.ones(7), "(7,)"),
        (np.ones((8, 1)), "(8, 1)"),
        ([1.0] * 7 + [-2.0], "-2"),
        ([1.0] * 7 + [np.nan], "NaN"),
        ([1.0] * 7 + [np.inf], "infinity"),
        (np.zeros(8), "zero"),
    ],
)
def test_an_invalid_sample_weight_is_refused(weight, text):
    for method in ("fit", "partial_fit"):
        for estimator in (model(), fitted()):
            was = snapshot(estimator)
            refuses(lambda: getattr(estimator, method)(counts(), sample_weight=weight), "sample_weight", text)  # noqa: B023
            assert snapshot(estimator) == was


# infer


@pytest.mark.parametrize(
    ("arguments", "error", "texts"),
    [
        ({"doc_topic_prior": 0.0}, ValueError, ("doc_topic_prior=0.0", "> 0")),
        ({"doc_topic_prior": np.ones(K + 1)}, ValueError, ("doc_topic_prior", "(4,)", "(3,)")),
        ({"doc_topic_prior": "flat"}, TypeError, ("doc_topic_prior='flat'",)),
        ({"mean_change_tol": -1.0}, ValueError, ("mean_change_tol=-1.0", ">= 0")),
        ({"mean_change_tol": None}, TypeError, ("mean_change_tol=None",)),
        ({"max_doc_update_iter": 0}, ValueError, ("max_doc_update_iter=0", ">= 1")),
        ({"max_doc_update_iter": 1.5}, TypeError, ("max_doc_update_iter=1.5",)),
        ({"n_jobs": 0}, ValueError, ("n_jobs=0",)),
        ({"dtype": "int32"}, ValueError, ("dtype='int32'", "float32")),
    ],
)
def test_the_error_of_infer_for_an_invalid_argument_has_its_name_and_value(arguments, error, texts):
    refuses(lambda: ldavi.infer(counts(), TOPICS, **arguments), *texts, error=error)


@pytest.mark.parametrize("method", ["transform", "score", "perplexity", "word_topics"])
def test_a_model_that_is_not_fitted_raises(method):
    from sklearn.exceptions import NotFittedError

    refuses(lambda: getattr(model(), method)(counts()), "not fitted", error=NotFittedError)


def test_valid_input_causes_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in ("batch", "online", "memoized"):
            model(learning_method=method).fit(sparse.csr_array(counts())).transform(counts())


@pytest.mark.parametrize("name", ["n_components", "max_iter", "max_doc_update_iter", "n_init", "batch_size"])
def test_an_integer_that_64_bits_cannot_hold_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}=100000000000000000000 must be an integer .* and < 2.62"):
        LatentDirichletAllocation(**{name: 10**20}).fit([[1, 2], [3, 4]])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "float32"])
@pytest.mark.parametrize("form", ["coo", "csr"])
def test_entries_in_many_parts_are_added_without_overflow(dtype, form):
    times = 300 if dtype != "float32" else 2**24 + 8
    at = np.zeros(times, np.int32)
    X = sparse.coo_array((np.ones(times, dtype), (at, at)), shape=(2, 2))
    if form == "csr":
        X = sparse.csr_array((X.data, X.col, np.array([0, times, times])), shape=(2, 2))
    found = check_counts(X, dtype=None, name="fit")
    np.testing.assert_array_equal(found.toarray(), [[times, 0], [0, 0]])
    assert X.nnz == times


@pytest.mark.parametrize(
    "call",
    [
        lambda prior: ldavi.infer(counts(), TOPICS, prior),
        lambda prior: inspection.theta_samples(TOPICS, counts(), 2, doc_topic_prior=prior),
        lambda prior: metrics.left_to_right(TOPICS, counts(), doc_topic_prior=prior),
        lambda prior: metrics.scorer("bound", doc_topic_prior=prior)(fitted(), counts()),
    ],
)
@pytest.mark.parametrize("prior", ["auto", "regression"])
def test_only_a_fit_accepts_priors_that_are_learned(call, prior):
    refuses(lambda: call(prior), f"doc_topic_prior={prior!r}", "a number > 0", error=ValueError)


def test_seed_words_are_refused_for_point_estimates_of_topics():
    refuses(
        lambda: model(topic_word_prior=0, seed_words={0: [1]}).fit(counts()),
        "topic_word_prior=0",
        "seed_words",
        error=ValueError,
    )
