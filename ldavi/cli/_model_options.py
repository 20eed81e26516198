"""The estimator that the options describe."""

from typing import Any

from sklearn.utils import check_random_state

from ldavi import LatentDirichletAllocation
from ldavi._estimator import validation
from ldavi._estimator.starting_priors import check_cvb0, check_priors
from ldavi.cli._errors import in_options
from ldavi.cli._options import Options
from ldavi.cli._parsers.model_options import STREAM_PASSES as STREAM_PASSES
from ldavi.cli._parsers.model_options import STREAM_STEP as STREAM_STEP

PARAMETERS = {
    "topics": "n_components",
    "inference": "inference",
    "learning_method": "learning_method",
    "passes": "max_iter",
    "alpha": "doc_topic_prior",
    "eta": "topic_word_prior",
    "batch_size": "batch_size",
    "tol": "tol",
    "restarts": "n_init",
    "seed": "random_state",
}
DEFAULTS: dict[str, Any] = {"n_components": 20, "random_state": 0}


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
