"""Where topics start: what stands with words that keep as different company as can be. Equations (50) to (52).

documents ── a part of them ──► the company of each word that is not rare ──► K words, the corners ──► λ
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from ldavi._core.corpus import Corpus, Documents
from ldavi._core.random_bits import random_signs
from ldavi._core.records import Priors
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s
from ldavi._inference import initialization

PART = 2**12  # documents that are looked at together
FOLDED_AT_ONCE = 2**10  # documents, of which there is an array of so many rows and DIRECTIONS
WORDS_AT_ONCE = 2**10  # whose company is added up in an array of its own
TOPICS_AT_ONCE = 2**5  # that start together, of which there is a (V, TOPICS_AT_ONCE) array
SAMPLED_TOKENS = 20_000  # of a topic, on average: company is counted in documents enough for that,
SAMPLED_DOCUMENTS = 100  # and in as many for each topic, however long they are
ALONE = 1e-3  # of a count: a word with so little beside it in a document has no company there
RAREST = 100  # an anchor makes up this part of an average topic, at least,
FEWEST_DOCUMENTS = 10  # and stands in as many documents, or in the part of all that the next line says
LARGEST_PART = 20
DIRECTIONS = 2**10  # that company is compared in: rarer words are folded onto the most frequent ones
EVERYWHERE = 0.1  # of a topic, as words are in all documents
SPANNED = 1e-6  # of the largest square of a distance: a company that is no farther from a mixture of others is one


class DocumentSample(NamedTuple):
    """Some documents, and how frequent words are in all.

    Attributes
    ----------
    indptr : array of shape (D + 1,)
    columns, values : array of shape (nnz,)
        n_dw, words numbered as columns of X, in int32: what grows with X is kept small.
    weight : array of shape (D,)
        ω_d.
    words : array of shape (U,)
        Columns that occur, or may, in all documents.
    tokens : array of shape (U,)
        Σ_d ω_d n_dw of each.
    """

    indptr: Int64s
    columns: Int32s
    values: Floats
    weight: Doubles
    words: Int64s
    tokens: Doubles


def sampling_step(n_tokens: float, n_docs: int, n_topics: int) -> int:
    """n, where it is enough to look at every n-th document."""
    by_tokens, by_docs = n_tokens / (SAMPLED_TOKENS * n_topics), n_docs // (SAMPLED_DOCUMENTS * n_topics)
    return max(1, round(min(by_tokens, by_docs)))


def sample_documents(documents: Documents, step: int, first: int = 0) -> DocumentSample:
    """The documents whose number is a multiple of `step`; the first one here has the number `first`."""
    counts, weight = documents.counts, np.ones(documents.counts.n_docs)
    if documents.weight is not None:
        weight = documents.weight.astype(np.float64)
    tokens = _sums(counts.values * np.repeat(weight, np.diff(counts.indptr)), counts.indices, len(counts.words))
    due = (first + np.arange(counts.n_docs)) % step == 0
    picked = documents.select(due).counts
    columns = counts.words.astype(np.int32)[picked.indices]
    return DocumentSample(picked.indptr, columns, picked.values, weight[due], counts.words, tokens)


def sample_corpus(documents: Corpus, step: int) -> DocumentSample:
    """Every `step`-th document of a corpus."""

    def looks() -> Iterator[DocumentSample]:
        first = 0
        for part in documents.parts(PART):
            yield sample_documents(part, step, first)
            first += part.counts.n_docs

    return join_samples(looks(), documents.n_words)


def join_samples(looks: Iterable[DocumentSample], n_words: int) -> DocumentSample:
    """What was looked at part by part, of which one is here at a time."""
    tokens, picked = np.zeros(n_words), []
    for each in looks:
        tokens[each.words] += each.tokens
        picked.append((np.diff(each.indptr), each.columns, each.values, each.weight))
    lengths, columns, values, weight = (np.concatenate(arrays) for arrays in zip(*picked, strict=True))
    words = np.flatnonzero(tokens)
    return DocumentSample(np.append(0, np.cumsum(lengths)), columns, values, weight, words, tokens[words])


def anchor_word_lambda(seen: DocumentSample, n_words: int, priors: Priors, seeds: Int64s, dtype: DTypeLike) -> Floats:
    """λ of topics as different as the documents tell; of noise where they tell no more. Equation (52).

    Parameters
    ----------
    n_words : int
        V.
    seeds : array
        Of the noise.

    Returns
    -------
    lam : array of shape (V, Kp)
        Word-major.
    """
    K = priors.n_topics
    lam = initialization.random_lambda(seeds, n_words, priors, dtype)
    if not len(seen.words):
        return lam
    # Noise around n_w / K; anchored topics take the place of the first.
    everywhere = np.zeros((n_words, 1), lam.dtype)
    everywhere[seen.words, 0] = seen.tokens / K
    lam[:, :K] *= everywhere
    sample = sample_matrices(seen)
    found = select_anchors(sample, K)
    lam[:, : len(found)] = EVERYWHERE * everywhere
    for first in range(0, len(found), TOPICS_AT_ONCE):
        shares = cooccurrence(sample, found[first : first + TOPICS_AT_ONCE]).astype(lam.dtype)
        lam[sample.columns, first : first + shares.shape[1]] += (1 - EVERYWHERE) * seen.tokens.sum() / K * shares
    lam[:, :K] += priors.eta.astype(lam.dtype)
    return lam


class SampleMatrices(NamedTuple):
    """Documents, words numbered from the most frequent on; what is all a document has is left out, having no company.

    Attributes
    ----------
    tokens : sparse array of shape (D, U)
        n_dw.
    each : sparse array of shape (D, U)
        ω_d n_dw / (N_d − min(1, n_dw)): how much its tokens make of each other one.
    own : array of shape (U,)
        Σ_d min(1, n_dw) of that, which they would make of themselves.
    totals, n_docs : array of shape (U,)
        Tokens and documents of each word, by weight.
    weight : float
        Σ_d ω_d.
    columns : array of shape (U,)
        Of X.
    """

    tokens: sparse.csr_array
    each: sparse.csr_array
    own: Doubles
    totals: Doubles
    n_docs: Doubles
    weight: float
    columns: Int64s


def sample_matrices(seen: DocumentSample) -> SampleMatrices:
    """What is looked at, as matrices."""
    lengths = np.diff(seen.indptr)
    document = np.repeat(np.arange(len(lengths)), lengths)
    others = _sums(seen.values, document, len(lengths))[document] - np.minimum(seen.values, 1)
    accompanied = others > ALONE * seen.values
    document, values, others = document[accompanied], seen.values[accompanied], others[accompanied]
    indptr = np.append(0, np.cumsum(np.bincount(document, minlength=len(lengths))))
    indptr = indptr.astype(np.int32) if len(values) < 2**31 else indptr  # or words, too, would be held in int64
    columns, word = _most_frequent_first(seen.columns[accompanied])
    weight, shape = seen.weight[document], (len(lengths), len(columns))
    each = weight * values / others
    own, totals, n_docs = (
        _sums(x, word, len(columns)) for x in (each * np.minimum(values, 1), weight * values, weight)
    )
    tokens = sparse.csr_array((values, word, indptr), shape=shape)
    of_each = sparse.csr_array((each.astype(values.dtype), word, indptr), shape=shape)
    return SampleMatrices(tokens, of_each, own, totals, n_docs, float(seen.weight.sum()), columns)


def _most_frequent_first(columns: Int32s) -> tuple[Int64s, Int32s]:
    """The columns that occur, by how often they do, and the place among them of each that is given."""
    often = np.bincount(columns)
    present = np.flatnonzero(often)
    present = present[np.argsort(-often[present], kind="stable")]
    place = np.empty(len(often), np.int32)
    place[present] = np.arange(len(present))
    return present, place[columns]


def _sums(data: Any, at: Any, size: int) -> Doubles:
    return np.bincount(at, data, minlength=size).astype(np.float64)


def cooccurrence(sample: SampleMatrices, words: Int64s) -> Doubles:
    """What stands with a token of each of these words, of shape (U, n): columns sum to 1. Equation (50)."""
    together: Doubles = (sample.tokens.T @ sample.each[:, words]).toarray().astype(np.float64)
    together[words, np.arange(len(words))] -= sample.own[words]
    np.maximum(together, 0, out=together)
    together /= together.sum(axis=0)
    return together


def select_anchors(sample: SampleMatrices, n_topics: int) -> Int64s:
    """Words whose company is no mixture of others', `n_topics` of them at most. Equation (51)."""
    fewest = min(FEWEST_DOCUMENTS, max(2.0, sample.weight / LARGEST_PART))
    frequent = sample.totals * (RAREST * n_topics) >= sample.totals.sum()
    known = np.flatnonzero(frequent & (sample.n_docs >= fewest))
    if not len(known):
        return known
    return known[extreme_points(projected_cooccurrence(sample, known), np.sqrt(sample.totals[known]), n_topics)]


def projected_cooccurrence(sample: SampleMatrices, words: Int64s) -> Floats:
    """`company` of words, a row each, with what is rare of it folded onto what is frequent: of shape (n, DIRECTIONS) at most.

    Distances stay about as they are: the signs, of a hash, tell nothing of the words.
    """
    n_words = len(sample.columns)
    every = np.arange(n_words)
    place = every % DIRECTIONS
    signs = random_signs(n_words).astype(sample.tokens.dtype)
    folding = sparse.csr_array((signs, place, np.arange(n_words + 1)), shape=(n_words, min(n_words, DIRECTIONS)))
    rows = np.zeros((len(words), folding.shape[1]), sample.tokens.dtype)
    for first in range(0, sample.tokens.shape[0], FOLDED_AT_ONCE):
        part = slice(first, first + FOLDED_AT_ONCE)
        beside, of_words = (sample.tokens[part] @ folding).toarray(), sample.each[part][:, words].T.tocsr()
        for word in range(0, len(words), WORDS_AT_ONCE):
            rows[word : word + WORDS_AT_ONCE] += of_words[word : word + WORDS_AT_ONCE] @ beside
    rows[np.arange(len(words)), place[words]] -= (signs * sample.own)[words].astype(rows.dtype)
    rows /= sample.totals[words, None].astype(rows.dtype)
    return rows


def extreme_points(rows: Floats, weight: Doubles, most: int) -> Int64s:
    """Rows far from what those before them span, weighed, `most` of them at most: Gram and Schmidt's, chosen. Equation (51).

    Parameters
    ----------
    rows : array of shape (n, m)
        Distances are taken from the first that is chosen: `rows` changes.
    """

    def squares() -> Doubles:
        lengths: Doubles = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        return lengths

    mean = np.einsum("i,ij->j", weight**2 / np.sum(weight**2), rows)  # which makes no second array of rows
    rows -= mean.astype(rows.dtype)
    left = squares()
    least, chosen = SPANNED * left.max(), [int(np.argmax(left * weight))]
    rows -= rows[chosen[0]].copy()
    left = squares()
    basis = np.zeros((most, rows.shape[1]))
    for n in range(min(most, *rows.shape) - 1):
        i = int(np.argmax(left * weight))
        if left[i] <= least:
            break
        new = rows[i] - basis[:n].T @ (basis[:n] @ rows[i])
        basis[n] = new / np.linalg.norm(new)
        left -= np.einsum("ij,j->i", rows, basis[n].astype(rows.dtype)).astype(np.float64) ** 2
        left[i] = 0
        chosen.append(i)
    return np.array(chosen, dtype=np.int64)
