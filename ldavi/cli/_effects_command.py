"""`ldavi effects`: how the shares of topics depend on covariates of the documents."""

import argparse
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import inspection
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._input import metadata_names, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Commands, Options, add_input, add_messages, add_tables, add_trusted_pattern, command
from ldavi.cli._output import print_csv, print_json, print_table, records_of, say
from ldavi.cli._progress import elapsed_time

MISSING = (None, "")
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
        help="how the shares of topics depend on covariates of the documents",
        description="Regresses the share of each topic in the documents on columns of the input, for several draws of "
        "the shares from their posterior, and prints estimates, standard errors and intervals. Columns whose values "
        "are numbers are used as numbers, others as levels. Documents without a value are left out.",
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
    group.add_argument("--samples", type=int, default=25, metavar="N", help="draws of the shares (default: 25)")
    group.add_argument(
        "--level", type=probability, default=0.95, metavar="P", help="probability of the intervals (default: 0.95)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws (default: 0)")
    group.add_argument("--jobs", type=int, default=-1, metavar="N", help="threads (default: -1, all cores)")
    add_tables(parser)
    add_messages(parser)
    parser.set_defaults(run=run)


def probability(text: str) -> float:
    """Parse a number between 0 and 1, exclusive."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be > 0 and < 1")
    return value


def run(options: Options) -> int:
    """Print the effects."""
    if options.metadata is None and options.formula is None:
        raise UsageError("name the covariates: --covariates year,section, or --formula")
    if options.metadata is None:
        options.metadata = ",".join(names_in(options.formula))
    if not metadata_names(options):
        raise UsageError("there is no covariate; name columns of the input with --covariates")
    saved = _model_file.load(options.model, options)
    with rereadable(options) as path:
        corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    columns = {name: np.asarray(corpus.metadata[name], dtype=object) for name in metadata_names(options)}
    rows = effects_of(options, saved, corpus.X, columns)
    if options.json:
        print_json(rows)
    elif options.csv:
        print_csv(rows)
    else:
        print_effects(rows, inspection.top_words_lists(saved.model, 3, feature_names=saved.words))
    return 0


def names_in(formula: str) -> list[str]:
    """Return the columns that a formula uses.

    Raises
    ------
    ImportError
        If formulaic is not installed.
    ValueError
        If the formula is not valid.
    """
    try:
        formulaic = importlib.import_module("formulaic")
    except ImportError as error:
        raise ImportError("--formula requires formulaic: pip install 'ldavi[effects]'") from error
    try:
        return sorted(str(name) for name in formulaic.Formula(formula.strip()).required_variables)
    except Exception as error:  # its own classes, and those of Python's parser
        raise ValueError(f"--formula {formula!r} is not valid: {error}") from error


def effects_of(
    options: Options, saved: SavedModel, X: sparse.csr_array, columns: dict[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """Estimate the effects in the documents that have a value of each covariate."""
    known = np.ones(X.shape[0], dtype=bool)
    for column in columns.values():
        known &= np.array([value not in MISSING for value in column.tolist()], dtype=bool)
    if not known.all():
        say(options, f"{int((~known).sum()):,} documents without a value of a covariate are left out")
    covariates = {name: as_numbers(column[known]) for name, column in columns.items()}
    with elapsed_time(options, "estimating effects"):
        rows = inspection.estimate_effect(
            saved.model,
            X[np.flatnonzero(known)],
            covariates,
            formula=options.formula,
            n_samples=options.samples,
            random_state=options.seed,
            level=options.level,
            n_jobs=options.jobs,
        )
    return records_of(rows)


def as_numbers(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column as numbers if all its values are numbers or texts of numbers, else unchanged."""
    if any(isinstance(value, bool) for value in column.tolist()):
        return column
    try:
        return np.array([float(value) for value in column.tolist()])
    except (TypeError, ValueError):
        return column


def print_effects(rows: list[dict[str, Any]], words: list[list[str]]) -> None:
    """Print a line per topic and term."""
    numbers = ("estimate", "std_error", "lower", "upper")
    cells = [
        [
            str(row["topic"]),
            " ".join(map(str, words[row["topic"]])),
            str(row["term"]),
            *(f"{row[n]:.4f}" for n in numbers),
        ]
        for row in rows
    ]
    print_table(["topic", "words", "term", "estimate", "std. error", "lower", "upper"], cells, left=(1, 2))
