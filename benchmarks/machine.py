"""Describe the machine of a measurement, without its host name or paths."""

import contextlib
import importlib.metadata
import io
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "gensim",
    "tomotopy",
    "topica",
    "lda",
    "numba",
    "dask",
    "distributed",
    "pyspark",
)


def describe() -> dict[str, Any]:
    """Return CPU, caches, memory, versions, and the load average before the measurement."""
    import ldavi

    with contextlib.redirect_stdout(io.StringIO()):
        config = ldavi.show_config()
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
        "compiler": _compiler(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "ldavi": config,
    }


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _caches() -> dict[str, str]:
    """Return the cache sizes that the Linux kernel reports for the first core."""
    sizes = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        with contextlib.suppress(OSError):
            kind = (index / "type").read_text().strip()
            level = (index / "level").read_text().strip()
            sizes[f"L{level}" + {"Data": "d", "Instruction": "i"}.get(kind, "")] = (index / "size").read_text().strip()
    return sizes


def _memory_gib() -> float | None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return None


def _compiler() -> str:
    with contextlib.suppress(OSError):
        done = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
        return done.stdout.splitlines()[0] if done.stdout else ""
    return ""


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
