"""Interrupted fits: where they are kept, and how they go on."""

import shlex
import warnings
from typing import Any

import numpy as np

from ldavi import LatentDirichletAllocation
from ldavi.cli import _modelfile
from ldavi.cli._corpus import Counting
from ldavi.cli._errors import UsageError, in_options
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Options

PARAMETERS = {
    "topics": "n_components",
    "inference": "inference",
    "learning_method": "learning_method",
    "alpha": "doc_topic_prior",
    "eta": "topic_word_prior",
    "batch_size": "batch_size",
    "seed": "random_state",
}
TOPICS, SEED = 20, 0


def model_from(options: Options, resumed: Kept | None) -> tuple[LatentDirichletAllocation, int, int]:
    """The estimator that the options ask for, or that goes on; passes that are done; passes in all."""
    if resumed is None:
        given = {
            name: value_of(options, option)
            for option, name in PARAMETERS.items()
            if getattr(options, option) is not None
        }
        model = LatentDirichletAllocation(
            **{"n_components": TOPICS, "random_state": SEED, **given}, n_jobs=options.jobs
        )
        done = 0
        passes = options.passes or model.max_iter
    else:
        model, progress = resumed.model, resumed.progress
        # A warm start leaves out what is left of a warm-up, and ends in worse topics: its few passes are made again.
        in_warmup = progress.get("phase") == "warmup"
        model.warm_start, done = not in_warmup, 0 if in_warmup else int(progress.get("passes", 0))
        passes = options.passes or int(progress.get("passes_of", model.max_iter))
    if options.tol is not None:
        model.tol = options.tol
    model.max_iter = max(1, passes - done)
    return model, done, passes


def check_model(options: Options) -> None:
    """Refuse parameters that the estimator refuses, in the words of the command line, before anything is read.

    Raises
    ------
    ValueError
        If one is.
    """
    given = {
        name: value_of(options, option) for option, name in PARAMETERS.items() if getattr(options, option) is not None
    }
    tol = {} if options.tol is None else {"tol": options.tol}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of two documents nobody asked about
            LatentDirichletAllocation(**given | tol | {"n_components": 2, "max_iter": 1}, n_jobs=options.jobs).fit(
                np.eye(2)
            )
    except (ValueError, TypeError) as error:
        raise ValueError(in_options(str(error))) from error


def value_of(options: Options, option: str) -> Any:
    """What the estimator is told: "none" of a prior is its None."""
    value = getattr(options, option)
    return None if value == "none" else value


def options_agree(options: Options, resumed: Kept) -> None:
    """Refuse options that are not those of the fit that goes on.

    Raises
    ------
    UsageError
        If one differs.
    """
    for option, name in PARAMETERS.items():
        value, kept = value_of(options, option), getattr(resumed.model, name)
        if getattr(options, option) is not None and not np.array_equal(value, kept):
            raise UsageError(
                f"--{option.replace('_', '-')} {value} is not that of {options.resume}, {kept}; leave it out, or fit anew"
            )
    given = [
        option
        for option in ("stop_words", "ngrams", "token_pattern", "keep_case")
        if getattr(options, option) is not None
    ]
    if given and Counting.from_options(options) != resumed.counting:
        raise UsageError(f"--{given[0].replace('_', '-')} is not that of {options.resume}; leave it out, or fit anew")
    if bool(resumed.progress.get("stream")) != options.stream and resumed.progress:
        raise UsageError(f"{options.resume} was {'' if resumed.progress.get('stream') else 'not '}begun with --stream")


def checkpoint_of(options: Options) -> str:
    """Where an interrupted fit is kept."""
    return str(options.checkpoint or f"{options.output or 'interrupted.ldavi'}.checkpoint")


def save_checkpoint(path: str, kept: Kept) -> str:
    """Write it; returns the path."""
    _modelfile.save(path, kept)
    return path


def how_to_resume(options: Options, path: str, when: str) -> str:
    """The command line that goes on."""
    arguments = list(getattr(options, "arguments", ["fit", options.input]))
    if "--resume" in arguments:
        arguments[arguments.index("--resume") + 1] = path
    else:
        arguments += ["--resume", path]
    return f"{when}; what was learned is in {path}. Go on with:\n  {shlex.join(['ldavi', *arguments])}"
