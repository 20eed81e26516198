"""Tests that versions of the package, of Python and of tools agree between the files that repeat them."""

import re
import tomllib
from pathlib import Path

import pytest

import ldavi

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
FORMS = sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml"))

in_checkout = pytest.mark.skipif(not WORKFLOWS, reason="needs the workflows of a checkout")


def read_yaml(path):
    return pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.skipif(not (ROOT / "CITATION.cff").exists(), reason="needs CITATION.cff of a checkout")
def test_the_citation_has_the_version_and_license_of_the_package():
    citation = read_yaml(ROOT / "CITATION.cff")
    assert (citation["version"], citation["license"]) == (ldavi.__version__, project()["project"]["license"])


@in_checkout
def test_the_hooks_and_the_lint_group_pin_the_same_versions():
    hooks = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    pins = {pin for hook in hooks for pin in hook["additional_dependencies"]}
    assert pins == {pin for pin in project()["dependency-groups"]["lint"] if not pin.startswith("pre-commit")}


@in_checkout
def test_every_tool_of_the_lint_group_is_pinned_exactly():
    pins = [pin for pin in project()["dependency-groups"]["lint"] if not pin.startswith("pre-commit")]
    assert all(re.fullmatch(r"[a-z0-9]+==[\d.]+", pin) for pin in pins)


@in_checkout
def test_the_tests_run_on_every_python_that_has_a_wheel():
    found = read_yaml(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["newest"]["strategy"]["matrix"]["python"]
    builds = [re.fullmatch(r"cp3(\d+t?)-\*", name) for name in project()["tool"]["cibuildwheel"]["build"]]
    assert found == [f"3.{build[1]}" for build in builds]


@in_checkout
def test_the_oldest_dependencies_are_tested_on_the_oldest_python():
    setup = steps({"jobs": {"oldest": read_yaml(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["oldest"]}})
    versions = [step["with"]["python-version"] for step in setup if "python-version" in step.get("with", {})]
    assert [f">={version}" for version in versions] == [project()["project"]["requires-python"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_only_has_read_permission_by_default(path):
    assert read_yaml(path)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_of_a_workflow_has_a_version(path):
    used = [step["uses"] for step in steps(read_yaml(path)) if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@(v\d[\d.]*|release/v\d+)", action) for action in used)


@pytest.mark.parametrize("path", [path for path in FORMS if path.stem != "config"], ids=lambda path: path.stem)
def test_an_issue_form_has_a_title_and_questions_with_unique_names(path):
    form = read_yaml(path)
    names = [question["id"] for question in form["body"]]
    assert {"name", "description", "body"} <= form.keys()
    assert len(set(names)) == len(names) > 0


@in_checkout
def test_the_bug_report_asks_for_the_configuration():
    assert "ldavi.show_config()" in (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug_report.yml").read_text(encoding="utf-8")
