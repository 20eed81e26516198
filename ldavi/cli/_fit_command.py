"""`ldavi fit`: from documents to a model file and a report."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from scipy import sparse

from ldavi import LatentDirichletAllocation, TraceRecord, io
from ldavi.cli import _model_file, _report_command
from ldavi.cli._batches import CountedBatches, counted_batches
from ldavi.cli._bins import bins_of
from ldavi.cli._checkpoint import (
    InterruptibleCheckpoint,
    check_checkpoint_options,
    how_to_continue,
    in_checkpoint_options,
)
from ldavi.cli._counting import counting_from
from ldavi.cli._errors import UsageError
from ldavi.cli._input import describe, read_for_fit, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._model_options import estimator_from
from ldavi.cli._options import (
    Options,
)
from ldavi.cli._output import check_writable, print_json, say
from ldavi.cli._progress import progress_display
from ldavi.cli._reading import check_covariates
from ldavi.cli._seed_words import SeedLine, name_seeded_topics, read_seed_words, set_seed_words
from ldavi.cli._signals import Interrupted, stop_requests
from ldavi.cli._topics_command import print_topics, topics_of
from ldavi.progress import pass_note

Counts: TypeAlias = sparse.csr_array | CountedBatches


def run(options: Options) -> int:
    """Read the documents, fit, save the model, write the report and print the topics."""
    check_writable(options.output, options.report, options.checkpoint)
    check_checkpoint_options(options)
    if options.open and not options.report:
        raise UsageError("--open opens the report; name it with --report FILE")
    if options.bins and not options.report:
        raise UsageError("--bins divides the columns of the report; name it with --report FILE")
    if options.report:
        _report_command.check_installed()
        bins_of(options)
        check_covariates(options)
    model, checkpoint = estimator_from(options), InterruptibleCheckpoint.from_options(options)
    seed_lines = read_seed_words(options)
    with rereadable(options) as path:
        saved, corpus = fit_documents(options, path, model, checkpoint, seed_lines)
    name_seeded_topics(model, seed_lines)
    if options.output:
        _model_file.save(options.output, saved)
        say(options, f"model: {options.output}")
        if checkpoint.is_periodic:
            checkpoint.remove()
    if options.report and corpus is not None:
        _report_command.write_report(options, options.report, saved, corpus)
    topics = topics_of(saved, 10, "relevance")
    if options.json:
        print_json({**saved.corpus, "model": options.output, "report": options.report, "topics": topics})
    else:
        print_topics(topics)
    return 0


def fit_documents(
    options: Options,
    path: str,
    model: LatentDirichletAllocation,
    checkpoint: InterruptibleCheckpoint,
    seed_lines: Sequence[SeedLine] = (),
) -> tuple[SavedModel, io.Corpus | None]:
    """Read the documents and fit the model to them, whole or in batches.

    Returns
    -------
    saved : SavedModel
    corpus : io.Corpus or None
        The documents for a report: with --stream, a sample of them, or None if no report is asked for.
    """
    counting = counting_from(options)
    facts: dict[str, Any] = {"input": options.input}
    corpus: io.Corpus | None
    if options.stream:
        source = counted_batches(options, path, counting, model.batch_size)
        words = source.words
        set_seed_words(options, model, seed_lines, words, counting)
        fit(options, model, source, checkpoint)
        facts |= {"stream": True, "documents": source.n_docs, "tokens": source.n_tokens}
        corpus = source.sampled_corpus() if options.report else None
    else:
        corpus = read_for_fit(options, counting, path)
        words = corpus.vocabulary
        say(options, describe(corpus, options.input))
        set_seed_words(options, model, seed_lines, words, counting)
        fit(options, model, corpus.X, checkpoint)
        facts |= {"documents": corpus.X.shape[0], "tokens": int(corpus.X.sum())}
    facts |= {"passes": model.n_iter_, "converged": bool(model.converged_), "elbo": float(model.elbo_)}
    return SavedModel.of_fit(model, words, counting, facts), corpus


def fit(options: Options, model: LatentDirichletAllocation, X: Counts, checkpoint: InterruptibleCheckpoint) -> None:
    """Fit the model to a matrix or to batches, show each pass, and say how the fit ended.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts the fit. Its message describes how to continue.
    ValueError
        If the checkpoint belongs to another fit.
    """
    if checkpoint.is_periodic and checkpoint.path.exists():
        say(options, f"continuing from {checkpoint.path}")

    def request_stop() -> None:
        checkpoint.request_stop()
        with suppress(RuntimeError, OSError):  # while another message is being written; a terminal that is gone
            say(options, "stopping as soon as the fit can be saved; Ctrl-C ends it at once")

    start = time.perf_counter()
    progress = FitProgress(options, model, X)
    model.callbacks = progress
    try:
        with stop_requests(request_stop) as request:
            model.fit(X, checkpoint=checkpoint)
    except KeyboardInterrupt:
        raise Interrupted(request.number, how_to_continue(options, checkpoint, progress.n_passes)) from None
    except ValueError as error:
        if not str(error).startswith("checkpoint="):
            raise
        raise ValueError(in_checkpoint_options(str(error), str(checkpoint.path))) from error
    finally:
        progress.close()
        model.callbacks = None
    ended = "" if model.tol is None else ", converged" if model.converged_ else ", not converged"
    say(
        options,
        f"{model.n_components} topics: {model.n_iter_} passes{ended}, {time.perf_counter() - start:.1f} s; perplexity "
        f"of these documents {model.bound_:,.1f}, ELBO {model.elbo_:.6g}",
    )


class FitProgress:
    """Show a fit: its passes, or the documents that it reads in batches. It is a callback of the estimator.

    An end is shown only where the number of passes is known: a fit that stops when it has converged has none. With
    --verbose, each pass is a line instead.
    """

    def __init__(self, options: Options, model: LatentDirichletAllocation, X: Counts) -> None:
        self._options, self._tol, self._n_starts = options, model.tol, model.n_init
        self._max_iter = model.max_iter if model.tol is None else None
        self._reads_batches = isinstance(X, CountedBatches)
        if isinstance(X, CountedBatches):
            self._display = progress_display(options, "fitting", "document")
            X.on_read = self._advance
        else:
            total = None if self._max_iter is None else self._max_iter * model.n_init
            self._display = progress_display(options, "fitting", "pass", total)
        self._last: TraceRecord | None = None
        self._start, self.n_passes = 1, 0
        self._note = self._of_pass(1)

    def __call__(self, record: TraceRecord) -> None:
        if self._last is not None and record.iteration <= self._last.iteration:
            self._start, self._last = self._start + 1, None
        note = pass_note(record, self._last, self._tol)
        if self._reads_batches:
            self._note = f"{self._of_pass(record.iteration + 1)}, {note}"
        else:
            self._note = note if self._n_starts == 1 else f"start {self._start} of {self._n_starts}, {note}"
            self._advance(record.iteration - (0 if self._last is None else self._last.iteration))
        if self._options.verbose:
            say(
                self._options,
                f"pass {record.iteration:3d}  {record.phase:9}  {record.objective_name} {record.objective:.6g}  "
                f"{record.seconds:.1f} s  perplexity {record.perplexity:,.1f}",
            )
        self._last, self.n_passes = record, record.iteration

    def _of_pass(self, number: int) -> str:
        of_starts = "" if self._n_starts == 1 else f"start {self._start} of {self._n_starts}, "
        return f"{of_starts}pass {number}" + ("" if self._max_iter is None else f" of {self._max_iter}")

    def _advance(self, number: int) -> None:
        self._display.advance(number, self._note)

    def close(self) -> None:
        """End the display."""
        self._display.close()
