"""The file of `ldavi fit --seed-words`: words that should belong to topics, a line per topic."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ldavi import LatentDirichletAllocation
from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options
from ldavi.cli._output import say
from ldavi.io._counting.recipe import Counting
from ldavi.io._errors import CorpusError

MAX_LISTED = 10  # unknown words in a message


class SeedLine(NamedTuple):
    """The seed words of a topic.

    Attributes
    ----------
    number : int
        Line of the file, from 1.
    name : str
        The name of the topic, "" without one.
    words : list of str
    """

    number: int
    name: str
    words: list[str]


def read_seed_words(options: Options) -> list[SeedLine]:
    """Return the lines of the file of --seed-words; no lines without this option.

    Raises
    ------
    CorpusError
        If it is not text in this encoding, has no lines, or a line has a name but no words.
    """
    path = options.seed_words
    if path is None:
        return []
    try:
        text = Path(path).read_text(encoding=options.encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise CorpusError(path, f"cannot be read with --encoding {options.encoding}: {error}") from error
    lines = [
        _seed_line(path, number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise CorpusError(path, "has no seed words; write a line per topic, such as: sports: ball, goal, team")
    return lines


def _seed_line(path: str, number: int, line: str) -> SeedLine:
    """Read "name: word, word" or "word word"; only commas separate entries that contain blanks."""
    name, colon, listed = line.partition(":")
    if not colon:
        name, listed = "", line
    words = listed.split(",") if "," in listed else listed.split()
    words = [" ".join(word.split()) for word in words if word.strip()]
    if not words:
        raise CorpusError(path, "names a topic, but has no words; write: sports: ball, goal, team", number)
    return SeedLine(number, " ".join(name.split()), words)


def set_seed_words(
    options: Options, model: LatentDirichletAllocation, lines: Sequence[SeedLine], words: Any, counting: Counting
) -> None:
    """Set the model's parameter `seed_words` to the columns of the words; note those that are not counted.

    Raises
    ------
    UsageError
        If there are more lines than topics.
    ValueError
        If the words of the columns are unknown, or none of a line is counted.
    """
    if not lines:
        return
    if len(lines) > model.n_components:
        raise UsageError(
            f"--seed-words {options.seed_words} has {len(lines)} topics, but there are {model.n_components}; add "
            f"-k {len(lines)} or a larger number"
        )
    if words is None:
        raise ValueError(f"{options.input}: has no words, which --seed-words needs; name their file with --vocabulary")
    column_of, unknown = {str(word): column for column, word in enumerate(words)}, []
    seeds: dict[int, list[int]] = {}
    for topic, line in enumerate(lines):
        as_counted = [_as_counted(word, counting) for word in line.words]
        seeds[topic] = [column_of[word] for word in dict.fromkeys(as_counted) if word in column_of]
        unknown += [word for word in as_counted if word not in column_of]
        if not seeds[topic]:
            raise CorpusError(
                options.seed_words,
                "none of its words is counted in the documents; see --min-df, --stop-words",
                line.number,
            )
    if unknown:
        more = f" and {len(unknown) - MAX_LISTED} more" if len(unknown) > MAX_LISTED else ""
        listed = ", ".join(unknown[:MAX_LISTED])
        say(options, f"{options.seed_words}: not counted in the documents, and left out: {listed}{more}")
    model.seed_words = seeds


def name_seeded_topics(model: LatentDirichletAllocation, lines: Sequence[SeedLine]) -> None:
    """Give the fitted topics the names in the file."""
    names = {topic: line.name for topic, line in enumerate(lines) if line.name}
    if names:
        model.topic_names_ = names


def _as_counted(word: str, counting: Counting) -> str:
    normal = unicodedata.normalize("NFC", word)
    return normal.lower() if counting.lowercase else normal
