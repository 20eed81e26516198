"""Options of `ldavi report`: bins of columns and names of topics."""

import json
import re

import cli_texts
import pytest

from ldavi.cli import main

pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    rows = [f'"{text}",2020-{1 + i % 12:02}-15,{20 + i}' for i, text in enumerate(cli_texts.texts(30))]
    table = folder / "posts.csv"
    table.write_text("\n".join(["text,date,age", *rows]) + "\n")
    model = folder / "posts.ldavi"
    assert main(["fit", str(table), "--column", "text", "-k", "3", "-q", "-o", str(model)]) == 0
    return str(model), str(table), "--column", "text", "--metadata", "date,age", "-q"


def data_of(path):
    page = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_bins_and_names_of_topics_are_in_the_page(saved, tmp_path):
    page, names = tmp_path / "r.html", tmp_path / "names.json"
    names.write_text('{"1": "Weather"}')
    options = ["--bins", "date=quarter", "--bins", "age=20,30,50", "--topic-names", str(names), "-o", str(page)]
    assert main(["report", *saved, *options]) == 0
    data = data_of(page)
    assert data["topics"][1]["label"] == "Weather"
    date, age = (column["cuts"] for column in data["columns"])
    assert [cut["unit"] for cut in date] == ["quarter"]
    assert age[0]["bins"] == ["20 – 30", "30 – 50"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bins", "month"], "--bins month: must be COLUMN=BINS, such as date=month"),
        (["--bins", "place=3"], "--bins place=3: add the column to --metadata"),
        (["--samples", "5"], "--samples is for the effects of covariates; add --covariates NAMES"),
        (["--seed", "5"], "--seed is for the effects of covariates; add --covariates NAMES"),
    ],
)
def test_options_of_the_report_that_cannot_be_used_are_refused(saved, tmp_path, capsys, options, message):
    page = tmp_path / "r.html"
    assert main(["report", *saved, *options, "-o", str(page)]) == 2
    assert message in capsys.readouterr().err
    assert not page.exists()


def test_bins_without_a_report_are_refused(saved, capsys):
    assert main(["fit", *saved[1:], "-k", "3", "--bins", "date=year"]) == 2
    assert "name it with --report FILE" in capsys.readouterr().err


def test_names_of_other_topics_are_refused(saved, tmp_path, capsys):
    names = tmp_path / "names.json"
    names.write_text('{"3": "Weather"}')
    assert main(["report", *saved, "--topic-names", str(names), "-o", str(tmp_path / "r.html")]) == 1
    assert "names the topic 3, but the model has the topics 0 to 2" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--covariates", "age"], ["--formula", "~ age"]])
def test_effects_of_covariates_are_those_of_the_command_effects(saved, tmp_path, capsys, options):
    if "--formula" in options:
        pytest.importorskip("formulaic")
    page = tmp_path / "r.html"
    model, table = saved[:2]
    common = ["--column", "text", *options, "--samples", "5", "--seed", "2"]
    assert main(["report", model, table, *common, "-q", "-o", str(page)]) == 0
    capsys.readouterr()
    rows = cli_texts.run_json(capsys, "effects", model, table, *common, "-q")
    effects, n_topics = data_of(page)["effects"], 3
    assert effects["terms"] == ["Intercept", "age"]
    assert data_of(page)["columns"] == []  # age has no trends
    found = [effects["estimate"][p][k] for k in range(n_topics) for p in range(2)]
    assert found == pytest.approx([row["estimate"] for row in rows], rel=1e-4, abs=1e-9)


def test_a_fit_writes_effects_of_dates_in_years(saved, tmp_path):
    page = tmp_path / "r.html"
    options = ["-k", "3", "--report", str(page), "--covariates", "date", "-q"]
    assert main(["fit", saved[1], "--column", "text", *options]) == 0
    data = data_of(page)
    assert data["effects"]["dates"] == ["date"]
    assert data["effects"]["groups"][0]["kind"] == "date"
