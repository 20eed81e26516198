"""`ldavi topics`: the size and the top words of each topic."""

from typing import Any

import numpy as np

from ldavi import inspection
from ldavi._core.typing import WordScore
from ldavi.cli import _model_file
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import print_csv, print_json, print_table, records_of
from ldavi.cli._topic_names import names_of, with_name


def run(options: Options) -> int:
    """Print the topics."""
    saved = _model_file.load(options.model, options)
    topics = topics_of(saved, options.words, options.by)
    if options.json:
        print_json(topics)
    elif options.csv:
        print_csv(records_of_topics(topics))
    else:
        print_topics(topics)
    return 0


def topics_of(saved: SavedModel, n_words: int, by: WordScore) -> list[dict[str, Any]]:
    """Return the topics with their shares and words, the largest first."""
    shares = np.asarray(inspection.topic_sizes(saved.model)["share"])
    rows = records_of(inspection.top_words(saved.model, n_words, by=by, feature_names=saved.words))
    words: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        words.setdefault(row["topic"], []).append({name: row[name] for name in ("word", "score", "probability")})
    order, names = np.argsort(-shares, kind="stable").tolist(), names_of(saved)
    return [{**with_name(names, topic), "share": float(shares[topic]), "words": words[topic]} for topic in order]


def records_of_topics(topics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a record per topic and word."""
    return [
        {
            **{name: value for name, value in topic.items() if name in ("topic", "name")},
            "share": f"{topic['share']:.6g}",
            "rank": rank,
            **word,
        }
        for topic in topics
        for rank, word in enumerate(topic["words"], start=1)
    ]


def print_topics(topics: list[dict[str, Any]]) -> None:
    """Print a line per topic."""
    header = [name for name in ("topic", "share", "name", "words") if name in topics[0]]
    shown = [
        {**t, "share": f"{t['share']:.1%}", "words": " ".join(str(word["word"]) for word in t["words"])} for t in topics
    ]
    print_table(header, [[str(topic[name]) for name in header] for topic in shown], left=(2, 3))
