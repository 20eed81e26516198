"""The parser of `ldavi compare`."""

from ldavi.cli._options import Commands, add_messages, add_tables, command, positive

DISTANCES = ("hellinger", "jensen_shannon", "jaccard", "cosine")
EXAMPLES = """\
  ldavi compare old.ldavi new.ldavi
  ldavi compare seed0.ldavi seed1.ldavi --csv > matching.csv
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "compare",
        usage="MODEL OTHER [-n N] [--by SIMILARITY] [--json | --csv]",
        description="Matches the topics of two models one to one, such that their similarity is greatest in total, and "
        "prints the pairs, the most similar first. A similarity is 1 for equal topics and 0 for topics without a "
        "common word. The models may have different numbers of topics and different words: only common words are "
        "compared.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("other", metavar="OTHER", help="another model file")
    parser.add_argument("-n", "--words", type=positive, default=5, metavar="N", help="words per topic (default: 5)")
    parser.add_argument(
        "--by",
        choices=DISTANCES,
        default="hellinger",
        help="the similarity: hellinger, jensen_shannon and cosine compare the probabilities of all words, jaccard the "
        "ten most probable words of each topic (default: hellinger)",
    )
    add_tables(parser)
    add_messages(parser)
