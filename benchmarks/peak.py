"""The machine's peak of multiply-adds, in lanes per second, measured beside what is compared with it."""

import ctypes
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import seconds_of

SOURCE = Path(__file__).with_name("fma_peak.c")
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-shared", "-fPIC"]
# Flags, bytes of a vector, chains: enough to hide the latency of every unit, few enough to stay in registers.
SETS = {
    "avx512": (["-mavx512f", "-mfma", "-mprefer-vector-width=512"], 64, 24),
    "avx2": (["-mavx2", "-mfma"], 32, 12),
    "baseline": ([], 16, 12 if platform.machine().lower() in ("x86_64", "amd64") else 24),
}
ROUNDS = 4_000_000


class Peak:
    """FMA lanes per second of one core, by instruction set and dtype; compiled with the system's cc when made."""

    def __init__(self, instruction_sets: list[str]) -> None:
        self._libraries = {name: _compiled(*SETS[name]) for name in instruction_sets}

    def lanes_per_second(self, instruction_set: str, dtype: str) -> float:
        """The best of three: interruptions only ever make a limit look lower."""
        _, size, chains = SETS[instruction_set]
        function: Callable[..., float] = getattr(self._libraries[instruction_set], f"peak_{dtype}")
        lanes = ROUNDS * chains * size // (4 if dtype == "float32" else 8)
        return lanes / min(seconds_of(lambda: function(ROUNDS, 0.999, 0.001)) for _ in range(3))


def _compiled(flags: list[str], vector_bytes: int, chains: int) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "fma_peak.so"
        sizes = [f"-DVECTOR_BYTES={vector_bytes}", f"-DCHAINS={chains}"]
        subprocess.run(["cc", *FLAGS, *flags, *sizes, str(SOURCE), "-o", str(target)], check=True)
        library = ctypes.CDLL(str(target))  # stays mapped when the file is gone
    for dtype in ("float32", "float64"):
        function = getattr(library, f"peak_{dtype}")
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_int64, ctypes.c_double, ctypes.c_double]
    return library
