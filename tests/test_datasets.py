"""Docstrings as documents: which are found in a package, which are left out, and their order."""

import sys
import textwrap

import pytest

from ldavi.datasets import Docstrings, load_docstrings

PACKAGE = "tiny_package_of_docstrings"
FILES = {
    "__init__.py": '"""top of the package one two three"""',
    "shapes.py": '''
        """module about shapes one two three"""

        class Circle:
            """class of circles one two three"""

            def area(self):
                """method for the area one two three"""

            async def later(self):
                """method that waits one two three"""

        def measure():
            """function that measures one two three"""

            def inner():
                """function inside a function one two three"""

        def silent():
            pass

        def short():
            """too short"""
    ''',
    "again.py": '''
        def same():
            """function that measures one two three"""
    ''',
    "broken.py": '"""cannot be parsed one two three"""\ndef (:',
    "fails_when_run.py": '"""read and not run one two three"""\nraise RuntimeError("this file was run")',
    "tests/__init__.py": '"""tests are left out one two three"""',
    "tests/test_shapes.py": '"""tests are left out as well one two three"""',
    "externals/copied.py": '"""copies of others are left out one two three"""',
    "inner/__init__.py": '"""package inside a package one two three"""',
    "inner/deep.py": '"""module inside a package one two three"""',
    "notes.txt": '"""not Python one two three"""',
}
EXPECTED = {
    "": "top of the package one two three",
    ".shapes": "module about shapes one two three",
    ".shapes.Circle": "class of circles one two three",
    ".shapes.Circle.area": "method for the area one two three",
    ".shapes.Circle.later": "method that waits one two three",
    ".shapes.measure.inner": "function inside a function one two three",
    ".fails_when_run": "read and not run one two three",
    ".inner": "package inside a package one two three",
    ".inner.deep": "module inside a package one two three",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    yield PACKAGE
    sys.modules.pop(PACKAGE, None)


@pytest.fixture
def found(package):
    docstrings = load_docstrings((package,), min_words=4)
    return dict(zip(docstrings.names, docstrings.texts, strict=True))


@pytest.mark.parametrize("place", EXPECTED)
def test_a_docstring_is_found(found, place):
    assert found[PACKAGE + place] == EXPECTED[place]


def test_equal_texts_are_one_document(found):
    texts = list(found.values())
    assert texts.count("function that measures one two three") == 1


def test_no_other_docstring_is_found(found):
    measured = {PACKAGE + ".again.same", PACKAGE + ".shapes.measure"}
    assert found.keys() - measured == {PACKAGE + place for place in EXPECTED}


@pytest.mark.parametrize("left_out", ["tests", "externals", "broken", "notes"])
def test_a_folder_or_file_is_left_out(found, left_out):
    assert not [name for name in found if left_out in name.split(".")]


def test_nothing_is_imported(found):
    assert PACKAGE not in sys.modules


def test_min_words_is_the_minimum_number_of_words(package):
    texts = load_docstrings((package,), min_words=2).texts
    assert "too short" in texts
    assert "too short" not in load_docstrings((package,), min_words=3).texts


def test_indentation_is_removed(tmp_path, monkeypatch):
    (tmp_path / "indented").mkdir()
    (tmp_path / "indented" / "__init__.py").write_text('def f():\n    """one\n\n    two\n    """\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert load_docstrings(("indented",), min_words=1) == Docstrings(["one\n\ntwo"], ["indented.f"])


def test_source_in_another_encoding_is_read(tmp_path, monkeypatch):
    (tmp_path / "latin").mkdir()
    text = '# -*- coding: latin-1 -*-\n"""caf\xe9 one two"""\n'
    (tmp_path / "latin" / "__init__.py").write_bytes(text.encode("latin-1"))
    monkeypatch.syspath_prepend(tmp_path)
    assert load_docstrings(("latin",), min_words=1).texts == ["caf\xe9 one two"]


def test_the_same_files_give_the_same_order(package):
    assert load_docstrings((package,), min_words=1) == load_docstrings((package,), min_words=1)


def test_files_come_in_the_order_of_their_paths(found):
    modules = [name.split(".")[1] for name in found if name.count(".") == 1]
    assert modules == sorted(modules)


def test_packages_come_in_the_order_given(package):
    both = load_docstrings((package, "ldavi"), min_words=4).names
    starts = [name.partition(".")[0] for name in both]
    assert starts == sorted(starts, key=[package, "ldavi"].index)


@pytest.mark.parametrize("name", ["no_such_package_anywhere", "ast"], ids=["missing", "a module without submodules"])
def test_a_missing_package_is_named(name):
    with pytest.raises(ModuleNotFoundError, match=f"packages holds {name!r}"):
        load_docstrings((name,))


@pytest.fixture(scope="module")
def real():
    return load_docstrings(("sklearn",))


@pytest.mark.slow
def test_a_real_package_gives_many_documents(real):
    assert len(real.texts) > 500


@pytest.mark.slow
def test_each_document_has_a_name(real):
    assert len(real.texts) == len(real.names)
    assert all(name.startswith("sklearn") for name in real.names)


@pytest.mark.slow
def test_documents_are_distinct(real):
    assert len(set(real.texts)) == len(real.texts)


@pytest.mark.slow
def test_no_document_is_shorter_than_the_default_minimum(real):
    assert min(len(text.split()) for text in real.texts) >= 30
