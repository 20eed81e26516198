"""Tests that the stubs of the compiled modules agree with the modules and their sources."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import ldavi

MODULES = ("_estep", "_sampling")
PACKAGE = Path(ldavi.__file__).parent
SOURCES = Path(__file__).resolve().parent.parent / "ldavi"
TREES = {module: ast.parse((PACKAGE / f"{module}.pyi").read_text(encoding="utf-8")) for module in MODULES}
FUNCTIONS = {
    f"{module}.{node.name}": node
    for module, tree in TREES.items()
    for node in tree.body
    if isinstance(node, ast.FunctionDef)
}
CONSTANTS = {
    f"{module}.{node.target.id}": node.annotation
    for module, tree in TREES.items()
    for node in tree.body
    if isinstance(node, ast.AnnAssign)
}
MAY_BE_NONE = re.compile(r"^    (?:const )?[\w ]+\[[^]]*\]\s*(\w+)(?:=None)?,", re.M)  # without `not None`
HEADER = SOURCES / "_kernels" / "kernels.h"
STRUCT = re.compile(r"typedef struct \{(.*?)\} (\w+_args);", re.S)


def compiled(module):
    return importlib.import_module(f"ldavi.{module}")


def find(name):
    """Return the object with a name such as "_estep.update_topics"."""
    module, _, own = name.partition(".")
    return getattr(compiled(module), own)


def source_of(module):
    return (SOURCES / f"{module}.pyx").read_text(encoding="utf-8")


def arguments(node):
    """Return the arguments of a function of the stub: positional ones, then keyword-only ones."""
    return [*node.args.args, *node.args.kwonlyargs]


def argument_names(node):
    return [argument.arg for argument in arguments(node)]


def kinds(name):
    """Return for each argument of the compiled function whether it is keyword-only."""
    parameters = inspect.signature(find(name)).parameters.values()
    return [parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters]


def names_in_source(name):
    """Return the argument names of a `def` in the .pyx: the last word of each argument, without `not None`."""
    module, _, own = name.partition(".")
    text = re.sub(r"#.*|\[[^]]*\]", "", source_of(module))  # without comments and memoryviews' shapes
    arguments = re.search(rf"^def {own}\(([^)]*)\):", text, re.M)[1]
    names = [part.removesuffix(" not None").split()[-1] for part in arguments.split(",") if part.strip()]
    names = [name.partition("=")[0] for name in names]
    return [name for name in names if name != "*"]


def struct_fields():
    """Return the fields of each argument struct of kernels.h."""
    header = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.S)
    return {
        name: [re.findall(r"\w+", part)[-1] for field in body.split(";") for part in field.split(",") if part.strip()]
        for body, name in STRUCT.findall(header)
    }


def needs_source(test):
    there = all((SOURCES / f"{module}.pyx").exists() for module in MODULES)
    return pytest.mark.skipif(not there, reason="needs the .pyx of a checkout")(test)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_of_the_module_is_in_the_stub(module):
    public = {name for name, obj in vars(compiled(module)).items() if not name.startswith("_") and callable(obj)}
    assert {f"{module}.{name}" for name in public} == {name for name in FUNCTIONS if name.startswith(f"{module}.")}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_have_the_type_of_the_stub(name):
    assert type(find(name)).__name__ == ast.unparse(CONSTANTS[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_argument_names_equal_those_of_the_compiled_function(name):
    assert argument_names(FUNCTIONS[name]) == list(inspect.signature(find(name)).parameters)


@needs_source
@pytest.mark.parametrize("name", FUNCTIONS)
def test_argument_names_equal_those_of_the_source(name):
    assert argument_names(FUNCTIONS[name]) == names_in_source(name)


@needs_source
@pytest.mark.parametrize("module", MODULES)
def test_arguments_that_may_be_none_are_optional_in_the_stub(module):
    in_source = set(MAY_BE_NONE.findall(source_of(module)))
    in_stub = {
        argument.arg
        for name, node in FUNCTIONS.items()
        if name.startswith(f"{module}.")
        for argument in arguments(node)
        if ast.unparse(argument.annotation).endswith("| None")
    }
    assert in_source == in_stub


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_and_result_has_a_type(name):
    node = FUNCTIONS[name]
    assert node.returns is not None
    assert all(argument.annotation is not None for argument in arguments(node))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_are_keyword_only_where_the_stub_says_so(name):
    in_stub = [argument in FUNCTIONS[name].args.kwonlyargs for argument in arguments(FUNCTIONS[name])]
    assert in_stub == kinds(name)


@pytest.mark.parametrize("name", [name for name, node in FUNCTIONS.items() if len(arguments(node)) > 7])
def test_functions_of_many_arguments_take_keywords_only(name):
    assert all(kinds(name))


@needs_source
def test_every_field_of_an_argument_struct_is_filled_exactly_once():
    filled = re.split(r"^    cdef (\w+_args) a$", source_of("_estep"), flags=re.M)[1:]
    found = {
        name: re.findall(r"^ +a\.(\w+) = (?!NULL)", text, re.M)  # NULL is the value of arguments that are None
        for name, text in zip(filled[::2], filled[1::2], strict=True)
    }
    assert {name: sorted(fields) for name, fields in found.items()} == {
        name: sorted(fields) for name, fields in struct_fields().items()
    }
