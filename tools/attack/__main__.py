"""The command line of the attacks: `python -m tools.attack`."""

import argparse
import importlib
import sys
import time

from tools import attack
from tools.attack import runner

ATTACKS = {  # name: (module, function, number of attempts by default, seconds after which an attempt hangs)
    "fits": ("fits", "attempt", 2000, 120),
    "corpora": ("files", "attempt_corpus", 20000, 60),
    "models": ("files", "attempt_model", 10000, 60),
    "checkpoints": ("files", "attempt_checkpoint", 2000, 60),
    "kills": ("processes", "attempt_kill", 60, 120),
    "interrupts": ("processes", "attempt_interrupt", 200, 120),
    "memory": ("resources", "attempt_memory", 100, 120),
    "disks": ("resources", "attempt_disk", 200, 60),
    "planted": ("planted", "attempt", 6, 3),  # faults, to check that they are found
}


def main() -> None:
    """Run the attacks, print a summary, and exit with status 1 if an attempt failed."""
    parser = argparse.ArgumentParser(description=attack.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="+", choices=[*ATTACKS, "all"], help="names of attacks")
    parser.add_argument("--seed", type=int, default=0, help="seed of all attempts (default: 0)")
    parser.add_argument("--first", type=int, default=0, help="index of the first attempt (default: 0)")
    parser.add_argument("--number", type=int, help="number of attempts of each attack (default: depends on the attack)")
    parser.add_argument("--minutes", type=float, default=1e6, help="no attempt of an attack starts later")
    parser.add_argument("--only", type=int, metavar="INDEX", help="run one attempt in this process, to debug it")
    parser.add_argument("--skip", nargs="+", default=[], metavar="NAME", help="invariants or targets to leave out")
    parser.add_argument("--largest", type=float, default=1e9, help="largest count of a random corpus (default: 1e9)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = [name for name in ATTACKS if name != "planted"] if "all" in given.attacks else given.attacks
    options = {"skip": given.skip, "largest": given.largest}
    if given.child or given.only is not None:
        module, function, _, _ = ATTACKS[names[0]]
        attempt = getattr(importlib.import_module(f"tools.attack.{module}"), function)
        if given.only is not None:
            print(attempt(given.seed, given.only, options))
        else:
            runner.serve(attempt, given.seed, range(given.first, given.first + given.number), options)
        return
    arguments = ["--seed", str(given.seed), "--largest", str(given.largest)]
    arguments += ["--skip", *given.skip] if given.skip else []
    summaries = []
    for name in names:
        _, _, number, watchdog = ATTACKS[name]
        indices = range(given.first, given.first + (given.number or number))
        print(f"{time.strftime('%H:%M:%S')} {name}: {len(indices)} attempts", file=sys.stderr, flush=True)
        summaries.append(
            runner.run(name, indices=indices, seconds=60 * given.minutes, watchdog=watchdog, arguments=arguments)
        )
    print(runner.table(summaries, given.seed))
    sys.exit(any(summary.failures for summary in summaries))


if __name__ == "__main__":
    main()
