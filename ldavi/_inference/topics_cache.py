"""Topics of every word, made once for many calls that ask about documents."""

from collections.abc import Callable
from typing import Any

from ldavi._core.records import Topics

MOST_BYTES = 2**27  # of λ and B; larger topics are made anew for the words of each call


class TopicsCache:
    """Topics from the second call on that asks for them: one alone may want few of the words.

    What pickles and copies hold of it is nothing: their topics are made again.
    """

    def __init__(self) -> None:
        self._topics: Topics | None = None
        self._asked = False

    def __reduce__(self) -> tuple[Any, ...]:
        return TopicsCache, ()

    def invalidate(self) -> None:
        """Be as new, since λ may change."""
        self._topics, self._asked = None, False

    def get(self, n_bytes: int, make: Callable[[], Topics]) -> Topics | None:
        """Topics of every word, or None where those of the words at hand will do.

        Parameters
        ----------
        n_bytes : int
            Of what would be kept, λ and B.
        make : callable
            Makes the topics.
        """
        if n_bytes > MOST_BYTES:
            return None
        topics, asked, self._asked = self._topics, self._asked, True
        if topics is None and asked:
            topics = self._topics = make()
        return topics
