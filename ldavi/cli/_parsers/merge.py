"""The parser of `ldavi merge`."""

from ldavi.cli._options import Commands, add_messages, add_tables, command, not_negative_number

DESCRIPTION = """\
Merges topics of a model, and writes another model file. No documents are needed: the expected counts of the topics are
added, and the share of a merged topic in a document is the sum of theirs. It has the smallest number of its group; the
topics behind the others move up.

Without a GROUP, the command prints groups of similar topics.
"""
EXAMPLES = """\
  ldavi merge model.ldavi                             groups of similar topics, candidates for merging
  ldavi merge model.ldavi 3,7 -o merged.ldavi
  ldavi merge model.ldavi 3,7,12 4,5 -o merged.ldavi  two groups
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "merge",
        usage="MODEL [GROUP …] [-o FILE] [options]",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help="numbers or names of topics, separated by commas: 3,7"
    )
    group = parser.add_argument_group("merging")
    group.add_argument("-o", "--output", metavar="FILE", help="the model file to write; needed with a GROUP")
    group.add_argument(
        "--max-distance",
        type=not_negative_number,
        default=0.5,
        metavar="D",
        help="without a GROUP: print groups of topics at most this far apart, from 0 (equal) to 1 (no common word) "
        "(default: 0.5)",
    )
    add_tables(parser)
    add_messages(parser)
