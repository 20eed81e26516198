"""`ldavi report`: a page about a model and documents."""

import importlib
import importlib.util
import webbrowser
from pathlib import Path
from typing import Any

from ldavi import io
from ldavi.cli import _modelfile
from ldavi.cli._corpus import read_for_model, rereadable
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Commands, Options, add_input, add_metadata, add_talk, command
from ldavi.cli._output import check_writable, say
from ldavi.cli._progress import waiting

NEEDED = ("jinja2", "bokeh")
EXAMPLES = """\
  ldavi report model.ldavi posts.txt -o report.html --open
  ldavi report news.ldavi articles.csv --column body --id-column url --metadata date,section -o news.html
"""


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "report",
        usage="MODEL INPUT [-o PAGE] [options]",
        help="a page about a model and documents",
        description="Writes one HTML page, complete in itself: topics, their words and sizes, a map, documents, trends. "
        "Texts are counted as those of the fit were.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    add_metadata(add_input(parser))
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", default="report.html", help="the page (default: report.html)")
    group.add_argument("--title", metavar="TEXT", help="of the page (default: how many topics of how many documents)")
    group.add_argument("--open", action="store_true", help="open it in the browser")
    group.add_argument("--jobs", type=int, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_talk(parser)
    parser.set_defaults(run=run)


def run(options: Options) -> int:
    """Write it."""
    check_writable(options.output)
    check_installed()
    kept = _modelfile.load(options.model, options)
    with rereadable(options) as path:
        corpus = read_for_model(options, kept.words, kept.counting, kept.n_words, path)
    write_report(options, options.output, kept, corpus)
    return 0


def check_installed() -> None:
    """Say what is missing before a fit is made that could not be reported.

    Raises
    ------
    ModuleNotFoundError
        If a library of the extra [report] is not installed.
    """
    for library in NEEDED:
        if importlib.util.find_spec(library) is None:
            raise ModuleNotFoundError(f"a report needs {library}, which is not installed: pip install 'ldavi[report]'")


def write_report(options: Options, path: str, kept: Kept, corpus: io.Corpus) -> None:
    """Write the page about these documents, and open it if that was asked for."""
    report = importlib.import_module("ldavi.report")  # loaded here alone: it is of no use to the other commands
    metadata: dict[str, Any] | None = dict(corpus.metadata) or None
    with waiting(options, "writing the report"):
        report.write(
            path,
            kept.model,
            corpus.X,
            feature_names=kept.words,
            texts=corpus.texts,
            document_names=None if corpus.ids is None else [str(name) for name in corpus.ids],
            metadata=metadata,
            title=options.title,
        )
    say(options, f"report: {path}")
    if options.open:
        webbrowser.open(Path(path).absolute().as_uri())
