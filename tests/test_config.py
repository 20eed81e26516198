"""The instruction set in use: what `show_config` reports, and how LDAVI_SIMD selects one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy
import sklearn

import ldavi
from ldavi import _estep

ROOT = str(Path(ldavi.__file__).resolve().parent.parent)
SETS = _estep.instruction_sets()


# Imports only the compiled module, since the package also imports scikit-learn, which takes seconds.
IMPORT_ESTEP = f"""
import sys, types
sys.modules["ldavi"] = types.ModuleType("ldavi")
sys.modules["ldavi"].__path__ = [{str(Path(ldavi.__file__).parent)!r}]
import ldavi._estep
"""


def run_with(simd, code):
    """Run Python code in a new process; LDAVI_SIMD is `simd`, or unset for None."""
    environment = {name: value for name, value in os.environ.items() if name != "LDAVI_SIMD"}
    if simd is not None:
        environment["LDAVI_SIMD"] = simd
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{ROOT!r}]\n{code}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def config(capsys):
    result = ldavi.show_config()
    return result, capsys.readouterr().out


@pytest.fixture
def restored():
    before = _estep.instruction_set()
    yield
    _estep.use_instruction_set(before)


def test_the_instruction_set_in_use_is_available(config):
    assert config[0]["instruction set"] in config[0]["available"].split(", ")


def test_baseline_is_always_available(config):
    assert "baseline" in config[0]["available"].split(", ")


def test_config_has_the_versions(config):
    names = ("ldavi", "numpy", "scipy", "scikit-learn")
    versions = (ldavi.__version__, np.__version__, scipy.__version__, sklearn.__version__)
    assert tuple(config[0][name] for name in names) == versions


def test_config_contains_only_strings(config):
    assert all(isinstance(text, str) for item in config[0].items() for text in item)


def test_config_is_printed(config):
    lines = [tuple(line.strip().split("  ", 1)) for line in config[1].splitlines()]
    assert lines == list(config[0].items())


def test_config_follows_a_change(restored, capsys):
    _estep.use_instruction_set("baseline")
    assert ldavi.show_config()["instruction set"] == "baseline"


@pytest.mark.parametrize("name", SETS)
def test_every_available_set_can_be_used(name, restored):
    _estep.use_instruction_set(name)
    assert _estep.instruction_set() == name


@pytest.mark.parametrize("name", SETS)
def test_every_available_set_computes(name, restored):
    _estep.use_instruction_set(name)
    found = np.empty(3)
    _estep.exp_digamma(np.array([0.5, 1.0, 10.0]), found)
    np.testing.assert_allclose(found, np.exp(scipy.special.psi([0.5, 1.0, 10.0])), rtol=1e-14)


@pytest.mark.parametrize("name", SETS)
def test_the_environment_variable_selects_the_instruction_set(name):
    result = run_with(name, f"{IMPORT_ESTEP}\nprint(ldavi._estep.instruction_set())")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == name


@pytest.mark.parametrize("unset", [None, ""], ids=["unset", "empty"])
def test_the_default_is_the_widest_instruction_set(unset):
    result = run_with(unset, f"{IMPORT_ESTEP}\nprint(ldavi._estep.instruction_set())")
    assert result.stdout.strip() == SETS[0]


def test_an_unknown_set_is_an_import_error_that_lists_the_known_ones():
    result = run_with("nonsense", "import ldavi")
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode != 0
    assert last.startswith("ValueError: LDAVI_SIMD='nonsense' must be one of")
    assert all(repr(name) in last for name in SETS)


@pytest.mark.parametrize("name", ["nonsense", "", "AVX2", "baseline\0", "b\xe4seline"])
def test_an_unknown_set_is_refused_and_the_current_one_kept(name, restored):
    before = _estep.instruction_set()
    with pytest.raises(ValueError, match="must be one of"):
        _estep.use_instruction_set(name)
    assert _estep.instruction_set() == before
