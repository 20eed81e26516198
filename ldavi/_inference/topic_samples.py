"""Topics of tokens, sampled from collapsed assignments: what α is learned from. Equations (19.5), (19.2)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ldavi import _estep
from ldavi._core.prior_regression import Covariates
from ldavi._core.random_bits import pass_seed, random_bits_24
from ldavi._core.records import Counts, Priors
from ldavi._core.threads import Workers, even_ranges
from ldavi._core.typing import Doubles, Int16s, Int32s, Int64s, UInt16s
from ldavi._estep import SHARES, SLOTS
from ldavi._inference.assignments import TOKENS_PER_COUNT, AssignedPart, Assignments, max_sampled_tokens
from ldavi._inference.cvb0_pass import DRAW_ALL, KernelPriors, kernel_priors, scratch_of

SAMPLING_PASSES = 6
TOKENS_AT_ONCE = 2**13  # whose topics are sampled together, so that temporary arrays stay small


class TopicSample(NamedTuple):
    """Some documents of a part, token by token, with a sampled topic for each."""

    documents: Int64s  # (docs,) which documents of the part
    weight: Doubles  # (docs,)
    document: Int64s  # (tokens,) of each token, from 0
    topic: Int64s  # (tokens,)


class SampledTokens(NamedTuple):
    """The tokens of some documents, by stored count."""

    at: Int64s  # (counts,) the position of each stored count
    times: Int64s  # (counts,) its tokens
    indptr: Int64s  # (docs + 1,) tokens before each document


def sampled_tokens(counts: Counts, documents: Int64s, seed: int, first: int = 0) -> SampledTokens:
    """Return how many tokens of each stored count are sampled: n_dw, unless that is fractional or the document long.

    A document with more than TOKENS_PER_COUNT tokens per stored count is thinned to so many. Its tokens, and those of
    fractional counts, are the whole numbers that a document's cumulative counts pass, from a random first point, whose
    bits depend on the seed and on the number of the document, from `first` on. Equation (19.2).
    """
    lengths, limit = np.diff(counts.indptr)[documents], max_sampled_tokens(counts)[documents]
    starts = np.cumsum(lengths) - lengths  # of each document, in `at`
    at = np.arange(lengths.sum()) + np.repeat(counts.indptr[documents] - starts, lengths)
    rate = limit / np.maximum(counts.doc_tokens[documents], np.finfo(np.float64).tiny)
    reached = np.append(0.0, np.cumsum(counts.values[at] * np.repeat(rate, lengths)))
    points = ((random_bits_24(seed, first, len(documents)) >> np.uint64(14)) + 0.5) / 2.0**10  # far from whole numbers
    offset = np.repeat(points - reached[starts], lengths)
    times = (np.floor(reached[1:] + offset) - np.floor(reached[:-1] + offset)).astype(np.int64)
    tokens = np.append(0, np.cumsum(times))
    return SampledTokens(at, times, tokens[np.append(starts, len(at))])


def sample_topics(
    assignments: Assignments, priors: Priors, workers: Workers, *, first: int, step: int, seed: int
) -> Iterator[TopicSample]:
    """Sample a topic for every sampled token of every `step`-th document by Gibbs sampling, with n_wk and n_k fixed.

    The shares of the counts are only the starting point: they ignore the dependence between the topics of a document's
    tokens, and an α learned from them would be too large.

    Yields
    ------
    sample : TopicSample
        Of each part. Given n_wk, the topics of a document do not depend on how the corpus is divided into parts.
    """
    kernel = kernel_priors(assignments, priors)
    # In the samples of earlier parts, of which documents that are elsewhere have at most so many.
    n_docs, n_tokens = assignments.first_doc, TOKENS_PER_COUNT * assignments.first_count + assignments.first_doc
    for part in assignments.parts():
        counts, weight = part.documents.counts, part.documents.weight
        documents = np.arange((first - part.first_doc) % step, counts.n_docs, step)
        tokens = sampled_tokens(counts, documents, pass_seed(seed, 1), n_docs)
        topic = _sampled_topics(part, assignments, kernel, documents, tokens, workers, seed=seed, first=n_tokens)
        weights = np.ones(len(documents)) if weight is None else weight[documents].astype(np.float64)
        yield TopicSample(documents, weights, np.repeat(np.arange(len(documents)), np.diff(tokens.indptr)), topic)
        n_docs, n_tokens = n_docs + len(documents), n_tokens + len(topic)


def _sampled_topics(
    part: AssignedPart,
    assignments: Assignments,
    kernel: KernelPriors,
    documents: Int64s,
    tokens: SampledTokens,
    workers: Workers,
    *,
    seed: int,
    first: int,
) -> Int64s:
    """Return a topic for each of some tokens of a part; `first` is the first token's number."""
    counts = part.documents.counts
    by_document = np.append(0, np.cumsum(np.diff(counts.indptr)[documents]))
    topic, shares = _cumulative_shares(part, tokens.at)

    def sampled(edges: tuple[int, int]) -> UInt16s:
        start, stop = edges
        of_documents = slice(by_document[start], by_document[stop])
        count = np.repeat(np.arange(of_documents.start, of_documents.stop), tokens.times[of_documents])
        n_before = int(tokens.indptr[start])
        drawn = (random_bits_24(seed, first + n_before, len(count)) % np.uint64(SHARES)).astype(np.int16)
        slot = (shares[count] <= drawn[:, None]).sum(axis=1)
        initial = topic[count, np.minimum(slot, SLOTS - 1)]
        indptr = tokens.indptr[start : stop + 1] - n_before
        words = counts.indices[tokens.at[count]]
        covariates = part.documents.covariates
        covariates = None if covariates is None else covariates.select(documents[start:stop])
        return _gibbs_topics(assignments, kernel, initial, words, indptr, covariates, seed=seed, first=first + n_before)

    topics = workers.run(sampled, even_ranges(tokens.indptr, 0, len(documents), TOKENS_AT_ONCE))
    return np.concatenate([np.zeros(0, np.uint16), *topics]).astype(np.int64)


def _cumulative_shares(part: AssignedPart, at: Int64s) -> tuple[UInt16s, Int16s]:
    """Return the topics of the stored counts `at` of a part, and the cumulative shares, of shape (counts, SLOTS)."""
    topic, share = np.empty((len(at), SLOTS), np.uint16), np.empty((len(at), SLOTS), np.int16)
    for block in part.blocks:
        inside = slice(*np.searchsorted(at, [block.counts.start, block.counts.stop]))
        place = block.counts.start + block.position[at[inside] - block.counts.start]
        topic[inside], share[inside] = part.topic[place], part.share[place]
    return topic, share.cumsum(axis=1, dtype=np.int16)


def _gibbs_topics(
    assignments: Assignments,
    kernel: KernelPriors,
    initial: UInt16s,
    words: Int32s,
    indptr: Int64s,
    covariates: Covariates | None,
    *,
    seed: int,
    first: int,
) -> UInt16s:
    """Return a topic for each token of some documents after Gibbs sampling; `first` is the first token's number."""
    n_tokens, dtype, rows = len(words), assignments.dtype, assignments.sparse
    now = np.zeros((n_tokens, SLOTS), np.uint16), np.zeros((n_tokens, SLOTS), np.uint8)
    now[0][:, 0], now[1][:, 0] = initial, SHARES
    new = now[0].copy(), now[1].copy()
    sums, alphas = kernel.normalisers(assignments.totals), kernel.of_documents(covariates)
    masses: dict[str, Any] = {"N": assignments.N}
    if rows is not None:
        of_words, occurring = kernel.word_sums(rows, sums), np.unique(words)
        of_words.update(occurring, 0, len(occurring))
        masses = of_words.arguments()
    for n_done in range(SAMPLING_PASSES):
        _estep.update_assignments(
            indptr=indptr,
            indices=words,
            counts=np.ones(n_tokens, dtype),
            position=np.arange(n_tokens, dtype=np.int32),
            mass=np.zeros(n_tokens, assignments.N.dtype),
            **masses,
            eta=kernel.eta,
            **alphas,
            totals=sums.totals,
            inverse=sums.inverse,
            topic=now[0],
            share=now[1],
            new_topic=new[0],
            new_share=new[1],
            log_predictive=np.zeros(len(indptr) - 1),
            scratch=scratch_of(assignments),
            seed=seed + n_done,
            n_topics=len(kernel.eta_totals),
            min_share=DRAW_ALL,
            first_doc=0,
            first_count=first,
            start=0,
            stop=len(indptr) - 1,
        )
        now, new = new, now
    topics: UInt16s = now[0][:, 0].copy()
    return topics
