"""ldavi.selection: the sweep, its measures, its rule, and the file of finished fits."""

import itertools
import json
import math
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
from sklearn.model_selection import GridSearchCV

from ldavi import LatentDirichletAllocation, metrics, selection
from ldavi.selection import _design, _result

LDA = LatentDirichletAllocation(tol=1e-2, n_collapsed_iter=0)


def planted(n_topics, n_docs=60, n_words=40, length=60, seed=0):
    """Draw documents (D, V) from the model, with few topics per document and few words per topic."""
    rng = np.random.default_rng([seed, n_topics])
    beta = rng.dirichlet(np.full(n_words, 0.05), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.1), n_docs)
    return sparse.csr_matrix(np.array([rng.multinomial(length, p / p.sum()) for p in theta @ beta]))


X = planted(3)


def small_sweep(grid=(2, 3), **options):
    return selection.sweep(X, grid, **{"estimator": LDA, "n_init": 2, "random_state": 0, **options})


def columns(result, *, but=("seconds", "seconds_std_error")):
    return {name: np.asarray(result.table[name]) for name in names_of(result) if name not in but}


def names_of(result):
    return list(
        getattr(result.table, "columns", None) if hasattr(result.table, "columns") else result.table.dtype.names
    )


def assert_same(one, other):
    assert columns(one).keys() == columns(other).keys()
    for name, values in columns(one).items():
        np.testing.assert_array_equal(values, columns(other)[name], err_msg=name)


class Recorder(BaseEstimator):
    """An estimator that records its documents; every topic is the smoothed mean of the documents."""

    seen: list

    def __init__(self, n_components=1):
        self.n_components = n_components

    def fit(self, X, y=None):
        Recorder.seen.append((self.n_components, X))
        self.components_ = np.tile(np.asarray(X.sum(axis=0)).ravel() + 1.0, (self.n_components, 1))
        return self


# The recommendation


LEARNER = LatentDirichletAllocation(max_iter=1000)
slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(("n_topics", "n_init"), [(5, 5), slow(10, 8), slow(20, 20)])
def test_the_planted_number_of_topics_is_recommended(n_topics, n_init):
    """Recommend the planted number, with enough restarts: one fit in nine finds all of 20 topics."""
    documents = planted(n_topics, n_docs=200, n_words=10 * n_topics, length=100)
    result = selection.sweep(
        documents, [2, 5, 10, 20, 40], estimator=LEARNER, n_init=n_init, doc_topic_prior=0.1, random_state=0
    )
    assert result.recommend().n_components == n_topics


@pytest.mark.parametrize("n_topics", [5, 10])
def test_the_planted_number_is_told_from_its_neighbours(n_topics):
    documents = planted(n_topics, n_docs=300, n_words=20 * n_topics, length=200)
    grid = [n_topics - 1, n_topics, n_topics + 1]
    result = selection.sweep(documents, grid, estimator=LEARNER, n_init=8, doc_topic_prior=0.1, random_state=0)
    assert result.recommend().n_components == n_topics


def sweep_of(scores, tokens, variance):
    grid = np.arange(1, len(scores) + 1) * 10
    return selection.Sweep(None, (), grid, np.array(scores, float), np.array(tokens), np.array(variance, float))


def test_the_rule_takes_the_least_number_within_a_standard_error_of_the_difference():
    tokens = np.full(4, 10)
    best = np.array([-50.0, -10.0, -90.0, -30.0])  # documents differ far more than numbers of topics
    near = best - np.array(
        [3.0, -1.0, 2.0, -3.0]
    )  # lower by 1 in 40 tokens: 0.025, its standard error √(91 / 12) / 4 / 10
    far = best - np.array([3.0, 2.0, 3.0, 2.0])
    result = sweep_of([far, near, best], tokens, [0, 0, 0]).recommend()
    assert (result.n_components, result.best) == (20, 30)
    assert math.isclose(result.gap, 1 / 40)
    difference = np.array([3.0, -1.0, 2.0, -3.0])
    assert math.isclose(result.gap_std_error, difference.std(ddof=1) / 2 / 10)


def test_variance_over_restarts_widens_the_rule():
    tokens, best = np.full(4, 10), np.full(4, -10.0)
    lower = best - 1  # 0.1 a token, the same in every document
    assert sweep_of([lower, best], tokens, [0, 0]).recommend().n_components == 20
    assert sweep_of([lower, best], tokens, [0.08**2, 0.08**2]).recommend().n_components == 10
    assert sweep_of([lower, best], tokens, [0.08**2, 0.05**2]).recommend().n_components == 20


def test_the_rule_of_the_best_takes_the_best():
    result = sweep_of([[-11.0, -9.5], [-10.0, -10.0]], [5, 5], [0, 0])
    assert result.recommend().n_components == 10
    assert result.recommend("best").n_components == 20


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_a_recommendation_is_never_above_the_best_nor_further_from_it_than_its_error(n_grid, n_docs, seed):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, 20, n_docs)
    result = sweep_of(-rng.exponential(10, (n_grid, n_docs)), tokens, rng.exponential(0.01, n_grid)).recommend()
    assert result.n_components <= result.best
    assert 0 <= result.gap <= result.gap_std_error


def test_the_reason_states_the_rule_its_figures_and_what_weakens_them():
    near = sweep_of([[-11.0, -9.5], [-10.0, -10.0]], [5, 5], [math.nan, math.nan]).recommend()
    for part in (
        "10 topics",
        "rule of one standard error",
        "0.0500",
        "One restart",
        "more topics may be better",
        "0.1500",
    ):
        assert part in near.reason
    assert near.at_edge


def test_a_best_within_the_grid_is_not_at_its_edge():
    result = sweep_of([[-30.0, -30.0], [-10.0, -10.0], [-20.0, -20.0]], [5, 5], [0, 0, 0]).recommend()
    assert result.n_components == 20
    assert not result.at_edge


def test_numbers_that_find_a_word_impossible_are_not_recommended():
    result = sweep_of([[-math.inf, -1.0], [-10.0, -10.0]], [5, 5], [0, 0])
    assert result.recommend().n_components == 20
    with pytest.raises(ValueError, match="probability 0"):
        sweep_of([[-math.inf, -1.0]], [5, 5], [0]).recommend()


# Standard errors


def test_the_variance_over_documents_is_that_of_a_mean_where_documents_are_of_one_length():
    scores = np.random.default_rng(0).normal(size=9)
    assert math.isclose(_result.document_variance(scores, np.full(9, 7)), scores.var(ddof=1) / 9 / 7**2)


def test_the_variance_over_documents_is_that_of_leaving_one_out():
    rng = np.random.default_rng(1)
    tokens = rng.integers(50, 150, 400)
    scores = rng.normal(-5, 1, 400) * tokens
    left = (scores.sum() - scores) / (tokens.sum() - tokens)
    jackknife = 399 / 400 * ((left - left.mean()) ** 2).sum()
    assert math.isclose(_result.document_variance(scores, tokens), jackknife, rel_tol=0.01)
    assert _result.document_variance(-5.0 * tokens, tokens) == 0


@pytest.mark.parametrize("n_restarts", [2, 3, 5])
def test_the_variance_over_restarts_is_that_of_every_resample(n_restarts):
    scores = np.random.default_rng(n_restarts).normal(size=n_restarts)  # in the order of their bounds, the best first
    best = [scores[min(draw)] for draw in itertools.product(range(n_restarts), repeat=n_restarts)]
    assert math.isclose(_result.restart_variance(scores), np.var(best))


# What is fitted and measured


@pytest.mark.parametrize("held_out", [0.25, 4])
def test_every_number_of_topics_learns_from_the_same_documents_and_none_from_those_held_out(held_out):
    Recorder.seen = []
    result = small_sweep((1, 2, 4), estimator=Recorder(), held_out=held_out)
    folds = 4 if held_out == 4 else 1
    assert len(Recorder.seen) == 3 * 2 * folds
    by_number = {k: [documents for n, documents in Recorder.seen if n == k] for k in (1, 2, 4)}
    for one, other in itertools.combinations(by_number.values(), 2):
        assert all((a != b).nnz == 0 for a, b in zip(one, other, strict=True))
    assert {documents.shape[0] for documents in by_number[1]} == {45}
    design = _design.make_design(X, held_out, _design.Measures("npmi", 10, "grid"), 0)
    assert all(not np.intersect1d(train, test).size for train, test in design.folds)
    assert len(result.document_tokens) == (60 if folds == 4 else 15)
    assert (
        sorted(np.concatenate([test for _, test in design.folds])) == (list(range(60)) if folds == 4 else None)
        or folds == 1
    )


def test_a_fit_is_that_of_its_seed_and_its_measures_are_those_of_metrics():
    result = small_sweep((3,), n_init=1)
    (fit,) = result.fits
    design = _design.make_design(X, 0.2, _design.Measures("npmi", 10, "grid"), 0)
    train, test = design.folds[0]
    model = LatentDirichletAllocation(3, tol=1e-2, n_collapsed_iter=0, random_state=fit.seed).fit(X[train])
    assert fit.bound == model.elbo_
    np.testing.assert_allclose(fit.coherence, metrics.coherence(model, X, "npmi").mean())
    np.testing.assert_allclose(fit.exclusivity, metrics.exclusivity(model).mean())
    assert fit.diversity == metrics.topic_diversity(model, 10)
    halves = metrics.TokenSplit(*(half[test] for half in design.halves))
    completion = metrics.document_completion(model, halves, seed=fit.seed)
    np.testing.assert_allclose(fit.document_log_likelihood, completion.document_log_likelihood, rtol=1e-12)
    np.testing.assert_array_equal(result.document_tokens, completion.document_tokens)
    np.testing.assert_allclose(result.table["perplexity"], completion.perplexity)
    np.testing.assert_allclose(result.table["log_likelihood_std_error"], completion.standard_error)


def test_the_restart_with_the_highest_bound_is_kept():
    result = small_sweep((4,), n_init=4)
    best = max(result.fits, key=lambda fit: fit.bound)
    np.testing.assert_array_equal(result.document_log_likelihood[0], best.document_log_likelihood)


def test_stability_is_the_agreement_of_first_words_over_restarts():
    result = small_sweep((3,), n_init=3, n_words=5)
    design = _design.make_design(X, 0.2, _design.Measures("npmi", 5, "grid"), 0)
    documents = X[design.folds[0][0]]
    models = [clone(LDA).set_params(n_components=3, random_state=fit.seed).fit(documents) for fit in result.fits]
    np.testing.assert_allclose(result.table["stability"], metrics.stability(models, "jaccard", 5).mean)


def test_the_error_of_stability_is_that_of_leaving_out_each_restart():
    n = 5
    pairwise = np.random.default_rng(0).random((n, n))
    pairwise = (pairwise + pairwise.T) / 2
    mean_of_pairs = lambda kept: pairwise[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)].mean()  # noqa: E731
    left_out = np.array([mean_of_pairs(np.delete(np.arange(n), item)) for item in range(n)])
    expected = (n - 1) / n * ((left_out - mean_of_pairs(np.arange(n))) ** 2).sum()
    with_others = (pairwise.sum(axis=1) - pairwise.diagonal()) / (n - 1)
    assert _result.jackknife_variance(with_others) == pytest.approx(expected, rel=1e-12)


def test_the_error_of_stability_has_the_size_of_its_variation():
    """Over many sweeps: items at random places, whose pairs agree the more the closer they are."""
    n, sweeps, means, variances = 24, 4000, [], []
    for places in np.random.default_rng(0).standard_normal((sweeps, n)):
        agreement = np.exp(-np.abs(places[:, None] - places))
        with_others = (agreement.sum(axis=1) - 1) / (n - 1)
        means.append(with_others.mean())
        variances.append(_result.jackknife_variance(with_others))
    assert np.var(means) <= np.mean(variances) <= 1.2 * np.var(means)  # of few items, the jackknife is too large


def test_stability_of_two_restarts_has_no_error_and_of_three_has_one():
    two, three = small_sweep((3,), n_init=2).table, small_sweep((3,), n_init=3).table
    assert np.isfinite(two["stability"]).all()
    assert np.isnan(two["stability_std_error"]).all()
    assert np.isfinite(three["stability_std_error"]).all()


def test_errors_of_stability_of_folds_add_up_and_are_at_least_that_over_folds():
    table = small_sweep((3,), n_init=3, held_out=2)
    each, means = [], []
    for fold in range(2):
        words = [fit.top_words for fit in table.fits if fit.fold == fold]
        with_others = (_result._agreement(words).sum(axis=1) - 1) / 2
        each.append(_result.jackknife_variance(with_others))
        means.append(with_others.mean())
    expected = max(sum(each) / 4, _result.fold_variance(np.array(means)))
    assert table.table["stability_std_error"][0] == pytest.approx(math.sqrt(expected))


def test_topics_that_no_document_uses_are_counted_and_do_not_pass_for_stable():
    documents = planted(3, n_docs=200, length=100)
    few, many = (
        selection.sweep(documents, [k], estimator=LEARNER, n_init=3, n_words=5, random_state=0).table for k in (3, 60)
    )
    assert few["used"][0] == 3
    assert 3 <= many["used"][0] < 60
    assert many["stability"][0] < few["stability"][0]


def test_restarts_that_cannot_differ_are_stable():
    Recorder.seen = []
    table = small_sweep((2,), estimator=Recorder()).table
    assert table["stability"][0] == 1
    assert table["used"][0] == 2
    assert table["coherence_std_error"][0] == 0


def test_one_restart_has_neither_stability_nor_errors_over_restarts():
    result = small_sweep(n_init=1)
    assert np.isnan(result.table["stability"]).all()
    assert np.isnan(result.table["coherence_std_error"]).all()
    assert np.isfinite(result.table["gap_std_error"]).all()


def test_the_table_rises_whatever_the_order_of_the_grid():
    assert_same(small_sweep((3, 2, 3)), small_sweep((2, 3)))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_number_of_jobs_does_not_change_the_result(n_jobs):
    assert_same(small_sweep(n_jobs=n_jobs), small_sweep())


def test_neither_documents_nor_estimator_are_changed():
    documents, estimator = X.copy(), LatentDirichletAllocation(7, tol=1e-2)
    selection.sweep(documents, [2], estimator=estimator, n_init=1, random_state=0)
    assert (documents != X).nnz == 0
    assert estimator.n_components == 7
    assert not hasattr(estimator, "components_")


def test_dense_and_sparse_documents_give_the_same():
    assert_same(selection.sweep(X.toarray(), (2, 3), estimator=LDA, n_init=2, random_state=0), small_sweep())


@pytest.mark.parametrize(
    "estimator", [ScikitLearnLDA(max_iter=3), NMF(max_iter=1000, init="random")], ids=["lda", "nmf"]
)
def test_estimators_of_scikit_learn_are_swept(estimator):
    result = small_sweep(estimator=estimator)
    assert result.n_components.tolist() == [2, 3]
    assert (np.asarray(result.table["perplexity"]) > 1).all()


# The file


class StopError(Exception):
    pass


def stop_after(n_fits, error=KeyboardInterrupt):
    def progress(n_done, n_total, fit):
        if n_done == n_fits:
            raise error

    return progress


def count(calls):
    return lambda n_done, n_total, fit: calls.append((n_done, n_total))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_interrupted_sweep_continues(tmp_path, n_jobs):
    path = tmp_path / "sweep.jsonl"
    with pytest.raises(KeyboardInterrupt):
        small_sweep((2, 3, 4), path=path, progress=stop_after(4), n_jobs=n_jobs)
    assert len(path.read_bytes().splitlines()) == 1 + 4
    calls = []
    resumed = small_sweep((2, 3, 4), path=path, progress=count(calls), n_jobs=n_jobs)
    assert calls == [(5, 6), (6, 6)]
    assert_same(resumed, small_sweep((2, 3, 4)))


@pytest.mark.parametrize("lost", [1, 2, 40, 400])
def test_the_fit_of_a_truncated_line_is_repeated(tmp_path, lost):
    path = tmp_path / "sweep.jsonl"
    whole = small_sweep(path=path)
    former = path.read_bytes()
    path.write_bytes(former[:-lost])
    calls = []
    assert_same(small_sweep(path=path, progress=count(calls)), whole)
    assert calls == [(4, 4)]
    assert path.read_bytes().count(b"\n") == former.count(b"\n")


def test_a_complete_file_is_read_without_a_fit_and_keeps_the_seconds(tmp_path):
    first = small_sweep(path=tmp_path / "sweep")
    calls = []
    again = small_sweep(path=tmp_path / "sweep", progress=count(calls))
    assert calls == []
    np.testing.assert_array_equal(again.table["seconds"], first.table["seconds"])


def test_the_grid_and_the_restarts_may_grow(tmp_path):
    path, calls = tmp_path / "sweep", []
    small_sweep((2,), path=path)
    grown = small_sweep((2, 3), n_init=3, path=path, progress=count(calls))
    assert len(calls) == 4
    assert_same(grown, small_sweep((2, 3), n_init=3))


def test_a_seed_that_was_drawn_is_that_of_the_file(tmp_path):
    path, calls = tmp_path / "sweep", []
    first = small_sweep(path=path, random_state=None)
    assert_same(small_sweep(path=path, random_state=None, progress=count(calls)), first)
    assert calls == []


OTHERS = {
    "X": {"X": planted(3, seed=1)},
    "estimator": {"estimator": LatentDirichletAllocation(tol=1e-3)},
    "random_state": {"random_state": 1},
    "held_out": {"held_out": 0.3},
    "coherence": {"coherence": "u_mass"},
    "n_words": {"n_words": 9},
    "doc_topic_prior": {"doc_topic_prior": None},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_sweep_is_refused_and_unchanged(tmp_path, name):
    path = tmp_path / "sweep"
    small_sweep((2,), n_init=1, path=path)
    former = path.read_bytes()
    options = {"X": X, "estimator": LDA, "random_state": 0, **OTHERS[name]}
    with pytest.raises(ValueError, match=f"another sweep: {name} differ"):
        selection.sweep(n_components=(2,), n_init=1, path=path, **options)
    assert path.read_bytes() == former


def test_settings_without_effect_on_a_fit_may_change(tmp_path):
    path, calls = tmp_path / "sweep", []
    small_sweep((2,), path=path)
    other = LatentDirichletAllocation(9, tol=1e-2, n_collapsed_iter=0, n_jobs=2, random_state=5)
    small_sweep((2,), path=path, estimator=other, progress=count(calls))
    assert calls == []


@pytest.mark.parametrize("content", [b"my thesis\n", b'{"format": "other"}\n', b"\xff\xfe\n[]", b"[1]\n"])
def test_a_file_that_is_no_file_of_a_sweep_is_refused_and_unchanged(tmp_path, content):
    path = tmp_path / "thesis"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no file of a sweep"):
        small_sweep(path=path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_words", "[[1e999, 2]]"),
        ("top_words", f"[[{'9' * 40}, 2]]"),
        ("seconds", "9" * 400),
        ("bound", '"high"'),
        ("n_iter", "2.5"),
        ("fold", "true"),
    ],
)
def test_a_line_with_a_value_of_another_kind_is_named(field, value, tmp_path):
    path = tmp_path / "sweep.jsonl"
    small_sweep((2,), n_init=1, path=path)
    lines = path.read_text().splitlines(keepends=True)
    fit = json.loads(lines[1])
    del fit["checksum"]
    former = json.dumps(fit[field])
    lines[1] = json.dumps(fit).replace(f'"{field}": {former}', f'"{field}": {value}') + "\n"
    path.write_text("".join(lines))
    with pytest.raises(ValueError, match="line 2, does not describe a fit"):
        small_sweep((2,), n_init=1, path=path)


def test_an_invalid_line_is_named(tmp_path):
    path = tmp_path / "sweep"
    small_sweep(path=path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b'{"n_components": 2}\n', *lines[3:]]))
    with pytest.raises(ValueError, match="line 3"):
        small_sweep(path=path)


def test_a_parameter_that_cannot_be_pickled_is_refused_before_any_fit(tmp_path):
    estimator = LatentDirichletAllocation(callbacks=lambda record: None)
    with pytest.raises(ValueError, match="cannot be pickled"):
        small_sweep(estimator=estimator, path=tmp_path / "sweep")
    assert not list(tmp_path.iterdir())


def test_the_file_is_lines_of_json(tmp_path):
    small_sweep((2,), path=tmp_path / "sweep")
    header, *fits = (json.loads(line) for line in (tmp_path / "sweep").read_text().splitlines())
    assert header["format"] == "ldavi sweep 1"
    assert [(fit["n_components"], fit["fold"], fit["restart"]) for fit in fits] == [(2, 0, 0), (2, 0, 1)]


def test_a_fit_that_fails_leaves_those_before_it_in_the_file(tmp_path):
    with pytest.raises(StopError):
        small_sweep(path=tmp_path / "sweep", progress=stop_after(3, StopError))
    assert len((tmp_path / "sweep").read_bytes().splitlines()) == 1 + 3


# Progress


def test_nothing_is_written_without_a_terminal(capsys):
    small_sweep((2,))
    assert capsys.readouterr() == ("", "")


def test_progress_without_a_terminal_is_a_line_for_each_fit(capsys):
    small_sweep((2,), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(",")[0] for line in err.splitlines()] == ["sweep: fit 1 of 2", "sweep: fit 2 of 2"]


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    small_sweep((2,))
    assert "2/2" in capsys.readouterr().err


def test_a_terminal_without_tqdm_gets_lines(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    small_sweep((2,))
    assert len(capsys.readouterr().err.splitlines()) == 2


# Parameters


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_components": []}, ValueError, "is empty"),
        ({"n_components": [2, 0]}, ValueError, "n_components=0"),
        ({"n_components": [2.5]}, TypeError, "n_components=2.5"),
        ({"n_init": 0}, ValueError, "n_init=0"),
        ({"held_out": 0.0}, ValueError, "held_out=0.0"),
        ({"held_out": 1.0}, ValueError, "leaves no training documents"),
        ({"held_out": 1}, ValueError, "held_out=1"),
        ({"held_out": True}, TypeError, "held_out=True"),
        ({"held_out": 61}, ValueError, "61"),
        ({"coherence": "npmi2"}, ValueError, "coherence='npmi2'"),
        ({"n_words": 1}, ValueError, "n_words=1"),
        ({"doc_topic_prior": "auto"}, ValueError, "doc_topic_prior='auto'"),
        ({"doc_topic_prior": 0}, ValueError, "doc_topic_prior=0"),
        ({"estimator": LatentDirichletAllocation}, TypeError, "must be an estimator"),
        ({"estimator": "lda"}, TypeError, "must be an estimator"),
        ({"n_jobs": 0}, ValueError, "n_jobs=0"),
        ({"random_state": -1}, ValueError, "random_state=-1"),
        ({"random_state": "seed"}, TypeError, "random_state='seed'"),
        ({"progress": 1}, TypeError, "progress=1"),
        ({"X": X * 0.5}, ValueError, "whole"),
    ],
)
def test_a_wrong_parameter_is_named_before_any_fit(tmp_path, options, error, message):
    path = tmp_path / "sweep"
    with pytest.raises(error, match=message):
        selection.sweep(**{"X": X, "n_components": [2], "estimator": LDA, "random_state": 0, "path": path, **options})
    assert not path.exists() or len(path.read_bytes().splitlines()) == 1


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="rule='elbow'"):
        sweep_of([[-1.0, -2.0]], [5, 5], [0]).recommend("elbow")


# Beside others


def test_a_sweep_is_plotted_with_its_recommendation_marked():
    matplotlib = pytest.importorskip("matplotlib")
    former = matplotlib.get_backend()
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    result = small_sweep()
    display = result.plot(measures=["gap", "stability"])
    recommended = result.recommend().n_components
    for ax in display.axes_:
        assert any(list(line.get_xdata()) == [recommended, recommended] for line in ax.lines)
    np.testing.assert_allclose(display.axes_[0].lines[0].get_ydata(), result.table["gap"])
    assert result.plot().axes_[0].get_title(loc="left") == "held-out perplexity"
    plt.close("all")
    plt.switch_backend(former)


def test_grid_search_over_topics_and_priors_finds_the_planted_number():
    documents = planted(3, n_docs=150, length=100)
    grid = {"n_components": [2, 3, 6], "topic_word_prior": [0.05, 1.0]}
    lda = LatentDirichletAllocation(tol=1e-3, random_state=0)
    search = GridSearchCV(lda, grid, cv=3, scoring=metrics.scorer("document_completion")).fit(documents)
    assert search.best_params_ == {"n_components": 3, "topic_word_prior": 0.05}


@pytest.mark.parametrize("init", ["auto", "random", np.ones((3, 40))], ids=["auto", "random", "given"])
def test_restarts_after_the_first_of_a_sweep_start_at_random(init, monkeypatch):
    seen = []
    fit = LatentDirichletAllocation.fit

    def watch(self, *arguments):
        seen.append(self.init)
        return fit(self, *arguments)

    monkeypatch.setattr(LatentDirichletAllocation, "fit", watch)
    selection.sweep(
        X, [3], estimator=LatentDirichletAllocation(max_iter=2, tol=None, init=init), n_init=3, random_state=0
    )
    later = "random" if isinstance(init, str) else init
    assert [str(each) for each in seen] == [str(init), str(later), str(later)]


# Folds


def test_the_variance_over_folds_is_that_of_nadeau_and_bengio():
    means = np.array([1.0, 2.0, 4.0, 5.0])
    assert _result.fold_variance(means) == pytest.approx((1 / 4 + (1 / 4) / (3 / 4)) * means.var(ddof=1))


def test_errors_with_folds_are_at_least_those_over_folds():
    result = small_sweep((2, 3), held_out=4)
    best = int(np.argmax(result.document_log_likelihood.sum(axis=1)))
    difference = result.document_log_likelihood[best] - result.document_log_likelihood[1 - best]
    means = [
        difference[result.document_folds == fold].sum() / result.document_tokens[result.document_folds == fold].sum()
        for fold in range(4)
    ]
    error = result.table["gap_std_error"][1 - best]
    assert error >= math.sqrt(_result.fold_variance(np.array(means))) * (1 - 1e-9)


def test_differences_that_vary_over_folds_have_the_larger_error():
    tokens, folds = np.full(8, 10), np.repeat([0, 1], 4)
    best, lower = np.zeros(8), np.repeat([-1.0, -3.0], 4)  # the same in every document of a fold
    _, alone = _result.gaps(np.array([best, lower]), tokens, np.zeros(2))
    _, with_folds = _result.gaps(np.array([best, lower]), tokens, np.zeros(2), folds)
    assert with_folds[1] == pytest.approx(math.sqrt(1.5 * np.var([0.1, 0.3], ddof=1)))
    assert with_folds[1] > alone[1]


def test_errors_of_coherence_with_folds_are_not_those_of_independent_fits():
    result = small_sweep((3,), held_out=3)
    means = np.array([np.mean([fit.coherence for fit in result.fits if fit.fold == fold]) for fold in range(3)])
    assert result.table["coherence_std_error"][0] == pytest.approx(math.sqrt(_result.fold_variance(means)))


# Rules of coherence


def coherence_of(coherence, error, scores=None):
    n = len(coherence)
    table = {"coherence": np.array(coherence), "coherence_std_error": np.array(error)}
    scores = np.zeros((n, 4)) if scores is None else np.array(scores)
    return selection.Sweep(table, (), np.arange(1, n + 1) * 10, scores, np.full(4, 10), np.zeros(n))


def test_the_rule_of_coherence_takes_the_least_number_within_a_standard_error():
    result = coherence_of([0.1, 0.28, 0.3], [0.01, 0.01, 0.02]).recommend("coherence")
    assert (result.n_components, result.best) == (20, 30)
    assert result.gap == pytest.approx(0.02)
    assert result.gap_std_error == pytest.approx(math.hypot(0.01, 0.02))
    assert "coherence, 0.3000" in result.reason
    assert coherence_of([0.1, 0.27, 0.3], [0.01, 0.01, 0.02]).recommend("coherence").n_components == 30


def test_the_rule_of_coherence_without_errors_takes_the_highest():
    result = coherence_of([0.2, 0.3, 0.1], [math.nan] * 3).recommend("coherence")
    assert result.n_components == 20
    assert "unknown" in result.reason


def test_the_rule_of_both_takes_the_most_coherent_of_those_that_predict_as_well():
    scores = [[-20.0] * 4, [-10.0, -11.0, -10.0, -9.5], [-10.0] * 4]
    result = coherence_of([0.9, 0.2, 0.3], [0.1] * 3, scores).recommend("likelihood_and_coherence")
    assert (result.n_components, result.best) == (30, 30)
    assert "(20, 30)" in result.reason
    assert coherence_of([0.9, 0.3, 0.2], [0.1] * 3, scores).recommend("likelihood_and_coherence").n_components == 20


@pytest.mark.parametrize("rule", ["coherence", "likelihood_and_coherence"])
def test_rules_of_coherence_take_a_number_of_the_grid(rule):
    assert small_sweep((2, 3)).recommend(rule).n_components in (2, 3)


@pytest.mark.parametrize("held_out", [13, 0.999])
def test_more_held_out_documents_than_there_are_raise(held_out):
    X = np.random.default_rng(0).integers(0, 3, (12, 6))
    with pytest.raises(ValueError, match=f"held_out={held_out!r} leaves a part of the 12 documents of X empty"):
        selection.sweep(X, [2], held_out=held_out)
