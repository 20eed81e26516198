"""The parser of `ldavi transform`."""

from ldavi.cli._options import Commands, add_input, add_messages, add_trusted_pattern, command, threads

FORMATS = ("csv", "tsv", "jsonl", "xlsx", "npz")
EXAMPLES = """\
  ldavi transform model.ldavi new.txt -o theta.csv
  ldavi transform model.ldavi articles.csv --column body --id-column url -o theta.jsonl
  ldavi transform model.ldavi articles.csv --dominant --keep-columns date,section --no-proportions -o topics.xlsx
      the table's own columns, and the number, name and proportion of the dominant topic
  zcat dump.txt.gz | ldavi transform model.ldavi - --stream --to tsv | head
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "transform",
        usage="MODEL INPUT [-o FILE] [options]",
        description="Writes a row per document: its name, or its number from 0, and the proportion of each topic. "
        "Texts are counted as those of the fit were; words that the model does not have are left out.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    group = add_input(parser)
    add_trusted_pattern(group)
    group.add_argument(
        "--stream", action="store_true", help="read and write in batches, for a corpus larger than memory"
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="the file to write (default: standard output)"
    )
    group.add_argument(
        "--to",
        choices=FORMATS,
        help="format: csv, tsv, jsonl (document, topics), xlsx (Excel) or npz (arrays theta and documents) (default: "
        "the suffix of FILE, or csv)",
    )
    group.add_argument(
        "--dominant",
        action="store_true",
        help="add the topic with the largest proportion: its number, its name if it has one, and the proportion",
    )
    group.add_argument(
        "--keep-columns",
        metavar="NAMES",
        help="copy these columns of the table, separated by commas: date,section; or all (default: none)",
    )
    group.add_argument(
        "--no-proportions", action="store_true", help="leave out the proportions of all topics; use it with --dominant"
    )
    group.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_messages(parser)
