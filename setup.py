"""Build the two compiled modules; all metadata is in pyproject.toml.

The C bodies in ldavi/_kernels/kernels.c are compiled once per instruction set, each with its own flags, and chosen
among at import. LDAVI_DEBUG=1 builds with bounds checks and assertions; LDAVI_SANITIZE=address,undefined adds
sanitizers.
"""

import os
import platform
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = os.environ.get("LDAVI_DEBUG", "0") == "1"
SANITIZE = os.environ.get("LDAVI_SANITIZE", "")
KERNELS = Path("ldavi") / "_kernels"

# Never -ffast-math: it would change the floating-point mode of the user's whole process. Never -march=native: one
# wheel serves every machine.
UNIX_FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
DEBUG_FLAGS = ["-std=c11", "-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer", "-ffp-contract=fast"]
INSTRUCTION_SETS = {
    "unix": {
        "baseline": [],
        "avx2": ["-mavx2", "-mfma"],
        "avx512": [
            "-mavx2",
            "-mfma",
            "-mavx512f",
            "-mavx512dq",
            "-mavx512bw",
            "-mavx512vl",
            "-mprefer-vector-width=512",
        ],
    },
    "msvc": {"baseline": [], "avx2": ["/arch:AVX2"], "avx512": ["/arch:AVX512"]},
}


class BuildKernels(build_ext):
    """Choose the flags once the compiler is known; compile the kernels once per instruction set."""

    def build_extension(self, ext: Extension) -> None:
        kind = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        flags = ["/O2"] if kind == "msvc" else (DEBUG_FLAGS if DEBUG else UNIX_FLAGS)
        if SANITIZE:
            flags = [*flags, f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=all", "-g", "-fno-omit-frame-pointer"]
            ext.extra_link_args = [f"-fsanitize={SANITIZE}"]
        ext.extra_compile_args = flags
        if ext.name == "ldavi._estep":
            self.compile_kernels(ext, INSTRUCTION_SETS[kind], flags)
        super().build_extension(ext)

    def compile_kernels(self, ext: Extension, sets: dict[str, list[str]], flags: list[str]) -> None:
        if platform.machine().lower() not in ("x86_64", "amd64"):
            sets = {"baseline": sets["baseline"]}  # on arm64, NEON is the baseline
        ext.define_macros += [(f"LDAVI_HAVE_{name.upper()}", "1") for name in sets]
        ext.extra_objects = [
            path
            for name, own_flags in sets.items()
            for path in self.compiler.compile(
                [str(KERNELS / "kernels.c")],
                output_dir=os.path.join(self.build_temp, name),
                include_dirs=[str(KERNELS)],
                macros=[("LDAVI_TABLE", name)],
                extra_postargs=[*flags, *own_flags],
                depends=ext.depends,
            )
        ]

    def run(self) -> None:
        self.force = True  # objects of another LDAVI_DEBUG or LDAVI_SANITIZE would be taken for up to date
        super().run()
        # `pip install .` in a checkout leaves the module beside its sources too: there, `python -m ldavi` and
        # `python -m pytest` import the package of the working directory, which would lack it.
        if not self.inplace and os.access("ldavi", os.W_OK):
            self.copy_extensions_to_source()


extensions = [
    Extension(
        "ldavi._estep",
        ["ldavi/_estep.pyx", str(KERNELS / "dispatch.c")],
        include_dirs=[str(KERNELS)],
        depends=[str(path) for path in sorted(KERNELS.glob("*.[ch]"))],
    ),
    Extension("ldavi._sampling", ["ldavi/_sampling.pyx"]),
]

setup(
    ext_modules=cythonize(
        extensions,
        force=True,
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "nonecheck": DEBUG,
            "cdivision": True,
            "freethreading_compatible": True,
        },
    ),
    cmdclass={"build_ext": BuildKernels},
)
