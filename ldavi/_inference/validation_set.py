"""Documents set aside, by which a fit sees whether it still learns what it was not shown. Equation (40)."""

from typing import NamedTuple

import numpy as np

from ldavi._core.records import Counts
from ldavi._core.threads import Workers
from ldavi._core.typing import Doubles, Floats
from ldavi._inference.fixed_topics import infer_gamma
from ldavi._inference.m_step import topics_from
from ldavi._inference.vb_batch import PassResult, all_words, column_sums

SWEEPS = 20
WORDS_AT_ONCE = 2**10


class ValidationSet(NamedTuple):
    """Each document in two halves: θ is inferred from the one, the other is predicted."""

    observed: Counts
    scored: Counts


def split_half(counts: Counts, uniform: Doubles) -> ValidationSet:
    """Deal each count out to the two halves, as evenly as it goes; odd tokens go where `uniform`, (nnz,), says."""
    half = np.floor(counts.values / 2)
    left = counts.values - 2 * half
    observed = half + left * (uniform < 0.5)
    return ValidationSet(_kept(counts, observed.astype(counts.values.dtype)), _kept(counts, counts.values - observed))


def _kept(counts: Counts, values: Floats) -> Counts:
    kept = values > 0
    indptr = np.append(0, np.cumsum(kept))[counts.indptr]
    return Counts(indptr, counts.indices[kept], np.ascontiguousarray(values[kept]), counts.words, counts.n_words)


def completion_perplexity(held_out: ValidationSet, learned: PassResult, workers: Workers, *, tol: float) -> float:
    """exp(−mean log p of the scored tokens), θ being the mean of q given the observed ones. Equation (40)."""
    priors, scored = learned.priors, held_out.scored
    lam = all_words(learned, scored.n_words)
    totals = column_sums(lam, priors)
    counts, _ = held_out.observed.compact()
    topics = topics_from(lam[counts.words], totals, workers, point_estimate=priors.point_estimate)
    gamma = infer_gamma(counts, topics, priors.alpha, max_inner_iter=SWEEPS, tol=tol, workers=workers)
    theta = gamma / gamma.sum(axis=1, keepdims=True)
    document = np.repeat(np.arange(scored.n_docs), np.diff(scored.indptr))
    log_likelihood = 0.0
    for start in range(0, len(document), WORDS_AT_ONCE):
        at = slice(start, start + WORDS_AT_ONCE)
        beta = lam[scored.words[scored.indices[at]], : priors.n_topics] / totals
        with np.errstate(divide="ignore"):  # a point estimate may give a word no chance
            log_p = np.log(np.einsum("ik,ik->i", theta[document[at]], beta, dtype=np.float64))
        log_likelihood += float(scored.values[at] @ log_p)
    tokens = float(scored.values.sum(dtype=np.float64))
    return float(np.exp(-log_likelihood / tokens)) if tokens else 1.0
