"""The pages of docs/: examples print what they state, links have targets, assertions of gallery scripts hold."""

import doctest
import importlib.metadata
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

from ldavi import _estep

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDERS = ("", "guide/", "about/", "development/", "math/")
PAGES = [*sorted(page for folder in FOLDERS for page in DOCS.glob(f"{folder}*.md")), ROOT / "README.md"]
USER_PAGES = [page for page in PAGES if page.parent.name != "development"]
OPTIONAL = {  # the libraries that the examples of a page need; separate tests, since these take long
    "report.md": ["jinja2"],
    "io_models.md": ["gensim", "safetensors"],
    "metrics.md": [],
    "selection.md": [],
}
SLOW = ("selection.md", "metrics.md", "choosing_k.md", "evaluating.md", "out_of_memory.md", "report.md", "tutorial.md")
EXAMPLES = [page for page in PAGES if ">>>" in page.read_text(encoding="utf-8")]
QUICK = ("plot_00", "plot_01", "plot_02", "plot_03", "plot_04")
SCRIPTS = sorted(DOCS.glob("gallery/plot_*.py"))


NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d*)?(?:e[+-]?\d+)?")


def numbers(text):
    return [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]


def is_close(want, got):
    """Return whether numbers agree, up to other versions of libraries, whose docstrings are the documents."""
    return abs(want - got) <= max(0.15 * abs(want), 0.06)


class CloseNumbers(doctest.OutputChecker):
    """Compares texts without their white space, and numbers within a tolerance."""

    def check_output(self, want, got, optionflags):
        texts = [" ".join(NUMBER.sub("#", text).split()).replace("[ ", "[") for text in (want, got)]
        return texts[0] == texts[1] and all(map(is_close, numbers(want), numbers(got)))


class OtherTexts(CloseNumbers):
    """Compares outputs of words by their number of lines, for documents that are not those of the pages."""

    def check_output(self, want, got, optionflags):
        if re.fullmatch(r"(True|False|[^A-Za-z])*", want):
            return super().check_output(want, got, optionflags)
        return len(want.splitlines()) == len(got.splitlines())


INSTRUCTION_SET = "avx2"  # of the outputs on the pages: others round differently, and lead to somewhat different topics


def checker_of(text):
    """Return the checker of a page: its outputs depend on docstrings of these versions if it loads docstrings."""
    versions = {"numpy": "2.4.", "scipy": "1.17.", "scikit-learn": "1.9."}
    same = all(importlib.metadata.version(name).startswith(start) for name, start in versions.items())
    same = same and _estep.instruction_set() == INSTRUCTION_SET
    return CloseNumbers() if same or "load_docstrings" not in text else OtherTexts()


@pytest.fixture
def instruction_set_of_the_pages():
    """Run examples with the instructions by which the pages were made, if this machine has them."""
    former = _estep.instruction_set()
    if INSTRUCTION_SET in _estep.instruction_sets():
        _estep.use_instruction_set(INSTRUCTION_SET)
    yield
    _estep.use_instruction_set(former)


def pages(chosen):
    """Return pages as parameters; long ones are marked slow."""
    return [pytest.param(page, id=page.name, marks=[pytest.mark.slow] * (page.name in SLOW)) for page in chosen]


def run_examples(page, monkeypatch, folder):
    monkeypatch.chdir(folder)
    text = "\n".join(block for block in blocks_of(page) if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(checker_of(text), verbose=False)
    assert test.examples
    assert runner.run(test).failed == 0


@pytest.mark.usefixtures("instruction_set_of_the_pages")
@pytest.mark.parametrize("page", pages(page for page in EXAMPLES if page.name not in OPTIONAL))
def test_the_examples_of_a_page_print_what_they_state(page, monkeypatch, tmp_path):
    run_examples(page, monkeypatch, tmp_path)


@pytest.mark.interop
@pytest.mark.usefixtures("instruction_set_of_the_pages")
@pytest.mark.parametrize("page", pages(page for page in EXAMPLES if page.name in OPTIONAL))
def test_the_examples_of_a_page_that_needs_other_libraries_run(page, monkeypatch, tmp_path):
    for library in OPTIONAL[page.name]:
        pytest.importorskip(library)
    run_examples(page, monkeypatch, tmp_path)


def blocks_of(page):
    return re.findall(r"```(?:python|pycon)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


NOT_HERE = ("spacy", "simplemma", "gensim", "fetch_20newsgroups", "LocalCluster", "was: from")  # need other things
WITH_SCRIPTS = [
    page
    for page in PAGES
    if any(">>>" not in block and not any(word in block for word in NOT_HERE) for block in blocks_of(page))
]


def code_of(block):
    """Return the code of a block, which may be a session with outputs."""
    if ">>>" not in block:
        return block
    return "".join(example.source for example in doctest.DocTestParser().get_examples(block))


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SCRIPTS, ids=lambda page: page.name)
def test_the_code_of_a_page_that_shows_no_output_runs(page, monkeypatch, tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("jinja2")
    (tmp_path / "topic-names.json").write_text('{"0": "Arrays"}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    variables = {}
    with plt.rc_context({"backend": "Agg"}):
        for block in blocks_of(page):
            if not any(word in block for word in NOT_HERE):
                exec(compile(code_of(block), page.name, "exec"), variables)
        plt.close("all")


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


def gallery_scripts():
    """Return the scripts as parameters; long ones are marked slow."""
    marks = {True: [], False: [pytest.mark.slow]}
    return [pytest.param(path, id=path.stem, marks=marks[path.name.startswith(QUICK)]) for path in SCRIPTS]


@pytest.mark.parametrize("script", gallery_scripts())
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


def test_numbers_of_examples_are_compared_within_a_tolerance():
    checker = CloseNumbers()
    assert checker.check_output("perplexity 605, share 0.20", "perplexity 572,  share 0.22", 0)
    assert not checker.check_output("perplexity 605", "perplexity 905", 0)
    assert not checker.check_output("[0 1]", "[1 0]", 0)
    assert not checker.check_output("word 1", "other 1", 0)


def test_words_of_other_documents_are_compared_by_their_number_of_lines():
    checker = OtherTexts()
    assert checker.check_output("one topic\nanother 0.1\n", "other words\nhere 9\n", 0)
    assert not checker.check_output("one topic\nanother\n", "other words\n", 0)
    assert not checker.check_output("(True, 5)\n", "(False, 5)\n", 0)


@pytest.mark.slow
def test_the_first_example_of_the_readme_prints_topics_like_those_shown(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    shown = re.search(r"```text\n(.*?)```", text, flags=re.DOTALL)[1].split()
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.split()
    assert len(printed) == len(shown)
    assert len(set(printed) & set(shown)) > 0.5 * len(set(shown))  # other versions have other docstrings


@pytest.mark.skipif(not (ROOT / "CONTRIBUTING.md").exists(), reason="reads files that are not next to these tests")
def test_user_pages_link_to_few_developer_notes():
    """What was tried and raw results are no part of the user documentation; a link as evidence is."""
    counts = {page.name: page.read_text(encoding="utf-8").count("](../development/") for page in USER_PAGES}
    assert max(counts.values()) <= 2, counts


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
