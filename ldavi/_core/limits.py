"""The range of counts, weights and priors that fits in each precision can compute with.

The limits follow from products and powers that the kernels form, and leave room below the overflow. Outside of them a
fit would end in NaN, so that `ldavi._estimator` refuses the input; `finite` is the last line of defence.
"""

import math
from typing import Any

import numpy as np

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

# Σ ω_d n_dw, and with it every count and every sum over a document or a word. In float32, CVB0 multiplies a document's
# count by 255 shares and a mass of up to 2^30, which overflows from 1e27 on. In float64, the product of lnΓ's eight
# recurrence steps, x (x + 1) … (x + 7), overflows from 3e38 on. The margin lets batches be checked one by one.
MAX_TOKENS = {FLOAT32: 1e24, FLOAT64: 1e30}
# Entries of α, η and weights. The responsibility of a topic without tokens is in proportion to α η / (n_k n_wk), which
# must not underflow in every topic; online steps divide by the weight of a minibatch.
SMALLEST = {FLOAT32: 1e-10, FLOAT64: 1e-100}
# λ = η + S and γ = α + s must be able to represent a single token beside the prior.
LARGEST_PRIOR = {FLOAT32: 1e7, FLOAT64: 1e15}
MIN_LEARNED_PRIOR = 1e-5  # of learned α_k and η: a topic without tokens would have α_k = 0
MAX_LEARNED_PRIOR = 300.0  # without differences between documents, or topics, the maximum is at infinity
MAX_SAMPLES = 1e15  # total_samples, by which online steps scale a minibatch


def finite(value: float, what: str) -> float:
    """Return `value` if it is finite.

    Raises
    ------
    ValueError
        If it is not. The error names the causes that the limits of this module cannot exclude.
    """
    if math.isfinite(value):
        return value
    msg = (
        f"{what} is {value}: X, sample_weight, total_samples, init or a prior (doc_topic_prior, topic_word_prior) is "
        "too large or too small for the precision of the fit. Scale X so that its counts are near 1, use "
        "dtype='float64', or set priors between 1e-3 and 1e3"
    )
    raise ValueError(msg)


def prior_range(dtype: Any) -> tuple[float, float]:
    """Return the smallest and the largest prior that is permitted."""
    return SMALLEST[np.dtype(dtype)], LARGEST_PRIOR[np.dtype(dtype)]
