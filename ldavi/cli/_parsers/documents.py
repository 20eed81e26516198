"""The parser of `ldavi documents`."""

from ldavi.cli._options import (
    Commands,
    add_input,
    add_messages,
    add_tables,
    add_trusted_pattern,
    command,
    positive,
    threads,
)

EXAMPLES = """\
  ldavi documents model.ldavi posts.txt --topic 3
  ldavi documents model.ldavi posts.txt --topic Sports --topic 7 -n 20
  ldavi documents news.ldavi articles.csv --column body --id-column url --csv > documents.csv
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "documents",
        usage="MODEL INPUT [--topic TOPIC] [-n N] [--json | --csv] [options]",
        description="Prints the documents with the largest proportions of a topic: those to read if you want to know "
        "what the topic is about. Texts are counted as those of the fit were.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    add_trusted_pattern(add_input(parser))
    group = parser.add_argument_group("documents")
    group.add_argument(
        "--topic",
        action="append",
        metavar="TOPIC",
        help="the number or the name of a topic; several times for several topics (default: all topics)",
    )
    group.add_argument(
        "-n", "--documents", type=positive, default=5, metavar="N", help="documents per topic (default: 5)"
    )
    group.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_tables(parser)
    add_messages(parser)
