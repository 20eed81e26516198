"""Document completion: how well θ, inferred from one half of a document, predicts the other half. Equation (20.1)."""

from collections.abc import Callable, Iterator

import numpy as np

from ldavi._core.chunks import chunks
from ldavi._core.typing import Doubles, Floats, Int32s, Int64s


def log_predictive(
    theta: Floats,
    beta_of: Callable[[Int32s | Int64s], Floats],
    *,
    indptr: Int32s | Int64s,
    indices: Int32s | Int64s,
    size: int,
) -> Iterator[tuple[slice, Doubles]]:
    """Compute log Σ_k θ_dk β_kw of each count that is to be predicted, `size` counts at a time.

    Parameters
    ----------
    theta : array of shape (D, K)
        Topic proportions of the documents, inferred from their observed halves.
    beta_of : callable
        Returns the probabilities of words under each topic, of shape (n, K), for n entries of `indices`.
    indptr, indices : arrays of shape (D + 1,) and (nnz,)
        The scored halves in CSR format.
    size : int
        Counts per chunk.

    Yields
    ------
    at : slice
        The chunk's place among the stored counts.
    log_p : array of shape (n,)
        Nats; −∞ where no topic gives the word any probability.
    """
    document = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    for at in chunks(len(document), size):
        beta = beta_of(indices[at])
        with np.errstate(divide="ignore"):  # log 0 = −∞ is the result where a point estimate of β is 0
            log_p = np.log(np.einsum("ik,ik->i", theta[document[at]], beta, dtype=np.float64))
        yield at, log_p


def perplexity_of(log_likelihood: float, n_tokens: float) -> float:
    """Compute exp(−log_likelihood / n_tokens); 1 without tokens."""
    with np.errstate(over="ignore"):
        return float(np.exp(-log_likelihood / n_tokens)) if n_tokens else 1.0
