"""`ldavi fit`: from documents to a model file and a page to look at."""

import time
from typing import Any, NamedTuple

from ldavi import TraceRecord, io
from ldavi.cli import _interrupts, _modelfile, _report
from ldavi.cli._corpus import COUNTING_OPTIONS, Counting, described, read_for_fit, read_for_model, rereadable
from ldavi.cli._errors import UsageError
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import (
    Commands,
    Options,
    add_counting,
    add_input,
    add_metadata,
    add_talk,
    command,
    positive,
    positive_number,
    positive_or_auto,
    prior,
)
from ldavi.cli._output import check_writable, print_json, say
from ldavi.cli._progress import Progress
from ldavi.cli._resume import check_model, checkpoint_of, how_to_resume, model_from, options_agree, save_checkpoint
from ldavi.cli._stream import fit_stream
from ldavi.cli._topics import print_topics, topics_of

DESCRIPTION = """\
Learns the topics of documents.

The documents are read whole, texts are counted (words of three letters or more, in lower case, without English stop
words, without those in fewer than 5 documents or in more than half of them), and the topics are printed, the largest
first. -o keeps the model, and with it the words and how they were counted: topics, transform, evaluate and report need
nothing else. --report writes one page with everything about it, which opens without a network.

The same seed gives the same bits, whatever --jobs is. Ctrl-C keeps the topics of the last whole pass and says how to go on.
"""
EXAMPLES = """\
  ldavi fit posts.txt -k 20 -o model.ldavi --report report.html
      a text per line; compressed is fine (posts.txt.gz)
  ldavi fit articles.csv --column body --id-column url --metadata date -k 50 -o news.ldavi --report news.html --open
      a table; the report shows trends over its dates, and opens
  zcat dump.jsonl.gz | ldavi fit - --format jsonl --column text -k 100 --stream -o big.ldavi --checkpoint big.checkpoint
      a corpus larger than memory, a batch at a time; an interrupted fit goes on with --resume big.checkpoint
  ldavi fit docword.nips.txt -k 50 --alpha 0.05 --eta 0.01 -o nips.ldavi
      counts, the words from vocab.nips.txt beside them
"""


class Fitted(NamedTuple):
    """What a fit came to: the model, the documents to report on, and a line about it."""

    kept: Kept
    corpus: io.Corpus
    summary: str


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "fit",
        usage="INPUT [-k K] [-o MODEL] [--report PAGE] [options]",
        help="learn topics; keep the model, write a report",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    group = add_input(parser)
    add_metadata(group)
    group.add_argument(
        "--stream", action="store_true", help="read in batches and fit online: for what is larger than memory"
    )
    add_counting(parser)
    add_model(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the model file; by custom its name ends in .ldavi (default: none is kept)",
    )
    group.add_argument(
        "--report", metavar="FILE", help="write a page about the model, HTML complete in itself (default: none)"
    )
    group.add_argument("--open", action="store_true", help="open the report in the browser")
    group.add_argument("--title", metavar="TEXT", help="of the report (default: how many topics of how many documents)")
    group.add_argument("--json", action="store_true", help="print the topics as JSON (default: a table for people)")
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="where a fit that Ctrl-C or SIGTERM interrupts is kept, as of its last whole pass (default: beside the model "
        "file, as NAME.checkpoint); --stream keeps it on the way as well, and only that outlives a kill or a power failure",
    )
    group.add_argument(
        "--checkpoint-minutes",
        type=positive_number,
        default=10.0,
        metavar="N",
        help="with --stream and --checkpoint: how often (default: 10)",
    )
    group.add_argument(
        "--resume",
        metavar="FILE",
        help="go on from a checkpoint, with its words, counting and parameters; --passes, --tol and --jobs may change",
    )
    add_talk(parser)
    parser.set_defaults(run=run)


def add_model(parser: Any) -> None:
    """What is fitted, and how."""
    group = parser.add_argument_group("model")
    group.add_argument("-k", "--topics", type=positive, metavar="K", help="number of topics (default: 20)")
    group.add_argument(
        "--inference",
        metavar="NAME",
        help="vb, quick; or cvb0, better topics in five to ten times as long (default: vb)",
    )
    group.add_argument(
        "--learning-method",
        metavar="NAME",
        help="batch, online or memoized (default: batch; --stream is always online)",
    )
    group.add_argument(
        "--passes",
        type=positive,
        metavar="N",
        help="passes over the documents, at most (default: 1000, and it ends when --tol says so; with --stream, 3)",
    )
    group.add_argument(
        "--alpha",
        type=prior,
        metavar="auto|NUMBER|none",
        help="prior of a document's topics: auto learns one for each, a number stays as it is, none is 1/K (default: auto)",
    )
    group.add_argument(
        "--eta",
        type=prior,
        metavar="auto|NUMBER|none",
        help="prior of a topic's words: auto learns it, a number stays as it is, none is 1/K (default: auto)",
    )
    group.add_argument(
        "--batch-size",
        type=positive_or_auto,
        metavar="auto|N",
        help="documents of an online step (default: auto, a 128th of all, 64 to 4096; with --stream, 1024)",
    )
    group.add_argument(
        "--tol",
        type=float,
        metavar="SHARE",
        help="stop when a pass raises the bound by less than this share (default: 1e-4)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="of random numbers (default: 0)")
    group.add_argument(
        "--jobs",
        type=int,
        default=-1,
        metavar="N",
        help="threads; the result is the same for any number (default: -1, all cores)",
    )


def run(options: Options) -> int:
    """Read, count, fit, keep, report, print."""
    check_writable(options.output, options.report, options.checkpoint)
    if options.open and not options.report:
        raise UsageError("--open opens the report; name it with --report FILE")
    if options.report:
        _report.check_installed()
    check_model(options)
    resumed = None if options.resume is None else _modelfile.load(options.resume, options)
    if resumed is not None:
        options_agree(options, resumed)
    with rereadable(options) as path:
        fitted = Fitted(*fit_stream(options, path, resumed)) if options.stream else fit_whole(options, path, resumed)
    say(options, fitted.summary)
    if options.output:
        _modelfile.save(options.output, fitted.kept)
        say(options, f"model: {options.output}")
    if options.report:
        _report.write_report(options, options.report, fitted.kept, fitted.corpus)
    topics = topics_of(fitted.kept, 10, "relevance")
    if options.json:
        print_json({**fitted.kept.corpus, "model": options.output, "report": options.report, "topics": topics})
    else:
        print_topics(topics)
    return 0


def fit_whole(options: Options, path: str, resumed: Kept | None) -> Fitted:
    """Fit to documents that are in memory together."""
    if resumed is None:
        counting = Counting.from_options(options)
        corpus = read_for_fit(options, counting, path)
        words = corpus.vocabulary
        if corpus.texts is None and (
            given := [name for name in COUNTING_OPTIONS if getattr(options, name) is not None]
        ):
            raise UsageError(f"--{given[0].replace('_', '-')} is about texts, and {options.input} holds counts")
    else:
        counting, words = resumed.counting, resumed.words
        corpus = read_for_model(options, words, counting, resumed.n_words, path)
    say(options, described(corpus, options.input))
    model, done, passes = model_from(options, resumed)
    facts = {"input": options.input, "documents": corpus.X.shape[0], "tokens": int(corpus.X.sum())}
    start = time.perf_counter()
    with Progress(options, "fitting", "passes", model.max_iter) as progress:
        model.callbacks = _follow(options, progress)
        try:
            with _interrupts.at_once():
                model.fit(corpus.X)
        except KeyboardInterrupt:
            progress.close()
            if not hasattr(model, "n_iter_") or (resumed is not None and model.callbacks[0].passes == 0):
                raise KeyboardInterrupt("no pass was finished, so that there is nothing to keep") from None
            phase = "" if model.warm_start else str(model.elbo_trace_["phase"][-1])
            model.max_iter, model.warm_start = passes, False
            state = {"passes": done + model.n_iter_, "passes_of": passes, "phase": phase}
            kept = save_checkpoint(checkpoint_of(options), Kept(model, words, counting, facts, state))
            raise KeyboardInterrupt(
                how_to_resume(options, kept, f"after pass {state['passes']} of at most {passes}")
            ) from None
    seconds = time.perf_counter() - start
    model.callbacks, model.max_iter, model.warm_start = None, passes, False
    ended = "converged" if model.converged_ else "not converged"
    summary = (
        f"{model.n_components} topics: {model.n_iter_} passes, {ended}, {seconds:.1f} s; perplexity of these documents "
        f"{model.bound_:,.1f}, ELBO {model.elbo_:.6g}"
    )
    facts |= {"passes": done + model.n_iter_, "converged": bool(model.converged_), "elbo": float(model.elbo_)}
    return Fitted(Kept(model, words, counting, facts, {}), corpus, summary)


class _Follower:
    """A callback that shows each pass, on a bar or as a line."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options, self._progress = options, progress
        self.passes = 0

    def __call__(self, record: TraceRecord) -> None:
        self.passes += 1
        self._progress.add(1, f"perplexity {record.perplexity:,.1f}")
        if self._options.verbose:
            line = f"pass {record.iteration:3d}  {record.phase:8}  ELBO {record.elbo:.6g}  {record.seconds:.1f} s"
            say(self._options, f"{line}  perplexity {record.perplexity:,.1f}")


def _follow(options: Options, progress: Progress) -> list[_Follower]:
    return [_Follower(options, progress)]
