"""Shares of topics in the bins of a column, with intervals over documents."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import stdtrit

from ldavi._core.typing import Doubles, Int64s
from ldavi.inspection._columns import Bins

CONFIDENCE = 0.95
UNIT = 100_000  # shares are sent as integers, in units of 1 / UNIT


class Shares(NamedTuple):
    """Shares of topics in bins.

    Attributes
    ----------
    documents : (B,) int64 array
        Number of documents in each bin.
    share : (K, B) array
        Each topic's share of the tokens of the bin; 0 in a bin without tokens.
    half_width : (K, B) array
        Half of the width of the 95 % confidence interval of `share`; NaN in a bin with fewer than two documents.
    """

    documents: Int64s
    share: Doubles
    half_width: Doubles


def shares(bins: Bins, topic_tokens: Doubles, lengths: Doubles) -> Shares:
    """Compute the share of each topic in each bin, and its confidence interval.

    A share is the ratio s = Σ_d t_d / Σ_d n_d over the documents of the bin, with t_d the expected tokens of the topic
    and n_d the length. Documents are regarded as a random sample, and the variance of the ratio is estimated by
    linearisation: D / (D − 1) Σ_d (t_d − s n_d)² / (Σ_d n_d)². The interval uses Student's t with D − 1 degrees of
    freedom.

    Parameters
    ----------
    bins : Bins
    topic_tokens : array of shape (D, K)
        Expected tokens of each topic in each document.
    lengths : array of shape (D,)

    References
    ----------
    Cochran. "Sampling techniques", 3rd edition, section 2.11. Wiley, 1977.
    """
    n_bins = len(bins.labels)
    rows = np.flatnonzero(bins.of >= 0)
    members = sparse.csr_array((np.ones(len(rows)), (bins.of[rows], rows)), shape=(n_bins, len(lengths)))
    documents = np.bincount(bins.of[rows], minlength=n_bins).astype(np.int64)
    with_tokens = members @ (lengths > 0).astype(np.float64)
    total, squared = members @ lengths, members @ lengths**2
    mass = members @ topic_tokens
    share = mass / np.where(total > 0, total, 1)[:, None]
    cross, square = members @ (topic_tokens * lengths[:, None]), members @ topic_tokens**2
    residual = np.maximum(square - 2 * share * cross + share**2 * squared[:, None], 0)
    freedom = np.where(with_tokens > 1, with_tokens - 1, np.nan)
    quantile = stdtrit(freedom, (1 + CONFIDENCE) / 2)
    scale = np.sqrt(with_tokens / freedom) / np.where(total > 0, total, 1) * quantile
    return Shares(documents, share.T, (np.sqrt(residual) * scale[:, None]).T)


def content(name: str, divisions: list[Bins], topic_tokens: Doubles, lengths: Doubles) -> dict[str, Any]:
    """Return the trends of one column for the page."""
    first = divisions[0]
    return {
        "name": name,
        "kind": first.kind,
        "missing": int((first.of < 0).sum()),
        "cuts": [_cut(bins, shares(bins, topic_tokens, lengths)) for bins in divisions],
    }


def _cut(bins: Bins, result: Shares) -> dict[str, Any]:
    half = np.where(np.isfinite(result.half_width), result.half_width, -1 / UNIT)  # −1 means unknown
    return {
        "unit": bins.unit,
        "bins": bins.labels,
        "documents": result.documents.tolist(),
        "share": _integers(result.share),
        "half": _integers(half),
    }


def _integers(values: Doubles) -> Any:
    return np.round(values * UNIT).astype(np.int64).tolist()
