"""The topics that a fit starts from: given, from anchor words, or random."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ldavi._core.documents import DocumentSource
from ldavi._core.records import Priors
from ldavi._core.typing import Floats, Int64s
from ldavi._estimator.given_model import is_fitted_model, topics_of_init, unfrozen
from ldavi._inference import initialization
from ldavi._inference.anchor_words import DocumentSample, anchor_word_lambda, sample_corpus, sampling_step
from ldavi._inference.passes import PassResult

InitializationKind: TypeAlias = Literal["given", "anchor words", "random"]
COVARIATE_NAMES = "doc_covariate_names_"
Sampler: TypeAlias = Callable[[int], DocumentSample]


@dataclass(frozen=True, slots=True)
class Initialization:
    """The starting point of one restart.

    Attributes
    ----------
    lam : callable
        Computes λ, word-major of shape (V, Kp), in memory of its own.
    kind : {"given", "anchor words", "random"}
        Where λ comes from.
    seed : int
        Of the draws of collapsed passes.
    priors : Priors
        That the fit starts with.
    """

    lam: Callable[[], Floats]
    kind: InitializationKind
    seed: int
    priors: Priors

    @property
    def is_warm(self) -> bool:
        """Whether the fit continues from given topics instead of having to find some."""
        return self.kind == "given"

    def topics(self) -> PassResult:
        """Return the topics as a result before the first pass."""
        lam = self.lam()
        return PassResult(lam, np.arange(len(lam)), self.priors)


@dataclass(frozen=True, slots=True)
class WarmStart:
    """What a fit continues from: a fitted model of this package.

    Attributes
    ----------
    lam : array of shape (K, V)
    priors : Priors
        Those that the model was fitted with, or has learned.
    parameter : str
        What asked for it.
    covariate_names : array of str or None
        Of the covariates that its document prior depends on.
    words : array of str or None
        Names of the columns of its topics.
    """

    lam: NDArray[Any]
    priors: Priors
    parameter: str
    covariate_names: NDArray[Any] | None = None
    words: NDArray[Any] | None = None

    def check_columns(self, names: NDArray[Any] | None) -> None:
        """Raise ValueError if the columns of X have other names than those of the topics, or another order."""
        if names is None or self.words is None or len(names) != len(self.words):  # the number is checked elsewhere
            return
        differ = np.flatnonzero(names != self.words)
        if len(differ):
            at = int(differ[0])
            raise ValueError(
                f"{self.parameter} gives topics whose column {at} is {str(self.words[at])!r}, but that of X is "
                f"{str(names[at])!r}: give X the columns of the model, in its order"
            )


def warm_start_of(estimator: Any) -> WarmStart | None:
    """Return what a fit continues from: the estimator itself, a fitted model of this package as `init`, or None."""
    if estimator.warm_start and estimator.__sklearn_is_fitted__():
        return _continued(estimator, "warm_start=True")
    model = unfrozen(estimator.init)
    if not (is_fitted_model(model) and hasattr(model, "_lambda")):
        return None
    return _continued(model, "init")


def _continued(model: Any, parameter: str) -> WarmStart:
    names, words = (getattr(model, name, None) for name in (COVARIATE_NAMES, "feature_names_in_"))
    return WarmStart(model.components_, model._priors, parameter, names, words)


def initialize(
    documents: DocumentSource,
    priors: Priors,
    random_state: np.random.RandomState,
    *,
    init: Any,
    online: bool = False,
    is_restart: bool = False,
    sampler: Sampler | None = None,
) -> Initialization:
    """Return the starting point of a restart: topics of a warm start, of `init`, from anchor words, or random.

    Parameters
    ----------
    init : {"auto", "random"}, array, fitted model or WarmStart
        As of the estimator.
    online : bool
        Whether the fit takes online steps. It starts from random topics, since a minibatch says little about
        co-occurrence and the first steps are large.
    is_restart : bool
        True for restarts after the first, which start from random topics: anchor words are deterministic.
    sampler : callable, optional
        Returns every n-th document, if `documents` does not hold them.
    """
    shape, dtype = (priors.n_topics, documents.n_words), documents.dtype
    noise_seeds, seed = random_state.randint(0, 2**31 - 1, size=4), int(random_state.randint(0, 2**31 - 1))
    if isinstance(init, WarmStart):
        _check_warm_shape(init, shape)
        return Initialization(lambda: initialization.word_major(init.lam, dtype), "given", seed, priors)
    if not isinstance(init, str):
        topics, mass = topics_of_init(init, *shape), documents.n_tokens / priors.n_topics
        return Initialization(
            lambda: initialization.lambda_from_topics(topics, mass, priors, dtype), "given", seed, priors
        )
    distinguishes_topics = bool(np.any(priors.eta != priors.eta[:, :1]))  # so topics have fixed numbers
    if init != "random" and not (online or is_restart or distinguishes_topics):
        sampler = sampler or functools.partial(sample_corpus, documents)
        return Initialization(lambda: _anchored(documents, sampler, priors, noise_seeds), "anchor words", seed, priors)
    n_words = documents.n_words
    return Initialization(
        lambda: initialization.random_lambda(noise_seeds, n_words, priors, dtype, dispersed=online),
        "random",
        seed,
        priors,
    )


def _check_warm_shape(given: WarmStart, shape: tuple[int, int]) -> None:
    if given.lam.shape != shape:
        remedy = 'set init to "auto" or to a model with such topics'
        if given.parameter != "init":
            remedy = "set warm_start=False to start from scratch"
        msg = (
            f"{given.parameter} continues from topics of shape {given.lam.shape}, but n_components and X give {shape}; "
        )
        raise ValueError(msg + remedy)


def _anchored(documents: DocumentSource, sampler: Sampler, priors: Priors, noise_seeds: Int64s) -> Floats:
    """Return λ from the anchor words of every n-th document."""
    n_tokens = documents.n_tokens  # reads batches, and so counts their documents
    sample = sampler(sampling_step(n_tokens, documents.n_docs, priors.n_topics))
    return anchor_word_lambda(sample, documents.n_words, priors, noise_seeds, documents.dtype)
