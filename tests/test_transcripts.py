"""Every command that the documentation shows is run, and prints what the page states."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "tools" / "transcripts.py"

pytestmark = pytest.mark.skipif(
    not PATH.exists() or sys.platform == "win32", reason="needs the tools of a checkout, and bash"
)


def load():
    spec = importlib.util.spec_from_file_location("transcripts", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["transcripts"] = module
    spec.loader.exec_module(module)
    return module


transcripts = load() if PATH.exists() else None
PAGES = transcripts.pages() if PATH.exists() else []
ALL_PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("[a-z]*/*.md")]


def steps(text, language="console"):
    return list(transcripts.steps(language, text))


def test_the_commands_of_a_block_are_found_with_their_outputs():
    found = steps("$ first \\\n    --more\none\n\ntwo\n$ second\n")
    assert [(step.command, step.shown) for step in found] == [
        ("first \\\n    --more", ["one", "", "two"]),
        ("second", []),
    ]


def test_numbers_are_compared_within_a_tolerance_and_durations_not_at_all():
    (step,) = steps("$ ldavi\n12 topics: 0.3 s; perplexity 650.0\n")
    assert transcripts.agree(step.shown, ["12 topics: 9.9 s; perplexity 660.0"])
    assert not transcripts.agree(step.shown, ["12 topics: 0.3 s; perplexity 950.0"])
    assert not transcripts.agree(step.shown, ["12 groups: 0.3 s; perplexity 650.0"])


def test_lines_that_a_page_leaves_out_are_not_compared():
    (step,) = steps("$ ldavi\nfirst\n  ...\nlast\n")
    assert transcripts.elided(step.shown, ["first", "second", "third", "last"]) == ["first", "  ...", "last"]


def test_a_command_that_fails_unlike_the_page_is_a_problem():
    (step,) = steps("$ ldavi\n")
    assert "ended with 2" in transcripts.problem(step, 2, [])
    (step,) = steps("$ ldavi\nldavi: error: a file is missing\n")
    assert "ended with 0" in transcripts.problem(step, 0, [])


def test_pages_with_commands_are_found():
    assert {"README.md", "cli.md", "tutorial.md", "effects.md", "report.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_is_run_by_something(page):
    left = [step.command for step in transcripts.own_steps(page)] if page not in PAGES else []
    assert left == []


@pytest.mark.parametrize(
    "command",
    sorted(
        {
            step.command
            for page in ALL_PAGES
            for step in transcripts.commands_of(page)
            if re.match(r"python -m (benchmarks|tools)\.", step.command)
        }
        if PATH.exists()
        else []
    ),
)
@pytest.mark.slow
def test_the_options_of_a_command_that_takes_hours_exist(command):
    name, *words = command.removeprefix("python -m ").split("#")[0].split()
    result = subprocess.run(
        [sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    last = (result.stderr.strip().splitlines() or [""])[-1]
    if result.returncode and re.match(r"ModuleNotFoundError: No module named '(?!ldavi|benchmarks|tools)", last):
        pytest.skip(f"{name} needs a library: {last}")
    assert result.returncode == 0, result.stderr
    missing = [word for word in words if word.startswith("--") and word not in result.stdout]
    assert missing == []


def quick_steps(page):
    """Return the first fit of a page and what reads its model, without long fits."""
    chosen = [step for step in transcripts.own_steps(page) if "docstrings.txt -k 12 -o" in step.command]
    return chosen + [step for step in transcripts.own_steps(page) if re.match("ldavi (topics|info) ", step.command)]


def test_the_quick_commands_of_the_command_line_page_print_what_it_states():
    page = ROOT / "docs" / "cli.md"
    quick = [step for step in quick_steps(page) if "names" not in step.command]
    assert len(quick) >= 4
    assert transcripts.check_page(page, quick) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_print_what_it_states(page):
    if page.name == "effects.md":
        pytest.importorskip("formulaic")
    assert transcripts.check_page(page, transcripts.own_steps(page)) == []
