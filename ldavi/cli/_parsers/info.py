"""The parser of `ldavi info`."""

from ldavi.cli._options import Commands, add_messages, add_tables, command

EXAMPLES = """\
  ldavi info                 versions and the instruction set in use, for a bug report
  ldavi info model.ldavi     the content of a model file
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "info",
        usage="[MODEL] [--json | --csv]",
        description="Describes this installation, or a model file.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a model file (default: this installation)")
    add_tables(parser)
    add_messages(parser)
