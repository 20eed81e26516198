"""A validation set: held-out documents on which a fit is evaluated by document completion. Equation (20.1)."""

from typing import NamedTuple

import numpy as np

from ldavi._core.records import Counts
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference.document_completion import log_predictive, perplexity_of
from ldavi._inference.e_step import EStepSettings
from ldavi._inference.fixed_topics import infer_gamma
from ldavi._inference.m_step import topics_from
from ldavi._inference.passes import PassResult, column_sums

MAX_INNER_ITER = 20
COUNTS_AT_ONCE = 2**10


class ValidationSet(NamedTuple):
    """Held-out documents, each in two halves: θ is inferred from one, and the other is predicted."""

    observed: Counts
    scored: Counts


def split_half(counts: Counts, uniform: Doubles) -> ValidationSet:
    """Split each count as evenly as possible; `uniform`, (nnz,), assigns the remaining token of an odd count."""
    half = np.floor(counts.values / 2)
    rest = counts.values - 2 * half
    observed = half + rest * (uniform < 0.5)
    return ValidationSet(
        _with_values(counts, observed.astype(counts.values.dtype)), _with_values(counts, counts.values - observed)
    )


def _with_values(counts: Counts, values: Floats) -> Counts:
    """Return counts with other values, of which zeros are not stored."""
    stored = values > 0
    indptr = np.append(0, np.cumsum(stored))[counts.indptr]
    return Counts(indptr, counts.indices[stored], np.ascontiguousarray(values[stored]), counts.words, counts.n_words)


def completion_perplexity(validation_set: ValidationSet, result: PassResult, workers: Workers, *, tol: float) -> float:
    """Return exp(−mean log p of the scored tokens), with θ the mean of q given the observed tokens. Equation (20.1)."""
    priors, scored = result.priors, validation_set.scored
    lam = result.all_words(scored.n_words)
    totals = column_sums(lam, priors)
    counts, _ = validation_set.observed.compact()
    topics = topics_from(lam[counts.words], totals, workers, point_estimate=priors.point_estimate)
    gamma = infer_gamma(counts, topics, priors.alpha, EStepSettings(MAX_INNER_ITER, tol), workers)
    theta = gamma / gamma.sum(axis=1, keepdims=True)

    def beta_of(words: Int32s | Int64s) -> Floats:
        return lam[scored.words[words], : priors.n_topics] / totals

    log_likelihood = 0.0
    halves = log_predictive(theta, beta_of, indptr=scored.indptr, indices=scored.indices, size=COUNTS_AT_ONCE)
    for at, log_p in halves:
        log_likelihood += float(scored.values[at] @ log_p)
    return perplexity_of(log_likelihood, float(scored.values.sum(dtype=np.float64)))
