"""`ldavi fit`: from documents to a model file and a report."""

import time
from contextlib import suppress
from typing import Any, TypeAlias

from scipy import sparse

from ldavi import LatentDirichletAllocation, TraceRecord, io
from ldavi.cli import _model_file, _report_command
from ldavi.cli._batches import CountedBatches, counted_batches
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
from ldavi.cli._model_options import add_model_options, estimator_from
from ldavi.cli._options import (
    Commands,
    Options,
    Parser,
    add_counting,
    add_input,
    add_messages,
    add_metadata,
    command,
    not_negative_number,
)
from ldavi.cli._output import check_writable, print_json, say
from ldavi.cli._progress import progress_display
from ldavi.cli._signals import Interrupted, stop_requests
from ldavi.cli._topics_command import print_topics, topics_of

Counts: TypeAlias = sparse.csr_array | CountedBatches
DESCRIPTION = """\
Learns the topics of documents.

The command reads all documents, counts the words of texts (words of at least three letters, in lower case, without
English stop words, without words in fewer than 5 documents or in more than half of them), fits the model and prints the
topics, the largest first. -o saves the model with its words and how they were counted: topics, transform, evaluate and
report need nothing else. --report writes one page that opens without a network.

The same seed gives the same bits for any number of --jobs. Ctrl-C saves the fit after the pass (with --stream, after
the step) and prints the command that continues it; a second Ctrl-C ends the command at once. The signals SIGTERM and
SIGHUP (the terminal was closed) have the same effect.
"""
EXAMPLES = """\
  ldavi fit posts.txt -k 20 -o model.ldavi --report report.html
      a text per line, plain or compressed (posts.txt.gz)
  ldavi fit articles.csv --column body --id-column url --metadata date -k 50 -o news.ldavi --report news.html --open
      a table; the report shows trends over its dates, and opens in the browser
  zcat dump.jsonl.gz | ldavi fit - --format jsonl --column text -k 100 --stream -o big.ldavi --checkpoint big.checkpoint
      a corpus larger than memory; after a crash, the same command continues from big.checkpoint
  ldavi fit docword.nips.txt -k 50 --alpha 0.05 --eta 0.01 -o nips.ldavi
      counts, with their words in vocab.nips.txt
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "fit",
        usage="INPUT [-k K] [-o MODEL] [--report PAGE] [options]",
        help="learn topics, save the model, write a report",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    group = add_input(parser)
    add_metadata(group)
    group.add_argument(
        "--stream",
        action="store_true",
        help="read the documents in batches, in every pass: for a corpus larger than memory",
    )
    add_counting(parser)
    add_model_options(parser)
    _add_output(parser)
    _add_checkpoint(parser)
    add_messages(parser)
    parser.set_defaults(run=run)


def _add_output(parser: Parser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the model file; its name usually ends in .ldavi (default: the model is not saved)",
    )
    group.add_argument(
        "--report", metavar="FILE", help="write a self-contained HTML page about the model (default: none)"
    )
    group.add_argument("--open", action="store_true", help="open the report in the browser")
    group.add_argument(
        "--title", metavar="TEXT", help="title of the report (default: the numbers of topics and documents)"
    )
    group.add_argument("--json", action="store_true", help="print the topics as JSON (default: a table)")


def _add_checkpoint(parser: Parser) -> None:
    group = parser.add_argument_group("checkpoint")
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="save the fit in FILE on the way; after a crash or a kill, the same command continues from it and ends "
        "with the same bits. FILE is removed when the model is saved (default: the fit is saved only on Ctrl-C, "
        "SIGTERM or SIGHUP, in NAME.checkpoint beside the model file)",
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=not_negative_number,
        default=10.0,
        metavar="N",
        help="with --checkpoint: minutes between two saved states; 0 saves after every step (default: 10)",
    )
    group.add_argument(
        "--resume", metavar="FILE", help="the same as --checkpoint FILE, but it is an error if FILE does not exist"
    )


def run(options: Options) -> int:
    """Read the documents, fit, save the model, write the report and print the topics."""
    check_writable(options.output, options.report, options.checkpoint)
    check_checkpoint_options(options)
    if options.open and not options.report:
        raise UsageError("--open opens the report; name it with --report FILE")
    if options.report:
        _report_command.check_installed()
    model, checkpoint = estimator_from(options), InterruptibleCheckpoint.from_options(options)
    with rereadable(options) as path:
        saved, corpus = fit_documents(options, path, model, checkpoint)
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
    options: Options, path: str, model: LatentDirichletAllocation, checkpoint: InterruptibleCheckpoint
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
        fit(options, model, source, checkpoint)
        facts |= {"stream": True, "documents": source.n_docs, "tokens": source.n_tokens}
        corpus = source.sampled_corpus() if options.report else None
    else:
        corpus = read_for_fit(options, counting, path)
        words = corpus.vocabulary
        say(options, describe(corpus, options.input))
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
    progress = FitProgress(options, model.max_iter, X)
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

    With --verbose, each pass is a line instead.
    """

    def __init__(self, options: Options, max_iter: int, X: Counts) -> None:
        self._options, self._max_iter, self._note = options, max_iter, "pass 1"
        self._reads_batches = isinstance(X, CountedBatches)
        if isinstance(X, CountedBatches):
            self._display = progress_display(options, "fitting", "document")
            X.on_read = self._advance
        else:
            self._display = progress_display(options, "fitting", "pass", max_iter)
        self.n_passes = 0

    def __call__(self, record: TraceRecord) -> None:
        perplexity = f"perplexity {record.perplexity:,.1f}"
        if self._reads_batches:
            self._note = f"pass {record.iteration + 1} of {self._max_iter}, {perplexity}"
        else:
            self._note = perplexity
            self._advance(record.iteration - self._display.done)
        if self._options.verbose:
            bound = f"ELBO {record.elbo:.6g}"
            say(
                self._options,
                f"pass {record.iteration:3d}  {record.phase:8}  {bound}  {record.seconds:.1f} s  {perplexity}",
            )
        self.n_passes = record.iteration

    def _advance(self, number: int) -> None:
        self._display.advance(number, self._note)

    def close(self) -> None:
        """End the display."""
        self._display.close()
