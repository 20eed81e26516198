"""Read names of topics from a file: JSON, as the report saves it, or CSV."""

import csv
import io
import json
import os
from typing import Any

from ldavi.io._errors import CorpusError

EXPECTED = 'expected JSON such as {"0": "weather", "3": "sports"}, or a CSV table with the columns topic and name'


def read_topic_names(path: str | os.PathLike[str], n_topics: int | None = None) -> dict[int, str]:
    """Read names of topics by number, from the file that a report saves or from a table.

    Parameters
    ----------
    path : str or path
        A JSON file with an object from topic numbers to names, or a list of names from topic 0 on. Or a CSV file, with
        commas, semicolons or tabs, and the columns topic and name. UTF-8, with or without byte order mark.
    n_topics : int or None, default=None
        Number of topics of the model, to check the numbers in the file. None does not check them.

    Returns
    -------
    names : dict of int to str
        Names of some or all topics, which are numbered from 0. Topics with an empty name are left out.

    Raises
    ------
    CorpusError
        If the file has another form, names a topic twice, or contains a topic that is not a number from 0 to
        `n_topics` - 1.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ldavi.io import read_topic_names
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "names.json")
    ...     _ = path.write_text('{"0": "weather", "3": "sports"}')
    ...     read_topic_names(path)
    {0: 'weather', 3: 'sports'}
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(name, f"is not UTF-8 at byte {error.start:,}; save it as UTF-8") from error
    if not text.strip():
        raise CorpusError(name, f"is empty; {EXPECTED}")
    rows = _of_json(text, name) if text.lstrip()[0] in "{[" else _of_csv(text, name)
    names: dict[int, str] = {}
    for line, topic, label in rows:
        number = _number(topic, name, line)
        if n_topics is not None and number >= n_topics:
            raise CorpusError(name, f"names the topic {number}, but the model has the topics 0 to {n_topics - 1}", line)
        if number in names:
            raise CorpusError(name, f"names the topic {number} a second time", line)
        names[number] = " ".join(label.split())
    return {number: label for number, label in names.items() if label}


def _of_json(text: str, name: str) -> list[tuple[int | None, Any, str]]:
    try:
        content = json.loads(text, object_pairs_hook=list)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise CorpusError(name, f"is not valid JSON: {getattr(error, 'msg', error)}; {EXPECTED}", line) from error
    if text.lstrip()[0] == "[":
        content = list(enumerate(content))
    wrong = next((label for _, label in content if not isinstance(label, str)), None)
    if wrong is not None:
        raise CorpusError(name, f"has the name {json.dumps(wrong)[:60]}, which is not a text; {EXPECTED}")
    return [(None, topic, label) for topic, label in content]


def _of_csv(text: str, name: str) -> list[tuple[int | None, Any, str]]:
    first = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int | None, Any, str]] = []
    try:
        header = [cell.strip().lower() for cell in next(reader)]
        if "topic" not in header or "name" not in header:
            raise CorpusError(name, f"has the columns {', '.join(header)[:80]}; {EXPECTED}", 1)
        columns = header.index("topic"), header.index("name")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise CorpusError(name, f"has {len(row)} cells, but the header has {len(header)}", reader.line_num)
            rows.append((reader.line_num, row[columns[0]].strip(), row[columns[1]]))
    except csv.Error as error:
        raise CorpusError(name, f"is not a valid CSV table: {error}", reader.line_num) from error
    return rows


def _number(topic: Any, name: str, line: int | None) -> int:
    if isinstance(topic, int):
        return topic
    if not (isinstance(topic, str) and topic.isascii() and topic.isdigit() and len(topic) < 10):
        raise CorpusError(name, f"has the topic {str(topic)[:40]!r}; topics are numbers from 0", line)
    return int(topic)
