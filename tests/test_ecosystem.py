"""Use with other libraries: pipelines, searches, data frames, workers, notebooks; and without the optional ones."""

import inspect
import pickle
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import ldavi
from ldavi import LatentDirichletAllocation, inspection, metrics, progress

TEXTS = ["cat dog cat mouse", "dog cat dog", "sun moon sun star", "moon star moon sun", "cat dog", "star moon"] * 3
X = CountVectorizer().fit_transform(TEXTS)
NAMES = ["latentdirichletallocation0", "latentdirichletallocation1"]
PARAMETERS = {
    "n_components": 3,
    "doc_topic_prior": 0.25,
    "topic_word_prior": 0.02,
    "learning_method": "online",
    "learning_decay": 0.6,
    "learning_offset": 5.0,
    "max_iter": 7,
    "batch_size": 9,
    "evaluate_every": 2,
    "total_samples": 40.0,
    "perp_tol": 0.2,
    "mean_change_tol": 0.01,
    "max_doc_update_iter": 50,
    "n_jobs": 2,
    "verbose": 1,
    "random_state": 5,
    "inference": "cvb0",
    "init": np.ones((3, 6)),
    "n_collapsed_iter": 4,
    "n_init": 2,
    "seed_words": {0: [1]},
    "tol": 0.5,
    "validation_fraction": 0.25,
    "n_iter_no_change": 2,
    "callbacks": [len],
    "warm_start": True,
    "new_words": "add",
    "dtype": "float64",
}


def model(n_components=2, **parameters):
    return LatentDirichletAllocation(n_components, **{"tol": 0.1, "random_state": 0, **parameters})


def pipeline(**parameters):
    return make_pipeline(CountVectorizer(), model(**parameters))


def values(table):
    return np.asarray(table.to_numpy())


# Data frames


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_pipeline_returns_data_frames_with_a_column_per_topic(library):
    frames = pytest.importorskip(library)
    plain = pipeline().fit(TEXTS)
    steps = make_pipeline(CountVectorizer(), model())
    steps[-1].set_output(transform=library)
    out = steps.fit(TEXTS).transform(TEXTS)
    assert isinstance(out, frames.DataFrame)
    assert list(out.columns) == NAMES
    np.testing.assert_array_equal(values(out), plain.transform(TEXTS))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_global_setting_returns_data_frames(library):
    frames = pytest.importorskip(library)
    with sklearn.config_context(transform_output=library):
        assert isinstance(model().fit_transform(X), frames.DataFrame)
        assert isinstance(model().fit(X).transform(X), frames.DataFrame)
    assert isinstance(model().fit_transform(X), np.ndarray)


def test_set_config_returns_data_frames_until_it_is_reset():
    pandas = pytest.importorskip("pandas")
    before = sklearn.get_config()["transform_output"]
    sklearn.set_config(transform_output="pandas")
    try:
        assert isinstance(model().fit_transform(X), pandas.DataFrame)
    finally:
        sklearn.set_config(transform_output=before)


def test_rows_of_a_data_frame_keep_their_index():
    pandas = pytest.importorskip("pandas")
    counts = pandas.DataFrame(X.toarray(), columns=list("abcdef"), index=[f"d{i}" for i in range(X.shape[0])])
    out = model().set_output(transform="pandas").fit_transform(counts)
    assert list(out.index) == list(counts.index)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_a_data_frame_name_the_words(library):
    frames = pytest.importorskip(library)
    lda = model().fit(frames.DataFrame({word: X.toarray()[:, i] for i, word in enumerate("abcdef")}))
    assert list(lda.feature_names_in_) == list("abcdef")
    assert {word for words in inspection.top_words_lists(lda, 6) for word in words} == set("abcdef")


# Vectorisers and columns


@pytest.mark.parametrize(
    ("vectorizer", "documents"),
    [
        (CountVectorizer(), TEXTS),
        (CountVectorizer(analyzer="char", ngram_range=(2, 2)), TEXTS),
        (HashingVectorizer(n_features=64, alternate_sign=False, norm=None), TEXTS),
        (DictVectorizer(), [{"cat": 2, "dog": 1}, {"sun": 3}, {"cat": 1, "sun": 1}]),
        (make_pipeline(FunctionTransformer(list, feature_names_out="one-to-one"), CountVectorizer()), TEXTS),
    ],
    ids=["words", "letters", "hashes", "dicts", "pipeline"],
)
def test_topics_are_named_after_any_vectoriser(vectorizer, documents):
    steps = make_pipeline(clone(vectorizer), model()).fit(documents)
    assert list(steps[-1].get_feature_names_out()) == NAMES
    if hasattr(steps[0], "get_feature_names_out") and not isinstance(steps[0], HashingVectorizer):
        assert list(steps.get_feature_names_out()) == NAMES


def test_a_column_transformer_replaces_a_column_of_texts_by_topics():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "year": np.arange(len(TEXTS), dtype=float)})
    columns = ColumnTransformer([("topics", pipeline(), "text"), ("rest", "passthrough", ["year"])])
    out = columns.fit_transform(frame)
    assert list(columns.get_feature_names_out()) == [f"topics__{name}" for name in NAMES] + ["rest__year"]
    np.testing.assert_array_equal(out[:, :2], pipeline().fit_transform(TEXTS))
    np.testing.assert_array_equal(out[:, 2], frame["year"])


# Searches and workers


@pytest.mark.slow
def test_a_grid_search_in_processes_has_the_result_of_a_sequential_one():
    grid = {"latentdirichletallocation__n_components": [1, 2]}
    found = [
        GridSearchCV(pipeline(), grid, cv=3, scoring=metrics.scorer(), n_jobs=n_jobs, error_score="raise").fit(TEXTS)
        for n_jobs in (None, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in found]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert found[0].best_params_ == found[1].best_params_


@pytest.mark.parametrize("backend", [pytest.param("loky", marks=pytest.mark.slow), "threading"])
def test_fits_in_joblib_workers_have_the_bits_of_fits_in_the_caller(backend):
    here = [model(random_state=seed).fit(X).components_ for seed in range(3)]
    there = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(model(random_state=seed, n_jobs=2).fit)(X) for seed in range(3)
    )
    for mine, theirs in zip(here, there, strict=True):
        np.testing.assert_array_equal(mine, theirs.components_)


# Parameters


def test_every_parameter_is_tested():
    assert list(PARAMETERS) == list(inspect.signature(LatentDirichletAllocation).parameters)
    defaults = LatentDirichletAllocation().get_params()
    assert [name for name in PARAMETERS if repr(PARAMETERS[name]) == repr(defaults[name])] == []


def test_get_params_returns_the_given_objects():
    given = LatentDirichletAllocation(**PARAMETERS).get_params()
    assert all(given[name] is PARAMETERS[name] for name in PARAMETERS)
    assert given.keys() == PARAMETERS.keys()


def test_set_params_sets_every_parameter():
    assert LatentDirichletAllocation().set_params(**PARAMETERS).get_params() == PARAMETERS


def test_a_clone_has_every_parameter():
    copy = clone(LatentDirichletAllocation(**PARAMETERS)).get_params()
    assert copy.keys() == PARAMETERS.keys()
    for name, value in PARAMETERS.items():
        np.testing.assert_array_equal(copy[name], value, err_msg=name)


# Notebooks


def test_the_diagram_names_the_parameters_that_differ_from_defaults():
    page = LatentDirichletAllocation(37, learning_offset=12.375, inference="cvb0")._repr_html_()
    assert page.lstrip().startswith("<style>")
    for text in ("LatentDirichletAllocation", "n_components", "37", "learning_offset", "12.375", "inference", "cvb0"):
        assert text in page


def test_the_diagram_of_a_pipeline_contains_the_model():
    assert "LatentDirichletAllocation" in pipeline(learning_offset=12.375)._repr_html_()


def test_the_repr_names_only_the_parameters_that_differ():
    assert repr(LatentDirichletAllocation(37, tol=None)) == "LatentDirichletAllocation(n_components=37, tol=None)"


def test_a_summary_has_the_numbers_of_the_model():
    steps = pipeline(max_iter=4, tol=None).fit(TEXTS)
    lda, summary = steps[-1], inspection.summary(steps)
    assert summary.title == "LatentDirichletAllocation: 2 topics over 6 words"
    assert summary.facts["fit"].startswith("vb batch, 4 passes, not converged, ")
    assert summary.facts["ELBO"] == f"{lda.elbo_:.6g}"
    assert summary.facts["perplexity"] == f"{lda.bound_:,.1f} (training)"
    assert summary.facts["α"].endswith(" (auto)")
    assert summary.facts["η"].endswith(" (auto)")


def test_a_summary_shows_given_priors_as_given():
    summary = inspection.summary(model(doc_topic_prior=[0.5, 0.25], topic_word_prior=0.125).fit(X))
    assert summary.facts["α"] == "0.25 to 0.5"
    assert summary.facts["η"] == "0.125"


@pytest.mark.parametrize("kind", [LatentDirichletAllocation, ScikitLearnLDA])
@pytest.mark.parametrize("method", ["batch", "online"])
def test_a_summary_shows_the_largest_topics_first(kind, method):
    counts = np.vstack([np.tile([0, 0, 0, 4, 4, 4], (2, 1)), np.tile([4, 4, 4, 0, 0, 0], (9, 1))])
    lda = kind(2, doc_topic_prior=0.1, topic_word_prior=0.05, learning_method=method, max_iter=40, random_state=0)
    lda.set_params(**{"tol": None} if kind is LatentDirichletAllocation else {}).fit(counts)
    summary = inspection.summary(lda, n_words=3)
    assert [share for _, share, _ in summary.topics] == pytest.approx([9 / 11, 2 / 11], abs=0.02)
    assert [set(words) for _, _, words in summary.topics] == [{"x0", "x1", "x2"}, {"x3", "x4", "x5"}]


def test_a_summary_of_documents_has_the_topic_sizes_of_these():
    lda = model().fit(X)
    sizes = inspection.topic_sizes(lda, X[:2])["share"]
    summary = inspection.summary(lda, X[:2])
    assert {topic: share for topic, share, _ in summary.topics} == dict(enumerate(sizes))


def test_a_summary_of_an_array_has_words_and_no_shares():
    summary = inspection.summary([[3, 1], [1, 2]], feature_names=["oil", "row"])
    assert summary.topics == [(0, None, ["oil", "row"]), (1, None, ["row", "oil"])]
    assert repr(summary).splitlines()[0] == "2 topics over 2 words"


def test_a_summary_states_how_many_topics_it_omits():
    summary = inspection.summary(model(5).fit(X), n_topics=2)
    assert len(summary.topics) == 2
    assert repr(summary).endswith("… 3 smaller topics")
    assert "… 3 smaller topics" in summary._repr_html_()


def test_an_estimator_after_partial_fit_has_a_summary():
    summary = inspection.summary(model().partial_fit(X))
    assert sum(share for _, share, _ in summary.topics) == pytest.approx(1)
    assert "ELBO" not in summary.facts


def test_words_in_a_summary_are_escaped():
    words = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&amp;", "a\nb\x1b[2J", "'", "plain"]
    summary = inspection.summary(model().fit(X), feature_names=words, n_words=6)
    page = summary._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&amp;amp;" in page
    assert "\x1b" not in repr(summary) + page
    assert r"a\nb\x1b[2J" in repr(summary)


@pytest.mark.parametrize("n_topics", [0, -1])
def test_a_summary_without_topics_is_refused(n_topics):
    with pytest.raises(ValueError, match="n_topics"):
        inspection.summary(np.ones((2, 2)), n_topics=n_topics)


# Progress


def without(monkeypatch, *libraries):
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)


def test_without_tqdm_each_pass_is_a_line(monkeypatch, capsys):
    without(monkeypatch, "tqdm")
    lda = model(max_iter=3, tol=None, callbacks=progress.ProgressBar(3, interval=0)).fit(X)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"fit: pass {i} of 3" for i in (1, 2, 3)]
    assert f"perplexity {lda.elbo_trace_['perplexity'][2]:,.1f}" in lines[2]


def test_lines_are_at_least_an_interval_apart(monkeypatch, capsys):
    without(monkeypatch, "tqdm")
    model(max_iter=3, tol=None, callbacks=progress.ProgressBar(interval=1e9)).fit(X)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_with_tqdm_a_bar_counts_the_passes(capsys):
    pytest.importorskip("tqdm")
    with progress.ProgressBar(3, interval=0) as bar:
        model(max_iter=3, tol=None, callbacks=bar).fit(X)
        assert (bar._display.done, bar._display.total) == (3, 3)
    assert bar._display is None
    assert "3/3" in capsys.readouterr().err


def test_each_restart_has_its_own_bar(capsys):
    pytest.importorskip("tqdm")
    with progress.ProgressBar(2, interval=0) as bar:
        model(max_iter=2, n_init=3, tol=None, callbacks=bar).fit(X)
    assert capsys.readouterr().err.count("2/2") >= 3


def test_a_model_with_a_used_progress_bar_can_be_cloned_and_pickled(capsys):
    lda = model(callbacks=progress.ProgressBar(100)).fit(X)
    assert clone(lda).callbacks.total == 100
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lda)).components_, lda.components_)
    lda.callbacks.close()


# Without the extras

OPTIONAL = (
    "dask",
    "distributed",
    "gensim",
    "jinja2",
    "matplotlib",
    "pandas",
    "plotly",
    "polars",
    "pyLDAvis",
    "pyarrow",
    "safetensors",
    "tomotopy",
    "tqdm",
    "zstandard",
)
CORE = """
    import sys
    for name in {blocked!r}:
        sys.modules[name] = None
    sys.path[:0] = [{place!r}]
    from pathlib import Path
    import numpy as np
    import ldavi
    from ldavi import inspection, io, metrics
    from ldavi.cli import main
    Path("texts.txt").write_text("\\n".join({texts!r}))
"""


def run_without_extras(code, place):
    if sklearn.__version__.startswith("1.6."):
        pytest.skip("scikit-learn 1.6 mistakes a blocked pandas for an imported one")
    head = CORE.format(blocked=OPTIONAL, place=str(Path(ldavi.__file__).resolve().parent.parent), texts=TEXTS)
    script = textwrap.dedent(head) + textwrap.dedent(code)
    run = subprocess.run([sys.executable, "-c", script], cwd=place, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.slow
def test_the_core_works_without_extras(tmp_path):
    out = run_without_extras(
        """
        for command in (["fit", "texts.txt", "-k", "2", "-o", "m.ldavi", "--seed", "0"], ["topics", "m.ldavi"],
                        ["info"], ["info", "m.ldavi"], ["transform", "m.ldavi", "texts.txt", "-o", "t.csv"],
                        ["evaluate", "m.ldavi", "texts.txt"]):
            assert main(command) == 0, command
        X = np.random.default_rng(0).poisson(1.0, (20, 6))
        lda = ldavi.LatentDirichletAllocation(2, random_state=0, callbacks=ldavi.progress.ProgressBar()).fit(X)
        lda.callbacks = None
        io.save(lda, "own.ldavi")
        assert (io.load("own.ldavi").components_ == lda.components_).all()
        assert metrics.document_completion(lda, X).perplexity > 1
        assert len(metrics.coherence(lda, X)) == 2
        assert len(inspection.top_words(lda, 3)) == 6
        assert len(inspection.summary(lda).topics) == 2
        assert inspection.topic_map(lda) is not None
        print("worked")
        """,
        tmp_path,
    )
    assert out.endswith("worked\n")
    assert (tmp_path / "t.csv").exists()


def test_an_error_for_a_missing_library_names_the_extra(tmp_path):
    out = run_without_extras(
        """
        X = np.random.default_rng(0).poisson(1.0, (20, 6))
        lda = ldavi.LatentDirichletAllocation(2, random_state=0).fit(X)
        Path("texts.parquet").write_bytes(b"PAR1")
        Path("texts.txt.zst").write_bytes(b"\\x28\\xb5\\x2f\\xfd")
        for use in (
            lambda: ldavi.report.write("page.html", lda, X),
            lambda: ldavi.plotting.TopWordsDisplay.from_estimator(lda),
            lambda: io.read_corpus("texts.parquet"),
            lambda: io.read_corpus("texts.txt.zst"),
        ):
            try:
                use()
            except ImportError as error:
                print(error)
        sys.stderr = sys.stdout
        assert main(["fit", "texts.txt", "-k", "2", "-o", "m.ldavi", "--report", "page.html"]) != 0
        """,
        tmp_path,
    )
    assert re.findall(r"pip install ['\"]ldavi\[(\w+)\]['\"]", out) == ["report", "plot", "io", "io", "report"]
    assert not (tmp_path / "m.ldavi").exists(), "the error has to precede the fit"
