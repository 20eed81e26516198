"""Run the distributed parts, each with a result file of its own.

python -m benchmarks.distributed D3 D4 D7 --data DIR --out DIR [--quick]

D3 and D4 need the extra `dask`; D7 needs pyspark and Java 17 or later.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.run import ROOT

PARTS = ("D3", "D4", "D7")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--data", help="directory of NAME.npz (default: LDAVI_CORPORA); without one, corpora are drawn")
    parser.add_argument("--out", type=Path, required=True, help="directory of result files")
    parser.add_argument("--quick", action="store_true", help="use tiny sizes, to check that everything runs")
    arguments = parser.parse_args()
    failed = []
    for part in arguments.parts:
        command = [sys.executable, "-m", "benchmarks.run", part, "--out", str(arguments.out.resolve() / f"{part}.json")]
        command += ["--data", str(Path(arguments.data).resolve())] if arguments.data else []
        command += ["--quick"] if arguments.quick else []
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(part)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
