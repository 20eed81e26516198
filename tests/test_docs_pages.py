"""The pages of docs/: examples print what they state, links have targets, assertions of gallery scripts hold."""

import doctest
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted([*DOCS.glob("*.md"), *DOCS.glob("guide/*.md"), *DOCS.glob("about/*.md")]), ROOT / "README.md"]
OPTIONAL = {  # the libraries that the examples of a page need; separate tests, since these take long
    "report.md": ["jinja2"],
    "io_models.md": ["gensim", "safetensors"],
    "metrics.md": [],
    "selection.md": [],
}
SLOW = ("selection.md", "metrics.md", "choosing_k.md", "evaluating.md", "out_of_memory.md", "report.md")
EXAMPLES = [page for page in PAGES if ">>>" in page.read_text(encoding="utf-8")]
QUICK = ("plot_00", "plot_01", "plot_02", "plot_03", "plot_04")
SCRIPTS = sorted(DOCS.glob("gallery/plot_*.py"))


class AnyNumber(doctest.OutputChecker):
    """Ignores numbers, which depend on the version of scikit-learn and on the rounding of the processor."""

    def check_output(self, want, got, optionflags):
        number = r"-?\d+(\.\d*)?(e[+-]?\d+)?"
        want, got = (" ".join(re.sub(number, "#", text).split()).replace("[ ", "[") for text in (want, got))
        return want == got


def pages(chosen):
    """Return pages as parameters; long ones are marked slow."""
    return [pytest.param(page, id=page.name, marks=[pytest.mark.slow] * (page.name in SLOW)) for page in chosen]


def run_examples(page, monkeypatch, folder):
    monkeypatch.chdir(folder)
    blocks = re.findall(r"```(?:python|pycon)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = "\n".join(block for block in blocks if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(AnyNumber(), verbose=False)
    assert test.examples
    assert runner.run(test).failed == 0


@pytest.mark.parametrize("page", pages(page for page in EXAMPLES if page.name not in OPTIONAL))
def test_the_examples_of_a_page_print_what_they_state(page, monkeypatch, tmp_path):
    run_examples(page, monkeypatch, tmp_path)


@pytest.mark.interop
@pytest.mark.parametrize("page", pages(page for page in EXAMPLES if page.name in OPTIONAL))
def test_the_examples_of_a_page_that_needs_other_libraries_run(page, monkeypatch, tmp_path):
    for library in OPTIONAL[page.name]:
        pytest.importorskip(library)
    run_examples(page, monkeypatch, tmp_path)


@pytest.mark.skipif(
    not (ROOT / "CONTRIBUTING.md").exists(), reason="pages link to sources, which are not next to these tests"
)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_file_and_a_heading_as_target(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize(
    "script", [path for path in SCRIPTS if path.name.startswith(QUICK)], ids=lambda path: path.stem
)
def test_the_assertions_of_a_gallery_script_hold(script, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    with plt.rc_context({"backend": "Agg"}):
        runpy.run_path(str(script))
        assert plt.get_fignums()
        plt.close("all")


def test_every_gallery_script_has_assertions_and_a_figure():
    assert len(SCRIPTS) >= 12
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert len(re.findall(r"^\s*assert ", text, flags=re.MULTILINE)) >= 3, script.name
        assert "plt.show()" in text, script.name


def test_every_public_name_is_in_the_reference():
    import ldavi

    text = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    for module in (ldavi, *(getattr(ldavi, name) for name in ldavi.__all__)):
        if not hasattr(module, "__path__") and module is not ldavi:
            continue
        for name in module.__all__:
            if hasattr(getattr(module, name), "__file__") or name.startswith("__"):
                continue  # modules have their own sections
            assert re.search(rf"^   {name}$", text, flags=re.MULTILINE), f"{module.__name__}.{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_private_names_that_a_page_cites_exist(page):
    for name in re.findall(r"`(ldavi\._\w+(?:\.\w+)+)`", page.read_text(encoding="utf-8")):
        assert pkgutil.resolve_name(name)
