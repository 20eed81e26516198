"""Reference implementation of draws of θ: plain Python, token by token, with the same random numbers.

Numbers in parentheses are equations of docs/math.md. Nothing here imports ldavi.
"""

import math

import numpy as np

WORD = 2**64 - 1


def mix(x):
    """Return one step of SplitMix64."""
    x = (x + 0x9E3779B97F4A7C15) & WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & WORD
    return x ^ (x >> 31)


class Stream:
    """xoshiro256**, seeded by a key; numbers with common distributions."""

    def __init__(self, key):
        self.a = mix(key ^ mix(0))
        self.b = mix(self.a)
        self.c = mix(self.b)
        self.d = mix(self.c)

    def uniform(self):
        x, t = (self.b * 5) & WORD, (self.b << 17) & WORD
        x = (((x << 7) & WORD | (x >> 57)) * 9) & WORD
        self.c ^= self.a
        self.d ^= self.b
        self.b ^= self.c
        self.a ^= self.d
        self.c ^= t
        self.d = ((self.d << 45) & WORD) | (self.d >> 19)
        return (x >> 11) / 2**53

    def normal(self):
        while True:
            u, v = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            if 0 < u * u + v * v < 1:
                return u * math.sqrt(-2 * math.log(u * u + v * v) / (u * u + v * v))

    def gamma(self, shape):
        """Return a number from Gamma(shape, 1), and its logarithm."""
        if shape >= 1:
            d = shape - 1 / 3
            while True:
                x = self.normal()
                v = (1 + x / math.sqrt(9 * d)) ** 3
                if v > 0 and math.log(1 - self.uniform()) < x * x / 2 + d * (1 - v + math.log(v)):
                    return d * v, math.log(d * v)
        while True:
            p = (1 + shape / math.e) * (1 - self.uniform())
            if p <= 1:
                logarithm = math.log(p) / shape
                if math.exp(logarithm) < 1e-16 or 1 - self.uniform() <= math.exp(-math.exp(logarithm)):
                    return math.exp(logarithm), logarithm
            else:
                x = -math.log((1 + shape / math.e - p) / shape)
                if 1 - self.uniform() <= x ** (shape - 1):
                    return x, math.log(x)


def sample_topic(stream, active, alpha, beta):
    """Sample a topic in proportion to (n_k + alpha_k) beta_k; `active` are the topics with tokens, in order. (21.1)"""
    weights = [n * beta[k] for k, n in active.items()]
    target = stream.uniform() * (sum(weights) + alpha @ beta)
    for k, weight in zip(active, weights, strict=True):
        if weight > target:
            return k
        target -= weight
    return int(np.searchsorted(np.cumsum(alpha * beta), target, side="right"))


class Tokens(dict):
    """Tokens per topic; the last topic takes the place of one that loses all tokens, as in the compiled code."""

    def gain(self, k):
        self[k] = self.get(k, 0) + 1

    def lose(self, k):
        self[k] -= 1
        if self[k] == 0:
            order = list(self)
            last = order.pop()
            if last != k:
                order[order.index(k)] = last
            counts = {topic: self[topic] for topic in order}
            self.clear()
            self.update(counts)


def round_counts(stream, counts):
    """Round counts at random with the right means, by systematic sampling. (21.3)"""
    edges = np.floor(stream.uniform() + np.concatenate([[0], np.cumsum(counts)]))
    return np.diff(edges).astype(int)


def draw_proportions(counts, topics, alpha, key, n_samples, n_burn, n_between):
    """Draw theta of one document, (n_samples, K). (21.1) to (21.3)"""
    words = [w for w in np.flatnonzero(counts) for _ in range(math.ceil(counts[w]))]
    last = [n + 1 == len(words) or words[n + 1] != words[n] for n in range(len(words))]
    optional = [last[n] and counts[words[n]] % 1 > 0 for n in range(len(words))]
    stream, active, z = Stream(key), Tokens(), [None] * len(words)

    def assign(n):
        z[n] = sample_topic(stream, active, alpha, topics[:, words[n]])
        active.gain(z[n])

    for n in range(len(words)):
        if not optional[n]:
            assign(n)
    theta = np.empty((n_samples, len(alpha)))
    for draw in range(-1, n_samples):
        if any(optional):
            rounded = dict(
                zip(np.flatnonzero(counts), round_counts(stream, counts[np.flatnonzero(counts)]), strict=True)
            )
            for n in np.flatnonzero(optional):
                present = rounded[words[n]] > math.floor(counts[words[n]])
                if present and z[n] is None:
                    assign(n)
                elif not present and z[n] is not None:
                    active.lose(z[n])
                    z[n] = None
        for _ in range(n_burn if draw < 0 else n_between):
            for n in range(len(words)):
                if z[n] is not None:
                    active.lose(z[n])
                    assign(n)
        if draw >= 0:
            shapes = alpha + [active.get(k, 0) for k in range(len(alpha))]
            logarithms = np.array([stream.gamma(shape)[1] for shape in shapes])
            theta[draw] = np.exp(logarithms - logarithms.max()) / np.exp(logarithms - logarithms.max()).sum()
    return theta
