"""_estep.pyi, which type checkers read, against the compiled module and its source."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import ldavi
from ldavi import _estep

STUB = Path(ldavi.__file__).with_name("_estep.pyi")
SOURCE = Path(__file__).resolve().parent.parent / "ldavi" / "_estep.pyx"
TREE = ast.parse(STUB.read_text(encoding="utf-8"))
FUNCTIONS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}
CONSTANTS = {node.target.id: node.annotation for node in TREE.body if isinstance(node, ast.AnnAssign)}
MAY_BE_NONE = re.compile(r"^\s*(?:const )?[\w ]+\[[^]]*\]\s*(\w+),\s*#[^#]*or None", re.M)


def argument_names(node):
    return [argument.arg for argument in node.args.args]


def names_in_source(name):
    """Argument names of a `def` of the .pyx: the last word of each argument, comments aside."""
    text = re.sub(r"#.*|\[[^]]*\]", "", SOURCE.read_text(encoding="utf-8"))  # without comments and memoryviews' shapes
    arguments = re.search(rf"^def {name}\(([^)]*)\):", text, re.M)[1]
    return [part.split()[-1] for part in arguments.split(",") if part.strip()]


def needs_source(test):
    return pytest.mark.skipif(not SOURCE.exists(), reason="_estep.pyx is not beside the tests here")(test)


def test_every_public_function_of_the_module_is_in_the_stub():
    public = {name for name, obj in vars(_estep).items() if not name.startswith("_") and callable(obj)}
    assert public == FUNCTIONS.keys()


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_have_the_type_of_the_stub(name):
    assert type(getattr(_estep, name)).__name__ == ast.unparse(CONSTANTS[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_argument_names_equal_those_of_the_compiled_function(name):
    assert argument_names(FUNCTIONS[name]) == list(inspect.signature(getattr(_estep, name)).parameters)


@needs_source
@pytest.mark.parametrize("name", FUNCTIONS)
def test_argument_names_equal_those_of_the_source(name):
    assert argument_names(FUNCTIONS[name]) == names_in_source(name)


@needs_source
def test_arguments_that_may_be_none_are_optional_in_the_stub():
    in_source = set(MAY_BE_NONE.findall(SOURCE.read_text(encoding="utf-8")))
    in_stub = {
        argument.arg
        for node in FUNCTIONS.values()
        for argument in node.args.args
        if ast.unparse(argument.annotation).endswith("| None")
    }
    assert in_source == in_stub


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_and_result_has_a_type(name):
    node = FUNCTIONS[name]
    assert node.returns is not None
    assert all(argument.annotation is not None for argument in node.args.args)
