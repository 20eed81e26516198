import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Int32s, Int64s

def hash_documents(
    indptr: Int64s,
    columns: Int64s,
    counts: Int32s,
    seed: int,
    key: NDArray[np.uint64],
) -> None: ...
def split_tokens(
    indptr: Int64s,
    counts: Int32s,
    key: NDArray[np.uint64],
    observed: Int32s,
) -> None: ...
def complete_documents(
    *,
    indptr: Int64s,
    indices: Int32s,
    counts: Int32s,
    scored_indptr: Int64s,
    scored_indices: Int32s,
    scored_counts: Int32s,
    key: NDArray[np.uint64],
    beta: Doubles,
    cumulative: Doubles,
    alpha: Doubles,
    log_likelihood: Doubles,
    int_scratch: Int32s,
    float_scratch: Doubles,
    n_burn: int,
    n_keep: int,
    start: int,
    stop: int,
) -> None: ...
def left_to_right(
    *,
    indptr: Int64s,
    indices: Int32s,
    counts: Int32s,
    key: NDArray[np.uint64],
    beta: Doubles,
    cumulative: Doubles,
    alpha: Doubles,
    log_weight: Doubles,
    log_of_means: Doubles,
    influence: Doubles,
    int_scratch: Int32s,
    float_scratch: Doubles,
    n_redrawn: int,
    start: int,
    stop: int,
) -> None: ...
def anneal(
    *,
    indptr: Int64s,
    indices: Int32s,
    counts: Int32s,
    key: NDArray[np.uint64],
    beta: Doubles,
    cumulative: Doubles,
    alpha: Doubles,
    curvature: Doubles,
    log_weight: Doubles,
    int_scratch: Int32s,
    float_scratch: Doubles,
    n_temperatures: int,
    start: int,
    stop: int,
) -> None: ...
