"""`ldavi effects`: how the shares of topics depend on covariates of the documents."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi import inspection
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._input import read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import print_csv, print_json, print_table, records_of, say
from ldavi.cli._progress import elapsed_time
from ldavi.cli._reading import metadata_names, names_in
from ldavi.inspection._columns import as_dates
from ldavi.inspection._covariates import as_covariate, check_levels, missing


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
    columns = {name: np.asarray(corpus.metadata[name]) for name in metadata_names(options)}
    rows = effects_of(options, saved, corpus.X, columns)
    if options.json:
        print_json(rows)
    elif options.csv:
        print_csv(rows)
    else:
        print_effects(rows, inspection.top_words_lists(saved.model, 3, feature_names=saved.words))
    return 0


def effects_of(
    options: Options, saved: SavedModel, X: sparse.csr_array, columns: dict[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """Estimate the effects in the documents that have a value of each covariate."""
    used = {name: as_covariate(column, X.shape[0], name) for name, column in columns.items()}
    dates = [name for name, column in columns.items() if as_dates(column) is not None]
    if dates:
        say(options, f"note: {', '.join(dates)}: dates are used as numbers of years, such as 2020.5")
    known = np.all([~missing(column) for column in used.values()], axis=0)
    if not known.all():
        say(options, f"{int((~known).sum()):,} documents without a value of a covariate are left out")
    covariates = {name: column[known] for name, column in used.items()}
    check_levels(covariates)
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
