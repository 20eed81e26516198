"""`ldavi fit --stream` and `ldavi transform --stream`: documents in batches."""

import cli_texts
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation, io
from ldavi.cli import _batches, _counting, _model_options, main
from ldavi.io._counting.recipe import PATTERN


def stream(posts, model, *more):
    return main(["fit", str(posts), "-k", "3", "--stream", "-o", str(model), "--jobs", "1", "-q", *more])


@pytest.fixture
def posts(tmp_path):
    return cli_texts.write_posts(tmp_path, 100)


@pytest.fixture
def counts(posts):
    return io.count_words(posts.read_text().splitlines(), token_pattern=PATTERN)[0]


# Fits


def test_a_streamed_fit_is_an_online_fit_over_batches(tmp_path, posts, counts):
    assert stream(posts, tmp_path / "m.ldavi", "--batch-size", "40", "--passes", "2") == 0
    lda = LatentDirichletAllocation(
        3, learning_method="online", max_iter=2, tol=None, batch_size=40, n_jobs=1, random_state=0
    )
    expected = lda.fit([counts])
    model = io.load(tmp_path / "m.ldavi")
    np.testing.assert_array_equal(model.components_, expected.components_)
    assert model.elbo_ == expected.elbo_


@pytest.mark.parametrize("inference", ["vb", "cvb0"])
def test_a_streamed_fit_takes_three_online_passes_by_default(tmp_path, posts, inference):
    assert stream(posts, tmp_path / "m.ldavi", "--inference", inference) == 0
    model = io.load(tmp_path / "m.ldavi")
    assert (model.learning_method, model.n_iter_, model.batch_size) == ("online", 3, 1024)


@pytest.mark.parametrize("inference", ["vb", "cvb0"])
@pytest.mark.parametrize("method", ["batch", "memoized"])
def test_a_streamed_fit_offers_the_other_learning_methods(tmp_path, posts, counts, method, inference):
    options = ["--learning-method", method, "--inference", inference]
    assert stream(posts, tmp_path / "m.ldavi", *options) == 0
    parameters = {"learning_method": method, "inference": inference}
    expected = LatentDirichletAllocation(3, n_jobs=1, random_state=0, **parameters).fit([counts])
    np.testing.assert_array_equal(io.load(tmp_path / "m.ldavi").components_, expected.components_)


def test_an_automatic_step_of_a_streamed_fit_is_the_default(tmp_path, posts):
    for name, options in (("auto", ["--batch-size", "auto"]), ("none", [])):
        assert stream(posts, tmp_path / name, *options) == 0
    first, second = (io.load(tmp_path / name) for name in ("auto", "none"))
    assert first.batch_size == second.batch_size == 1024
    np.testing.assert_array_equal(first.components_, second.components_)


@pytest.mark.parametrize("size", ["two", "0", "1.5"])
def test_an_invalid_batch_size_is_refused_with_its_value(posts, tmp_path, size, capsys):
    with pytest.raises(SystemExit):
        stream(posts, tmp_path / "m.ldavi", "--batch-size", size)
    assert f"--batch-size: {size} must be" in capsys.readouterr().err


def test_standard_input_is_streamed_in_several_passes(tmp_path, posts, monkeypatch):
    assert stream(posts, tmp_path / "file.ldavi") == 0
    with posts.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert stream("-", tmp_path / "stdin.ldavi") == 0
    first, second = (io.load(tmp_path / name).components_ for name in ("file.ldavi", "stdin.ldavi"))
    np.testing.assert_array_equal(first, second)


def test_counts_are_streamed(tmp_path, posts):
    counts = tmp_path / "c.mtx"
    assert main(["convert", str(posts), str(counts), "-q"]) == 0
    X = io.read_corpus(counts).X.tocsr()
    lines = [f"{d + 1} {w + 1} {X[d, w]}" for d, w in zip(*X.nonzero(), strict=True)]
    uci = tmp_path / "docword.c.txt"
    uci.write_text("\n".join([*map(str, (*X.shape, X.nnz)), *lines]) + "\n")
    assert stream(uci, tmp_path / "uci.ldavi", "--batch-size", "50", "--passes", "1") == 0
    lda = LatentDirichletAllocation(3, learning_method="online", max_iter=1, tol=None, random_state=0, batch_size=50)
    np.testing.assert_array_equal(io.load(tmp_path / "uci.ldavi").components_, lda.fit([X]).components_)
    assert io.read_info(tmp_path / "uci.ldavi").metadata["corpus"]["documents"] == 100


def test_options_of_counting_are_refused_for_streamed_counts(tmp_path, posts, capsys):
    assert main(["convert", str(posts), str(tmp_path / "c.mtx"), "-q"]) == 0
    assert stream(tmp_path / "c.mtx", tmp_path / "m.ldavi", "--min-df", "3") == 2
    assert "--min-df applies to texts" in capsys.readouterr().err


# Words

LINES = [f"{'alpha' if i % 2 else 'beta'} all c3po {'lone' * (i == 7)} quiz {'many ' * (i % 5)}" for i in range(50)]


@pytest.mark.parametrize(
    "options",
    [[], ["--max-df", "1.0"], ["--min-df", "0.45"], ["--max-features", "2"], ["--ngrams", "1,2", "--max-features=5"]],
    ids=" ".join,
)
def test_words_are_those_of_a_fit_in_memory(tmp_path, monkeypatch, options):
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    monkeypatch.setattr(_model_options, "STREAM_STEP", 8)
    assert stream(path, tmp_path / "stream.ldavi", *options) == 0
    assert main(["fit", str(path), "-k", "3", "-q", "-o", str(tmp_path / "whole.ldavi"), *options]) == 0
    vocabulary = io.read_info(tmp_path / "stream.ldavi").vocabulary
    assert vocabulary == io.read_info(tmp_path / "whole.ldavi").vocabulary


@pytest.mark.parametrize("n", [10, 20, 40, 45])
def test_the_default_limits_of_a_streamed_fit_follow_the_size_of_the_corpus(tmp_path, monkeypatch, n):
    monkeypatch.setattr(_counting, "MEDIUM", 40)
    monkeypatch.setattr(_model_options, "STREAM_STEP", 8)
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{line} {'rare' * (i < 3)}\n" for i, line in enumerate(LINES[:n])))
    assert stream(path, tmp_path / "stream.ldavi") == 0
    assert main(["fit", str(path), "-k", "3", "-q", "-o", str(tmp_path / "whole.ldavi")]) == 0
    vocabulary = io.read_info(tmp_path / "stream.ldavi").vocabulary
    assert vocabulary == io.read_info(tmp_path / "whole.ldavi").vocabulary


def test_a_streamed_fit_without_words_names_the_options_to_change(tmp_path, posts, capsys):
    assert stream(posts, tmp_path / "m.ldavi", "--min-df", "1.0", "--max-df", "1.0") == 1
    assert "decrease --min-df or increase --max-df" in capsys.readouterr().err


# The sample of a report


def test_a_sample_is_every_nth_document(monkeypatch):
    monkeypatch.setattr(_batches, "SAMPLE", 4)
    sample = _batches.Sample()
    empty = io.count_words([f"w{i}" for i in range(5)])[0][:, :0]
    for first in range(0, 30, 5):
        sample.add(empty, {"texts": [str(i) for i in range(first, first + 5)]})
    corpus = sample.corpus(None, None)
    numbers = [int(text) for text in corpus.texts]
    assert 4 <= len(numbers) <= 8
    assert set(np.diff(numbers)) == {numbers[1]}
    assert corpus.ids.tolist() == corpus.texts
    assert corpus.X.shape[0] == len(numbers)


# transform


def test_transform_in_batches_gives_the_proportions_of_transform_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ldavi.cli._transform_command.ROWS", 40)
    model, posts = cli_texts.fit(tmp_path)
    outputs = []
    for more in ([], ["--stream"]):
        capsys.readouterr()
        assert main(["transform", str(model), str(posts), *more]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 91
