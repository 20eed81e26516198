"""Compare two commits of ldavi bit by bit: fits, results of fitted models, resumed fits and files.

python -m benchmarks.same_bits COMMIT_A COMMIT_B [--only WORD ...]

A commit is checked out and built; the path of a work tree that is already built may be given instead, so that `.`
compares changes that are not committed. Each tree computes a grid of small cases through ldavi's public interface, in a
process of its own. B also resumes from checkpoints and loads models that A wrote. Cases that raise must raise the same
type of exception. The exit code is 1 if a case differs, if a fit does not resume to the bits of an uninterrupted one,
or if no case was selected. `--only` selects the cases whose names contain every WORD.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import checked_out, copied_benchmarks, environment_of
from benchmarks.run import ROOT
from benchmarks.same_bits_fields import Fields
from benchmarks.same_bits_resume import NOTHING_WRITTEN, RESUMES

Results = dict[str, Fields]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs=2, metavar="COMMIT")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, checked_out(options.commits, Path(directory)) as trees:
        a, b = computed(trees["A"], trees["B"], options.only)
    differing = sum([not print_case(name, a.get(name), b.get(name)) for name in a | b])
    print(f"{len(a | b)} cases, {differing} differ")
    return 1 if differing or not a else 0


def computed(tree_a: Path, tree_b: Path, words: list[str]) -> tuple[Results, Results]:
    """Run the cases in both trees, B after A, since B reads files that A wrote."""
    with copied_benchmarks() as own:
        exchange = own / "exchange"
        exchange.mkdir()
        model = ROOT / "tests" / "model_files" / "v1.ldavi"
        if model.exists():
            shutil.copy(model, exchange)
        results: list[Results] = []
        for tree, role in ((tree_a, "write"), (tree_b, "read")):
            out = own / f"{role}.json"
            command = [sys.executable, "-m", "benchmarks.same_bits_run", role, str(out), "--exchange", str(exchange)]
            command += ["--only", *words] if words else []
            subprocess.run(command, cwd=own, env=environment_of(tree), check=True)
            results.append(json.loads(out.read_text(encoding="utf-8")))
    return results[0], results[1]


def print_case(name: str, a: Fields | None, b: Fields | None) -> bool:
    """Print a line about a case, and return whether it is equal and, if resumed, has the uninterrupted fit's bits."""
    if a is None or b is None:
        print(f"DIFFERS  {name}: only {'B' if a is None else 'A'} has it")
        return False
    if NOTHING_WRITTEN in b:
        print(f"equal    {name} (A wrote nothing: {a.get('raises', 'no interrupt')})")
        return True
    if "raises" in a or "raises" in b:
        return _print_raised(name, a, b)
    differing = [field for field in a | b if a.get(field) != b.get(field)]
    for tree, fields in (("A", a), ("B", b)):
        if fields.get(RESUMES, "equal") != "equal":
            differing.append(f"resumed by {tree} to other {fields[RESUMES]}")
    print(f"DIFFERS  {name}: {', '.join(differing)}" if differing else f"equal    {name}")
    return not differing


def _print_raised(name: str, a: Fields, b: Fields) -> bool:
    """Print a line about a case that raised; a checkpoint that A refuses and B offers is not counted as different."""
    raised = a.get("raises", "nothing"), b.get("raises", "nothing")
    if raised[0] == raised[1]:
        print(f"equal    {name} (raises {raised[0]})")
        return True
    refused = "checkpoint" in a.get("message", "") and raised == ("ValueError", "nothing")
    resumes = b.get(RESUMES, "equal")
    if refused and resumes == "equal":
        print(f"new in B {name} (A refuses a checkpoint)")
        return True
    print(f"DIFFERS  {name}: A raises {raised[0]}, B raises {raised[1]}; {a.get('message', '')} {b.get('message', '')}")
    return False


if __name__ == "__main__":
    sys.exit(main())
