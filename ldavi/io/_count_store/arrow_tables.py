"""Counts in Parquet and Arrow files: one row per document, with a list of word numbers and a list of counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ldavi.io._errors import CorpusError
from ldavi.io._readers.coo_builder import CorpusInfo, check_n_words

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")
WORDS, COUNTS = "words", "counts"  # names of the columns
N_WORDS = b"ldavi.n_words"  # key in the metadata of the schema
SCAN_SIZE = 2**14  # rows read at a time to find the largest word number


def import_arrow(name: str) -> Any:
    """Import pyarrow with the modules that read and write files; `name` is the feature that needs it.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(f'{name} needs pyarrow; install it: pip install "ldavi[io]"') from error
    return pa


class StoredTables(NamedTuple):
    """Files whose rows are the documents, in the order of the files."""

    name: str
    files: tuple[Path, ...]
    shape: tuple[int, int]

    def batches(self, size: int) -> Iterator[sparse.csr_array]:
        """Yield all documents, `size` at a time, independently of row groups and files."""
        pending: list[sparse.csr_array] = []
        n_pending = 0
        for path in self.files:
            for words, counts in _record_batches(path, size):
                X = _matrix(str(path), words, counts, self.shape[1])
                pending.append(X)
                n_pending += X.shape[0]
                while n_pending >= size:
                    joined = _concatenated(pending)
                    yield joined[:size]
                    pending, n_pending = [joined[size:]], n_pending - size
        if n_pending:
            yield _concatenated(pending)


def open_tables(path: Path, n_words: int | None) -> StoredTables:
    """Open a Parquet or Arrow file, or all such files of a folder, in the order of their names.

    Raises
    ------
    CorpusError
        If a file has no such columns, they do not contain lists, or there are no documents or words.
    """
    files = tuple(sorted(file for file in path.iterdir() if is_table_file(file))) if path.is_dir() else (path,)
    declared = [_declared_sizes(file) for file in files]
    n_docs = sum(n_rows for n_rows, _ in declared)
    widths = [width for _, width in declared if width is not None]
    if n_words is None:
        n_words = max(widths) if widths and len(widths) == len(files) else _largest_word(files) + 1
    if n_docs == 0 or n_words == 0:
        raise CorpusError(str(path), f"contains {n_docs} documents and {n_words} words; expected at least one of each")
    check_n_words(CorpusInfo(str(path)), n_words)
    return StoredTables(str(path), files, (n_docs, n_words))


def is_table_file(path: Path) -> bool:
    """Return whether the name of a file ends like that of a Parquet or Arrow file."""
    return path.suffix.lower() in (*PARQUET, *ARROW)


def _largest_word(files: tuple[Path, ...]) -> int:
    """Read all files to find the largest word number; -1 if there is none."""
    largest = (
        int(_whole_numbers(str(file), words).max(initial=-1))
        for file in files
        for words, _ in _record_batches(file, SCAN_SIZE)
    )
    return max(largest, default=-1)


def _declared_sizes(path: Path) -> tuple[int, int | None]:
    """Check the columns; return the number of rows, and the number of words if the file declares it."""
    pa = import_arrow(str(path))
    with _errors_name(path):
        if path.suffix.lower() in PARQUET:
            with pa.parquet.ParquetFile(path) as file:
                schema, n_rows = file.schema_arrow, file.metadata.num_rows
        else:
            with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
                schema = file.schema
                n_rows = sum(file.get_batch(i).num_rows for i in range(file.num_record_batches))
        _check_columns(path, schema)
        width = (schema.metadata or {}).get(N_WORDS, b"")
        return n_rows, int(width) if width.isdigit() else None


def _check_columns(path: Path, schema: Any) -> None:
    for column in (WORDS, COUNTS):
        kind = schema.field(column).type if schema.names.count(column) == 1 else None
        if kind is None or not _is_list_of_numbers(kind, whole=column == WORDS):
            found = ", ".join(f"{field.name}: {field.type}" for field in schema)[:200]
            raise CorpusError(
                str(path),
                f"has the columns {found}; expected {WORDS!r} and {COUNTS!r}, lists of word numbers (from 0) and "
                "of counts",
            )


def _record_batches(path: Path, size: int) -> Iterator[tuple[Any, Any]]:
    """Yield the columns of word numbers and of counts, for some rows at a time."""
    pa = import_arrow(str(path))
    with _errors_name(path):
        if path.suffix.lower() in PARQUET:
            with pa.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(size, columns=[WORDS, COUNTS]):
                    yield batch.column(WORDS), batch.column(COUNTS)
            return
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
            for i in range(file.num_record_batches):
                batch = file.get_batch(i)
                batch.validate(full=True)
                yield batch.column(WORDS), batch.column(COUNTS)


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow about the content of a file into a CorpusError."""
    pa = import_arrow(str(path))
    try:
        yield
    except (CorpusError, FileNotFoundError):
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
        raise CorpusError(str(path), f"is not a Parquet or Arrow file, or is damaged ({error})") from error


def _is_list_of_numbers(kind: Any, *, whole: bool) -> bool:
    """Return whether a type is a list of numbers, integers if `whole`; lists that are all empty may have no type."""
    pa = import_arrow("Parquet")
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    of_items, types = kind.value_type, pa.types
    return bool(types.is_integer(of_items) or types.is_null(of_items) or (types.is_floating(of_items) and not whole))


def _whole_numbers(name: str, words: Any) -> NDArray[Any]:
    """Return the word numbers of all documents."""
    numbers = words.flatten()
    if numbers.null_count:
        raise CorpusError(name, f"contains a missing value in a list of {WORDS!r}; expected word numbers from 0")
    return np.asarray(numbers)


def _matrix(name: str, words: Any, counts: Any, n_words: int) -> sparse.csr_array:
    lengths = words.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    if not np.array_equal(lengths, counts.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)):
        raise CorpusError(name, f"contains a document whose lists {WORDS!r} and {COUNTS!r} differ in length")
    columns, values = _whole_numbers(name, words), np.asarray(counts.flatten())
    if len(columns) and (columns.dtype.kind not in "iu" or not 0 <= int(columns.min()) <= int(columns.max()) < n_words):
        raise CorpusError(name, f"contains {WORDS!r} that are not integers from 0 to {n_words - 1}")
    indptr = np.append(0, np.cumsum(lengths, dtype=np.int64))
    indptr = indptr.astype(np.int32 if indptr[-1] < 2**31 else np.int64)
    return sparse.csr_array((values, columns.astype(np.int32), indptr), shape=(len(lengths), n_words))


def _concatenated(parts: list[sparse.csr_array]) -> sparse.csr_array:
    return parts[0] if len(parts) == 1 else sparse.csr_array(sparse.vstack(parts, format="csr"))
