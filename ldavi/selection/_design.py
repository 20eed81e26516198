"""The evaluation that all numbers of topics share: held-out documents, their halves, and the evaluation of one fit."""

import math
import numbers
import time
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.utils import check_random_state

from ldavi import metrics
from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import CoherenceMeasure, Doubles, Int64s
from ldavi._estimator import validation as check
from ldavi.metrics._tokens import check_tokens
from ldavi.metrics._top_words import top_words

SEEDS = 2**31 - 1
USED = 2.0  # a topic is in use if some word has this multiple of the uniform probability 1 / V


class Measures(NamedTuple):
    """The settings of the evaluation."""

    coherence: CoherenceMeasure
    n_words: int
    doc_topic_prior: Any


class Design(NamedTuple):
    """The documents, and the parts of them that are held out in turn."""

    counts: sparse.csr_matrix  # (D, V)
    halves: metrics.TokenSplit
    folds: list[tuple[Int64s, Int64s]]  # training rows, held-out rows
    measures: Measures


class Task(NamedTuple):
    """One fit of the grid."""

    n_components: int
    fold: int
    restart: int
    seed: int


class Fit(NamedTuple):
    """The evaluation of one fit. It holds everything that a sweep's table is computed from, but no topics.

    Attributes
    ----------
    n_components : int
        Number of topics.
    fold : int
        Index of the held-out part of the documents.
    restart : int
        Index of the fit among those of this fold and number of topics.
    seed : int
        `random_state` of the fit.
    bound : float
        Bound on the log-likelihood of the training documents, by which the best restart is chosen: `elbo_`, or the
        bound per token of `ldavi.metrics.scorer` for estimators without it.
    seconds : float
        Duration of the fit, without its evaluation.
    n_iter : int
        Number of passes; 0 if the estimator does not report it.
    log_likelihood : float
        Log-likelihood of a held-out token, in nats.
    coherence, diversity, exclusivity : float
        Measures of the topics; coherence and exclusivity are means over topics.
    top_words : array of shape (n_used, n_words)
        Columns of the top words of each topic in use. A topic is in use if some word has at least twice the uniform
        probability 1 / n_features; other topics are close to their prior.
    document_log_likelihood : array of shape (n_held_out,)
        Log-likelihood of the scored half of each held-out document of the fold.
    """

    n_components: int
    fold: int
    restart: int
    seed: int
    bound: float
    seconds: float
    n_iter: int
    log_likelihood: float
    coherence: float
    diversity: float
    exclusivity: float
    top_words: Int64s
    document_log_likelihood: Doubles


def check_held_out(held_out: object) -> float | int:
    """Return `held_out` if it is a share of the documents or a number of folds."""
    if not isinstance(held_out, bool) and isinstance(held_out, numbers.Integral):
        return check.check_integer("held_out", held_out, minimum=2)
    share = check.check_number("held_out", held_out, minimum=0, maximum=1, exclusive=True)
    if share == 1:
        raise ValueError(
            f"held_out={held_out!r} leaves no training documents; use a share < 1, or a number of folds >= 2"
        )
    return share


def make_design(X: Any, held_out: float | int, measures: Measures, seed: int) -> Design:
    """Split the documents in halves and assign them to folds; both depend on the seed alone.

    Raises
    ------
    ValueError
        If a count is not an integer, or `held_out` leaves no documents in a part.
    """
    tokens = check_tokens(X, "sweep")
    n_docs = tokens.shape[0]
    if n_docs < (held_out if isinstance(held_out, int) else math.ceil(held_out * n_docs) + 1):
        raise ValueError(f"held_out={held_out!r} leaves a part of the {n_docs} documents of X empty; use a smaller one")
    dtype = getattr(X, "dtype", None)
    exact = dtype is not None and np.dtype(dtype) in check.LARGEST_INTEGER  # an estimator keeps these types
    counts = sparse.csr_matrix(tokens.astype(dtype) if exact else tokens)
    fold_seed, split_seed = np.ravel(check_random_state(seed).randint(SEEDS, size=2))
    if isinstance(held_out, int):
        folds = KFold(held_out, shuffle=True, random_state=int(fold_seed)).split(counts)
    else:
        folds = ShuffleSplit(1, test_size=held_out, random_state=int(fold_seed)).split(counts)
    rows = [(np.sort(train), np.sort(test)) for train, test in folds]
    return Design(counts, metrics.token_split(tokens, int(split_seed)), rows, measures)


def held_out_tokens(design: Design) -> Int64s:
    """Return the number of scored tokens of each held-out document, fold after fold."""
    lengths = np.asarray(design.halves.scored.sum(axis=1), dtype=np.int64).ravel()
    return np.concatenate([lengths[test] for _, test in design.folds])


def make_tasks(n_components: list[int], n_folds: int, n_init: int, seed: int) -> list[Task]:
    """Return every fit of a grid. A restart keeps its seed when the grid or the number of restarts grows."""
    draw = check_random_state(seed)
    seeds = [[int(draw.randint(SEEDS)) for _ in range(n_folds)] for _ in range(n_init)]
    return [Task(k, f, r, seeds[r][f]) for k in n_components for f in range(n_folds) for r in range(n_init)]


def fit_and_evaluate(estimator: Any, design: Design, task: Task) -> Fit:
    """Fit a copy of the estimator to the training documents of a fold and evaluate it on the held-out ones."""
    train, test = design.folds[task.fold]
    model = clone(estimator).set_params(n_components=task.n_components)
    if "random_state" in model.get_params():
        model.set_params(random_state=task.seed)
    init = model.get_params().get("init")
    if task.restart and isinstance(init, str) and init == "auto":  # the documents determine one start only
        model.set_params(init="random")
    documents = design.counts[train]
    start = time.perf_counter()
    model.fit(documents)
    seconds = time.perf_counter() - start
    topics = topics_of(model)
    if topics.shape != (task.n_components, design.counts.shape[1]):
        raise ValueError(
            f"{type(model).__name__} with n_components={task.n_components} has topics of shape {topics.shape}; a "
            f"sweep needs ({task.n_components}, {design.counts.shape[1]})"
        )
    halves = metrics.TokenSplit(*(half[test] for half in design.halves))
    measures = design.measures
    own_prior = (
        getattr(model, "doc_topic_prior_", 0.1) if measures.doc_topic_prior is None else measures.doc_topic_prior
    )
    completion = metrics.document_completion(
        topics, halves, doc_topic_prior=own_prior, n_jobs=getattr(model, "n_jobs", None), seed=task.seed
    )
    return Fit(
        *task,
        bound=_bound(model, documents),
        seconds=seconds,
        n_iter=int(getattr(model, "n_iter_", 0)),
        log_likelihood=completion.log_likelihood / max(completion.n_scored, 1),
        coherence=_coherence(topics, design),
        diversity=metrics.topic_diversity(topics, measures.n_words),
        exclusivity=float(metrics.exclusivity(topics, measures.n_words).mean()),
        top_words=top_words(topics[topics.max(axis=1) * topics.shape[1] >= USED], measures.n_words),
        document_log_likelihood=completion.document_log_likelihood,
    )


def _coherence(topics: Doubles, design: Design) -> float:
    """Return the mean coherence over topics, restricted to words that occur: an unused topic may rank others first."""
    occurs = np.diff(design.counts.tocsc().indptr) > 0
    measures = design.measures
    values = metrics.coherence(topics[:, occurs], design.counts[:, occurs], measures.coherence, measures.n_words)
    return float(values.mean())


def _bound(model: Any, documents: sparse.csr_matrix) -> float:
    """Return the ELBO of a fit that has one, or the bound per token of its documents with its topics fixed."""
    own = getattr(model, "elbo_", None)
    return float(metrics.scorer("bound")(model, documents) if own is None else own)
