"""Result record of likelihood estimates, and their averages and sums. Equations (M5), (M8)."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator import validation as check
from ldavi._inference.document_completion import perplexity_of
from ldavi.metrics._tokens import DocumentTokens

UNSEEN = ("score", "ignore")


class HeldOutLikelihood(NamedTuple):
    """Log-likelihood of documents given topics and prior, estimated by sampling.

    Attributes
    ----------
    perplexity : float
        exp(−log_likelihood / n_tokens); 1 where nothing was scored.
    log_likelihood : float
        Σ_d log p(w_d | α, β), in nats, of the tokens in order.
    standard_error : float
        Standard error of `log_likelihood` over seeds. It does not include the variation between documents.
    n_tokens : int
        Tokens scored.
    n_unseen : int
        Tokens of words that no topic can produce.
    n_empty : int
        Documents without a token to score; their log-likelihood is 0.
    doc_topic_prior : array of shape (K,)
        α, in the order of the model's topics.
    document_log_likelihood : array of shape (D,)
    document_standard_error : array of shape (D,)
    document_effective_size : array of shape (D,)
        (Σ W)² / Σ W² of the weights of a document's particles or chains, from 1 to their number. Near 1 a single weight
        dominates: the estimate is then too low and its standard error too small. Use more particles or temperatures.
    document_tokens : array of shape (D,)
    """

    perplexity: float
    log_likelihood: float
    standard_error: float
    n_tokens: int
    n_unseen: int
    n_empty: int
    doc_topic_prior: Doubles
    document_log_likelihood: Doubles
    document_standard_error: Doubles
    document_effective_size: Doubles
    document_tokens: Int64s


def log_mean_exp(log_weight: Doubles) -> tuple[Doubles, Doubles]:
    """Compute the log of each row's mean weight, and its standard error by the delta method. Equation (M5)."""
    n = log_weight.shape[1]
    top = log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight - top)
    mean = weight.mean(axis=1)
    return top[:, 0] + np.log(mean), weight.std(axis=1, ddof=1) / mean / math.sqrt(n)


def effective_size(log_weight: Doubles) -> Doubles:
    """Compute the effective sample size (Σ W)² / Σ W² of each row."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    size: Doubles = weight.sum(axis=1) ** 2 / np.square(weight).sum(axis=1)
    return size


def total_error(standard_error: Doubles, key: NDArray[np.uint64]) -> float:
    """Compute the standard error of a sum over documents; equal keys share their random numbers. Equation (M8)."""
    _, group = np.unique(key, return_inverse=True)
    return math.sqrt(math.fsum(np.square(np.bincount(group, standard_error))))


def check_unseen(unseen_words: str) -> None:
    """Check the parameter `unseen_words`."""
    check.check_choice("unseen_words", unseen_words, UNSEEN)


def with_unseen(log_likelihood: Doubles, tokens: DocumentTokens, unseen_words: str) -> tuple[Doubles, Int64s]:
    """Return the log-likelihood and length of each document, with impossible words scored or ignored."""
    if unseen_words == "ignore":
        return log_likelihood, tokens.lengths
    return np.where(tokens.unseen > 0, -np.inf, log_likelihood), tokens.lengths + tokens.unseen


def summarise(
    log_likelihood: Doubles,
    standard_error: Doubles,
    size: Doubles,
    tokens: DocumentTokens,
    alpha: Doubles,
    unseen_words: str,
) -> HeldOutLikelihood:
    """Make the result record; totals are summed exactly, so that they do not depend on the order of documents."""
    document, lengths = with_unseen(log_likelihood, tokens, unseen_words)
    total, n_tokens = math.fsum(document), int(lengths.sum())
    return HeldOutLikelihood(
        perplexity_of(total, n_tokens),
        total,
        total_error(standard_error, tokens.key),
        n_tokens,
        int(tokens.unseen.sum()),
        int((lengths == 0).sum()),
        alpha,
        document,
        standard_error,
        size,
        lengths,
    )
