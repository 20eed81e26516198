"""`ldavi sweep`: how many topics."""

import importlib
from typing import Any

from ldavi import LatentDirichletAllocation
from ldavi.cli._corpus import Counting, described, read_for_fit, rereadable
from ldavi.cli._errors import UsageError
from ldavi.cli._options import (
    Commands,
    Options,
    add_counting,
    add_input,
    add_tables,
    add_talk,
    command,
    positive,
    prior,
    several,
)
from ldavi.cli._output import print_csv, print_json, print_table, records_of, say
from ldavi.cli._progress import Progress

COLUMNS = {
    "n_components": "topics",
    "perplexity": "perplexity",
    "perplexity_std_error": "± s.e.",
    "coherence": "coherence",
    "diversity": "diversity",
    "stability": "stability",
    "seconds": "seconds",
}
EXAMPLES = """\
  ldavi sweep posts.txt -k 10,20,50,100
  ldavi sweep posts.txt -k 10,20,50 --starts 5 --keep sweep.jsonl --csv > sweep.csv
"""


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "sweep",
        usage="INPUT -k K,K,… [options]",
        help="fit several numbers of topics, and say which to take",
        description="Fits models with different numbers of topics, compares them on documents that are held out, and "
        "recommends one.",
        examples=EXAMPLES,
    )
    add_input(parser)
    add_counting(parser)
    group = parser.add_argument_group("models")
    group.add_argument(
        "-k", "--topics", type=several, required=True, metavar="K,K,…", help="numbers of topics: 10,20,50"
    )
    group.add_argument(
        "--starts", type=positive, metavar="N", default=5, help="starts for each, random but the first (default: 5)"
    )
    group.add_argument(
        "--alpha",
        type=prior,
        metavar="auto|NUMBER",
        help="prior of a document's topics; auto learns it (default: auto)",
    )
    group.add_argument(
        "--eta", type=prior, metavar="auto|NUMBER", help="prior of a topic's words; auto learns it (default: auto)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random starts (default: 0)")
    group.add_argument("--jobs", type=int, default=-1, metavar="N", help="fits at a time (default: -1, all cores)")
    group.add_argument(
        "--keep", metavar="FILE", help="where finished fits are kept, so that an interrupted sweep goes on from there"
    )
    add_tables(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(options: Options) -> int:
    """Fit, compare, recommend."""
    if not options.topics:
        raise UsageError("-k names no number of topics: -k 10,20,50")
    selection = importlib.import_module("ldavi.selection")
    with rereadable(options) as path:
        corpus = read_for_fit(options, Counting.from_options(options), path)
    say(options, described(corpus, options.input))
    given = {"doc_topic_prior": options.alpha, "topic_word_prior": options.eta}
    priors: dict[str, Any] = {
        name: None if value == "none" else value for name, value in given.items() if value is not None
    }
    n_fits = len(set(options.topics)) * options.starts
    try:
        with Progress(options, "fitting", "fits", n_fits) as progress:
            sweep = selection.sweep(
                corpus.X,
                options.topics,
                estimator=LatentDirichletAllocation(**priors),
                n_init=options.starts,
                n_jobs=options.jobs,
                random_state=options.seed,
                path=options.keep,
                progress=lambda done, _, fit: progress.add(done - progress.done, f"{fit.n_components} topics"),
            )
    except KeyboardInterrupt:
        if options.keep is None:
            raise
        raise KeyboardInterrupt(f"finished fits are in {options.keep}; the same command goes on from there") from None
    show(options, records_of(sweep.table), sweep.recommend())
    return 0


def show(options: Options, rows: list[dict[str, Any]], recommended: Any) -> None:
    """All columns for programs; for people those that tell models apart."""
    if options.json:
        print_json({"table": rows, "recommended": recommended.n_components, "reason": recommended.reason})
    elif options.csv:
        print_csv(rows)
    else:
        names = [name for name in COLUMNS if name in rows[0]]
        cells = [
            [str(row[name]) if isinstance(row[name], int) else f"{row[name]:.4g}" for name in names] for row in rows
        ]
        print_table([COLUMNS[name] for name in names], cells)
        print(f"\nrecommended: {recommended.n_components} topics\n{recommended.reason}")
