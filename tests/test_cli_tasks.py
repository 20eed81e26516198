"""Tasks of a new user of the command line, each with options that `--help` names."""

import csv
import io as standard_io
import json
import re
import sys
from argparse import ArgumentTypeError

import cli_texts
import numpy as np
import pytest

from ldavi import io, progress
from ldavi._inference.trace import TraceRecord
from ldavi.cli import main
from ldavi.cli._errors import in_options
from ldavi.cli._main import COMMANDS, parser

MODEL_COMMANDS = [name for name in COMMANDS if name != "help"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return the paths of a model file and of its texts."""
    return cli_texts.fit(tmp_path_factory.mktemp("tasks"))


@pytest.fixture
def named(fitted, tmp_path):
    """Return the path of a copy of the model whose topics have names."""
    path = tmp_path / "named.ldavi"
    names = [f"{topic}={theme}" for topic, theme in enumerate(themes_of(fitted[0]))]
    assert main(["names", str(fitted[0]), *names, "-o", str(path), "-q"]) == 0
    return path


def themes_of(model):
    """Return the theme of each topic."""
    theme_of = {word: theme for theme, words in cli_texts.THEMES.items() for word in words}
    lda = io.load(model)
    return [theme_of[lda.vocabulary_[topic.argmax()]] for topic in lda.topics_]


def printed(capsys, *arguments, code=0):
    capsys.readouterr()
    assert main([*map(str, arguments)]) == code
    return capsys.readouterr().out


def rows(capsys, *arguments):
    return list(csv.DictReader(standard_io.StringIO(printed(capsys, *arguments))))


def options_of(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    return set(re.findall(r"(?<!\w)--?[a-z][\w-]*", capsys.readouterr().out))


# 1 to 3: find a command, learn topics, look at them


def test_find_the_command_for_a_task(capsys):
    with pytest.raises(SystemExit):
        main(["help"])
    output = capsys.readouterr().out
    assert all(re.search(rf"^ +{command} +\S", output, re.M) for command in COMMANDS)


def test_learn_topics_and_save_them(tmp_path, capsys):
    model, _ = cli_texts.fit(tmp_path)
    assert io.load(model).vocabulary_.tolist() == sorted(word for words in cli_texts.THEMES.values() for word in words)


def test_see_the_topics_with_their_names(named, capsys):
    assert {row["name"] for row in rows(capsys, "topics", named, "--csv")} == set(cli_texts.THEMES)
    assert cli_texts.run_json(capsys, "topics", named)[0]["name"] in cli_texts.THEMES


# 4 to 6: documents of a topic


def test_read_the_documents_of_a_topic(named, fitted, capsys):
    found = cli_texts.run_json(capsys, "documents", named, fitted[1], "--topic", "Space", "-n", "4")
    texts = fitted[1].read_text().splitlines()
    assert [record["rank"] for record in found] == [1, 2, 3, 4]
    for record in found:
        assert record["name"] == "space"
        assert record["text"] == texts[record["document"]]
        assert set(record["text"].split()) <= set(cli_texts.THEMES["space"])


def test_documents_of_a_table_have_their_names(named, tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("url,body\na,moon comet orbit\nb,cat dog puppy\nc,bond stock loan\n")
    options = ["--column", "body", "--id-column", "url", "-n", "1", "--csv"]
    by_topic = {row["name"]: row["document"] for row in rows(capsys, "documents", named, table, *options)}
    assert by_topic == {"space": "a", "pets": "b", "money": "c"}


@pytest.mark.parametrize(("topic", "message"), [("9", "topics 0 to 2"), ("sport", "names")])
def test_an_unknown_topic_is_refused_with_those_that_exist(named, fitted, capsys, topic, message):
    assert main(["documents", str(named), str(fitted[1]), "--topic", topic]) == 2
    assert message in capsys.readouterr().err


# 7 to 10: names of topics


def test_name_a_topic(fitted, tmp_path, capsys):
    target = tmp_path / "m.ldavi"
    table = printed(capsys, "names", fitted[0], "1=The second", "-o", target)
    assert "The second" in table
    assert io.load(target).topic_names_.tolist() == ["", "The second", ""]
    assert io.read_info(target).metadata == io.read_info(fitted[0]).metadata
    assert not hasattr(io.load(fitted[0]), "topic_names_")


def test_edit_names_in_a_spreadsheet(named, capsys, tmp_path):
    path = tmp_path / "names.csv"
    path.write_text(printed(capsys, "names", named, "--csv").replace("pets", "Animals"))
    main(["names", str(named), "--from", str(path), "-q"])
    assert sorted(io.load(named).topic_names_) == ["Animals", "money", "space"]


def test_read_names_that_a_report_has_saved(named, tmp_path):
    path = tmp_path / "names.json"
    path.write_text('{"0": "first"}')
    main(["names", str(named), "--clear", "--from", str(path), "-q"])
    assert io.load(named).topic_names_.tolist() == ["first", "", ""]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1"], "must be TOPIC=NAME"),
        (["7=x"], "TOPIC 7: no such topic"),
        (["--from", "missing.csv"], "missing.csv"),
        (["-o", "m.ldavi"], "--clear"),
    ],
)
def test_names_that_are_refused_leave_the_file_as_it_is(named, capsys, arguments, message):
    before = named.read_bytes()
    assert main(["names", str(named), *arguments]) in (1, 2)
    assert named.read_bytes() == before
    assert message in capsys.readouterr().err


# 11 and 12: merge topics


def test_merge_topics_by_name(named, fitted, tmp_path, capsys):
    merged = tmp_path / "merged.ldavi"
    printed(capsys, "merge", named, "pets,money", "-o", merged)
    lda = io.load(merged)
    assert lda.n_components == 2
    assert sorted(lda.topic_names_)[1] == "space" or "space" in lda.topic_names_
    assert "elbo" not in io.read_info(merged).metadata["corpus"]
    np.testing.assert_allclose(lda.transform(np.ones((1, 30), int)).sum(), 1)
    assert main(["transform", str(merged), str(fitted[1]), "-o", str(tmp_path / "t.csv"), "-q"]) == 0


def test_find_topics_to_merge(named, capsys):
    found = cli_texts.run_json(capsys, "merge", named, "--max-distance", "1")
    assert {record["group"] for record in found} == {1}
    assert main(["merge", str(named), "0,1"]) == 2
    assert "-o FILE" in capsys.readouterr().err
    assert main(["merge", str(named), "1", "-o", "x.ldavi"]) == 2
    assert "two topics or more" in capsys.readouterr().err


# 13 and 14: compare models


def test_compare_two_models(named, fitted, tmp_path, capsys):
    other, _ = cli_texts.fit(tmp_path, "--seed", "1", "--restarts", "2")
    found = cli_texts.run_json(capsys, "compare", named, other)
    assert len(found["pairs"]) == 3
    assert found["mean_similarity"] > 0.9
    for pair in found["pairs"]:
        assert set(pair["words"].split()) <= set(cli_texts.THEMES[pair["name"]])
        assert set(pair["other_words"].split()) <= set(cli_texts.THEMES[pair["name"]])


def test_models_of_other_words_and_numbers_of_topics_are_compared(named, tmp_path, capsys):
    posts = tmp_path / "p.txt"
    posts.write_text("moon comet rover\nrover moon\ncat dog tail\ntail cat\n")
    other = tmp_path / "other.ldavi"
    assert main(["fit", str(posts), "-k", "2", "-o", str(other), "-q"]) == 0
    assert len(rows(capsys, "compare", named, other, "--csv")) == 3
    posts.write_text("soup salad\nsoup bread\n")
    assert main(["fit", str(posts), "-k", "1", "-o", str(other), "-q"]) == 0
    assert main(["compare", str(named), str(other)]) == 1
    assert "no word in common" in capsys.readouterr().err


# 15 and 16: seed words and restarts


def test_guide_topics_with_seed_words(tmp_path, capsys):
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("\ufeff# my topics\n\nMoney: Bond, stock, unheard\ncat dog\n", encoding="utf-8")
    model, _ = cli_texts.fit(tmp_path, "--seed-words", str(seeds))
    lda = io.load(model)
    words = {name: set(cli_texts.THEMES[name]) for name in cli_texts.THEMES}
    assert lda.vocabulary_[lda.topics_[0].argmax()] in words["money"]
    assert lda.vocabulary_[lda.topics_[1].argmax()] in words["pets"]
    assert lda.topic_names_.tolist() == ["Money", "", ""]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a\nb\nc\nd\n", 2, "add -k 4"),
        ("cat\nzebra, lion\n", 1, "line 2: none of its words"),
        ("pets:\n", 1, "line 1: names a topic"),
        ("\n# nothing\n", 1, "has no seed words"),
    ],
)
@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_seed_words_that_have_no_effect_are_refused(tmp_path, capsys, text, code, message, stream):
    posts, seeds = cli_texts.write_posts(tmp_path), tmp_path / "seeds.txt"
    seeds.write_text(text)
    assert main(["fit", str(posts), "-k", "3", "--seed-words", str(seeds), *stream]) == code
    assert message in capsys.readouterr().err


def test_seed_words_that_are_not_counted_are_named(tmp_path, capsys):
    posts, seeds = cli_texts.write_posts(tmp_path), tmp_path / "seeds.txt"
    seeds.write_text("cat, zebra")
    assert main(["fit", str(posts), "-k", "3", "--seed-words", str(seeds)]) == 0
    assert "left out: zebra" in capsys.readouterr().err


def test_keep_the_best_of_several_starts(tmp_path, capsys):
    first, _ = cli_texts.fit(tmp_path)
    elbo = io.load(first).elbo_
    best, _ = cli_texts.fit(tmp_path, "--restarts", "3")
    assert io.load(best).n_init == 3
    assert io.load(best).elbo_ >= elbo


# 17 to 19: topics of a table's rows


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("id;date;topic;text\n1;31/12/2023;x;moon comet\n2;;=1+1;cat dog dog\n3;1/1/2024;z;unknown\n")
    return path


KEEP = ["--column", "text", "--id-column", "id", "--keep-columns", "date,topic", "--dominant"]


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_add_the_dominant_topic_to_a_table(named, table, capsys, stream):
    found = rows(capsys, "transform", named, table, *KEEP, "--no-proportions", *stream)
    assert list(found[0]) == ["document", "date", "topic (input)", "topic", "topic_name", "proportion"]
    assert [row["topic_name"] for row in found] == ["space", "pets", ""]
    assert [row["date"] for row in found] == ["31/12/2023", "", "1/1/2024"]
    assert [row["topic (input)"] for row in found] == ["x", "'=1+1", "z"]
    assert found[2]["proportion"] == ""


def test_documents_without_a_known_word_are_counted(named, table, capsys):
    main(["transform", str(named), str(table), "--column", "text"])
    assert "1 of 3 documents have no word that the model knows" in capsys.readouterr().err


def test_write_json_lines_with_columns(named, table, capsys):
    lines = [
        json.loads(line) for line in printed(capsys, "transform", named, table, *KEEP, "--to", "jsonl").splitlines()
    ]
    assert lines[0]["topic_name"] == "space"
    assert lines[1]["topic (input)"] == "=1+1"
    assert lines[2]["topic"] is None
    assert len(lines[0]["topics"]) == 3


def test_write_a_spreadsheet(named, table, tmp_path):
    pytest.importorskip("xlsxwriter")
    calamine = pytest.importorskip("python_calamine")
    path = tmp_path / "topics.xlsx"
    assert main(["transform", str(named), str(table), *KEEP, "-o", str(path), "-q"]) == 0
    header, first, second, third = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert header[:6] == ["document", "date", "topic (input)", "topic", "topic_name", "proportion"]
    assert first[4] == "space"
    assert second[2] == "=1+1"
    assert third[3] == ""
    assert isinstance(first[5], float)


@pytest.mark.parametrize(
    "arguments",
    [["--no-proportions"], ["--dominant", "-o", "t.npz"], ["--to", "xlsx"], ["--keep-columns", "a", "-o", "t.npz"]],
)
def test_options_of_transform_without_effect_are_refused(named, table, capsys, arguments):
    assert main(["transform", str(named), str(table), "--column", "text", *arguments]) == 2
    assert capsys.readouterr().out == ""


def test_an_unknown_column_is_refused_before_anything_is_written(named, table, capsys):
    assert main(["transform", str(named), str(table), "--column", "text", "--keep-columns", "day"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "'day'" in captured.err


# 20: understand what went wrong


@pytest.mark.parametrize("command", MODEL_COMMANDS)
def test_every_value_that_is_no_number_is_explained(command, capsys):
    commands = next(action for action in parser([command])._actions if action.dest == "command")
    for action in commands.choices[command]._actions:
        if action.type is not None and action.type.__name__ != "prior":  # whose words the estimator checks
            with pytest.raises(ArgumentTypeError, match="must be"):
                action.type("no number")


@pytest.mark.parametrize(
    ("message", "in_words_of_options"),
    [
        ("n_init=0 must be", "--restarts 0 must be"),
        ("seed_words has", "--seed-words has"),
        ('doc_topic_prior=0 must be None, "auto", a number > 0 or an array of them', "--alpha 0 must be auto, none or"),
        ("the column of a format", "the column of a format"),
    ],
)
def test_messages_name_options(message, in_words_of_options):
    assert in_options(message).startswith(in_words_of_options)


def test_a_sweep_that_is_interrupted_names_the_option_that_would_have_kept_it(fitted, monkeypatch, capsys):
    def sweep(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ldavi.selection.sweep", sweep)
    assert main(["sweep", str(fitted[1]), "-k", "2"]) == 130
    assert "--keep FILE" in capsys.readouterr().err
    assert main(["sweep", str(fitted[1]), "-k", "2", "--keep", "fits.jsonl"]) == 130
    assert f"ldavi sweep {fitted[1]} -k 2 --keep fits.jsonl" in capsys.readouterr().err


# Progress


def record(iteration, phase="monotone", word=-1000.0):
    return TraceRecord(iteration, phase, word, 0.0, 0.0, 912.0, 2.0, 1.0)


def test_progress_shows_the_gain_against_the_limit():
    note = progress.pass_note(record(7, word=-999.0), record(6), tol=1e-5)
    assert note == "gain 1.0e-03 (ends below 1e-05), perplexity 912.0"
    assert progress.pass_note(record(1), None, tol=1e-5) == "perplexity 912.0"
    assert progress.pass_note(record(1, "collapsed"), None, tol=1e-5).startswith("collapsed pass")


class Terminal(standard_io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("more", "has_end"), [([], False), (["--tol", "none", "--passes", "4"], True)])
def test_progress_has_an_end_only_where_it_is_known(tmp_path, monkeypatch, more, has_end):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("ldavi.cli._progress.DELAY", 0.0)
    monkeypatch.setattr("ldavi.cli._progress.INTERVAL", 0.0)
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    stream = ["--stream"] if has_end else []  # whose online passes have no --tol
    assert main(["fit", str(cli_texts.write_posts(tmp_path)), "-k", "3", *more[2:], *stream]) == 0
    shown = [line for line in terminal.getvalue().splitlines() if line.startswith("fitting: ")]
    assert shown
    assert any(" of 4" in line for line in shown) is has_end
    assert not any(" of 1,000" in line or " left" in line for line in shown)
