"""Types and style of the repository, by the tools that its pyproject.toml configures."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATHS = [name for name in ("ldavi", "tests", "benchmarks", "setup.py") if (ROOT / name).exists()]

pytestmark = pytest.mark.skipif(
    not all((ROOT / name).exists() for name in ("pyproject.toml", "setup.py")),
    reason="the sources, or the tools' settings in pyproject.toml, are not beside the tests here",
)


def run(*arguments):
    result = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def test_types_are_complete_and_right():
    code, output = run("mypy")
    assert code == 0, output


def test_ruff_finds_nothing():
    code, output = run("ruff", "check", "--no-cache", *PATHS)
    assert code == 0, output


def test_ruff_would_format_nothing():
    code, output = run("ruff", "format", "--check", "--diff", "--no-cache", *PATHS)
    assert code == 0, output
