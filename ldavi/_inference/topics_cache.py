"""The topics of every word, computed once for many calls of `transform` and the like."""

from collections.abc import Callable

from ldavi._core.records import Topics

MAX_BYTES = 2**27  # of λ and B; larger topics are computed for the words of each call


class TopicsCache:
    """Caches topics from the second request on: a single request may need few of the words.

    When λ changes, its owner makes a new cache: topics that another thread is still computing end in the old one.
    Copies and pickles do not include the cached topics, which are computed again on demand.
    """

    def __init__(self) -> None:
        self._topics: Topics | None = None
        self._requested = False

    def __reduce__(self) -> tuple[type["TopicsCache"], tuple[()]]:
        return TopicsCache, ()

    def get(self, n_bytes: int, compute: Callable[[], Topics]) -> Topics | None:
        """Return the topics of every word, or None if the caller should compute those of its own words.

        Several threads may call it at once; all compute the same bits.

        Parameters
        ----------
        n_bytes : int
            Size of the topics, λ and B.
        compute : callable
            Computes the topics.
        """
        if n_bytes > MAX_BYTES:
            return None
        topics, requested, self._requested = self._topics, self._requested, True
        if topics is None and requested:
            topics = self._topics = compute()
        return topics
