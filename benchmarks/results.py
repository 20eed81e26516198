"""Read, merge and write result files: new cases replace earlier ones of the same name, all others remain."""

import json
from pathlib import Path
from typing import Any

RUN = ("date", "commit", "changed")  # of the last run; a case from an earlier run has its own under "measured"


def read(path: Path | None, *, quick: bool) -> dict[str, Any]:
    """Return the results of a file; they are empty if the file does not exist or no path is given.

    Raises
    ------
    SystemExit
        If the file is of quick runs and this run is not quick, or the other way round.
    """
    if path is None or not path.exists():
        return {"quick": quick, "parts": {}}
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if earlier["quick"] != quick:
        found = "quick runs" if earlier["quick"] else "measurements"
        raise SystemExit(
            f"--out={path} contains {found}, which quick runs and measurements must not share; name another file"
        )
    return earlier


def merged(earlier: dict[str, Any], name: str, measured: dict[str, Any]) -> dict[str, Any]:
    """Return earlier results with a measured part, whose cases replace those of the same name and "what".

    Parameters
    ----------
    earlier : dict
        Earlier results, as `read` returns them.
    name : str
        Name of the part.
    measured : dict
        "part", "machine", and the fields of RUN.
    """
    run = {field: measured[field] for field in RUN}
    before = {field: earlier[field] for field in RUN if field in earlier}
    parts = dict(earlier["parts"])
    if before != run:
        parts = {
            key: part | {"cases": [{"measured": before} | case for case in part["cases"]]}
            for key, part in parts.items()
        }
    part = measured["part"]
    cases = {_key(case): case for case in parts.get(name, {}).get("cases", [])}
    cases |= {_key(case): case for case in part["cases"]}
    parts[name] = part | {"cases": list(cases.values())}
    return run | {"quick": earlier["quick"], "machine": measured["machine"], "parts": parts}


def reusable(cases: list[dict[str, Any]], prefix: str, names: list[str], repeats: int) -> dict[str, dict[str, Any]]:
    """Return earlier cases of fits, by the name of the fit, if they were measured with the same number of seeds."""
    fits = {f"{prefix}: {name}": name for name in names}
    return {fits[case["name"]]: case for case in cases if case["name"] in fits and len(case["values"]) == repeats}


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result file, and create its directory if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _key(case: dict[str, Any]) -> tuple[str, str]:
    return case["name"], case["what"]
