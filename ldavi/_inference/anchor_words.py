"""Initialization by anchor words: topics start from co-occurrence profiles of K words. Equations (15.2) to (15.4).

documents ── every n-th ──► co-occurrence profile of each frequent word ──► K anchor words ──► λ

The co-occurrence profile of a word is the distribution of the tokens that occur in a document together with a token of
that word (Arora et al. 2013). Anchor words are words whose profiles are extreme points of all profiles.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from ldavi._core.chunks import chunks
from ldavi._core.documents import Documents, DocumentSource
from ldavi._core.random_bits import random_signs
from ldavi._core.records import Priors
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import initialization

DOCUMENTS_PER_PART = 2**12  # documents of a corpus that are sampled at once
PROJECTED_DOCUMENTS = 2**10  # documents per dense array of shape (documents, PROJECTION_DIM)
PROJECTED_WORDS = 2**10  # words whose projected profiles are summed in a temporary array
TOPICS_AT_ONCE = 2**5  # topics that are initialised at once, from an array of shape (V, topics)
SAMPLED_TOKENS = 20_000  # tokens per topic that are enough to estimate co-occurrence
SAMPLED_DOCUMENTS = 100  # minimum documents per topic, however long they are
MIN_OTHER_TOKENS = 1e-3  # of a count: with fewer other tokens in the document, the count has no co-occurrence there
ANCHOR_RARITY = 100  # an anchor word has at least 1 / ANCHOR_RARITY of the tokens of an average topic
MIN_DOCUMENTS = 10  # an anchor word occurs in as many documents,
SMALL_CORPUS_DIVISOR = 20  # or in 1 / SMALL_CORPUS_DIVISOR of all, if these are fewer
PROJECTION_DIM = 2**10  # dimension in which profiles are compared: each rare word is added to a frequent one
BACKGROUND_SHARE = 0.1  # of each topic: the distribution of words over all documents
SPANNED_TOL = 1e-6  # of the largest squared distance: closer rows count as affine combinations of the selected ones


class DocumentSample(NamedTuple):
    """A sample of documents, and the frequencies of words in the whole corpus.

    Attributes
    ----------
    indptr : array of shape (D + 1,)
    columns, values : array of shape (nnz,)
        n_dw, with words numbered as columns of X; int32, since this grows with X.
    weight : array of shape (D,)
        ω_d.
    words : array of shape (U,)
        Columns that may occur in the corpus.
    tokens : array of shape (U,)
        Σ_d ω_d n_dw of each of them over the whole corpus.
    """

    indptr: Int64s
    columns: Int32s
    values: Floats
    weight: Doubles
    words: Int64s
    tokens: Doubles


def sampling_step(n_tokens: float, n_docs: int, n_topics: int) -> int:
    """Return n such that every n-th document is a sufficient sample."""
    by_tokens, by_docs = n_tokens / (SAMPLED_TOKENS * n_topics), n_docs // (SAMPLED_DOCUMENTS * n_topics)
    return max(1, round(min(by_tokens, by_docs)))


def sample_documents(documents: Documents, step: int, first: int = 0) -> DocumentSample:
    """Sample the documents whose number is a multiple of `step`; the first document here has the number `first`."""
    counts, weight = documents.counts, np.ones(documents.counts.n_docs)
    if documents.weight is not None:
        weight = documents.weight.astype(np.float64)
    tokens = _sums(counts.values * np.repeat(weight, np.diff(counts.indptr)), counts.indices, len(counts.words))
    is_sampled = (first + np.arange(counts.n_docs)) % step == 0
    sampled = documents.select(is_sampled).counts
    columns = counts.words.astype(np.int32)[sampled.indices]
    return DocumentSample(sampled.indptr, columns, sampled.values, weight[is_sampled], counts.words, tokens)


def sample_corpus(documents: DocumentSource, step: int) -> DocumentSample:
    """Sample every `step`-th document of a corpus."""

    def samples() -> Iterator[DocumentSample]:
        first = 0
        for part in documents.parts(DOCUMENTS_PER_PART):
            yield sample_documents(part, step, first)
            first += part.counts.n_docs

    return join_samples(samples(), documents.n_words)


def join_samples(samples: Iterable[DocumentSample], n_words: int) -> DocumentSample:
    """Join the samples of consecutive parts of a corpus, reading one at a time."""
    tokens, sampled = np.zeros(n_words), []
    for each in samples:
        tokens[each.words] += each.tokens
        sampled.append((np.diff(each.indptr), each.columns, each.values, each.weight))
    lengths, columns, values, weight = (np.concatenate(arrays) for arrays in zip(*sampled, strict=True))
    words = np.flatnonzero(tokens)
    return DocumentSample(np.append(0, np.cumsum(lengths)), columns, values, weight, words, tokens[words])


def anchor_word_lambda(sample: DocumentSample, n_words: int, priors: Priors, seeds: Int64s, dtype: DTypeLike) -> Floats:
    """Return λ from anchor words; topics for which there is no anchor word are random. Equation (15.4).

    Parameters
    ----------
    sample : DocumentSample
    n_words : int
        V.
    priors : Priors
    seeds : array
        Seeds of the random topics.
    dtype : dtype

    Returns
    -------
    lam : array of shape (V, Kp)
        Word-major.
    """
    K = priors.n_topics
    lam = initialization.random_lambda(seeds, n_words, priors, dtype)
    if not len(sample.words):
        return lam
    # Random topics vary around n_w / K; the first ones are then replaced by those of anchor words.
    background = np.zeros((n_words, 1), lam.dtype)
    background[sample.words, 0] = sample.tokens / K
    lam[:, :K] *= background
    matrices = sample_matrices(sample)
    anchors = select_anchors(matrices, K)
    lam[:, : len(anchors)] = BACKGROUND_SHARE * background
    for topics in chunks(len(anchors), TOPICS_AT_ONCE):
        profiles = cooccurrence(matrices, anchors[topics]).astype(lam.dtype)
        lam[matrices.columns, topics] += (1 - BACKGROUND_SHARE) * sample.tokens.sum() / K * profiles
    lam[:, :K] += priors.eta.astype(lam.dtype)
    return lam


class SampleMatrices(NamedTuple):
    """The sample as matrices over words numbered by decreasing frequency, without counts that co-occur with nothing.

    Attributes
    ----------
    tokens : sparse array of shape (D, U)
        n_dw.
    scaled : sparse array of shape (D, U)
        ω_d n_dw / (N_d − min(1, n_dw)): the weight of each other token in the profile of w.
    self_pairs : array of shape (U,)
        Σ_d min(1, n_dw) of `scaled`: what a token would contribute to its own profile.
    totals, n_docs : array of shape (U,)
        Weighted numbers of tokens and of documents of each word.
    weight : float
        Σ_d ω_d.
    columns : array of shape (U,)
        The column of X of each word.
    """

    tokens: sparse.csr_array
    scaled: sparse.csr_array
    self_pairs: Doubles
    totals: Doubles
    n_docs: Doubles
    weight: float
    columns: Int64s


def sample_matrices(sample: DocumentSample) -> SampleMatrices:
    """Return the sample as matrices."""
    lengths = np.diff(sample.indptr)
    document = np.repeat(np.arange(len(lengths)), lengths)
    others = _sums(sample.values, document, len(lengths))[document] - np.minimum(sample.values, 1)
    cooccurs = others > MIN_OTHER_TOKENS * sample.values
    document, values, others = document[cooccurs], sample.values[cooccurs], others[cooccurs]
    indptr = np.append(0, np.cumsum(np.bincount(document, minlength=len(lengths))))
    indptr = indptr.astype(np.int32) if len(values) < 2**31 else indptr  # else SciPy stores the words in int64 as well
    columns, word = _by_decreasing_frequency(sample.columns[cooccurs])
    weight, shape = sample.weight[document], (len(lengths), len(columns))
    scaled = weight * values / others
    self_pairs, totals, n_docs = (
        _sums(x, word, len(columns)) for x in (scaled * np.minimum(values, 1), weight * values, weight)
    )
    tokens = sparse.csr_array((values, word, indptr), shape=shape)
    scaled_tokens = sparse.csr_array((scaled.astype(values.dtype), word, indptr), shape=shape)
    return SampleMatrices(tokens, scaled_tokens, self_pairs, totals, n_docs, float(sample.weight.sum()), columns)


def _by_decreasing_frequency(columns: Int32s) -> tuple[Int64s, Int32s]:
    """Return the columns that occur by decreasing frequency, and the rank of each given column."""
    frequency = np.bincount(columns)
    present = np.flatnonzero(frequency)
    present = present[np.argsort(-frequency[present], kind="stable")]
    rank = np.empty(len(frequency), np.int32)
    rank[present] = np.arange(len(present))
    return present, rank[columns]


def _sums(data: Any, at: Any, size: int) -> Doubles:
    return np.bincount(at, data, minlength=size).astype(np.float64)


def cooccurrence(sample: SampleMatrices, words: Int64s) -> Doubles:
    """Return the co-occurrence profiles of some words, of shape (U, n); columns sum to 1. Equation (15.2)."""
    profiles: Doubles = (sample.tokens.T @ sample.scaled[:, words]).toarray().astype(np.float64)
    profiles[words, np.arange(len(words))] -= sample.self_pairs[words]
    np.maximum(profiles, 0, out=profiles)
    profiles /= profiles.sum(axis=0)
    return profiles


def select_anchors(sample: SampleMatrices, n_topics: int) -> Int64s:
    """Return at most `n_topics` words whose profiles are no mixtures of those of other words. Equation (15.3)."""
    min_documents = min(MIN_DOCUMENTS, max(2.0, sample.weight / SMALL_CORPUS_DIVISOR))
    is_frequent = sample.totals * (ANCHOR_RARITY * n_topics) >= sample.totals.sum()
    candidates = np.flatnonzero(is_frequent & (sample.n_docs >= min_documents))
    if not len(candidates):
        return candidates
    rows = projected_cooccurrence(sample, candidates)
    return candidates[extreme_points(rows, np.sqrt(sample.totals[candidates]), n_topics)]


def projected_cooccurrence(sample: SampleMatrices, words: Int64s) -> Floats:
    """Return the profiles of words as rows, in at most PROJECTION_DIM dimensions that keep distances approximately.

    Each rare word is added to a frequent one with a pseudo-random sign: a sparse random projection.
    """
    n_words = len(sample.columns)
    dimension = np.arange(n_words) % PROJECTION_DIM
    signs = random_signs(n_words).astype(sample.tokens.dtype)
    shape = n_words, min(n_words, PROJECTION_DIM)
    projection = sparse.csr_array((signs, dimension, np.arange(n_words + 1)), shape=shape)
    rows = np.zeros((len(words), projection.shape[1]), sample.tokens.dtype)
    for documents in chunks(sample.tokens.shape[0], PROJECTED_DOCUMENTS):
        tokens = (sample.tokens[documents] @ projection).toarray()
        scaled = sample.scaled[documents][:, words].T.tocsr()
        for at in chunks(len(words), PROJECTED_WORDS):
            rows[at] += scaled[at] @ tokens
    rows[np.arange(len(words)), dimension[words]] -= (signs * sample.self_pairs)[words].astype(rows.dtype)
    rows /= sample.totals[words, None].astype(rows.dtype)
    return rows


def extreme_points(rows: Floats, weight: Doubles, max_points: int) -> Int64s:
    """Select rows that are far from the affine hull of those selected before: greedy Gram-Schmidt. Equation (15.3).

    Parameters
    ----------
    rows : array of shape (n, m)
        Changed in place: the first selected row is subtracted.
    weight : array of shape (n,)
        Multiplies squared distances.
    max_points : int
        Maximum number of selected rows.

    Returns
    -------
    selected : array of int
        In the order of their selection.
    """

    def squared_norms() -> Doubles:
        norms: Doubles = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        return norms

    mean = np.einsum("i,ij->j", weight**2 / np.sum(weight**2), rows)  # without a second array of rows
    rows -= mean.astype(rows.dtype)
    distance = squared_norms()
    tol, selected = SPANNED_TOL * distance.max(), [int(np.argmax(distance * weight))]
    rows -= rows[selected[0]].copy()
    distance = squared_norms()
    basis = np.zeros((max_points, rows.shape[1]))
    for n in range(min(max_points, *rows.shape) - 1):
        i = int(np.argmax(distance * weight))
        if distance[i] <= tol:
            break
        new = rows[i] - basis[:n].T @ (basis[:n] @ rows[i])
        basis[n] = new / np.linalg.norm(new)
        distance -= np.einsum("ij,j->i", rows, basis[n].astype(rows.dtype)).astype(np.float64) ** 2
        distance[i] = 0
        selected.append(i)
    return np.array(selected, dtype=np.int64)
