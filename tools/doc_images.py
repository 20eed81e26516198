"""Draw the pictures of docs/images from the code of the pages that show them.

python -m tools.doc_images                      # all of them
python -m tools.doc_images docs/plotting.md     # those of a page

The code blocks of a page run in order. Where a picture follows a block, the figure that is current then is saved.
"""

import doctest
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/plotting.md", "docs/selection.md")
PART = re.compile(r"^```python\n(?P<code>.*?)^```$|^!\[[^\]]*\]\((?P<image>images/\w+\.png)\)$", flags=re.M | re.S)


def source(block: str) -> str:
    """Return the code of a block, which may be a session with outputs."""
    if ">>>" not in block:
        return block
    return "".join(example.source for example in doctest.DocTestParser().get_examples(block))


def figures(page: Path) -> Iterator[tuple[Path, Any]]:
    """Run a page up to its last picture; yield the file and the figure of each picture."""
    parts = list(PART.finditer(page.read_text(encoding="utf-8")))
    last = max(i for i, part in enumerate(parts) if part["image"])
    variables: dict[str, Any] = {}
    for part in parts[: last + 1]:
        if part["image"]:
            yield page.parent / part["image"], plt.gcf()
        else:
            plt.close("all")
            exec(compile(source(part["code"]), str(page), "exec"), variables)


def save(figure: Any, path: Path) -> None:
    """Write a figure with at most 64 colours, which makes the file a fraction as large."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=80)
    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


def main() -> None:
    for page in [Path(name).resolve() for name in sys.argv[1:]] or [ROOT / name for name in PAGES]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for path, figure in figures(page):
                save(figure, path)
            os.chdir(ROOT)


if __name__ == "__main__":
    main()
