"""Reference implementations of topic measures, slow and simple, from their papers. Imports nothing of the package."""

from itertools import combinations, permutations
from math import isclose, log, sqrt

EPSILON = 1e-12


def sliding_windows(texts, size):
    """Return each window of `size` tokens as a set; a document that is not longer is one set."""
    return [set(text[i : i + size]) for text in texts for i in range(max(1, len(text) - size + 1))]


def gensim_windows(texts, size):
    """Return the same, but remove a word when one occurrence of it leaves the window."""
    windows = []
    for text in texts:
        held = set(text[:size])
        windows.append(set(held))
        for i in range(size, len(text)):
            held.discard(text[i - size])
            held.add(text[i])
            windows.append(set(held))
    return windows


def coherence(words, windows, measure):
    """Compute the measures of Röder et al. 2015 for one list of words that all occur."""

    def p(*some):
        return sum(all(word in window for word in some) for window in windows) / len(windows)

    def pmi(a, b):
        return log((p(a, b) + EPSILON) / (p(a) * p(b)))

    def npmi(a, b):
        return pmi(a, b) / -log(p(a, b) + EPSILON)

    if measure == "u_mass":
        return mean(
            log((p(words[i], words[j]) + EPSILON) / p(words[j])) if p(words[j]) else 0.0
            for i in range(len(words))
            for j in range(i)
        )
    if measure in ("uci", "npmi"):
        return mean((pmi if measure == "uci" else npmi)(a, b) for a, b in permutations(words, 2))
    vectors = [[npmi(a, b) for b in words] for a in words]
    together = [sum(column) for column in zip(*vectors, strict=True)]
    return mean(cosine(vector, together) for vector in vectors)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def cosine(u, v):
    return sum(x * y for x, y in zip(u, v, strict=True)) / sqrt(sum(x * x for x in u) * sum(y * y for y in v))


def rank_biased_overlap(one, other, p):
    """Compute equation 32 of Webber et al. 2010, for lists of equal length."""
    n = len(one)
    agreement = [len(set(one[:d]) & set(other[:d])) / d for d in range(1, n + 1)]
    return agreement[-1] * p**n + (1 - p) / p * sum(a * p**d for d, a in enumerate(agreement, start=1))


def inverted_rbo(lists, p):
    return 1 - mean(rank_biased_overlap(one, other, p) for one, other in combinations(lists, 2))


def frex(beta, weight, word_counts=None):
    """Compute `calcfrex` with `js.estimate` of R's stm, one cell at a time."""
    n_topics, n_words = len(beta), len(beta[0])
    totals = [sum(row[w] for row in beta) for w in range(n_words)]
    shares = [[row[w] / totals[w] for w in range(n_words)] for row in beta]
    if word_counts is not None:
        columns = [shrink([row[w] for row in shares], word_counts[w]) for w in range(n_words)]
        shares = [[columns[w][k] for w in range(n_words)] for k in range(n_topics)]

    def rank(row, w):  # the mean rank of values that are equal up to rounding
        equal = [isclose(x, row[w], rel_tol=1e-11) for x in row]
        return sum(x < row[w] and not e for x, e in zip(row, equal, strict=True)) + (sum(equal) + 1) / 2

    return [
        [1 / (weight / (rank(b, w) / n_words) + (1 - weight) / (rank(e, w) / n_words)) for w in range(n_words)]
        for b, e in zip(beta, shares, strict=True)
    ]


def shrink(probabilities, count):
    uniform = 1 / len(probabilities)
    if count <= 1:
        return [uniform] * len(probabilities)
    deviation = sum((e - uniform) ** 2 for e in probabilities)
    if deviation == 0:
        return probabilities
    amount = min(1, sum(e * (1 - e) / (count - 1) for e in probabilities) / deviation)
    return [amount * uniform + (1 - amount) * e for e in probabilities]


def similarity(p, q, distance, n_words):
    """Compute the similarity of two distributions."""
    pairs = list(zip(p, q, strict=True))
    if distance == "hellinger":
        return 1 - sqrt(sum((sqrt(x) - sqrt(y)) ** 2 for x, y in pairs) / 2)
    if distance == "cosine":
        return cosine(p, q)
    if distance == "jaccard":
        a, b = set(first_words(p, n_words)), set(first_words(q, n_words))
        return len(a & b) / len(a | b)
    divergence = sum(x * log(2 * x / (x + y), 2) for x, y in pairs if x) + sum(
        y * log(2 * y / (x + y), 2) for x, y in pairs if y
    )
    return 1 - sqrt(max(divergence, 0) / 2)


def first_words(row, n):
    return sorted(range(len(row)), key=lambda w: (-row[w], w))[:n]


def best_matching(a, b, distance, n_words):
    """Compute the maximum mean similarity of one-to-one matchings by trying all; len(a) <= len(b)."""
    table = [[similarity(p, q, distance, n_words) for q in b] for p in a]
    return max(mean(table[i][j] for i, j in enumerate(chosen)) for chosen in permutations(range(len(b)), len(a)))


def diagnostics(X, theta, beta, alpha, n_words, smoothing):
    """Compute MALLET's TopicModelDiagnostics with expected counts: each column as a list over topics.

    `theta` holds the documents' factors of φ, exp(E[log θ]) made to sum to 1.
    """
    n_docs, n_vocabulary, n_topics = len(X), len(beta[0]), len(beta)
    tokens = sum(map(sum, X))
    phi = [[responsibility(theta[d], [row[w] for row in beta]) for w in range(n_vocabulary)] for d in range(n_docs)]
    table = {}

    def add(name, value):
        table.setdefault(name, []).append(value)

    for k in range(n_topics):
        first = first_words(beta[k], n_words)
        of_document = [sum(X[d][w] * phi[d][w][k] for w in range(n_vocabulary)) for d in range(n_docs)]
        of_word = [sum(X[d][w] * phi[d][w][k] for d in range(n_docs)) for w in range(n_vocabulary)]
        total = sum(of_document)
        add("tokens", total)
        add("document_entropy", -sum(n / total * log(n / total) for n in of_document if n > 0))
        shares = [n / total for n in of_word]
        corpus = [sum(X[d][w] for d in range(n_docs)) / tokens for w in range(n_vocabulary)]
        add("uniform_dist", sum(p * log(p * n_vocabulary) for p in shares if p > 0))
        add("corpus_dist", sum(p * log(p / q) for p, q in zip(shares, corpus, strict=True) if p > 0))
        add("eff_num_words", 1 / sum(p * p for p in shares))

        present = [{w: 1 - (1 - phi[d][w][k]) ** X[d][w] for w in first} for d in range(n_docs)]
        one = {w: sum(chance[w] for chance in present) for w in first}
        score = 0.0
        for i, j in combinations(range(len(first)), 2):
            both = sum(chance[first[i]] * chance[first[j]] for chance in present)
            score += log((both + smoothing) / (one[first[i]] + smoothing))
        add("coherence", score)
        p = [of_word[w] / sum(of_word[v] for v in first) for w in first]
        q = [one[w] / sum(one.values()) for w in first]
        halves = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
        add(
            "token_doc_diff", sum(x * log(x / m) / 2 for some in (p, q) for x, m in zip(some, halves, strict=True) if x)
        )

        held = [d for d in range(n_docs) if of_document[d] >= 0.5]
        all_of_document = [
            [sum(X[d][w] * phi[d][w][j] for w in range(n_vocabulary)) for j in range(n_topics)] for d in range(n_docs)
        ]
        share = {d: (alpha[k] + of_document[d]) / (sum(alpha) + sum(X[d])) for d in held}
        add("rank_1_docs", ratio(sum(of_document[d] >= max(all_of_document[d]) for d in held), len(held)))
        add("allocation_count", ratio(sum(share[d] >= 0.3 for d in held), len(held)))
        add("allocation_ratio", ratio(sum(share[d] >= 0.5 for d in held), sum(share[d] >= 0.02 for d in held)))
        add("exclusivity", mean(beta[k][w] / sum(row[w] for row in beta) for w in first))
    return table


def responsibility(theta, beta):
    weights = [t * b for t, b in zip(theta, beta, strict=True)]
    total = sum(weights)
    return [weight / total for weight in weights] if total else list(theta)


def ratio(number, total):
    return number / total if total else 0.0
