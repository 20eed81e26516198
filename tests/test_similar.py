"""Similar documents, nearest topics, and tables for other programs."""

import csv
import importlib.util
import sys

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from ldavi import LatentDirichletAllocation, infer
from ldavi._core import dirichlet
from ldavi.inspection import (
    _similar,
    all_tables,
    nearest_topics,
    similar_documents,
    to_pandas,
    to_polars,
    topic_distances,
    write_tables,
)

TOPICS = np.random.default_rng(0).dirichlet(np.full(12, 0.3), 4)
X = np.random.default_rng(1).poisson(1.0, (30, 12))
X[7] = X[3]
TEXTS = ["bread dough oven", "matrix sparse rows", "oven crust bread", "rows matrix product", "dough bread rise"]
WORDS = ["=1+1", "cat", "dog", "http://a.b", "éa", "@x"]
SMALL = np.random.default_rng(2).dirichlet(np.ones(6), 2)


def hellinger(p, q):
    return np.sqrt(np.maximum(1 - np.sum(np.sqrt(p * q)), 0))


@pytest.fixture(scope="module")
def model():
    return LatentDirichletAllocation(4, random_state=0).fit(X)


def test_distances_equal_their_definition():
    theta, query = (dirichlet.mean(infer(docs, TOPICS, 0.1, dtype=np.float64).gamma) for docs in (X, X[:3] + 1))
    rows = similar_documents(TOPICS, X, X[:3] + 1, n_documents=30)
    for q in range(3):
        part = rows[rows["query"] == q]
        expected = [hellinger(query[q], theta[d]) for d in part["document"]]
        np.testing.assert_allclose(part["distance"], expected, atol=1e-7)
        assert part["distance"].is_monotonic_increasing
        assert sorted(part["document"]) == list(range(30))
        assert part["rank"].tolist() == list(range(1, 31))


def test_a_document_is_not_similar_to_itself_but_to_its_copy():
    rows = similar_documents(TOPICS, X, rows=[3, 20], n_documents=2)
    assert rows["query"].tolist() == [3, 3, 20, 20]
    assert rows["document"][0] == 7
    assert rows["distance"][0] == 0
    assert 20 not in rows["document"][2:].tolist()


def test_some_queries_at_a_time_give_the_same_neighbours(model, monkeypatch):
    whole = similar_documents(model, X, rows=np.arange(30))
    monkeypatch.setattr(_similar, "DISTANCES_AT_ONCE", 70)
    pd.testing.assert_frame_equal(similar_documents(model, X, rows=np.arange(30)), whole)


def test_a_pipeline_takes_texts():
    pipeline = make_pipeline(CountVectorizer(), LatentDirichletAllocation(2, random_state=0)).fit(TEXTS)
    names = ["a", "b", "c", "d", "e"]
    rows = similar_documents(pipeline, TEXTS, "sparse matrix rows", n_documents=2, document_names=names)
    assert sorted(rows["document"]) == ["b", "d"]
    assert similar_documents(pipeline, TEXTS, rows=1, n_documents=1)["document"].tolist() == [3]


def test_sparse_queries_and_arrays_of_topics_are_accepted():
    one = similar_documents(TOPICS, sparse.csr_array(X), X[4])
    pd.testing.assert_frame_equal(one, similar_documents(TOPICS, X, sparse.csr_array(X[[4]])))
    assert one["document"][0] == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "pass either query, new documents, or rows"),
        ({"query": X[0], "rows": 1}, ValueError, "pass either query"),
        ({"rows": 30}, ValueError, "rows=30 must be rows of X, from 0 to 29"),
        ({"rows": -1}, ValueError, "rows=-1 must be rows of X"),
        ({"rows": 1.5}, TypeError, "rows=1.5 must be an integer"),
        ({"rows": 1, "n_documents": 0}, ValueError, "n_documents=0"),
        ({"rows": 1, "document_names": ["a"]}, ValueError, "document_names has shape"),
        ({"query": X[0, :5]}, ValueError, "X has 5 columns"),
    ],
)
def test_invalid_queries_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        similar_documents(TOPICS, X, **options)


def test_nearest_topics_are_the_smallest_distances():
    distances = topic_distances(TOPICS, distance="hellinger")
    rows = nearest_topics(TOPICS, 3)
    np.fill_diagonal(distances, 2)
    assert rows["nearest"].tolist() == np.argsort(distances, axis=1, kind="stable")[:, :3].ravel().tolist()
    np.testing.assert_allclose(rows["distance"], np.sort(distances, axis=1)[:, :3].ravel())


def test_nearest_topics_of_another_model_include_equal_ones():
    rows = nearest_topics(TOPICS, 1, other=TOPICS[::-1])
    assert rows["nearest"].tolist() == [3, 2, 1, 0]
    assert nearest_topics(TOPICS[:1]).empty


# Tables


def tables():
    return all_tables(SMALL, np.ones((3, 6), int), feature_names=WORDS, document_names=["=x", "b", "c"])


def test_all_tables_hold_the_documents_of_a_model():
    model = LatentDirichletAllocation(4, random_state=0, dtype="float64").fit(X)
    found = all_tables(model, X)
    assert list(found) == ["top_words", "topic_sizes", "nearest_topics", "representative_documents", "document_topics"]
    np.testing.assert_allclose(np.reshape(found["document_topics"]["proportion"], (30, 4)), model.transform(X))
    assert list(all_tables(model)) == ["top_words", "topic_sizes", "nearest_topics"]
    assert list(all_tables(TOPICS)) == ["top_words", "nearest_topics"]


def test_tables_convert_to_pandas_and_polars():
    words = tables()["top_words"]
    assert to_pandas(words) is words
    records = np.array([(0, "a", 0.5), (1, "b", 0.25)], dtype=[("topic", int), ("word", object), ("score", float)])
    assert to_pandas(records).to_dict("list") == {"topic": [0, 1], "word": ["a", "b"], "score": [0.5, 0.25]}
    frame = to_polars(words)
    assert isinstance(frame, pl.DataFrame)
    assert frame["word"].to_list() == words["word"].tolist()
    assert frame["topic"].to_list() == words["topic"].tolist()


def test_a_csv_file_has_the_table_and_no_formulas(tmp_path):
    write_tables(tables()["top_words"], tmp_path / "words.csv")
    rows = list(csv.reader((tmp_path / "words.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == list(tables()["top_words"].columns)
    words = {row[2] for row in rows[1:]}
    assert words == {"'=1+1", "cat", "dog", "http://a.b", "éa", "'@x"}


def test_a_folder_gets_a_file_for_each_table(tmp_path):
    write_tables(tables(), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{name}.csv" for name in tables())
    read = pd.read_csv(tmp_path / "out" / "topic_sizes.csv")
    pd.testing.assert_frame_equal(read, tables()["topic_sizes"])


def test_a_workbook_has_a_sheet_for_each_table_and_no_formulas(tmp_path):
    gaps = pd.DataFrame({"a": [1.5, np.nan], "b": ["x" * 40000, "\x01"]})
    write_tables({**tables(), "gaps": gaps}, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == [*tables(), "gaps"]
    for name, rows in tables().items():
        values = [[cell.value for cell in row] for row in book[name].iter_rows()]
        assert values[0] == list(rows.columns)
        assert len(values) == len(rows) + 1
        assert all(cell.data_type in "ns" for row in book[name].iter_rows() for cell in row)
    words = {row[2].value for row in book["top_words"].iter_rows(min_row=2)}
    assert words == set(WORDS)
    assert book["gaps"]["A3"].value is None
    assert len(book["gaps"]["B2"].value) == 32767


@pytest.mark.parametrize(
    ("written", "name", "error", "message"),
    [
        ({}, "t.csv", ValueError, "tables holds no table"),
        ({"a": 5}, "t.csv", TypeError, r"tables\['a'\] is a int"),
        ({"a/b": pd.DataFrame({"x": [1]})}, "t.xlsx", ValueError, "tables has the name 'a/b'"),
        ({"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [1]})}, "t.csv", ValueError, "there are 2 tables"),
        ({"a": pd.DataFrame({"x": [1]}), "A": pd.DataFrame({"x": [1]})}, "t.xlsx", ValueError, "only in capitals"),
        (pd.DataFrame({"x": [1]}), "t.ods", ValueError, "must end in .xlsx or .csv"),
        (pd.DataFrame({"x": np.zeros(2**20)}), "t.xlsx", ValueError, "a sheet at most 1048575"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(written, name, error, message, tmp_path):
    (tmp_path / name).write_text("old")
    with pytest.raises(error, match=message):
        write_tables(written, tmp_path / name)
    assert (tmp_path / name).read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_workbook_without_xlsxwriter_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ImportError, match=r"ldavi\[excel\]"):
        write_tables(tables(), tmp_path / "t.xlsx")


def test_structured_arrays_are_written_without_pandas(monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "pandas" else real(name, *rest)
    )
    found = tables()
    assert isinstance(found["top_words"], np.ndarray)
    write_tables(found, tmp_path / "out")
    assert to_pandas(found["top_words"])["word"].tolist() == found["top_words"]["word"].tolist()
    assert to_polars(found["top_words"])["rank"].to_list() == found["top_words"]["rank"].tolist()
