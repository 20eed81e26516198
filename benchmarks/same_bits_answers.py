"""Cases of `benchmarks.same_bits` on fitted models: inference, metrics, inspection, selection, export."""

import functools
import gzip
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.same_bits_fields import Fields, digest, planted
from benchmarks.same_bits_grid import Case, estimator, fitted

NAMES = [f"word{column}" for column in range(80)]


@functools.cache
def _new_documents() -> Any:
    """Return documents that the models were not fitted to."""
    return planted(200)[120:160]


def cases() -> Iterator[Case]:
    """Yield the name of each case and the function that computes its fields."""
    models = {
        "vb": {"max_iter": 14},
        "vb float64": {"max_iter": 14, "dtype": "float64"},
        "point estimates": {"max_iter": 14, "topic_word_prior": 0},
        "cvb0": {"max_iter": 14, "inference": "cvb0"},
    }
    functions = _of_models() | _metrics() | _inspection()
    for (name, parameters), n_topics in itertools.product(models.items(), (4, 17)):
        for what, function in functions.items():
            yield (
                f"{what} of {name}, K {n_topics}",
                lambda _, function=function, parameters=parameters, n_topics=n_topics: {
                    "value": digest(function(fitted(n_topics, **parameters)))
                },
            )
    yield from _infer()
    yield from _selection()
    yield "io.to_mallet_state", _mallet_state


def _of_models() -> dict[str, Callable[[Any], Any]]:
    new = _new_documents()
    return {
        "components_": lambda model: model.components_,
        "topics_": lambda model: model.topics_,
        "exp_dirichlet_component_": lambda model: model.exp_dirichlet_component_,
        "transform": lambda model: model.transform(new),
        "gamma": lambda model: model.transform(new, normalize=False),
        "word_topics": lambda model: model.word_topics(new),
        "score": lambda model: model.score(new),
        "perplexity": lambda model: model.perplexity(new),
        "transform, n_jobs 3": lambda model: _copy(model, n_jobs=3).transform(new),
        "transform, few inner iterations": lambda model: _copy(model, max_doc_update_iter=2).transform(new),
    }


def _copy(model: Any, **parameters: Any) -> Any:
    import copy

    return copy.deepcopy(model).set_params(**parameters)


def _infer() -> Iterator[Case]:
    options: dict[str, dict[str, Any]] = {
        "usual": {},
        "float64": {"dtype": "float64"},
        "n_jobs 3": {"n_jobs": 3},
        "small mean_change_tol": {"mean_change_tol": 1e-9, "max_doc_update_iter": 1000},
        "few inner iterations": {"mean_change_tol": 0, "max_doc_update_iter": 3},
        "alpha float": {"doc_topic_prior": 0.1},
        "alpha array": {"doc_topic_prior": [0.1, 0.2, 0.3, 0.4]},
    }
    for (what, option), with_zeros in itertools.product(options.items(), (False, True)):
        name = f"infer, {what}" + (", words that no topic produces" if with_zeros else "")
        yield name, lambda _, option=option, with_zeros=with_zeros: _inferred(with_zeros, option)


def _inferred(with_zeros: bool, option: dict[str, Any]) -> Fields:
    import ldavi

    topics = np.array(fitted(4, max_iter=3, init="random").topics_, dtype=np.float64)
    if with_zeros:
        topics[:, ::9] = 0
        topics[:2, 1::9] = 0
    topics /= topics.sum(axis=1, keepdims=True)
    gamma, bound, n_iter = ldavi.infer(_new_documents(), topics, **option)
    return {"gamma": digest(gamma), "bound": digest(bound), "inner iterations": digest(n_iter)}


def _metrics() -> dict[str, Callable[[Any], Any]]:
    from ldavi import metrics

    new, X = _new_documents(), planted()
    functions: dict[str, Callable[[Any], Any]] = {
        f"metrics.coherence {measure}": lambda model, measure=measure: metrics.coherence(model, X, measure)
        for measure in ("u_mass", "uci", "npmi", "c_v")
    }
    functions |= {
        f"metrics.coherence {measure} of texts, {counting}": lambda model, measure=measure, counting=counting: (
            metrics.coherence(model, _texts(X), measure, feature_names=NAMES, counting=counting)
        )
        for measure, counting in itertools.product(("u_mass", "uci", "npmi", "c_v"), ("gensim", "boolean"))
    }
    functions |= {
        f"metrics.document_completion {method}, prior {prior}": lambda model, method=method, prior=prior: (
            metrics.document_completion(model, new, method=method, doc_topic_prior=prior, seed=3)
        )
        for method, prior in itertools.product(("gibbs", "variational"), ("grid", None, 0.1))
    }
    few = {"n_temperatures": 30, "n_chains": 3, "seed": 2}
    return functions | {
        "metrics.left_to_right": lambda model: metrics.left_to_right(model, new, n_particles=4, seed=1),
        "metrics.left_to_right, n_jobs 2": lambda model: metrics.left_to_right(
            model, new, n_particles=4, seed=1, n_jobs=2
        ),
        "metrics.log_evidence": lambda model: metrics.log_evidence(model, new, **few),
        "metrics.bound_gap": lambda model: metrics.bound_gap(model, new, **few),
        "metrics.token_split": lambda model: metrics.token_split(new, seed=4),
        "metrics.exclusivity": lambda model: metrics.exclusivity(model),
        "metrics.frex": lambda model: metrics.frex(model),
        "metrics.inverted_rbo": lambda model: metrics.inverted_rbo(model),
        "metrics.topic_diversity": lambda model: metrics.topic_diversity(model),
        "metrics.topic_diagnostics": lambda model: metrics.topic_diagnostics(model, X),
        "metrics.match_topics": lambda model: metrics.match_topics(model, fitted(4, max_iter=3, init="random")),
        "metrics.scorer": lambda model: metrics.scorer(seed=1)(model, new),
    }


def _texts(X: Any) -> list[list[str]]:
    """Return documents as lists of words in random order."""
    rng = np.random.default_rng(11)
    return [list(rng.permutation(np.repeat(NAMES, row))) for row in X.toarray()]


def _inspection() -> dict[str, Callable[[Any], Any]]:
    from ldavi import inspection

    X, new = planted(), _new_documents()
    functions: dict[str, Callable[[Any], Any]] = {
        f"inspection.word_scores {by}": lambda model, by=by: inspection.word_scores(model, by=by, X=X)
        for by in ("probability", "relevance", "lift", "frex")
    }
    functions |= {
        f"inspection.topic_distances {distance}": lambda model, distance=distance: inspection.topic_distances(
            model, distance=distance
        )
        for distance in ("jensen_shannon", "hellinger", "cosine")
    }
    return functions | {
        "inspection.top_words": lambda model: inspection.top_words(model, feature_names=NAMES),
        "inspection.top_words_lists": lambda model: inspection.top_words_lists(model, feature_names=NAMES),
        "inspection.topic_sizes": lambda model: inspection.topic_sizes(model, X),
        "inspection.representative_documents": lambda model: inspection.representative_documents(model, X),
        "inspection.document_words": lambda model: inspection.document_words(model, new),
        "inspection.theta_intervals": lambda model: inspection.theta_intervals(model, new),
        "inspection.beta_intervals": lambda model: inspection.beta_intervals(model),
        "inspection.topic_correlations": lambda model: inspection.topic_correlations(model.transform(X)),
        "inspection.topic_map": lambda model: inspection.topic_map(model),
        "inspection.topic_labels": lambda model: inspection.topic_labels(
            model, X, [" ".join(words) for words in _texts(X)], feature_names=NAMES, min_documents=2
        ),
    }


def _selection() -> Iterator[Case]:
    def stability(sample: str) -> Fields:
        from ldavi import metrics

        found = metrics.stability_over(estimator(max_iter=4), planted(), n_refits=2, sample=sample, random_state=0)
        return {"value": digest(found)}

    def sweep(_: Path) -> Fields:
        from ldavi import selection

        found = selection.sweep(planted(), [2, 4], estimator=estimator(max_iter=5), n_init=2, random_state=0)
        lengths, likelihood = found.document_tokens, found.document_log_likelihood
        return {
            "tokens": digest(lengths),
            "log likelihood": digest(likelihood),
            "n_components": digest(found.n_components),
        }

    for sample in ("seeds", "bootstrap"):
        yield f"metrics.stability_over {sample}", lambda _, sample=sample: stability(sample)
    yield "selection.sweep", sweep


def _mallet_state(directory: Path) -> Fields:
    from ldavi import io

    path = directory / "state.gz"
    io.to_mallet_state(fitted(4, max_iter=3, init="random"), planted(), path, feature_names=NAMES, random_state=0)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return {"text": digest(file.read())}
