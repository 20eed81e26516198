"""Fits of `benchmarks.same_bits`: engines, initial topics, dtypes, priors, stopping; in memory, batches and Dask."""

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.same_bits_fields import Fields, digest, fields_of, given_topics, in_batches, planted, weights

Compute = Callable[[Path], Fields]  # the argument is a directory for the case's files
Case = tuple[str, Compute]

ENGINES: dict[str, dict[str, Any]] = {
    f"{inference} {method}": {"inference": inference, "learning_method": method}
    for inference, method in itertools.product(("vb", "cvb0"), ("batch", "online", "memoized"))
}
for _online in ("vb online", "cvb0 online"):
    ENGINES[_online]["max_iter"] = 6  # passes of eight steps, which do not change from one pass to the next
STARTS: dict[str, Callable[[], Any]] = {
    "auto": lambda: "auto",
    "random": lambda: "random",
    "cvb0": lambda: "cvb0",
    "array": given_topics,
    "model": lambda: fitted(4, max_iter=3, init="random"),
}


def estimator(n_components: int = 4, **parameters: Any) -> Any:
    """Make an estimator that takes online steps of 16 documents and makes 26 passes, which go through every phase."""
    from ldavi import LatentDirichletAllocation

    usual = {"random_state": 0, "max_iter": 26, "tol": None, "batch_size": 16}
    return LatentDirichletAllocation(n_components, **(usual | parameters))


@functools.cache
def fitted(n_components: int, **parameters: Any) -> Any:
    """Fit a model that several cases share; none of them changes it."""
    return estimator(n_components, **parameters).fit(planted())


def in_memory(n_components: int = 4, X: Any = None, weight: Any = None, n_fits: int = 1, **parameters: Any) -> Fields:
    """Fit once or several times, and return the fields of the last fit."""
    X = planted() if X is None else X
    model = estimator(n_components, **parameters)
    for _ in range(n_fits):
        model.fit(X, sample_weight=weight)
    return fields_of(model, X)


def cases() -> Iterator[Case]:
    """Yield the name of each case and the function that computes its fields."""
    yield from engines()
    yield from settings()
    yield from stopping()
    yield from batches()
    yield from partial_fits()
    yield from dask()


def engines() -> Iterator[Case]:
    """Fit every engine with every `init`, dtype and number of threads; K = 4 and, for two kinds of `init`, K = 17."""
    for (name, engine), start, dtype, n_jobs in itertools.product(
        ENGINES.items(), STARTS, ("float32", "float64"), (1, 3)
    ):
        settings = engine | {"dtype": dtype, "n_jobs": n_jobs}
        yield (
            f"{name}, init {start}, {dtype}, n_jobs {n_jobs}",
            lambda _, start=start, settings=settings: in_memory(init=STARTS[start](), **settings),
        )
        if start in ("auto", "random"):
            yield (
                f"{name}, init {start}, {dtype}, n_jobs {n_jobs}, K 17",
                lambda _, start=start, settings=settings: in_memory(17, init=start, **settings),
            )


def _variations() -> dict[str, dict[str, Any]]:
    """Return parameters for every engine; where it rejects them, both trees must raise the same exception."""
    X, rng = planted(), np.random.default_rng(3)
    by_word = rng.random(80) / 4 + 0.01
    return {
        "priors None": {"doc_topic_prior": None, "topic_word_prior": None},
        "priors float": {"doc_topic_prior": 0.2, "topic_word_prior": 0.03},
        "alpha array": {"doc_topic_prior": np.array([0.1, 0.2, 0.3, 0.4])},
        "eta of each word": {"topic_word_prior": by_word},
        "eta of each topic and word": {"topic_word_prior": np.outer([1, 2, 0.5, 1], by_word)},
        "alpha auto, eta float": {"topic_word_prior": 0.1},
        "alpha float, eta auto": {"doc_topic_prior": 0.1},
        "point estimates": {"topic_word_prior": 0},
        "point estimates, alpha float": {"topic_word_prior": 0, "doc_topic_prior": 0.1},
        "seed words": {"seed_words": {0: [1, 2], 2: [5]}},
        "weights": {"weight": weights()},
        "weights, float64, random": {"weight": weights(), "dtype": "float64", "init": "random"},
        "n_init 2": {"n_init": 2},
        "n_init 3, random": {"n_init": 3, "init": "random", "max_iter": 7},
        "warm start": {"warm_start": True, "n_fits": 2},
        "warm start, given priors": {"warm_start": True, "n_fits": 3, "doc_topic_prior": 0.2, "topic_word_prior": 0.1},
        "steps of auto": {"batch_size": "auto", "max_iter": 5},
        "learning rate": {"learning_decay": 0.9, "learning_offset": 64.0, "max_iter": 5},
        "few inner iterations": {"max_doc_update_iter": 1},
        "small mean_change_tol": {"mean_change_tol": 1e-8, "max_iter": 12},
        "K 1": {"n_components": 1, "max_iter": 6},
        "K 130": {"n_components": 130, "max_iter": 6},
        "random generator": {"random_state": np.random.RandomState(5), "init": "random", "max_iter": 5},
        "dense X": {"X": X.toarray().astype(float), "max_iter": 7},
        "fractional X": {"X": X * 0.37, "max_iter": 12},
        "a large count": {"X": _with_a_large_count(), "max_iter": 5, "doc_topic_prior": 0.2, "topic_word_prior": 0.03},
        "long documents": {"X": planted(length=400)},
        "long documents, random, K 17": {
            "X": planted(length=400),
            "init": "random",
            "n_components": 17,
            "max_iter": 70,
        },
        "many documents, n_jobs 3": {"X": planted(3000), "n_jobs": 3, "max_iter": 7, "batch_size": 256},
        "unused words": {"X": _with_unused_words(), "max_iter": 12},
        "no counts": {"X": X * 0, "max_iter": 3},
        "negative counts": {"X": -X},
        "wrong init": {"init": np.ones((3, 80))},
    }


def _with_unused_words() -> Any:
    X = planted().copy()
    X.data[X.indices % 7 == 3] = 0
    X.eliminate_zeros()
    return X


def _with_a_large_count() -> Any:
    """Return counts that float32 does not represent exactly, so that the fit computes in float64."""
    X = planted().copy()
    X.data[0] = 2**24 + 1
    return X


def settings() -> Iterator[Case]:
    """Fit every engine with various priors, weights, restarts and kinds of X."""
    for (name, engine), what in itertools.product(ENGINES.items(), _variations()):
        # The parameters are created for each case, because a fit changes the random generator among them.
        yield f"{name}, {what}", lambda _, engine=engine, what=what: in_memory(**(engine | _variations()[what]))


def stopping() -> Iterator[Case]:
    """Fit every engine with every stopping rule, and with few passes."""
    rules: dict[str, dict[str, Any]] = {f"max_iter {n}": {"max_iter": n} for n in (1, 2, 3, 7, 40)}
    rules |= {f"max_iter {n}, random": {"max_iter": n, "init": "random"} for n in (1, 2, 3, 7, 61)}
    rules |= {f"max_iter {n}, init cvb0": {"max_iter": n, "n_collapsed_iter": 15} for n in (1, 2, 3, 7, 60)}
    rules |= {
        "tol": {"tol": 1e-4, "max_iter": 300},
        "tol, random": {"tol": 1e-3, "max_iter": 300, "init": "random"},
        "tol, float64, init cvb0": {"tol": 1e-5, "max_iter": 200, "n_collapsed_iter": 15, "dtype": "float64"},
        "tol not reached": {"tol": 1e-9, "max_iter": 8},
        "validation": {"validation_fraction": 0.2, "max_iter": 60},
        "validation, n_iter_no_change": {
            "validation_fraction": 0.3,
            "max_iter": 60,
            "n_iter_no_change": 1,
            "tol": 1e-4,
        },
        "validation, n_init 2": {"validation_fraction": 0.2, "n_init": 2, "max_iter": 20},
        "evaluate_every": {"evaluate_every": 2, "perp_tol": 0.5},
        "evaluate_every, tol": {"evaluate_every": 3, "perp_tol": 0.01, "tol": 1e-5, "max_iter": 100},
    }
    for (name, engine), (what, rule) in itertools.product(ENGINES.items(), rules.items()):
        yield f"{name}, {what}", lambda _, settings=engine | rule: in_memory(**settings)
    for (name, engine), start, last in itertools.product(ENGINES.items(), ("random", "cvb0"), (1, 6, 14)):
        settings = engine | {"init": start}
        for way in ("stops", "interrupts"):
            what = f"{name}, init {start}, a callback {way} after pass {last}"
            yield what, lambda _, last=last, way=way, settings=settings: _with_callback(last, way, settings)


def _with_callback(last: int, way: str, settings: dict[str, Any]) -> Fields:
    """Fit with a callback that ends the fit, and return the records it was given and the fields of the estimator."""
    seen: list[Any] = []

    def callback(record: Any) -> bool:
        seen.append([record.iteration, record.elbo, record.objective, record.perplexity, record.predictive])
        if way == "interrupts" and len(seen) == last:
            raise KeyboardInterrupt
        return len(seen) == last

    model = estimator(callbacks=[callback], **settings)
    try:
        model.fit(planted())
        ended = "by itself"
    except KeyboardInterrupt:
        ended = "by an interrupt"
    return fields_of(model, planted()) | {"records seen": digest(seen), "ended": ended}


def batches() -> Iterator[Case]:
    """Fit to a list of batches and to a file of counts."""
    variations: dict[str, dict[str, Any]] = {f"init {start}": {"init": start} for start in ("auto", "random", "cvb0")}
    variations |= {
        "float64, n_jobs 3": {"dtype": "float64", "n_jobs": 3},
        "priors float": {"doc_topic_prior": 0.2, "topic_word_prior": 0.03},
        "point estimates": {"topic_word_prior": 0},
        "seed words": {"seed_words": {0: [1, 2], 2: [5]}},
        "n_init 2": {"n_init": 2, "max_iter": 8},
        "warm start": {"warm_start": True, "n_fits": 2, "max_iter": 8},
        "tol": {"tol": 1e-4, "max_iter": 200},
        "evaluate_every": {"evaluate_every": 2, "perp_tol": 0.5},
        "total_samples": {"total_samples": 1000, "max_iter": 4},
        "unused words": {"max_iter": 12},
        "validation": {"validation_fraction": 0.2},
        "weights": {"weight": weights()},
        "max_iter 1": {"max_iter": 1},
        "max_iter 2": {"max_iter": 2},
    }
    for (name, engine), (what, variation) in itertools.product(ENGINES.items(), variations.items()):
        X = _with_unused_words() if what == "unused words" else planted()
        settings = engine | variation
        yield f"{name}, batches, {what}", lambda _, X=X, settings=settings: _in_batches(in_batches(X), X, settings)
    for name, engine in ENGINES.items():
        yield f"{name}, a file of counts", lambda directory, engine=engine: _in_a_file(directory, engine)
    yield "a generator as X", lambda _: _in_batches(iter(in_batches(planted())), planted(), {})


def _in_batches(source: Any, X: Any, settings: dict[str, Any]) -> Fields:
    settings = dict(settings)
    weight, n_fits = settings.pop("weight", None), settings.pop("n_fits", 1)
    model = estimator(**settings)
    for _ in range(n_fits):
        model.fit(source, sample_weight=weight)
    return fields_of(model, X)


def _in_a_file(directory: Path, settings: dict[str, Any]) -> Fields:
    from ldavi import io

    path = directory / "counts"
    io.save_counts(path, planted(), batch_size=50)
    return _in_batches(io.open_counts(path, batch_size=50), planted(), settings)


def partial_fits() -> Iterator[Case]:
    """Call `partial_fit` repeatedly, alone and after a fit, and with growing vocabularies."""
    variations: dict[str, dict[str, Any]] = {
        "usual": {},
        "float64, n_jobs 3": {"dtype": "float64", "n_jobs": 3},
        "total_samples": {"total_samples": 5000},
        "priors float": {"doc_topic_prior": 0.2, "topic_word_prior": 0.03},
        "point estimates": {"topic_word_prior": 0},
        "seed words": {"seed_words": {0: [1, 2]}},
        "given topics": {"init": given_topics()},
        "steps of auto": {"batch_size": "auto"},
        "small steps": {"batch_size": 3},  # enough of them for α and η to be learned
        "new words by place": {"new_words": "add"},
    }
    for inference, (what, variation) in itertools.product(("vb", "cvb0"), variations.items()):
        settings = {"inference": inference} | variation
        yield f"{inference} partial_fit, {what}", lambda _, settings=settings: _partial_fits(settings)
        for method in ("batch", "online"):
            learning = settings | {"learning_method": method, "max_iter": 6}
            yield (
                f"{inference} partial_fit after fit {method}, {what}",
                lambda _, settings=learning: _fit_and_more(settings),
            )
    for inference, seeded in itertools.product(("vb", "cvb0"), (False, True)):
        settings = {"inference": inference, "new_words": "add"} | ({"seed_words": {0: ["w1", "w2"]}} if seeded else {})
        name = f"{inference} partial_fit, new words by name" + (", seed words" if seeded else "")
        yield name, lambda _, settings=settings: _growing(settings)


def _partial_fits(settings: dict[str, Any]) -> Fields:
    X, model = planted(), estimator(**settings)
    width = 60 if settings.get("new_words") == "add" else X.shape[1]
    model.partial_fit(X[:50, :width])
    model.partial_fit(X[50:90], sample_weight=weights()[:40])
    return fields_of(model.partial_fit(X[90:]), X)


def _fit_and_more(settings: dict[str, Any]) -> Fields:
    X, model = planted(), estimator(**settings)
    model.fit(X[:80])
    return fields_of(model.partial_fit(X[80:]), X)


def _growing(settings: dict[str, Any]) -> Fields:
    """Call `partial_fit` with columns in another order, some missing, some new."""
    import pandas as pd

    frame = pd.DataFrame(planted().toarray(), columns=[f"w{column}" for column in range(80)])
    model = estimator(**settings).partial_fit(frame.iloc[:50, :50])
    model.partial_fit(frame.iloc[50:80, 70:20:-1])
    model.partial_fit(frame.iloc[80:])
    known = frame[list(model.feature_names_in_)]
    return fields_of(model, known) | {"feature_names_in_": digest(model.feature_names_in_)}


def dask() -> Iterator[Case]:
    """Fit to Dask collections in this process, and once on a cluster of threads."""
    variations: dict[str, dict[str, Any]] = {
        f"init {name}": {"init": start()} for name, start in _dask_starts().items()
    }
    variations |= {
        "float64, n_jobs 3": {"dtype": "float64", "n_jobs": 3},
        "K 17": {"n_components": 17},
        "priors None": {"doc_topic_prior": None, "topic_word_prior": None},
        "priors float": {"doc_topic_prior": 0.2, "topic_word_prior": 0.03},
        "point estimates": {"topic_word_prior": 0},
        "seed words": {"seed_words": {0: [1, 2], 2: [5]}},
        "weights": {"weight": weights()},
        "n_init 2": {"n_init": 2, "max_iter": 8},
        "warm start": {"warm_start": True, "n_fits": 2, "max_iter": 8},
        "tol": {"tol": 1e-4, "max_iter": 200},
        "evaluate_every": {"evaluate_every": 2, "perp_tol": 0.5},
        "a callback stops": {"callbacks": lambda record: record.iteration == 7},
        "unused words": {"X": _with_unused_words()},
        "bag": {"as_bag": True},
        "online": {"learning_method": "online"},
        "memoized": {"learning_method": "memoized"},
        "inference cvb0": {"inference": "cvb0"},
        "validation": {"validation_fraction": 0.2},
    }
    variations |= {f"max_iter {n}": {"max_iter": n} for n in (1, 2, 3, 7)}
    for what, variation in variations.items():
        yield f"dask, {what}", lambda _, variation=variation: _on_dask(**variation)
    yield "dask, partial_fit", lambda _: _partial_fit_on_dask()
    yield "dask, cluster of threads", lambda _: _on_a_cluster()


def _dask_starts() -> dict[str, Callable[[], Any]]:
    return {name: start for name, start in STARTS.items() if name != "model"}  # models are fitted when a case is run


def _on_dask(X: Any = None, weight: Any = None, n_fits: int = 1, as_bag: bool = False, **parameters: Any) -> Fields:
    import dask.bag

    from ldavi.dask import LatentDirichletAllocation

    X = planted() if X is None else X
    documents = dask.bag.from_sequence(in_batches(X), npartitions=2) if as_bag else _blocks(X)
    usual = {"n_components": 4, "random_state": 0, "max_iter": 26, "tol": None}
    model = LatentDirichletAllocation(**(usual | parameters))
    for _ in range(n_fits):
        model.fit(documents, sample_weight=weight)
    lazily = {"gamma of blocks": digest(np.asarray(model.transform(_blocks(X), normalize=False)))}
    answers = {"score": digest(model.score(_blocks(X))), "perplexity": digest(model.perplexity(_blocks(X)))}
    return fields_of(model, X) | lazily | answers


def _blocks(X: Any) -> Any:
    import dask.array as da

    return da.from_array(X.toarray(), chunks=(50, X.shape[1]))


def _partial_fit_on_dask() -> Fields:
    from ldavi.dask import LatentDirichletAllocation

    model = LatentDirichletAllocation(4, random_state=0, batch_size=16)
    return fields_of(model.partial_fit(_blocks(planted())), planted())


def _on_a_cluster() -> Fields:
    from distributed import Client, LocalCluster

    with (
        warnings.catch_warnings(),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        return _on_dask(max_iter=14)
