"""The parser of `ldavi effects`."""

import argparse
import math

from ldavi.cli._options import (
    Commands,
    add_input,
    add_messages,
    add_tables,
    add_trusted_pattern,
    command,
    seed,
    several,
    threads,
)

EXAMPLES = """\
  ldavi effects news.ldavi articles.csv --column body --covariates year,section
  ldavi effects news.ldavi articles.csv --column body --formula "~ section * bs(year, df=4)" --csv > effects.csv
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "effects",
        usage="MODEL INPUT (--covariates NAMES | --formula FORMULA) [options]",
        description="Regresses the share of each topic in the documents on columns of the input, for several draws of "
        "the shares from their posterior, and prints estimates, standard errors and intervals. Columns whose values "
        "are numbers are used as numbers, dates as years, others as levels. Documents without a value are left out.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    add_trusted_pattern(add_input(parser))
    group = parser.add_argument_group("regression")
    group.add_argument(
        "--covariates",
        dest="metadata",
        metavar="NAMES",
        help="columns of the input, separated by commas: year,section (default: those of the formula)",
    )
    group.add_argument(
        "--formula",
        metavar="FORMULA",
        help='right-hand side of a regression, such as "~ section + bs(year, df=4)" (default: the sum of the '
        "covariates). Needs formulaic, and is evaluated as Python code: use no formula from others unread",
    )
    group.add_argument("--samples", type=several, default=25, metavar="N", help="draws of the shares (default: 25)")
    group.add_argument(
        "--level", type=probability, default=0.95, metavar="P", help="probability of the intervals (default: 0.95)"
    )
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the draws (default: 0)")
    group.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_tables(parser)
    add_messages(parser)


def probability(text: str) -> float:
    """Parse a number between 0 and 1, exclusive."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be > 0 and < 1")
    return value
