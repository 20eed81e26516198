from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Floats, Int32s, Int64s, Masses, UInt8s, UInt16s

PAD: int
ALIGNMENT: int
SLOTS: int
SHARES: int
MAX_CANDIDATES: int
SCRATCH_ROWS: int
SPARSE_SCRATCH_ROWS: int
WORD_SUMS: int

def instruction_sets() -> list[str]: ...
def instruction_set() -> str: ...
def use_instruction_set(name: str) -> None: ...
def scratch_size(max_words: int, Kp: int) -> int: ...
def update_documents(
    *,
    indptr: Int64s,
    indices: Int32s,
    counts: Floats,
    B: Floats,
    log_scale: Doubles,
    topic_weight: Floats,
    alpha: Floats,
    gamma: Floats,
    n_inner_iter: Int32s,
    bound: Doubles | None,
    position: Int32s | None,
    doc_weight: Floats | None,
    doc_factor: Floats | None,
    ratio: Floats | None,
    scratch: NDArray[np.uint8],
    first_doc: int,
    start: int,
    stop: int,
    max_words: int,
    max_inner_iter: int,
    tol: float,
    cold_start: bool,
    extrapolate: bool,
    digamma_offset: float,
) -> None: ...
def accumulate_words(
    *,
    word_ptr: Int64s,
    word_row: Int32s,
    doc: Int32s,
    ratio: Floats,
    doc_factor: Floats,
    B: Floats,
    sstats: Floats,
    start: int,
    stop: int,
) -> None: ...
def update_topics(
    *,
    sstats: Floats,
    B: Floats,
    log_scale: Doubles,
    eta: Floats,
    terms: Doubles | None,
    totals: Doubles,
    start: int,
    stop: int,
    K: int,
    digamma_offset: float,
) -> None: ...
def sum_digammas(
    *,
    rows: Floats,
    weight: Doubles | None,
    limit: Floats,
    digamma_of_lowest: Doubles,
    rises: Doubles,
    totals: Doubles | None,
    shift: float,
) -> None: ...
def update_assignments(
    *,
    indptr: Int64s,
    indices: Int32s,
    counts: Floats,
    position: Int32s,
    mass: Masses,
    N: Masses,
    eta: Floats,
    alpha: Floats,
    alpha_total: Doubles,
    totals: Floats,
    inverse: Floats,
    topic: UInt16s,
    share: UInt8s,
    new_topic: UInt16s,
    new_share: UInt8s,
    log_predictive: Doubles,
    scratch: Floats,
    seed: int,
    n_topics: int,
    min_share: float,
    first_doc: int,
    first_count: int,
    start: int,
    stop: int,
    row_ptr: Int64s | None = None,
    row_length: Int32s | None = None,
    row_topic: UInt16s | None = None,
    word_sums: Doubles | None = None,
    prior_weight: Floats | None = None,
    cumulative: Doubles | None = None,
) -> None: ...
def sum_words(
    *,
    word_row: Int32s,
    row_ptr: Int64s,
    row_length: Int32s,
    row_topic: UInt16s,
    N: Masses,
    eta: Floats,
    prior_weight: Floats,
    word_sums: Doubles,
    prior_total: float,
    prior_max: float,
    n_topics: int,
    start: int,
    stop: int,
) -> None: ...
def apply_assignments(
    *,
    word_ptr: Int64s,
    word_row: Int32s,
    mass: Masses,
    topic: UInt16s,
    share: UInt8s,
    new_topic: UInt16s,
    new_share: UInt8s,
    N: Masses,
    change: Doubles,
    start: int,
    stop: int,
    row_ptr: Int64s | None = None,
    row_length: Int32s | None = None,
    row_topic: UInt16s | None = None,
    scratch: UInt8s | None = None,
) -> None: ...
def apply_scratch_bytes(width: int) -> int: ...
def exp_digamma(x: NDArray[Any], out: NDArray[Any]) -> None: ...
def log_gamma_digamma(x: Doubles, log_gamma: Doubles, digamma: Doubles) -> None: ...
