"""Parts of `ldavi.report`: compressed documents, trends with intervals, structure of topics, names and notebooks."""

import base64
import html
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_corpus import many_topics, usual
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from ldavi import LatentDirichletAllocation, inspection, report
from ldavi.inspection import _columns
from ldavi.inspection._distinct_labels import distinct_labels
from ldavi.plotting._outliers import compress_outliers
from ldavi.report import _archive, _documents, _page, _structure, _trends


@pytest.fixture(scope="module")
def case():
    return usual()


@pytest.fixture(scope="module")
def page(case):
    return report.show(case.model, case.X, **case.options)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.S)[1])


def show(case, **more):
    return report.show(case.model, case.X, **{**case.options, **more})


# All documents, compressed


def sections_of(packed):
    raw = zlib.decompress(base64.b64decode(packed))
    size = int.from_bytes(raw[-4:], "little")
    sections, at = {}, 0
    for name, length in json.loads(raw[-4 - size : -4]):
        sections[name] = raw[at : at + length]
        at += length
    return sections


def packed_of(page):
    return re.search(r'<script type="text/plain" id="packed">(.*?)</script>', page.html, re.S)[1]


def integers(encoded):
    values, value, shift = [], 0, 0
    for byte in encoded:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    return values


def archived(X, max_bytes=1_000_000, texts=None, n_topics=2):
    counts = sparse.csr_array(np.asarray(X, dtype=float))
    D, V = counts.shape
    theta = np.full((D, n_topics), 1 / n_topics)
    documents = _archive.Documents(counts, theta, counts.sum(axis=1), np.zeros((D, 2)), texts, None, [])
    return _archive.archive(documents, [f"w{w}" for w in range(V)], np.full((n_topics, V), 1 / n_topics), max_bytes)


@given(st.lists(st.integers(0, 2**35 - 1)))
def test_integers_of_variable_length_are_decoded(values):
    assert integers(_archive.varints(np.array(values, dtype=np.int64))) == values


def test_the_archive_contains_the_counts_of_every_document():
    X = np.random.default_rng(0).poisson(0.3, (40, 30))
    X[3] = 0  # an empty document
    X[:, 7] = 0  # a word that does not occur
    sections = sections_of(archived(X).packed)
    words = sections["vocabulary"].decode().split("\0")
    gaps, counts, lengths = integers(sections["words"]), list(sections["counts"]), integers(sections["lengths"])
    rebuilt = np.zeros_like(X)
    at = 0
    for d, length in enumerate(lengths):
        for w, n in zip(np.cumsum(gaps[at : at + length]), counts[at : at + length], strict=True):
            rebuilt[d, int(words[w][1:])] = n
        at += length
    np.testing.assert_array_equal(rebuilt, X)


def test_texts_are_complete_if_they_fit_and_else_cut():
    texts = ["".join(chr(97 + c) for c in np.random.default_rng(d).integers(0, 26, 4000)) for d in range(20)]
    whole, part = archived(np.ones((20, 3)), 200_000, texts), archived(np.ones((20, 3)), 30_000, texts)
    assert whole.facts["characters"] is None
    assert sections_of(whole.packed)["texts"].decode().split("\0") == texts
    assert part.facts["characters"] in _archive.LENGTHS
    assert len(part.packed) <= 30_000


def test_more_counts_than_fit_leave_evenly_spaced_documents():
    X = np.ones((1000, 30))
    kept = archived(X, 50_000)
    assert kept.facts["documents"] == 500
    assert integers(sections_of(kept.packed)["rows"])[1:] == [2] * 499


def test_the_page_states_what_is_searched(case, page):
    assert data_of(page)["archive"] == {"documents": 36, "words": case.X.shape[1], "characters": None}
    assert sections_of(packed_of(page))["texts"].decode().split("\0") == case.options["texts"]


def test_all_documents_can_be_left_out(case):
    page = show(case, all_documents=False)
    assert data_of(page)["archive"] is None
    assert packed_of(page) == ""


def test_no_documents_leave_no_text_in_the_page(case):
    page = show(case, n_documents=0)
    assert data_of(page)["archive"] is None
    assert case.options["texts"][0][:30] not in page.html


def test_the_page_remains_below_its_limit_if_texts_are_long(case, monkeypatch):
    monkeypatch.setattr(_page, "MAX_BYTES", 400_000)
    rng = np.random.default_rng(0)
    texts = ["".join(map(chr, rng.integers(97, 123, 50_000))) for _ in range(36)]
    page = show(case, texts=texts, n_documents=3)
    assert len(page.html.encode()) < 400_000
    assert 0 < data_of(page)["archive"]["characters"] < 50_000


# Trends


def test_the_interval_of_a_share_covers_it_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        lengths = rng.integers(20, 200, 60).astype(float)
        theta = rng.beta(2, 6, 60)
        bins = _columns.Bins("class", ["a"], np.zeros(60, dtype=np.int64))
        result = _trends.shares(bins, np.column_stack([theta, 1 - theta]) * lengths[:, None], lengths)
        covered.append(abs(result.share[0, 0] - 0.25) <= result.half_width[0, 0])
    assert 0.92 <= np.mean(covered) <= 0.98


def test_a_bin_with_one_document_has_no_interval(case):
    page = show(case, metadata={"c": ["a"] + ["b"] * 35})
    (cut,) = data_of(page)["columns"][0]["cuts"]
    assert {row[0] for row in cut["half"]} == {-1}
    assert all(row[1] >= 0 for row in cut["half"])


def test_dates_are_offered_by_each_unit_that_makes_few_bins():
    days = np.datetime64("2018-01-01") + 30 * np.arange(72)
    units = {bins.unit: len(bins.labels) for bins in _columns.divisions("when", days, 72)}
    assert units == {"month": 71, "quarter": 24, "year": 6, "decade": 2}


def test_quarters_begin_in_january_april_july_and_october():
    (bins,) = _columns.divisions("when", ["2020-03-31", "2020-04-01", "2020-12-31"], 3, "quarter")
    assert bins.labels == ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01"]
    assert bins.of.tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("values", "bins", "labels", "of"),
    [
        (["2020-01-01", "2020-06-01", "2021-01-01"], ["2020-01-01", "2020-07-01", "2020-12-31"], 2, [0, 0, -1]),
        ([18, 30, 65, 17], [18, 30, 65], 2, [0, 1, 1, -1]),
        (["18", "30", "65", ""], [18, 30, 65], 2, [0, 1, 1, -1]),
        ([1, 2, 3, 4], 2, 2, [0, 0, 1, 1]),
        (["a", "b", "b", "c"], 1, 2, [1, 0, 0, 1]),
        (["a", "b", "b", "c"], ["c", "b"], 3, [2, 1, 1, 0]),
    ],
    ids=["dates", "numbers", "numbers as text", "a number of bins", "frequent classes", "given classes"],
)
def test_chosen_bins(values, bins, labels, of):
    (result,) = _columns.divisions("x", values, len(values), bins)
    assert len(result.labels) == labels
    assert result.of.tolist() == of


def test_one_division_of_dates_has_at_most_60_bins():
    days = np.datetime64("2018-01-01") + 30 * np.arange(72)
    assert _columns.cut("groups", days, 72).unit == "quarter"
    assert _columns.cut("groups", days, 72, "month").unit == "month"


def test_a_period_of_values_that_are_no_dates_is_refused():
    with pytest.raises(ValueError, match="period='month' requires dates, but groups holds none"):
        _columns.cut("groups", ["a", "b"], 2, "month")


def test_a_unit_that_makes_too_many_bins_is_refused():
    with pytest.raises(ValueError, match=r"bins='day' of when makes 36,525 bins; at most 1,000"):
        _columns.divisions("when", ["1900-01-01", "2000-01-01"], 2, "day")


def test_text_that_is_a_number_is_a_number():
    assert _columns.divisions("year", ["2005", "1999", ""], 3)[0] == (
        "number",
        ["1999", "2005"],
        pytest.approx([1, 0, -1]),
        "",
    )


# Structure


def test_the_tree_is_that_of_inspection():
    topics = many_topics(8, 300, 10).model
    tree = _structure.tree(topics, topics / 8, np.array([f"w{w}" for w in range(300)]))
    expected = inspection.topic_tree(topics, distance="hellinger", linkage="complete")
    np.testing.assert_allclose(tree["merges"], expected[:, :3], atol=1e-4)
    assert sorted(tree["order"]) == list(range(8))


def test_similar_topics_are_joined_first():
    topics = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.6, 0.4], [0.4, 0.6, 0, 0]])
    tree = _structure.tree(topics, topics / 3, np.array(["a", "b", "c", "d"]))
    assert sorted(tree["merges"][0][:2]) == [0, 2]
    assert set(tree["words"][0][:2]) == {"a", "b"}


def test_the_matrix_has_the_probability_of_each_term_in_every_topic():
    topics = many_topics(6, 300, 10).model
    matrix = _structure.matrix(topics, topics / 6, np.arange(300).astype(str), 100_000)
    for term, cells in zip(matrix["terms"], matrix["cells"], strict=True):
        sent = dict(zip(cells[::2], cells[1::2], strict=True))
        for k, p in enumerate(topics[:, int(term)]):
            assert sent.get(k, 0) / 100_000 == pytest.approx(p if p >= 0.001 else 0, abs=1e-5)


def test_an_outlier_does_not_compress_the_rest_of_a_map():
    points = np.vstack([np.random.default_rng(0).normal(size=(40, 2)), [[100, 0]]])
    moved, n_moved = compress_outliers(points)
    assert n_moved >= 1
    assert np.ptp(moved[:40, 0]) > 0.3 * np.ptp(moved[:, 0])
    assert moved[40, 0] > moved[:40, 0].max()  # it is still outside


def test_identical_topics_have_a_map():
    assert np.isfinite(_structure.map_positions(np.full((4, 3), 1 / 3))[0]).all()


def test_documents_are_near_the_topic_that_they_consist_of():
    theta = np.vstack([np.repeat([[1.0, 0]], 50, axis=0), np.repeat([[0, 1.0]], 50, axis=0)])
    places = _documents.places(theta, np.array([0.5, 0.5]), np.array([[0.0, 0], [1, 0.2]]))
    away = np.hypot(*(places[:, None] - [[0.0, 0], [1, 0.2]]).transpose(2, 0, 1))
    assert (away.argmin(axis=1) == np.repeat([0, 1], 50)).all()
    assert len(np.unique(places, axis=0)) == 100  # none covers another


def test_given_positions_are_those_of_the_document_map(case):
    places = np.column_stack([np.arange(36.0), np.zeros(36)])
    page = show(case, document_map=places)
    x = np.frombuffer(sections_of(packed_of(page))["places"], "<u2")[::2]
    np.testing.assert_allclose(x / 65535, np.arange(36) / 35, atol=1e-4)


# Names


def test_labels_have_at_most_one_word_in_common():
    rng = np.random.default_rng(0)
    common = np.r_[np.full(6, 0.1), np.full(54, 0.4 / 54)]
    topics = 0.5 * common + 0.5 * rng.dirichlet(np.full(60, 0.3), 12)
    labels = [set(label) for label in distinct_labels(topics, [f"w{w}" for w in range(60)])]
    assert all(len(a & b) <= 1 for i, a in enumerate(labels) for b in labels[:i])


def test_names_can_be_given_for_some_topics(case):
    topics = data_of(show(case, labels={1: "Bakery"}))["topics"]
    assert [topic["named"] for topic in topics] == [False, True, False]
    assert topics[1]["label"] == "Bakery"


def test_names_of_the_model_are_used(case, monkeypatch):
    monkeypatch.setattr(case.model, "topic_names_", ["a", "b", "c"], raising=False)
    assert [topic["label"] for topic in data_of(show(case, labels={0: "z"}))["topics"]] == ["z", "b", "c"]


def test_the_table_lists_every_topic_with_its_words(page):
    for topic in data_of(page)["topics"]:
        assert f'<td class="text">{" ".join(topic["listed"])}</td>' in page.html


# Notebooks and pipelines


def test_a_notebook_displays_the_page_in_a_frame(page):
    shown = page._repr_html_()
    document = re.fullmatch(r'<iframe title="Three subjects" style="[^"]*" srcdoc="([^"]*)"></iframe>', shown, re.S)[1]
    assert html.unescape(document) == page.html


def test_the_repr_of_a_page_is_short(page):
    assert len(repr(page)) < 120


def test_a_shown_page_is_the_written_one(case, page, tmp_path):
    written = report.write(tmp_path / "a.html", case.model, case.X, **case.options)
    assert page.write(tmp_path / "b.html").read_bytes() == written.read_bytes()


def test_a_pipeline_needs_only_the_texts(case):
    texts = case.options["texts"]
    pipeline = make_pipeline(CountVectorizer(stop_words="english"), LatentDirichletAllocation(3, random_state=0))
    page = report.show(pipeline.fit(texts), texts)
    data = data_of(page)
    assert set(data["words"]) <= set(pipeline[0].get_feature_names_out())
    assert "text" in data["documents"][0]
