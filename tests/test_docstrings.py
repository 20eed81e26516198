"""Tests that public docstrings agree with the signatures and that their examples run."""

import doctest
import importlib
import inspect
import pkgutil
import textwrap
import typing

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString

import ldavi
from ldavi import LatentDirichletAllocation

RUNS_AT_IMPORT = {"ldavi.__main__"}
WITH_EXAMPLES = {
    "ldavi._estimator.lda",
    "ldavi._estimator.infer",
    "ldavi.datasets",
    "ldavi.inspection._documents",
    "ldavi.inspection._export",
    "ldavi.inspection._geometry",
    "ldavi.inspection._group_shares",
    "ldavi.inspection._intervals",
    "ldavi.inspection._labels",
    "ldavi.inspection._similar",
    "ldavi.inspection._summary",
    "ldavi.inspection._theta_samples",
    "ldavi.inspection._topic_regression",
    "ldavi.inspection._words",
    "ldavi.io._models.checkpoint",
    "ldavi.io._readers.recognition",
    "ldavi.io._count_store.writing",
    "ldavi.io._readers.vocabulary",
    "ldavi.io._topic_names",
    "ldavi.report._write",
    "ldavi.io._readers.corpus",
    "ldavi.io._counting.word_counter",
    "ldavi.selection._sweep",
}

PUBLIC_MODULES = [
    importlib.import_module(f"ldavi.{module.name}")
    for module in pkgutil.iter_modules(ldavi.__path__)
    if not module.name.startswith("_") and module.name != "cli"
]


def parse(obj):
    return NumpyDocString(inspect.getdoc(obj) or "")


def documented(obj, section):
    """Return the names of a section, in order; "a, b : float" documents two, "**options" the parameter `options`."""
    return [name.strip().lstrip("*") for entry in parse(obj)[section] for name in entry.name.split(",")]


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def is_record(obj):
    """Return whether a class is a NamedTuple or a dataclass, whose fields are documented as attributes."""
    return hasattr(obj, "_fields") or hasattr(obj, "__dataclass_fields__")


def public_objects():
    for module in (ldavi, *PUBLIC_MODULES):
        names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        for name in names:
            obj = getattr(module, name)
            if callable(obj) and getattr(obj, "__module__", "").startswith("ldavi"):
                yield f"{module.__name__}.{name}", obj


PUBLIC = dict(public_objects())
FUNCTIONS = {name: obj for name, obj in PUBLIC.items() if inspect.isfunction(obj)}
RECORDS = {name: obj for name, obj in PUBLIC.items() if is_record(obj)}
CLASSES = {name: obj for name, obj in PUBLIC.items() if inspect.isclass(obj) and name not in RECORDS}
METHODS = {
    f"{cls.__name__}.{name}" if cls is not LatentDirichletAllocation else name: method
    for cls in CLASSES.values()
    for name, method in inspect.getmembers(cls, inspect.isfunction)
    if not name.startswith("_") and method.__module__.startswith("ldavi")
}
MODULES = [
    module.name for module in pkgutil.walk_packages(ldavi.__path__, "ldavi.") if module.name not in RUNS_AT_IMPORT
]


def test_public_names_are_functions_records_or_classes():
    assert PUBLIC.keys() == FUNCTIONS.keys() | RECORDS.keys() | CLASSES.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_documents_its_parameters(name):
    assert documented(FUNCTIONS[name], "Parameters") == parameters(FUNCTIONS[name])


@pytest.mark.parametrize("name", METHODS)
def test_method_documents_its_parameters(name):
    assert documented(METHODS[name], "Parameters") == parameters(METHODS[name])


def test_estimator_documents_its_parameters():
    assert documented(LatentDirichletAllocation, "Parameters") == parameters(LatentDirichletAllocation)


@pytest.mark.parametrize(
    "name", ["fit", "transform", "fit_transform", "score", "perplexity", "partial_fit", "word_topics"]
)
def test_the_main_methods_are_among_those_checked(name):
    assert name in METHODS


@pytest.mark.parametrize("name", RECORDS)
def test_record_documents_its_fields(name):
    fields = list(typing.get_type_hints(RECORDS[name]))
    assert documented(RECORDS[name], "Attributes") == fields


@pytest.mark.parametrize("name", FUNCTIONS | METHODS)
def test_result_is_documented(name):
    function = (FUNCTIONS | METHODS)[name]
    returns_something = inspect.signature(function).return_annotation not in (None, "None")
    assert bool(parse(function)["Returns"]) == returns_something


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_begins_with_a_sentence(name):
    summary = " ".join(parse(PUBLIC[name])["Summary"])
    assert summary
    assert summary[-1] in ".:"


@pytest.mark.parametrize("name", FUNCTIONS | METHODS)
def test_docstring_of_a_function_begins_with_what_it_does(name):
    first = parse((FUNCTIONS | METHODS)[name])["Summary"][0].split()[0]
    assert first.istitle()
    assert first not in ("A", "An", "The", "This", "What", "Whether")
    assert not first.endswith("s") or first in ("Express", "Process", "Regress")


@pytest.mark.parametrize("name", FUNCTIONS | METHODS | CLASSES)
def test_signature_fits_on_a_screen(name):
    signature = str(inspect.signature((FUNCTIONS | METHODS | CLASSES)[name]))
    assert len(textwrap.wrap(signature, 80)) <= 16


@pytest.mark.parametrize("name", FUNCTIONS | METHODS | CLASSES)
def test_every_parameter_is_described(name):
    shorter = {"texts", "X", "y", "model", "path"}  # what these are is in their type
    entries = parse((FUNCTIONS | METHODS | CLASSES)[name])["Parameters"]
    assert [entry.name for entry in entries if not entry.desc and entry.name not in shorter] == []


def documented_default(entry):
    """Return the text after "default=" in the type of a parameter, or None."""
    return entry.type.partition("default=")[2] or None


@pytest.mark.parametrize(
    "obj", [LatentDirichletAllocation, *FUNCTIONS.values(), *METHODS.values()], ids=lambda obj: obj.__name__
)
def test_documented_defaults_are_the_defaults(obj):
    signature = inspect.signature(obj).parameters
    stated = {entry.name: documented_default(entry) for entry in parse(obj)["Parameters"]}
    wrong = {name: text for name, text in stated.items() if text and eval(text) != signature[name].default}
    assert not wrong


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimator_documents_its_fitted_attributes():
    X = np.array([[2, 1, 0], [0, 1, 3]])
    lda = LatentDirichletAllocation(n_components=2, max_iter=2, random_state=0).fit(X)
    fitted = {name for name in dir(lda) if name.endswith("_") and not name.startswith("_")}
    assert set(documented(LatentDirichletAllocation, "Attributes")) == fitted | {
        "doc_covariate_names_",
        "doc_topic_coef_",
        "doc_topic_intercept_",
        "feature_names_in_",
        "topic_names_",
        "vocabulary_",
    }


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    if name in (
        "ldavi._estep",
        "ldavi._sampling",
    ):  # compiled modules have no examples, and doctest cannot read their sources
        return
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0 or name not in WITH_EXAMPLES


def test_example_of_the_package_runs():
    assert doctest.testmod(ldavi).failed == 0
