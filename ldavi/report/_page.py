"""Rendering of the page: a jinja2 template with the style, the scripts and Bokeh's bundle inlined.

Nothing that comes from documents can be executed. The data are in a block that browsers do not execute, with every
character escaped that could end it; scripts insert them as text; jinja2 escapes the rest; and the page's content
security policy allows only scripts with the listed SHA-256 hashes.
"""

import base64
import hashlib
import json
from importlib import resources
from typing import Any

STYLES = ("page.css",)
SCRIPTS = ("state.js", "topics.js", "charts.js", "documents.js", "search.js", "table.js")
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(content: dict[str, Any]) -> str:
    """Render the page as HTML.

    Raises
    ------
    ImportError
        If jinja2 or bokeh is not installed.
    """
    try:
        import jinja2
        from bokeh.resources import Resources
    except ImportError as error:
        raise ImportError(f"ldavi.report needs {error.name}. Install it with: pip install 'ldavi[report]'") from error
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["formatted"] = formatted
    template = environment.from_string(_asset("page.html"))
    script = "(() => {\n'use strict';\n" + "".join(_asset(name) for name in SCRIPTS) + "})();\n"
    bundle = Resources(mode="inline", components=["bokeh", "bokeh-api"], log_level="warn", minified=True)
    charts = "\n".join(bundle.js_raw).replace("\r\n", "\n")
    page = template.render(
        **_decodable(content),
        data=escaped_json(content),
        style="".join(_asset(name) for name in STYLES),
        script=script,
        script_hash=_hash(script),
        charts=charts,
        charts_hash=_hash(charts),
    )
    return page if page.endswith("\n") else page + "\n"


def escaped_json(content: Any) -> str:
    """Encode as JSON without "<", which can neither end the script element that contains it nor open a comment."""
    text = json.dumps(_decodable(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
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


def _decodable(content: Any) -> Any:
    """Replace unpaired surrogates, which UTF-8 cannot encode, by "�"."""
    if isinstance(content, str):
        return content if content.isascii() else content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(content, dict):
        return {key if isinstance(key, int) else _decodable(key): _decodable(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_decodable(value) for value in content]
    return content


def _asset(name: str) -> str:
    return resources.files("ldavi.report").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
