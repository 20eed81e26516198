"""`ldavi sweep`: compare numbers of topics and recommend one."""

import importlib
import shlex
import signal
from typing import TYPE_CHECKING, Any

from ldavi import LatentDirichletAllocation
from ldavi.cli._counting import counting_from
from ldavi.cli._errors import UsageError
from ldavi.cli._input import describe, read_for_fit, rereadable
from ldavi.cli._options import (
    Options,
)
from ldavi.cli._output import print_csv, print_json, print_table, records_of, say
from ldavi.cli._progress import progress_display
from ldavi.cli._signals import Interrupted

if TYPE_CHECKING:
    from ldavi.selection import Recommendation

COLUMNS = {
    "n_components": "topics",
    "perplexity": "perplexity",
    "perplexity_std_error": "± s.e.",
    "coherence": "coherence",
    "diversity": "diversity",
    "stability": "stability",
    "seconds": "seconds",
}


def run(options: Options) -> int:
    """Fit, compare and recommend."""
    if not options.topics:
        raise UsageError("-k is empty; name numbers of topics: -k 10,20,50")
    selection = importlib.import_module("ldavi.selection")
    with rereadable(options) as path:
        corpus = read_for_fit(options, counting_from(options), path)
    say(options, describe(corpus, options.input))
    given = {"doc_topic_prior": options.alpha, "topic_word_prior": options.eta}
    priors: dict[str, Any] = {
        name: None if value == "none" else value for name, value in given.items() if value is not None
    }
    n_fits = len(set(options.topics)) * options.starts
    try:
        with progress_display(options, "fitting", "fit", n_fits) as display:
            sweep = selection.sweep(
                corpus.X,
                options.topics,
                estimator=LatentDirichletAllocation(**priors),
                n_init=options.starts,
                n_jobs=options.jobs,
                random_state=options.seed,
                path=options.keep,
                progress=lambda done, _, fit: display.advance(done - display.done, f"{fit.n_components} topics"),
            )
    except KeyboardInterrupt as error:
        raise Interrupted(getattr(error, "number", signal.SIGINT), how_to_continue(options)) from None
    show(options, records_of(sweep.table), sweep.recommend())
    return 0


def how_to_continue(options: Options) -> str:
    """Return the message after an interrupt: what is saved, and the command that continues the sweep."""
    if options.keep is None:
        return "nothing is saved; with --keep FILE, the same command would continue after the finished fits"
    command = shlex.join(["ldavi", *options.arguments])
    return f"finished fits are in {options.keep}. Continue after them with:\n  {command}"


def show(options: Options, rows: list[dict[str, Any]], recommended: "Recommendation") -> None:
    """Print the table, all columns of it as JSON or CSV, and the recommendation."""
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
