"""MALLET's topic diagnostics, from expected counts instead of sampled ones."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr, psi, rel_entr, softmax, xlogy

from ldavi._core.chunks import chunks, rows_within
from ldavi._core.tables import table
from ldavi._core.topics_of_model import ModelOrTopics, feature_names_of, has_word_names, topics_of
from ldavi._core.typing import Doubles, Int64s, Matrix, Names
from ldavi._estimator.posterior import Posterior, expected_log_beta, posterior_of
from ldavi._estimator.validation import check_number
from ldavi.metrics._diversity import effective_words, exclusivity
from ldavi.metrics._top_words import top_words

MAX_ENTRIES = 2**22  # of a temporary array
SMALL_SHARE, SOME_SHARE, HALF = 0.02, 0.3, 0.5  # thresholds of MALLET's allocation columns


def topic_diagnostics(
    model: ModelOrTopics,
    X: Matrix,
    n_words: int = 20,
    *,
    smoothing: float = 0.01,
    feature_names: Names | None = None,
) -> Any:
    """Compute the table of MALLET's `--diagnostics-file`, a row for each topic, from expected counts.

    MALLET counts tokens by the topics that its sampler assigned to them. Here a token of word w in document d belongs
    to topic k with probability φ_dwk ∝ exp(E[log θ_dk] + E[log β_kw]), as in :func:`ldavi.inspection.document_words`.
    With it, N_dk = Σ_w n_dw φ_dwk, N_kw = Σ_d n_dw φ_dwk, N_k = Σ_d N_dk, p_kw = N_kw / N_k. The first words of a
    topic are its most probable ones. Columns, in MALLET's order:

    * `topic`: k.
    * `tokens`: N_k, the size of the topic; see :func:`ldavi.inspection.topic_sizes`.
    * `document_entropy`: −Σ_d (N_dk / N_k) log(N_dk / N_k). Low: the topic occurs in few documents.
    * `word_length`: mean number of characters of the first words. Only where the names of the words are known.
    * `coherence`: Σ_{j < i} log((D_k(i, j) + s) / (D_k(j) + s)) over the first words, with D_k(j) = Σ_d P_djk the
      expected number of documents where word j belongs to the topic, P_djk = 1 − (1 − φ_djk)^n_dj, D_k(i, j) = Σ_d
      P_dik P_djk, and s the `smoothing`. :func:`coherence` counts all documents with the words and takes the mean.
    * `uniform_dist`: Σ_w p_kw log(p_kw V), the Kullback-Leibler divergence from the uniform distribution, V the
      columns of X.
    * `corpus_dist`: Σ_w p_kw log(p_kw / p_w), that from the corpus, p_w = n_w / N. Low: the topic is not specific.
    * `eff_num_words`: 1 / Σ_w p_kw².
    * `token_doc_diff`: Jensen-Shannon divergence, in nats, of N_kw and D_k(w) over the first words, each made to sum
      to 1. High: words are bursty, frequent in few documents.
    * `rank_1_docs`: of the documents that contain the topic, the share in which no other has more tokens.
    * `allocation_ratio`: of the documents that contain the topic, those in which its share is at least 0.5, divided by
      those in which it is at least 0.02. A share is (α_k + N_dk) / (Σ_j α_j + N_d).
    * `allocation_count`: of the documents that contain the topic, the share in which its share is at least 0.3.
    * `exclusivity`: see :func:`exclusivity`.

    A document contains a topic if N_dk >= 0.5, that is one token, rounded. Where none does, the columns that are shares
    of such documents are 0.

    Parameters
    ----------
    model : fitted estimator, or array-like of shape (n_topics, n_features)
        Of this package, of scikit-learn, or any with `components_`; or topics, weights >= 0.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words; MALLET takes the training documents.
    n_words : int, default=20
        Number of first words per topic; all of them if there are fewer.
    smoothing : float, default=0.01
        s above, MALLET's `--beta`, above 0.
    feature_names : array-like of shape (n_features,) or None, default=None
        The words of the columns. None means those that the estimator was fitted with.

    Returns
    -------
    diagnostics : DataFrame or structured array
        A DataFrame where pandas is installed. All columns but `topic` are float64. NaN, with a warning, in the columns
        that describe the tokens of a topic that has none in X.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not one of those above, or X has another number of columns than the topics.

    Warns
    -----
    UserWarning
        If a topic has no token in X.

    References
    ----------
    McCallum. "MALLET: a machine learning for language toolkit". 2002; class `cc.mallet.topics.TopicModelDiagnostics`,
    https://mimno.github.io/Mallet/diagnostics.

    Examples
    --------
    >>> from ldavi.metrics import topic_diagnostics
    >>> X = [[4, 3, 0, 0], [5, 2, 0, 0], [0, 0, 3, 4], [0, 0, 2, 5]]
    >>> table = topic_diagnostics([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.4, 0.6]], X, n_words=2)
    >>> print(table["tokens"].tolist(), table["rank_1_docs"].tolist())
    [14.0, 14.0] [1.0, 1.0]
    """
    check_number("smoothing", smoothing, minimum=0, exclusive=True)
    topics = topics_of(model)
    first = top_words(topics, n_words)
    posterior = posterior_of(model, X, None, "topic_diagnostics")
    factors = _factors(model, posterior)
    tokens = _expected_tokens(posterior.counts, factors)
    presence = _expected_presence(posterior.counts, factors, tokens.normalizer, first)
    _warn_of_empty_topics(tokens.by_topic)

    columns: dict[str, Any] = {"topic": np.arange(len(topics)), "tokens": tokens.by_topic}
    columns["document_entropy"] = entr(_shares(tokens.by_document, tokens.by_topic)).sum(axis=0)
    if has_word_names(model, feature_names):
        names = feature_names_of(model, topics.shape[1], feature_names)
        columns["word_length"] = np.array([[len(str(name)) for name in row] for row in names[first]]).mean(axis=1)
    columns["coherence"] = _smoothed_coherence(presence, smoothing)
    columns |= _word_columns(tokens, posterior.counts)
    columns["token_doc_diff"] = _token_document_difference(tokens, presence, first)
    columns |= _allocation_columns(tokens, posterior)
    columns["exclusivity"] = exclusivity(topics, n_words)
    return table(**columns)


class Factors(NamedTuple):
    """φ_dwk = t_dk b_wk / Σ_j t_dj b_wj in factored form, since φ itself would have nnz × K entries.

    Attributes
    ----------
    of_documents : array of shape (D, K)
        t_dk ∝ exp(E[log θ_dk]); rows sum to 1.
    of_words : array of shape (V, K)
        b_wk ∝ exp(E[log β_kw]); each row's maximum is 1, or the row is 0 where no topic can produce the word.
    """

    of_documents: Doubles
    of_words: Doubles


class ExpectedTokens(NamedTuple):
    """Expected tokens: N_dk (D, K), N_kw (K, V), N_k (K,); and φ's normaliser of each stored count (nnz,)."""

    by_document: Doubles
    by_word: Doubles
    by_topic: Doubles
    normalizer: Doubles


def _factors(model: ModelOrTopics, posterior: Posterior) -> Factors:
    log_beta = expected_log_beta(model, np.arange(posterior.counts.shape[1]))
    largest = log_beta.max(axis=1, keepdims=True)
    return Factors(softmax(psi(posterior.gamma), axis=1), np.exp(log_beta - np.where(np.isneginf(largest), 0, largest)))


def _expected_tokens(counts: sparse.csr_array, factors: Factors) -> ExpectedTokens:
    """Compute N_dk = t_dk Σ_w r_dw b_wk and N_kw = b_wk Σ_d r_dw t_dk with r_dw = n_dw / Σ_k t_dk b_wk."""
    theta, beta = factors
    normalizer = np.empty(counts.nnz)
    documents = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    for at in chunks(counts.nnz, rows_within(MAX_ENTRIES, theta.shape[1])):
        normalizer[at] = np.einsum("ik,ik->i", theta[documents[at]], beta[counts.indices[at]])
    possible = normalizer > 0
    ratio = np.divide(counts.data, normalizer, out=np.zeros_like(normalizer), where=possible)
    ratios = sparse.csr_array((ratio, counts.indices, counts.indptr), shape=counts.shape)
    by_document = theta * (ratios @ beta)
    by_word = (beta * (ratios.T @ theta)).T
    if not possible.all():  # words that no topic of their document can produce follow θ
        impossible = sparse.csr_array((counts.data * ~possible, counts.indices, counts.indptr), shape=counts.shape)
        by_document += theta * np.asarray(impossible.sum(axis=1))[:, None]
        by_word += (impossible.T @ theta).T
    return ExpectedTokens(by_document, by_word, by_document.sum(axis=0), normalizer)


def _expected_presence(counts: sparse.csr_array, factors: Factors, normalizer: Doubles, first: Int64s) -> Doubles:
    """Compute D_k(i, j), the expected documents in which both words belong to the topic, (K, n, n); D_k(i) at i = j."""
    theta, beta = factors
    words, place = np.unique(first, return_inverse=True)
    chosen = sparse.csc_array(counts[:, words])
    chosen.sort_indices()
    normalizers = sparse.csr_array(  # −1 marks impossible words, since a sparse array drops zeros
        (np.where(normalizer > 0, normalizer, -1.0), counts.indices, counts.indptr), shape=counts.shape
    )
    of_chosen = sparse.csc_array(normalizers[:, words])
    of_chosen.sort_indices()
    presence = np.empty((len(first), first.shape[1], first.shape[1]))
    for k, columns in enumerate(place.reshape(first.shape)):
        n, total = chosen[:, columns], of_chosen[:, columns]
        share = theta[n.indices, k]
        of_words = np.repeat(beta[first[k], k], np.diff(n.indptr))
        phi = np.where(total.data > 0, np.minimum(share * of_words / np.abs(total.data), 1), share)
        with np.errstate(divide="ignore"):  # φ = 1: log 0 = −∞, and P = 1 − exp(−∞) = 1
            present = -np.expm1(n.data * np.log1p(-phi))
        P = sparse.csc_array((present, n.indices, n.indptr), shape=n.shape)
        presence[k] = (P.T @ P).toarray()
        np.fill_diagonal(presence[k], np.asarray(P.sum(axis=0)))
    return presence


def _warn_of_empty_topics(tokens: Doubles) -> None:
    empty = np.flatnonzero(tokens == 0)
    if len(empty):
        listed = ", ".join(map(str, empty))
        msg = f"No token of X belongs to topic {listed}: the columns that describe a topic's tokens are NaN there."
        warnings.warn(msg, UserWarning, stacklevel=3)


def _shares(numbers: Doubles, totals: Doubles) -> Doubles:
    """Divide by totals; NaN where the total is 0."""
    totals = np.broadcast_to(totals, numbers.shape)
    return np.asarray(np.divide(numbers, totals, out=np.full(numbers.shape, np.nan), where=totals > 0))


def _smoothed_coherence(presence: Doubles, smoothing: float) -> Doubles:
    later, earlier = np.tril_indices(presence.shape[1], -1)
    both, one = presence[:, later, earlier], presence[:, earlier, earlier]
    return np.asarray(np.log((both + smoothing) / (one + smoothing)).sum(axis=1))


def _word_columns(tokens: ExpectedTokens, counts: sparse.csr_array) -> dict[str, Doubles]:
    p = _shares(tokens.by_word, tokens.by_topic[:, None])
    corpus = np.asarray(counts.sum(axis=0)) / max(counts.sum(), 1)
    return {
        "uniform_dist": xlogy(p, p * p.shape[1]).sum(axis=1),
        "corpus_dist": rel_entr(p, corpus).sum(axis=1),
        "eff_num_words": effective_words(p),
    }


def _token_document_difference(tokens: ExpectedTokens, presence: Doubles, first: Int64s) -> Doubles:
    in_tokens = np.take_along_axis(tokens.by_word, first, axis=1)
    in_documents = np.diagonal(presence, axis1=1, axis2=2)
    p = _shares(in_tokens, in_tokens.sum(axis=1, keepdims=True))
    q = _shares(in_documents, in_documents.sum(axis=1, keepdims=True))
    m = (p + q) / 2
    return np.asarray((rel_entr(p, m) + rel_entr(q, m)).sum(axis=1) / 2)


def _allocation_columns(tokens: ExpectedTokens, posterior: Posterior) -> dict[str, Doubles]:
    alpha = posterior.alpha
    contains = tokens.by_document >= 0.5
    share = (alpha + tokens.by_document) / (alpha.sum() + posterior.tokens)[:, None]
    is_largest = np.zeros_like(contains)
    is_largest[np.arange(len(is_largest)), tokens.by_document.argmax(axis=1)] = True

    def documents(condition: NDArray[np.bool_]) -> Doubles:
        return np.asarray((contains & condition).sum(axis=0), dtype=np.float64)

    def ratio(numbers: Doubles, totals: Doubles) -> Doubles:
        return np.asarray(np.divide(numbers, totals, out=np.zeros_like(numbers), where=totals > 0))

    return {
        "rank_1_docs": ratio(documents(is_largest), documents(contains)),
        "allocation_ratio": ratio(documents(share >= HALF), documents(share >= SMALL_SHARE)),
        "allocation_count": ratio(documents(share >= SOME_SHARE), documents(contains)),
    }
