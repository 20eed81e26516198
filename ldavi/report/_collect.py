"""What the page shows, as plain Python values: the numbers of `_data`, rounded, with names and texts beside them."""

import json
import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import sklearn
from scipy import sparse

from ldavi._core.topics_of_model import doc_topic_prior_of
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator.infer import infer
from ldavi._version import __version__
from ldavi.report import _columns, _data, _texts

MOST_CHARACTERS = 6_000
MOST_BYTES = 3_000_000
LEAST_SHARE = 0.02  # of a document: smaller topics are not listed beside it
MOST_TOPICS = 8  # listed beside a document
TRACE_SHARE = (
    1e-9  # a topic without tokens counts as this, so that each of its words has a frequency to be compared with
)


@dataclass(frozen=True)
class Corpus:
    """The documents, and what is known of them."""

    counts: sparse.csr_array
    names: Any
    texts: list[str] | None
    document_names: list[str] | None
    metadata: Mapping[str, Any]
    vectorizer: Any


@dataclass(frozen=True)
class Fitted:
    """The model, its topics as distributions, and what the user says of them."""

    model: Any
    topics: Doubles
    theta: Doubles | None
    labels: list[str] | None
    diagnostics: dict[str, Any]


def collect(fitted: Fitted, corpus: Corpus, *, title: str | None, n_words: int, n_documents: int) -> dict[str, Any]:
    """All of the page's content, ready for JSON."""
    topics, counts = fitted.topics, corpus.counts
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    theta = _proportions(fitted, counts) if fitted.theta is None else fitted.theta
    sizes = _data.topic_sizes(theta, lengths)
    words = np.maximum(sizes.share, TRACE_SHARE) @ topics
    labels = fitted.labels or _data.short_labels(topics, words, corpus.names)
    shown = _data.representative_documents(theta, lengths, sizes.share, n_documents)
    columns = {name: _columns.cut(name, values, len(lengths)) for name, values in corpus.metadata.items()}
    return {
        "title": title or f"{len(topics)} topics of {len(lengths):,} documents",
        "facts": {
            "topics": len(topics),
            "documents": len(lengths),
            "words": counts.shape[1],
            "tokens": int(lengths.sum()),
        },
        "n_words": n_words,
        "steps": _data.STEPS,
        **_topics(topics, words, sizes, labels, corpus.names, n_words),
        "map": _rounded(_data.topic_map(topics, words).T),
        "columns": [_trend(name, bins, theta, lengths) for name, bins in columns.items()],
        "documents": _documents(fitted, corpus, theta, lengths, shown),
        "diagnostics": _diagnostics(fitted, counts),
        "trace": _trace(fitted.model, lengths.sum()),
        "fit": _how_fitted(fitted.model),
        "versions": _versions(),
    }


def _rounded(values: Any, digits: int = 4) -> Any:
    """Nested lists of floats with few significant digits; None where not finite, as JSON has no NaN."""
    if np.ndim(values):
        return [_rounded(value, digits) for value in values]
    return float(f"{values:.{digits}g}") if np.isfinite(values) else None


def _proportions(fitted: Fitted, counts: sparse.csr_array) -> Doubles:
    """θ of every document: by the model itself if it is ours, else by `infer` with its topics."""
    if hasattr(fitted.model, "word_topics"):
        return np.asarray(_asked(fitted.model.transform, counts), dtype=np.float64)
    gamma = _gamma(fitted, counts)
    theta: Doubles = gamma / gamma.sum(axis=1, keepdims=True)
    return theta


def _gamma(fitted: Fitted, counts: sparse.csr_array) -> Doubles:
    prior = doc_topic_prior_of(fitted.model, len(fitted.topics))
    return np.asarray(infer(counts, fitted.topics, prior).gamma, dtype=np.float64)


def _asked(method: Any, counts: sparse.csr_array) -> Any:
    """The result of a method on bare counts, also of a model that was fitted on a table with named columns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)
        return method(counts)


def _topics(
    topics: Doubles, words: Doubles, sizes: _data.Sizes, labels: list[str], names: Any, n_words: int
) -> dict[str, Any]:
    """Topics with positions in a vocabulary of the words that are shown at all."""
    relevant = _data.most_relevant(topics, words, n_words)
    used = np.unique(np.concatenate(relevant))
    return {
        "words": [str(names[w]) for w in used],
        "word_share": _rounded(words[used], 6),
        "topics": [
            {
                "label": label,
                "share": _rounded(sizes.share[k], 6),
                "documents": int(sizes.documents[k]),
                "words": np.searchsorted(used, relevant[k]).tolist(),
                "p": _rounded(topics[k, relevant[k]], 6),
            }
            for k, label in enumerate(labels)
        ],
    }


def _trend(name: str, bins: _columns.Bins, theta: Doubles, lengths: Doubles) -> dict[str, Any]:
    documents, shares = _columns.shares(bins, theta, lengths)
    missing = int((bins.of < 0).sum())
    content = {"name": name, "kind": bins.kind, "bins": bins.labels, "documents": documents.tolist()}
    return {**content, "missing": missing, "share": _rounded(shares, 3)}


def _documents(fitted: Fitted, corpus: Corpus, theta: Doubles, lengths: Doubles, shown: Int64s) -> list[dict[str, Any]]:
    """The documents to show, until they are many bytes."""
    counts = corpus.counts[shown]
    phi = _phi(fitted, counts) if len(shown) else np.zeros((0, len(fitted.topics)))
    topic, certainty = phi.argmax(axis=1), phi.max(axis=1, initial=0)
    find = _texts.word_finder(corpus.names, corpus.vectorizer)
    known = [_columns.as_text(values, shown) for values in corpus.metadata.values()]
    found: list[dict[str, Any]] = []
    size = 0
    for position, d in enumerate(shown.tolist()):
        entries = slice(counts.indptr[position], counts.indptr[position + 1])
        largest = [k for k in np.argsort(-theta[d], kind="stable")[:MOST_TOPICS].tolist() if theta[d, k] >= LEAST_SHARE]
        document: dict[str, Any] = {
            "row": d,
            "name": f"Document {d}" if corpus.document_names is None else corpus.document_names[d],
            "tokens": int(lengths[d]),
            "topics": [[k, _rounded(theta[d, k], 3)] for k in largest],
            "metadata": [values[position] for values in known],
        }
        columns, values = counts.indices[entries].tolist(), counts.data[entries].tolist()
        tenths = np.round(certainty[entries] * 10).astype(int).tolist()
        best = list(zip(topic[entries].tolist(), tenths, strict=True))
        if corpus.texts is None:
            document["bag"] = [
                [str(corpus.names[w]), *pair, value] for w, pair, value in zip(columns, best, values, strict=True)
            ]
        else:
            text = _texts.shortened(corpus.texts[d], MOST_CHARACTERS)
            document["text"] = _texts.pieces(text, find, dict(zip(columns, best, strict=True)))
        size += len(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        if size > MOST_BYTES:
            break
        found.append(document)
    return found


def _phi(fitted: Fitted, counts: sparse.csr_array) -> Doubles:
    if hasattr(fitted.model, "word_topics"):
        return np.asarray(_asked(fitted.model.word_topics, counts), dtype=np.float64)
    return _data.word_topics(counts, _gamma(fitted, counts), fitted.topics)


def _diagnostics(fitted: Fitted, counts: sparse.csr_array) -> list[dict[str, Any]]:
    """Columns of the table; those that the user passes come last."""
    own = [
        (
            "Effective words",
            "exp of the entropy: over how many words it would spread evenly",
            _data.effective_words(fitted.topics),
        ),
        ("Exclusivity", "how much its ten likeliest words are its own, 0 to 1", _data.exclusivity(fitted.topics)),
        (
            "Coherence",
            "u_mass of its ten likeliest words: near 0 when they share documents, very negative when not",
            _data.u_mass(fitted.topics, counts),
        ),
    ]
    given = [(name, "", values) for name, values in fitted.diagnostics.items()]
    return [
        {
            "name": name,
            "help": text,
            "values": _rounded(values, 4) if values.dtype.kind in "iufb" else [str(v) for v in values],
        }
        for name, text, values in [*own, *given]
    ]


def _trace(model: Any, tokens: float) -> dict[str, Any] | None:
    """The trace of our estimator, with the bound per token; None where a model kept none."""
    trace = getattr(model, "elbo_trace_", None)
    if trace is None or not len(trace):
        return None
    return {
        "iteration": trace["iteration"].tolist(),
        "phase": trace["phase"].tolist(),
        "elbo": _rounded(trace["elbo"], 10),
        "perplexity": _rounded(trace["perplexity"], 7),
        "seconds": _rounded(trace["seconds"], 4),
    }


def _how_fitted(model: Any) -> dict[str, str]:
    """Parameters and what the fit said of itself; nothing for bare topics."""
    if not hasattr(model, "get_params"):
        return {}
    parameters = {name: _shown(value) for name, value in sorted(model.get_params(deep=False).items())}
    results = {
        "ELBO": getattr(model, "elbo_", None),
        "converged": getattr(model, "converged_", None),
        "passes": getattr(model, "n_iter_", None),
    }
    said = {name: _shown(value) for name, value in results.items() if value is not None}
    return {"model": f"{type(model).__module__.partition('.')[0]}.{type(model).__name__}", **said, **parameters}


def _shown(value: Any) -> str:
    """A value in short: an array or a function by what it is, since an address in memory would change with every run."""
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
