"""`ldavi topics`: the words of each topic."""

from typing import Any

import numpy as np

from ldavi import inspection
from ldavi.cli import _modelfile
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Commands, Options, add_tables, add_talk, command, positive
from ldavi.cli._output import print_csv, print_json, print_table, records_of

MEASURES = ("relevance", "probability", "frex", "lift")
EXAMPLES = """\
  ldavi topics model.ldavi
  ldavi topics model.ldavi -n 20 --by probability
  ldavi topics model.ldavi --csv > topics.csv
"""


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "topics",
        usage="MODEL [-n N] [--by SCORE] [--json | --csv]",
        help="the words of each topic, and how large it is",
        description="Prints the topics of a model, the largest first: number, share of the tokens it was fitted to, words.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("-n", "--words", type=positive, default=10, metavar="N", help="words of a topic (default: 10)")
    parser.add_argument(
        "--by",
        choices=MEASURES,
        default="relevance",
        help="what makes a word a good one: relevance (frequent in the topic, and more so than elsewhere), probability in "
        "the topic, frex (frequent and exclusive) or lift (exclusive) (default: relevance)",
    )
    add_tables(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(options: Options) -> int:
    """Print them."""
    kept = _modelfile.load(options.model, options)
    topics = topics_of(kept, options.words, options.by)
    if options.json:
        print_json(topics)
    elif options.csv:
        print_csv(
            [
                {"topic": topic["topic"], "share": f"{topic['share']:.6g}", "rank": rank, **word}
                for topic in topics
                for rank, word in enumerate(topic["words"], start=1)
            ]
        )
    else:
        print_topics(topics)
    return 0


def topics_of(kept: Kept, n_words: int, by: str) -> list[dict[str, Any]]:
    """Topics with their share and words, the largest first."""
    shares = _modelfile.topic_shares(kept.model)
    rows = records_of(inspection.top_words(kept.model, n_words, by=by, feature_names=kept.words))
    words: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        words.setdefault(row["topic"], []).append({name: row[name] for name in ("word", "score", "probability")})
    order = np.argsort(-shares, kind="stable").tolist()
    return [{"topic": topic, "share": float(shares[topic]), "words": words[topic]} for topic in order]


def print_topics(topics: list[dict[str, Any]]) -> None:
    """A line per topic."""
    rows = [[str(t["topic"]), f"{t['share']:.1%}", " ".join(str(word["word"]) for word in t["words"])] for t in topics]
    print_table(["topic", "share", "words"], rows, left=(2,))
