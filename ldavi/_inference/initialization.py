"""Topics to start a fit from: random or given, and priors from seed words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ldavi._core.chunks import chunks
from ldavi._core.records import Priors, aligned_zeros, padded
from ldavi._core.topics_of_model import topics_of
from ldavi._core.typing import Doubles, Floats

WORDS_AT_ONCE = 2**12
SEED_SHARE = 0.01  # of the tokens of an average topic: added to η of a seed word in its topic


def random_lambda(
    seeds: ArrayLike, n_words: int, priors: Priors, dtype: DTypeLike, *, dispersed: bool = False
) -> Floats:
    """Return random λ with mean 1, word-major of shape (V, Kp), plus the differences of η between topics.

    Entries are uniform between 0.8 and 1.2. With `dispersed` they are drawn from Gamma(3, 1/3), from which the small
    steps of online learning move away sooner.
    """
    K = priors.n_topics
    lam = aligned_zeros((n_words, padded(K)), dtype)
    generator = np.random.Generator(np.random.PCG64(np.asarray(seeds)))
    for words in chunks(n_words, WORDS_AT_ONCE):  # chunk by chunk, so that there is no second (V, K) array
        rows = lam[words]
        shape = len(rows), K  # drawn in float32, so that both precisions start from the same values
        if dispersed:
            rows[:, :K] = generator.standard_gamma(3, shape, dtype=np.float32) / 3
        else:
            rows[:, :K] = 0.8 + 0.4 * generator.random(shape, dtype=np.float32)
        if priors.eta.shape == (n_words, K):
            eta = priors.eta[words]
            rows[:, :K] += (eta - eta.min(axis=1, keepdims=True)).astype(lam.dtype)
    return lam


def word_major(lam: Floats, dtype: DTypeLike) -> Floats:
    """Return λ of shape (K, V) as a word-major array of shape (V, Kp)."""
    rows = aligned_zeros((lam.shape[1], padded(len(lam))), dtype)
    rows[:, : len(lam)] = lam.T
    return rows


def lambda_from_topics(topics: Doubles, mass: float, priors: Priors, dtype: DTypeLike) -> Floats:
    """Return λ for topics of `mass` expected tokens each."""
    lam = word_major(topics * mass, dtype)
    lam[:, : priors.n_topics] += priors.eta.astype(lam.dtype)
    return lam


def given_topics(init: Any, n_topics: int, n_words: int) -> Doubles:
    """Return the topics of an array or a fitted model; rows sum to 1.

    Raises
    ------
    ValueError
        If their shape is not (n_topics, n_words).
    """
    try:
        topics = topics_of(init)
    except (TypeError, ValueError) as error:
        kinds = "'auto', 'random', a (n_components, n_features) array or a fitted model"
        msg = f"init={type(init).__name__} must be {kinds}: {error}"
        raise ValueError(msg) from error
    if topics.shape != (n_topics, n_words):
        msg = (
            f"init has topics of shape {topics.shape}, but n_components and X give {(n_topics, n_words)}: "
            "give topics over the same words, and set n_components to their number"
        )
        raise ValueError(msg)
    return topics


def seeded_columns(seed_words: Any, n_topics: int, n_words: int, names: Any) -> dict[int, list[int]]:
    """Return the columns of the seed words of each topic.

    Raises
    ------
    TypeError, ValueError
        If `seed_words` is not {topic: [word, ...]}, or a topic or word does not exist.
    """
    if not isinstance(seed_words, Mapping):
        raise TypeError(f"seed_words={seed_words!r} must be a dict of {{topic: [word, ...]}} or None")
    column = {} if names is None else {str(name): w for w, name in enumerate(names)}
    found: dict[int, list[int]] = {}
    for topic, words in seed_words.items():
        if isinstance(topic, bool) or not isinstance(topic, (int, np.integer)) or not 0 <= topic < n_topics:
            raise ValueError(f"seed_words names the topic {topic!r}; topics are numbered from 0 to {n_topics - 1}")
        if isinstance(words, str) or not hasattr(words, "__iter__"):
            raise TypeError(f"seed_words[{topic}]={words!r} must be a list of words")
        found[int(topic)] = [_column(word, column, n_words) for word in words]
    return found


def _column(word: Any, column: Mapping[str, int], n_words: int) -> int:
    """Return the column of a seed word, given by number or by name."""
    if isinstance(word, (int, np.integer)) and not isinstance(word, bool):
        if 0 <= word < n_words:
            return int(word)
        raise ValueError(f"seed_words names the column {word}; X has the columns 0 to {n_words - 1}")
    if str(word) in column:
        return column[str(word)]
    why = (
        "is not among the columns of X" if column else "is a name, but X has none: pass a DataFrame, or column numbers"
    )
    raise ValueError(f"the seed word {word!r} {why}")


def with_seeds(priors: Priors, seeds: Mapping[int, list[int]], n_tokens: float, n_words: int) -> Priors:
    """Return priors with a larger η for each seed word in its topic; η has shape (V, K)."""
    eta = np.array(np.broadcast_to(priors.eta, (n_words, priors.n_topics)))
    for topic, words in seeds.items():
        eta[words, topic] += SEED_SHARE * n_tokens / priors.n_topics
    return Priors(priors.alpha, eta)
