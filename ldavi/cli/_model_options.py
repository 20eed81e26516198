"""The options that describe the model, and the estimator that they make."""

from typing import Any

from sklearn.utils import check_random_state

from ldavi import LatentDirichletAllocation
from ldavi._estimator import validation
from ldavi._estimator.starting_priors import check_cvb0, check_priors
from ldavi.cli._errors import in_options
from ldavi.cli._options import Group, Options, Parser, positive, positive_or_auto, prior

PARAMETERS = {
    "topics": "n_components",
    "inference": "inference",
    "learning_method": "learning_method",
    "passes": "max_iter",
    "alpha": "doc_topic_prior",
    "eta": "topic_word_prior",
    "batch_size": "batch_size",
    "tol": "tol",
    "seed": "random_state",
}
DEFAULTS: dict[str, Any] = {"n_components": 20, "random_state": 0}
STREAM_PASSES = 3
STREAM_STEP = 1024  # documents of an online step; smaller steps found worse topics


def add_model_options(parser: Parser) -> None:
    """Add the options that describe the model and its fit."""
    group = parser.add_argument_group("model")
    _add_method(group)
    _add_priors(group)
    group.add_argument("--seed", type=int, metavar="N", help="seed of random numbers (default: 0)")
    group.add_argument(
        "--jobs",
        type=int,
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
        help="documents of an online step (default: auto, 1/128 of all documents, from 64 to 4096; with --stream, "
        f"{STREAM_STEP})",
    )
    group.add_argument(
        "--tol",
        type=float,
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


def estimator_from(options: Options) -> LatentDirichletAllocation:
    """Return the estimator that the options describe.

    Raises
    ------
    ValueError
        If the estimator refuses a value. The message names the option.
    """
    given = {
        name: getattr(options, option) for option, name in PARAMETERS.items() if getattr(options, option) is not None
    }
    given = {name: None if value == "none" else value for name, value in given.items()}
    parameters = DEFAULTS | (_stream_defaults(given) if options.stream else {}) | given
    if options.stream and parameters["learning_method"] == "online" and parameters["batch_size"] == "auto":
        parameters["batch_size"] = STREAM_STEP
    model = LatentDirichletAllocation(**parameters, n_jobs=options.jobs)
    try:
        settings = validation.check_parameters(model)
        priors = check_priors(model.doc_topic_prior, model.topic_word_prior, model.n_components, n_words=1)
        check_cvb0(settings, priors)
        check_random_state(model.random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(in_options(str(error))) from error
    return model


def _stream_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults of --stream: a few online passes, since each reads the corpus from the disk."""
    method = given.get("learning_method", "online")
    online = {"max_iter": STREAM_PASSES, "tol": None} if method == "online" else {}
    return {"learning_method": method, "batch_size": "auto", **online}
