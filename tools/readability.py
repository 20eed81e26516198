"""Count the sentences of Markdown pages and of docstrings, and those of more than 30 words.

python -m tools.readability README.md docs/*.md docs/guide/*.md           # a table, one row per page
python -m tools.readability --list docs/cli.md                            # the long sentences themselves
python -m tools.readability --commit 283ee30 README.md docs/cli.md        # pages as they were at a commit

Code, mathematics that stands alone, tables and headings are left out. A word is anything between blanks
that has a letter or digit; a name in backticks and a formula are one word each.
"""

import argparse
import ast
import inspect
import re
import subprocess
from pathlib import Path

LONGEST = 30  # words of a sentence
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)

FENCE = re.compile(r"^ *(`{3,}|~{3,}|:{3,}).*?^ *\1 *$", flags=re.MULTILINE | re.DOTALL)
NOT_PROSE = re.compile(r"^ *(?:\||#|\[[^\]]+\]:|<!--|\$\$|:[\w-]+:).*$", flags=re.MULTILINE)
ITEM = re.compile(r"^ *(?:[*+-]|\d+\.) +", flags=re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*”]*\s+(?=\S)")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|etc|al|Fig|Eq|No|St)\.$|\b[A-JL-UWYZ]\.$")


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs and list items of a page, without code, tables, formulas and headings."""
    text = FENCE.sub("\n\n", text)
    text = re.sub(r"\$\$.*?\$\$", "\n\n", text, flags=re.DOTALL)
    text = NOT_PROSE.sub("\n", text)
    text = re.sub(r"`[^`]+`|\$[^$\n]+\$", "Name", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = ITEM.sub("\n", text)
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def docstrings(source: str) -> str:
    """Return the docstrings of a module as paragraphs, without examples, titles of sections and names of parameters."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED)]
    texts = [inspect.cleandoc(ast.get_docstring(node) or "") for node in nodes]
    lines = []
    for line in "\n\n".join(texts).split("\n"):
        is_prose = not line.lstrip().startswith((">>>", "...", "---", ".. ")) and " : " not in line
        lines.append(line.strip() if is_prose else "")
    return re.sub(
        r"^(Parameters|Returns|Raises|Yields|Attributes|Notes|Examples|References|See Also|Warns)$",
        "",
        "\n".join(lines),
        flags=re.MULTILINE,
    )


def sentences(text: str) -> list[str]:
    """Return the sentences of a page."""
    found = []
    for paragraph in paragraphs(text):
        start = 0
        for end in SENTENCE_END.finditer(paragraph):
            sentence = paragraph[start : end.start()]
            if not ABBREVIATION.search(sentence):
                found.append(sentence)
                start = end.end()
        found.append(paragraph[start:])
    return found


def n_words(sentence: str) -> int:
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def long_sentences(text: str) -> list[str]:
    """Return the sentences of more than LONGEST words."""
    return [sentence for sentence in sentences(text) if n_words(sentence) > LONGEST]


def read(page: str, commit: str | None) -> str:
    """Return the text of a page, or the docstrings of a module, now or at a commit."""
    if commit is None:
        text = Path(page).read_text(encoding="utf-8")
    else:
        text = subprocess.run(["git", "show", f"{commit}:{page}"], check=True, capture_output=True, text=True).stdout
    return docstrings(text) if page.endswith(".py") else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--commit", help="read the pages of this commit")
    parser.add_argument("--list", action="store_true", help="print the long sentences")
    options = parser.parse_args()
    print("| page | sentences | words per sentence | sentences over 30 words |\n|---|---|---|---|")
    for page in options.pages:
        text = read(page, options.commit)
        counts = [n_words(sentence) for sentence in sentences(text)]
        mean = sum(counts) / max(len(counts), 1)
        print(f"| {page} | {len(counts)} | {mean:.1f} | {sum(count > LONGEST for count in counts)} |")
        for sentence in long_sentences(text) if options.list else []:
            print(f"    {n_words(sentence)}: {sentence}")


if __name__ == "__main__":
    main()
