"""`ldavi evaluate`: perplexity, coherence and diversity of a model."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ldavi import io, metrics
from ldavi._core.typing import CoherenceMeasure
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._input import describe, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import (
    Options,
)
from ldavi.cli._output import print_csv, print_json, print_table, say
from ldavi.cli._parsers.evaluate import MEASURES
from ldavi.cli._progress import elapsed_time


def run(options: Options) -> int:
    """Print the measures."""
    wanted = (
        [] if options.coherence == "none" else [name.strip() for name in options.coherence.split(",") if name.strip()]
    )
    if unknown := [name for name in wanted if name not in MEASURES]:
        raise UsageError(f"--coherence {unknown[0]} must be one of {', '.join(MEASURES)}")
    saved = _model_file.load(options.model, options)
    with rereadable(options) as path:
        corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    say(options, describe(corpus, options.input))
    with elapsed_time(options, "evaluating"):
        rows = likelihood_rows(options, saved, corpus) + coherence_rows(options, saved, corpus, wanted)
        rows.append({"measure": "diversity", "value": metrics.topic_diversity(saved.model), "standard_error": None})
    if options.json:
        print_json({row["measure"]: {name: value for name, value in row.items() if name != "measure"} for row in rows})
    elif options.csv:
        names = ("measure", "value", "standard_error", "note")
        print_csv([{name: "" if row.get(name) is None else row[name] for name in names} for row in rows])
    else:
        lines = [
            [row["measure"], _short(row["value"]), _short(row["standard_error"]), row.get("note", "")] for row in rows
        ]
        print_table(["measure", "value", "± s.e.", ""], lines, left=(0, 3))
    return 0


def likelihood_rows(options: Options, saved: SavedModel, corpus: io.Corpus) -> list[dict[str, Any]]:
    """Return the perplexity by document completion and by the bound."""
    found = metrics.document_completion(
        saved.model, corpus.X, doc_topic_prior=None, unseen_words="ignore", seed=options.seed, n_jobs=options.jobs
    )
    error = found.perplexity * found.standard_error  # delta method: from the mean log-likelihood to its exponential
    ignored = f", {found.n_unseen:,} ignored, which no topic can produce" if found.n_unseen else ""
    note = f"{found.n_scored:,} words predicted{ignored}"
    return [
        {"measure": "perplexity", "value": found.perplexity, "standard_error": error, "note": note},
        {"measure": "bound perplexity", "value": saved.model.perplexity(corpus.X), "standard_error": None},
    ]


def words_in_order(saved: SavedModel, texts: list[str]) -> list[list[str]]:
    """Return the words of each text, stop words included, as the model counts them."""
    counter = io.WordCounter(**{**saved.counting.parameters(), "stop_words": None})
    tokens = counter.tokens(texts)
    words = np.array(tokens.vocabulary, dtype=object)[tokens.ids]
    return [words[begin:end].tolist() for begin, end in pairwise(tokens.starts.tolist())]


def coherence_rows(
    options: Options, saved: SavedModel, corpus: io.Corpus, wanted: list[CoherenceMeasure]
) -> list[dict[str, Any]]:
    """Return each coherence as a mean over topics with its standard error, and the value of each topic."""
    by_words = corpus.texts is not None and saved.counting.ngrams == (1, 1) and saved.words is not None
    if options.windows == "sliding" and not by_words:
        raise UsageError("--windows sliding needs texts that are counted in single words; use --windows documents")
    slides = by_words and options.windows != "documents"
    tokens: Any = None
    if slides and any(name != "u_mass" for name in wanted):
        tokens = words_in_order(saved, corpus.texts or [])
    rows = []
    for name in wanted:
        documents: Any = corpus.X if tokens is None or name == "u_mass" else tokens
        values = metrics.coherence(saved.model, documents, name, options.words, feature_names=saved.words)
        known = values[np.isfinite(values)]
        error = float(known.std(ddof=1) / math.sqrt(len(known))) if len(known) > 1 else None
        note = "sliding windows" if documents is tokens else "documents as windows"
        value = float(known.mean()) if len(known) else math.nan
        if len(known) < len(values):
            note += f", mean over {len(known)} of {len(values)} topics: the others have words that do not occur here"
        rows.append({"measure": name, "value": value, "standard_error": error, "note": note, "topics": values})
    return rows


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"
