"""Print figures about the structure of ldavi: modules and functions entered by fits, signatures, lines of code.

python -m tools.structure [DIRECTORY]
python tools/structure.py [DIRECTORY]      for another work tree, which must be built

Definitions:

* A function is a `def` in a Python module of ldavi; lambdas, comprehensions and generated methods are not counted.
* A function is entered when it is called, or when it is resumed as a generator, in any thread.
* The depth is the largest number of ldavi's Python frames on the stack of one thread, lambdas and comprehensions
included.
* "one VB pass" is a fit with default parameters, K = 4 and max_iter=1, from its call to its return.
* "VB with learned priors" is the same with max_iter=12, which includes the passes of every phase.
* "ldavi fit" is `ldavi fit texts.txt -k 2 -o model.ldavi`, from the end of the parsing of its arguments.
* Parameters are those of every `def`, without `self`, `cls`, `*args` and `**kwargs`. A parameter is Any if its
  annotation is exactly `Any`.
* A line of code holds a token that is not a comment and does not belong to a docstring or to another string that
  stands alone.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import tokenize
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

MAX_PARAMETERS = 7
TEXTS = (
    "cats purr and sleep all day",
    "dogs bark and run in the park",
    "stars shine at night",
    "planets orbit bright stars",
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Entered:
    """A profile function that records the entered functions of a package and the depth of its calls."""

    def __init__(self, package: Path) -> None:
        self.package = f"{package.resolve()}{os.sep}"
        self.codes: set[CodeType] = set()
        self.depth = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(self.package):
            return
        self.codes.add(frame.f_code)
        self.depth = max(self.depth, sum(here.f_code.co_filename.startswith(self.package) for here in _stack(frame)))

    def start(self) -> None:
        threading.setprofile(self)
        sys.setprofile(self)

    @staticmethod
    def stop() -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]

    def figures(self) -> dict[str, int]:
        functions = [code for code in self.codes if not code.co_name.startswith("<")]
        modules = {code.co_filename for code in functions}
        return {"modules": len(modules), "functions": len(functions), "depth": self.depth}


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def entered_by_fits() -> dict[str, dict[str, int]]:
    """Count the modules and functions that fits with the imported ldavi enter."""
    import ldavi

    package = Path(ldavi.__file__).parent
    warnings.simplefilter("ignore")
    return {
        "one VB pass": _entered_by_fit(package, max_iter=1),
        "VB with learned priors": _entered_by_fit(package, max_iter=12),
        "ldavi fit": _entered_by_command(package),
    }


def _entered_by_fit(package: Path, max_iter: int) -> dict[str, int]:
    import numpy as np
    from scipy import sparse

    from ldavi import LatentDirichletAllocation

    X = sparse.csr_array(np.random.default_rng(0).poisson(0.4, (120, 80)))
    model = LatentDirichletAllocation(4, max_iter=max_iter, tol=None, random_state=0)
    entered = Entered(package)
    entered.start()
    try:
        model.fit(X)
    finally:
        entered.stop()
    return entered.figures()


def _entered_by_command(package: Path) -> dict[str, int]:
    from ldavi.cli import main

    entered = Entered(package)
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory, _called_after_parsing(entered.start):
        Path(directory, "texts.txt").write_text("\n".join(TEXTS * 10), encoding="utf-8")
        os.chdir(directory)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                code = main(["fit", "texts.txt", "-k", "2", "-o", "model.ldavi"])
        finally:
            entered.stop()
            os.chdir(before)
    if code:
        raise RuntimeError(f"`ldavi fit` returned {code}")
    return entered.figures()


@contextlib.contextmanager
def _called_after_parsing(function: Callable[[], None]) -> Iterator[None]:
    """Call a function whenever command-line arguments have been parsed."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_call(*arguments: Any, **named: Any) -> Any:
        parsed = parse(*arguments, **named)
        function()
        return parsed

    argparse.ArgumentParser.parse_args = parse_and_call  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        argparse.ArgumentParser.parse_args = parse  # type: ignore[method-assign]


def functions_of(tree: ast.AST) -> list[Function]:
    """Return every `def` of a module, methods and inner functions included."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def parameters_of(function: Function) -> list[ast.arg]:
    """Return the parameters that a caller names or gives by position."""
    arguments = function.args
    every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    return [parameter for parameter in every if parameter.arg not in ("self", "cls")]


def is_any(parameter: ast.arg) -> bool:
    """Return whether the annotation is `Any` and nothing else."""
    return isinstance(parameter.annotation, ast.Name) and parameter.annotation.id == "Any"


def code_lines(path: Path) -> int:
    """Count the lines of a Python or Cython file that are not blank, a comment or a string that stands alone."""
    outside = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    with path.open(encoding="utf-8") as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type not in outside:
                statement.append(token)
            elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
                if any(part.type != tokenize.STRING for part in statement):
                    lines.update(line for part in statement for line in range(part.start[0], part.end[0] + 1))
                statement = []
    return len(lines)


def figures_of_sources(package: Path) -> dict[str, Any]:
    """Count functions, parameters and lines of the Python and Cython sources."""
    modules = sorted(package.rglob("*.py"))
    sources = modules + sorted(package.rglob("*.p[yx][xd]"))
    functions = [function for path in modules for function in functions_of(ast.parse(path.read_text(encoding="utf-8")))]
    parameters = [parameters_of(function) for function in functions]
    total = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    longest = max(modules, key=lambda path: total[path])
    return {
        "modules": len(modules),
        "functions": len(functions),
        "functions with more than seven parameters": sum(len(some) > MAX_PARAMETERS for some in parameters),
        "parameters": sum(len(some) for some in parameters),
        "parameters annotated Any": sum(is_any(parameter) for some in parameters for parameter in some),
        "lines of code": sum(code_lines(path) for path in sources),
        "lines": sum(total.values()),
        "longest module": f"{longest.relative_to(package.parent).as_posix()} ({total[longest]} lines)",
    }


def figures_of_fits(directory: Path) -> dict[str, dict[str, int]]:
    """Count the modules and functions that fits enter, in a process that imports ldavi from a directory."""
    command = [sys.executable, str(Path(__file__).resolve()), "--entered"]
    environment = os.environ | {"PYTHONPATH": str(directory.resolve())}
    done = subprocess.run(command, env=environment, cwd=directory, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, dict[str, int]] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--entered", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.entered:
        print(json.dumps(entered_by_fits()))
        return
    for name, figures in figures_of_fits(arguments.directory).items():
        what = f"{figures['modules']} modules, {figures['functions']} functions, depth {figures['depth']}"
        print(f"entered by {name + ':':31} {what}")
    for name, value in figures_of_sources(arguments.directory / "ldavi").items():
        print(f"{name + ':':42} {value}")


if __name__ == "__main__":
    main()
