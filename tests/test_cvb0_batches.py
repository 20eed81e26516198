"""Collapsed passes over documents that come in batches: sums over all of them, assignments on disk. Section 18."""

import copy
import itertools
from contextlib import closing

import corpora
import numpy as np
import pytest
from memory import peak_memory
from scipy import sparse

from ldavi import LatentDirichletAllocation, io
from ldavi._core.documents import Documents
from ldavi._core.random_bits import pass_seed
from ldavi._core.spill_file import SpillFile
from ldavi._core.threads import Workers
from ldavi._estep import SHARES
from ldavi._estimator.batched_documents import BatchedDocuments
from ldavi._inference import topic_samples
from ldavi._inference.assignments import uninitialised_assignments
from ldavi._inference.cvb0 import Cvb0, Cvb0Settings, learned_priors
from ldavi._inference.cvb0_pass import update_assignments
from ldavi._inference.topic_samples import sample_topics

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_DOCS = 60
CUTS = {"one batch": [N_DOCS], "some": [25, 35], "empty ones": [25, 0, 35, 0], "one document each": [1] * N_DOCS}
FITS = {
    "cvb0": {"inference": "cvb0"},
    "memoized": {"inference": "cvb0", "learning_method": "memoized"},
    "random": {"inference": "cvb0", "init": "random"},
    "before vb": {"n_collapsed_iter": 15},
}


def batches(X, lengths):
    """Return consecutive rows of X as a list of batches of these lengths."""
    edges = np.append(0, np.cumsum(lengths))
    return [X[first:last] for first, last in itertools.pairwise(edges)]


class Repeated:
    """Yields the same batch a number of times."""

    def __init__(self, X, times):
        self.X, self.times = X, times

    def __iter__(self):
        return (self.X for _ in range(self.times))


def documents_of(X, lengths, dtype="float64"):
    """Return batches as phases read them, or documents in memory without lengths."""
    if lengths is None:
        return Documents(corpora.to_counts(X, np.dtype(dtype)), None).compacted()
    return BatchedDocuments(batches(sparse.csr_array(X), lengths), np.dtype(dtype), "a test").compacted()


def after_passes(documents, n_topics, n_passes=3):
    state, priors = uninitialised_assignments(documents, n_topics), corpora.make_priors(np.full(n_topics, 0.2), 0.1)
    with Workers(1) as workers:
        for seed in range(n_passes):
            update_assignments(state, priors, workers, seed=seed)
    return state, priors


def model(**parameters):
    return LatentDirichletAllocation(3, **{"random_state": 0, "max_iter": 40, "tol": None} | parameters)


# The corpus as a whole


@pytest.mark.parametrize("lengths", CUTS.values(), ids=CUTS)
def test_sums_are_those_of_the_assignments_of_all_batches(lengths):
    X = corpora.topical_counts(1, n_docs=N_DOCS)
    state, _ = after_passes(documents_of(X, lengths), 3)
    N = np.zeros_like(state.N)
    for part in state.parts():
        for block in part.blocks:
            word = np.repeat(block.word_row, np.diff(block.word_ptr))
            share = part.share[block.counts]
            topic = np.where(share > 0, part.topic[block.counts], 0)
            np.add.at(N, (word[:, None], topic), block.mass[:, None] * share)
    np.testing.assert_array_equal(state.N, N)
    np.testing.assert_array_equal(state.totals, N.sum(axis=0))
    assert state.N.sum() == X.sum() * state.unit == state.units


@pytest.mark.parametrize("scale", [1, 0.37, 1e6, 3e9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_unit_of_mass_is_that_of_the_corpus(scale, dtype):
    X = corpora.topical_counts(4, n_docs=N_DOCS) * scale
    in_memory = uninitialised_assignments(documents_of(X, None, dtype), 3)
    in_batches = uninitialised_assignments(documents_of(X, CUTS["one document each"], dtype), 3)
    assert in_batches.unit == in_memory.unit
    assert in_batches.max_sampled == pytest.approx(in_memory.max_sampled)
    assert in_batches.units == pytest.approx(in_memory.units)


@pytest.mark.parametrize("lengths", CUTS.values(), ids=CUTS)
def test_sampled_topics_do_not_depend_on_how_documents_are_divided(lengths, monkeypatch):
    """Given n_wk and the same assignments, since random bits depend on positions in the corpus."""
    monkeypatch.setattr(topic_samples, "TOKENS_AT_ONCE", 100)
    X, K = corpora.topical_counts(5, n_docs=N_DOCS) * 0.7, 3
    found = []
    for cut in (None, lengths):
        state, priors = uninitialised_assignments(documents_of(X, cut), K), corpora.make_priors(np.full(K, 0.2), 0.1)
        state.N[:, :K] = np.random.default_rng(5).integers(0, 1000, (len(state.N), K)) * state.unit
        state.totals[:] = state.N.sum(axis=0)
        for part in state.parts():
            part.share[:, 0] = SHARES
            state.store(part)
        samples = list(sample_topics(state, priors, Workers(1), first=1, step=3, seed=pass_seed(2, 1)))
        found.append(np.concatenate([sample.topic for sample in samples]))
        assert sum(len(sample.documents) for sample in samples) == N_DOCS // 3
    np.testing.assert_array_equal(found[1], found[0])


@pytest.mark.parametrize("lengths", CUTS.values(), ids=CUTS)
def test_the_evidence_for_alpha_is_that_of_all_batches(lengths):
    X, settings = corpora.topical_counts(8, n_docs=N_DOCS), Cvb0Settings(1, learn_alpha=True)
    alphas = []
    for cut in (None, lengths):
        state, priors = after_passes(documents_of(X, cut), 3, n_passes=0)
        state.N[:, :3] = np.random.default_rng(5).integers(0, 1000, (len(state.N), 3)) * state.unit
        state.totals[:] = state.N.sum(axis=0)
        with Workers(1) as workers:
            alphas.append(learned_priors(state, priors, settings, 20, workers).alpha)
    np.testing.assert_allclose(alphas[1], alphas[0], rtol=1e-9)


def test_counts_at_the_same_position_of_different_batches_have_different_random_bits():
    """In documents of a single token of the only word, the topic is drawn in proportion to α."""
    state = uninitialised_assignments(documents_of(np.ones((60, 1)), [1] * 60), 100)
    priors = corpora.make_priors(np.ones(100), 0.1)
    with Workers(1) as workers:
        update_assignments(state, priors, workers, seed=3)
    n_topics = np.count_nonzero(state.totals)
    assert 30 < n_topics < 60  # 45 are expected of 60 independent draws


def test_a_state_of_batches_cut_in_another_way_is_refused():
    phase, priors = Cvb0(Cvb0Settings(1), 3), corpora.make_priors(np.full(3, 0.2), 0.1)
    documents = documents_of(planted(), [25, 35])
    with (
        Workers(1) as workers,
        closing(phase.passes(documents, phase.start(documents, priors, None), workers)) as passes,
    ):
        saved = copy.deepcopy(next(passes)[0].to_arrays())
    assert phase.from_arrays(documents, saved).iteration == 1
    for lengths in ([25, 10, 25], [60], [35, 25]):
        with pytest.raises(ValueError, match=r"share is|zip"):
            phase.from_arrays(documents_of(planted(), lengths), saved)


# Fits


def planted(n_docs=N_DOCS, n_topics=3, n_words=30):
    """Return documents about topics of n_words / n_topics words each."""
    rng = np.random.default_rng(8)
    topics = np.kron(np.eye(n_topics), np.ones(n_words // n_topics)) + 0.01
    theta = rng.dirichlet(np.full(n_topics, 0.2), n_docs)
    return np.array([rng.multinomial(40, p / p.sum()) for p in theta @ topics])


@pytest.mark.parametrize("parameters", FITS.values(), ids=FITS)
@pytest.mark.parametrize("lengths", CUTS.values(), ids=CUTS)
def test_planted_topics_are_found_in_batches(parameters, lengths):
    found = model(**parameters).fit(batches(planted(), lengths)).topics_
    owner = found.argmax(axis=0).reshape(3, -1)
    assert (owner == owner[:, :1]).all()
    assert len(np.unique(owner)) == 3


@pytest.mark.parametrize("parameters", FITS.values(), ids=FITS)
@pytest.mark.parametrize("lengths", CUTS.values(), ids=CUTS)
def test_a_fit_of_batches_is_as_good_as_one_in_memory(parameters, lengths):
    X = corpora.topical_counts(2, n_docs=N_DOCS)
    in_memory, in_batches = model(**parameters).fit(X), model(**parameters).fit(batches(X, lengths))
    assert in_batches.elbo_ >= in_memory.elbo_ - 2e-3 * abs(in_memory.elbo_)
    np.testing.assert_array_equal(in_batches.elbo_trace_["phase"], in_memory.elbo_trace_["phase"])
    collapsed = in_memory.elbo_trace_["phase"] == "collapsed"
    last = [lda.elbo_trace_["predictive"][collapsed][-10:].mean() for lda in (in_batches, in_memory)]
    assert last[0] == pytest.approx(last[1], rel=5e-3)


def test_a_corpus_on_disk_has_the_bits_of_a_list(tmp_path):
    X = sparse.csr_array(planted())
    io.save_counts(tmp_path / "counts", X)
    from_disk = model(inference="cvb0", max_iter=12).fit(io.open_counts(tmp_path / "counts", batch_size=16))
    from_list = model(inference="cvb0", max_iter=12).fit(batches(X, [16, 16, 16, 12]))
    np.testing.assert_array_equal(from_disk.components_, from_list.components_)


def test_batches_that_change_between_passes_are_refused():
    class Changing(Repeated):
        n_begun = 0

        def __iter__(self):
            self.n_begun += 1
            return iter([self.X, self.X[: 50 if self.n_begun > 12 else None]])

    lda = model(inference="cvb0")
    with pytest.raises(ValueError, match="every pass must give the same batches"):
        lda.fit(Changing(planted(), 2))
    assert lda.elbo_trace_["phase"][-1] == "collapsed"


# Memory


def test_memory_does_not_grow_with_the_number_of_batches():
    X = sparse.csr_array(planted(n_docs=500))

    def peak(n_batches):
        return peak_memory(lambda: model(inference="cvb0", max_iter=6).fit(Repeated(X, n_batches)))

    assert peak(24) < peak(4) + X.nnz  # one byte a stored count: with their assignments, 20 batches have 240


def test_assignments_of_batches_are_read_once_in_a_pass(monkeypatch):
    loads, load = [], SpillFile.load
    monkeypatch.setattr(SpillFile, "load", lambda self, number: loads.append(number) or load(self, number))
    after_passes(documents_of(planted(), [25, 35]), 3, n_passes=3)
    assert loads == [0, 0, 1, 1] * 2
