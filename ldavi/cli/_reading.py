"""The options of reading, as parameters of `ldavi.io.read_corpus` and `read_batches`."""

import ast
import importlib
import os
from typing import Any

from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._options import DEFAULT_ENCODING, Options
from ldavi.cli._output import say
from ldavi.io._readers.dates import UNIX
from ldavi.io._readers.recognition import BINARY_FORMATS

# Commands that use the names and the columns of documents; fit uses them in its report.
WITH_NAMES = ("fit", "transform", "documents", "report")


def reading_parameters(options: Options) -> dict[str, Any]:
    """Return the parameters that both functions have.

    Raises
    ------
    UsageError
        If an option has no effect.
    """
    check_effects(options)
    table = {
        "delimiter": options.delimiter,
        "quoting": options.quoting,
        "header": not options.no_header,
        "sheet": options.sheet,
    }
    return {
        "format": options.format,
        "column": text_columns(options),
        "id_column": options.id_column,
        "metadata": read_names(options),
        "encoding": str(options.encoding),
        "table": table,
        "first_word": options.first_word,
    }


def text_columns(options: Options) -> str | list[str] | None:
    """Return the columns that --column names."""
    if options.column is None or "," not in options.column:
        return options.column
    return [name.strip() for name in options.column.split(",") if name.strip()]


def metadata_names(options: Options) -> list[str]:
    """Return the columns that `--metadata` names, or that `--keep-columns all` stands for."""
    if getattr(options, "kept_columns", None) is not None:
        return list(options.kept_columns)
    named = getattr(options, "metadata", None) or ""
    return [name.strip() for name in named.split(",") if name.strip()]


def covariate_names(options: Options) -> list[str]:
    """Return the columns whose effects the report shows: those of `--covariates`, or else of `--formula`."""
    formula = getattr(options, "formula", None)
    if options.command == "effects":  # whose covariates are its only columns
        return []
    named = getattr(options, "covariates", None)
    if named is None:
        return [] if formula is None else names_in(formula)
    return [name.strip() for name in named.split(",") if name.strip()]


def read_names(options: Options) -> list[str]:
    """Return all columns to read beside the texts and names."""
    return list(dict.fromkeys([*metadata_names(options), *covariate_names(options)]))


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
        parsed = formulaic.Formula(formula.strip())
        found = {str(name) for name in parsed.required_variables}
        for factor in {factor for term in parsed for factor in term.factors}:
            found |= _variables(factor.expr)
        return sorted(found)
    except Exception as error:  # its own classes, and those of Python's parser
        raise ValueError(f"--formula {formula!r} is not valid: {error}") from error


def _variables(expression: str) -> set[str]:
    """Return the names in an expression other than functions; formulaic overlooks them in calls with options."""
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:  # a quoted name, which formulaic finds
        return set()
    functions = {node for call in ast.walk(tree) if isinstance(call, ast.Call) for node in ast.walk(call.func)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in functions}


def check_covariates(options: Options) -> None:
    """Check the options of the report's section on effects.

    Raises
    ------
    UsageError
        If there is no covariate, or an option has no effect without one.
    """
    if options.covariates is None and options.formula is None:
        for name in ("samples", "draw_seed"):
            if getattr(options, name, None) is not None:
                option = "--seed" if name == "draw_seed" else f"--{name}"
                raise UsageError(f"{option} is for the effects of covariates; add --covariates NAMES, or leave it out")
    elif not covariate_names(options):
        raise UsageError("there is no covariate; name columns of the input with --covariates")


def check_effects(options: Options) -> None:
    """Refuse options of reading that this command does not use.

    Raises
    ------
    UsageError
        If one is given.
    """
    date_format = getattr(options, "date_format", None)
    if date_format is not None and not read_names(options):
        raise UsageError("--date-format is for the columns of --metadata and --covariates; name them")
    if date_format is not None and "%" not in date_format and date_format != UNIX:
        raise UsageError(f"--date-format {date_format} must be a format such as %d/%m/%Y, or {UNIX}")
    if options.command not in WITH_NAMES and options.id_column is not None:
        raise UsageError(f"--id-column has no effect on {options.command}, which uses no names of documents")
    if options.command == "fit" and not options.report:
        for name in ("id_column", "metadata", "covariates", "formula", "samples", "title"):
            if getattr(options, name, None) is not None:
                raise UsageError(f"--{name.replace('_', '-')} is for the report; add --report FILE, or leave it out")


def check_encoding_is_used(options: Options, format: str) -> None:
    """Refuse an encoding for a format whose texts have one.

    Raises
    ------
    UsageError
        If --encoding is given, the format is binary, and no other file is read in it.
    """
    others = [getattr(options, name, None) for name in ("vocabulary", "stop_words")]
    if options.encoding is DEFAULT_ENCODING or format not in BINARY_FORMATS:
        return
    if not any(other is not None and os.path.exists(str(other)) for other in others):
        raise UsageError(f"--encoding has no effect on {options.input}, which is {format}")


def say_notes(options: Options, notes: tuple[str, ...]) -> None:
    """Write what was decided where the input leaves it open."""
    noted: set[str] = options.__dict__.setdefault("_noted", set())
    for note in notes:
        if note not in noted:
            noted.add(note)
            say(options, f"note: {options.input}: {in_options(note)}")
