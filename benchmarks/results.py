"""Result files: what was measured before stays, but for what is measured again."""

import json
from pathlib import Path
from typing import Any

RUN = ("date", "commit", "changed")  # of a file; a case from another run says so itself, under "measured"


def read(path: Path | None, *, quick: bool) -> dict[str, Any]:
    """The results of a file, of none if it is not there."""
    if path is None or not path.exists():
        return {"quick": quick, "parts": {}}
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if kept["quick"] != quick:
        raise SystemExit(f"{path} holds {'quick runs' if kept['quick'] else 'measurements'}: write to another file")
    return kept


def merged(kept: dict[str, Any], name: str, measured: dict[str, Any]) -> dict[str, Any]:
    """`kept` with the part that was measured: its cases take the place of those that bear the same name, and say the same.

    Parameters
    ----------
    measured : dict
        "part", "machine", and the fields of RUN.
    """
    run = {field: measured[field] for field in RUN}
    before = {field: kept[field] for field in RUN if field in kept}
    parts = dict(kept["parts"])
    if before != run:
        parts = {
            key: part | {"cases": [{"measured": before} | case for case in part["cases"]]}
            for key, part in parts.items()
        }
    part = measured["part"]
    cases = {_key(case): case for case in parts.get(name, {}).get("cases", [])}
    cases |= {_key(case): case for case in part["cases"]}
    parts[name] = part | {"cases": list(cases.values())}
    return run | {"quick": kept["quick"], "machine": measured["machine"], "parts": parts}


def known(cases: list[dict[str, Any]], beginning: str, names: list[str], repeats: int) -> dict[str, dict[str, Any]]:
    """By name, the cases of fits that were made with as many seeds."""
    fits = {f"{beginning}: {name}": name for name in names}
    return {fits[case["name"]]: case for case in cases if case["name"] in fits and len(case["values"]) == repeats}


def write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _key(case: dict[str, Any]) -> tuple[str, str]:
    return case["name"], case["what"]
