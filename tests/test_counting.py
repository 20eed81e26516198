"""`count_words` and `WordCounter` return the words and counts of scikit-learn's `CountVectorizer`."""

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from ldavi.io import WordCounter, count_words
from ldavi.io._counting import tokens, word_counter

PATTERNS = [
    r"(?u)\b\w\w+\b",
    r"\b\w\w+\b",
    r"\w+",
    r"\b\w{3,}\b",
    r"\w{2,}\b",
    r"[a-z]+",
    r"[a-z][a-z]+",
    r"[a-z]{3,}",
    r"[a-zA-Z0-9_]{2,}",
    r"[A-Z]+",
    r"\b[a-z]+\b",
    r"(?u)\b(\w)\w+\b",
    r"[^ ]+",
    r"a. b",
    r"[b-d]+|x",
]
SPECIAL = "aAbBxyzZ09_ \n\t\x1c\x00.,-'äßİKſΣς日本\u0301\u00a0\u2028é"

words = st.text(SPECIAL, max_size=5) | st.sampled_from(["the", "and", "soup", "Bread", "song's", "a a"])
texts = st.lists(st.lists(words, max_size=8).map(" ".join) | st.text(max_size=20), min_size=1, max_size=6)
quick = settings(max_examples=60, deadline=None, derandomize=True)


@pytest.fixture(params=["python", "pyarrow"])
def numbering(request, monkeypatch):
    """Use Python or pyarrow to number the words, for texts of any size."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(tokens, "ARROW_CHARACTERS", 0 if request.param == "pyarrow" else 10**12)


def both(documents, **parameters):
    """Return the words and counts of scikit-learn and of ldavi, or the type of the error."""
    try:
        vectorizer = CountVectorizer(**parameters)
        expected = vectorizer.fit_transform(documents)
        theirs = vectorizer.get_feature_names_out().tolist(), expected.toarray().tolist()
    except ValueError:
        theirs = ValueError
    try:
        X, vocabulary = count_words(documents, **parameters)
        assert X.has_canonical_format
        ours = vocabulary.tolist(), X.toarray().tolist()
    except ValueError:
        ours = ValueError
    return theirs, ours


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.usefixtures("numbering")
def test_the_words_are_those_of_count_vectorizer(pattern):
    @settings(quick, max_examples=40)
    @given(texts, st.booleans())
    def check(documents, lowercase):
        theirs, ours = both(documents, token_pattern=pattern, lowercase=lowercase)
        assert ours == theirs

    check()


@pytest.mark.usefixtures("numbering")
def test_ngrams_and_stop_words_are_those_of_count_vectorizer():
    @quick
    @given(
        texts,
        st.sampled_from([(1, 1), (1, 2), (2, 2), (1, 3), (2, 4)]),
        st.sampled_from([None, ["the", "bread", "aa"]]),
    )
    def check(documents, ngram_range, stop_words):
        theirs, ours = both(documents, ngram_range=ngram_range, stop_words=stop_words, token_pattern=r"\w+")
        assert ours == theirs

    check()


@quick
@given(texts)
def test_words_that_contain_blanks_are_merged_with_equal_ngrams(documents):
    theirs, ours = both(documents, ngram_range=(1, 3), token_pattern=r"\w(?: \w)?")
    assert ours == theirs


@quick
@given(texts, st.sampled_from([1, 2, 3, 0.0, 0.3, 0.5]), st.sampled_from([1, 2, 4, 0.5, 0.8, 1.0]))
def test_document_limits_are_those_of_count_vectorizer(documents, min_df, max_df):
    theirs, ours = both(documents, min_df=min_df, max_df=max_df)
    assert ours == theirs


@quick
@given(texts, st.integers(1, 4))
def test_max_features_selects_the_most_frequent_words_with_alphabetical_ties(documents, limit):
    try:
        X, vocabulary = count_words(documents)
    except ValueError:
        return
    expected = sorted(sorted(zip(-X.sum(axis=0), vocabulary, strict=True))[:limit], key=lambda pair: pair[1])
    assert count_words(documents, max_features=limit)[1].tolist() == [word for _, word in expected]


@pytest.mark.parametrize("vocabulary", [["soup", "the bread", "zz"], {"zz": 1, "soup": 0}])
@pytest.mark.usefixtures("numbering")
def test_a_given_vocabulary_sets_the_columns(vocabulary):
    documents = ["soup and the bread", "", "Soup soup"]
    theirs, ours = both(documents, vocabulary=vocabulary, ngram_range=(1, 2))
    assert ours == theirs


def test_a_vocabulary_and_stop_words_may_be_files(tmp_path):
    (tmp_path / "words").write_text("soup\nbread\n")
    X, vocabulary = count_words(["bread and soup and soup"], vocabulary=str(tmp_path / "words"))
    assert (vocabulary.tolist(), X.toarray().tolist()) == (["soup", "bread"], [[2, 1]])
    assert count_words(["bread and soup"], stop_words=tmp_path / "words")[1].tolist() == ["and"]


def test_english_stop_words_are_scikit_learns():
    assert count_words([" ".join(sorted(ENGLISH_STOP_WORDS)) + " soup"], stop_words="english")[1].tolist() == ["soup"]


@quick
@given(texts, st.integers(1, 3))
def test_batches_have_the_counts_of_the_whole_corpus(documents, size):
    batches = [documents[start : start + size] for start in range(0, len(documents), size)]
    try:
        X, vocabulary = count_words(documents, ngram_range=(1, 2))
    except ValueError:
        return
    counter = WordCounter(ngram_range=(1, 2)).fit(batches)
    assert counter.vocabulary_.tolist() == vocabulary.tolist()
    assert counter.n_documents_ == len(documents)
    stacked = sparse.vstack([counter.transform(batch) for batch in batches])
    np.testing.assert_array_equal(stacked.toarray(), X.toarray())


@quick
@given(st.lists(texts, min_size=1, max_size=4), st.integers(1, 2))
def test_extend_keeps_columns_and_finds_every_word(batches, min_df):
    counter = WordCounter(token_pattern=r"\w+", min_df=min_df)
    before = []
    for batch in batches:
        assert counter.extend(batch).vocabulary_.tolist()[: len(before)] == before
        before = counter.vocabulary_.tolist()
    all_texts = [text for batch in batches for text in batch]
    try:
        X, words = count_words(all_texts, token_pattern=r"\w+", min_df=min_df)
    except ValueError:  # the texts contain no words
        assert before == []
        return
    assert sorted(before) == words.tolist()
    np.testing.assert_array_equal(counter.transform(all_texts)[:, np.argsort(before)].toarray(), X.toarray())
    assert counter.n_documents_ == len(all_texts)


def test_a_fitted_vocabulary_can_be_extended():
    counter = WordCounter().fit([["bread soup"]]).extend(["soup apple"])
    assert counter.vocabulary_.tolist() == ["bread", "soup", "apple"]


@pytest.mark.parametrize("limit", [{"min_df": 0.1}, {"max_df": 0.5}, {"max_df": 3}, {"max_features": 9}], ids=str)
def test_extend_refuses_limits_that_need_every_document(limit):
    with pytest.raises(ValueError, match="limits that need every document"):
        WordCounter(**limit).extend(["bread"])


def test_counts_do_not_depend_on_chunks_or_processes(monkeypatch):
    documents = ["soup and bread", "a song", "", "bread and song", "soup " * 9]
    X, vocabulary = count_words(documents)
    monkeypatch.setattr(word_counter, "CHUNK_SIZE", 16)
    for n_jobs in (1, 2):
        with joblib.parallel_config(backend="threading"):  # processes take seconds to start
            parts, words = count_words(documents, n_jobs=n_jobs)
        assert words.tolist() == vocabulary.tolist()
        np.testing.assert_array_equal(parts.toarray(), X.toarray())


def test_a_lone_surrogate_does_not_prevent_counting(monkeypatch):
    monkeypatch.setattr(tokens, "ARROW_CHARACTERS", 0)
    X, vocabulary = count_words(["soup \ud800 bread"], token_pattern=r"\w+")
    assert vocabulary.tolist() == ["bread", "soup"]
    assert X.toarray().tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_df": -1}, "min_df=-1"),
        ({"max_df": 1.5}, "max_df=1.5"),
        ({"min_df": 3, "max_df": 2}, "fewer than min_df"),
        ({"ngram_range": (2, 1)}, "ngram_range"),
        ({"max_features": 0}, "max_features"),
        ({"token_pattern": r"(\w)(\w)"}, "more than one group"),
        ({"stop_words": "klingon"}, "stop_words='klingon'"),
        ({"vocabulary": ["a", "a"]}, "'a' twice"),
        ({"vocabulary": []}, "empty"),
        ({"vocabulary": {"a": 1}}, "columns must be"),
        ({"vocabulary": ["a"], "min_df": 2}, "no effect with a vocabulary"),
        ({"min_df": 2}, "no word remains"),
        ({"token_pattern": "[q]+"}, "the texts contain no words"),
    ],
)
def test_an_invalid_parameter_is_an_error_that_names_it(parameters, message):
    with pytest.raises(ValueError, match=message):
        count_words(["soup and", "bread"], **parameters)


@pytest.mark.parametrize("documents", ["one string", [b"bytes"], ["text", None]])
def test_anything_but_a_sequence_of_strings_is_a_type_error(documents):
    with pytest.raises(TypeError, match=r"string|expected str"):
        count_words(documents)


def test_transform_without_a_vocabulary_is_an_error():
    with pytest.raises(ValueError, match="call fit"):
        WordCounter().transform(["soup"])
