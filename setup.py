"""Build the two compiled modules; all metadata is in pyproject.toml.

The kernels in ldavi/_kernels/kernels.c are compiled once per instruction set, each with its own flags, and one of them
is chosen at import. On Windows, clang-cl compiles them if it is installed, since they use vector extensions that MSVC
lacks; MSVC alone compiles them to scalar code.

Environment variables:
LDAVI_DEBUG=1                     builds with bounds checks and assertions
LDAVI_SANITIZE=address,undefined  adds sanitizers
LDAVI_CLANG_CL=1                  requires clang-cl on Windows (an error without it); 0 ignores it
"""

import os
import platform
import re
import shutil
from pathlib import Path

import Cython
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError
from setuptools.modified import newer_group

DEBUG = os.environ.get("LDAVI_DEBUG", "0") == "1"
SANITIZE = os.environ.get("LDAVI_SANITIZE", "")
CLANG_CL = os.environ.get("LDAVI_CLANG_CL", "")
KERNELS = Path("ldavi") / "_kernels"
# Cython's output depends on its version and on the directives below, so each combination has a directory of its own.
GENERATED = Path("build") / f"cython-{Cython.__version__}{'-debug' if DEBUG else ''}"

# Never -ffast-math: it would change the floating-point mode of the user's whole process. Never -march=native: one
# wheel serves every machine.
UNIX_FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
DEBUG_FLAGS = ["-std=c11", "-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer", "-ffp-contract=fast"]
MSVC_FLAGS = ["/O2", "/std:c11"]
INSTRUCTION_SETS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"],
}
CLANG_CL_TARGETS = {"win-amd64": "x86_64-pc-windows-msvc", "win-arm64": "aarch64-pc-windows-msvc"}


def write_declarations() -> None:
    """Write the Cython declarations of the argument structs and of the table, derived from kernels.h."""
    header = re.sub(r"/\*.*?\*/", "", (KERNELS / "kernels.h").read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = ['cdef extern from "kernels.h":']
    for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", header, flags=re.DOTALL):
        fields = [" ".join(field.split()) for field in body.split(";") if field.strip()]
        lines += [f"    ctypedef struct {name}:"]
        lines += [f"        {field} noexcept nogil" if "(*" in field else f"        {field}" for field in fields]
    text = "\n".join(lines) + "\n"
    path = GENERATED / "declarations.pxi"
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # a newer date would make Cython run again
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class BuildKernels(build_ext):
    """Choose the flags once the compiler is known; compile the kernels once per instruction set."""

    def run(self) -> None:
        super().run()
        # `pip install .` in a checkout also copies the compiled modules next to their sources: there, `python -m ldavi`
        # and `python -m pytest` import the package from the working directory, which would lack them otherwise.
        if not self.inplace and os.access("ldavi", os.W_OK):
            self.copy_extensions_to_source()

    def build_extensions(self) -> None:
        self.on_windows = self.compiler.compiler_type == "msvc"
        self.flags = MSVC_FLAGS if self.on_windows else DEBUG_FLAGS if DEBUG else UNIX_FLAGS
        self.link_flags: list[str] = []
        if SANITIZE:
            self.flags = [
                *self.flags,
                f"-fsanitize={SANITIZE}",
                "-fno-sanitize-recover=all",
                "-g",
                "-fno-omit-frame-pointer",
            ]
            self.link_flags = [f"-fsanitize={SANITIZE}"]
        self.clang_cl = self.find_clang_cl()
        self.rebuild_if_settings_changed()
        super().build_extensions()
        self.settings_file.write_text(self.settings(), encoding="utf-8")

    def build_extension(self, ext: Extension) -> None:
        ext.extra_compile_args, ext.extra_link_args = self.flags, self.link_flags
        if ext.name == "ldavi._estep":
            sets = self.instruction_sets()
            ext.define_macros += [(f"LDAVI_HAVE_{name.upper()}", "1") for name in sets]
            ext.extra_objects = [self.kernel_object(name, flags, ext.depends) for name, flags in sets.items()]
        super().build_extension(ext)

    @property
    def settings_file(self) -> Path:
        return Path(self.build_temp) / "settings.txt"

    def settings(self) -> str:
        """Return everything besides the sources that the compiled objects depend on."""
        command = self.clang_cl or getattr(self.compiler, "compiler_so", "")
        directories = [str(GENERATED), str(Path(self.build_lib).resolve())]
        return repr([command, self.flags, self.link_flags, INSTRUCTION_SETS, *directories])

    def rebuild_if_settings_changed(self) -> None:
        """Rebuild everything if settings have changed, since setuptools itself compares only the dates of files."""
        file = self.settings_file
        self.force = bool(self.force) or not file.exists() or file.read_text(encoding="utf-8") != self.settings()
        file.unlink(missing_ok=True)  # until this build has succeeded
        file.parent.mkdir(parents=True, exist_ok=True)

    def instruction_sets(self) -> dict[str, list[str]]:
        """Return the instruction sets to compile, with their flags."""
        if self.on_windows:
            x86_64 = self.clang_cl is not None and self.plat_name == "win-amd64"
        else:
            x86_64 = platform.machine().lower() in ("x86_64", "amd64")
        return INSTRUCTION_SETS if x86_64 else {"baseline": []}  # on arm64, NEON is the baseline

    def kernel_object(self, name: str, own_flags: list[str], depends: list[str]) -> str:
        """Return the object file of one instruction set, and compile it if it is out of date."""
        source = str(KERNELS / "kernels.c")
        directory = os.path.join(self.build_temp, name)
        (path,) = self.compiler.object_filenames([source], output_dir=directory)
        if not self.force and not newer_group(depends, path):
            return path
        if self.clang_cl:
            self.compile_by_clang_cl(source, path, name, own_flags)
            return path
        self.compiler.compile(
            [source],
            output_dir=directory,
            include_dirs=[str(KERNELS)],
            macros=[("LDAVI_TABLE", name)],
            extra_postargs=[*self.flags, *own_flags],
        )
        return path

    def find_clang_cl(self) -> str | None:
        """Return the path of clang-cl on Windows, or None where MSVC or a Unix compiler compiles the kernels."""
        if not self.on_windows or CLANG_CL == "0":
            return None
        found = shutil.which("clang-cl") or shutil.which("clang-cl", path=r"C:\Program Files\LLVM\bin")
        if self.plat_name not in CLANG_CL_TARGETS:
            found = None
        if found is None and CLANG_CL:
            raise CompileError(
                f"LDAVI_CLANG_CL={CLANG_CL} requires clang-cl in PATH and a platform among {sorted(CLANG_CL_TARGETS)}, "
                f"not {self.plat_name}; install LLVM or unset it"
            )
        return found

    def compile_by_clang_cl(self, source: str, path: str, name: str, own_flags: list[str]) -> None:
        """Compile one instruction set by clang-cl; the object is linked with those of MSVC."""
        if not self.compiler.initialized:
            self.compiler.initialize(self.plat_name)  # finds Visual Studio
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # /imsvc searches the headers of Visual Studio after clang's own; /I would find the intrinsics of MSVC first.
        system = [f"/imsvc{directory}" for directory in type(self.compiler).include_dirs]
        flags = [f"/clang:{flag}" for flag in (*UNIX_FLAGS, *own_flags) if not flag.startswith("-std")]
        command = [self.clang_cl, "/nologo", "/c", "/std:c11", "/O2", "/MD", "/DNDEBUG", *flags, *system]
        command += [f"--target={CLANG_CL_TARGETS[self.plat_name]}", f"/I{KERNELS}", f"/DLDAVI_TABLE={name}"]
        self.compiler.spawn([*command, f"/Tc{source}", f"/Fo{path}"])


extensions = [
    Extension(
        "ldavi._estep",
        ["ldavi/_estep.pyx", str(KERNELS / "dispatch.c")],
        include_dirs=[str(KERNELS)],
        depends=[str(path) for path in sorted(KERNELS.glob("*.[ch]"))],
    ),
    Extension("ldavi._sampling", ["ldavi/_sampling.pyx"]),
]

write_declarations()
setup(
    ext_modules=cythonize(
        extensions,
        build_dir=str(GENERATED),
        include_path=[str(GENERATED)],
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
