"""Versions and the instruction set of this installation, for bug reports and benchmarks."""

import os
import platform

import numpy as np
import scipy
import sklearn

from ldavi import _estep
from ldavi._version import __version__


def show_config() -> dict[str, str]:
    """Print and return versions, the instruction set in use and those that `LDAVI_SIMD` can select.

    Returns
    -------
    config : dict of str to str
        Names and values as printed.
    """
    config = {
        "ldavi": __version__,
        "instruction set": _estep.instruction_set(),
        "available": ", ".join(_estep.instruction_sets()),
        "cores": str(os.cpu_count()),
        "machine": f"{platform.machine()} {platform.system()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    for name, value in config.items():
        print(f"{name:>16}  {value}")
    return config
