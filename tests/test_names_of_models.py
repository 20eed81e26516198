"""Words and topic names of models: assigned, saved, and used wherever names are not given."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import NMF
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from ldavi import LatentDirichletAllocation, inspection, io, metrics
from ldavi.cli import main

TEXTS = ["oil salt garlic oil pan", "salt garlic pan", "wheel road engine wheel", "engine road brake"] * 5
WORDS = ["brake", "engine", "garlic", "oil", "pan", "road", "salt", "wheel"]
NAMES = ["food", "cars"]


def counted():
    counter = io.WordCounter()
    return counter.fit_transform(TEXTS), counter


def fitted(**parameters):
    X, _ = counted()
    return LatentDirichletAllocation(2, random_state=0, **parameters).fit(X)


def named(**parameters):
    lda = fitted(**parameters)
    lda.vocabulary_, lda.topic_names_ = WORDS, NAMES
    return lda


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.ldavi"


# vocabulary_


@pytest.mark.parametrize(
    "words",
    [WORDS, tuple(WORDS), np.array(WORDS), {word: column for column, word in reversed([*enumerate(WORDS)])}],
)
def test_words_are_assigned_as_a_sequence_or_as_the_columns_of_words(words):
    lda = fitted()
    lda.vocabulary_ = words
    assert lda.vocabulary_.tolist() == WORDS


def test_words_of_a_data_frame_are_known():
    pd = pytest.importorskip("pandas")
    X, _ = counted()
    lda = LatentDirichletAllocation(2, random_state=0).fit(pd.DataFrame(X.toarray(), columns=WORDS))
    assert lda.vocabulary_.tolist() == lda.feature_names_in_.tolist() == WORDS
    lda.vocabulary_ = WORDS  # the same words
    with pytest.raises(ValueError, match="feature_names_in_"):
        lda.vocabulary_ = WORDS[::-1]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (WORDS[1:], ValueError, "7 words, but the model has 8 columns"),
        ("abcdefgh", TypeError, "is one str"),
        ([*WORDS[1:], 3], TypeError, "holds 3 of type int"),
        (dict.fromkeys(WORDS, 0), ValueError, "each once"),
    ],
)
def test_invalid_words_change_nothing(words, error, message):
    lda = named()
    with pytest.raises(error, match=message):
        lda.vocabulary_ = words
    assert lda.vocabulary_.tolist() == WORDS


def test_a_model_without_words_has_no_vocabulary():
    lda = fitted()
    assert not hasattr(lda, "vocabulary_")
    assert not hasattr(LatentDirichletAllocation(), "topic_names_")
    lda.vocabulary_ = WORDS
    del lda.vocabulary_
    assert not hasattr(lda, "vocabulary_")


@pytest.mark.parametrize("attribute", ["vocabulary_", "topic_names_"])
def test_names_need_a_fitted_model(attribute):
    with pytest.raises(NotFittedError, match=attribute):
        setattr(LatentDirichletAllocation(), attribute, WORDS)


def test_a_fit_from_the_start_forgets_names_and_a_warm_start_keeps_them():
    X, _ = counted()
    assert not hasattr(named().fit(X), "vocabulary_")
    lda = named(warm_start=True).fit(X)
    assert lda.vocabulary_.tolist() == WORDS
    assert lda.topic_names_.tolist() == NAMES
    assert not hasattr(clone(lda), "topic_names_")


def test_added_columns_are_numbered_until_they_get_words():
    lda = named(new_words="add")
    lda.partial_fit(np.ones((3, 10), dtype=int))
    assert lda.vocabulary_.tolist() == [*WORDS, "x8", "x9"]
    lda.vocabulary_ = [*WORDS, "tyre", "soup"]
    assert lda.vocabulary_[-1] == "soup"


# topic_names_


def test_some_topics_are_named_by_number():
    lda = fitted()
    lda.topic_names_ = {1: "cars"}
    assert lda.topic_names_.tolist() == ["", "cars"]
    lda.topic_names_ = {0: "  food \n"}
    assert lda.topic_names_.tolist() == NAMES
    lda.topic_names_ = {0: None, 1: ""}
    assert not hasattr(lda, "topic_names_")


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["a"], ValueError, "1 names, but the model has 2 topics"),
        ("ab", TypeError, "is one str"),
        ({2: "a"}, ValueError, "key 2"),
        ({"0": "a"}, ValueError, "key '0'"),
        ([1, 2], TypeError, "holds 1 of type int"),
    ],
)
def test_invalid_topic_names_change_nothing(names, error, message):
    lda = named()
    with pytest.raises(error, match=message):
        lda.topic_names_ = names
    assert lda.topic_names_.tolist() == NAMES


def test_tables_have_topic_names_only_if_topics_have_them():
    X, _ = counted()
    lda = named()
    tables = [
        inspection.top_words(lda, 2),
        inspection.topic_sizes(lda),
        inspection.representative_documents(lda, X, 1),
        inspection.document_words(lda, X[:1]),
        inspection.beta_intervals(lda, n_words=1),
        inspection.theta_intervals(lda, X[:1]),
    ]
    for table in tables:
        assert all(NAMES[topic] == name for topic, name in zip(table["topic"], table["topic_name"], strict=True))
    with pytest.raises((KeyError, ValueError)):
        inspection.top_words(fitted())["topic_name"]


def test_the_summary_shows_topic_names():
    text = repr(inspection.summary(named(), n_words=1))
    assert "food: " in text
    assert "cars: " in text
    assert "food: " in inspection.summary(named())._repr_html_()


# Files and copies


def test_names_are_saved_and_loaded(path):
    io.save(named(), path)
    loaded = io.load(path)
    assert loaded.vocabulary_.tolist() == WORDS
    assert loaded.topic_names_.tolist() == NAMES
    assert io.read_info(path).vocabulary == WORDS


def test_a_vocabulary_given_to_save_is_that_of_the_loaded_model(path):
    io.save(fitted(), path, vocabulary=WORDS)
    assert io.load(path).vocabulary_.tolist() == WORDS


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda lda: pickle.loads(pickle.dumps(lda))])
def test_copies_have_names(copied):
    assert copied(named()).vocabulary_.tolist() == WORDS
    assert copied(named()).topic_names_.tolist() == NAMES


def test_a_vocabulary_that_contradicts_the_column_names_is_refused(path):
    pd = pytest.importorskip("pandas")
    X, _ = counted()
    lda = LatentDirichletAllocation(2, random_state=0).fit(pd.DataFrame(X.toarray(), columns=WORDS))
    with pytest.raises(ValueError, match="feature_names_in_"):
        io.save(lda, path, vocabulary=WORDS[::-1])
    assert not path.exists()


# load_pipeline


def test_a_pipeline_counts_as_the_command_line_does(tmp_path):
    texts, model, theta = tmp_path / "t.txt", str(tmp_path / "m.ldavi"), tmp_path / "theta.npz"
    texts.write_text("\n".join(TEXTS))
    options = ["--ngrams", "1,2", "--keep-case", "--stop-words", "none", "-q"]
    assert main(["fit", str(texts), "-k", "2", "-o", model, *options]) == 0
    new = ["Oil and salt garlic", "", "engine road", "a wheel"]
    (tmp_path / "new.txt").write_text("\n".join(new))
    assert main(["transform", model, str(tmp_path / "new.txt"), "-o", str(theta), "-q"]) == 0
    pipeline = io.load_pipeline(model)
    assert isinstance(pipeline, Pipeline)
    np.testing.assert_array_equal(pipeline.transform(new), np.load(theta)["theta"])


@pytest.mark.parametrize("counter", [io.WordCounter(stop_words=["salt"]), CountVectorizer(ngram_range=(1, 2))])
def test_a_pipeline_counts_as_the_counter_given_to_save(counter, path):
    X = counter.fit_transform(TEXTS)
    lda = LatentDirichletAllocation(2, random_state=0).fit(X)
    io.save(lda, path, counter=counter)
    pipeline = io.load_pipeline(path)
    np.testing.assert_array_equal(pipeline.transform(TEXTS), lda.transform(X))
    assert pipeline[:-1].get_feature_names_out().tolist() == pipeline[-1].vocabulary_.tolist()


def test_pipelines_are_saved_and_copied(path):
    pipeline = make_pipeline(CountVectorizer(stop_words="english"), LatentDirichletAllocation(2, random_state=0))
    theta = pipeline.fit_transform(TEXTS)
    io.save(pipeline, path)
    loaded = io.load_pipeline(path)
    io.save(loaded, path)
    again = io.load_pipeline(path)
    np.testing.assert_array_equal(again.transform(TEXTS), theta)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).transform(TEXTS), theta)
    assert clone(again).fit(TEXTS).transform(TEXTS).shape == (20, 2)


def test_a_counter_that_the_file_cannot_describe_is_refused(path):
    counter = CountVectorizer(binary=True)
    lda = LatentDirichletAllocation(2, random_state=0).fit(counter.fit_transform(TEXTS))
    with pytest.raises(ValueError, match="binary=True"):
        io.save(lda, path, counter=counter)
    with pytest.raises(TypeError, match="counter is a dict"):
        io.save(lda, path, counter={})
    assert not path.exists()


def test_a_counter_of_other_words_is_refused(path):
    lda = named()
    with pytest.raises(ValueError, match="words of the counter"):
        io.save(lda, path, counter=io.WordCounter(vocabulary=WORDS[::-1]))


def test_a_file_without_words_or_counting_makes_no_pipeline(path):
    io.save(fitted(), path)
    with pytest.raises(ValueError, match="no words"):
        io.load_pipeline(path)
    io.save(named(), path)
    with pytest.raises(ValueError, match="how texts were counted"):
        io.load_pipeline(path)


def test_a_pipeline_with_an_unbounded_pattern_needs_consent(path):
    pattern = r"(?:a|a)*b\w+"
    io.save(named(), path, metadata={"counting": {"token_pattern": pattern}})
    with pytest.raises(ValueError, match="token_pattern="):
        io.load_pipeline(path)
    assert io.load_pipeline(path, token_pattern=pattern).transform(["abrake"]).shape == (1, 2)


# Other models instead of a fitted estimator


def words_of(table):
    return set(np.asarray(table["word"]).tolist())


def test_functions_take_pipelines_and_their_texts(path):
    pipeline = make_pipeline(CountVectorizer(), LatentDirichletAllocation(2, random_state=0)).fit(TEXTS)
    X = pipeline[:-1].transform(TEXTS)
    assert words_of(inspection.top_words(pipeline, 8)) == set(WORDS)
    np.testing.assert_allclose(inspection.topic_sizes(pipeline, TEXTS)["tokens"].sum(), X.sum())
    assert len(inspection.representative_documents(pipeline, TEXTS, 2)) == 4
    assert inspection.summary(pipeline, TEXTS).title.startswith("LatentDirichletAllocation: 2 topics")
    assert inspection.topic_map(pipeline).shape == (2, 2)
    assert set(inspection.word_scores(pipeline, by="lift", X=TEXTS).shape) == {2, 8}


@pytest.mark.parametrize("model", [ScikitLearnLDA(2, random_state=0), NMF(2, random_state=0, init="nndsvda")])
def test_functions_take_pipelines_of_scikit_learn(model):
    pipeline = make_pipeline(CountVectorizer(), model).fit(TEXTS)
    assert words_of(inspection.top_words(pipeline, 8)) == set(WORDS)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_functions_take_searches():
    X, _ = counted()
    search = GridSearchCV(LatentDirichletAllocation(random_state=0, max_iter=3), {"n_components": [2]}, cv=2).fit(X)
    assert inspection.topic_distances(search).shape == (2, 2)


def test_functions_take_models_of_gensim():
    pytest.importorskip("gensim")
    from gensim.corpora import Dictionary
    from gensim.models import LdaModel

    tokens = [text.split() for text in TEXTS]
    dictionary = Dictionary(tokens)
    model = LdaModel([dictionary.doc2bow(text) for text in tokens], 2, dictionary, random_state=0)
    assert words_of(inspection.top_words(model, 8)) == set(WORDS)
    assert inspection.summary(model).title.startswith("LdaModel: 2 topics")
    assert np.isfinite(metrics.coherence(model, tokens, "npmi", n_words=3)).all()


def test_functions_take_models_of_tomotopy():
    tomotopy = pytest.importorskip("tomotopy")
    model = tomotopy.LDAModel(k=2, seed=0)
    for text in TEXTS:
        model.add_doc(text.split())
    model.train(20, workers=1)
    assert words_of(inspection.top_words(model, 8)) == set(WORDS)
    np.testing.assert_allclose(inspection.topic_sizes(model)["tokens"].sum(), sum(len(text.split()) for text in TEXTS))


def test_lists_of_words_have_top_words_but_no_scores():
    lists = [["oil", "salt", "pan"], ["wheel", "road", "engine"]]
    assert inspection.top_words_lists(lists, 2) == [["oil", "salt"], ["wheel", "road"]]
    table = inspection.top_words(lists, 2)
    assert table["rank"].tolist() == [1, 2, 1, 2]
    assert np.isnan(table["score"]).all()
    with pytest.raises(TypeError, match="lists of words"):
        inspection.topic_distances(lists)


def test_coherence_and_diversity_take_lists_of_words():
    X, _ = counted()
    tokens = [text.split() for text in TEXTS]
    lda = named()
    lists = inspection.top_words_lists(lda, 3)
    for documents in (X, tokens):
        expected = metrics.coherence(lda, documents, "npmi", n_words=3)
        np.testing.assert_array_equal(metrics.coherence(lists, documents, "npmi", 3, feature_names=WORDS), expected)
    np.testing.assert_array_equal(metrics.coherence(lists, tokens, "npmi", n_words=3), expected)
    assert metrics.topic_diversity(lists, 3) == metrics.topic_diversity(lda, 3)
    assert metrics.inverted_rbo(lists, 3) == metrics.inverted_rbo(lda, 3)
    with pytest.raises(ValueError, match="word of each column of X"):
        metrics.coherence(lists, X)
    with pytest.raises(ValueError, match="'soup', which is not in feature_names"):
        metrics.coherence([["soup", "oil"]], X, feature_names=WORDS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CountVectorizer(), "CountVectorizer, which has no topics"),
        (LatentDirichletAllocation(), "LatentDirichletAllocation, which has no topics"),
        ("model.ldavi", "io.load"),
        ({"topics": 3}, "dict without topics"),
    ],
)
def test_other_objects_are_refused_with_what_to_pass(model, message):
    with pytest.raises(TypeError, match=message):
        inspection.top_words(model)


def test_texts_without_a_pipeline_are_refused():
    with pytest.raises(TypeError, match="pipeline that counts words"):
        inspection.topic_sizes(fitted(), TEXTS)


def test_topics_without_a_name_stay_so_when_topics_are_edited():
    X, _ = counted()
    lda = LatentDirichletAllocation(3, random_state=0).fit(X)
    lda.vocabulary_, lda.topic_names_ = WORDS, {1: "cars"}
    assert copy.copy(lda).merge_topics([[0, 1]]).topic_names_.tolist() == ["cars", ""]
    assert lda.remove_topics([1]).vocabulary_.tolist() == WORDS
    assert not hasattr(lda, "topic_names_")


class OwnCounter(CountVectorizer):
    """Counts in its own way."""


@pytest.mark.parametrize("kind", [TfidfVectorizer, OwnCounter])
def test_a_counter_that_is_not_described_by_its_parameters_is_refused(kind, tmp_path):
    pipeline = make_pipeline(kind(), LatentDirichletAllocation(2, tol=None, doc_topic_prior=0.1, topic_word_prior=0.1))
    pipeline.fit(["one two three", "two three four", "four five one"])
    with pytest.raises(TypeError, match=f"counter is a {kind.__name__}.*pickle the pipeline"):
        io.save(pipeline, tmp_path / "model")
    assert not list(tmp_path.iterdir())
