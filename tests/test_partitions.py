"""Partitioned tables, all columns of a table, and parameters of `ldavi.io` that were without effect."""

import csv
import json

import cli_texts
import numpy as np
import pytest
from scipy import sparse

from ldavi import io
from ldavi.cli import main
from ldavi.io._readers.several import partition_columns

TEXTS = ["a song of ice", "song and dance", "a dance of dragons", "ice and fire"]


def write_hive(folder, by):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"text": TEXTS, "year": [2020, 2020, 2021, 2021], "place": ["a/b", "ä=c", "a/b", None]})
    parquet.write_to_dataset(table, folder, partition_cols=by)
    return folder


def test_folders_of_pyarrow_are_columns(tmp_path):
    corpus = io.read_corpus(write_hive(tmp_path / "t", ["year", "place"]), metadata=["year", "place"])
    found = sorted(zip(corpus.texts, corpus.metadata["year"], map(str, corpus.metadata["place"]), strict=True))
    assert found == sorted(zip(TEXTS, [2020, 2020, 2021, 2021], ["a/b", "ä=c", "a/b", "None"], strict=True))
    assert "its folders name the columns year, place" in corpus.notes


def test_folders_of_pandas_are_columns(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"text": TEXTS, "party": ["A", "B", "A", "B"]})
    frame.to_parquet(tmp_path / "t", partition_cols=["party"])
    corpus = io.read_corpus(tmp_path / "t", metadata=["party"])
    assert dict(zip(corpus.texts, corpus.metadata["party"], strict=True)) == dict(
        zip(TEXTS, ["A", "B", "A", "B"], strict=True)
    )


def test_folders_of_csv_and_json_lines_are_columns(tmp_path):
    for month in ("01", "02"):
        folder = tmp_path / "csv" / f"month={month}"
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(f"text,n\nxx yy,{int(month)}\n")
    corpus = io.read_corpus(tmp_path / "csv", metadata=["n", "month"])
    assert (corpus.metadata["n"].tolist(), corpus.metadata["month"].tolist()) == (["1", "2"], ["01", "02"])
    lines = tmp_path / "lines" / "source=web"
    lines.mkdir(parents=True)
    (lines / "part.jsonl").write_text(json.dumps({"text": "xx"}))
    (batch,) = io.read_batches(tmp_path / "lines", metadata=["source"]).records()
    assert batch.metadata == {"source": ["web"]}


def test_a_column_of_the_file_takes_precedence_over_a_folder(tmp_path):
    folder = tmp_path / "t" / "year=1"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("text,year\nxx,2\n")
    assert io.read_corpus(tmp_path / "t", metadata=["year"]).metadata["year"].tolist() == ["2"]


def test_files_of_different_partitions_have_no_such_columns(tmp_path):
    paths = [tmp_path / "a=1" / "x.csv", tmp_path / "x.csv"]
    assert partition_columns([path.relative_to(tmp_path) for path in paths]) == [{}, {}]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return cli_texts.fit(tmp_path_factory.mktemp("model"))[0]


def transformed(model, source, capsys, *more):
    capsys.readouterr()
    assert main(["transform", str(model), str(source), "--keep-columns", "all", "--to", "csv", "-q", *more]) == 0
    return list(csv.DictReader(capsys.readouterr().out.splitlines()))


@pytest.mark.parametrize("more", [[], ["--stream"]])
def test_every_column_is_kept(model, tmp_path, capsys, more):
    path = tmp_path / "posts.csv"
    path.write_text('text,"a, b",year\ncat dog,1,2020\nbank,,2021\n')
    rows = transformed(model, path, capsys, *more)
    kept = [{name: row[name] for name in ("text", "a, b", "year")} for row in rows]
    assert kept == [
        {"text": "cat dog", "a, b": "1", "year": "2020"},
        {"text": "bank", "a, b": "", "year": "2021"},
    ]
    assert "topic2" in rows[0]


def test_every_column_of_a_partitioned_table_is_kept(model, tmp_path, capsys):
    rows = transformed(model, write_hive(tmp_path / "t", ["year"]), capsys)
    assert sorted((row["text"], row["year"]) for row in rows) == sorted(
        zip(TEXTS, ["2020", "2020", "2021", "2021"], strict=True)
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("posts.txt", "cat\ndog\n", "--keep-columns all is for tables, and"),
        ("posts.csv", "text,all\ncat,1\n", "for the one, add a comma: all,"),
    ],
)
def test_all_columns_that_there_are_not_are_refused(model, tmp_path, capsys, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    assert main(["transform", str(model), str(path), "--keep-columns", "all"]) == 2
    assert message in capsys.readouterr().err


# Parameters without effect


def save(path, content):
    path.write_text(content)
    return path


def test_batches_of_texts_are_counted_by_a_vocabulary(tmp_path):
    path = save(tmp_path / "posts.txt", "\n".join(TEXTS))
    batches = io.read_batches(path, batch_size=3, vocabulary=["dance", "ice"])
    assert (batches.kind, batches.vocabulary.tolist(), batches.n_words) == ("counts", ["dance", "ice"], 2)
    expected = io.read_corpus(path, vocabulary=["dance", "ice"]).X.toarray()
    np.testing.assert_array_equal(np.vstack([batch.toarray() for batch in batches]), expected)


def test_batches_are_counted_by_a_vocabulary_file_and_parameters_of_counting(tmp_path):
    path, words = save(tmp_path / "posts.txt", "Song song\n"), save(tmp_path / "words.txt", "Song\nsong\n")
    (batch,) = io.read_batches(path, vocabulary=words, counting={"lowercase": False})
    assert batch.toarray().tolist() == [[1, 1]]


@pytest.mark.parametrize("read", [io.read_corpus, io.read_batches])
def test_counting_of_a_file_of_counts_is_noted(tmp_path, read):
    path = tmp_path / "c.npz"
    sparse.save_npz(path, sparse.eye_array(3, format="csr"))
    assert any("counting={'min_df': 2} is not used" in note for note in read(path, counting={"min_df": 2}).notes)


def test_counting_of_batches_without_a_vocabulary_is_refused(tmp_path):
    with pytest.raises(ValueError, match="counting= needs vocabulary="):
        io.read_batches(save(tmp_path / "posts.txt", "a b"), counting={"lowercase": False})


def test_an_encoding_that_is_not_used_is_named(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pd.DataFrame({"text": TEXTS}).to_parquet(tmp_path / "t.parquet")
    assert any("iso8859-1 is not used" in n for n in io.read_corpus(tmp_path / "t.parquet", encoding="latin-1").notes)


def test_words_of_a_vocabulary_that_are_never_counted_are_named(tmp_path, capsys):
    posts = save(tmp_path / "posts.txt", "the cat\nthe dog\nthe bird\n")
    words = save(tmp_path / "words.txt", "the\ncat\nDog\n")
    assert main(["fit", str(posts), "-k", "2", "--vocabulary", str(words), "--passes", "2"]) == 0
    assert "2 of the 3 words of --vocabulary are never counted" in " ".join(capsys.readouterr().err.split())


def test_a_vocabulary_for_texts_in_batches_of_a_model_is_refused(model, tmp_path, capsys):
    posts, words = save(tmp_path / "posts.txt", "the cat\n"), save(tmp_path / "words.txt", "cat\n")
    assert main(["transform", str(model), str(posts), "--stream", "--vocabulary", str(words)]) == 2
    assert "--vocabulary has no effect on texts" in capsys.readouterr().err
