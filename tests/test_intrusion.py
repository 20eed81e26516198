"""Word and topic intrusion tests with their scores, and callables that name and rate topics."""

import pickle

import numpy as np
import pandas as pd
import pytest

from ldavi import LatentDirichletAllocation
from ldavi.inspection import name_topics, rate_topics, topic_intrusion, word_intrusion

K, V = 5, 60
RNG = np.random.default_rng(0)
TOPICS = RNG.dirichlet(np.full(V, 0.05), K)
NAMES = [f"w{j}" for j in range(V)]
X = np.array([RNG.multinomial(40, p) for p in RNG.dirichlet(np.full(K, 0.1), 60) @ TOPICS])
TEXTS = [f"text {d}" for d in range(60)]


def words_of(question):
    return [NAMES.index(word) for word in question.options]


# Questions


def test_a_question_has_the_first_words_of_the_topic_and_one_of_another():
    test = word_intrusion(TOPICS, n_words=4, n_questions=3, feature_names=NAMES, random_state=0)
    assert len(test.questions) == 3 * K
    for question, topic, place in zip(test.questions, test.subject, test.intruder, strict=True):
        words = words_of(question)
        intruder = words.pop(place)
        assert sorted(words) == sorted(np.argsort(-TOPICS[topic], kind="stable")[:4])
        assert TOPICS[topic, intruder] <= np.median(TOPICS[topic])
        assert any(intruder in np.argsort(-TOPICS[k])[:10] for k in range(K) if k != topic)


def test_the_intruder_is_in_every_place_alike():
    places = word_intrusion(TOPICS, n_words=4, n_questions=200, random_state=0).intruder
    assert np.bincount(places, minlength=5) / len(places) == pytest.approx(np.full(5, 0.2), abs=0.05)


def test_a_document_has_its_topics_and_one_of_the_less_frequent():
    lda = LatentDirichletAllocation(K, n_collapsed_iter=0, max_iter=20, tol=None).fit(X)
    test, theta = topic_intrusion(lda, X, n_topics=2, random_state=0), lda.transform(X)
    for question, document, place, logs in zip(
        test.questions, test.subject, test.intruder, test.log_theta, strict=True
    ):
        assert len(question.options) == 3
        assert question.document == document
        assert logs.argmin() == place
        assert np.exp(np.delete(logs, place)) == pytest.approx(np.sort(theta[document])[-2:], rel=1e-4) or np.exp(
            np.delete(logs, place)
        ) == pytest.approx(np.sort(theta[document])[-2:][::-1], rel=1e-4)


def test_questions_show_texts_and_do_not_reveal_the_answer():
    question = topic_intrusion(TOPICS, X, texts=TEXTS, n_documents=1, random_state=0).questions[0]
    assert question.document in TEXTS
    assert question.text.startswith(f"Document: {question.document}")
    assert all(option in question.text for option in question.options)


def test_the_same_seed_gives_the_same_test():
    one, other = (topic_intrusion(TOPICS, X, random_state=3) for _ in range(2))
    assert one.questions == other.questions


# Scores


def test_right_answers_have_a_precision_of_1_and_log_odds_of_0():
    test = topic_intrusion(TOPICS, X, random_state=0)
    rows = test.score(np.vstack([test.intruder, test.intruder]))
    assert set(rows["precision"]) == {1.0}
    assert set(rows["log_odds"]) == {0.0}
    assert set(rows["n_answers"]) == {2}


def test_the_precision_is_the_share_of_right_answers_per_topic():
    test = word_intrusion(TOPICS, n_words=3, n_questions=2, random_state=0)
    answers = test.intruder.copy()
    answers[0] = (answers[0] + 1) % 4
    answers[3] = -1
    rows = test.score(answers)
    assert rows["precision"].tolist() == [0.5, 1, 1, 1, 1]
    assert rows["n_answers"].tolist() == [2, 1, 2, 2, 2]


def test_log_odds_are_those_of_the_chosen_topic():
    test = topic_intrusion(TOPICS, X, n_documents=4, random_state=0)
    wrong = (test.intruder + 1) % 4
    rows = np.arange(4)
    expected = test.log_theta[rows, test.intruder] - test.log_theta[rows, wrong]
    np.testing.assert_allclose(test.score(wrong)["log_odds"], expected)
    assert (expected <= 0).all()


def test_questions_without_answers_have_no_score():
    test = word_intrusion(TOPICS, random_state=0)
    assert test.score(np.full(K, -1))["precision"].isna().all()


def test_a_callable_answers_by_place_or_by_option():
    test = word_intrusion(TOPICS, feature_names=NAMES, random_state=0)
    by_place = test.ask(lambda question: test.intruder[question.number])
    by_option = test.ask(lambda question: f" {question.options[test.intruder[question.number]]}\n")
    np.testing.assert_array_equal(by_place, test.intruder)
    np.testing.assert_array_equal(by_option, test.intruder)


@pytest.mark.parametrize(("answer", "error"), [("no option", ValueError), (9, ValueError), (1.0, TypeError)])
def test_an_answer_that_is_no_option_is_refused(answer, error):
    with pytest.raises(error, match="question 0 has the options"):
        word_intrusion(TOPICS, random_state=0).ask(lambda question: answer)


@pytest.mark.parametrize(
    ("answers", "error"), [([0, 1], ValueError), ([9] * K, ValueError), ([0.0] * K, TypeError), ([-2] * K, ValueError)]
)
def test_invalid_answers_are_refused(answers, error):
    with pytest.raises(error, match="answers"):
        word_intrusion(TOPICS, random_state=0).score(answers)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: word_intrusion(TOPICS[:1]), "1 topics"),
        (lambda: word_intrusion(TOPICS, n_words=1), "n_words=1"),
        (lambda: topic_intrusion(TOPICS, X, n_topics=5), "n_topics=5"),
        (lambda: topic_intrusion(TOPICS, X, texts=["a"]), "texts holds 1"),
    ],
)
def test_invalid_parameters_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_topics_of_the_same_words_still_have_an_intruder():
    test = word_intrusion([[0.4, 0.3, 0.2, 0.1]] * 2, n_words=2, random_state=0)
    assert len(set(test.questions[0].options)) == 3


# Names and ratings


def test_names_are_those_that_the_callable_returns():
    assert name_topics(TOPICS, lambda topic: f" number {topic.topic}\n") == [f"number {k}" for k in range(K)]


def test_the_callable_gets_words_and_representative_documents():
    seen = []
    name_topics(TOPICS, lambda topic: seen.append(topic) or "name", X, texts=TEXTS, n_words=4, n_documents=2)
    assert [len(topic.words) for topic in seen] == [4] * K
    assert all(document in TEXTS for topic in seen for document in topic.documents)
    assert seen[0].text.splitlines()[0] == "Topic 0"


def test_a_description_is_a_tuple_of_words_with_attributes():
    seen = []
    rate_topics(TOPICS, lambda words: seen.append(words) or 1, n_words=3, feature_names=NAMES)
    assert seen[2] == seen[2].words == tuple(NAMES[j] for j in np.argsort(-TOPICS[2], kind="stable")[:3])
    assert (seen[2].topic, seen[2].documents) == (2, ())
    copied = pickle.loads(pickle.dumps(seen[2]))
    assert (copied, copied.topic, copied.text) == (seen[2], 2, seen[2].text)


def test_ratings_are_an_array():
    np.testing.assert_array_equal(rate_topics(TOPICS, lambda topic: topic.topic), np.arange(K))


@pytest.mark.parametrize("value", [None, "", 3])
def test_a_name_that_is_no_text_is_refused(value):
    with pytest.raises(TypeError, match="for topic 0"):
        name_topics(TOPICS, lambda topic: value)


@pytest.mark.parametrize("value", [None, "good", np.nan])
def test_a_rating_that_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="for topic 0"):
        rate_topics(TOPICS, lambda topic: value)


def test_texts_without_counts_are_refused():
    with pytest.raises(ValueError, match="without X"):
        name_topics(TOPICS, str, texts=TEXTS)


def test_something_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="namer='gpt'"):
        name_topics(TOPICS, "gpt")


def test_documents_with_names_of_columns_are_described_without_a_warning():
    frame = pd.DataFrame(X, columns=NAMES)
    lda = LatentDirichletAllocation(K, n_collapsed_iter=0, max_iter=10, tol=None).fit(frame)
    assert topic_intrusion(lda, frame, random_state=0).questions[0].options[0].startswith("w")
    assert len(name_topics(lda, lambda words: words[0], frame, texts=TEXTS)) == K
