"""Run parts of the benchmark and write the results; each corpus of a part is measured in a process of its own.

python -m benchmarks.run S2 S3 --data DIR --out benchmarks/results/NAME.json [--only CORPUS ...] [--known] [--quick]
python -m benchmarks.run --report benchmarks/results/*.json

With --known, Q1, Q3, Q4, Q5 and Q7 reuse results of other libraries that --out contains, if they were measured with
the same number of seeds. Perplexities and bounds do not depend on the day of the run, but times do. An existing result
file is extended: only cases that are measured again are replaced, so results can be collected in several runs.
"""

import argparse
import datetime
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import report, results, settings
from benchmarks.parts import MODULES

ROOT = Path(__file__).parents[1]
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "RAYON", "VECLIB_MAXIMUM", "BLIS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(MODULES)}, or all (S1 to S11) or quality (Q1 to Q8)")
    parser.add_argument("--data", help="directory of NAME.npz (default: LDAVI_CORPORA); without one, corpora are drawn")
    parser.add_argument(
        "--out", type=Path, help="result file, extended if it exists; without one, tables are only printed"
    )
    parser.add_argument("--only", nargs="+", metavar="CORPUS", help="measure only these corpora of the parts")
    parser.add_argument("--known", action="store_true", help="reuse the results of other libraries that --out contains")
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, to check that everything runs")
    parser.add_argument("--report", nargs="+", type=Path, metavar="FILE", help="print result files as Markdown")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.report:
        results = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.report]
        print(
            report.markdown([result for result in results if "parts" in result])
        )  # other scripts write files without "parts"
        return
    groups = {
        "all": [name for name in MODULES if name[0] == "S"],
        "quality": [name for name in MODULES if name[0] == "Q"],
    }
    parts = [name for given in arguments.parts for name in groups.get(given, [given])]
    unknown = [name for name in parts if name not in MODULES]
    if unknown or not parts:
        parser.error(
            f"parts must be all, quality or among {', '.join(MODULES)}"
            + (f", not {', '.join(unknown)}" if unknown else "")
        )
    if arguments.child:
        _measure_here(parts[0], arguments)
    else:
        _measure_all(parts, arguments)


def _measure_all(parts: list[str], arguments: argparse.Namespace) -> None:
    collected = results.read(arguments.out, quick=arguments.quick)
    pairs = [(name, corpus) for name in parts for corpus in settings.corpora_of(name, quick=arguments.quick)]
    pairs = [(name, corpus) for name, corpus in pairs if not arguments.only or corpus in arguments.only]
    if not pairs:
        sys.exit(f"--only={' '.join(arguments.only)}: none of the parts {', '.join(parts)} measures such a corpus")
    failed = []
    for name, corpus in pairs:
        print(f"{name} {corpus or ''} …", file=sys.stderr, flush=True)
        try:
            measured = _in_a_process(name, corpus, arguments)
        except subprocess.CalledProcessError:
            failed.append(f"{name} {corpus or ''}".rstrip())
            continue
        print(report.plain(name, measured["part"]), flush=True)
        collected = results.merged(collected, name, measured | {"date": datetime.date.today().isoformat()} | _commit())
        if arguments.out:  # after every corpus, so that an interrupted run loses nothing
            results.write(arguments.out, collected)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _in_a_process(name: str, corpus: str | None, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure a part on one corpus in a new process, in which libraries read the number of threads at their import.

    The process also returns its memory to the system, so that parts do not affect each other.
    """
    environment = os.environ | {f"{library}_NUM_THREADS": "1" for library in ONE_THREAD}
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "part.json"
        command = [sys.executable, "-m", "benchmarks.run", name, "--child", str(out)]
        command += ["--data", arguments.data] if arguments.data else []
        command += ["--only", corpus] if corpus else []
        command += ["--quick"] if arguments.quick else []
        command += ["--known", "--out", str(arguments.out.resolve())] if arguments.known and arguments.out else []
        subprocess.run(command, check=True, env=environment, cwd=ROOT)
        return json.loads(out.read_text(encoding="utf-8"))


def _measure_here(name: str, arguments: argparse.Namespace) -> None:
    module = importlib.import_module(f"benchmarks.parts.{MODULES[name]}")
    threads = getattr(module, "THREADS", 1)
    _pin(threads)
    from threadpoolctl import threadpool_limits

    from benchmarks import corpora, machine

    described = machine.describe()
    config = settings.load(name, quick=arguments.quick, corpus=arguments.only[0] if arguments.only else None)
    if arguments.known:
        part = results.read(arguments.out, quick=arguments.quick)["parts"].get(name, {})
        config["known"] = part.get("cases", [])
    with threadpool_limits(1):  # pools of BLAS and OpenMP; the adapters set the libraries' own threads
        part = module.run(config, corpora.from_environment(arguments.data, config["shapes"]), arguments.quick)
    part = {"title": module.TITLE, "threads": threads, "load_average": described["load_average"]} | part
    arguments.child.write_text(json.dumps({"machine": described, "part": part}), encoding="utf-8")


def _pin(threads: int) -> None:
    """Bind the process to the cores that the part may use, so that it uses no others and does not migrate."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, set(cores[-threads:]))


def _commit() -> dict[str, Any]:
    """Return the commit of ldavi that was measured, and whether its sources have uncommitted changes."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD"),
        "changed": bool(git("status", "--porcelain", "--", "ldavi", "setup.py")),
    }


if __name__ == "__main__":
    main()
