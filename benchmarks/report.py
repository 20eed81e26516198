"""Result files as text: a plain table while measuring, Markdown for docs/benchmarks.md."""

from collections.abc import Sequence
from typing import Any

MISSING = "–"


def plain(name: str, part: dict[str, Any]) -> str:
    lines = [f"{name}  {part['title']}"]
    lines += [f"  {'  '.join(cell for cell in _cells(case) if cell != MISSING)}" for case in part["cases"]]
    return "\n".join(lines + [f"  note: {note}" for note in part["notes"]])


def markdown(results: Sequence[dict[str, Any]]) -> str:
    """One section for each result file, one table for each part."""
    sections = []
    for result in results:
        machine = result.get("machine", {})
        sections.append(
            f"### {result['date']}, {machine.get('cpu')}\n\n{machine.get('cores')} cores, {machine.get('memory_gib')} GiB, "
            f"caches {_pairs(machine.get('caches', {}))}; {machine.get('system')}; {machine.get('compiler')}; "
            f"Python {machine.get('python')}, {_pairs(machine.get('libraries', {}))}; "
            f"commit {result['commit'][:10]}{' with changes' if result['changed'] else ''}"
            f"{'; quick run, not a measurement' if result['quick'] else ''}."
        )
        for name, part in result["parts"].items():
            sections.append(_table(name, part))
    return "\n\n".join(sections)


def _table(name: str, part: dict[str, Any]) -> str:
    lines = [
        f"#### {name}: {part['title']}",
        "",
        "| case | measured | target | | medians | perplexity |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(_cells(case))} |" for case in part["cases"]]
    if part["notes"]:
        lines += ["", *part["notes"]]
    lines += ["", f"Load average before: {part['load_average']}."]
    return "\n".join(lines)


def _cells(case: dict[str, Any]) -> list[str]:
    low, high = case["range"]
    measured = f"{case['value']:.3g} ({low:.3g} to {high:.3g}) {case['what']}"
    if "target" not in case:
        target, met = MISSING, MISSING
    else:
        target = f"{'at least' if case['sense'] == '>=' else 'at most'} {case['target']:g}"
        met = "met" if case["met"] else "not met"
    unit = case.get("unit", "s")
    middle = "; ".join(f"{key} {value:.3g} {unit}" for key, value in case.get("medians", {}).items()) or MISSING
    return [case["name"], measured, target, met, middle, _perplexity(case)]


def _perplexity(case: dict[str, Any]) -> str:
    """Means where there are several."""
    means = {}
    for name, value in case.get("perplexity", {}).items():
        values = value if isinstance(value, list) else [value]
        means[name] = sum(values) / len(values)
    if len(means) == 1:
        return f"{next(iter(means.values())):.5g}"
    return "; ".join(f"{name} {value:.5g}" for name, value in means.items()) or MISSING


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items() if value is not None)
