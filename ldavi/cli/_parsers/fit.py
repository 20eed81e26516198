"""The parser of `ldavi fit`."""

from ldavi.cli._options import (
    Commands,
    Parser,
    add_counting,
    add_input,
    add_messages,
    command,
    not_negative_number,
)
from ldavi.cli._parsers.model_options import add_model_options
from ldavi.cli._parsers.report_options import add_covariates, add_metadata

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
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    group = add_input(parser)
    add_metadata(group)
    add_covariates(group)
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
