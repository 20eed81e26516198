"""Fits of documents in batches: the same bits as in memory, and the input that is refused."""

import pickle
import threading
import time
import warnings
from contextlib import closing

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ldavi import LatentDirichletAllocation, io
from ldavi._core import spill_file
from ldavi._core.prefetch import prefetch
from ldavi._core.spill_file import SpillFile
from ldavi._estimator import batched_documents, fitting, validation
from ldavi._inference.part_of_corpus import part_step

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

EXACT = ("iteration", "elbo", "word", "doc_topic", "topic_word", "perplexity", "n_inner_iter")


def corpus(n_docs=120, n_words=40, seed=0):
    """Return counts with some words that never occur, as in real corpora."""
    X = np.random.default_rng(seed).poisson(0.4, (n_docs, n_words))
    X[:, ::7] = 0
    return sparse.csr_array(X)


class Source:
    """Yields batches of consecutive rows of X, any number of times; does not declare how many documents it has."""

    def __init__(self, X, size):
        self.X, self.size, self.n_begun, self.n_read = X, size, 0, 0

    def __iter__(self):
        self.n_begun += 1
        for first in range(0, self.X.shape[0], self.size):
            self.n_read += 1
            yield self.X[first : first + self.size]


def model(**parameters):
    settings = {"batch_size": 20, "max_iter": 4, "random_state": 0, "learning_method": "online"}
    return LatentDirichletAllocation(5, **settings | parameters)


def same_fit(one, other):
    """Assert that two fits have the same bits everywhere but in the seconds."""
    assert one.components_.tobytes() == other.components_.tobytes()
    for name in EXACT:
        np.testing.assert_array_equal(one.elbo_trace_[name], other.elbo_trace_[name])
    for name in (
        "doc_topic_prior_",
        "topic_word_prior_",
        "elbo_",
        "bound_",
        "n_iter_",
        "n_batch_iter_",
        "n_samples_seen_",
    ):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.n_features_in_ == other.n_features_in_


# The same bits


@pytest.mark.parametrize("inference", ["vb", "cvb0"])
@pytest.mark.parametrize("size", [20, 40, 120], ids=["one step", "two steps", "one batch"])
def test_an_online_fit_of_batches_has_the_bits_of_one_in_memory(inference, size):
    X = corpus()
    same_fit(model(inference=inference).fit(Source(X, size)), model(inference=inference).fit(X))


def test_batches_of_any_kind_and_type_have_the_same_bits():
    X = corpus()
    expected = model().fit(X)
    for kind in (lambda X: X.toarray(), lambda X: X.astype(np.float32), lambda X: X.tocsc(), sparse.csr_matrix):
        same_fit(model(dtype="float32").fit([kind(X[:60]), kind(X[60:])]), expected)


def test_each_batch_is_divided_into_steps_separately():
    X = corpus(n_docs=50)
    lda = model(max_iter=1, n_collapsed_iter=0).fit([X[:30], X[30:]])  # 20 + 10 and 20 documents
    assert lda.n_batch_iter_ - 1 == 3
    by_hand = model(batch_size=99, max_iter=1, n_collapsed_iter=0).fit([X[:20], X[20:30], X[30:]])
    assert lda.components_.tobytes() == by_hand.components_.tobytes()


def test_a_memoized_fit_of_batches_has_the_bits_of_one_in_memory():
    X = corpus()
    memoized = {"learning_method": "memoized", "max_iter": 25}
    same_fit(model(**memoized).fit(Source(X, 20)), model(**memoized).fit(X))


@pytest.mark.parametrize("eta", ["auto", 0.0])
def test_a_batch_vb_fit_of_batches_equals_one_in_memory_up_to_rounding(eta):
    X = corpus().astype(np.float64)
    batch = {"n_collapsed_iter": 0, "learning_method": "batch", "max_iter": 10, "topic_word_prior": eta, "tol": None}
    expected, found = model(**batch).fit(X), model(**batch).fit(Source(X, 32))
    np.testing.assert_allclose(found.components_, expected.components_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.elbo_trace_["elbo"], expected.elbo_trace_["elbo"], rtol=1e-10)
    np.testing.assert_allclose(found.elbo_trace_["n_inner_iter"], expected.elbo_trace_["n_inner_iter"])


@pytest.mark.parametrize(
    "parameters",
    [{"n_collapsed_iter": 0}, {"inference": "cvb0"}, {"inference": "cvb0", "init": "random"}, {}],
    ids=["vb", "cvb0", "cvb0, random", "default"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_single_batch_has_the_bits_of_a_batch_fit_in_memory(parameters, dtype):
    X = corpus()
    batch = {"learning_method": "batch", "max_iter": 25, "tol": None, "dtype": dtype} | parameters
    same_fit(model(**batch).fit([X]), model(**batch).fit(X))


@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_the_bound_never_falls_in_monotone_passes_over_batches(method):
    lda = model(learning_method=method, max_iter=40, tol=None).fit(Source(corpus().astype(np.float64), 32))
    monotone = lda.elbo_trace_["elbo"][lda.elbo_trace_["phase"] == "monotone"]
    assert len(monotone) > 10
    assert (np.diff(monotone) >= -1e-9 * np.abs(monotone[1:])).all()


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_batches_give_the_same_bits_for_any_number_of_threads(n_jobs):
    batch = {"learning_method": "batch", "max_iter": 16}
    for parameters in ({}, {"learning_method": "memoized"}, batch, batch | {"inference": "cvb0"}):
        one, more = (model(**parameters, n_jobs=n).fit(Source(corpus(), 40)) for n in (None, n_jobs))
        same_fit(more, one)


def test_given_topics_and_seed_words_have_the_same_effect_as_in_memory():
    X = corpus()
    init = np.random.default_rng(3).dirichlet(np.ones(40), 5)
    for parameters in ({"init": init}, {"seed_words": {0: [1, 2], 3: [5]}}):
        same_fit(model(**parameters).fit(Source(X, 20)), model(**parameters).fit(X))


def test_a_warm_start_continues_from_a_fit_of_batches():
    X = corpus()
    one, other = model(warm_start=True).fit(X), model(warm_start=True).fit(Source(X, 20))
    same_fit(other.fit(Source(X, 20)), one.fit(X))


def test_the_best_of_several_restarts_is_that_in_memory():
    same_fit(model(n_init=3).fit(Source(corpus(), 20)), model(n_init=3).fit(corpus()))


# The number of documents


class Declared(Source):
    def __init__(self, X, size, n_docs):
        super().__init__(X, size)
        self.n_docs = n_docs


def test_a_source_that_declares_its_number_of_documents_is_not_counted():
    X = corpus()
    declared, counted = Declared(X, 20, 120), Source(X, 20)
    one_pass = {"max_iter": 1, "n_collapsed_iter": 0}
    same_fit(model(**one_pass).fit(declared), model(**one_pass).fit(counted))
    assert counted.n_begun == declared.n_begun + 1


def test_total_samples_replaces_the_pass_that_counts_documents():
    X = corpus()
    source, counted = Source(X, 20), Source(X, 20)
    same_fit(model(total_samples=120, n_collapsed_iter=0).fit(source), model(n_collapsed_iter=0).fit(counted))
    assert counted.n_begun == source.n_begun + 1


def test_a_wrong_declared_number_of_documents_is_refused():
    with pytest.raises(ValueError, match="gave 120 documents and says that it has 119"):
        model().fit(Declared(corpus(), 20, 119))


def test_only_one_batch_is_read_ahead():
    """While a batch is in use, the reader reads the next one, and no further even if it has the time."""
    source, ahead = Source(corpus(), 10), []
    batches = batched_documents.BatchedDocuments(source, None, "test")
    source.n_read = 0
    for used, _ in enumerate(batches.parts(10), 1):
        time.sleep(0.03)
        ahead.append(source.n_read - used)
    assert max(ahead) <= 1


# Input that is refused, without a change of the estimator


def attributes(lda):
    return {name: repr(np.asarray(value).tolist()) for name, value in vars(lda).items() if name.endswith("_")}


def broken(X, at, how):
    class Broken(Source):
        def __iter__(self):
            for number, batch in enumerate(super().__iter__()):
                yield how(batch) if number == at else batch

    return Broken(X, 20)


def negative(X):
    X = X.copy()
    X.data[3] = -1
    return X


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (negative, "batch 2 of X: Negative values"),
        (lambda X: X[:, :-1], "batch 2 of X has 39 columns, the first has 40"),
        (lambda X: X.toarray() * np.nan, "batch 2 of X: Input X contains NaN"),
        (lambda X: sparse.csr_array(X * 2**25), "batch 2 of X holds counts above 16777216, .*dtype='float64'"),
    ],
    ids=["negative", "width", "NaN", "too large for float32"],
)
def test_an_invalid_batch_is_named_and_leaves_a_fitted_model_unchanged(how, message):
    lda = model().fit(corpus(seed=1))
    before = attributes(lda)
    with pytest.raises(ValueError, match=message):
        lda.fit(broken(corpus(), 2, how))
    assert attributes(lda) == before


def test_a_batch_that_is_not_a_matrix_is_refused():
    with pytest.raises(TypeError, match="batch 2 of X is a list"):
        model().fit(broken(corpus(), 2, lambda X: [1, 2]))
    with pytest.raises(TypeError, match=r"the first batch of X is a list.*WordCounter"):
        model().fit(broken(corpus(), 0, lambda X: ["some", "texts"]))


def test_the_error_for_an_iterator_recommends_alternatives():
    with pytest.raises(TypeError, match=r"X is a generator, which can be read only once.*open_counts.*partial_fit"):
        model().fit(X for X in [corpus()])


@pytest.mark.parametrize("empty", [Source(corpus()[:0], 20)], ids=["no batch"])
def test_a_source_without_a_batch_is_refused(empty):
    with pytest.raises(ValueError, match="X has no batches"):
        model().fit(empty)


@pytest.mark.parametrize(
    ("parameters", "weight", "message"),
    [
        ({}, np.ones(120), "sample_weight is not supported if X comes in batches"),
        ({"validation_fraction": 0.1}, None, "validation_fraction is not supported if X comes in batches"),
    ],
)
def test_a_parameter_that_batches_do_not_support_is_refused_with_an_alternative(parameters, weight, message):
    with pytest.raises(ValueError, match=message):
        model(**parameters).fit([corpus()], sample_weight=weight)


class Changing(Source):
    """Yields batches of another X from the n-th reading on."""

    def __init__(self, X, other, size, at):
        super().__init__(X, size)
        self.other, self.at = other, at

    def __iter__(self):
        self.X = self.other if self.n_begun >= self.at else self.X
        return super().__iter__()


@pytest.mark.parametrize("method", ["online", "memoized", "batch"])
@pytest.mark.parametrize("other", [corpus()[:70], corpus()[::-1]], ids=["fewer", "another order"])
def test_batches_that_change_between_passes_are_refused(method, other):
    with pytest.raises(ValueError, match="every pass must give the same batches"):
        model(learning_method=method).fit(Changing(corpus(), other, 20, 3))


def test_a_word_that_the_counting_pass_did_not_see_is_refused():
    X, other = corpus().toarray(), corpus().toarray()
    other[:, [0, 1]] = other[:, [1, 0]]  # column 0 never occurs in X; every batch has the same number of counts
    with pytest.raises(ValueError, match="words that did not occur when the batches were counted"):
        model(learning_method="memoized").fit(Changing(sparse.csr_array(X), sparse.csr_array(other), 20, 2))


def test_methods_that_take_one_matrix_refuse_batches():
    lda = model().fit([corpus()])
    for method in (lda.transform, lda.partial_fit, lda.score):
        with pytest.raises(TypeError, match=r"X comes in batches.*each batch"):
            method([corpus(), corpus()])
        with pytest.raises(TypeError, match="X comes in batches"):
            method(Source(corpus(), 20))


def test_column_names_are_stored_and_compared():
    pd = pytest.importorskip("pandas")
    names = [f"word{i}" for i in range(40)]
    frames = [pd.DataFrame(corpus().toarray()[i : i + 40], columns=names) for i in (0, 40, 80)]
    lda = model().fit(frames)
    assert lda.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="batch 1 of X has other column names"):
        model().fit([frames[0], frames[1][names[::-1]]])


def test_a_list_of_lists_is_one_matrix():
    rows = corpus(n_docs=10).toarray().tolist()
    assert model().fit(rows).n_samples_seen_ == 10
    assert not validation.is_source(rows)


def test_an_estimator_can_be_cloned_and_pickled_after_batches():
    lda = model().fit([corpus()])
    clone(lda)
    same_fit(pickle.loads(pickle.dumps(lda)), lda)


# Reading ahead


def failing():
    yield 1
    raise OSError("read error")


def test_an_error_of_the_reader_is_raised_after_the_items_before_it():
    items = prefetch(failing)
    assert next(items) == 1
    with pytest.raises(OSError, match="read error"):
        next(items)


def test_the_reader_ends_when_its_items_are_no_longer_consumed():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = prefetch(endless)
    next(items)
    items.close()
    assert closed.wait(5)
    assert not any(thread.name == "ldavi-reader" for thread in threading.enumerate())


def test_an_error_during_a_fit_leaves_the_topics_of_the_last_complete_pass():
    X = corpus()
    other = X.toarray()
    other[100:] *= -1
    n_good = 4  # readings: of the first batch, to count, and two passes; in the third pass a batch is invalid
    bad = Changing(X, sparse.csr_array(other), 20, n_good)
    expected = model(callbacks=lambda record: record.iteration == 2, n_collapsed_iter=0).fit(X)
    lda = model(n_collapsed_iter=0)
    with pytest.raises(ValueError, match="Negative"):
        lda.fit(bad)
    assert lda.n_iter_ == 2
    assert lda.components_.tobytes() == expected.components_.tobytes()


# Temporary files


def test_a_spill_file_returns_the_arrays_that_were_last_stored():
    with closing(SpillFile()) as spill_file:
        arrays = [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), np.float32), np.arange(5, dtype=np.float32)]
        for number, array in enumerate(arrays):
            spill_file.store(number, array)
        spill_file.store(0, -arrays[0])
        np.testing.assert_array_equal(spill_file.load(0), -arrays[0])
        for number in (1, 2):
            np.testing.assert_array_equal(spill_file.load(number), arrays[number])
            assert spill_file.load(number).dtype == arrays[number].dtype


def test_views_of_a_spill_file_are_its_arrays():
    arrays = [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), np.float32), np.arange(5, dtype=np.float32)]
    with closing(SpillFile(arrays)) as spill_file:
        for view, array in zip(spill_file.views(), arrays, strict=True):
            np.testing.assert_array_equal(view, array)
            assert view.dtype == array.dtype


@pytest.mark.parametrize(
    "parameters",
    [{"learning_method": "memoized"}, {"learning_method": "batch"}, {"learning_method": "batch", "inference": "cvb0"}],
    ids=["memoized", "batch", "cvb0"],
)
def test_an_interrupted_fit_leaves_no_temporary_file(parameters, tmp_path, monkeypatch):
    monkeypatch.setattr(spill_file.tempfile, "tempdir", str(tmp_path))
    opened = []
    original = SpillFile.__init__

    def recorded(self, arrays=()):
        original(self, arrays)
        opened.append(self._file)

    monkeypatch.setattr(SpillFile, "__init__", recorded)

    def interrupt(record):
        if record.iteration == 4:  # a collapsed pass, after VB passes
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model(**parameters, callbacks=interrupt).fit(Source(corpus(), 20))
    assert opened
    assert all(file.closed for file in opened)
    assert not list(tmp_path.iterdir())


def test_a_memoized_fit_of_batches_keeps_its_statistics_on_disk(monkeypatch):
    """Between passes, γ and S_b of each batch are stored in the temporary file, from which they are loaded once."""
    loads = []
    load = SpillFile.load
    monkeypatch.setattr(SpillFile, "load", lambda self, number: loads.append(number) or load(self, number))
    model(learning_method="memoized", doc_topic_prior=0.1, max_iter=3, tol=None).fit(Source(corpus(), 40))
    assert loads == [0, 0, 1, 1, 2, 2] * 2


def test_batches_of_texts_are_refused(tmp_path):
    (tmp_path / "posts.txt").write_text("one two\nthree four\n")
    with pytest.raises(TypeError, match="WordCounter"):
        model().fit(io.read_batches(tmp_path / "posts.txt"))


def test_batches_of_counts_from_a_file_are_fitted(tmp_path):
    lines = ["3 1:2 2:1 4:3", "2 0:1 3:2"] * 30
    (tmp_path / "counts.ldac").write_text("\n".join(lines) + "\n")
    batches = io.read_batches(tmp_path / "counts.ldac", format="ldac", batch_size=20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert model(batch_size=10).fit(batches).n_samples_seen_ == 60


def test_the_part_before_online_steps_has_documents_enough_whatever_their_weights(monkeypatch):
    asked = []

    def watch(n_tokens, n_docs, n_topics):
        asked.append(n_docs)
        return part_step(n_tokens, n_docs, n_topics)

    monkeypatch.setattr(fitting, "part_step", watch)
    X = np.random.default_rng(0).poisson(1.0, (50, 12))
    lda = LatentDirichletAllocation(2, learning_method="online", max_iter=1, tol=None, random_state=0)
    lda.fit(X, sample_weight=np.full(50, 1000.0))
    assert asked == [50]
