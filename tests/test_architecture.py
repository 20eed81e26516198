"""The rules of the architecture, read from the sources; docs/development/design.md gives the reason for each.

A new module needs no entry here: the folder it is in determines what it may import.
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
    not (PACKAGE / "_estep.pyx").exists(), reason="reads the sources, which are not next to these tests"
)

# The folders and modules at the top of the package: imports go down this list and never up.
LAYERS = (
    *("__main__", "cli", "__init__", "dask", "report", "selection", "plotting", "io", "inspection", "metrics"),
    *("progress", "datasets", "_show_config", "_estimator", "_inference", "_core"),
    *("_estep", "_sampling", "_token_topics", "_random_streams", "_version"),
)
MAX_LINES = 400
MORE_LINES = {"_estimator.lda": 450}
FORBIDDEN_FLAGS = ("-ffast-math", "-Ofast", "-march=native", "-mtune=native", "-fopenmp", "/fp:fast", "/openmp")
OPTIONAL = (
    "dask",
    "distributed",
    "formulaic",
    "gensim",
    "jieba",
    "jinja2",
    "matplotlib",
    "pandas",
    "plotly",
    "polars",
    "pyLDAvis",
    "pyarrow",
    "python_calamine",
    "pythainlp",
    "safetensors",
    "stopwordsiso",
    "sudachipy",
    "tomotopy",
    "tqdm",
    "xlsxwriter",
    "zstandard",
)
EXPORTED_BY_C = {"JOIN", "ldavi_table_avx2", "ldavi_table_avx512", "ldavi_cpu_has", "ldavi_scratch_size"}

COMPILED = ("_estep", "_sampling")
CYTHON = sorted(path for kind in ("*.pyx", "*.pxd") for path in PACKAGE.rglob(kind))
MODULES = sorted([*PACKAGE.rglob("*.py"), *CYTHON])
BELOW_THE_ESTIMATOR = ("_inference", "_core")
C_FILES = sorted(path.name for path in KERNELS.glob("*.[ch]"))


def module_name(path):
    """Return "_core.documents" for ldavi/_core/documents.py, "io" for ldavi/io/__init__.py, and so on."""
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def layer_of(module):
    """Return the entry of LAYERS that a module belongs to."""
    return module.partition(".")[0]


def in_layers(*layers):
    return [path for path in MODULES if layer_of(module_name(path)) in layers]


def parsed(path):
    if path.suffix == ".py":
        return ast.parse(path.read_text(encoding="utf-8"))
    lines = re.findall(r"^\s*(?:from|c?import)\s+.*$", path.read_text(encoding="utf-8"), re.M)  # Cython is not Python
    return ast.parse("\n".join(line.strip().replace("cimport", "import") for line in lines))


def imported_names(path, *, top_level=False):
    """Yield the dotted names that a module imports, anywhere or at its top level, such as "numpy.typing.NDArray"."""
    tree = parsed(path)
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import, which these tests do not follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(path):
    """Yield the names of the modules of this package that a module imports, in the form of `module_name`."""
    known = {module_name(path) for path in MODULES}
    for full in imported_names(path):
        top, _, rest = full.partition(".")
        if top == "ldavi":
            yield next((module for module in (rest, rest.rpartition(".")[0]) if module in known), "__init__")


def packages_of(names):
    return {full.partition(".")[0] for full in names}


def called_names(tree):
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def code_of_cython(path):
    """Return the code of a .pyx or .pxd file without comments, but with docstrings."""
    return re.sub(r"#.*", "", path.read_text(encoding="utf-8"))


def code_of_c(path):
    """Return the code of a C file without comments, strings and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", " ", text, flags=re.M)
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text)


def c_functions(path):
    """Return the name and the declaration of each function that a C file defines."""
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


# Layers


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down_the_layers(path):
    own = LAYERS.index(layer_of(module_name(path)))
    assert not {module for module in imported_modules(path) if LAYERS.index(layer_of(module)) < own}


def test_imports_make_no_cycle():
    graph = {module_name(path): set(imported_modules(path)) - {module_name(path)} for path in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError, with the names of the modules


@pytest.mark.parametrize("path", in_layers(*BELOW_THE_ESTIMATOR), ids=module_name)
def test_nothing_below_the_estimator_imports_scikit_learn_or_joblib(path):
    assert not packages_of(imported_names(path)) & {"sklearn", "joblib"}


@pytest.mark.parametrize("path", in_layers(*BELOW_THE_ESTIMATOR), ids=module_name)
def test_nothing_below_the_estimator_creates_random_numbers(path):
    """Seeds and generators are arguments, so that all random numbers of a fit have the same source."""
    names = set(imported_names(path))
    assert not packages_of(names) & {"random", "secrets"}
    assert not {name for name in names if name.startswith("numpy.random")}


@pytest.mark.parametrize("path", in_layers(*BELOW_THE_ESTIMATOR), ids=module_name)
def test_nothing_below_the_estimator_prints(path):
    assert "print" not in called_names(parsed(path))


@pytest.mark.parametrize("path", in_layers(*BELOW_THE_ESTIMATOR), ids=module_name)
def test_nothing_below_the_estimator_warns_or_logs(path):
    assert not packages_of(imported_names(path)) & {"warnings", "logging"}


# Size and public interface


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_name)
def test_a_module_is_short_enough_to_read(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MORE_LINES.get(module_name(path), MAX_LINES)


def test_public_names_are_those_in_all():
    nodes = [node for node in ast.walk(parsed(PACKAGE / "__init__.py")) if isinstance(node, ast.ImportFrom)]
    imported = {alias.asname or alias.name for node in nodes for alias in node.names}
    assert {name for name in imported - {"TYPE_CHECKING", "Any"} if not name.startswith("_est")} == set(ldavi.__all__)


def test_all_is_sorted_and_its_names_exist():
    assert list(ldavi.__all__) == sorted(name for name in ldavi.__all__ if hasattr(ldavi, name))


def test_no_module_needs_an_optional_library_when_it_is_imported():
    """scikit-learn imports pandas if it is installed, so `sys.modules` cannot show what this package imports."""
    block = f"import sys; sys.path[:0] = [{str(PACKAGE.parent)!r}]; "
    block += f"sys.modules.update(dict.fromkeys({OPTIONAL!r})); import ldavi.cli"
    run = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_optional_libraries_are_not_imported_at_the_top(path):
    assert not packages_of(imported_names(path, top_level=True)) & set(OPTIONAL)


# The compiled modules


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_compiled_code_never_acquires_the_gil(path):
    assert not re.search(r"with\s+gil", code_of_cython(path))


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_compiled_code_does_not_allocate(path):
    assert not re.search(r"\b(malloc|calloc|realloc|free|PyMem_\w+)\b", code_of_cython(path))


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_compiled_code_does_not_use_the_c_interface_of_numpy(path):
    assert not re.search(r"cimport\s+numpy|from\s+numpy\s+cimport", code_of_cython(path))


@pytest.mark.parametrize("path", CYTHON, ids=lambda path: path.name)
def test_compiler_directives_are_only_in_setup(path):
    assert not re.search(r"#\s*(cython|distutils)\s*:", path.read_text(encoding="utf-8"))


def test_every_compiled_module_is_tested():
    assert {module_name(path) for path in PACKAGE.rglob("*.pyx")} == set(COMPILED)


@pytest.mark.parametrize("flag", FORBIDDEN_FLAGS)
def test_the_build_does_not_pass(flag):
    assert not any(flag in text.split() for text in string_constants(ROOT / "setup.py"))


@pytest.mark.parametrize("file", C_FILES)
def test_c_functions_outside_the_interface_are_static(file):
    public = {name for name, head in c_functions(KERNELS / file) if not re.match(r"(static|INLINE)\b", head)}
    assert public <= EXPORTED_BY_C


def test_the_parser_finds_c_functions():
    names = {name for file in C_FILES for name, _ in c_functions(KERNELS / file)}
    assert names >= {"update_documents", "accumulate_words", "update_topics", "exp_f32", "JOIN", "ldavi_cpu_has"}


@pytest.mark.parametrize("file", C_FILES)
def test_c_bodies_do_not_allocate(file):
    assert not re.search(r"\b(malloc|calloc|realloc|free|alloca)\s*\(", code_of_c(KERNELS / file))


@pytest.mark.parametrize("file", C_FILES)
def test_c_bodies_do_not_use_python(file):
    assert not re.search(r"\bPy[A-Z_]\w*", (KERNELS / file).read_text(encoding="utf-8"))
