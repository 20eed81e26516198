"""`ldavi.report` without a browser: the content of the file, its safety, and its numbers."""

import base64
import hashlib
import json
import os
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_corpus import HOSTILE, hostile, many_topics, usual
from sklearn.decomposition import LatentDirichletAllocation as Theirs

from ldavi import LatentDirichletAllocation, inspection, metrics, report
from ldavi.inspection import _columns
from ldavi.inspection._distinct_labels import distinct_labels
from ldavi.metrics._diversity import effective_words
from ldavi.report import _documents, _page, _subset, _texts, _trends


class Elements(HTMLParser):
    """Parser of start tags with their attributes, and of the text inside each script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.scripts, self.inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.scripts[-1] += text


def write(tmp_path, case, **more):
    path = report.write(tmp_path / "report.html", case.model, case.X, **{**case.options, **more})
    return path.read_bytes().decode()


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


@pytest.fixture(scope="module")
def case():
    return usual()


@pytest.fixture(scope="module")
def page(case, tmp_path_factory):
    return write(tmp_path_factory.mktemp("report"), case)


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    return write(tmp_path_factory.mktemp("report"), hostile())


# The file


def test_nothing_is_loaded_from_elsewhere(page):
    addresses = [
        value for _, attributes in Elements(page).tags for key in ("src", "href") if (value := attributes.get(key))
    ]
    assert addresses
    assert all(address.startswith("#") for address in addresses)


def test_the_policy_names_the_script_that_runs_and_no_other(page):
    elements = Elements(page)
    policy = next(attributes["content"] for tag, attributes in elements.tags if "http-equiv" in attributes)
    own = "sha256-" + base64.b64encode(hashlib.sha256(elements.scripts[-1].encode()).digest()).decode()
    assert re.search(r"script-src ([^;]*)", policy)[1] == f"'{own}'"
    assert "default-src 'none'" in policy


def test_the_same_input_gives_the_same_bytes(tmp_path, case, page):
    assert write(tmp_path, case) == page


def test_the_result_is_the_path(tmp_path, case):
    target = str(tmp_path / "a.html")
    assert report.write(target, case.model, case.X) == tmp_path / "a.html"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, case, monkeypatch):
    write(tmp_path, case)
    (tmp_path / "report.html").write_text("old")

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path, case)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"


@pytest.mark.slow
def test_a_page_of_200_topics_stays_below_ten_megabytes(tmp_path):
    assert len(write(tmp_path, many_topics()).encode()) < 10e6


def test_documents_stop_at_the_limit_of_bytes(tmp_path, case, page, monkeypatch):
    monkeypatch.setattr(_documents, "MAX_BYTES", 20_000)
    fewer = data_of(write(tmp_path, case))["documents"]
    assert 0 < len(fewer) < len(data_of(page)["documents"])
    assert len(json.dumps(fewer, ensure_ascii=False).encode()) < 21_000


def test_long_texts_are_truncated(tmp_path, case):
    page = write(tmp_path, case, texts=["word " * 10_000] * case.X.shape[0])
    assert all(len("".join(map(str, entry["text"]))) < 6_100 for entry in data_of(page)["documents"])


def test_a_missing_library_is_named_with_the_extra_that_has_it(tmp_path, case, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'ldavi[report]'")):
        write(tmp_path, case)
    assert not list(tmp_path.iterdir())


# Text that looks like a script


def test_hostile_text_adds_no_element(page, hostile_page):
    kinds = [[tag for tag, _ in Elements(text).tags if tag in ("script", "img")] for text in (page, hostile_page)]
    assert kinds[0] == kinds[1] == ["script"] * 3


def test_hostile_text_adds_no_attribute(hostile_page):
    assert not [
        attributes for _, attributes in Elements(hostile_page).tags if any(name.startswith("on") for name in attributes)
    ]


def test_hostile_text_is_not_read_as_a_template(hostile_page):
    assert "{{ 7 * 7 }}" in hostile_page


def test_hostile_text_arrives_unchanged(hostile_page):
    words = data_of(hostile_page)["words"]
    assert words == [word.replace("\ud800", "\ufffd") for word in (*HOSTILE, "word")]


@given(st.text())
def test_the_data_block_contains_no_character_that_could_end_it(text):
    block = _page.escaped_json({text: [text]})
    assert not set(block) & set("<>&\u2028\u2029")
    block.encode()


@given(st.text())
def test_the_data_block_decodes_to_its_input(text):
    (key, (value,)) = json.loads(_page.escaped_json({text: [text]})).popitem()
    assert key == value == re.sub("[\ud800-\udfff]", "\ufffd", text)


# The content of the page


@pytest.mark.parametrize("weight", [0, 0.05, 0.6, 1])
def test_the_slider_has_the_most_relevant_words_of_all(tmp_path, weight):
    case = many_topics(5, 400, 50)
    data = data_of(write(tmp_path, case, n_words=10))
    words = np.array([topic["share"] for topic in data["topics"]]) @ case.model
    for k, topic in enumerate(data["topics"]):
        all_of = weight * np.log(case.model[k]) + (1 - weight) * np.log(case.model[k] / words)
        names = np.array(case.options["feature_names"])[np.argsort(-all_of)[:10]]
        sent = {
            data["words"][w]: weight * np.log(p) + (1 - weight) * np.log(p / data["word_share"][w])
            for w, p in zip(topic["words"], topic["p"], strict=True)
        }
        assert set(names) <= sent.keys()
        assert min(sent[name] for name in names) >= sorted(sent.values())[-10] - 1e-4


def test_sizes_are_those_of_inspection(case, page):
    shares = [topic["share"] for topic in data_of(page)["topics"]]
    np.testing.assert_allclose(shares, inspection.topic_sizes(case.model, case.X)["share"], rtol=1e-5)


def test_sizes_of_an_array_of_topics_are_those_of_inspection(tmp_path, case):
    topics = case.model.topics_
    data = data_of(write(tmp_path, case._replace(model=topics)))
    expected = inspection.topic_sizes(topics, case.X)["share"]
    np.testing.assert_allclose([topic["share"] for topic in data["topics"]], expected, rtol=1e-5)


def test_the_map_is_that_of_inspection(case, page):
    expected = inspection.topic_map(case.model, method="mds", distance="hellinger")
    np.testing.assert_allclose(np.transpose(data_of(page)["map"]), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("Exclusivity", lambda model, X: metrics.exclusivity(model, 10)),
        ("Coherence (u_mass)", lambda model, X: metrics.coherence(model, X, "u_mass", 10)),
    ],
)
def test_a_diagnostic_is_that_of_metrics(case, page, name, function):
    values = next(column["values"] for column in data_of(page)["diagnostics"] if column["name"] == name)
    np.testing.assert_allclose(values, function(case.model, case.X), rtol=1e-3)


def test_a_topic_whose_words_do_not_occur_has_no_coherence(tmp_path):
    page = report.write(tmp_path / "r.html", np.eye(2), np.array([[1, 0], [2, 0]])).read_text(encoding="utf-8")
    column = next(column for column in data_of(page)["diagnostics"] if column["name"] == "Coherence (u_mass)")
    assert column["values"] == [None, None]


def test_labels_are_words_of_the_subject(page):
    from report_corpus import SUBJECTS

    labels = [set(topic["label"].split(", ")) for topic in data_of(page)["topics"]]
    assert all(any(label <= set(subject.split()) for subject in SUBJECTS) for label in labels)


def test_a_uniform_topic_has_no_label():
    topics = np.vstack([np.full(40, 1 / 40), np.r_[0.7, 0.3, np.zeros(38)]])
    names = [f"w{i}" for i in range(40)]
    assert distinct_labels(topics, names, n_words=2) == [[], ["w0", "w1"]]


def test_the_trace_is_that_of_the_fit(case, page):
    trace = data_of(page)["trace"]
    elbo = [np.nan if value is None else value for value in trace["elbo"]]  # collapsed passes have none
    np.testing.assert_allclose(elbo, case.model.elbo_trace_["elbo"], rtol=1e-9)
    assert trace["phase"] == case.model.elbo_trace_["phase"].tolist()


def test_parameters_of_the_model_are_shown(page):
    fit = data_of(page)["fit"]
    assert fit["model"] == "ldavi.LatentDirichletAllocation"
    assert fit["max_iter"] == "300"


def test_a_parameter_that_is_a_function_is_shown_without_address(case, tmp_path):
    model = LatentDirichletAllocation(2, max_iter=200, random_state=0, callbacks=[lambda record: None]).fit(case.X)
    page = write(tmp_path, case._replace(model=model))
    assert "0x" not in json.dumps(data_of(page)["fit"])


def test_topics_without_a_model_have_no_fit(tmp_path, case):
    page = write(tmp_path, case._replace(model=case.model.topics_))
    assert data_of(page)["trace"] is None
    assert data_of(page)["fit"] == {}


def test_a_model_of_scikit_learn_has_parameters_but_no_trace(tmp_path, case):
    model = Theirs(3, random_state=0, max_iter=5).fit(case.X)
    data = data_of(write(tmp_path, case._replace(model=model)))
    assert data["trace"] is None
    assert data["fit"]["model"] == "sklearn.LatentDirichletAllocation"


def test_a_model_fitted_on_a_table_with_names_uses_them(tmp_path):
    X = pd.DataFrame([[3, 1, 0], [0, 1, 4], [2, 0, 1]], columns=["cat", "dog", "fox"])
    model = LatentDirichletAllocation(2, max_iter=200, random_state=0).fit(X)
    page = report.write(tmp_path / "r.html", model, X).read_text(encoding="utf-8")
    assert data_of(page)["words"] == ["cat", "dog", "fox"]


def test_proportions_that_are_given_are_used(tmp_path, case):
    theta = np.tile([0.5, 0.5, 0.0], (case.X.shape[0], 1))
    page = write(tmp_path, case._replace(model=case.model.topics_), theta=theta)  # α is symmetric
    assert [topic["share"] for topic in data_of(page)["topics"]] == [0.5, 0.5, 0]


def test_a_topic_without_tokens_has_words_too(tmp_path):
    page = report.write(tmp_path / "r.html", np.eye(3), np.eye(3)[:2], theta=[[1, 0, 0], [0, 1, 0]])
    data = data_of(page.read_text(encoding="utf-8"))
    assert data["topics"][2]["words"] == [2]
    assert data["word_share"][2] > 0


def test_without_texts_a_document_is_its_words_and_counts(tmp_path, case):
    data = data_of(write(tmp_path, case, texts=None))
    names = case.options["vectorizer"].get_feature_names_out()
    for entry in data["documents"]:
        row = case.X[[entry["row"]]].tocsr()
        assert {word: count for word, _, _, count in entry["bag"]} == dict(
            zip(names[row.indices], row.data, strict=True)
        )


def test_words_of_a_text_have_their_most_probable_topic(case, page):
    entry = data_of(page)["documents"][0]
    row = case.X[[entry["row"]]].tocsr()
    phi = case.model.word_topics(row)
    names = case.options["vectorizer"].get_feature_names_out()[row.indices]
    expected = dict(zip(names, phi.argmax(axis=1), strict=True))
    pieces = entry["text"][1:]
    found = {pieces[i].lower(): pieces[i + 1] for i in range(0, len(pieces) - 1, 4)}
    assert found == expected


def test_diagnostics_that_are_given_become_columns(tmp_path, case):
    page = write(tmp_path, case, diagnostics={"npmi": [0.25, np.nan, -0.5]})
    assert data_of(page)["diagnostics"][-1]["values"] == [0.25, None, -0.5]
    assert "<td>–</td>" in page


@pytest.mark.parametrize(
    ("topics", "X"),
    [
        (np.ones((1, 4)), np.eye(4)),
        (np.ones((3, 1)), np.ones((2, 1))),
        (np.eye(2), np.zeros((3, 2))),
        (np.eye(2), np.array([[0, 0], [5, 0]])),
    ],
    ids=["one topic", "one word", "no words at all", "an empty document"],
)
def test_a_page_is_written_for(tmp_path, topics, X):
    page = report.write(tmp_path / "r.html", topics, X, metadata={"a": [""] * len(X)}).read_text(encoding="utf-8")
    assert len(data_of(page)["topics"]) == len(topics)


# Invalid arguments


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"texts": ["one"]}, ValueError, "texts has 1 entries, but there are 36 documents"),
        ({"texts": "one"}, TypeError, "texts is one str"),
        ({"labels": ["a"]}, ValueError, "labels has 1 entries, but there are 3 topics"),
        ({"labels": {3: "a"}}, ValueError, "labels names the topic 3; topics are numbers from 0 to 2"),
        ({"bins": {"when": "month"}}, ValueError, "bins names the column 'when', which metadata"),
        (
            {"bins": {"date": "fortnight"}},
            ValueError,
            "bins='fortnight' of metadata\\['date'\\] must be a unit of time",
        ),
        ({"bins": {"stars": [3, 1]}}, ValueError, "ascending order"),
        ({"bins": {"section": ["war"]}}, ValueError, "must name different values of the column"),
        ({"document_map": np.ones((36, 3))}, ValueError, "document_map has shape \\(36, 3\\)"),
        ({"metadata": {"when": [1, 2]}}, ValueError, "metadata\\['when'\\] has shape \\(2,\\)"),
        ({"theta": np.ones((2, 3))}, ValueError, "theta has shape \\(2, 3\\)"),
        ({"theta": np.zeros((36, 3))}, ValueError, "theta must be finite"),
        ({"diagnostics": {"npmi": [1]}}, ValueError, "diagnostics\\['npmi'\\] has shape \\(1,\\)"),
        ({"n_words": 0}, ValueError, "n_words=0"),
        ({"n_documents": 1.5}, TypeError, "n_documents=1.5"),
        ({"feature_names": ["a"]}, ValueError, "feature_names has shape"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_invalid_arguments_are_refused_before_anything_is_written(tmp_path, case, options, error, message):
    with pytest.raises(error, match=message):
        write(tmp_path, case, **options)
    assert not list(tmp_path.iterdir())


def test_counts_of_other_words_are_refused(tmp_path, case):
    with pytest.raises(ValueError, match="both must name the same words"):
        write(tmp_path, case._replace(X=case.X[:, 1:]))


# The numbers


def test_a_uniform_topic_has_as_many_effective_words_as_its_support():
    np.testing.assert_allclose(effective_words(np.array([[0.25] * 4, [0.5, 0.5, 0, 0], [1, 0, 0, 0]])), [4, 2, 1])


def test_documents_are_chosen_round_robin_over_topics():
    theta = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.0, 1.0]])
    lengths = np.array([10.0, 10, 10, 10, 0])
    assert _subset.shown_documents(theta, lengths, np.array([0.4, 0.6]), 3).tolist() == [2, 0, 3]


@given(st.text(alphabet="ab cé.\n"))
def test_pieces_of_a_text_make_up_the_text(text):
    find = _texts.word_finder(["a", "ab", "é"])
    pieces = _texts.pieces(text, find, {0: (0, 9), 1: (1, 5), 2: (0, 1)})
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == text


def test_a_word_is_found_as_its_vectorizer_counts_it(case):
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(strip_accents="unicode").fit(["cafe"])
    assert _texts.word_finder(["cafe"], vectorizer)("CAFÉ") == 0
    assert _texts.word_finder(["cafe"])("CAFÉ") is None


# Columns


def test_dates_are_binned_by_the_shortest_unit_that_makes_few_bins():
    units = {
        "2020-02-01": "2020-01-08",
        "2020-12-01": "2020-01-13",
        "2023-01-01": "2020-02-01",
        "2050-01-01": "2021-01-01",
    }
    for last, second in units.items():
        assert _columns.divisions("when", ["2020-01-07", last], 2)[0].labels[1] == second


def test_weeks_begin_on_mondays():
    labels = _columns.divisions("when", ["2020-01-07", "2020-12-01"], 2)[0].labels
    assert {np.datetime64(label).astype(object).weekday() for label in labels} == {0}


@pytest.mark.parametrize(
    "values",
    [
        np.array(["2020-01-07", "NaT", "2020-03-01"], dtype="datetime64[s]"),
        ["2020-01-07T12:00:00", None, "2020-03-01"],
        ["2020-01-07", None, "2020-03"],
        pd.Series(pd.to_datetime(["2020-01-07", None, "2020-03-01"]).tz_localize("UTC")),
    ],
    ids=["datetime64", "ISO 8601", "a month", "with a time zone"],
)
def test_dates_are_recognised_as(values):
    bins = _columns.divisions("when", values, 3)[0]
    assert bins.kind == "date"
    assert bins.of.tolist() == [0, -1, 54]


def test_values_are_shown_in_short_form():
    days, times = (
        np.array(["2020-01-07", "NaT"], dtype="datetime64[ns]"),
        np.array(["2020-01-07T12:30"], dtype="datetime64[ns]"),
    )
    assert _columns.as_text(days, np.array([0, 1])) == ["2020-01-07", "–"]
    assert _columns.as_text(times, np.array([0])) == ["2020-01-07T12:30:00"]
    assert _columns.as_text([0.1 + 0.2, np.nan, 7], np.array([2, 1, 0])) == ["7", "–", "0.3"]
    assert _columns.as_text(["a", None], np.array([0, 1])) == ["a", "–"]


def test_a_table_serves_as_metadata_and_diagnostics(tmp_path, case, page):
    columns = pd.DataFrame({name: list(values) for name, values in case.options["metadata"].items()})
    given = pd.DataFrame({"npmi": [0.1, 0.2, 0.3]})
    data = data_of(write(tmp_path, case, metadata=columns, diagnostics=given))
    assert data["columns"] == data_of(page)["columns"]
    assert data["diagnostics"][-1]["name"] == "npmi"


def test_integers_are_bins():
    assert _columns.divisions("year", np.array([1999, 2005, 1999]), 3)[0].labels == ["1999", "2005"]


def test_other_numbers_are_binned_by_ranges_with_equally_many_documents():
    values = np.random.default_rng(0).gamma(1, size=1000)
    bins = _columns.divisions("income", values, 1000)[0]
    assert np.bincount(bins.of).tolist() == [50] * 20
    assert all(values[bins.of == b].max() <= values[bins.of == c].min() for b, c in pairwise(range(20)))


def test_a_missing_number_is_in_no_bin():
    assert _columns.divisions("x", [np.nan, 1.5, np.inf], 3)[0].of.tolist() == [-1, 0, -1]


def test_rare_classes_share_a_bin():
    values = [f"c{i:02}" for i in range(60)] + [f"c{i:02}" for i in range(20, 60)]
    bins = _columns.divisions("class", values, 100)[0]
    assert bins.labels == [f"c{i}" for i in range(20, 60)] + ["20 others"]
    assert (bins.of[:20] == 40).all()


def test_the_share_of_a_topic_in_a_bin_is_that_of_its_tokens():
    tokens, lengths = np.array([[3.0, 0], [0, 1], [3.5, 3.5]]), np.array([3.0, 1, 7])
    result = _trends.shares(_columns.divisions("c", ["a", "a", ""], 3)[0], tokens, lengths)
    assert result.documents.tolist() == [2]
    np.testing.assert_allclose(result.share, [[0.75], [0.25]])
