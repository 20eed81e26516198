"""`ldavi fit`: topics, a model file and a report from documents."""

import csv
import gzip
import json
import re
import sys
import types
from pathlib import Path

import cli_texts
import numpy as np
import pytest

from ldavi import LatentDirichletAllocation, io
from ldavi.cli import _counting, _report_command, main
from ldavi.io._counting.recipe import PATTERN


@pytest.fixture
def reports(monkeypatch):
    """Record what would be written to a report, without the libraries of the extra."""
    written = []
    stub = types.ModuleType("ldavi.report")

    def write(path, model, X, **more):
        Path(path).write_text("<html>")
        written.append({"path": path, "model": model, "X": X, **more})

    stub.write = write
    monkeypatch.setitem(sys.modules, "ldavi.report", stub)
    monkeypatch.setattr(_report_command, "NEEDED", ())
    return written


def test_topics_are_the_themes_of_the_texts(tmp_path, capsys):
    cli_texts.fit(tmp_path, "--json")
    topics = json.loads(capsys.readouterr().out)["topics"]
    found = {frozenset(word["word"] for word in topic["words"]) for topic in topics}
    assert found == {frozenset(words) for words in cli_texts.THEMES.values()}


def test_the_table_has_the_largest_topic_first(tmp_path, capsys):
    main(["fit", str(cli_texts.write_posts(tmp_path, 80)), "-k", "3", "-q"])
    shares = [float(share) for share in re.findall(r"^ +\d+ +([\d.]+)%  \w+", capsys.readouterr().out, re.M)]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_the_model_equals_that_of_the_estimator_on_the_same_counts(tmp_path):
    path, posts = cli_texts.fit(tmp_path, "--seed", "4", "--alpha", "0.2", "--eta", "none")
    X, words = io.count_words(posts.read_text().splitlines(), token_pattern=PATTERN)
    expected = LatentDirichletAllocation(3, random_state=4, doc_topic_prior=0.2, topic_word_prior=None).fit(X)
    assert io.read_info(path).vocabulary == words.tolist()
    np.testing.assert_array_equal(io.load(path).components_, expected.components_)


def test_the_number_of_threads_does_not_change_the_model(tmp_path):
    path, posts = cli_texts.fit(tmp_path)
    other = tmp_path / "other.ldavi"
    main(["fit", str(posts), "-k", "3", "-o", str(other), "--jobs", "2", "-q"])
    np.testing.assert_array_equal(io.load(path).components_, io.load(other).components_)


def test_the_model_file_holds_how_texts_were_counted(tmp_path):
    path, _ = cli_texts.fit(
        tmp_path, "--ngrams", "1,2", "--stop-words", "none", "--token-pattern", "[a-z]{4,}", "--keep-case"
    )
    counting = io.read_info(path).metadata["counting"]
    named = {"token_pattern": "[a-z]{4,}", "lowercase": False, "ngrams": [1, 2], "stop_words": None}
    assert counting == named | {"language": "any", "tokenizer": None, "lemmatizer": None, "phrases": []}


def test_a_model_file_has_no_callbacks(tmp_path):
    model = io.load(cli_texts.fit(tmp_path)[0])
    assert model.callbacks is None


# Counting


def words_of(tmp_path, lines, *options):
    path, model = tmp_path / "lines.txt", tmp_path / "lines.ldavi"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert main(["fit", str(path), "-k", "2", "-o", str(model), "-q", *options]) == 0
    return io.read_info(model).vocabulary


def test_words_are_three_letters_or_more_of_any_alphabet(tmp_path):
    assert words_of(tmp_path, ["Ωμέγα it 1984 b2b2 snake_case Öl Über naïve"]) == ["naïve", "über", "ωμέγα"]


def test_topical_words_are_no_stop_words(tmp_path):
    assert words_of(tmp_path, ["the system is on fire"]) == ["fire", "system"]


def test_stop_words_and_parts_of_contractions_are_left_out(tmp_path):
    assert words_of(tmp_path, ["the cat doesn't and hadn't", "these dogs aren't"]) == ["cat", "dogs"]


def test_stop_words_of_a_file(tmp_path):
    (tmp_path / "stop.txt").write_text("cat\n")
    assert words_of(tmp_path, ["the cat sat"], "--stop-words", str(tmp_path / "stop.txt")) == ["sat", "the"]


@pytest.mark.parametrize(("n", "minimum"), [(19, 1), (20, 2), (999, 2), (1000, 5)])
def test_the_default_min_df_follows_the_size_of_the_corpus(tmp_path, n, minimum):
    lines = [
        f"{'alpha' if i % 3 else 'beta'} {'quintet' if i < 5 else ''} {'pair' if i < 2 else ''} {'lone' * (not i)}"
        for i in range(n)
    ]
    counts = {"quintet": 5, "pair": 2, "lone": 1}
    expected = {word for word, documents in counts.items() if documents >= minimum}
    assert expected == set(words_of(tmp_path, lines)) & counts.keys()


def test_words_in_more_than_half_of_the_documents_are_left_out(tmp_path):
    lines = [f"common {'half' if i % 2 else 'rest'}" for i in range(20)]
    assert words_of(tmp_path, lines) == ["half", "rest"]
    assert words_of(tmp_path, lines, "--max-df", "1.0") == ["common", "half", "rest"]


def test_limits_are_numbers_or_shares(tmp_path):
    lines = ["alpha beta", "alpha gamma", "alpha beta", "delta"]
    assert words_of(tmp_path, lines, "--min-df", "2") == ["alpha", "beta"]
    assert words_of(tmp_path, lines, "--min-df", "0.75") == ["alpha"]
    assert words_of(tmp_path, lines, "--max-df", "2") == ["beta", "delta", "gamma"]


def test_max_features_keeps_the_most_frequent(tmp_path):
    assert words_of(tmp_path, ["alpha alpha beta", "alpha gamma gamma"], "--max-features", "2") == ["alpha", "gamma"]


def test_a_vocabulary_names_the_words_to_count(tmp_path):
    (tmp_path / "words.txt").write_text("zebra\ncat\n")
    assert words_of(tmp_path, ["cat zebra dog"], "--vocabulary", str(tmp_path / "words.txt")) == ["zebra", "cat"]


# Input


def test_a_compressed_table_with_names_and_dates(tmp_path, reports):
    table = tmp_path / "posts.csv.gz"
    with gzip.open(table, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["url", "body", "year"])
        writer.writerows([f"u{i}", text, 2000 + i] for i, text in enumerate(cli_texts.texts(30)))
    page = tmp_path / "r.html"
    arguments = [
        "--column",
        "body",
        "--id-column",
        "url",
        "--metadata",
        "year",
        "--report",
        str(page),
        "--title",
        "Posts",
    ]
    assert main(["fit", str(table), "-k", "3", "-q", *arguments]) == 0
    (report,) = reports
    assert report["document_names"] == [f"u{i}" for i in range(30)]
    assert report["metadata"]["year"].tolist() == [2000 + i for i in range(30)]
    assert report["texts"] == cli_texts.texts(30)
    assert report["title"] == "Posts"
    assert report["X"].shape == (30, len(report["feature_names"]))
    assert page.exists()


def test_open_opens_the_report_in_the_browser(tmp_path, reports, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    page = tmp_path / "r.html"
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "3", "-q", "--report", str(page), "--open"]) == 0
    assert opened == [page.as_uri()]


def test_counts_with_a_vocabulary_in_the_same_folder(tmp_path, capsys):
    posts = cli_texts.write_posts(tmp_path)
    assert main(["convert", str(posts), str(tmp_path / "c.npz"), "-q"]) == 0
    for name in (posts, tmp_path / "c.npz"):
        assert main(["fit", str(name), "-k", "3", "-q"]) == 0
    first, second = capsys.readouterr().out.split("topic  share  words")[1:]
    assert first == second


def test_standard_input(tmp_path, monkeypatch):
    path, posts = cli_texts.fit(tmp_path)
    with posts.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["fit", "-", "-k", "3", "-q", "-o", str(tmp_path / "stdin.ldavi")]) == 0
    np.testing.assert_array_equal(io.load(path).components_, io.load(tmp_path / "stdin.ldavi").components_)


# Messages


def test_messages_describe_the_documents_and_the_fit(tmp_path, capsys):
    posts = cli_texts.write_posts(tmp_path)
    main(["fit", str(posts), "-k", "3"])
    error = capsys.readouterr().err
    assert f"{posts} (text): 90 documents, 30 words, 2,700 tokens" in error
    assert re.search(
        r"^3 topics: \d+ passes, converged, [\d.]+ s; perplexity of these documents [\d.]+, ELBO -", error, re.M
    )


def test_quiet_writes_no_messages(tmp_path, capsys):
    main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "3", "-q", "--passes", "2"])
    assert capsys.readouterr().err == ""


def test_verbose_writes_a_line_per_pass(tmp_path, capsys):
    main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "3", "-v", "--passes", "4", "--tol", "0"])
    assert len(re.findall(r"^pass +\d+  \w+ +(?:ELBO|log predictive) -", capsys.readouterr().err, re.M)) == 4


def test_a_warning_is_one_line(tmp_path, capsys):
    main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "3", "--passes", "2"])
    line = re.search(r"^ldavi fit: note: The fit did not converge: .*$", capsys.readouterr().err, re.M)[0]
    assert line.endswith("the last of --passes 2; --tol 1e-05 requires less. Increase --passes or --tol.")


def test_the_default_limits_follow_the_number_of_documents():
    options = types.SimpleNamespace(min_df=None, max_df=None)
    assert [_counting.frequency_limits(options, n) for n in (10, 100, 1000)] == [(1, 1.0), (2, 0.5), (5, 0.5)]
