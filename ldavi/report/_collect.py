"""The content of the page as plain Python values: results of `inspection` and `metrics`, rounded, with texts."""

import platform
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray
from scipy import sparse

from ldavi import metrics
from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles
from ldavi._estimator.posterior import Posterior, posterior_of
from ldavi._version import __version__
from ldavi.inspection import _columns
from ldavi.inspection._distinct_labels import distinct_labels
from ldavi.inspection._documents import shares_of
from ldavi.inspection._words import NO_WORDS, relevance
from ldavi.metrics._diversity import effective_words
from ldavi.metrics._top_words import largest, top_words
from ldavi.report import _archive, _documents, _effects, _structure, _subset, _trends
from ldavi.report._documents import DocumentInput
from ldavi.report._rounding import rounded

DIAGNOSTIC_WORDS = 10
LISTED_WORDS = 10  # of each topic in the table of all topics
LISTED_RELEVANCE = 0.6  # λ
TRACE_SHARE = 1e-9  # assumed share of a topic without tokens, so that each of its words has a frequency


@dataclass(frozen=True)
class ModelInput:
    """The model, its topics as distributions, and what the user passed about them, checked."""

    model: ModelOrTopics
    topics: Doubles
    theta: Doubles | None
    labels: dict[int, str]
    diagnostics: dict[str, NDArray[Any]]
    effects: _effects.EffectsInput | None = None


@dataclass(frozen=True)
class Sizes:
    """Sizes of topics: expected tokens in each document (D, K), θ (D, K), share of all tokens (K,)."""

    tokens: Doubles
    theta: Doubles
    shares: Doubles


@dataclass(frozen=True)
class Content:
    """The content of the page, ready for JSON, and what is needed to compress all documents."""

    data: dict[str, Any]
    documents: _archive.Documents
    words: list[str]
    word_topics: Doubles


def collect(fitted: ModelInput, corpus: DocumentInput, *, title: str | None, n_words: int, n_documents: int) -> Content:
    """Compute all content of the page."""
    topics, counts = fitted.topics, corpus.counts
    posterior = _posterior(fitted, counts)
    tokens, theta = posterior.topic_tokens(), posterior.theta()
    sizes = Sizes(tokens, theta, shares_of(tokens.sum(axis=0)))
    divisions = _divisions(corpus)
    rows = _subset.shown_documents(theta, posterior.tokens, sizes.shares, n_documents)
    weights = np.maximum(sizes.shares, TRACE_SHARE)[:, None] * topics  # expected frequencies of words in topics
    positions, n_moved = _structure.map_positions(topics)
    places, anchors = _documents.document_map(theta, sizes.shares, positions, corpus.places)
    data = {
        "title": title or f"{len(topics)} topics of {counts.shape[0]:,} documents",
        "facts": {
            "topics": len(topics),
            "documents": counts.shape[0],
            "words": counts.shape[1],
            "tokens": int(posterior.tokens.sum()),
        },
        "n_words": n_words,
        "steps": _subset.SLIDER_STEPS,
        "unit": _trends.UNIT,
        **_topics(fitted, weights, corpus.names, sizes, posterior.tokens > 0, n_words),
        "map": rounded(positions.T),
        "moved": n_moved,
        "tree": _structure.tree(topics, weights, corpus.names),
        "matrix": _structure.matrix(topics, weights, corpus.names, _trends.UNIT),
        "columns": [_trends.content(name, bins, tokens, posterior.tokens) for name, bins in divisions.items()],
        "effects": None if fitted.effects is None else _effects.content(fitted.model, counts, fitted.effects),
        "documents": _documents.shown(fitted.model, corpus, posterior.documents(rows), rows),
        "document_map": {"topics": rounded(anchors.T), "given": corpus.places is not None},
        "diagnostics": _diagnostics(fitted, counts),
        "trace": _trace(fitted.model),
        "fit": _fit_facts(fitted.model),
        "versions": _versions(),
    }
    every_row = np.arange(counts.shape[0]) if n_documents else np.zeros(0, dtype=np.int64)
    metadata = [_columns.as_text(values, every_row) for values in corpus.metadata.values()]
    names, texts = (corpus.document_names, corpus.texts) if n_documents else (None, None)
    n_kept = len(every_row)
    documents = _archive.Documents(
        counts[:n_kept], theta[:n_kept], posterior.tokens[:n_kept], places[:n_kept], texts, names, metadata
    )
    return Content(data, documents, [str(name) for name in corpus.names], weights / weights.sum(axis=0))


def _divisions(corpus: DocumentInput) -> dict[str, list[_columns.Bins]]:
    n_documents = corpus.counts.shape[0]
    return {
        name: _columns.divisions(f"metadata[{name!r}]", values, n_documents, corpus.bins.get(name))
        for name, values in corpus.metadata.items()
    }


def _posterior(fitted: ModelInput, counts: sparse.csr_array) -> Posterior:
    """Compute the documents' posterior, also for a model that was fitted on a table with named columns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)
        return posterior_of(fitted.model, counts, None, "report.write", theta=fitted.theta)


def _topics(
    fitted: ModelInput,
    weights: Doubles,
    names: NDArray[Any],
    sizes: Sizes,
    occupied: NDArray[np.bool_],
    n_words: int,
) -> dict[str, Any]:
    """Describe the topics; their words are positions in the list of words that occur on the page."""
    topics = fitted.topics
    word_share = weights.sum(axis=0)
    columns = _subset.slider_words(topics, word_share, n_words)
    used = np.unique(np.concatenate(columns))
    labels = [", ".join(words) or NO_WORDS for words in distinct_labels(weights, names)]
    n_largest = np.bincount(sizes.theta[occupied].argmax(axis=1), minlength=len(topics))
    return {
        "words": [str(names[w]) for w in used],
        "word_share": rounded(word_share[used], 6),
        "topics": [
            {
                "label": fitted.labels.get(k, label),
                "named": k in fitted.labels,
                "share": rounded(sizes.shares[k], 6),
                "documents": int(n_largest[k]),
                "words": np.searchsorted(used, columns[k]).tolist(),
                "p": rounded(topics[k, columns[k]], 6),
                "listed": _listed(topics[k, columns[k]], word_share[columns[k]], names[columns[k]]),
            }
            for k, label in enumerate(labels)
        ],
    }


def _listed(p: Doubles, word_share: Doubles, names: NDArray[Any]) -> list[str]:
    """Return the most relevant words of a topic, for the table of all topics."""
    scores = relevance(np.log(p), np.log(word_share), LISTED_RELEVANCE)
    return [str(name) for name in names[largest(scores[None], LISTED_WORDS)[0]]]


def _diagnostics(fitted: ModelInput, counts: sparse.csr_array) -> list[dict[str, Any]]:
    """Return the columns of the diagnostics table; those that the user passed come last."""
    topics = fitted.topics
    columns: list[tuple[str, str, NDArray[Any]]] = [
        (
            "Effective words",
            "1 / Σ p², with p the probabilities of the topic's words: n for a uniform topic over n words",
            effective_words(topics),
        ),
        (
            "Exclusivity",
            f"mean share of its {DIAGNOSTIC_WORDS} most probable words that belongs to this topic, 0 to 1",
            metrics.exclusivity(topics, DIAGNOSTIC_WORDS),
        ),
    ]
    if topics.shape[1] > 1:
        columns.append(
            (
                "Coherence (u_mass)",
                f"of its {DIAGNOSTIC_WORDS} most probable words: near 0 if they occur in the same documents, "
                "very negative if not; – if one of them occurs in no document here",
                _u_mass(topics, counts),
            )
        )
    columns += [(name, "", values) for name, values in fitted.diagnostics.items()]
    return [
        {
            "name": name,
            "help": text,
            "values": rounded(values, 4) if values.dtype.kind in "iufb" else [str(v) for v in values],
        }
        for name, text, values in columns
    ]


def _u_mass(topics: Doubles, counts: sparse.csr_array) -> Doubles:
    """Return `metrics.coherence`, NaN for topics of which a word occurs in no document."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="First words that never occur", category=UserWarning)
        values = metrics.coherence(topics, counts, "u_mass", DIAGNOSTIC_WORDS)
    occurs = np.bincount(counts.indices, minlength=counts.shape[1]) > 0
    return np.where(occurs[top_words(topics, DIAGNOSTIC_WORDS)].all(axis=1), values, np.nan)


def _trace(model: ModelOrTopics) -> dict[str, Any] | None:
    """Return the trace of the fit; None for a model without one."""
    trace: Any = getattr(model, "elbo_trace_", None)
    if trace is None or not len(trace):
        return None
    return {
        "iteration": trace["iteration"].tolist(),
        "phase": trace["phase"].tolist(),
        "elbo": rounded(trace["elbo"], 10),
        "perplexity": rounded(trace["perplexity"], 7),
        "seconds": rounded(trace["seconds"], 4),
    }


def _fit_facts(model: Any) -> dict[str, str]:
    """Return the model's parameters and the results of the fit; nothing for an array of topics."""
    if not hasattr(model, "get_params"):
        return {}
    parameters = {name: _short(value) for name, value in sorted(model.get_params(deep=False).items())}
    results = {
        "ELBO": getattr(model, "elbo_", None),
        "converged": getattr(model, "converged_", None),
        "passes": getattr(model, "n_iter_", None),
    }
    known = {name: _short(value) for name, value in results.items() if value is not None}
    return {"model": f"{type(model).__module__.partition('.')[0]}.{type(model).__name__}", **known, **parameters}


def _short(value: Any) -> str:
    """Format a value; arrays and functions by their kind, since an address in memory would change with every run."""
    if isinstance(value, (bool, int, str, type(None))):
        return str(value)
    if isinstance(value, (float, np.number)):
        return f"{value:.8g}"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if (
        isinstance(value, (list, tuple))
        and len(value) <= 8
        and all(isinstance(entry, (int, float, str)) for entry in value)
    ):
        return str(value)
    return str(getattr(value, "__qualname__", None) or type(value).__name__)


def _versions() -> dict[str, str]:
    return {
        "ldavi": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
