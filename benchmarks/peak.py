"""Measure the peak rate of multiply-adds of one core, in lanes per second."""

import ctypes
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import seconds_of

SOURCE = Path(__file__).with_name("fma_peak.c")
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-shared", "-fPIC"]
# Compiler flags, bytes of a vector, and number of chains: enough to hide the latency of every unit, few enough to
# stay in registers.
SETS = {
    "avx512": (["-mavx512f", "-mfma", "-mprefer-vector-width=512"], 64, 24),
    "avx2": (["-mavx2", "-mfma"], 32, 12),
    "baseline": ([], 16, 12 if platform.machine().lower() in ("x86_64", "amd64") else 24),
}
ROUNDS = 4_000_000


class Peak:
    """FMA lanes per second of one core, by instruction set and dtype; compiled with the system's `cc`."""

    def __init__(self, instruction_sets: list[str]) -> None:
        self._libraries = {name: _compiled(*SETS[name]) for name in instruction_sets}

    def lanes_per_second(self, instruction_set: str, dtype: str) -> float:
        """Return the best of three measurements, since interruptions can only lower the rate."""
        _, size, chains = SETS[instruction_set]
        function: Callable[..., float] = getattr(self._libraries[instruction_set], f"peak_{dtype}")
        lanes = ROUNDS * chains * size // (4 if dtype == "float32" else 8)
        return lanes / min(seconds_of(lambda: function(ROUNDS, 0.999, 0.001)) for _ in range(3))


def _compiled(flags: list[str], vector_bytes: int, chains: int) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "fma_peak.so"
        sizes = [f"-DVECTOR_BYTES={vector_bytes}", f"-DCHAINS={chains}"]
        subprocess.run(["cc", *FLAGS, *flags, *sizes, str(SOURCE), "-o", str(target)], check=True)
        library = ctypes.CDLL(str(target))  # stays mapped after the file is removed
    for dtype in ("float32", "float64"):
        function = getattr(library, f"peak_{dtype}")
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_int64, ctypes.c_double, ctypes.c_double]
    return library
