"""Counts in tables of Arrow: a row per document, one column with lists of word numbers and one with lists of counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ldavi.io._errors import CorpusError

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")
WORDS, COUNTS = "words", "counts"  # the columns
N_WORDS = b"ldavi.n_words"  # in the schema's metadata


def import_arrow(name: str) -> Any:
    """pyarrow, with its readers.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(f'{name} needs pyarrow; install it: pip install "ldavi[io]"') from error
    return pa


class StoredTables(NamedTuple):
    """Files whose rows, one file after the other, are the documents."""

    name: str
    files: tuple[Path, ...]
    shape: tuple[int, int]

    def batches(self, size: int) -> Iterator[sparse.csr_array]:
        """All documents, `size` at a time, whatever their row groups and files."""
        waiting: list[sparse.csr_array] = []
        n_waiting = 0
        for path in self.files:
            for words, counts in _record_batches(path, size):
                X = _matrix(str(path), words, counts, self.shape[1])
                waiting.append(X)
                n_waiting += X.shape[0]
                while n_waiting >= size:
                    joined = _joined(waiting)
                    yield joined[:size]
                    waiting, n_waiting = [joined[size:]], n_waiting - size
        if n_waiting:
            yield _joined(waiting)


def table_rows(path: Path, n_words: int | None) -> StoredTables:
    """The documents of a file of Parquet or Arrow, or of all such files of a folder in the order of their names.

    Raises
    ------
    CorpusError
        If a file lacks the columns, or they hold no lists of numbers.
    """
    files = tuple(sorted(file for file in path.iterdir() if is_table(file))) if path.is_dir() else (path,)
    n_docs, declared = 0, []
    for file in files:
        rows, known = _declared(file)
        n_docs += rows
        declared.append(known)
    if n_words is None and None not in declared:
        n_words = max(number for number in declared if number is not None)
    if n_words is None:  # the highest number that occurs tells
        highest = (
            int(np.asarray(words.flatten()).max(initial=-1))
            for file in files
            for words, _ in _record_batches(file, 2**14)
        )
        n_words = 1 + max(highest, default=-1)
    if n_docs == 0 or n_words == 0:
        raise CorpusError(str(path), f"holds {n_docs} documents over {n_words} words")
    return StoredTables(str(path), files, (n_docs, n_words))


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table."""
    return path.suffix.lower() in (*PARQUET, *ARROW)


def _declared(path: Path) -> tuple[int, int | None]:
    """Rows, and the number of words if the file says it; its columns are checked."""
    pa = import_arrow(str(path))
    try:
        if path.suffix.lower() in PARQUET:
            with pa.parquet.ParquetFile(path) as file:
                schema, n_rows = file.schema_arrow, file.metadata.num_rows
        else:
            with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
                schema = file.schema
                n_rows = sum(file.get_batch(i).num_rows for i in range(file.num_record_batches))
    except pa.ArrowInvalid as error:
        raise CorpusError(str(path), f"is no table of Parquet or Arrow, or is damaged ({error})") from error
    for column in (WORDS, COUNTS):
        kind = schema.field(column).type if column in schema.names else None
        if kind is None or not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            found = ", ".join(f"{field.name}: {field.type}" for field in schema)[:200]
            msg = f"has the columns {found}; expected {WORDS!r} and {COUNTS!r}, lists of word numbers (from 0) and of counts"
            raise CorpusError(str(path), msg)
    known = (schema.metadata or {}).get(N_WORDS, b"")
    return n_rows, int(known) if known.isdigit() else None


def _record_batches(path: Path, size: int) -> Iterator[tuple[Any, Any]]:
    """The two columns of some rows at a time."""
    pa = import_arrow(str(path))
    if path.suffix.lower() in PARQUET:
        with pa.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(size, columns=[WORDS, COUNTS]):
                yield batch.column(WORDS), batch.column(COUNTS)
        return
    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
        for i in range(file.num_record_batches):
            batch = file.get_batch(i)
            yield batch.column(WORDS), batch.column(COUNTS)


def _matrix(name: str, words: Any, counts: Any, n_words: int) -> sparse.csr_array:
    lengths = words.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    if not np.array_equal(lengths, counts.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)):
        raise CorpusError(name, f"has a document with lists of {WORDS!r} and {COUNTS!r} that differ in length")
    columns, values = (np.asarray(lists.flatten()) for lists in (words, counts))
    if len(columns) and (columns.dtype.kind not in "iu" or not 0 <= int(columns.min()) <= int(columns.max()) < n_words):
        raise CorpusError(name, f"has {WORDS!r} that are not numbers from 0 to {n_words - 1}, the words of the corpus")
    indptr = np.append(0, np.cumsum(lengths, dtype=np.int64))
    indptr = indptr.astype(np.int32 if indptr[-1] < 2**31 else np.int64)
    return sparse.csr_array((values, columns.astype(np.int32), indptr), shape=(len(lengths), n_words))


def _joined(parts: list[sparse.csr_array]) -> sparse.csr_array:
    return parts[0] if len(parts) == 1 else sparse.csr_array(sparse.vstack(parts, format="csr"))
