"""Digests of results, and synthetic corpora for the cases of `benchmarks.same_bits`."""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse

Fields = dict[str, str]

# Names that a later commit may have changed, old to new. Both are accepted; results are compared under the new one.
RENAMED = {
    "sweeps": "n_inner_iter",
}
TRACE_FIELDS = (
    "iteration",
    "phase",
    "elbo",
    "word",
    "doc_topic",
    "topic_word",
    "perplexity",
    "sweeps",
    "predictive",
    "validation",
)  # without "seconds", which are never equal
ATTRIBUTES = (
    "components_",
    "elbo_",
    "bound_",
    "doc_topic_prior_",
    "topic_word_prior_",
    "converged_",
    "n_iter_",
    "n_batch_iter_",
    "n_samples_seen_",
    "n_features_in_",
)


def digest(value: Any) -> str:
    """Return a text that is the same for two values if and only if they have the same bits.

    Numbers are readable; arrays and all that consists of several values become a SHA-256. Dataclasses and named tuples
    are digested by the position of their fields, so that a renamed field does not matter.

    Raises
    ------
    TypeError
        If the value is of a type whose bits are not defined here.
    """
    if value is None or isinstance(value, (bool, int, str, np.bool_, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return float(value).hex()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return _sha256(f"{value.dtype.str}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    return _sha256("\n".join(digest(part) for part in _parts(value)).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _parts(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [len(value), *value]
    if isinstance(value, np.ndarray):
        return [value.shape, value.tolist()]
    if isinstance(value, Mapping):
        return [list(value.keys()), list(value.values())]
    if sparse.issparse(value):
        rows = sparse.csr_array(value)
        return [rows.shape, rows.data, rows.indices, rows.indptr]
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a DataFrame
        return [list(value.columns), *(value[name].to_numpy() for name in value.columns)]
    if hasattr(value, "components_"):
        return [value.components_]
    raise TypeError(f"the bits of a {type(value).__name__} are not defined in benchmarks.same_bits_fields")


def fields_of(model: Any, X: Any = None) -> Fields:
    """Return the digest of each attribute of a fitted estimator, of each column of its trace, and of γ of X."""
    fields = {name: digest(getattr(model, name)) for name in ATTRIBUTES if hasattr(model, name)}
    if hasattr(model, "elbo_trace_"):
        trace = model.elbo_trace_
        fields["length of the trace"] = str(len(trace))
        for name in TRACE_FIELDS:
            fields[f"trace.{RENAMED.get(name, name)}"] = digest(_column(trace, name))
    if hasattr(model, "random_state_"):
        fields["random_state_"] = digest(model.random_state_.get_state())
    if X is not None:
        fields["gamma"] = digest(np.asarray(model.transform(X, normalize=False)))
    return fields


def _column(trace: Any, name: str) -> Any:
    present = name if name in trace.dtype.names else RENAMED.get(name, name)
    if present not in trace.dtype.names:
        return "missing"
    column = trace[present]
    return [RENAMED.get(value, value) for value in column.tolist()] if column.dtype.kind == "U" else column


@cache
def planted(
    n_docs: int = 120, n_words: int = 80, n_topics: int = 4, length: int = 40, seed: int = 0
) -> sparse.csr_array:
    """Draw integer counts from an LDA model; about one document in forty is empty."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_words, 0.1), n_topics)
    theta = rng.dirichlet(np.full(n_topics, 0.3), n_docs)
    lengths = rng.poisson(length, n_docs) * (rng.random(n_docs) > 0.025)
    counts = [rng.multinomial(n, p / p.sum()) for n, p in zip(lengths, theta @ beta, strict=True)]
    return sparse.csr_array(np.array(counts, dtype=np.int64))


def in_batches(X: sparse.csr_array, size: int = 50) -> list[sparse.csr_array]:
    """Cut a corpus into a list of batches; the last one is smaller."""
    return [X[first : first + size] for first in range(0, X.shape[0], size)]


def given_topics(n_topics: int = 4, n_words: int = 80) -> Any:
    """Draw initial topics as positive weights."""
    return np.random.default_rng(7).random((n_topics, n_words)) + 0.1


def weights(n_docs: int = 120) -> Any:
    """Return a weight for each document; some are zero."""
    return (np.arange(n_docs) % 5) / 2
