"""What MALLET says of each topic, from expected counts in place of sampled ones."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import entr, rel_entr, xlogy

from ldavi._core.tables import table
from ldavi._core.topics_of_model import doc_topic_prior_of, feature_names_of, topics_of
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator.infer import infer
from ldavi._estimator.validation import check_counts, check_number
from ldavi.metrics._diversity import exclusivity
from ldavi.metrics._top_words import top_words

NUMBERS_AT_ONCE = 2**22
LITTLE, SOME, HALF = 0.02, 0.3, 0.5  # proportions of a document that MALLET's allocation columns ask for


def topic_diagnostics(
    model: Any, X: Any, n_words: int = 20, *, smoothing: float = 0.01, feature_names: Any = None
) -> Any:
    """The table of MALLET's `--diagnostics-file`, a row for each topic, from expected counts.

    MALLET counts tokens by the topics that its sampler assigned to them. Here a token of word w in document d belongs to
    topic k with probability φ_dwk = θ_dk β_kw / Σ_j θ_dj β_jw (θ_dk where no topic has the word), θ being the model's
    `transform` of X, or what :func:`ldavi.infer` says for an array of topics. So N_dk = Σ_w n_dw φ_dwk,
    N_kw = Σ_d n_dw φ_dwk, N_k = Σ_d N_dk, p_kw = N_kw / N_k.
    The first words of a topic are those of its β. Columns, in MALLET's order:

    * `topic`: k.
    * `tokens`: N_k.
    * `document_entropy`: −Σ_d (N_dk / N_k) log(N_dk / N_k). Low: the topic is from few documents.
    * `word_length`: mean number of characters of the first words. Only where the names of the words are known.
    * `coherence`: Σ_{j < i} log((D_k(i, j) + s) / (D_k(j) + s)) over the first words, with D_k(j) = Σ_d P_djk the expected
      number of documents where word j belongs to the topic, P_djk = 1 − (1 − φ_djk)^n_dj, D_k(i, j) = Σ_d P_dik P_djk, and s
      the `smoothing`. :func:`coherence` counts all documents with the words and takes the mean.
    * `uniform_dist`: Σ_w p_kw log(p_kw V), the Kullback-Leibler divergence from the uniform distribution, V the columns of X.
    * `corpus_dist`: Σ_w p_kw log(p_kw / p_w), that from the corpus, p_w = n_w / N. Low: the topic says nothing.
    * `eff_num_words`: 1 / Σ_w p_kw².
    * `token_doc_diff`: Jensen-Shannon divergence, in nats, of N_kw and D_k(w) over the first words, each made to sum to 1.
      High: words are bursty, much in few documents.
    * `rank_1_docs`: of the documents that hold the topic, the share in which no other has more tokens.
    * `allocation_ratio`: of the documents that hold the topic, those in which its share is at least 0.5, divided by those in
      which it is at least 0.02. A share is (α_k + N_dk) / (Σ_j α_j + N_d).
    * `allocation_count`: of the documents that hold the topic, those in which its share is at least 0.3.
    * `exclusivity`: see :func:`exclusivity`.

    A document holds a topic if N_dk >= 0.5, that is one token, rounded. Where none does, the columns that are shares of such
    documents are 0.

    Parameters
    ----------
    model : fitted estimator, or array-like of shape (n_topics, n_features)
        Ours, scikit-learn's, or any with `components_` and `transform`; or topics, weights >= 0.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Counts, documents × words; MALLET takes the training documents.
    n_words : int, default=20
        First words of a topic; all of them if there are fewer.
    smoothing : float, default=0.01
        s above, MALLET's `--beta`, above 0.
    feature_names : array-like of shape (n_features,) or None, default=None
        The words of the columns. None means those that the estimator was fitted with.

    Returns
    -------
    diagnostics : DataFrame or structured array
        pandas where it is installed. All columns are float64 but `topic`. NaN, with a warning, in the columns that describe
        the tokens of a topic that has none in X.

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
    counts = check_counts(X, dtype=np.float64, name="topic_diagnostics")
    if counts.shape[1] != topics.shape[1]:
        raise ValueError(
            f"X has {counts.shape[1]} columns and the topics {topics.shape[1]}; both must name the same words"
        )
    alpha = doc_topic_prior_of(model, len(topics))
    theta = _proportions(model, X, counts, topics, alpha)
    tokens = _assign(counts, theta, topics)
    by_document = _expected_presence(counts, theta, topics, tokens.likelihood, first)
    _warn_of_empty_topics(tokens.by_topic)

    columns: dict[str, Any] = {"topic": np.arange(len(topics)), "tokens": tokens.by_topic}
    columns["document_entropy"] = _document_entropy(tokens)
    if feature_names is not None or getattr(model, "feature_names_in_", None) is not None:
        names = feature_names_of(model, topics.shape[1], feature_names)
        columns["word_length"] = np.array([[len(str(name)) for name in row] for row in names[first]]).mean(axis=1)
    columns["coherence"] = _smoothed_coherence(by_document, smoothing)
    columns |= _word_columns(tokens, counts)
    columns["token_doc_diff"] = _token_document_difference(tokens, by_document, first)
    columns |= _allocation_columns(tokens, counts, alpha)
    columns["exclusivity"] = exclusivity(topics, n_words)
    return table(**columns)


class Assigned(NamedTuple):
    """Expected tokens: N_dk (D, K), N_kw (K, V), N_k (K,); and p(w | d) for each stored count (nnz,)."""

    by_document: Doubles
    by_word: Doubles
    by_topic: Doubles
    likelihood: Doubles


def _proportions(model: Any, X: Any, counts: sparse.csr_array, topics: Doubles, alpha: Doubles) -> Doubles:
    """θ, rows that sum to 1; uniform where a model gives a document no weight at all."""
    if hasattr(model, "transform"):
        theta = np.array(model.transform(X), dtype=np.float64)
    else:
        theta = infer(counts, topics, alpha).gamma.astype(np.float64)
    theta[theta.sum(axis=1) == 0] = 1
    theta /= theta.sum(axis=1, keepdims=True)
    return theta


def _assign(counts: sparse.csr_array, theta: Doubles, topics: Doubles) -> Assigned:
    """Expected tokens without φ itself, which would be nnz × K: N_dk = θ_dk Σ_w r_dw β_kw with r_dw = n_dw / p(w | d)."""
    likelihood = np.empty(counts.nnz)
    documents = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    by_words = np.ascontiguousarray(topics.T)
    step = max(1, NUMBERS_AT_ONCE // len(topics))
    for start in range(0, counts.nnz, step):
        at = slice(start, start + step)
        likelihood[at] = np.einsum("ik,ik->i", theta[documents[at]], by_words[counts.indices[at]])
    possible = likelihood > 0
    ratio = np.divide(counts.data, likelihood, out=np.zeros_like(likelihood), where=possible)
    ratios = sparse.csr_array((ratio, counts.indices, counts.indptr), shape=counts.shape)
    by_document = theta * (ratios @ by_words)
    by_word = topics * (ratios.T @ theta).T
    if not possible.all():  # words that no topic of their document can have follow θ
        impossible = sparse.csr_array((counts.data * ~possible, counts.indices, counts.indptr), shape=counts.shape)
        by_document += theta * np.asarray(impossible.sum(axis=1))[:, None]
        by_word += (impossible.T @ theta).T
    return Assigned(by_document, by_word, by_document.sum(axis=0), likelihood)


def _expected_presence(
    counts: sparse.csr_array, theta: Doubles, topics: Doubles, likelihood: Doubles, first: Int64s
) -> Doubles:
    """D_k(i, j), the expected number of documents in which both words belong to the topic, (K, n, n); D_k(i) at i = j."""
    words, place = np.unique(first, return_inverse=True)
    chosen = sparse.csc_array(counts[:, words])
    chosen.sort_indices()
    under = sparse.csr_array(
        (np.where(likelihood > 0, likelihood, -1.0), counts.indices, counts.indptr), shape=counts.shape
    )
    chances = sparse.csc_array(under[:, words])
    chances.sort_indices()
    presence = np.empty((len(topics), first.shape[1], first.shape[1]))
    for k, columns in enumerate(place.reshape(first.shape)):
        n, p = chosen[:, columns], chances[:, columns]
        mass = theta[n.indices, k]
        beta = np.repeat(topics[k, first[k]], np.diff(n.indptr))
        phi = np.where(p.data > 0, np.minimum(mass * beta / np.abs(p.data), 1), mass)
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
        msg = f"No token of X belongs to topic {listed}: what describes a topic's tokens is NaN there."
        warnings.warn(msg, UserWarning, stacklevel=3)


def _document_entropy(tokens: Assigned) -> Doubles:
    return np.asarray(entr(_shares(tokens.by_document, tokens.by_topic)).sum(axis=0))


def _shares(numbers: Doubles, totals: Doubles) -> Doubles:
    """Numbers by totals; NaN by a total of 0."""
    totals = np.broadcast_to(totals, numbers.shape)
    return np.asarray(np.divide(numbers, totals, out=np.full(numbers.shape, np.nan), where=totals > 0))


def _smoothed_coherence(presence: Doubles, smoothing: float) -> Doubles:
    later, earlier = np.tril_indices(presence.shape[1], -1)
    both, one = presence[:, later, earlier], presence[:, earlier, earlier]
    return np.asarray(np.log((both + smoothing) / (one + smoothing)).sum(axis=1))


def _word_columns(tokens: Assigned, counts: sparse.csr_array) -> dict[str, Doubles]:
    p = _shares(tokens.by_word, tokens.by_topic[:, None])
    corpus = np.asarray(counts.sum(axis=0)) / max(counts.sum(), 1)
    return {
        "uniform_dist": xlogy(p, p * p.shape[1]).sum(axis=1),
        "corpus_dist": rel_entr(p, corpus).sum(axis=1),
        "eff_num_words": 1 / (p**2).sum(axis=1),
    }


def _token_document_difference(tokens: Assigned, presence: Doubles, first: Int64s) -> Doubles:
    in_tokens = np.take_along_axis(tokens.by_word, first, axis=1)
    in_documents = np.diagonal(presence, axis1=1, axis2=2)
    p = _shares(in_tokens, in_tokens.sum(axis=1, keepdims=True))
    q = _shares(in_documents, in_documents.sum(axis=1, keepdims=True))
    m = (p + q) / 2
    return np.asarray((rel_entr(p, m) + rel_entr(q, m)).sum(axis=1) / 2)


def _allocation_columns(tokens: Assigned, counts: sparse.csr_array, alpha: Doubles) -> dict[str, Doubles]:
    held = tokens.by_document >= 0.5
    lengths = np.asarray(counts.sum(axis=1))
    share = (alpha + tokens.by_document) / (alpha.sum() + lengths)[:, None]
    most = np.zeros_like(held)
    most[np.arange(len(most)), tokens.by_document.argmax(axis=1)] = True

    def documents(where: Any) -> Doubles:
        return np.asarray((held & where).sum(axis=0), dtype=np.float64)

    def by(numbers: Doubles, totals: Doubles) -> Doubles:
        return np.asarray(np.divide(numbers, totals, out=np.zeros_like(numbers), where=totals > 0))

    return {
        "rank_1_docs": by(documents(most), documents(True)),
        "allocation_ratio": by(documents(share >= HALF), documents(share >= LITTLE)),
        "allocation_count": by(documents(share >= SOME), documents(True)),
    }
