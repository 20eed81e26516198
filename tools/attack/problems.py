"""Random small fit problems: a corpus, parameters of the estimator, and the way in which it is fitted."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse

EXACT_IN_FLOAT32 = 2**20  # sums of a word up to which collapsed inference in float32 keeps smaller counts exact
WAYS = ("fit", "fit", "fit", "fit", "partial_fit", "batches", "warm_start")


@dataclass
class Problem:
    """A random fit.

    Attributes
    ----------
    dense : array of shape (D, V)
        The counts.
    X : array or sparse array
        The counts in the form in which they are passed.
    parameters : dict
        Parameters of the estimator.
    way : str
        "fit", "partial_fit" (in two parts), "batches" (`fit` of a list) or "warm_start" (`fit` twice).
    sample_weight : array of shape (D,) or None
    """

    dense: NDArray[Any]
    X: Any
    parameters: dict[str, Any]
    way: str
    sample_weight: NDArray[Any] | None = None
    rng: Generator = field(default_factory=np.random.default_rng)

    @property
    def label(self) -> str:
        return f"{self.parameters['inference']} {self.parameters['learning_method']} {self.way}"

    def weighted(self) -> NDArray[Any]:
        """Return the counts times the weights of their documents, in double precision."""
        weight = 1.0 if self.sample_weight is None else self.sample_weight[:, None]
        return self.dense.astype(np.float64) * weight

    def fitted(self) -> NDArray[Any]:
        """Return the documents with a weight; point estimates give other words the probability 0."""
        return self.dense if self.sample_weight is None else self.dense[self.sample_weight > 0]

    def batches(self) -> list[sparse.csr_array]:
        """Return the documents in batches of three."""
        return [sparse.csr_array(self.dense[first : first + 3]) for first in range(0, len(self.dense), 3)]


def problem(seed: int, index: int, *, largest: float = 1e9) -> Problem:
    """Return the problem of an index."""
    rng = np.random.default_rng([seed, index])
    dense = counts(rng, largest)
    way = str(rng.choice(WAYS))
    parameters = random_parameters(rng, *dense.shape, way)
    if dense.sum(axis=0).max() > EXACT_IN_FLOAT32:
        parameters["dtype"] = "float64"
    weight = None
    if way != "batches" and rng.random() < 0.25:
        weight = rng.choice([0.0, 0.5, 1.0, 2.0], len(dense))
        weight[rng.integers(len(dense))] = 1.0
    X = in_a_form(rng, dense)
    return Problem(dense, X, parameters, way, weight, rng)


def counts(rng: Generator, largest: float) -> NDArray[Any]:
    """Draw a matrix of counts: small, fractional or large, with empty rows and columns."""
    shape = [int(rng.choice([1, 2, 3, 5, 8, 20], p=[0.05, 0.1, 0.25, 0.3, 0.25, 0.05])) for _ in range(2)]
    kind = rng.choice(["small", "sparse", "fractional", "large", "mixed"], p=[0.4, 0.25, 0.15, 0.1, 0.1])
    if kind == "large":
        dense = np.floor(10 ** rng.uniform(0, np.log10(largest), shape)) * (rng.random(shape) < 0.5)
    elif kind == "fractional":
        dense = rng.gamma(0.5, 2.0, shape) * (rng.random(shape) < 0.6)
    elif kind == "mixed":
        dense = rng.choice([0.0, 0.0, 0.25, 1.0, 3.0, min(1e3, largest), min(1e5, largest)], shape)
    else:
        dense = rng.poisson(1.5 if kind == "small" else 0.3, shape).astype(float)
    if rng.random() < 0.3:
        dense[rng.integers(shape[0])] = 0
    if rng.random() < 0.3:
        dense[:, rng.integers(shape[1])] = 0
    if not dense.any():
        dense[rng.integers(shape[0]), rng.integers(shape[1])] = 2
    whole = np.array_equal(dense, np.round(dense))
    return dense.astype(np.int64) if whole and rng.random() < 0.7 else dense


def in_a_form(rng: Generator, dense: NDArray[Any]) -> Any:
    """Return the counts as a dense or sparse matrix, with duplicate or unsorted entries in some."""
    if dense.dtype.kind == "i" and dense.max() < 100 and rng.random() < 0.3:
        dense = dense.astype(rng.choice(["u1", "i2", "i4", "f4"]))
    form = rng.choice(["dense", "fortran", "csr", "csc", "coo", "duplicates", "unsorted", "int64", "zeros"])
    if form == "dense":
        return dense.copy()
    if form == "fortran":
        return np.asfortranarray(dense)
    if form in ("csr", "csc", "coo"):
        return sparse.csr_array(dense).asformat(str(form))
    if form == "zeros":
        rows, columns = np.indices(dense.shape)
        return sparse.coo_array((dense.ravel(), (rows.ravel(), columns.ravel())), shape=dense.shape)
    X = sparse.coo_array(dense)
    if form == "duplicates":
        rows, columns = np.tile(X.coords[0], 2), np.tile(X.coords[1], 2)
        first = X.data // 2 if X.data.dtype.kind in "iu" else X.data * 0.5
        data = np.concatenate([first, X.data - first]).astype(X.data.dtype)
        return sparse.coo_array((data, (rows, columns)), shape=dense.shape)
    csr = sparse.csr_array(X)
    if form == "int64":
        csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
        return csr
    for first, last in zip(csr.indptr[:-1], csr.indptr[1:], strict=True):
        order = first + rng.permutation(last - first)
        csr.indices[first:last], csr.data[first:last] = csr.indices[order], csr.data[order]
    csr.has_sorted_indices = False
    return csr


def random_parameters(rng: Generator, n_docs: int, n_words: int, way: str) -> dict[str, Any]:
    """Draw parameters that the documentation allows together."""
    K = int(rng.choice([1, 2, 3, 4, 6], p=[0.1, 0.3, 0.3, 0.2, 0.1]))
    method = str(rng.choice(["batch", "online", "memoized"], p=[0.5, 0.25, 0.25]))
    engine = str(rng.choice(["vb", "cvb0"], p=[0.65, 0.35]))
    parameters: dict[str, Any] = {
        "n_components": K,
        "inference": engine,
        "learning_method": method,
        "doc_topic_prior": _alpha(rng, K),
        "topic_word_prior": _eta(rng, K, n_words, may_be_zero=engine == "vb"),
        "init": _init(rng, K, n_words),
        "dtype": rng.choice([None, "float32", "float64"]),
        "max_iter": int(rng.choice([1, 2, 4, 8, 15])),
        "tol": rng.choice([None, 1e-5, 1e-3]),
        "batch_size": "auto" if rng.random() < 0.5 else int(rng.integers(1, n_docs + 2)),
        "n_jobs": int(rng.choice([1, 1, 1, 1, 1, 2, 3, 4])),
        "random_state": int(rng.integers(100)),
    }
    if engine == "vb" and method == "batch" and not _is_zero(parameters["topic_word_prior"]):
        parameters["n_collapsed_iter"] = rng.choice(np.array(["auto", 0, 3], dtype=object))
    if rng.random() < 0.1 and way != "batches":
        parameters["n_init"] = 2
    if rng.random() < 0.1:
        parameters["mean_change_tol"] = float(rng.choice([0.0, 1e-6, 0.1]))
    if rng.random() < 0.1 and not _is_zero(parameters["topic_word_prior"]):  # steps of size 1 forget words, then
        parameters["learning_decay"] = float(rng.choice([0.0, 0.5, 1.0]))
    if rng.random() < 0.1 and not _is_zero(parameters["topic_word_prior"]):
        parameters["seed_words"] = {int(rng.integers(K)): [int(rng.integers(n_words))]}
    return parameters


def _is_zero(prior: Any) -> bool:
    return np.isscalar(prior) and prior == 0


def _alpha(rng: Generator, K: int) -> Any:
    kind = rng.choice(["auto", "none", "number", "array"], p=[0.5, 0.1, 0.25, 0.15])
    if kind == "array":
        return rng.choice([0.01, 0.1, 1.0, 5.0], K)
    return {"auto": "auto", "none": None, "number": float(rng.choice([0.001, 0.1, 0.5, 3.0]))}[str(kind)]


def _eta(rng: Generator, K: int, n_words: int, *, may_be_zero: bool) -> Any:
    kind = rng.choice(["auto", "none", "number", "words", "topics", "zero"], p=[0.5, 0.1, 0.2, 0.08, 0.07, 0.05])
    if kind == "zero" and may_be_zero:
        return 0
    if kind == "words":
        return rng.choice([0.01, 0.1, 1.0], n_words)
    if kind == "topics":
        return rng.choice([0.01, 0.1, 1.0], (K, n_words))
    return {"auto": "auto", "none": None}.get(str(kind), float(rng.choice([0.001, 0.05, 0.5, 2.0])))


def _init(rng: Generator, K: int, n_words: int) -> Any:
    kind = rng.choice(["auto", "random", "array"], p=[0.5, 0.3, 0.2])
    return rng.gamma(1.0, 1.0, (K, n_words)) + 0.01 if kind == "array" else str(kind)
