"""The parser of `ldavi report`."""

from ldavi.cli._options import (
    Commands,
    add_input,
    add_messages,
    add_trusted_pattern,
    command,
    seed,
    threads,
)
from ldavi.cli._parsers.report_options import add_covariates, add_metadata

EXAMPLES = """\
  ldavi report model.ldavi posts.txt -o report.html --open
  ldavi report news.ldavi articles.csv --column body --id-column url --metadata date,section \\
      --bins date=quarter --topic-names topic-names.json -o news.html
  ldavi report news.ldavi articles.csv --column body --covariates year,section -o effects.html
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "report",
        usage="MODEL INPUT [-o PAGE] [options]",
        description="Writes one self-contained HTML page: topics, their words and sizes, a map, a tree, documents, "
        "trends, groups, effects of covariates. Topics can be renamed in the page, and their names saved to a file. "
        "Texts are counted as those of the fit were.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    group = add_input(parser)
    add_metadata(group)
    add_covariates(group)
    group.add_argument("--seed", dest="draw_seed", type=seed, metavar="N", help="seed of these draws (default: 0)")
    add_trusted_pattern(group)
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", default="report.html", help="the page (default: report.html)")
    group.add_argument(
        "--title", metavar="TEXT", help="title of the page (default: the numbers of topics and documents)"
    )
    group.add_argument(
        "--topic-names",
        metavar="FILE",
        help="names of topics for this page: the file that a report saves, or a CSV table with the columns topic and "
        "name (default: the names in the model)",
    )
    group.add_argument("--open", action="store_true", help="open the page in the browser")
    group.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_messages(parser)
