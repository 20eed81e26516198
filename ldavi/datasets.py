"""Real texts for examples that are installed on every machine: they need no network and no data files."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("numpy", "scipy", "sklearn")


class Docstrings(NamedTuple):
    """Documents and their names.

    Attributes
    ----------
    texts : list of str
        The docstrings.
    names : list of str
        Dotted names of the objects that they describe, such as "scipy.sparse.linalg._eigen._svds.svds".
    """

    texts: list[str]
    names: list[str]


def load_docstrings(packages: tuple[str, ...] = PACKAGES, *, min_words: int = 30) -> Docstrings:
    """Load the docstrings of installed packages, one document each.

    Source files are read, not run. Tests and texts that were found before are left out.

    Parameters
    ----------
    packages : tuple of str, default=("numpy", "scipy", "sklearn")
        The packages, which must be installed.
    min_words : int, default=30
        Minimum number of words of a docstring.

    Returns
    -------
    docstrings : Docstrings
        Thousands of documents on linear algebra, statistics, sparse matrices, plotting and machine learning.
        Their order depends on the installed files only.

    Raises
    ------
    ModuleNotFoundError
        If a package is not installed.

    Examples
    --------
    >>> from ldavi.datasets import load_docstrings
    >>> len(load_docstrings(("sklearn",)).texts) > 500
    True
    """
    documents: dict[str, str] = {}
    for package in packages:
        for path, module in _source_files(package):
            for name, text in _docstrings(path, module):
                if len(text.split()) >= min_words:
                    documents.setdefault(text, name)
    return Docstrings(list(documents), list(documents.values()))


def _source_files(package: str) -> Iterator[tuple[Path, str]]:
    """Yield the source files of a package with the names of their modules."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"packages holds {package!r}, which is not an installed package; install it or leave it out"
        )
    root = Path(spec.submodule_search_locations[0])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if not any(part in ("tests", "_vendor", "externals") for part in parts):
            yield path, ".".join((package, *parts)).removesuffix(".__init__")


def _docstrings(path: Path, module: str) -> Iterator[tuple[str, str]]:
    """Yield every docstring of a file with the dotted name of the object that it describes."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # a template, or code for another version of Python
        return
    pending: list[tuple[ast.AST, str]] = [(tree, module)]
    while pending:
        node, name = pending.pop()
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield name, text
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                pending.append((child, f"{name}.{child.name}"))
