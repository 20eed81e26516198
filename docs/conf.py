"""Build the site with `python -m sphinx -W -b html docs docs/_build/html`; nothing is downloaded."""

import os
import re
import warnings
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib

matplotlib.use("Agg")

from ldavi import __version__

DOCS = Path(__file__).parent
OUTSIDE = {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}  # pages whose text is beside this folder

NOT_PAGES = ("LICENSE", "SECURITY.md", "CITATION.cff")  # files of the repository that the site does not have

project = "ldavi"
author = "The ldavi developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery", "**/README.md", "auto_examples/**/*.py", "auto_examples/**/*.ipynb"]
exclude_patterns += ["auto_examples/**/*.md5", "sg_execution_times.rst"]
nitpicky = False
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # the gallery's settings hold a class

# Markdown as GitHub reads it, with mathematics
myst_enable_extensions = ["amsmath", "dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# Mathematics without a server: one file of MathJax 3, from the package sphinx-mathjax-offline
_mathjax = next(file for file in distribution("sphinx-mathjax-offline").files or [] if file.name == "tex-svg.js")
mathjax_path = "tex-svg.js"
mathjax3_config = {"svg": {"fontCache": "global"}, "options": {"enableMenu": False}}

# The reference
autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # numpydoc has them in words
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False
numpydoc_xref_param_type = False
numpydoc_use_plots = False

# The gallery
sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"plot_\d",
    "ignore_pattern": r"^(?!.*plot_\d)",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,  # each script asserts what it claims
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "default_thumb_file": str(DOCS / "images" / "map.png"),
}
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

# The look
html_theme = "pydata_sphinx_theme"
html_title = "ldavi"
html_static_path = ["_static", str(distribution("sphinx-mathjax-offline").locate_file(_mathjax))]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "ldavi"},
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
}
html_sidebars = {"index": [], "math": [], "math/*": [], "how_do_i": [], "faq": []}  # formulas need the width

EQUATIONS = {  # the page of each equation of the mathematics
    number: f"math/{page.stem}"
    for page in DOCS.glob("math/*.md")
    for number in re.findall(r"\\tag\{([\d.]+)\}", page.read_text(encoding="utf-8"))
}

DEVELOPERS = ("development/", "contributing")  # pages that the search of the user documentation leaves out


def read_outside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a page by the file outside this folder that it stands for, and links to the file by links to the page."""
    if docname in OUTSIDE:
        source[0] = (DOCS.parent / OUTSIDE[docname]).read_text(encoding="utf-8")
        source[0] = source[0].replace("](docs/", "](")
    up = "../" * docname.count("/")
    for file in NOT_PAGES:
        source[0] = re.sub(rf"\[([^\]]+)\]\((?:\.\./)*{re.escape(file)}\)", r"`\1`", source[0])
    for page, file in OUTSIDE.items():
        source[0] = re.sub(rf"\]\((?:\.\./)*{re.escape(file)}", f"]({up}{page}.md", source[0])


def lead_to_gallery(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace links to scripts of the gallery, which GitHub shows, by links to their pages."""
    source[0] = re.sub(r"(\]\((?:\.\./)*)gallery/(plot_\w+)\.py", r"\1auto_examples/\2.rst", source[0])
    source[0] = re.sub(r"(\]\((?:\.\./)*)gallery/README\.rst", r"\1auto_examples/index.rst", source[0])


def leave_out_of_search(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the notes for developers out of the search of the user documentation."""
    docname = app.env.docname
    if docname.startswith(DEVELOPERS):
        app.env.metadata[docname]["nosearch"] = True


def list_questions(app: Sphinx, pagename: str, templatename: str, context: dict[str, object], doctree: object) -> None:
    """Show the questions of the FAQ beside it: they are headings below those of its sections."""
    if pagename == "faq":
        context["theme_show_toc_level"] = 2


def anchor_of(number: str) -> str:
    """Return the anchor of an equation: "9.7" is at #equation-9-7."""
    return "equation-" + number.lower().replace(".", "-")


def link_equations(app: Sphinx, doctree: nodes.document) -> None:
    """Make the numbers of equations in the text of the mathematics, as (9.7), links to the equations."""
    docname = app.env.docname
    if docname not in ("math", "metrics") and not docname.startswith("math/"):
        return
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.reference)):
            continue
        parts = re.split(r"\((\d+\.\d+)\)", text.astext())
        if len(parts) == 1 or any(number not in EQUATIONS for number in parts[1::2]):
            continue
        new: list[nodes.Node] = [nodes.Text(parts[0])]
        for number, after in zip(parts[1::2], parts[2::2], strict=True):
            uri = f"{app.builder.get_relative_uri(docname, EQUATIONS[number])}#{anchor_of(number)}"
            new += [nodes.reference("", f"({number})", refuri=uri, internal=True), nodes.Text(after)]
        text.parent.replace(text, new)


def number_equations(app: Sphinx, doctree: nodes.document) -> None:
    r"""Give each formula with \tag{n} the anchor #equation-n."""
    for formula in [*doctree.findall(nodes.math), *doctree.findall(nodes.math_block)]:
        text = re.sub(r"\\text\{[^}]*\}", lambda match: match[0].replace(r"\_", "_"), formula.astext())
        formula.children = [nodes.Text(text)]  # MathJax takes \_ literally in a text
    for block in list(doctree.findall(nodes.math_block)):
        text = block.astext()
        tag = re.search(r"\\tag\{([\w.]+)\}", text)
        if tag is None or r"\begin{equation" in text:
            continue
        block["nowrap"] = block["no-wrap"] = True
        block.children = [nodes.Text(f"\\begin{{equation}}{text.strip()}\\end{{equation}}")]
        place = nodes.target("", "", ids=[anchor_of(tag[1])])
        block.parent.insert(block.parent.index(block), place)


def plain_bars(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape |x| in docstrings, which is an absolute value and not a substitution."""
    for i, line in enumerate(lines):
        if "`" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"(?<!\\)\|", r"\\|", line)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", read_outside)
    app.connect("source-read", lead_to_gallery)
    app.connect("doctree-read", leave_out_of_search)
    app.connect("html-page-context", list_questions)
    app.connect("doctree-read", number_equations)
    app.connect("doctree-read", link_equations)
    app.connect("autodoc-process-docstring", plain_bars, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
