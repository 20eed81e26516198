"""A small corpus with a model, and hostile texts that look like scripts."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import LatentDirichletAllocation

SUBJECTS = (
    "galaxy telescope orbit planet star comet moon rocket",
    "butter flour oven sugar bread yeast dough kitchen",
    "goal referee match stadium league striker keeper penalty",
)
HOSTILE = (
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<!--<script>",
    "]]>\u2028window.hacked=1\u2029",
    "$$\\href{javascript:window.hacked=1}{x}$$",
    "{{ 7 * 7 }}{% raw %}",
    '"\' onmouseover="window.hacked=1" x="',
    "&lt;b&gt;&amp;\x00\x1b\ud800 🦜 ﷽",
)


class Case(NamedTuple):
    """Arguments of `ldavi.report.write`."""

    model: Any
    X: Any
    options: dict[str, Any]


def sentences(n_documents: int = 36, n_words: int = 40) -> list[str]:
    """Make texts with mostly one subject each, with capitals and punctuation."""
    rng = np.random.default_rng(0)
    texts = []
    for d in range(n_documents):
        own, other = SUBJECTS[d % 3].split(), SUBJECTS[(d + 1) % 3].split()
        words = [rng.choice(own if rng.random() < 0.8 else other) for _ in range(n_words)]
        texts.append("The " + " and the ".join(words).capitalize() + ".")
    return texts


def usual(n_topics: int = 3) -> Case:
    """Fit a model of this package, with everything that a page can show."""
    texts = sentences()
    vectorizer = CountVectorizer(stop_words="english")
    X = vectorizer.fit_transform(texts)
    model = LatentDirichletAllocation(n_topics, max_iter=300, random_state=0).fit(X)
    metadata = {
        "section": [["space", "food", "sport"][d % 3] for d in range(len(texts))],
        "date": np.datetime64("2020-01-05") + 40 * np.arange(len(texts)),
        "stars": np.linspace(0, 5, len(texts)),
    }
    options = {
        "vectorizer": vectorizer,
        "texts": texts,
        "metadata": metadata,
        "covariates": {name: metadata[name] for name in ("section", "stars")},
        "title": "Three subjects",
    }
    return Case(model, X, options)


def hostile() -> Case:
    """Take every text of the page from HOSTILE: words, titles, names, metadata, labels, diagnostics and documents."""
    names = [*HOSTILE, "word"]
    n_words = len(names)
    rng = np.random.default_rng(1)
    X = sparse.csr_array(rng.integers(0, 4, (24, n_words)))
    topics = rng.dirichlet(np.ones(n_words), 3)
    texts = [" word ".join(np.roll(np.array(HOSTILE, dtype=object), d)) for d in range(24)]
    classes = [HOSTILE[d % len(HOSTILE)] for d in range(24)]
    options = {
        "feature_names": names,
        "texts": texts,
        "document_names": classes,
        "metadata": {HOSTILE[0]: classes, HOSTILE[1]: np.arange(24)},
        "covariates": [HOSTILE[0]],
        "labels": list(HOSTILE[:3]),
        "diagnostics": {HOSTILE[0]: np.arange(3), HOSTILE[1]: list(HOSTILE[:3])},
        "title": HOSTILE[0] + HOSTILE[1],
    }
    return Case(topics, X, options)


def many_topics(n_topics: int = 200, n_words: int = 3_000, n_documents: int = 1_500) -> Case:
    """Make known topics without a fit, of the size that a page must support."""
    rng = np.random.default_rng(2)
    topics = rng.dirichlet(np.full(n_words, 0.02), n_topics) + 1e-6  # no word is impossible
    topics /= topics.sum(axis=1, keepdims=True)
    theta = rng.dirichlet(np.full(n_topics, 0.02), n_documents)
    X = sparse.random_array(
        (n_documents, n_words), density=0.02, rng=rng, data_sampler=lambda size: rng.integers(1, 4, size)
    )
    names = [f"word{w}" for w in range(n_words)]
    texts = [" ".join(names[w] for w in row.nonzero()[0]) for row in X.toarray()]
    options = {
        "feature_names": names,
        "texts": texts,
        "theta": theta,
        "metadata": {"part": rng.integers(0, 20, n_documents)},
        "covariates": {"part": [f"part {part}" for part in rng.integers(0, 20, n_documents)]},
    }
    return Case(topics, X.tocsr(), options)
