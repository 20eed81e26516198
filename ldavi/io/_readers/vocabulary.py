"""Read vocabulary files: one word per line, or the output of gensim's `Dictionary.save_as_text`."""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ldavi.io._errors import CorpusError
from ldavi.io._readers.refused import refuse_code
from ldavi.io._readers.source import MAX_BYTES, SUFFIXES, decoded_lines, open_source

GENSIM_LINE = re.compile(r"(\d{1,9})\t([^\t]+)\t(\d+)", re.ASCII)
# Each id up to the largest becomes a column. More ids than these are taken for a mistake.
MAX_UNUSED_IDS, MAX_IDS_PER_WORD = 100_000, 16


def read_vocabulary(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> NDArray[np.object_]:
    """Read the word of each column from a file with one word per line, or from the text form of a gensim dictionary.

    Parameters
    ----------
    path : str or path
        The file, plain or compressed. In a file of `gensim.corpora.Dictionary.save_as_text`, the columns are the ids;
        the column of an unused id, for example 7, is named "x7".
    encoding : str, default="utf-8"
        Encoding of the words.

    Returns
    -------
    words : (n_words,) array of str
        The word of each column.

    Raises
    ------
    CorpusError
        If the file is a pickle (gensim's `Dictionary.save`), is empty, contains an empty line between words, or
        contains an id twice.

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
    with open_source(path, max_bytes=MAX_BYTES, encoding=encoding) as source:
        refuse_code(source)
        lines = [text for _, text in decoded_lines(source)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise CorpusError(source.name, "is empty; expected one word per line")
    tail = lines[1:] if lines[0].strip().isdigit() else lines  # save_as_text writes the number of documents first
    if tail and all(GENSIM_LINE.fullmatch(line) for line in tail):
        return _gensim_words(tail, source.name, first_line=1 + len(lines) - len(tail))
    if "" in lines:
        raise CorpusError(
            source.name, "is empty; expected a word on each line, since each line is a column", lines.index("") + 1
        )
    words = np.empty(len(lines), dtype=object)
    words[:] = lines
    return words


def _gensim_words(lines: list[str], name: str, *, first_line: int) -> NDArray[np.object_]:
    """Return the words of "id<TAB>word<TAB>document frequency" lines, in the order of their ids."""
    words: dict[int, str] = {}
    for number, line in enumerate(lines, start=first_line):
        match = GENSIM_LINE.fullmatch(line)
        assert match is not None
        if int(match[1]) in words:
            raise CorpusError(name, f"contains the id {match[1]} a second time", number)
        words[int(match[1])] = match[2]
    n_words = max(words) + 1
    if n_words > MAX_UNUSED_IDS + MAX_IDS_PER_WORD * len(words):
        raise CorpusError(
            name, f"has the id {max(words)} among {len(words)} words; call Dictionary.compactify and save it again"
        )
    array = np.empty(n_words, dtype=object)
    array[:] = [words.get(column, f"x{column}") for column in range(n_words)]
    return array


def vocabulary_beside(path: str | os.PathLike[str], *, encoding: str) -> NDArray[np.object_] | None:
    """Read the vocabulary file with a usual name in the folder of a file of counts; return None if there is none."""
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
