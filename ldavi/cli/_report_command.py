"""`ldavi report`: an HTML page about a model and documents."""

import importlib
import importlib.util
import webbrowser
from pathlib import Path
from typing import Any

from ldavi import io
from ldavi.cli import _model_file
from ldavi.cli._bins import bins_of
from ldavi.cli._input import read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, say
from ldavi.cli._progress import elapsed_time
from ldavi.cli._reading import check_covariates, covariate_names, metadata_names

NEEDED = ("jinja2",)
SAMPLES = 25  # draws of the shares, by default


def run(options: Options) -> int:
    """Write the page."""
    check_writable(options.output)
    check_installed()
    bins_of(options)
    check_covariates(options)
    saved = _model_file.load(options.model, options)
    names = None if options.topic_names is None else io.read_topic_names(options.topic_names, saved.n_topics)
    with rereadable(options) as path:
        corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    write_report(options, options.output, saved, corpus, names)
    return 0


def check_installed() -> None:
    """Check that a report can be written, before a long fit.

    Raises
    ------
    ModuleNotFoundError
        If a library of the extra [report] is not installed.
    """
    for library in NEEDED:
        if importlib.util.find_spec(library) is None:
            raise ModuleNotFoundError(f"a report needs {library}, which is not installed: pip install 'ldavi[report]'")


def write_report(
    options: Options, path: str, saved: SavedModel, corpus: io.Corpus, names: dict[int, str] | None = None
) -> None:
    """Write the page about these documents; with --open, open it in the browser."""
    report = importlib.import_module("ldavi.report")  # the other commands need not load it
    effects, hidden = covariates_of(options, corpus)
    metadata: dict[str, Any] = {name: values for name, values in corpus.metadata.items() if name not in hidden}
    with elapsed_time(options, "writing the report"):
        report.write(
            path,
            saved.model,
            corpus.X,
            feature_names=saved.words,
            texts=corpus.texts,
            document_names=None if corpus.ids is None else [str(name) for name in corpus.ids],
            metadata=metadata or None,
            bins=bins_of(options) or None,
            labels=names,
            title=options.title,
            **effects,
        )
    say(options, f"report: {path}")
    if options.open:
        webbrowser.open(Path(path).absolute().as_uri())


def covariates_of(options: Options, corpus: io.Corpus) -> tuple[dict[str, Any], set[str]]:
    """Return the parameters of the section on effects, and the columns that have no trends, since only it uses them."""
    names = covariate_names(options)
    if not names:
        return {}, set()
    effects = {
        "covariates": {name: corpus.metadata[name] for name in names},
        "formula": options.formula,
        "n_samples": options.samples or SAMPLES,
        "random_state": getattr(options, "draw_seed", None) or 0,
    }
    return effects, set(names) - set(metadata_names(options))
