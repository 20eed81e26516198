"""`ldavi compare`: match the topics of two models."""

from typing import Any

import numpy as np

from ldavi import inspection, metrics
from ldavi._core.typing import Doubles
from ldavi.cli import _model_file
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import print_csv, print_json, print_table, say
from ldavi.cli._topic_names import names_of


def run(options: Options) -> int:
    """Print the pairs of topics."""
    saved, other = (_model_file.load(path, options) for path in (options.model, options.other))
    topics, other_topics = common_topics(options, saved, other)
    matching = metrics.match_topics(topics, other_topics, distance=options.by)
    records = records_of_pairs(options, saved, other, matching)
    if options.json:
        print_json({"mean_similarity": matching.mean, "pairs": records})
    elif options.csv:
        print_csv(records)
    else:
        header = list(records[0])
        left = tuple(column for column, name in enumerate(header) if "words" in name or "name" in name)
        print_table(header, [[_cell(record[name]) for name in header] for record in records], left=left)
        say(options, f"\nmean similarity of {len(matching.pairs)} pairs: {matching.mean:.3f}")
    return 0


def common_topics(options: Options, saved: SavedModel, other: SavedModel) -> tuple[Doubles, Doubles]:
    """Return the topics of both models over the words that both have.

    Raises
    ------
    ValueError
        If the words of a model are unknown and their numbers differ, or no word is common to both.
    """
    topics, others = (np.asarray(each.model.topics_, dtype=np.float64) for each in (saved, other))
    if saved.words is None or other.words is None:
        if topics.shape[1] != others.shape[1]:
            unknown = options.model if saved.words is None else options.other
            raise ValueError(
                f"{unknown}: the file has no words, and the models have {topics.shape[1]:,} and {others.shape[1]:,} "
                "of them, so that they cannot be matched"
            )
        return topics, others
    _, columns, other_columns = np.intersect1d(saved.words.astype(str), other.words.astype(str), return_indices=True)
    if not len(columns):
        raise ValueError(f"{options.model} and {options.other} have no word in common")
    if len(columns) < max(saved.n_words, other.n_words):
        say(options, f"compared by {len(columns):,} common words, of {saved.n_words:,} and {other.n_words:,}")
    return topics[:, columns], others[:, other_columns]


def records_of_pairs(
    options: Options, saved: SavedModel, other: SavedModel, matching: metrics.Matching
) -> list[dict[str, Any]]:
    """Return a record per pair, the most similar first, and one per topic without a partner."""
    order = np.argsort(-matching.similarity, kind="stable")
    pairs: list[tuple[int | None, int | None, float | None]] = [
        (int(matching.pairs[i, 0]), int(matching.pairs[i, 1]), float(matching.similarity[i])) for i in order
    ]
    pairs += [(k, None, None) for k in range(saved.n_topics) if k not in matching.pairs[:, 0]]
    pairs += [(None, k, None) for k in range(other.n_topics) if k not in matching.pairs[:, 1]]
    sides = [
        (each, names_of(each), inspection.top_words_lists(each.model, options.words, by="relevance"))
        for each in (saved, other)
    ]
    records = []
    for a, b, similarity in pairs:
        record: dict[str, Any] = {"similarity": "" if similarity is None else float(f"{similarity:.6g}")}
        for prefix, topic, (_, names, words) in zip(("", "other_"), (a, b), sides, strict=True):
            record[f"{prefix}topic"] = "" if topic is None else topic
            if any(names):
                record[f"{prefix}name"] = "" if topic is None else names[topic]
            record[f"{prefix}words"] = "" if topic is None else " ".join(words[topic])
        records.append(record)
    return records


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
