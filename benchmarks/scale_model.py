"""Compute the bytes, memory and seconds of a fit of a given size, and compare predictions with measurements.

python -m benchmarks.scale_model                                   print the tables of docs/development/scale.md
python -m benchmarks.scale_model --documents 1e8 --topics 1e3      print them for another size
python -m benchmarks.scale_model --write                           update the tables in docs/development/scale.md
python -m benchmarks.scale_model --measure                         measure rates of this machine and its loopback
python -m benchmarks.scale_model --check --data DIR                compare predictions with fits on this machine

The model is in `benchmarks.scale_costs`. Each field of its `Assumptions` and its `Machine` is an option.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.scale_costs import (
    DESIGNS,
    FLOAT,
    LINE,
    PAIR,
    Assumptions,
    Cost,
    Machine,
    cost,
    dense_e_step_seconds,
    fit_seconds,
    measured_machine,
    one_machine,
    simulated_pass,
    sparse_e_step_seconds,
)

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "development" / "scale.md"
RECORDED = ROOT / "benchmarks" / "results" / "scale.json"
FITS = (("20ng", 100), ("20ng", 500), ("imdb", 100))  # corpus and number of topics of the fits that --check measures
TABLE_ON_PAGE = r"(<!-- table: {} -->).*?(<!-- end -->)"
RENAMED = {  # keys of result files that were written before the keys had their present names
    "lanes": "multiply_adds",
    "topic_sweep": "topic_iteration",
    "warmup_sweeps": "warmup_inner_iter",
    "monotone_sweeps": "monotone_inner_iter",
    "perplexity_whole": "perplexity_float32",
    "perplexity_half": "perplexity_float16",
    "perplexity_kept": "perplexity_truncated",
}
COST_COLUMNS = ("memory of a worker", "memory of the head", "compute", "network", "M-step", "pass")


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_unit(value: float, unit: str = "") -> str:
    """Format a value with two or three digits; bytes have a prefix (k to P)."""
    if value == 0:
        return "–"
    for power, prefix in ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if unit == "B" and value >= 0.9995 * 10**power:
            return f"{value / 10**power:.3g} {prefix}B"
    return f"{value:,.0f}{unit and ' ' + unit}" if value >= 100 else f"{value:.2g}{unit and ' ' + unit}"


def plain(value: float) -> str:
    """Format a value without a unit."""
    return f"{value:,.0f}" if 1 <= value < 1e5 else f"{value:.3g}"


def values_table(values: Assumptions | Machine) -> str:
    """Return a table of the fields of a dataclass with their units and sources."""
    rows = [(f.name, plain(getattr(values, f.name)), f.metadata["unit"], f.metadata["source"]) for f in fields(values)]
    return markdown_table(("name", "value", "unit", "source"), rows)


def sizes_table(a: Assumptions) -> str:
    """Return a table of the bytes of each array."""
    rows = {
        "counts, 8 bytes each": a.documents * a.doc_words * 8,
        "γ, all topics": a.documents * a.topics * FLOAT,
        "γ, topics with 99 % of the mass, 6 bytes each": a.documents * a.doc_topics * PAIR,
        "φ, which is never stored": a.documents * a.doc_words * a.topics * FLOAT,
        "λ; B and S have the same size": a.words * a.topics * FLOAT,
        "rows of B that a pass reads, one per count": a.documents * a.doc_words * a.topics * FLOAT,
    }
    return markdown_table(("array", "bytes"), [(name, with_unit(value, "B")) for name, value in rows.items()])


def e_step_table(a: Assumptions, m: Machine) -> str:
    """Return a table of the time of the E-step of a document."""
    parts = dense_e_step_seconds(a, m)
    total = sum(parts.values())
    alternatives = {
        "over active topics": sparse_e_step_seconds(a, m, a.doc_topics, LINE),
        "over the entries of sparse rows": sparse_e_step_seconds(a, m, a.word_topics, PAIR),
        "over active topics in sparse rows": sparse_e_step_seconds(a, m, a.doc_topics, PAIR),
    }
    rows = [(name, with_unit(1e6 * value), f"{100 * value / total:.0f} %") for name, value in parts.items()]
    rows += [("total", with_unit(1e6 * total), "")]
    rows += [
        (f"total, if only {name}", with_unit(1e6 * value), f"{100 * value / total:.0f} %")
        for name, value in alternatives.items()
    ]
    return markdown_table(("part of the E-step of a document", "µs on one core", "share"), rows)


def bottlenecks_table(a: Assumptions, m: Machine) -> str:
    """Return a table of the cost of the present design for increasing sizes."""
    rows = []
    for documents, words, topics, workers in ((1e6, 1e5, 100, 2), (1e7, 2e5, 300, 8), (1e8, 5e5, 1e3, 32)):
        rows.append(_bottleneck_row(replace(a, documents=documents, words=words, topics=topics, workers=workers), m))
    head = ("documents", "V", "K", "workers", *COST_COLUMNS, "bottleneck")
    return markdown_table(head, [*rows, _bottleneck_row(a, m)])


def _bottleneck_row(a: Assumptions, m: Machine) -> tuple[str, ...]:
    predicted = cost(a, m, DESIGNS[0])
    size = (f"{a.documents:.0e}".replace("e+0", "e"), plain(a.words), plain(a.topics), plain(a.workers))
    return (*size, *_cost_cells(predicted), predicted.bottleneck(m))


def _cost_cells(predicted: Cost) -> tuple[str, ...]:
    seconds = (predicted.compute, predicted.network, predicted.m_step, predicted.seconds)
    memory = (sum(predicted.memory.values()), predicted.head)
    return *(with_unit(value, "B") for value in memory), *(with_unit(value, "s") for value in seconds)


def designs_table(a: Assumptions, m: Machine) -> str:
    """Return a table of the cost of each design."""
    rows = []
    for design in DESIGNS:
        predicted = cost(a, m, design)
        hours = f"{fit_seconds(a, m, design) / 3600:,.1f} h"
        cells = _cost_cells(predicted)
        rows.append((design.name, with_unit(predicted.busiest, "B"), *cells, hours, predicted.bottleneck(m)))
    return markdown_table(("design", "busiest link", *COST_COLUMNS, "fit", "bottleneck"), rows)


def simulation_table(a: Assumptions, m: Machine) -> str:
    """Return a table of simulated seconds, and the share of them in which cores compute, by number of workers."""
    designs = (DESIGNS[1], DESIGNS[2], DESIGNS[5])
    rows = []
    for workers in (1, 4, 16, 64, 256):
        sized = replace(a, workers=workers, documents=a.documents / a.workers * workers)
        seconds = [(simulated_pass(sized, m, design), cost(sized, m, design).compute) for design in designs]
        rows.append((str(workers), *(f"{with_unit(total, 's')} ({compute / total:.0%})" for total, compute in seconds)))
    return markdown_table(("workers", *(design.name for design in designs)), rows)


def checks_table(recorded: dict[str, Any]) -> str:
    """Return a table of predictions and measurements of fits on one machine."""
    head = (
        "fit",
        "monotone pass, predicted / measured",
        "warm-up pass",
        "memory in addition to X",
        "topics per document",
        "topics per word",
        "perplexity: float32 / float16 / 99 % of the mass",
    )
    machine = measured_machine(recorded["rates"])
    return markdown_table(head, [_check_row(fit, machine) for fit in recorded["fits"]])


def _check_row(fit: dict[str, Any], machine: Machine) -> tuple[str, ...]:
    monotone = one_machine(fit, machine)
    warmup = one_machine(fit, machine, "warmup")
    return (
        f"{fit['name']}, K = {fit['topics']:.0f}",
        _compared(1e3 * monotone["seconds"], 1e3 * fit["monotone_seconds"], "ms"),
        _compared(1e3 * warmup["seconds"], 1e3 * fit["warmup_seconds"], "ms"),
        _compared(monotone["memory"] / 1e6, fit["memory"] / 1e6, "MB"),
        f"{fit['topics_of_document']:.1f}",
        f"{fit['topics_of_word']:.1f}",
        " / ".join(f"{fit[f'perplexity_{form}']:.1f}" for form in ("float32", "float16", "truncated")),
    )


def _compared(predicted: float, measured: float, unit: str) -> str:
    return f"{predicted:.0f} / {measured:.0f} {unit} = {predicted / measured:.2f}"


def load_recorded(path: Path = RECORDED) -> dict[str, Any]:
    """Return the measurements of a result file, with the present names of its keys."""
    text = path.read_text(encoding="utf-8")
    recorded: dict[str, Any] = json.loads(
        text, object_hook=lambda found: {RENAMED.get(name, name): value for name, value in found.items()}
    )
    return recorded


def tables(a: Assumptions, m: Machine) -> dict[str, str]:
    """Return all tables of the page by name."""
    functions: dict[str, Callable[[], str]] = {
        "assumptions": lambda: values_table(a),
        "machine": lambda: values_table(m),
        "sizes": lambda: sizes_table(a),
        "e-step": lambda: e_step_table(a, m),
        "bottlenecks": lambda: bottlenecks_table(a, m),
        "designs": lambda: designs_table(a, m),
        "simulation": lambda: simulation_table(a, m),
    }
    if RECORDED.exists():
        functions["checks"] = lambda: checks_table(load_recorded())
    return {name: function() for name, function in functions.items()}


def with_tables(page: str, new: dict[str, str]) -> str:
    """Return the page with its tables replaced by new ones of the same names."""
    for name, text in new.items():
        pattern = re.compile(TABLE_ON_PAGE.format(name), re.DOTALL)
        page = pattern.sub(lambda match, text=text: f"{match[1]}\n\n{text}\n\n{match[2]}", page)
    return page


def measure(data: str | None, *, network: bool) -> dict[str, Any]:
    """Measure rates of this machine, the loopback network if `network`, and fits if there is a directory of data."""
    from benchmarks import machine, scale_measure

    results: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine.describe()}
    results["rates"] = scale_measure.rates()
    if network:
        results["network"] = scale_measure.network()
    if data:
        results["fits"] = [{"name": name} | scale_measure.fits(data, name, n_topics) for name, n_topics in FITS]
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compute the cost of a fit of a given size.")
    for group in (Assumptions, Machine):
        for f in fields(group):
            text = f"{f.metadata['unit']} (default: {f.default:g})".replace("%", "%%")
            parser.add_argument(f"--{f.name.replace('_', '-')}", type=float, default=f.default, metavar="N", help=text)
    parser.add_argument("--write", action="store_true", help="update the tables in docs/development/scale.md")
    parser.add_argument("--measure", action="store_true", help="measure the rates of this machine and its loopback")
    parser.add_argument("--check", action="store_true", help="measure rates and fits, and compare with predictions")
    parser.add_argument("--data", help="with --check, a directory of NAME.npz")
    parser.add_argument("--out", help="with --measure or --check, a JSON file for the measurements")
    return parser


def main() -> None:
    """Run the command line."""
    options = vars(_parser().parse_args())
    a, m = (group(**{f.name: options[f.name] for f in fields(group)}) for group in (Assumptions, Machine))
    if options["measure"] or options["check"]:
        measured = measure(options["data"] if options["check"] else None, network=options["measure"])
        print(json.dumps(measured, indent=1))
        if options["out"]:
            Path(options["out"]).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        if options["check"]:
            print(checks_table(measured))
    elif options["write"]:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(a, m)), encoding="utf-8")
    else:
        print("\n\n".join(f"## {name}\n\n{text}" for name, text in tables(a, m).items()))


if __name__ == "__main__":
    main()
