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
from ldavi.cli._output import plain, print_csv, print_json, print_table, records_of, say
from ldavi.cli._progress import waiting

EXAMPLES = """\
  ldavi sweep posts.txt -k 10,20,50,100
  ldavi sweep posts.txt -k 10,20,50 --starts 5 --keep sweep/ --csv > sweep.csv
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
    group.add_argument("-k", "--topics", type=several, required=True, metavar="K,K,…", help="numbers of topics: 10,20,50")
    group.add_argument(
        "--starts", type=positive, metavar="N", help="random starts for each (default: as ldavi.selection.sweep)"
    )
    group.add_argument("--alpha", type=prior, metavar="NUMBER", help="prior of a document's topics (default: 0.1)")
    group.add_argument("--eta", type=prior, metavar="NUMBER", help="prior of a topic's words (default: 0.05)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the random starts (default: 0)")
    group.add_argument("--jobs", type=int, default=-1, metavar="N", help="fits at a time (default: -1, all cores)")
    group.add_argument(
        "--keep", metavar="PATH", help="where finished fits are kept, so that an interrupted sweep goes on from there"
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
    priors: dict[str, Any] = {name: None if value == "none" else value for name, value in given.items() if value is not None}
    estimator = LatentDirichletAllocation(**priors, random_state=options.seed)
    more: dict[str, Any] = {} if options.starts is None else {"n_init": options.starts}
    if options.keep is not None:
        more["path"] = options.keep
    try:
        with waiting(options, f"fitting {', '.join(map(str, options.topics))} topics"):
            sweep = selection.sweep(corpus.X, options.topics, estimator=estimator, n_jobs=options.jobs, **more)
    except KeyboardInterrupt:
        if options.keep is None:
            raise
        raise KeyboardInterrupt(f"finished fits are in {options.keep}; the same command goes on from there") from None
    rows = records_of(sweep.table() if callable(sweep.table) else sweep.table)
    recommended = sweep.recommend()
    if options.json:
        print_json(
            {"table": rows, "recommended": recommended if isinstance(plain(recommended), (int, dict)) else str(recommended)}
        )
    elif options.csv:
        print_csv(rows)
    else:
        cells = [[f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
        print_table(list(rows[0]) if rows else [], cells)
        print(f"\nrecommended: {recommended}")
    return 0
