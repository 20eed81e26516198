"""Run the commands that README.md and docs/ show, and compare what they print with what the pages state.

python -m tools.transcripts                       # run every page and compare
python -m tools.transcripts docs/cli.md           # one page
python -m tools.transcripts --write docs/cli.md   # put what the commands print onto the page

The inputs are made from the docstrings of the installed packages (ldavi.datasets.load_docstrings), in a
temporary folder for each page; its commands run there in the order of the page. A command begins with "$ ";
what follows is its output, standard error included. A line "..." leaves lines out. Numbers are compared within
a tolerance, durations are not compared. With other versions of numpy, scipy and scikit-learn, whose docstrings
differ, or without AVX2, it is only checked that each command succeeds or fails as the page shows.
"""

import argparse
import doctest
import gzip
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = {"numpy": "2.4.", "scipy": "1.17.", "scikit-learn": "1.9."}  # of the outputs on the pages
INSTRUCTION_SET = "avx2"  # the same: others round differently, and draws then lead to somewhat different topics
WIDTH = 100  # characters of a line of a code block
INTERRUPT_AFTER = 3.0  # seconds after the first line that a command prints

# Commands that no page's run includes, and what runs them instead.
RUN_ELSEWHERE = {
    r"python -m pip install [^&]*": ".ci/run and .github/workflows, in fresh environments",
    r".*python -m pytest.*": ".ci/run and .github/workflows/tests.yml",
    r"python setup\.py build_ext --inplace": "tools/sanitize",
    r"python -m venv .*": ".ci/run",
    r"pre-commit .*|python -m mypy": ".ci/run",
    r"python -m sphinx .*": ".ci/run and .github/workflows/tests.yml",
    r"python -m benchmarks\.summary --write": "by hand; tests/test_benchmarks.py compares the tables with the results",
    r"python -m benchmarks\.(?!summary$|run --report bench).*": "by hand, for hours; results are recorded",
    r"mallet .*": "by hand: MALLET needs Java; tests/test_io_convert.py reads a file that it wrote",
}

# Commands that run in the checkout instead of a folder with inputs.
IN_CHECKOUT = r"python -m (benchmarks\.summary|tools\.structure|benchmarks\.run --report benchmarks.*)"

BLOCK = re.compile(r"^```(console|bash)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d*)?(?:e[+-]?\d+)?")
DURATION = re.compile(r"\b\d[\d.]* s\b|(?<=^seconds: ).*$|(?<=after pass )\d+", flags=re.MULTILINE)


class Step(NamedTuple):
    """A command and the lines that the page shows below it."""

    command: str
    shown: list[str]


def steps(language: str, block: str) -> Iterator[Step]:
    """Yield the commands of a code block with their outputs; `bash` blocks have commands only."""
    command: list[str] = []
    shown: list[str] = []
    for line in block.rstrip("\n").split("\n"):
        if command and command[-1].endswith("\\"):
            command.append(line)
        elif line.startswith("$ ") or (language == "bash" and line.strip() and not line.startswith("#")):
            if command:
                yield Step("\n".join(command), shown)
            command, shown = [line.removeprefix("$ ")], []
        else:
            shown.append(line)
    if command:
        yield Step("\n".join(command), shown)


def commands_of(page: Path) -> list[Step]:
    """Return the steps of a page in order."""
    text = page.read_text(encoding="utf-8")
    return [step for language, block in BLOCK.findall(text) for step in steps(language, block)]


def run_elsewhere(command: str) -> bool:
    """Return whether a command is run by something else; comments are ignored."""
    bare = re.sub(r"\s+#.*", "", command).replace("\\\n", " ")
    return any(re.fullmatch(pattern, bare, flags=re.DOTALL) for pattern in RUN_ELSEWHERE)


def runnable(command: str) -> str:
    """Return a command without the installation that precedes it on a page."""
    return re.sub(r"^python -m pip install \S+ && ", "", command)


# Inputs


def one_line(text: str) -> str:
    return " ".join(text.split())


def write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_inputs(folder: Path) -> None:
    """Write the files that the pages read."""
    from ldavi.datasets import load_docstrings

    docs = load_docstrings()
    texts = [one_line(text) for text in docs.texts]
    packages = [name.split(".")[0] for name in docs.names]
    write_lines(folder / "docstrings.txt", [text for i, text in enumerate(texts) if i % 10])
    write_lines(folder / "new.txt", texts[::10])
    rows = zip(docs.names, packages, texts, strict=True)
    records = [json.dumps({"name": name, "package": package, "text": text}) for name, package, text in rows]
    write_lines(folder / "docstrings.jsonl", records)
    with gzip.open(folder / "dump.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{record}\n" for record in records)
    write_lines(folder / "posts.txt", texts[::4])
    seeds = ["statistics: distribution, test, probability", "linear algebra: matrix, eigenvalues"]
    write_lines(folder / "seeds.txt", seeds)
    (folder / "topic-names.json").write_text(json.dumps({"0": "Arrays"}), encoding="utf-8")


def write_dated_posts(folder: Path, texts: list[str]) -> None:
    """Write a table as many programs export it: separated by semicolons, with days before months."""
    lines = ["nr;date;text"]
    for i, text in enumerate(texts):
        words = "..." if i % 50 == 49 else text.replace(";", ",").replace('"', "'")
        lines.append(f"{i + 1};{i % 7 + 1:02}/{i % 12 + 1:02}/2024;{words}")
    write_lines(folder / "posts.csv", lines)


def write_posts(folder: Path, texts: list[str], groups: list[str]) -> None:
    """Write the tables of the tutorial: an identifier, a group and a text."""
    for name, chosen in (("posts.csv", range(0, len(texts), 2)), ("new.csv", range(1, len(texts), 20))):
        rows = [f'{i},{groups[i]},"{texts[i].replace(chr(34), chr(34) * 2)}"' for i in chosen]
        write_lines(folder / name, ["id,group,text", *rows])


def write_articles(page: Path, folder: Path) -> None:
    """Write the articles that the examples of a page make."""
    variables: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8")):
        if "texts" not in variables:
            exec(example.source, variables)
    rows = zip(variables["paper"], variables["year"], variables["texts"], strict=True)
    write_lines(folder / "articles.csv", ["paper,year,text", *(f"{paper},{year},{text}" for paper, year, text in rows)])


def prepare(page: Path, folder: Path) -> None:
    """Write the inputs of a page."""
    from ldavi.datasets import load_docstrings

    write_inputs(folder)
    docs = load_docstrings()
    texts = [one_line(text) for text in docs.texts]
    if page.name == "cli.md":
        write_dated_posts(folder, texts[::9][:600])
    else:
        write_posts(folder, texts, [name.split(".")[0] for name in docs.names])
    if page.name == "effects.md":
        write_articles(page, folder)
    if page.name in BEFORE:
        subprocess.run(BEFORE[page.name], shell=True, cwd=folder, env=environment(folder), check=True)


# What has been done before the commands of a page.
BEFORE = {
    "effects.md": "ldavi fit articles.csv --column text -k 3 --max-df 1.0 -q -o model.ldavi > fit.txt",
    "report.md": "ldavi fit posts.csv --column text -k 12 -q -o model.ldavi > fit.txt",
}


# Running


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `ldavi` and `python` are those of this interpreter."""
    programs = folder / ".programs"
    programs.mkdir(exist_ok=True)
    for name, arguments in (("ldavi", " -m ldavi"), ("python", "")):
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    simd = {"LDAVI_SIMD": INSTRUCTION_SET} if has_instruction_set() else {}
    return (
        os.environ
        | simd
        | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "BROWSER": "true",
            "COLUMNS": str(WIDTH),
        }
    )


def run(step: Step, folder: Path) -> tuple[int, list[str]]:
    """Run a command; return its exit code and the lines that it printed."""
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", runnable(step.command)],
        cwd=ROOT if re.match(IN_CHECKOUT, step.command) else folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        output = ""
        if is_interrupted(step):
            output = process.stdout.readline()
            time.sleep(INTERRUPT_AFTER)
            os.killpg(process.pid, signal.SIGINT)
            output += "^C"
        output += process.stdout.read()
    return process.returncode, output.rstrip("\n").split("\n") if output.strip() else []


def is_interrupted(step: Step) -> bool:
    return any(line.startswith("^C") for line in step.shown)


def fails(step: Step) -> bool:
    """Return whether the page shows that a command fails."""
    return is_interrupted(step) or any(": error: " in line for line in step.shown)


# Comparing and writing


def fitted(line: str) -> list[str]:
    """Return a line such that it fits a page: tables are cut, sentences are wrapped."""
    line = line.rstrip()
    if len(line) <= WIDTH:
        return [line]
    if re.search(r"\S {2,}\S", line) or "," in line.split(" ")[0]:
        return [line[: WIDTH - 2].rstrip() + " …"]
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def elided(shown: list[str], printed: list[str]) -> list[str]:
    """Return what was printed with the lines left out that the page leaves out."""
    printed = [part for line in printed for part in fitted(line)]
    marks = [i for i, line in enumerate(shown) if line.strip() in ("...", "…")]
    if not marks:
        return printed
    mark = marks[0]
    tail = len(shown) - mark - 1
    return [*printed[:mark], shown[mark], *(printed[len(printed) - tail :] if tail else [])]


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "").replace("−", "-")) for number in NUMBER.findall(text)]


def without_durations(lines: list[str]) -> str:
    """Return the text of an output without durations; they are also the last column named "seconds"."""
    result = []
    in_table = False
    for line in lines:
        is_head = line.rstrip().endswith(" seconds")
        in_table = is_head or (in_table and bool(line.strip()))
        result.append(re.sub(r"\S+$", "", line.rstrip()) if in_table and not is_head else line)
    return DURATION.sub("", "\n".join(result))


def is_close(want: float, got: float) -> bool:
    return abs(want - got) <= max(0.15 * abs(want), 0.06)


def agree(shown: list[str], printed: list[str]) -> bool:
    """Return whether two outputs have the same words and close numbers."""
    want, got = without_durations(shown), without_durations(printed)
    words = [NUMBER.sub("#", text).split() for text in (want, got)]
    pairs = zip(numbers(want), numbers(got), strict=False)
    return words[0] == words[1] and all(is_close(a, b) for a, b in pairs)


def has_instruction_set() -> bool:
    """Return whether the instructions by which the pages were made run here."""
    from ldavi import _estep

    return INSTRUCTION_SET in _estep.instruction_sets()


def prints_the_same() -> bool:
    """Return whether commands print here what they printed when the pages were made."""
    same_versions = all(importlib.metadata.version(name).startswith(start) for name, start in VERSIONS.items())
    return same_versions and has_instruction_set()


def problem(step: Step, code: int, printed: list[str]) -> str:
    """Return what differs between a page and a run, or an empty text."""
    if bool(code) != fails(step):
        return f"$ {step.command}\nended with {code}:\n" + "\n".join(printed[-20:])
    shown = "\n".join(step.shown).strip("\n").split("\n") if any(step.shown) else []
    got = elided(shown, printed)
    if shown and prints_the_same() and not agree(shown, got):
        return "\n".join([f"$ {step.command}", "states:", *shown, "prints:", *got])
    return ""


def check_page(page: Path, steps: list[Step]) -> list[str]:
    """Run steps of a page in a temporary folder; return what differs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(page, folder)
        return [text for step in steps if (text := problem(step, *run(step, folder)))]


def write_page(page: Path) -> None:
    """Replace the outputs on a page, where it shows some, by what the commands print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(page, folder)

        def renewed(match: re.Match[str]) -> str:
            language, block = match.groups()
            lines = []
            for step in steps(language, block):
                if run_elsewhere(step.command):
                    lines += [f"$ {step.command}", *step.shown]
                    continue
                code, printed = run(step, folder)
                if bool(code) != fails(step):
                    sys.exit(f"$ {step.command}\nended with {code}:\n" + "\n".join(printed))
                lines += [f"$ {step.command}", *(elided(step.shown, printed) if any(step.shown) else [])]
            return f"```{language}\n" + "\n".join(lines) + "\n```" if language == "console" else match[0]

        page.write_text(BLOCK.sub(renewed, page.read_text(encoding="utf-8")), encoding="utf-8")


def pages() -> list[Path]:
    """Return the pages that show commands which are run here."""
    folders = ("", "guide/", "development/")
    chosen = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    chosen += [page for folder in folders for page in sorted(ROOT.glob(f"docs/{folder}*.md"))]
    return [page for page in chosen if own_steps(page)]


def own_steps(page: Path) -> list[Step]:
    """Return the steps of a page that nothing else runs."""
    return [step for step in commands_of(page) if not run_elsewhere(step.command)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="write the outputs onto the pages")
    options = parser.parse_args()
    if not shutil.which("bash"):
        sys.exit("the commands of the pages need bash")
    found = []
    for page in options.pages or pages():
        if options.write:
            write_page(page)
        else:
            found += check_page(page, own_steps(page))
    print("\n\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
