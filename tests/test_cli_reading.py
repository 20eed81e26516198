"""Input and output of the command line: progress, names and columns in batches, and files replaced as a whole."""

import gzip
import io as streams
import json
import os
from argparse import Namespace as Options

import cli_texts
import numpy as np
import pytest

from ldavi import io
from ldavi.cli import _batches, _model_options, _report_command, main
from ldavi.cli._output import open_output
from ldavi.cli._progress import reading_progress
from ldavi.io._progress_hooks import ProgressHooks, report_progress_to


class Terminal(streams.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def posts(tmp_path):
    return cli_texts.write_posts(tmp_path)


def table(folder, kind="csv", n=90):
    """Write texts with names and dates."""
    path = folder / f"posts.{kind}"
    rows = [
        {"url": f"http://x/{i}", "date": f"2024-01-{i % 28 + 1:02d}", "text": text}
        for i, text in enumerate(cli_texts.texts(n))
    ]
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif kind == "words.jsonl":
        path.write_text("".join(json.dumps({**row, "text": row["text"].split()}) + "\n" for row in rows))
    else:
        path.write_text("url,date,text\n" + "".join(",".join(row.values()) + "\n" for row in rows))
    return path


# Progress


def watched(read):
    """Return the numbers of bytes and texts that a watcher is informed about."""
    seen = {"bytes": 0, "texts": 0}

    def of_bytes(n):
        seen["bytes"] += n

    def of_texts(n, total):
        seen["texts"] += n
        assert seen["texts"] <= total

    with report_progress_to(ProgressHooks(of_bytes, of_texts)):
        read()
    return seen


@pytest.mark.parametrize("packed", [False, True])
def test_a_watcher_is_informed_about_each_byte_on_the_disk_and_each_text(posts, tmp_path, packed):
    path = posts
    if packed:
        path = tmp_path / "posts.txt.gz"
        path.write_bytes(gzip.compress(posts.read_bytes()))
    assert watched(lambda: io.read_corpus(path)) == {"bytes": path.stat().st_size, "texts": 90}


def test_a_watcher_is_informed_about_the_files_of_a_folder_and_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    folder = tmp_path / "folder"
    folder.mkdir()
    for i, text in enumerate(cli_texts.texts(5)):
        (folder / f"{i}.txt").write_text(text)
    size = sum(file.stat().st_size for file in folder.iterdir())
    assert watched(lambda: io.read_corpus(folder))["bytes"] == size
    path = tmp_path / "posts.parquet"
    pandas.DataFrame({"text": cli_texts.texts(30)}).to_parquet(path)
    assert watched(lambda: io.read_corpus(path))["bytes"] >= path.stat().st_size


def test_a_watcher_is_not_informed_after_the_block(posts):
    reported = []
    with report_progress_to(ProgressHooks(reported.append, lambda n, total: None)):
        pass
    io.read_corpus(posts)
    assert reported == []


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_reading_shows_megabytes_of_the_file_and_then_texts(posts, monkeypatch, has_tqdm):
    if has_tqdm:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    for name, value in (("INTERVAL", 0.0), ("DELAY", 0.0), ("MEGABYTE", 1000)):
        monkeypatch.setattr(f"ldavi.cli._progress.{name}", value)
    with reading_progress(Options(), "reading posts", str(posts)):
        io.read_corpus(posts)
    total = -(-posts.stat().st_size // 1000)
    megabytes, texts = (f"/{total}", "/90") if has_tqdm else (f"MB 17 of {total}", "text 90 of 90")
    assert "MB" in screen.getvalue()
    assert megabytes in screen.getvalue()
    assert "counting words" in screen.getvalue()
    assert texts in screen.getvalue()


def test_reading_writes_nothing_without_a_terminal(posts, monkeypatch, capsys):
    monkeypatch.setattr("ldavi.cli._progress.DELAY", 0.0)
    with reading_progress(Options(), "reading posts", str(posts)):
        io.read_corpus(posts)
    assert capsys.readouterr().err == ""


# Names and columns in batches


@pytest.mark.parametrize("kind", ["csv", "jsonl", "words.jsonl"])
def test_batches_have_the_names_and_columns_of_the_whole_corpus(tmp_path, kind):
    path = table(tmp_path, kind)
    options = {"column": "text", "id_column": "url", "metadata": ["date"]}
    whole = io.read_corpus(path, **options)
    parts = list(io.read_batches(path, batch_size=7, **options).records())
    assert [name for part in parts for name in part.ids] == whole.ids.tolist()
    assert [date for part in parts for date in part.metadata["date"]] == whole.metadata["date"].tolist()
    sizes = [part.content.shape[0] if hasattr(part.content, "shape") else len(part.content) for part in parts]
    assert sizes == [len(part.ids) for part in parts] == [7] * 12 + [6]


@pytest.mark.parametrize("kind", ["csv", "words.jsonl"])
def test_transform_in_batches_writes_the_names(tmp_path, capsys, monkeypatch, kind):
    monkeypatch.setattr("ldavi.cli._transform_command.ROWS", 40)
    model, _ = cli_texts.fit(tmp_path)
    outputs = []
    for more in ([], ["--stream"]):
        capsys.readouterr()
        arguments = ["transform", model, table(tmp_path, kind), "--column", "text", "--id-column", "url", *more]
        assert main([str(argument) for argument in arguments]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert "\nhttp://x/57," in outputs[0]


def test_a_folder_in_batches_has_the_names_of_its_files(tmp_path, capsys):
    model, _ = cli_texts.fit(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    for i, text in enumerate(cli_texts.texts(5)):
        (folder / f"post{i}.txt").write_text(text)
    capsys.readouterr()
    assert main(["transform", str(model), str(folder), "--stream"]) == 0
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        f"post{i}.txt" for i in range(5)
    ]


def test_a_stream_reports_names_and_trends(tmp_path, monkeypatch):
    pages = []
    monkeypatch.setattr(_report_command, "check_installed", lambda: None)
    monkeypatch.setattr(_report_command, "write_report", lambda options, path, kept, corpus: pages.append(corpus))
    monkeypatch.setattr(_model_options, "STREAM_STEP", 40)
    monkeypatch.setattr(_batches, "SAMPLE", 10)
    arguments = ["--column", "text", "--id-column", "url", "--metadata", "date", "--report", str(tmp_path / "r.html")]
    path = table(tmp_path)
    assert main(["fit", str(path), "-k", "3", "--stream", "-q", "--jobs", "1", *arguments]) == 0
    whole = io.read_corpus(path, column="text", id_column="url", metadata=["date"])
    (page,) = pages
    rows = [whole.ids.tolist().index(name) for name in page.ids]
    assert 10 <= len(rows) <= 20
    assert [str(day) for day in page.metadata["date"]] == whole.metadata["date"][rows].tolist()
    assert page.texts == [whole.texts[row] for row in rows]


@pytest.mark.parametrize("more", [["--id-column", "url"], ["--metadata", "date,section"]])
@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_columns_of_a_format_without_columns_are_an_error_that_names_those_with_columns(posts, capsys, more, stream):
    page = ["--report", str(posts.parent / "page.html")]
    assert main(["fit", str(posts), "-k", "3", *page, *more, *stream]) == 1
    error = capsys.readouterr().err
    assert "is text, which has no columns" in error
    assert repr(more[1]) in error
    assert "csv, tsv, jsonl, json, parquet, excel" in error
    assert more[0] in error


# Outputs


def failing_transform(monkeypatch):
    def fail(self, X):
        raise ValueError("a broken document")

    monkeypatch.setattr("ldavi.LatentDirichletAllocation.transform", fail)


@pytest.mark.parametrize("name", ["theta.csv", "theta.jsonl", "theta.npz"])
def test_an_error_while_proportions_are_written_leaves_the_old_file(tmp_path, monkeypatch, name):
    model, posts = cli_texts.fit(tmp_path)
    output = tmp_path / name
    output.write_text("old")
    failing_transform(monkeypatch)
    assert main(["transform", str(model), str(posts), "-o", str(output), "-q"]) == 1
    assert output.read_text() == "old"
    assert not [file for file in os.listdir(tmp_path) if file.endswith(".tmp")]


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    with open_output(str(path)) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("name", ["t.csv", "t.npz", "t.ldavi"])
def test_an_error_while_a_model_is_converted_leaves_the_old_file(tmp_path, monkeypatch, name):
    model, _ = cli_texts.fit(tmp_path)
    output = tmp_path / name
    output.write_text("old")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    for function in ("numpy.savez_compressed", "csv.writer", "ldavi.io.save"):
        monkeypatch.setattr(function, fail)
    more = ["--to", "topics-npz"] if name.endswith("npz") else []
    assert main(["convert", str(model), str(output), "-q", *more]) == 1
    assert output.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="a named pipe is a file of POSIX systems")
def test_a_named_pipe_is_written_to_directly(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with open_output(str(path)) as file:
            file.write(b"new")
        assert os.read(descriptor, 10) == b"new"
    finally:
        os.close(descriptor)


# Conversions


def test_a_model_is_converted_to_a_mallet_state_and_back(tmp_path, capsys):
    model, posts = cli_texts.fit(tmp_path)
    state, back = tmp_path / "state.gz", tmp_path / "back.ldavi"
    assert main(["convert", str(model), str(state), "--to", "mallet-state", "--documents", str(posts), "-q"]) == 0
    assert main(["convert", str(state), str(back), "--from", "mallet-state", "-q"]) == 0
    ours, theirs = io.load(model), io.load(back)
    words = io.read_info(back).vocabulary
    columns = [words.index(word) for word in io.read_info(model).vocabulary]
    np.testing.assert_allclose(theirs.topics_[:, columns], ours.topics_, atol=0.03)
    assert len((tmp_path / "state.gz.txt").read_text().splitlines()) == 90


def test_ngrams_are_joined_for_mallet(tmp_path):
    model, posts = cli_texts.fit(tmp_path, "--ngrams", "1,2")
    state = tmp_path / "state.gz"
    assert main(["convert", str(model), str(state), "--to", "mallet-state", "--documents", str(posts), "-q"]) == 0
    words = io.from_mallet_state(state).feature_names_in_
    assert sum("_" in word for word in words) == sum(" " in word for word in io.read_info(model).vocabulary) > 0


@pytest.mark.interop
def test_tomotopy_loads_a_converted_model(tmp_path):
    tomotopy = pytest.importorskip("tomotopy")
    model, posts = cli_texts.fit(tmp_path)
    theirs = tmp_path / "theirs.bin"
    assert main(["convert", str(model), str(theirs), "--to", "tomotopy", "--documents", str(posts), "-q"]) == 0
    back = io.from_tomotopy(tomotopy.LDAModel.load(str(theirs)))
    columns = [back.feature_names_in_.tolist().index(word) for word in io.read_info(model).vocabulary]
    np.testing.assert_allclose(back.topics_[:, columns], io.load(model).topics_, atol=0.03)


@pytest.mark.interop
def test_gensim_loads_a_converted_model(tmp_path):
    gensim = pytest.importorskip("gensim.models")
    model, _ = cli_texts.fit(tmp_path)
    assert main(["convert", str(model), str(tmp_path / "theirs"), "--to", "gensim", "-q"]) == 0
    loaded = gensim.LdaModel.load(str(tmp_path / "theirs"))
    np.testing.assert_allclose(loaded.get_topics(), io.load(model).topics_, rtol=1e-4)


def test_formats_with_topics_of_tokens_need_documents(tmp_path, capsys):
    model, posts = cli_texts.fit(tmp_path)
    assert main(["convert", str(model), str(tmp_path / "s"), "--to", "mallet-state"]) == 2
    assert "--documents" in capsys.readouterr().err
    assert main(["convert", str(model), str(tmp_path / "t.csv"), "--documents", str(posts)]) == 2
