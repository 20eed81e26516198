"""Rendering of the page: a jinja2 template with the style and the scripts inlined.

Nothing that comes from documents can be executed. The data are in a block that browsers do not execute, with every
character escaped that could end it; scripts insert them as text; jinja2 escapes the rest; and the page's content
security policy allows only the script with the listed SHA-256 hash.
"""

import base64
import hashlib
import json
import re
from importlib import resources
from typing import Any

from ldavi.report._archive import Archive, archive
from ldavi.report._collect import Content

STYLES = ("page.css", "charts.css", "print.css")
SCRIPTS = (
    "state.js",
    "names.js",
    "topics.js",
    "chart.js",
    "map.js",
    "structure.js",
    "trends.js",
    "heat.js",
    "intervals.js",
    "groups.js",
    "effects.js",
    "trace.js",
    "archive.js",
    "documents.js",
    "document_map.js",
    "search.js",
    "start.js",
)
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
SURROGATES = re.compile("[\ud800-\udfff]")
MIN_ARCHIVE = 20_000  # bytes
MAX_BYTES = 9_700_000  # of the page
OF_TEMPLATE = 200_000  # bytes of the page outside the data, the archive and the script, at most usually


def render(content: Content, *, all_documents: bool = True) -> str:
    """Render the page as HTML.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(f"ldavi.report needs {error.name}. Install it with: pip install 'ldavi[report]'") from error
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["formatted"] = formatted
    template = environment.from_string(_asset("page.html"))
    script = "(() => {\n'use strict';\n" + "".join(_asset(name) for name in SCRIPTS) + "})();\n"
    data = dict(content.data)
    left = MAX_BYTES - len(escaped_json(data).encode()) - len(script) - OF_TEMPLATE - _table_size(content.data)
    archive = _archived(content, left) if all_documents else None
    data["archive"] = None if archive is None else archive.facts
    page = template.render(
        **data,
        data=escaped_json(data),
        packed="" if archive is None else archive.packed,
        style="".join(_asset(name) for name in STYLES),
        script=script,
        script_hash=_hash(script),
    )
    page = _decodable(page)
    return page if page.endswith("\n") else page + "\n"


def _archived(content: Content, max_bytes: int) -> Archive | None:
    """Compress all documents; None if there are none or no space for them."""
    if max_bytes < MIN_ARCHIVE or not content.documents.counts.shape[0]:
        return None
    return archive(content.documents, content.words, content.word_topics, max_bytes)


def _table_size(data: dict[str, Any]) -> int:
    """Estimate the size of the table of all topics in bytes."""
    return sum(len(" ".join(topic["listed"]).encode("utf-8", "replace")) + 1_000 for topic in data["topics"])


def escaped_json(content: Any) -> str:
    """Encode as JSON without "<", which can neither end the script element that contains it nor open a comment."""
    text = _decodable(json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text


def formatted(value: Any, column: list[Any]) -> str:
    """Format a value of a table: numbers with decimals by the column's largest, text unchanged, None as a dash."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    largest = max(abs(other) for other in column if other is not None)
    if largest >= 1000 or all(other is None or other == int(other) for other in column):
        return f"{value:,.0f}"
    return f"{value:.{1 if largest >= 100 else 2 if largest >= 10 else 3}f}"


def _decodable(text: str) -> str:
    """Replace unpaired surrogates, which UTF-8 cannot encode, by "�"."""
    return SURROGATES.sub("\ufffd", text)


def _asset(name: str) -> str:
    return resources.files("ldavi.report").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
