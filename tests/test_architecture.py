"""The rules of the house, read from the sources: docs/design.md says why each is there.

A new module must be given a floor in FLOORS before these tests pass.
"""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ldavi

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ldavi"
KERNELS = PACKAGE / "_kernels"

pytestmark = pytest.mark.skipif(
    not (PACKAGE / "_estep.pyx").exists(), reason="reads the sources, which are not beside the tests here"
)

FLOORS = {
    "__init__": 5,
    "__main__": 5,
    "cli": 5,
    "cli._convert": 5,
    "cli._corpus": 5,
    "cli._demo": 5,
    "cli._errors": 5,
    "cli._evaluate": 5,
    "cli._fit": 5,
    "cli._info": 5,
    "cli._interrupts": 5,
    "cli._main": 5,
    "cli._modelfile": 5,
    "cli._options": 5,
    "cli._output": 5,
    "cli._progress": 5,
    "cli._report": 5,
    "cli._resume": 5,
    "cli._stream": 5,
    "cli._sweep": 5,
    "cli._topics": 5,
    "cli._transform": 5,
    "dask": 5,
    "dask._answers": 5,
    "dask._collections": 5,
    "dask._estimator": 5,
    "dask._learning": 5,
    "dask._passes": 5,
    "dask._places": 5,
    "datasets": 5,
    "io": 5,
    "io._checkpoint": 5,
    "io._container": 5,
    "io._convert": 5,
    "io._convert_files": 5,
    "io._convert_gibbs": 5,
    "io._encode": 5,
    "io._models": 5,
    "progress": 5,
    "plotting": 5,
    "plotting._convergence": 5,
    "plotting._documents": 5,
    "plotting._map": 5,
    "plotting._matching": 5,
    "plotting._sizes": 5,
    "plotting._style": 5,
    "plotting._sweep": 5,
    "plotting._words": 5,
    "selection": 5,
    "selection._design": 5,
    "selection._journal": 5,
    "selection._progress": 5,
    "selection._result": 5,
    "selection._sweep": 5,
    "_show_config": 5,
    "inspection": 4,
    "inspection._documents": 4,
    "inspection._geometry": 4,
    "inspection._intervals": 4,
    "inspection._labels": 4,
    "inspection._posterior": 4,
    "inspection._summary": 4,
    "inspection._words": 4,
    "io._access": 5,
    "io._counts": 5,
    "io._entries": 5,
    "io._errors": 5,
    "io._npz": 5,
    "io._opener": 5,
    "io._parameters": 5,
    "io._recognise": 5,
    "io._store": 5,
    "io._stored": 5,
    "io._stored_csr": 5,
    "io._stored_tables": 5,
    "io._texts": 5,
    "io._tokens": 5,
    "io._vocabularies": 5,
    "io._watch": 5,
    "io.corpora": 5,
    "io.counting": 5,
    "io.streaming": 5,
    "report": 5,
    "report._write": 5,
    "report._collect": 5,
    "report._page": 5,
    "report._columns": 5,
    "report._data": 5,
    "report._texts": 5,
    "_anchors": 4,
    "_batches": 4,
    "_estimator": 4,
    "_fitted": 4,
    "_fixed_topics": 4,
    "_validation": 4,
    "_schedule": 4,
    "_generators": 4,
    "_init": 4,
    "_keeping": 4,
    "_learning": 4,
    "_growth": 4,
    "_models": 4,
    "_restore": 4,
    "_tables": 4,
    "metrics": 4,
    "metrics._agreement": 4,
    "metrics._coherence": 4,
    "metrics._diagnostics": 4,
    "metrics._diversity": 4,
    "metrics._occurrences": 4,
    "metrics._top_words": 4,
    "metrics._completion": 4,
    "metrics._evidence": 4,
    "metrics._left_to_right": 4,
    "metrics._likelihood": 4,
    "metrics._scorers": 4,
    "metrics._tokens": 4,
    "_fit": 3,
    "_fit_blocks": 3,
    "_fit_collapsed": 3,
    "_fit_memoized": 3,
    "_fit_online": 3,
    "_online_priors": 3,
    "_heldout": 3,
    "_infer": 3,
    "_corpus": 2,
    "_documents": 2,
    "_underflow": 2,
    "_kept_topics": 2,
    "_mstep": 2,
    "_collapsed": 2,
    "_hyper": 2,
    "_shards": 2,
    "_elbo": 2,
    "_trace": 2,
    "_state": 1,
    "_parallel": 1,
    "_prefetch": 1,
    "_scratch": 1,
    "_room": 1,
    "_estep": 1,
    "_sampling": 1,
    "_dirichlet": 0,
    "_typing": 0,
    "_version": 0,
}
MAX_LINES = 400
MORE_LINES = {"_estimator": 450}
FORBIDDEN_FLAGS = ("-ffast-math", "-Ofast", "-march=native", "-mtune=native", "-fopenmp", "/fp:fast", "/openmp")
OPTIONAL = (
    "bokeh",
    "dask",
    "distributed",
    "gensim",
    "jinja2",
    "matplotlib",
    "pandas",
    "plotly",
    "polars",
    "pyLDAvis",
    "pyarrow",
    "safetensors",
    "tomotopy",
    "tqdm",
    "zstandard",
)
EXPORTED_BY_C = {"JOIN", "ldavi_table_avx2", "ldavi_table_avx512", "ldavi_cpu_has", "ldavi_scratch_size"}

COMPILED = ("_estep", "_sampling")
PYTHON_MODULES = sorted(name for name in FLOORS if name not in COMPILED)
LOW_MODULES = sorted(name for name in PYTHON_MODULES if FLOORS[name] <= 3)
C_FILES = sorted(path.name for path in KERNELS.glob("*.[ch]"))


def module_name(path):
    """ "_fit" of ldavi/_fit.py, "io.models" of ldavi/io/models.py, "io" of ldavi/io/__init__.py."""
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def source_of(name):
    """ldavi/io/models.py of "io.models", ldavi/io/__init__.py of "io"."""
    path = PACKAGE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def pyx(name):
    return PACKAGE / f"{name}.pyx"


def tree_of(name):
    return ast.parse(source_of(name).read_text(encoding="utf-8"))


def imported_names(name, *, top_level=False):
    """Dotted names that a module imports, anywhere in it or at the top: "numpy.typing.NDArray", "ldavi._fit.Plan"."""
    if name in COMPILED:  # Cython is not Python: its import lines are read one by one
        lines = re.findall(r"^\s*(?:from|c?import)\s+.*$", pyx(name).read_text(encoding="utf-8"), re.M)
        tree = ast.parse("\n".join(line.strip().replace("cimport", "import") for line in lines))
    else:
        tree = tree_of(name)
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import, which these tests do not follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(name):
    """Modules of the package that a module imports, by their names in FLOORS."""
    for full in imported_names(name):
        top, _, rest = full.partition(".")
        if top == "ldavi":
            candidates = [rest, rest.rpartition(".")[0]]
            yield next((module for module in candidates if module in FLOORS), "__init__")


def called_names(tree):
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def code_of_pyx(name):
    """A .pyx without comments; its docstrings stay."""
    return re.sub(r"#.*", "", pyx(name).read_text(encoding="utf-8"))


def code_of_c(path):
    """A C file without comments, strings and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", " ", text, flags=re.M)
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text)


def c_functions(path):
    """(name, head) of each function that a C file defines: head is what stands between the last definition and its body."""
    depth, head, found = 0, "", []
    for character in code_of_c(path):
        if character == "{":
            if depth == 0 and head.rstrip().endswith(")"):
                name = re.search(r"(?:NAME\((\w+)\)|(\w+))\s*\(", head.replace("extern C", ""))
                found.append((name[1] or name[2], head.strip()))
            depth += 1
        elif character == "}":
            depth -= 1
            head = ""
        elif depth == 0:
            head = "" if character == ";" else head + character
    assert depth == 0, f"{path.name}: braces do not pair"
    return found


def string_constants(path):
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


# Floors


def test_every_module_has_a_floor():
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyx")]
    assert {module_name(path) for path in sources} == FLOORS.keys()


@pytest.mark.parametrize("name", FLOORS)
def test_imports_go_to_the_same_or_a_lower_floor(name):
    upward = {module for module in imported_modules(name) if FLOORS[module] > FLOORS[name]}
    assert not upward


def test_imports_make_no_cycle():
    graph = {name: set(imported_modules(name)) - {name} for name in FLOORS}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("name", sorted(set(FLOORS) - {name for name, floor in FLOORS.items() if floor >= 4}))
def test_scikit_learn_and_joblib_stay_on_floors_4_and_5(name):
    assert not {full for full in imported_names(name) if full.partition(".")[0] in ("sklearn", "joblib")}


@pytest.mark.parametrize("name", [name for name in PYTHON_MODULES if FLOORS[name] != 4])
def test_randomness_enters_on_floor_4_alone(name):
    uses = [
        ast.unparse(node)
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.random", "numpy.random")
    ]
    uses += [full for full in imported_names(name) if full.partition(".")[0] in ("random", "secrets")]
    uses += [full for full in imported_names(name) if full.startswith("numpy.random")]
    assert not uses


@pytest.mark.parametrize("name", LOW_MODULES)
def test_nothing_below_floor_4_prints(name):
    assert "print" not in called_names(tree_of(name))


@pytest.mark.parametrize("name", LOW_MODULES)
def test_nothing_below_floor_4_warns_or_logs(name):
    assert not {full for full in imported_names(name) if full.partition(".")[0] in ("warnings", "logging")}


# Size and face


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_name)
def test_a_module_is_short_enough_to_read(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MORE_LINES.get(module_name(path), MAX_LINES)


def test_public_names_are_those_in_all():
    nodes = [node for node in tree_of("__init__").body if isinstance(node, ast.ImportFrom)]
    imported = {alias.asname or alias.name for node in nodes for alias in node.names}
    assert imported == set(ldavi.__all__)


def test_all_is_sorted_and_names_what_exists():
    assert list(ldavi.__all__) == sorted(name for name in ldavi.__all__ if hasattr(ldavi, name))


def test_no_module_needs_an_optional_library_when_it_is_imported():
    """scikit-learn loads pandas where it is installed, so `sys.modules` cannot show what this package loads."""
    block = f"import sys; sys.path[:0] = [{str(PACKAGE.parent)!r}]; "
    block += f"sys.modules.update(dict.fromkeys({OPTIONAL!r})); import ldavi.cli"
    run = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", FLOORS)
def test_optional_libraries_are_not_imported_at_the_top(name):
    loaded = {full.partition(".")[0] for full in imported_names(name, top_level=True)}
    assert not loaded & set(OPTIONAL)


# The compiled floor


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_module_never_takes_the_interpreters_lock_back(name):
    assert not re.search(r"with\s+gil", code_of_pyx(name))


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_module_does_not_allocate(name):
    assert not re.search(r"\b(malloc|calloc|realloc|free|PyMem_\w+)\b", code_of_pyx(name))


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_module_uses_memoryviews_and_not_numpys_c_interface(name):
    assert not re.search(r"cimport\s+numpy|from\s+numpy\s+cimport", code_of_pyx(name))


@pytest.mark.parametrize("name", COMPILED)
def test_compiler_directives_stand_in_setup_alone(name):
    assert not re.search(r"#\s*(cython|distutils)\s*:", pyx(name).read_text(encoding="utf-8"))


def test_every_compiled_module_is_held_to_these_rules():
    assert {module_name(path) for path in PACKAGE.rglob("*.pyx")} == set(COMPILED)


@pytest.mark.parametrize("flag", FORBIDDEN_FLAGS)
def test_the_build_does_not_pass(flag):
    assert not any(flag in text.split() for text in string_constants(ROOT / "setup.py"))


@pytest.mark.parametrize("file", C_FILES)
def test_c_functions_are_static_but_for_the_interface(file):
    public = {name for name, head in c_functions(KERNELS / file) if not re.match(r"(static|INLINE)\b", head)}
    assert public <= EXPORTED_BY_C


def test_c_functions_are_found_at_all():
    names = {name for file in C_FILES for name, _ in c_functions(KERNELS / file)}
    assert names >= {"update_documents", "accumulate_words", "update_topics", "exp_f32", "JOIN", "ldavi_cpu_has"}


@pytest.mark.parametrize("file", C_FILES)
def test_c_bodies_do_not_allocate(file):
    assert not re.search(r"\b(malloc|calloc|realloc|free|alloca)\s*\(", code_of_c(KERNELS / file))


@pytest.mark.parametrize("file", C_FILES)
def test_c_bodies_do_not_know_python(file):
    assert not re.search(r"\bPy[A-Z_]\w*", (KERNELS / file).read_text(encoding="utf-8"))
