"""The parser of `ldavi topics`."""

from ldavi.cli._options import Commands, add_messages, add_tables, command, positive

MEASURES = ("relevance", "probability", "frex", "lift")
EXAMPLES = """\
  ldavi topics model.ldavi
  ldavi topics model.ldavi -n 20 --by probability
  ldavi topics model.ldavi --csv > topics.csv
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "topics",
        usage="MODEL [-n N] [--by SCORE] [--json | --csv]",
        description="Prints the topics of a model, the largest first: number, expected share of the training tokens, "
        "top words.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("-n", "--words", type=positive, default=10, metavar="N", help="words per topic (default: 10)")
    parser.add_argument(
        "--by",
        choices=MEASURES,
        default="relevance",
        help="score by which words are ordered: relevance (probable in the topic, and more so than elsewhere), "
        "probability (in the topic), frex (frequent and exclusive) or lift (exclusive) (default: relevance)",
    )
    add_tables(parser)
    add_messages(parser)
