"""`sweep`: a grid of numbers of topics, fitted and judged."""

import os
import warnings
from collections.abc import Generator
from contextlib import closing
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.metrics._coherence import WINDOW_SIZES
from ldavi.selection import _design
from ldavi.selection._journal import Journal, fingerprint
from ldavi.selection._progress import check_progress, reporter
from ldavi.selection._result import Sweep, summarise


def sweep(
    X: Any,
    n_components: ArrayLike,
    *,
    estimator: Any = None,
    n_init: int = 5,
    held_out: float | int = 0.2,
    coherence: str = "npmi",
    n_words: int = 10,
    doc_topic_prior: str | float | None = "grid",
    n_jobs: int | None = None,
    random_state: int | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Any = None,
) -> Sweep:
    """Fit a grid of numbers of topics, and judge each on the same held-out documents.

    Every number of topics is fitted `n_init` times to the same documents, ours with `init="auto"` once and then from random
    starts (with "cvb0" from the same start, of which chance makes different topics). The restart with the highest bound on
    them is kept and predicts the second half of each held-out document from its first, see
    :func:`ldavi.metrics.document_completion`. What is said of topics (coherence and the like) is averaged over restarts.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Whole counts, documents × words.
    n_components : array-like of int
        Numbers of topics, in any order.
    estimator : estimator or None, default=None
        What to fit: copies of it get `n_components`, and `random_state` if it has that parameter, and must then have
        `topics_` or `components_`. None means `ldavi.LatentDirichletAllocation()`.
    n_init : int, default=5
        Restarts of each number of topics. One does not tell stability, and may end in a poor optimum.
    held_out : float or int, default=0.2
        A share of the documents that is held out once, above 0 and below 1; or n >= 2 folds, each held out in turn: then all
        documents are judged on, with n times the fits.
    coherence : {"u_mass", "uci", "npmi", "c_v"}, default="npmi"
        See :func:`ldavi.metrics.coherence`; windows are the documents of X.
    n_words : int, default=10
        First words of a topic, for coherence, diversity, exclusivity and stability; at least 2.
    doc_topic_prior : "grid", float or None, default="grid"
        α for held-out documents, see :func:`ldavi.metrics.document_completion`. None means that of each fit.
    n_jobs : int or None, default=None
        Fits at the same time, in threads unless `joblib.parallel_config` says otherwise. None makes one after the other, each
        with the estimator's own `n_jobs`; else each fit has one thread. The result is the same for any number, but for
        `seconds`.
    random_state : int or None, default=None
        Seeds restarts and deals documents. None draws one, or takes that of the file at `path`.
    path : path-like or None, default=None
        A file where every fit is kept as it comes, JSON lines. If it is there, its fits are not made again: call once more
        after an interruption, or with more numbers of topics or more restarts.
    progress : bool, callable or None, default=None
        True: a bar on stderr with tqdm on a terminal, else a line for each fit. None: the same, but nothing where stderr is
        not a terminal. A callable is called with (n_done, n_total, fit), fit a :class:`Fit`; one that raises ends the sweep.

    Returns
    -------
    sweep : Sweep
        `recommend()`, `plot()`, and `table` with a row for each number of topics and the columns n_components; perplexity and
        log_likelihood (a held-out token, nats); gap, how much lower than the highest; coherence, diversity, exclusivity;
        stability, the mean Jaccard similarity of the first words of matched topics in use over pairs of restarts; used, how
        many topics are in use, see :class:`Fit`; seconds of a fit.
        A column "m_std_error" goes with each column "m": of the first three over documents and restarts, where that of gap is
        of the difference by documents; of the others over restarts, NaN for one.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or the file at `path` holds fits of other documents, of an estimator with other
        parameters or of other settings.
    KeyboardInterrupt
        On Ctrl-C. What was fitted is in the file.

    References
    ----------
    Wallach, Murray, Salakhutdinov, Mimno. "Evaluation methods for topic models". ICML 2009. Greene, O'Callaghan, Cunningham.
    "How many topics? Stability analysis for topic models". ECML PKDD 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from ldavi import selection
    >>> rng = np.random.default_rng(0)
    >>> topics, proportions = rng.dirichlet(np.full(40, 0.05), 3), rng.dirichlet(np.full(3, 0.1), 100)
    >>> X = np.array([rng.multinomial(100, p) for p in proportions @ topics])
    >>> result = selection.sweep(X, [2, 3, 6], random_state=0)
    >>> result.recommend().n_components
    3
    """
    grid = _check_grid(n_components)
    n_init = check.check_integer("n_init", n_init, minimum=1)
    held_out = _design.check_held_out(held_out)
    check.check_choice("coherence", coherence, tuple(WINDOW_SIZES))
    measures = _design.Measures(
        coherence, check.check_integer("n_words", n_words, minimum=2), _check_prior(doc_topic_prior)
    )
    check_progress(progress)
    check.count_threads(n_jobs)
    estimator = LatentDirichletAllocation() if estimator is None else _check_estimator(estimator)
    journal = Journal(path)
    seed = _seed(random_state, journal)
    design = _design.make_design(X, held_out, measures, seed)
    if path is not None:
        settings = {"held_out": held_out, **measures._asdict(), "random_state": seed}
        journal.open(fingerprint(design.counts, estimator, settings))
    tasks = _design.make_tasks(grid, len(design.folds), n_init, seed)
    open_tasks = [task for task in tasks if task[:3] not in journal.fits]
    fits = closing(_fits(estimator, design, open_tasks, n_jobs))
    with fits as each, reporter(progress, len(tasks) - len(open_tasks), len(tasks)) as report:
        for fit in each:
            journal.keep(fit)
            report(fit)
    return summarise([journal.fits[task[:3]] for task in tasks], _design.held_out_tokens(design))


def _fits(
    estimator: Any, design: _design.Design, tasks: list[_design.Task], n_jobs: int | None
) -> Generator[_design.Fit, None, None]:
    """Each fit as it is done, in no order."""
    if n_jobs is None or not tasks:
        yield from (_design.run(estimator, design, task) for task in tasks)
        return
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered", pre_dispatch="n_jobs")
    fits = parallel(delayed(_design.run)(estimator, design, task) for task in tasks)
    try:
        for fit in fits:  # noqa: UP028  `yield from` would close it outside of the next lines
            yield fit
    finally:
        with warnings.catch_warnings():  # that fits under way are dropped, which an interruption is for
            warnings.simplefilter("ignore", UserWarning)
            fits.close()


def _check_grid(n_components: Any) -> list[int]:
    values = list(np.ravel(np.asarray(n_components, dtype=object)))
    if not values:
        raise ValueError(f"n_components={n_components!r} is empty; give at least one number of topics")
    return sorted({check.check_integer("n_components", value, minimum=1) for value in values})


def _check_prior(doc_topic_prior: Any) -> str | float | None:
    if doc_topic_prior is None or (isinstance(doc_topic_prior, str) and doc_topic_prior == "grid"):
        return doc_topic_prior
    if isinstance(doc_topic_prior, str):
        raise ValueError(f"doc_topic_prior={doc_topic_prior!r} must be 'grid', a number > 0 or None")
    return check.check_number("doc_topic_prior", doc_topic_prior, minimum=0, exclusive=True)


def _check_estimator(estimator: Any) -> Any:
    parameters = estimator.get_params() if hasattr(estimator, "get_params") and not isinstance(estimator, type) else {}
    if "n_components" not in parameters or not hasattr(estimator, "fit"):
        raise TypeError(f"estimator={estimator!r} must be an estimator with a method fit and a parameter n_components")
    return estimator


def _seed(random_state: Any, journal: Journal) -> int:
    if random_state is not None:
        seed = check.check_integer("random_state", random_state, minimum=0)
        if seed >= 2**32:
            raise ValueError(f"random_state={random_state!r} must be an integer >= 0 and < 2**32")
        return seed
    if journal.header is not None:
        return int(journal.header["random_state"])
    return int(check_random_state(None).randint(_design.SEEDS))
