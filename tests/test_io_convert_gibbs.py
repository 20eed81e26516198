"""Conversion to Gibbs samplers, MALLET and tomotopy, whose state is a topic for each token."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation as ScikitLearnLDA

from ldavi import LatentDirichletAllocation, io

FILES = Path(__file__).parent / "model_files"
WORDS = ["cat", "dog", "pet", "bond", "stock", "shop"]
X = np.array([[4, 3, 2, 0, 0, 0], [2, 4, 5, 0, 0, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 5, 4, 2], [2, 3, 1, 3, 2, 2]] * 6)


@pytest.fixture(scope="module")
def lda():
    settings = {"doc_topic_prior": 0.2, "topic_word_prior": 0.05, "max_iter": 30}
    return LatentDirichletAllocation(2, random_state=0, **settings).fit(X)


def text_of(path):
    return gzip.decompress(Path(path).read_bytes()).decode()


def lambda_of(model, words):
    """Return the columns of λ for `words`."""
    names = model.feature_names_in_.tolist()
    return model.components_[:, [names.index(word) for word in words]]


# MALLET


def test_the_state_is_the_one_that_mallet_wrote_after_reading_it(tmp_path):
    """tests/model_files/README.md has the command that made MALLET write its file."""
    model = io.from_mallet_state(FILES / "mallet_state.gz")
    corpus = io.read_corpus(FILES / "mallet_state.gz", vocabulary=model.feature_names_in_.tolist())
    names = model.feature_names_in_.tolist()
    del model.feature_names_in_
    io.to_mallet_state(model, corpus.X, tmp_path / "state.gz", feature_names=names, random_state=0)
    assert text_of(tmp_path / "state.gz") == text_of(FILES / "mallet_again.gz")


def test_a_state_contains_every_token_once_and_the_priors(lda, tmp_path):
    io.to_mallet_state(lda, X, tmp_path / "state.gz", feature_names=WORDS, random_state=1)
    back = io.from_mallet_state(tmp_path / "state.gz")
    assert (back.doc_topic_prior_, back.topic_word_prior_) == (0.2, 0.05)
    np.testing.assert_allclose((lambda_of(back, WORDS) - 0.05).sum(axis=0), X.sum(axis=0))
    again = io.read_corpus(tmp_path / "state.gz", vocabulary=WORDS)
    np.testing.assert_array_equal(again.X.toarray(), X)


def test_the_mean_counts_of_states_agree_with_lambda(lda, tmp_path):
    states = []
    for seed in range(40):
        io.to_mallet_state(lda, X, tmp_path / "state.gz", feature_names=WORDS, random_state=seed)
        states.append(lambda_of(io.from_mallet_state(tmp_path / "state.gz"), WORDS))
    assert np.std(states, axis=0).max() > 0.1  # sampled, not rounded
    np.testing.assert_allclose(np.mean(states, axis=0), lda.components_, atol=0.7)


def test_equal_seeds_give_equal_states_and_others_different_ones(lda, tmp_path):
    for name, seed in (("a", 3), ("b", 3)):
        io.to_mallet_state(lda, X, tmp_path / name, random_state=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    for seed in range(9):
        io.to_mallet_state(lda, X, tmp_path / f"{seed}", random_state=seed)
    assert len({text_of(tmp_path / f"{seed}") for seed in range(9)}) > 1


def test_the_corpus_has_the_tokens_of_the_state_in_the_same_order(lda, tmp_path):
    io.to_mallet_state(lda, X, tmp_path / "state.gz", feature_names=WORDS, corpus=tmp_path / "c.txt", random_state=0)
    texts = [line.split()[2:] for line in (tmp_path / "c.txt").read_text().splitlines()]
    assert len(texts) == len(X)
    spelled = [line.split()[4] for line in text_of(tmp_path / "state.gz").splitlines() if not line.startswith("#")]
    assert spelled == [word for text in texts for word in text]


def test_types_are_numbered_by_first_occurrence(lda, tmp_path):
    io.to_mallet_state(lda, X[3:], tmp_path / "state.gz", feature_names=WORDS, random_state=0)
    types = [int(line.split()[3]) for line in text_of(tmp_path / "state.gz").splitlines() if not line.startswith("#")]
    assert list(dict.fromkeys(types)) == list(range(len(WORDS)))


def test_the_state_does_not_depend_on_the_chunk_size(lda, tmp_path, monkeypatch):
    io.to_mallet_state(lda, X, tmp_path / "whole", random_state=0)
    monkeypatch.setattr("ldavi.io._converters.gibbs_states.DOCUMENTS_PER_CHUNK", 7)
    io.to_mallet_state(lda, X, tmp_path / "parts", random_state=0)
    assert text_of(tmp_path / "whole") == text_of(tmp_path / "parts")


def test_a_model_of_scikit_learn_is_converted_to_a_state(tmp_path):
    theirs = ScikitLearnLDA(2, random_state=0).fit(X)
    io.to_mallet_state(theirs, X, tmp_path / "state.gz", random_state=0)
    assert io.from_mallet_state(tmp_path / "state.gz").components_.sum() == pytest.approx(X.sum() + 2 * 6 * 0.5)


@pytest.mark.parametrize("convert", ["mallet", "tomotopy"])
@pytest.mark.parametrize("bad", [X + 0.5, np.zeros_like(X), sparse.csr_array(X * 0.3)])
def test_counts_that_are_not_numbers_of_tokens_are_refused(lda, bad, convert, tmp_path):
    if convert == "tomotopy":
        pytest.importorskip("tomotopy")
    with pytest.raises(ValueError, match="X holds"):
        io.to_mallet_state(lda, bad, tmp_path / "s") if convert == "mallet" else io.to_tomotopy(lda, bad)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("word", ["new york", "", "tab\there", ",comma"])
def test_words_that_mallet_would_split_are_refused(lda, word, tmp_path):
    with pytest.raises(ValueError, match=f"feature_names holds {re.escape(repr(word))}"):
        io.to_mallet_state(lda, X, tmp_path / "s", feature_names=[*WORDS[:-1], word])


def test_point_estimates_have_no_state(tmp_path):
    lda = LatentDirichletAllocation(2, topic_word_prior=0, random_state=0, max_iter=2, tol=None).fit(X)
    with pytest.raises(ValueError, match="point estimates"):
        io.to_mallet_state(lda, X, tmp_path / "s")


def test_several_word_priors_become_their_mean_with_a_warning(tmp_path):
    lda = LatentDirichletAllocation(
        2, topic_word_prior=np.linspace(0.1, 0.3, 6), random_state=0, max_iter=2, tol=None
    ).fit(X)
    with pytest.warns(UserWarning, match="MALLET supports no other"):
        io.to_mallet_state(lda, X, tmp_path / "s", random_state=0)
    assert io.from_mallet_state(tmp_path / "s").topic_word_prior_ == pytest.approx(0.2)


def test_an_error_leaves_the_existing_file(lda, tmp_path):
    (tmp_path / "s").write_text("old")
    with pytest.raises(ValueError, match=r"columns|features"):
        io.to_mallet_state(lda, X[:, :3], tmp_path / "s")
    assert (tmp_path / "s").read_text() == "old"


# tomotopy


def sampled_theta(model, texts):
    """Return the mean topic proportions of many states of a chain."""
    runs = range(20, 180, 2)
    return np.mean(
        [[model.infer(model.make_doc(text), iterations=n, workers=1)[0] for text in texts] for n in runs], axis=0
    )


@pytest.mark.interop
@pytest.mark.filterwarnings("ignore:The training result may differ")
def test_to_tomotopy_has_the_same_topics_and_inference(lda):
    pytest.importorskip("tomotopy")
    theirs = io.to_tomotopy(lda, X, feature_names=WORDS)
    order = [list(theirs.used_vocabs).index(word) for word in WORDS]
    topics = np.array([theirs.get_topic_word_dist(k) for k in range(2)])[:, order]
    np.testing.assert_allclose(topics, lda.topics_, atol=0.04)
    np.testing.assert_allclose(theirs.alpha, [0.2, 0.2], rtol=1e-6)
    filled = X[[0, 1, 3, 4]]
    texts = [np.repeat(WORDS, document).tolist() for document in filled]
    np.testing.assert_allclose(sampled_theta(theirs, texts), lda.transform(filled), atol=0.1)
    ours = [document.get_topic_dist() for document in theirs.docs[:4]]
    np.testing.assert_allclose(ours, lda.transform(filled), atol=0.2)


@pytest.mark.interop
def test_topics_keep_their_numbers_during_training_in_tomotopy():
    pytest.importorskip("tomotopy")
    topics = np.full((6, 12), 0.1) + np.kron(np.eye(6), [[50.0, 50.0]])
    lda = LatentDirichletAllocation(6, init=topics, doc_topic_prior=0.1, random_state=0, max_iter=5, tol=None)
    counts = np.kron(np.eye(6, dtype=int), [[6, 7]]).repeat(5, axis=0)
    lda.fit(counts)
    theirs = io.to_tomotopy(lda, counts, iterations=5)
    theirs.train(30, workers=1)
    for topic, best in enumerate(np.argsort(-lda.topics_, axis=1)[:, :2]):
        assert {word for word, _ in theirs.get_topic_words(topic, 2)} == {f"x{word}" for word in best}


@pytest.mark.interop
def test_from_tomotopy_includes_the_priors_of_single_words(lda):
    pytest.importorskip("tomotopy")
    theirs = io.to_tomotopy(lda, X, feature_names=WORDS)
    back = io.from_tomotopy(theirs)
    priors = np.array([theirs.get_word_prior(word) for word in back.feature_names_in_]).T
    np.testing.assert_allclose(back.topic_word_prior_, priors)
    np.testing.assert_allclose(
        (back.components_ - priors).sum(axis=0),
        [X.sum(axis=0)[WORDS.index(w)] for w in back.feature_names_in_],
        rtol=1e-4,
    )


@pytest.mark.interop
def test_words_that_do_not_occur_remain_in_tomotopy(lda):
    pytest.importorskip("tomotopy")
    theirs = io.to_tomotopy(lda, X[:2] * [[1, 1, 1, 0, 0, 0]], feature_names=WORDS, iterations=0)
    assert sorted(theirs.used_vocabs) == sorted(WORDS)


@pytest.mark.interop
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iterations": -1}, "iterations=-1"),
        ({"feature_names": ["a"] * 6}, "twice"),
        ({"feature_names": ["a"]}, "shape"),
    ],
)
def test_to_tomotopy_refuses_invalid_arguments(lda, parameters, message):
    pytest.importorskip("tomotopy")
    with pytest.raises(ValueError, match=message):
        io.to_tomotopy(lda, X, **parameters)
