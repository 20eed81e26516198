"""Wrap the paragraphs of Markdown pages that have a line of more than 100 characters.

python tools/wrap_markdown.py FILE ...

Code, tables, displayed formulas, headings and paragraphs whose lines all fit stay as they are. A line is not broken
within a name in backticks or a formula.
"""

import re
import sys
import textwrap
from pathlib import Path

WIDTH = 100  # characters
UNBROKEN = re.compile(r"`[^`]+`|\$[^$\n]+\$")
ITEM = re.compile(r"(?P<indent> *)(?P<marker>(?:[*+-]|\d+\.) +)?")
SPECIAL = ("|", "#", "![", "<", "$$", "```", ":::", "[^", "\\")
LIKE_A_MARKER = re.compile(r"[-+*#>=|]|\d+\.( |$)|\d+\)")


def wrapped(lines: list[str]) -> list[str]:
    """Return a paragraph or list item, wrapped."""
    match = ITEM.match(lines[0])
    assert match is not None
    first = match[0]
    indent = " " * (len(first) if match["marker"] else len(match["indent"]))
    text = " ".join([lines[0][len(first) :].strip(), *(line.strip() for line in lines[1:])])
    text = UNBROKEN.sub(lambda part: part[0].replace(" ", "\0"), text)
    for width in range(WIDTH, WIDTH - 20, -1):  # another width where a line would begin like a list
        result = textwrap.wrap(
            text,
            width,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if not any(LIKE_A_MARKER.match(line.strip()) for line in result[1:]):
            break
    return [line.replace("\0", " ") for line in result]


def wrap(text: str) -> str:
    """Return a page with its long paragraphs wrapped."""
    result: list[str] = []
    part: list[str] = []

    def finish() -> None:
        is_long = any(len(line) > WIDTH for line in part)
        result.extend(wrapped(part) if is_long else part)
        part.clear()

    in_code = in_formula = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        is_prose = not (in_code or in_formula or fence or line.lstrip().startswith(SPECIAL)) and line.strip()
        match = ITEM.match(line)
        if not is_prose or (match and match["marker"]):
            finish()
        if is_prose:
            part.append(line)
        else:
            result.append(line)
        in_code ^= fence
        if not in_code and line.count("$$") % 2:
            in_formula = not in_formula
    finish()
    return "\n".join(result)


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(wrap(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
