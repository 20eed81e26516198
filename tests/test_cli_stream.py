"""`ldavi fit --stream` and `ldavi transform --stream`: a batch at a time."""

import re
import signal

import cli_texts
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation, io
from ldavi.cli import _stream, main
from ldavi.cli._corpus import PATTERN


def stream(posts, model, *more):
    return main(["fit", str(posts), "-k", "3", "--stream", "-o", str(model), "--jobs", "1", "-q", *more])


@pytest.fixture
def posts(tmp_path):
    return cli_texts.write_posts(tmp_path, 100)


def test_a_stream_is_partial_fit_over_batches(tmp_path, posts):
    assert stream(posts, tmp_path / "m.ldavi", "--batch-size", "40", "--passes", "2") == 0
    X, words = io.count_words(posts.read_text().splitlines(), token_pattern=PATTERN)
    expected = LatentDirichletAllocation(3, random_state=0, batch_size=40, total_samples=100)
    expected.partial_fit(X).partial_fit(X)
    model = io.load(tmp_path / "m.ldavi")
    assert io.read_info(tmp_path / "m.ldavi").vocabulary == words.tolist()
    np.testing.assert_array_equal(model.components_, expected.components_)


def test_an_automatic_step_of_a_stream_is_that_of_none_given(tmp_path, posts):
    for name, options in (("auto", ["--batch-size", "auto"]), ("none", [])):
        assert stream(posts, tmp_path / name, *options) == 0
    first, second = (io.load(tmp_path / name) for name in ("auto", "none"))
    assert first.batch_size == second.batch_size == 1024
    np.testing.assert_array_equal(first.components_, second.components_)


@pytest.mark.parametrize("size", ["two", "0", "1.5"])
def test_a_batch_size_that_is_none_is_refused_by_its_value(posts, tmp_path, size, capsys):
    with pytest.raises(SystemExit):
        stream(posts, tmp_path / "m.ldavi", "--batch-size", size)
    assert f"--batch-size: {size} must be" in capsys.readouterr().err


def test_words_are_chosen_as_by_a_fit_in_memory(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{'alpha' if i % 2 else 'beta'} all c3po {'lone' * (i == 7)} quiz\n" for i in range(50)))
    assert stream(path, tmp_path / "stream.ldavi", "--batch-size", "8") == 0
    assert main(["fit", str(path), "-k", "3", "-q", "-o", str(tmp_path / "whole.ldavi")]) == 0
    vocabulary = io.read_info(tmp_path / "stream.ldavi").vocabulary
    assert vocabulary == io.read_info(tmp_path / "whole.ldavi").vocabulary == ["alpha", "beta"]


def test_standard_input_can_be_streamed_in_several_passes(tmp_path, posts, monkeypatch):
    assert stream(posts, tmp_path / "file.ldavi") == 0
    with posts.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert stream("-", tmp_path / "stdin.ldavi") == 0
    first, second = (io.load(tmp_path / name).components_ for name in ("file.ldavi", "stdin.ldavi"))
    np.testing.assert_array_equal(first, second)


def test_counts_are_streamed_too(tmp_path, posts):
    counts = tmp_path / "c.mtx"
    assert main(["convert", str(posts), str(counts), "-q"]) == 0
    X = io.read_corpus(counts).X.tocsr()
    lines = [f"{d + 1} {w + 1} {X[d, w]}" for d, w in zip(*X.nonzero(), strict=True)]
    uci = tmp_path / "docword.c.txt"
    uci.write_text("\n".join([*map(str, (*X.shape, X.nnz)), *lines]) + "\n")
    assert stream(uci, tmp_path / "uci.ldavi", "--batch-size", "50", "--passes", "1") == 0
    expected = LatentDirichletAllocation(3, random_state=0, batch_size=50).partial_fit(X)
    np.testing.assert_array_equal(io.load(tmp_path / "uci.ldavi").components_, expected.components_)


@pytest.mark.parametrize("at", [1, 3, 5])
def test_an_interrupted_stream_goes_on_with_the_same_bits(tmp_path, posts, monkeypatch, capsys, at):
    monkeypatch.setattr(_stream, "READ", 40)  # three batches in a pass
    checkpoint = tmp_path / "c.ldavi"
    assert stream(posts, tmp_path / "whole.ldavi", "--passes", "2") == 0
    fit, calls = LatentDirichletAllocation.partial_fit, []

    def and_interrupt(self, X, *more):
        calls.append(X.shape[0])
        if len(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return fit(self, X, *more)

    with monkeypatch.context() as patch:
        patch.setattr(LatentDirichletAllocation, "partial_fit", and_interrupt)
        assert stream(posts, tmp_path / "m.ldavi", "--passes", "2", "--checkpoint", str(checkpoint)) == 130
    assert len(calls) == at
    command = re.search(r"^  ldavi (.*)$", capsys.readouterr().err, re.M)[1].split()
    assert command[-2:] == ["--resume", str(checkpoint)]
    assert main(command) == 0
    first, second = (io.load(tmp_path / name).components_ for name in ("whole.ldavi", "m.ldavi"))
    np.testing.assert_array_equal(first, second)


def test_a_checkpoint_is_kept_every_so_often(tmp_path, posts, monkeypatch):
    kept = []
    monkeypatch.setattr(_stream, "READ", 40)
    monkeypatch.setattr(_stream, "save_checkpoint", lambda path, what: kept.append(dict(what.progress)))
    more = ["--checkpoint", str(tmp_path / "c.ldavi"), "--checkpoint-minutes", "1e-9", "--passes", "1"]
    assert stream(posts, tmp_path / "m.ldavi", *more) == 0
    assert [progress["documents"] for progress in kept] == [40, 80, 100]


def test_a_report_has_a_sample_of_the_documents(monkeypatch):
    monkeypatch.setattr(_stream, "SAMPLE", 4)
    sample = _stream.Sample()
    X = np.arange(30)[:, None]
    for first in range(0, 30, 5):
        sample.add(
            io.count_words([f"w{i}" for i in range(5)])[0][:, :0], {"texts": [str(i) for i in range(first, first + 5)]}
        )
    corpus = sample.corpus(None, None)
    numbers = [int(text) for text in corpus.texts]
    assert 4 <= len(numbers) <= 8
    assert set(np.diff(numbers)) == {numbers[1]}
    assert corpus.ids.tolist() == corpus.texts
    assert corpus.X.shape[0] == len(numbers) <= len(X)


def test_what_a_stream_cannot_do_is_usage(posts, tmp_path, capsys):
    assert stream(posts, tmp_path / "m.ldavi", "--learning-method", "batch") == 2
    assert not (tmp_path / "m.ldavi").exists()


def test_transform_in_batches_gives_what_it_gives_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ldavi.cli._transform.ROWS", 40)
    model, posts = cli_texts.fit(tmp_path)
    outputs = []
    for more in ([], ["--stream"]):
        capsys.readouterr()
        assert main(["transform", str(model), str(posts), *more]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 91
