"""The format and the first texts of a corpus, which are read before the corpus is counted."""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from ldavi.io._readers.dispatch import MAX_EMPTY, first_content, open_corpus, reader_options
from ldavi.io._readers.documents import Column
from ldavi.io._readers.recognition import Recognition
from ldavi.io._readers.several import Paths, one_or_several


class TextSample(NamedTuple):
    """The first texts of a corpus.

    Attributes
    ----------
    recognition : Recognition
    texts : list of str or None
        None if the corpus contains counts or lists of words.
    columns : tuple of str
        The columns of these documents; none if the corpus is no table.
    """

    recognition: Recognition
    texts: list[str] | None
    columns: tuple[str, ...] = ()


def sample_of_texts(
    path: Paths,
    size: int,
    *,
    format: str = "auto",
    column: Column = None,
    id_column: str | None = None,
    metadata: Sequence[str] = (),
    encoding: str = "utf-8",
    max_bytes: int | None = None,
    table: Mapping[str, Any] | None = None,
    first_word: int | None = None,
) -> TextSample:
    """Read the first texts of a corpus; see `read_corpus` for the parameters."""
    options = reader_options(
        column=column,
        id_column=id_column,
        metadata=metadata,
        encoding=encoding,
        max_bytes=max_bytes,
        table=table,
        first_word=first_word,
    )
    with open_corpus(one_or_several(path), format, options) as opened:
        if opened.documents is None:
            return TextSample(opened.recognition, None)
        sampled = list(islice(opened.documents, size))
        is_text = isinstance(first_content(chain(sampled, islice(opened.documents, MAX_EMPTY))), str)
    texts = [document.content for document in sampled if isinstance(document.content, str)]
    return TextSample(opened.recognition, texts if is_text else None, tuple(options.columns))
