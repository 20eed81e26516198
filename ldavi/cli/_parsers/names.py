"""The parser of `ldavi names`."""

from ldavi.cli._options import Commands, add_messages, add_tables, command

DESCRIPTION = """\
Prints the names of the topics of a model, or changes them. The other commands, plots and reports show these names.

Names are given as TOPIC=NAME, or in a file: a CSV table with the columns topic and name, or JSON such as
{"0": "weather"}, which a report saves after you have edited names in its page. Other topics keep their names.
"""
EXAMPLES = """\
  ldavi names model.ldavi                          the names, with the words of each topic
  ldavi names model.ldavi 3=Sports 7="The weather"
  ldavi names model.ldavi 3=                       topic 3 has no name any more
  ldavi names model.ldavi --csv > names.csv        edit the file, and read it with --from names.csv
  ldavi names model.ldavi --from names.csv -o named.ldavi
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "names",
        usage="MODEL [TOPIC=NAME …] [--from FILE] [-o FILE] [options]",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("names", nargs="*", metavar="TOPIC=NAME", help="the number of a topic, and its name")
    group = parser.add_argument_group("names")
    group.add_argument("--from", dest="source", metavar="FILE", help="a file of names: CSV or JSON")
    group.add_argument("--clear", action="store_true", help="remove all names first")
    group.add_argument("-o", "--output", metavar="FILE", help="the model file to write (default: MODEL is replaced)")
    add_tables(parser)
    add_messages(parser)
