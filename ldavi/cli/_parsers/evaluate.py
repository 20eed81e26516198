"""The parser of `ldavi evaluate`."""

from ldavi.cli._options import (
    Commands,
    add_input,
    add_messages,
    add_tables,
    add_trusted_pattern,
    command,
    positive,
    seed,
    threads,
)

MEASURES = ("c_v", "npmi", "u_mass", "uci")
DESCRIPTION = """\
Evaluates a model on documents. Use held-out documents for perplexity and any large corpus for coherence.

  perplexity          of the second half of each document given its first half (document completion); lower is better.
  The
                      standard error is over documents
  bound perplexity    exp(-bound / tokens), from the variational bound; lower is better
  c_v, npmi, u_mass   coherence of the top words of a topic, as a mean over topics; higher is better
  diversity           share of distinct words among the top 25 words of all topics
"""
EXAMPLES = """\
  ldavi evaluate model.ldavi heldout.txt
  ldavi evaluate model.ldavi heldout.txt --coherence npmi --json
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "evaluate",
        usage="MODEL INPUT [--json | --csv] [options]",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    add_trusted_pattern(add_input(parser))
    group = parser.add_argument_group("measures")
    group.add_argument(
        "--coherence",
        default="c_v,npmi,u_mass",
        metavar="NAMES",
        help=f"some of {', '.join(MEASURES)}, separated by commas, or none (default: c_v,npmi,u_mass)",
    )
    group.add_argument(
        "--windows",
        choices=("sliding", "documents"),
        help="windows in which words co-occur: sliding (110 words for c_v, 10 for npmi), as is usual, or whole "
        "documents (default: sliding for texts counted in single words, documents otherwise and always for "
        "u_mass)",
    )
    group.add_argument(
        "-n", "--words", type=positive, default=10, metavar="N", help="top words of a topic (default: 10)"
    )
    group.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="seed of the halves and the samples (default: 0)"
    )
    group.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_tables(parser)
    add_messages(parser)
