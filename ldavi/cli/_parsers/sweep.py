"""The parser of `ldavi sweep`."""

from ldavi.cli._options import (
    Commands,
    Parser,
    add_counting,
    add_input,
    add_messages,
    add_tables,
    command,
    positive,
    positive_list,
    prior,
    seed,
    threads,
)

EXAMPLES = """\
  ldavi sweep posts.txt -k 10,20,50,100
  ldavi sweep posts.txt -k 10,20,50 --starts 5 --keep sweep.jsonl --csv > sweep.csv
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "sweep",
        usage="INPUT -k K,K,… [options]",
        description="Fits models with several numbers of topics, compares them on held-out documents and recommends "
        "one.",
        examples=EXAMPLES,
    )
    add_input(parser)
    add_counting(parser)
    _add_models(parser)
    add_tables(parser)
    add_messages(parser)


def _add_models(parser: Parser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument(
        "-k", "--topics", type=positive_list, required=True, metavar="K,K,…", help="numbers of topics: 10,20,50"
    )
    group.add_argument(
        "--restarts",
        "--starts",
        dest="starts",
        type=positive,
        metavar="N",
        default=5,
        help="fits of each number; all but the first begin with random topics (default: 5)",
    )
    group.add_argument(
        "--alpha",
        type=prior,
        metavar="auto|NUMBER",
        help="Dirichlet prior of a document's topics; auto learns it (default: auto)",
    )
    group.add_argument(
        "--eta",
        type=prior,
        metavar="auto|NUMBER",
        help="Dirichlet prior of a topic's words; auto learns it (default: auto)",
    )
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the restarts (default: 0)")
    group.add_argument(
        "--jobs", type=threads, default=-1, metavar="N", help="fits that run at the same time (default: -1, all cores)"
    )
    group.add_argument(
        "--keep",
        metavar="FILE",
        help="save finished fits in FILE; after an interruption, the same command continues from it",
    )
