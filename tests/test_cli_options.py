"""Options of the commands: one that would have no effect is refused, with its name and what to do."""

import json

import cli_texts
import numpy as np
import pytest
from scipy import sparse

from ldavi import io
from ldavi.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a model, texts, a table, counts and a function, in which the commands run."""
    folder = tmp_path_factory.mktemp("options")
    cli_texts.fit(folder)
    rows = [f"{text},2020-{1 + i % 12:02}-15,{i % 7}\n" for i, text in enumerate(cli_texts.texts(30))]
    (folder / "posts.csv").write_text("text,date,age\n" + "".join(rows))
    sparse.save_npz(folder / "counts.npz", sparse.csr_array(np.eye(6, dtype=np.int32) + 1))
    (folder / "counts.svmlight").write_text("0 1:2 2:1\n0 2:1 3:4\n")
    (folder / "words.txt").write_text("cat\ndog\nbank\n")
    (folder / "mywords.py").write_text("def tokens(text):\n    return text.split()\n")
    return folder


FIT, REPORT = "fit posts.txt -k 2", "report model.ldavi posts.csv --column text"
WITHOUT_EFFECT = [
    # what a fit with this method, or without this file, does not use
    (FIT, "--batch-size 8", "add --learning-method online or memoized"),
    (f"{FIT} --stream --learning-method batch", "--batch-size 8", "add --learning-method online or memoized"),
    (f"{FIT} --inference cvb0", "--batch-size 8", "add --learning-method online or memoized"),
    (FIT, "--checkpoint-minutes 10", "add --checkpoint FILE"),
    # the report
    (FIT, "--open", "name it with --report FILE"),
    (FIT, "--title T", "add --report FILE"),
    (FIT, "--id-column text", "add --report FILE"),
    (FIT, "--metadata date", "add --report FILE"),
    (FIT, "--bins date=year", "--report FILE"),
    (FIT, "--covariates date", "add --report FILE"),
    (FIT, "--formula ~date", "add --report FILE"),
    (FIT, "--samples 9", "add --report FILE"),
    (REPORT, "--samples 9", "add --covariates NAMES"),
    (REPORT, "--seed 9", "add --covariates NAMES"),
    (REPORT, "--date-format %Y", "name them"),
    (REPORT, "--bins date=year", "add the column to --metadata"),
    # how texts are counted
    (f"{FIT} --vocabulary words.txt", "--min-df 2", "has no effect with --vocabulary"),
    (f"{FIT} --vocabulary words.txt", "--max-df 9", "has no effect with --vocabulary"),
    (f"{FIT} --vocabulary words.txt", "--max-features 9", "has no effect with --vocabulary"),
    (f"{FIT} --tokenizer mywords:tokens", "--token-pattern a+", "has no effect with --tokenizer"),
    (f"{FIT} --tokenizer mywords:tokens", "--language turkish", "has no effect with --tokenizer"),
    (f"{FIT} --keep-case", "--language turkish", "leave out one of them"),
    (f"{FIT} --ngrams 2", "--phrases", "choose one"),
    (FIT, "--phrase-words 3", "is for --phrases"),
    *(
        ("fit counts.npz -k 2", option, "")
        for option in (
            *("--stop-words none", "--ngrams 2", "--phrases", "--min-df 2", "--max-df 9", "--max-features 9"),
            *("--token-pattern a+", "--keep-case", "--language any", "--tokenizer mywords:tokens"),
            "--lemmatizer mywords:tokens",
        )
    ),
    ("sweep posts.txt -k 2,3 --tokenizer mywords:tokens", "--language turkish", "has no effect with --tokenizer"),
    # how files are read
    ("fit counts.npz -k 2", "--encoding latin-1", "--encoding has no effect"),
    *((FIT, option, "") for option in ("--column a", "--delimiter ;", "--quoting none", "--no-header", "--sheet A")),
    (FIT, "--first-word 1", "has an effect on svmlight, ldac"),
    ("fit posts.csv -k 2 --column text", "--sheet A", "has an effect on excel only"),
    ("fit counts.svmlight -k 2", "--delimiter ;", "has an effect on csv, tsv only"),
    ("evaluate model.ldavi posts.csv --column text", "--id-column age", "has no effect on evaluate"),
    ("effects model.ldavi posts.csv --column text --covariates age", "--id-column age", "has no effect on effects"),
    ("sweep posts.csv --column text -k 2,3", "--id-column age", "has no effect on sweep"),
    ("convert posts.csv c.npz --column text", "--id-column age", "has no effect on convert"),
    ("transform model.ldavi posts.txt", "--vocabulary words.txt", "leave it out"),
    ("documents model.ldavi posts.txt", "--token-pattern a+", "leave it out"),
    # results
    ("transform model.ldavi posts.txt -o t.npz", "--dominant", "has no effect on npz"),
    ("transform model.ldavi posts.csv --column text -o t.npz", "--keep-columns age", "has no effect on npz"),
    ("transform model.ldavi posts.txt", "--no-proportions", "add --dominant"),
    ("evaluate model.ldavi posts.txt --coherence none", "-n 5", "leave out one"),
    ("evaluate model.ldavi posts.txt --coherence none", "--windows documents", "leave out one"),
    ("evaluate model.ldavi posts.txt --coherence u_mass", "--windows documents", "leave it out"),
    ("effects model.ldavi posts.csv --column text --formula ~age", "--covariates age,date", "leave it out"),
    ("merge model.ldavi 0,1 -o merged.ldavi", "--max-distance 0.4", "leave it out"),
    ("merge model.ldavi", "-o merged.ldavi", "needs topics to merge"),
    ("names model.ldavi", "-o named.ldavi", "give names as TOPIC=NAME"),
    # conversion
    ("convert posts.txt c.npz", "--seed 1", "leave it out"),
    ("convert posts.txt c.npz", "--from ldavi", "use --format"),
    ("convert posts.txt c.npz", "--documents posts.txt", "leave out"),
    *(
        ("convert model.ldavi topics.csv", option, "")
        for option in (
            *("--seed 1", "--documents posts.txt", "--format text", "--column a", "--id-column a", "--delimiter ;"),
            *("--quoting none", "--no-header", "--sheet A", "--first-word 0", "--max-bytes 9", "--encoding latin-1"),
            *("--vocabulary words.txt", "--stop-words none", "--language any", "--ngrams 2", "--phrases"),
            *("--keep-case", "--min-df 2", "--max-df 9", "--max-features 9", "--token-pattern a+"),
        )
    ),
    ("convert model.ldavi s.gz --to mallet-state --documents posts.txt", "--min-df 2", "not for converting a model"),
]


def refused(arguments, capsys):
    """Run a command that must be refused, and return its message in one line."""
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code in (1, 2)
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("command", "option", "remedy"), WITHOUT_EFFECT, ids=[f"{row[0]} {row[1]}" for row in WITHOUT_EFFECT]
)
def test_an_option_without_effect_is_refused(files, monkeypatch, capsys, command, option, remedy):
    monkeypatch.chdir(files)
    monkeypatch.syspath_prepend(files)
    before = sorted(files.iterdir())
    message = refused([*command.split(), *option.split()], capsys)
    assert option.split()[0] in message
    assert remedy in message
    assert "unrecognized arguments" not in message
    assert sorted(path for path in files.iterdir() if path.name != "__pycache__") == [
        path for path in before if path.name != "__pycache__"
    ]


@pytest.mark.parametrize(
    ("command", "option", "message"),
    [
        ("fit posts.txt --seed 1", "--seed 2", "--seed: is given twice"),
        ("fit posts.csv --column text", "--column age", "--column: is given twice"),
        ("topics model.ldavi -n 3", "--words 4", "is given twice"),
        ("fit posts.txt -q", "-v", "not allowed with argument -q"),
        ("topics model.ldavi --csv", "--json", "not allowed with argument --csv"),
        ("help fit", "topics", "help describes one command"),
    ],
)
def test_of_two_options_that_exclude_each_other_none_is_ignored(files, monkeypatch, capsys, command, option, message):
    monkeypatch.chdir(files)
    assert message in refused([*command.split(), *option.split()], capsys)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("fit posts.txt", "--stop-words"),
        ("fit posts.txt", "--column"),
        ("fit posts.txt", "--output"),
        ("transform model.ldavi posts.csv", "--keep-columns"),
        ("report model.ldavi posts.csv", "--metadata"),
        ("evaluate model.ldavi posts.txt", "--coherence"),
    ],
)
@pytest.mark.parametrize("value", ["", " , "])
def test_an_empty_value_is_refused(files, monkeypatch, capsys, command, option, value):
    monkeypatch.chdir(files)
    message = refused([*command.split(), option, value], capsys)
    assert f"{option}: {value!r} is empty; give a value, or leave the option out" in message


def test_a_vocabulary_for_lists_of_words_has_an_effect_if_the_first_list_is_empty(files, monkeypatch, tmp_path):
    monkeypatch.chdir(files)
    lists = [[], *[["soup", "bread"], ["cat", "dog"]] * 20]
    (tmp_path / "lists.jsonl").write_text("".join(json.dumps({"text": words}) + "\n" for words in lists))
    (tmp_path / "words.txt").write_text("soup\nbread\ncat\ndog\nbird\n")
    model = tmp_path / "m.ldavi"
    options = ["--stream", "--vocabulary", str(tmp_path / "words.txt"), "-k", "2", "-q", "-o", str(model)]
    assert main(["fit", str(tmp_path / "lists.jsonl"), *options]) == 0
    assert io.load(model).n_features_in_ == 5
