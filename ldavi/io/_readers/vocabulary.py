"""Vocabulary files: a word per line, or gensim's `Dictionary.save_as_text`."""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ldavi.io._errors import CorpusError
from ldavi.io._readers.recognition import refuse_code
from ldavi.io._readers.source import MAX_BYTES, SUFFIXES, decoded_lines, open_source

GENSIM_LINE = re.compile(r"(\d{1,9})\t([^\t]+)\t(\d+)", re.ASCII)


def read_vocabulary(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> NDArray[np.object_]:
    """Read the word of each column: one per line, or the text form of gensim's dictionaries.

    Parameters
    ----------
    path : str or path
        Plain or compressed. In the text that `gensim.corpora.Dictionary.save_as_text` writes, columns are the ids; an id that
        no word has is named "x7".
    encoding : str, default="utf-8"

    Returns
    -------
    words : (n_words,) array of str

    Raises
    ------
    CorpusError
        If the file is a pickle (gensim's `Dictionary.save`), is empty, has an empty line between words, or gives an id twice.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from ldavi.io import read_vocabulary
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "vocab.txt")
    ...     _ = path.write_text("ice\\nsong\\n")
    ...     read_vocabulary(path).tolist()
    ['ice', 'song']
    """
    with open_source(path, max_bytes=MAX_BYTES) as source:
        refuse_code(source)
        lines = [text for _, text in decoded_lines(source, encoding)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise CorpusError(source.name, "is empty; expected a word per line")
    tail = lines[1:] if lines[0].strip().isdigit() else lines  # save_as_text puts the number of documents first
    if tail and all(GENSIM_LINE.fullmatch(line) for line in tail):
        return _gensim_words(tail, source.name, first=1 + len(lines) - len(tail))
    if "" in lines:
        raise CorpusError(
            source.name, "is empty; expected a word on each line, since lines are columns", lines.index("") + 1
        )
    words = np.empty(len(lines), dtype=object)
    words[:] = lines
    return words


def _gensim_words(lines: list[str], name: str, *, first: int) -> NDArray[np.object_]:
    words: dict[int, str] = {}
    for number, line in enumerate(lines, start=first):
        match = GENSIM_LINE.fullmatch(line)
        assert match is not None
        if int(match[1]) in words:
            raise CorpusError(name, f"gives the id {match[1]} a second time", number)
        words[int(match[1])] = match[2]
    n_words = max(words) + 1
    if n_words > 100_000 + 16 * len(words):
        raise CorpusError(
            name, f"has the id {max(words)} among {len(words)} words; compact the ids first (Dictionary.compactify)"
        )
    array = np.empty(n_words, dtype=object)
    array[:] = [words.get(column, f"x{column}") for column in range(n_words)]
    return array


def vocabulary_beside(path: str | os.PathLike[str], *, encoding: str) -> NDArray[np.object_] | None:
    """The vocabulary that lies beside a file of counts under a usual name, or None."""
    file = Path(path)
    names = [file.name]
    for suffix in SUFFIXES.values():
        names += [name.removesuffix(suffix) for name in names if name.endswith(suffix)]
    name = names[-1]
    stem = name.rpartition(".")[0] or name
    candidates = [f"{base}{end}" for base in (file.name, name, stem) for end in (".vocab", ".vocab.txt", ".dict.txt")]
    if name.startswith("docword."):
        candidates.append("vocab." + name.removeprefix("docword."))
    if name.startswith("docword") or stem == "docword":
        candidates.append("vocab" + name.removeprefix("docword"))
    for candidate in [*candidates, "vocab.txt"]:
        if (file.parent / candidate).is_file():
            return read_vocabulary(file.parent / candidate, encoding=encoding)
    return None
