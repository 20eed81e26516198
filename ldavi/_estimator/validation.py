"""Checks of user input: counts, parameters and priors, in canonical form.

Error messages name the parameter, its value, what is allowed and what to do. No argument is changed.
"""

import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from numpy.typing import DTypeLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ldavi._core.chunks import chunks
from ldavi._core.limits import FLOAT32, FLOAT64, MAX_SAMPLES, MAX_TOKENS, SMALLEST
from ldavi._core.records import Counts
from ldavi._core.typing import Floats, Int64s
from ldavi._estimator.settings import FitSettings, Parameters, is_auto, is_regression, is_zero
from ldavi._inference.cvb0_pass import MAX_TOPICS
from ldavi._inference.vb_online import LearningRate

LARGEST_INTEGER = {np.dtype(np.float32): 2**24, np.dtype(np.float64): 2**53}  # every integer up to this one is exact
MAX_WORDS = 2**31 - 1
MAX_INTEGER = 2**62  # the compiled code has 64 bits
MIN_TYPICAL_SUM = 3.0  # of a row of fractions: with fewer tokens, a document says next to nothing of its topics
NORM_TOLERANCE = 1e-3
COUNTS_AT_ONCE = 2**16
NORMALISED = (
    "X holds fractions in rows that are normalised or sum to very little, as tf-idf weights do. A row counts as a "
    "document of so many tokens, from which the priors cannot be learned: topics may merge into one. Pass counts; or "
    "weights that are not normalised (TfidfTransformer(norm=None)); or multiply X by the typical number of tokens of a "
    "document; or give doc_topic_prior and topic_word_prior as numbers"
)
ARRAYS = ("__array__", "__array_interface__", "__dlpack__", "__dataframe__")  # attributes of a single matrix
WITHOUT_MATRICES = (str, bytes, bytearray, memoryview, dict, set, frozenset)  # iterables that are not batches


def check_parameters(parameters: Parameters, *, is_warm: bool = False) -> FitSettings:
    """Return the settings of a fit, after checking all parameters whose shape does not depend on X.

    Parameters
    ----------
    parameters : Parameters
    is_warm : bool
        Whether the fit continues from a fitted model.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not what the estimator's documentation allows.
    """
    check_integer("n_components", parameters.n_components, minimum=1)
    for name in ("max_iter", "max_doc_update_iter", "n_init", "n_iter_no_change"):
        check_integer(name, getattr(parameters, name), minimum=1)
    check_batch_size(parameters.batch_size)
    for name in ("perp_tol", "mean_change_tol", "learning_offset"):
        check_number(name, getattr(parameters, name), minimum=0)
    check_number("learning_decay", parameters.learning_decay, minimum=0, maximum=1)
    if parameters.tol is not None:
        check_number("tol", parameters.tol, minimum=0)
    if parameters.total_samples is not None:
        check_number("total_samples", parameters.total_samples, minimum=0, maximum=MAX_SAMPLES, exclusive=True)
    check_integer("evaluate_every", parameters.evaluate_every)
    check_choice("learning_method", parameters.learning_method, ("batch", "online", "memoized"))
    check_choice("inference", parameters.inference, ("vb", "cvb0"))
    check_choice("new_words", parameters.new_words, ("error", "add"))
    if isinstance(parameters.init, str):
        check_choice("init", parameters.init, ("auto", "random"))
    n_collapsed_iter = check_collapsed_iter(parameters, is_warm=is_warm)
    if parameters.validation_fraction is not None:
        check_number("validation_fraction", parameters.validation_fraction, minimum=0, maximum=1, exclusive=True)
    check_dtype(parameters.dtype)
    return _settings(parameters, n_collapsed_iter)


def check_collapsed_iter(parameters: Parameters, *, is_warm: bool) -> int | None:
    """Return the collapsed passes before other ones: 0 if there are none, None for a number by the corpus."""
    n_passes, method = parameters.n_collapsed_iter, parameters.learning_method
    is_online = method == "online"
    is_possible = is_online or (parameters.inference == "vb" and method == "batch" and parameters.max_iter > 1)
    has_to_find_topics = is_possible and not is_warm and isinstance(parameters.init, str)
    if isinstance(n_passes, str):
        check_choice("n_collapsed_iter", n_passes, ("auto",))
        is_supported = not is_zero(parameters.topic_word_prior) and 1 < parameters.n_components <= MAX_TOPICS
        is_guided = parameters.seed_words is not None  # draws may exchange the topics that seed words have named
        return None if has_to_find_topics and is_supported and not is_guided else 0
    check_integer("n_collapsed_iter", n_passes, minimum=0)
    if n_passes and not is_online and (parameters.inference, method) != ("vb", "batch"):
        msg = (
            f"n_collapsed_iter={n_passes} needs inference='vb' and learning_method='batch', or "
            f"learning_method='online', but these are {parameters.inference!r} and {method!r}: use 'auto' or 0"
        )
        raise ValueError(msg)
    return int(n_passes) if has_to_find_topics else 0


def _settings(parameters: Parameters, n_collapsed_iter: int | None) -> FitSettings:
    return FitSettings(
        learning_method=cast(Any, parameters.learning_method),
        inference=cast(Any, parameters.inference),
        n_collapsed_iter=n_collapsed_iter,
        n_init=parameters.n_init,
        n_components=parameters.n_components,
        max_iter=parameters.max_iter,
        batch_size=cast(Any, parameters.batch_size),
        rate=LearningRate(parameters.learning_offset, parameters.learning_decay),
        learn_alpha=is_auto(parameters.doc_topic_prior) or is_regression(parameters.doc_topic_prior),
        learn_eta=is_auto(parameters.topic_word_prior) and parameters.seed_words is None,
        mean_change_tol=parameters.mean_change_tol,
        max_doc_update_iter=parameters.max_doc_update_iter,
        tol=parameters.tol,
        evaluate_every=parameters.evaluate_every,
        perp_tol=parameters.perp_tol,
        validation_fraction=parameters.validation_fraction,
        n_iter_no_change=parameters.n_iter_no_change,
        verbose=bool(parameters.verbose),
        callbacks=tuple(check_callbacks(parameters.callbacks)),
        n_threads=count_threads(parameters.n_jobs),
    )


def check_documents(estimator: Any, X: Any, *, dtype: DTypeLike | None, reset: bool) -> sparse.csr_array:
    """Return `check_counts` of X for an estimator; unless `reset`, X must have the columns that it was fitted with."""
    checker = BaseEstimator() if reset else estimator  # an error must leave the estimator unchanged
    has_names = column_names(X) is not None
    if has_names:  # which scikit-learn checks before values
        validate_data(checker, X, skip_check_array=True, reset=reset)
    counts = check_counts(X, dtype=dtype, name=type(estimator).__name__)
    if not has_names:
        validate_data(checker, X, skip_check_array=True, reset=reset)
    return counts


def check_counts(X: Any, *, dtype: DTypeLike | None, name: str) -> sparse.csr_array:
    """Return X as a CSR matrix of finite counts > 0, sorted, without duplicates; X itself is not changed.

    Parameters
    ----------
    X : array-like, sparse matrix or DataFrame of shape (D, V)
    dtype : None, float32 or float64
        None keeps the dtype of floats, and stores integers as float32, or as float64 if float32 cannot represent them.
    name : str
        The name of the estimator or function, for error messages.

    Raises
    ------
    ValueError
        If a count is negative, infinite or NaN, X has no rows or columns, or its sparse structure is invalid.
    TypeError
        If X does not hold numbers.
    """
    if is_source(X):
        raise TypeError(f"X comes in batches, which only `fit` accepts: pass each batch to {name}")
    if holds_texts(X):
        raise TypeError(f"X holds texts, but {name} needs the counts of their words, such as those of CountVectorizer")
    X = check_array(X, accept_sparse=["csr", "csc", "coo"], dtype="numeric", estimator=name, input_name="X")
    if X.shape[1] > MAX_WORDS:
        raise ValueError(f"X has {X.shape[1]} features; at most {MAX_WORDS} are supported")
    if sparse.issparse(X):
        _check_structure(X)
    elif X.dtype.kind == "f" and (X.dtype.itemsize < 4 or not X.dtype.isnative):  # which scipy.sparse does not support
        X = X.astype(np.float64 if X.dtype.itemsize > 4 else np.float32)
    elif not X.dtype.isnative:
        X = X.astype(X.dtype.newbyteorder("="))
    _check_not_negative(X.data if sparse.issparse(X) else X, X, name)
    counts = sparse.csr_array(_in_wide_type(X))
    if not counts.has_canonical_format or not counts.data.all():
        counts = counts.copy()
        counts.sum_duplicates()
        counts.eliminate_zeros()
    with np.errstate(over="ignore", under="ignore"):  # overflow is an error below
        data = counts.data.astype(_counts_dtype(counts.data, dtype), copy=False)
        total = float(data.sum(dtype=np.float64))
    check_total(total, data.dtype, "X")
    return sparse.csr_array((data, counts.indices, counts.indptr), shape=X.shape)


def _in_wide_type(X: Any) -> Any:
    """Return a sparse matrix that may hold an entry in several parts in a type in which their sums are exact."""
    if not sparse.issparse(X) or (X.format != "coo" and X.has_canonical_format):
        return X
    return X.astype(np.float64 if X.dtype.kind == "f" else np.int64)


def holds_texts(X: Any) -> bool:
    """Return whether X is a sequence of texts: a list, an array or a Series."""
    if sparse.issparse(X) or getattr(X, "ndim", 1) != 1 or not hasattr(X, "__len__") or len(X) == 0:
        return False
    return isinstance(next(iter(X)), str)


def check_total(total: float, dtype: Any, what: str) -> None:
    """Raise ValueError if the sum of all counts exceeds what fits in this precision can compute with."""
    largest = MAX_TOKENS[np.dtype(dtype)]
    if total <= largest:
        return
    other = f", or use dtype='float64' (at most {MAX_TOKENS[FLOAT64]:g})" if dtype == FLOAT32 else ""
    raise ValueError(
        f"{what} holds counts too large for {dtype}: they sum to {total:g}, and at most {largest:g} is permitted. "
        f"Divide X by a constant{other}"
    )


def is_normalised(X: sparse.csr_array) -> bool:
    """Return whether X holds fractions in rows of norm 1, or in rows that typically sum to less than MIN_TYPICAL_SUM.

    Whole counts are never normalised.
    """
    if all(not np.any(X.data[at] % 1) for at in chunks(X.nnz, COUNTS_AT_ONCE)):
        return False
    starts = X.indptr[:-1][np.diff(X.indptr) > 0]
    if np.median(np.add.reduceat(X.data, starts, dtype=np.float64)) < MIN_TYPICAL_SUM:
        return True
    if X.data.max() > 1 + NORM_TOLERANCE:
        return False
    squares = np.add.reduceat(np.square(X.data), starts, dtype=np.float64)
    return bool(np.all(np.abs(np.sqrt(squares) - 1) <= NORM_TOLERANCE))


def warn_if_normalised(normalised: bool, parameters: Parameters, *, stacklevel: int) -> None:
    """Warn that priors cannot be learned from normalised rows; given priors are fine."""
    priors = parameters.doc_topic_prior, parameters.topic_word_prior
    if normalised and any(is_auto(prior) or is_regression(prior) for prior in priors):
        warnings.warn(NORMALISED, UserWarning, stacklevel=stacklevel + 1)


def is_source(X: Any) -> bool:
    """Return whether X is an iterable of matrices in batches; a sequence is one if its first item is a matrix."""
    if sparse.issparse(X) or isinstance(X, WITHOUT_MATRICES) or any(hasattr(X, name) for name in ARRAYS):
        return False
    if hasattr(X, "__len__") and hasattr(X, "__getitem__"):
        return len(X) > 0 and is_matrix(X[0])
    return hasattr(X, "__iter__")


def is_matrix(item: Any) -> bool:
    """Return whether an object has two dimensions."""
    shape = getattr(item, "shape", None)
    return isinstance(shape, tuple) and len(shape) == 2


def _check_structure(X: Any) -> None:
    rows, columns = (X.row, X.col) if X.format == "coo" else (None, X.indices)
    try:
        if rows is None:
            X.check_format(full_check=True)
        elif len(rows) and (
            min(rows.min(), columns.min()) < 0 or rows.max() >= X.shape[0] or columns.max() >= X.shape[1]
        ):
            raise ValueError("a row or column index lies outside its shape")
    except ValueError as error:
        msg = f"X is not a valid sparse matrix of shape {X.shape}: {error}; construct it again from its entries"
        raise ValueError(msg) from error


def _check_not_negative(values: NDArray[Any], X: Any, name: str) -> None:
    if values.size == 0 or values.dtype.kind in "ub" or values.min() >= 0:
        return
    entries = sparse.coo_array(X)
    i = int(np.flatnonzero(entries.data < 0)[0])
    where = f"X[{entries.coords[0][i]}, {entries.coords[1][i]}] = {entries.data[i]}"
    raise ValueError(f"Negative values in data passed to {name}: {where}; counts must be >= 0")


def _counts_dtype(data: NDArray[Any], dtype: DTypeLike | None) -> np.dtype[Any]:
    if dtype is not None:
        return np.dtype(dtype)
    if data.dtype in LARGEST_INTEGER:
        return data.dtype
    if data.dtype.kind == "f":
        return np.dtype(np.float32 if data.dtype.itemsize < 4 else np.float64)
    exact = data.max(initial=0) <= LARGEST_INTEGER[np.dtype(np.float32)]
    return np.dtype(np.float32 if exact else np.float64)


def to_counts(X: sparse.csr_array, words: Int64s | None = None) -> Counts:
    """Return a checked matrix as `Counts` in which every column is a word; `words` is an arange to share, if given."""
    n_words = X.shape[1]
    indptr, indices = X.indptr.astype(np.int64, copy=False), X.indices.astype(np.int32, copy=False)
    return Counts(
        indptr, indices, np.ascontiguousarray(X.data), np.arange(n_words) if words is None else words, n_words
    )


def check_sample_weight(sample_weight: Any, n_docs: int, dtype: np.dtype[Any]) -> Floats | None:
    """Return a weight >= 0 for each document, or None if no weights are given."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n_docs, sample_weight)
    weight = check_array(sample_weight, ensure_2d=False, dtype=dtype, input_name="sample_weight")
    if weight.shape != (n_docs,):
        raise ValueError(f"sample_weight has shape {weight.shape}; X has {n_docs} documents, so it must be ({n_docs},)")
    if weight.min() < 0:
        raise ValueError(f"sample_weight holds {weight.min()}; weights must be >= 0")
    if not weight.any():
        raise ValueError("every sample_weight is zero; at least one document must have a weight > 0")
    smallest, largest = SMALLEST[weight.dtype], MAX_TOKENS[weight.dtype]
    positive = weight[weight > 0]
    if positive.min() < smallest or positive.max() > largest:
        worst = positive.min() if positive.min() < smallest else positive.max()
        allowed = f"weights must be 0 or between {smallest:g} and {largest:g} with dtype={weight.dtype.name!r}"
        raise ValueError(f"sample_weight holds {worst:g}; {allowed}")
    return weight  # type: ignore[no-any-return]


def column_names(X: Any) -> NDArray[Any] | None:
    """Return the column names of a DataFrame, or None."""
    names = getattr(X, "columns", None)
    return None if names is None else np.asarray(names, dtype=object)


def check_integer(name: str, value: Any, *, minimum: int | None = None) -> int:
    """Return `value` if it is an integer of at least `minimum` that 64 bits can hold."""
    allowed = "an integer" if minimum is None else f"an integer >= {minimum}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}={value!r} must be {allowed}")
    number = int(value)
    if minimum is not None and number < minimum:
        raise ValueError(f"{name}={value!r} must be {allowed}")
    if abs(number) >= MAX_INTEGER:
        shown = repr(value) if abs(number) < MAX_INTEGER**2 else f"<an integer of {number.bit_length()} bits>"
        raise ValueError(f"{name}={shown} must be {allowed} and < 2^62")
    return number


def check_number(name: str, value: Any, *, minimum: float, maximum: float = np.inf, exclusive: bool = False) -> float:
    """Return `value` if it is finite and in [minimum, maximum], or in (minimum, maximum] if `exclusive`."""
    allowed = f"a finite number {'>' if exclusive else '>='} {minimum:g}" + (
        "" if maximum == np.inf else f" and <= {maximum:g}"
    )
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r} must be {allowed}")
    number = float(value)
    if not np.isfinite(number) or number < minimum or number > maximum or (exclusive and number == minimum):
        raise ValueError(f"{name}={value!r} must be {allowed}")
    return number


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise unless `value` is one of `choices`: TypeError if it is not a str, otherwise ValueError."""
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f"{name}={value!r} must be one of {', '.join(map(repr, choices))}")


def check_batch_size(value: Any) -> None:
    """Raise TypeError or ValueError unless `batch_size` is an integer >= 1 or "auto"."""
    if isinstance(value, str) and value == "auto":
        return
    try:
        check_integer("batch_size", value, minimum=1)
    except (ValueError, TypeError) as error:
        raise type(error)(f'{error}, or "auto"') from None


def check_dtype(value: Any) -> np.dtype[Any] | None:
    """Return None, float32 or float64."""
    try:
        dtype = None if value is None else np.dtype(value)
    except TypeError:
        dtype = np.dtype(object)
    if dtype is not None and dtype not in LARGEST_INTEGER:
        raise ValueError(f"dtype={value!r} must be None, 'float32' or 'float64'")
    return dtype


def check_callbacks(callbacks: Any) -> list[Callable[[Any], Any]]:
    """Return the callbacks as a list; `callbacks` is None, a callable or several."""
    if callbacks is None:
        return []
    if callable(callbacks):
        return [callbacks]
    if not isinstance(callbacks, (list, tuple)) or not all(callable(callback) for callback in callbacks):
        raise TypeError(f"callbacks={callbacks!r} must be None, a callable or a list of callables")
    return list(callbacks)


def count_threads(n_jobs: Any) -> int:
    """Return the threads for `n_jobs`, as joblib defines it; one inside a joblib worker, which shares the cores."""
    if n_jobs is not None and check_integer("n_jobs", n_jobs) == 0:
        raise ValueError("n_jobs=0 must be None or an integer other than 0; -1 means all cores")
    backend, _ = get_active_backend()
    if getattr(backend, "nesting_level", 0):
        return 1
    return int(effective_n_jobs(n_jobs))
