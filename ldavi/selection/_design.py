"""What every number of topics is asked alike: which documents are held out, how they are cut, and one fit judged by them."""

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
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator import validation as check
from ldavi.metrics._tokens import check_tokens
from ldavi.metrics._top_words import top_words

SEEDS = 2**31 - 1
FLAT = 2.0  # a topic none of whose words has twice the probability 1 / V is one that no document uses


class Measures(NamedTuple):
    """How a fit is judged."""

    coherence: str
    n_words: int
    doc_topic_prior: Any


class Design(NamedTuple):
    """Documents, and the parts of them that are held out in turn."""

    counts: sparse.csr_matrix  # (D, V)
    halves: metrics.TokenSplit
    folds: list[tuple[Int64s, Int64s]]  # rows to learn from, rows held out
    measures: Measures


class Task(NamedTuple):
    """One fit to make."""

    n_components: int
    fold: int
    restart: int
    seed: int


class Fit(NamedTuple):
    """What is kept of one fit: all that a sweep's figures are made of, and no topics.

    Attributes
    ----------
    n_components : int
        Topics.
    fold : int
        Which part of the documents was held out.
    restart : int
        Which of the fits of this fold and number of topics.
    seed : int
        `random_state` of the fit.
    bound : float
        Of the training documents, higher is better: `elbo_`, or else the bound of `ldavi.metrics.scorer` per token. It tells
        which restart to keep.
    seconds : float
        That the fit took, without its evaluation.
    n_iter : int
        Passes; 0 where the estimator does not tell.
    log_likelihood : float
        A held-out token, in nats.
    coherence, diversity, exclusivity : float
        Of the topics, the first and the last as means over topics.
    top_words : array of shape (n_used, n_words)
        Columns of the first words of each topic in use: one in which some word has twice the probability 1 / n_features or
        more. What has less is little but its prior.
    document_log_likelihood : array of shape (n_held_out,)
        Of the scored half of each held-out document of the fold.
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


def check_held_out(held_out: Any) -> float | int:
    """A share of the documents, or a number of folds."""
    if not isinstance(held_out, bool) and isinstance(held_out, numbers.Integral):
        return check.check_integer("held_out", held_out, minimum=2)
    share = check.check_number("held_out", held_out, minimum=0, maximum=1, exclusive=True)
    if share == 1:
        raise ValueError(
            f"held_out={held_out!r} leaves nothing to learn from; take a share < 1, or a number of folds >= 2"
        )
    return share


def make_design(X: Any, held_out: float | int, measures: Measures, seed: int) -> Design:
    """Documents cut in halves and dealt to folds, by the seed alone.

    Raises
    ------
    ValueError
        If counts are not whole, or there are too few documents for the folds.
    """
    tokens = check_tokens(X, "sweep")
    dtype = getattr(X, "dtype", None)
    exact = dtype is not None and np.dtype(dtype) in check.LARGEST_INTEGER  # which an estimator would compute in
    counts = sparse.csr_matrix(tokens.astype(dtype) if exact else tokens)
    fold_seed, split_seed = np.ravel(check_random_state(seed).randint(SEEDS, size=2))
    if isinstance(held_out, int):
        folds = KFold(held_out, shuffle=True, random_state=int(fold_seed)).split(counts)
    else:
        folds = ShuffleSplit(1, test_size=held_out, random_state=int(fold_seed)).split(counts)
    rows = [(np.sort(train), np.sort(test)) for train, test in folds]
    return Design(counts, metrics.token_split(tokens, int(split_seed)), rows, measures)


def held_out_tokens(design: Design) -> Int64s:
    """Tokens scored of each held-out document, fold after fold."""
    lengths = np.asarray(design.halves.scored.sum(axis=1), dtype=np.int64).ravel()
    return np.concatenate([lengths[test] for _, test in design.folds])


def make_tasks(n_components: list[int], n_folds: int, n_init: int, seed: int) -> list[Task]:
    """Every fit of a grid. A restart has the same seed whatever the grid and the number of restarts: both may grow."""
    draw = check_random_state(seed)
    seeds = [[int(draw.randint(SEEDS)) for _ in range(n_folds)] for _ in range(n_init)]
    return [Task(k, f, r, seeds[r][f]) for k in n_components for f in range(n_folds) for r in range(n_init)]


def run(estimator: Any, design: Design, task: Task) -> Fit:
    """Fit a copy of the estimator to what is not held out, and judge it."""
    train, test = design.folds[task.fold]
    model = clone(estimator).set_params(n_components=task.n_components)
    if "random_state" in model.get_params():
        model.set_params(random_state=task.seed)
    init = model.get_params().get("init")
    if task.restart and isinstance(init, str) and init == "auto":  # what documents tell of topics is told once
        model.set_params(init="random")
    documents = design.counts[train]
    start = time.perf_counter()
    model.fit(documents)
    seconds = time.perf_counter() - start
    topics = topics_of(model)
    if topics.shape != (task.n_components, design.counts.shape[1]):
        raise ValueError(
            f"{type(model).__name__} with n_components={task.n_components} gave topics of shape {topics.shape}; a sweep "
            f"needs ({task.n_components}, {design.counts.shape[1]})"
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
        top_words=top_words(topics[topics.max(axis=1) * topics.shape[1] >= FLAT], measures.n_words),
        document_log_likelihood=completion.document_log_likelihood,
    )


def _coherence(topics: Doubles, design: Design) -> float:
    """The mean over topics, of words that occur: a topic without mass may have others among its first."""
    occurs = np.diff(design.counts.tocsc().indptr) > 0
    measures = design.measures
    values = metrics.coherence(topics[:, occurs], design.counts[:, occurs], measures.coherence, measures.n_words)
    return float(values.mean())


def _bound(model: Any, documents: sparse.csr_matrix) -> float:
    """The ELBO of a fit that knows it, else that of its documents with its topics fixed, a token."""
    own = getattr(model, "elbo_", None)
    return float(metrics.scorer("bound")(model, documents) if own is None else own)
