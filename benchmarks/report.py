"""Format results as text: a plain table during a run, Markdown for docs/development/benchmark_results.md."""

import statistics
import textwrap
from collections.abc import Sequence
from typing import Any

MISSING = "–"


def plain(name: str, part: dict[str, Any]) -> str:
    """Format a part as plain text, one line per case."""
    lines = [f"{name}  {part['title']}"]
    lines += [f"  {'  '.join(cell for cell in _cells(case) if cell != MISSING)}" for case in part["cases"]]
    return "\n".join(lines + [f"  note: {note}" for note in part["notes"]])


def markdown(results: Sequence[dict[str, Any]]) -> str:
    """Format result files as Markdown: the machines, then one table per part."""
    machines: dict[str, list[str]] = {}
    tables = []
    for result in results:
        names = list(result["parts"])
        machines.setdefault(_machine(result["machine"]), []).extend(names)
        tables += [_table(name, part, _when(result, part["cases"])) for name, part in result["parts"].items()]
    heads = [_filled(f"{', '.join(names)}: {machine}.") for machine, names in machines.items()]
    return "\n\n".join(heads + tables)


def _filled(text: str) -> str:
    """Return a paragraph with lines that fit a page."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _when(result: dict[str, Any], cases: Sequence[dict[str, Any]]) -> str:
    """Return date and commit of every run that the cases come from."""
    runs = [case.get("measured", result) for case in cases]
    states = [f"{run['date']}, commit {run['commit'][:10]}{' with changes' if run['changed'] else ''}" for run in runs]
    judged = sorted({case["judged"]["date"] for case in cases if "judged" in case})
    states += [f"perplexities of some fits computed again {date}" for date in judged]
    return "; ".join(dict.fromkeys(states)) + ("; quick run, not a measurement" if result["quick"] else "")


def _machine(machine: dict[str, Any]) -> str:
    return (
        f"{machine.get('cpu')}, {machine.get('cores')} cores, {machine.get('memory_gib')} GiB, "
        f"caches {_pairs(machine.get('caches', {}))}; {machine.get('system')}; {machine.get('compiler')}; "
        f"Python {machine.get('python')}, {_pairs(machine.get('libraries', {}))}"
    )


def _table(name: str, part: dict[str, Any], when: str) -> str:
    lines = [
        f"### {name}: {part['title']}",
        "",
        "| case | measured | target | | medians | perplexity |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(_cells(case))} |" for case in part["cases"] if case.get("table") != "cliffs"]
    lines += _cliffs([case for case in part["cases"] if case.get("table") == "cliffs"])
    if part["notes"]:
        lines += ["", *map(_filled, part["notes"])]
    lines += ["", _filled(f"{when}; load average before: {part['load_average']}.")]
    return "\n".join(lines)


def _cliffs(cases: Sequence[dict[str, Any]]) -> list[str]:
    """Format cases named "V=…, n words, K=…" as one table with a row for each K."""
    cells: dict[str, dict[str, str]] = {}
    for case in cases:
        where, topics = case["name"].rsplit(", ", 1)
        cells.setdefault(topics, {})[where] = f"{case['value']:.3g}"
    columns = list(dict.fromkeys(where for row in cells.values() for where in row))
    if not columns:
        return []
    head = ["", f"{cases[0]['what']}:", "", f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    return head + [
        f"| {topics} | {' | '.join(row.get(where, MISSING) for where in columns)} |" for topics, row in cells.items()
    ]


def _cells(case: dict[str, Any]) -> list[str]:
    low, high = case["range"]
    digits = case.get("digits", 3)
    measured = f"{case['value']:.{digits}g} ({low:.{digits}g} to {high:.{digits}g}) {case['what']}"
    if "target" not in case:
        target, met = MISSING, MISSING
    else:
        target = f"{'at least' if case['sense'] == '>=' else 'at most'} {case['target']:g}"
        met = "met" if case["met"] else "not met"
    unit = case.get("unit", "s")
    middle = (
        "; ".join(f"{key} {value:.{digits}g} {unit}".rstrip() for key, value in case.get("medians", {}).items())
        or MISSING
    )
    name = f"{case['name']} ({case['outdated']})" if "outdated" in case else case["name"]
    return [name, measured, target, met, middle, _perplexity(case)]


def _perplexity(case: dict[str, Any]) -> str:
    """Format perplexities; a list of values is represented by its median, as everywhere else."""
    middle = {}
    for name, value in case.get("perplexity", {}).items():
        middle[name] = statistics.median(value if isinstance(value, list) else [value])
    if len(middle) == 1:
        return f"{next(iter(middle.values())):.5g}"
    return "; ".join(f"{name} {value:.5g}" for name, value in middle.items()) or MISSING


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items() if value is not None)
