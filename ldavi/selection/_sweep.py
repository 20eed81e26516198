"""`sweep`: fit and evaluate a grid of numbers of topics."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeAlias

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ldavi._core.typing import CoherenceMeasure
from ldavi._estimator import validation as check
from ldavi._estimator.lda import LatentDirichletAllocation
from ldavi.metrics._coherence import WINDOW_SIZES
from ldavi.progress import ProgressBar, ProgressDisplay
from ldavi.selection import _design
from ldavi.selection._journal import Journal, fingerprint
from ldavi.selection._result import Sweep, summarise

Progress: TypeAlias = bool | Callable[[int, int, _design.Fit], object] | ProgressBar | None


def sweep(
    X: Any,
    n_components: ArrayLike,
    *,
    estimator: Any = None,
    n_init: int = 5,
    held_out: float | int = 0.2,
    coherence: CoherenceMeasure = "npmi",
    n_words: int = 10,
    doc_topic_prior: str | float | None = "grid",
    n_jobs: int | None = None,
    random_state: int | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: Progress = None,
) -> Sweep:
    """Fit models with several numbers of topics and evaluate each on the same held-out documents.

    Each number of topics is fitted `n_init` times to the same documents. Restarts of
    :class:`ldavi.LatentDirichletAllocation` with `init="auto"` after the first use random initialisation; with "cvb0"
    all begin alike, and the random draws lead to different topics. The restart with the highest bound on the training
    documents predicts the second half of each held-out document from its first half, see
    :func:`ldavi.metrics.document_completion`. The measures of topics, such as coherence, are means over all restarts.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Integer counts, documents × words.
    n_components : array-like of int
        The numbers of topics, in any order.
    estimator : estimator or None, default=None
        The estimator to fit. Copies of it are given `n_components`, and `random_state` if it has that parameter;
        fitted, they must have `topics_` or `components_`. None means `ldavi.LatentDirichletAllocation()`.
    n_init : int, default=5
        Restarts for each number of topics. With one restart, a sweep is fast, but the stability is unknown, and the fit
        may end in a poor local optimum.
    held_out : float or int, default=0.2
        A float between 0 and 1 is the share of the documents that is held out once. An integer n >= 2 is a number of
        folds, each held out in turn: every document is then used for evaluation, at n times the number of fits.
    coherence : {"u_mass", "uci", "npmi", "c_v"}, default="npmi"
        The coherence measure, see :func:`ldavi.metrics.coherence`. Its windows are the documents of X. Ratings by
        people agree best with "c_v" and "npmi" (Röder et al. 2015).
    n_words : int, default=10
        Top words of a topic for coherence, diversity, exclusivity and stability; at least 2. Choose the number of words
        that you read or publish.
    doc_topic_prior : "grid", float or None, default="grid"
        α for held-out documents, see :func:`ldavi.metrics.document_completion`. None uses the α of each fit; use it if
        all fits have the same α.
    n_jobs : int or None, default=None
        Fits that run at the same time, in threads unless `joblib.parallel_config` says otherwise. With None the fits
        run one after the other, each with the estimator's own `n_jobs`; otherwise each fit has one thread. Everything
        but `seconds` is the same for any number.
    random_state : int or None, default=None
        Seed of the restarts and of the split into training and held-out documents. None draws a seed, or takes the
        one in the file at `path`.
    path : path-like or None, default=None
        A file of JSON lines to which each finished fit is appended. Fits that the file holds are not repeated: make the
        same call again after an interruption, or with more numbers of topics or more restarts.
    progress : bool, ProgressBar, callable or None, default=None
        True shows a tqdm bar on a terminal, or writes a line for each fit to standard error. None does the same, but
        shows nothing where standard error is not a terminal. A ProgressBar does the same as True. Another callable is
        called with (n_done, n_total, fit), where fit is a :class:`Fit`; an exception that it raises ends the sweep.

    Returns
    -------
    sweep : Sweep
        The result, with `recommend()`, `plot()` and `table`. The table has a row for each number of topics and these
        columns: n_components; perplexity and log_likelihood (nats per held-out token); gap, the difference from the
        highest log_likelihood; coherence, diversity and exclusivity; stability, the mean Jaccard similarity of the top
        words of matched topics in use, over pairs of restarts; used, the number of topics in use, see :class:`Fit`;
        seconds of a fit. Each column "m" has a column "m_std_error". The standard errors of perplexity, log_likelihood
        and gap are over documents and restarts (that of gap is of the paired differences). The others are over
        restarts, and NaN for one restart. With several folds, which share training documents, they are at least the
        standard error over folds with the correction of Nadeau and Bengio. That of stability is the jackknife's, since
        pairs that share a restart are dependent, and NaN for fewer than three restarts.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or the file at `path` holds fits to other documents, of an estimator with
        other parameters, or with other settings.
    KeyboardInterrupt
        On Ctrl-C. Finished fits are in the file.

    References
    ----------
    Wallach, Murray, Salakhutdinov, Mimno. "Evaluation methods for topic models". ICML 2009.
    Greene, O'Callaghan, Cunningham. "How many topics? Stability analysis for topic models". ECML PKDD 2014.
    Nadeau, Bengio. "Inference for the generalization error". Machine Learning 52, 2003.

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
    _check_progress(progress)
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
    with fits as each, _reporter(progress, len(tasks) - len(open_tasks), len(tasks)) as report:
        for n_done, fit in enumerate(each, start=len(tasks) - len(open_tasks) + 1):
            journal.append(fit)
            report(n_done, fit)
    return summarise([journal.fits[task[:3]] for task in tasks], _design.held_out_tokens(design))


def _fits(
    estimator: Any, design: _design.Design, tasks: list[_design.Task], n_jobs: int | None
) -> Generator[_design.Fit, None, None]:
    """Yield each fit when it is finished, in any order."""
    if n_jobs is None or not tasks:
        yield from (_design.fit_and_evaluate(estimator, design, task) for task in tasks)
        return
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered", pre_dispatch="n_jobs")
    fits = parallel(delayed(_design.fit_and_evaluate)(estimator, design, task) for task in tasks)
    try:
        for fit in fits:  # noqa: UP028  `yield from` would close `fits` outside the filter below
            yield fit
    finally:
        with warnings.catch_warnings():  # joblib warns that the running fits are dropped, which is intended here
            warnings.simplefilter("ignore", UserWarning)
            fits.close()


def _check_progress(progress: object) -> None:
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress={progress!r} must be None, True, False or a callable(n_done, n_total, fit)")


@contextmanager
def _reporter(progress: Progress, n_done: int, n_total: int) -> Iterator[Callable[[int, _design.Fit], object]]:
    """Yield the function to call after each fit, with the number of fits that are done."""
    terminal = sys.stderr.isatty()
    if callable(progress) and not isinstance(progress, ProgressBar):  # which shows the passes of one fit
        yield lambda number, fit: progress(number, n_total, fit)
    elif progress is False or (progress is None and not terminal):
        yield lambda number, fit: None
    else:
        with ProgressDisplay("sweep", "fit", n_total, initial=n_done, interval=0, use_tqdm=terminal) as display:
            yield lambda number, fit: display.advance(1, _describe(fit))


def _describe(fit: _design.Fit) -> str:
    restart = f"{fit.n_components} topics, fold {fit.fold}, restart {fit.restart}"
    return f"{restart}: {fit.log_likelihood:.4f} nats per held-out token"


def _check_grid(n_components: ArrayLike) -> list[int]:
    values = list(np.ravel(np.asarray(n_components, dtype=object)))
    if not values:
        raise ValueError(f"n_components={n_components!r} is empty; give at least one number of topics")
    return sorted({check.check_integer("n_components", value, minimum=1) for value in values})


def _check_prior(doc_topic_prior: object) -> str | float | None:
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


def _seed(random_state: object, journal: Journal) -> int:
    if random_state is not None:
        seed = check.check_integer("random_state", random_state, minimum=0)
        if seed >= 2**32:
            raise ValueError(f"random_state={random_state!r} must be an integer >= 0 and < 2**32")
        return seed
    if journal.header is not None:
        return int(journal.header["random_state"])
    return int(check_random_state(None).randint(_design.SEEDS))
