"""The command `ldavi effects`."""

import csv
import io as streams
import sys

import cli_texts
import numpy as np
import pytest

from ldavi import inspection, io
from ldavi.cli import main
from ldavi.cli._reading import names_in


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a model and a table of its texts, of which every third is about each theme."""
    folder = tmp_path_factory.mktemp("effects")
    model, posts = cli_texts.fit(folder)
    lines = posts.read_text().splitlines()
    table = folder / "posts.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "year", "section", "language"])
        for i, line in enumerate(lines):
            writer.writerow([line, 2000 + i % 7, ["pets", "money", "space"][i % 3] if i != 5 else "", "en"])
    return model, table


def expected(files, **options):
    model, words = io.load(files[0]), io.read_info(files[0]).vocabulary
    corpus = io.read_corpus(files[1], column="text", metadata=["year", "section"], vocabulary=words)
    known = np.flatnonzero(np.array(corpus.metadata["section"]) != "")
    year = np.array([float(value) for value in corpus.metadata["year"][known]])
    covariates = {"year": year, "section": corpus.metadata["section"][known]}
    return inspection.estimate_effect(model, corpus.X[known], covariates, random_state=0, **options)


def test_effects_are_those_of_inspection(files, capsys):
    rows = cli_texts.run_json(capsys, "effects", *files, "--column", "text", "--covariates", "year,section", "-q")
    table = expected(files)
    assert [row["term"] for row in rows] == table["term"].tolist()
    np.testing.assert_allclose([row["estimate"] for row in rows], table["estimate"])
    np.testing.assert_allclose([row["upper"] for row in rows], table["upper"])


def test_a_formula_names_its_columns(files, capsys):
    formula = "~ section * year"
    rows = cli_texts.run_json(capsys, "effects", *files, "--column", "text", "--formula", formula, "--samples", 5, "-q")
    np.testing.assert_allclose(
        [row["estimate"] for row in rows], expected(files, formula=formula, n_samples=5)["estimate"]
    )


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("~ section + bs(year, df=3)", ["section", "year"]),
        ("~ np.log(year) + C(section)", ["section", "year"]),
        ("~ bs(year, df=3, degree=2):section", ["section", "year"]),
        ("~ `the year` + x", ["the year", "x"]),
        ("~ 1", []),
    ],
)
def test_names_in_a_formula_are_found_also_in_calls(formula, names):
    pytest.importorskip("formulaic")
    assert names_in(formula) == names


def test_a_spline_of_a_column_is_estimated(files, capsys):
    pytest.importorskip("formulaic")
    rows = cli_texts.run_json(
        capsys, "effects", *files, "--column", "text", "--formula", "~ section + bs(year, df=3)", "--samples", 5, "-q"
    )
    assert len({row["term"] for row in rows}) == 6


def test_documents_without_a_value_are_left_out_with_a_message(files, capsys):
    assert main(["effects", *map(str, files), "--column", "text", "--covariates", "section"]) == 0
    captured = capsys.readouterr()
    assert "1 documents without a value" in captured.err
    assert "section[T.pets]" in captured.out
    assert captured.out.splitlines()[0].split() == [
        "topic",
        "words",
        "term",
        "estimate",
        "std.",
        "error",
        "lower",
        "upper",
    ]


def test_csv_has_a_row_for_each_topic_and_term(files, capsys):
    assert main(["effects", *map(str, files), "--column", "text", "--covariates", "year", "--csv", "-q"]) == 0
    rows = list(csv.DictReader(streams.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3 * 2
    assert rows[0].keys() == {"topic", "term", "estimate", "std_error", "lower", "upper"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name the covariates"),
        (["--formula", "~ section +"], 1, "--formula '~ section +' is not valid"),
        (["--covariates", "colour"], 1, "colour"),
        (["--covariates", "language"], 1, "'language' is 'en' in all documents, so that it has no effect"),
    ],
)
def test_wrong_options_are_refused(files, arguments, code, message, capsys):
    assert main(["effects", *map(str, files), "--column", "text", *arguments]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--level", "2", "2 must be > 0 and < 1"), ("--samples", "1", "1 must be an integer of at least 2")],
)
def test_a_number_out_of_range_is_refused(files, capsys, option, value, message):
    with pytest.raises(SystemExit) as ended:
        main(["effects", *map(str, files), "--covariates", "year", option, value])
    assert ended.value.code == 2
    assert f"{option}: {message}" in capsys.readouterr().err


def test_a_formula_without_formulaic_names_the_extra(files, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "formulaic", None)
    assert main(["effects", *map(str, files), "--column", "text", "--formula", "~ year"]) == 1
    assert "ldavi[effects]" in capsys.readouterr().err
