"""The options that describe the model and its fit."""

from ldavi.cli._options import Group, Parser, not_negative_number, positive, positive_or_auto, prior, seed, threads

STREAM_PASSES = 3
STREAM_STEP = 1024  # documents of an online step; smaller steps found worse topics


def add_model_options(parser: Parser) -> None:
    """Add the options that describe the model and its fit."""
    group = parser.add_argument_group("model")
    _add_method(group)
    _add_priors(group)
    group.add_argument(
        "--restarts",
        type=positive,
        metavar="N",
        help="fit N times, from random topics after the first time, and keep the best fit (default: 1)",
    )
    group.add_argument(
        "--seed-words",
        metavar="FILE",
        help="words that should belong to the first topics, a line per topic: ball, goal, team; or with a name of the "
        "topic: sports: ball, goal, team (default: none)",
    )
    group.add_argument("--seed", type=seed, metavar="N", help="seed of random numbers (default: 0)")
    group.add_argument(
        "--jobs",
        type=threads,
        default=-1,
        metavar="N",
        help="threads; the result is the same for any number (default: -1, all cores)",
    )


def _add_method(group: Group) -> None:
    group.add_argument("-k", "--topics", type=positive, metavar="K", help="number of topics (default: 20)")
    group.add_argument(
        "--inference",
        metavar="NAME",
        help="vb is fast; cvb0 finds better topics and takes five to ten times as long (default: vb)",
    )
    group.add_argument(
        "--learning-method",
        metavar="NAME",
        help="batch, online or memoized (default: batch; with --stream, online)",
    )
    group.add_argument(
        "--passes",
        type=positive,
        metavar="N",
        help="maximum number of passes over the documents (default: 1000, and the fit ends earlier by --tol; for "
        f"online passes with --stream, {STREAM_PASSES})",
    )
    group.add_argument(
        "--batch-size",
        type=positive_or_auto,
        metavar="auto|N",
        help="documents of an online step, or of a batch of memoized (default: auto; online 1/128 of all documents, "
        f"from 64 to 4096; with --stream, {STREAM_STEP})",
    )
    group.add_argument(
        "--tol",
        type=not_negative_number,
        metavar="SHARE",
        help="stop when a pass raises the ELBO by less than this share of it (default: 1e-5; none for online passes "
        "with --stream)",
    )


def _add_priors(group: Group) -> None:
    group.add_argument(
        "--alpha",
        type=prior,
        metavar="auto|NUMBER|none",
        help="Dirichlet prior of a document's topics: auto learns a value for each topic, a number is fixed, none is "
        "1/K (default: auto)",
    )
    group.add_argument(
        "--eta",
        type=prior,
        metavar="auto|NUMBER|none",
        help="Dirichlet prior of a topic's words: auto learns it, a number is fixed, none is 1/K (default: auto)",
    )
