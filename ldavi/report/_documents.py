"""The documents that the page shows with coloured words, and the positions of all documents on the document map."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ldavi._core.topics_of_model import ModelOrTopics
from ldavi._core.typing import Doubles, Int64s
from ldavi._estimator.posterior import Posterior, responsibilities_of
from ldavi.inspection import _columns
from ldavi.plotting._outliers import compress_outliers
from ldavi.report import _texts

MAX_CHARACTERS = 6_000  # of a document
MAX_BYTES = 3_000_000  # of all shown documents together
MIN_SHARE = 0.02  # of a document: smaller topics are not listed beside it
MAX_TOPICS = 8  # listed beside a document
SPREAD = 0.45  # share of the map that documents of one topic each would cover
GOLDEN = (np.sqrt(5) - 1) / 2
PLASTIC = 0.754877666  # 1 / the plastic number: with GOLDEN, a sequence of evenly spread points


@dataclass(frozen=True)
class DocumentInput:
    """The documents and their metadata, checked."""

    counts: sparse.csr_array
    names: NDArray[Any]
    texts: list[str] | None
    document_names: list[str] | None
    metadata: Mapping[str, ArrayLike]
    bins: Mapping[str, Any]
    vectorizer: Any
    places: Doubles | None


def shown(model: ModelOrTopics, corpus: DocumentInput, posterior: Posterior, rows: Int64s) -> list[dict[str, Any]]:
    """Describe the documents of some rows, whose posterior is given, as many as fit into MAX_BYTES."""
    if not len(rows):
        return []
    counts, theta = posterior.counts, posterior.theta()
    phi = responsibilities_of(model, posterior)
    topics, tenths = phi.argmax(axis=1), np.round(phi.max(axis=1, initial=0) * 10).astype(int)
    find = _texts.word_finder(corpus.names, corpus.vectorizer)
    metadata = [_columns.as_text(values, rows) for values in corpus.metadata.values()]
    documents: list[dict[str, Any]] = []
    size = 0
    for i, d in enumerate(rows.tolist()):
        at = slice(counts.indptr[i], counts.indptr[i + 1])
        columns = counts.indices[at].tolist()
        topic_of = dict(zip(columns, zip(topics[at].tolist(), tenths[at].tolist(), strict=True), strict=True))
        document = {
            "row": d,
            "name": f"Document {d}" if corpus.document_names is None else corpus.document_names[d],
            "tokens": int(posterior.tokens[i]),
            "topics": largest_topics(theta[i]),
            "metadata": [values[i] for values in metadata],
        }
        if corpus.texts is None:
            values = counts.data[at].tolist()
            document["bag"] = [[str(corpus.names[w]), *topic_of[w], n] for w, n in zip(columns, values, strict=True)]
        else:
            document["text"] = _texts.pieces(_texts.shortened(corpus.texts[d], MAX_CHARACTERS), find, topic_of)
        size += len(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        if size > MAX_BYTES:
            break
        documents.append(document)
    return documents


def largest_topics(theta: Doubles) -> list[list[Any]]:
    """Return the largest topics of a document with their proportions."""
    order = np.argsort(-theta, kind="stable")[:MAX_TOPICS].tolist()
    return [[k, float(f"{theta[k]:.3g}")] for k in order if theta[k] >= MIN_SHARE]


def places(theta: Doubles, shares: Doubles, topic_places: Doubles) -> Doubles:
    """Compute the positions of documents from those of topics.

    A document is at the mean of its topics' positions, weighted by squared proportions, and moved within a disc, whose
    area is proportional to the sizes of the topics, so that documents of one topic do not cover each other. The offset
    depends on the row only.

    Parameters
    ----------
    theta : array of shape (D, K)
    shares : array of shape (K,)
        Sizes of the topics.
    topic_places : array of shape (K, 2)

    Returns
    -------
    places : array of shape (D, 2)
    """
    weights = theta**2
    weights /= weights.sum(axis=1, keepdims=True)
    area = float(np.prod(np.maximum(np.ptp(topic_places, axis=0), 1e-3)))
    radius = weights @ np.sqrt(SPREAD * area * shares / np.pi)
    row = np.arange(len(theta))
    angle, distance = 2 * np.pi * (row * GOLDEN % 1), np.sqrt(row * PLASTIC % 1)
    shift = (radius * distance)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.asarray(weights @ topic_places + shift)


def document_map(
    theta: Doubles, shares: Doubles, topic_places: Doubles, given: Doubles | None
) -> tuple[Doubles, Doubles]:
    """Return the positions of documents and of topics' names on the document map, between 0 and 1.

    The names of topics are at the mean position of their documents, weighted by squared proportions, if the positions
    of documents are given.
    """
    if given is None:
        points, names = places(theta, shares, topic_places), topic_places
    else:
        points = compress_outliers(given)[0]
        weights = theta**2
        names = (weights.T @ points) / np.maximum(weights.sum(axis=0), 1e-300)[:, None]
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.where(high > low, high - low, 1.0)
    return (points - low) / size, np.clip((names - low) / size, 0, 1)
