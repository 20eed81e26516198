"""Compare the speed of two commits of ldavi on this machine: build both, and time them alternately.

python -m benchmarks.compare COMMIT_A COMMIT_B [--parts S2 S4] [--data DIR] [--repeats 5] [--quick]

Both are measured by the benchmarks of the present checkout, which use only ldavi's public interface, so that commits
with different internals can be compared. A ratio above 1 means that B is faster.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import timing, workload
from benchmarks.run import ONE_THREAD, ROOT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs=2, metavar="COMMIT")
    parser.add_argument("--parts", nargs="+", default=list(workload.PARTS), choices=workload.PARTS)
    parser.add_argument("--data", default=os.environ.get("LDAVI_CORPORA"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    data = str(Path(arguments.data).resolve()) if arguments.data else None
    with (
        tempfile.TemporaryDirectory() as directory,
        checked_out(arguments.commits, Path(directory)) as trees,
        copied_benchmarks() as own,
    ):
        print(f"{'part':6}{'A':>12}{'B':>12}   A / B (range)")
        for part in arguments.parts:
            command = [sys.executable, "-m", "benchmarks.workload", part]
            command += (["--data", data] if data else []) + (["--quick"] if arguments.quick else [])
            seconds: timing.Repeats = {"A": [], "B": []}
            for _ in range(arguments.repeats):
                for name, tree in trees.items():
                    seconds[name].append(_seconds(command, own, tree))
            case = timing.ratio_case(part, seconds, "A", "B")
            a, b = case["medians"].values()
            low, high = case["range"]
            print(f"{part:6}{a:10.4g} s{b:10.4g} s   {case['value']:.3f} ({low:.3f} to {high:.3f})", flush=True)


@contextmanager
def checked_out(commits: list[str], directory: Path) -> Iterator[dict[str, Path]]:
    """Provide a built work tree for A and for B, and remove those that were created here.

    Parameters
    ----------
    commits : list of two str
        Each a commit, which is checked out and built in `directory`, or the path of a work tree that is already built.
    directory : Path
        Where commits are checked out.
    """
    trees: dict[str, Path] = {}
    created: list[Path] = []
    try:
        for name, commit in zip(("A", "B"), commits, strict=True):
            if Path(commit, "ldavi", "__init__.py").exists():
                trees[name] = Path(commit).resolve()
                continue
            trees[name] = directory / name
            created.append(trees[name])
            subprocess.run(
                ["git", "worktree", "add", "--quiet", "--detach", str(trees[name]), commit], cwd=ROOT, check=True
            )
            build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--force"]
            subprocess.run(build, cwd=trees[name], check=True, stdout=subprocess.DEVNULL)
        yield trees
    finally:
        for tree in created:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=False, capture_output=True
            )


@contextmanager
def copied_benchmarks() -> Iterator[Path]:
    """Provide a directory that holds a copy of the present `benchmarks` and no ldavi, and remove it afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / "benchmarks", Path(directory) / "benchmarks", ignore=ignored)
        yield Path(directory)


def environment_of(tree: Path) -> dict[str, str]:
    """Return an environment in which ldavi is imported from a work tree and other libraries use one thread."""
    return os.environ | {f"{library}_NUM_THREADS": "1" for library in ONE_THREAD} | {"PYTHONPATH": str(tree)}


def _seconds(command: list[str], here: Path, tree: Path) -> float:
    done = subprocess.run(command, cwd=here, env=environment_of(tree), check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
