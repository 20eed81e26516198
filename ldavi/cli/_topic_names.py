"""Topics as a user names them on the command line: by number, or by the name that a topic has in the model."""

from typing import Any

from ldavi._core.topics_of_model import topic_names_of
from ldavi.cli._errors import UsageError
from ldavi.cli._model_file import SavedModel

MAX_NAMES = 10  # in a message


def names_of(saved: SavedModel) -> list[str]:
    """Return the name of each topic, "" without one."""
    return topic_names_of(saved.model) or [""] * saved.n_topics


def with_name(names: list[str], topic: int) -> dict[str, Any]:
    """Return the entries topic and, if any topic has a name, name of a record."""
    return {"topic": topic, "name": names[topic]} if any(names) else {"topic": topic}


def topic_of(saved: SavedModel, text: str, option: str) -> int:
    """Return the number of the topic that a user has named by its number or name.

    Raises
    ------
    UsageError
        If there is no such topic, or several have this name.
    """
    text, names = text.strip(), names_of(saved)
    if text.isascii() and text.isdigit() and int(text) < saved.n_topics:
        return int(text)
    found = [topic for topic, name in enumerate(names) if name and name.casefold() == text.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(map(str, found))
        raise UsageError(f"{option} {text}: the topics {numbers} have this name; give the number of one of them")
    given = [name for name in names if name]
    listed = f", and the names {', '.join(given[:MAX_NAMES])}" if given else ""
    more = ", …" if len(given) > MAX_NAMES else ""
    raise UsageError(
        f"{option} {text}: no such topic; the model has the topics 0 to {saved.n_topics - 1}{listed}{more}"
    )
