"""`open_counts`: counts on disk as a re-iterable sequence of batches."""

import os
from collections.abc import Iterator
from pathlib import Path

from scipy import sparse

from ldavi._estimator import validation as check
from ldavi.io._count_store.arrow_tables import StoredTables, is_table_file, open_tables
from ldavi.io._count_store.csr_files import StoredCSR, open_csr_folder, open_npz
from ldavi.io._errors import CorpusError


class CountBatches:
    """Counts on disk, documents × words, as an iterable of batches; one batch is in memory at a time.

    It is created by `open_counts`, and :meth:`ldavi.LatentDirichletAllocation.fit` accepts it as X. Each iteration
    reads the files again. The object keeps no file open and can be pickled.

    Attributes
    ----------
    path : str
        The file or folder.
    batch_size : int
        Number of documents per batch; the last batch may have fewer.
    shape : (int, int)
        Numbers of documents and of words.
    n_docs : int
        Number of documents.
    n_words : int
        Number of words.
    """

    def __init__(self, stored: StoredCSR | StoredTables, batch_size: int) -> None:
        self._stored = stored
        self.path = stored.name
        self.batch_size = batch_size
        self.shape = stored.shape
        self.n_docs, self.n_words = stored.shape

    def __iter__(self) -> Iterator[sparse.csr_array]:
        return self._stored.batches(self.batch_size)

    def __len__(self) -> int:
        return -(-self.n_docs // self.batch_size)

    def __repr__(self) -> str:
        return (
            f"CountBatches({self.path!r}, n_docs={self.n_docs}, n_words={self.n_words}, batch_size={self.batch_size})"
        )


def open_counts(path: str | os.PathLike[str], *, batch_size: int = 4096, n_words: int | None = None) -> CountBatches:
    """Open counts on disk, possibly larger than memory, for a fit that reads them in batches.

    Supported formats, which `save_counts` and other programs write:

    * an **uncompressed** `.npz` of `scipy.sparse.save_npz(path, X_csr, compressed=False)`;
    * a folder with `data.npy`, `indices.npy` and `indptr.npy`, the arrays of a CSR matrix (and `shape.npy`);
    * Parquet (`.parquet`, `.pq`) or Arrow (`.arrow`, `.feather`, `.ipc`) files, or a folder of them, read in the
      order of their names: one row per document, a column `words` with lists of word numbers from 0, and a column
      `counts` with lists of their counts. They need the extra ``ldavi[io]``.

    Parameters
    ----------
    path : str or path-like
        The file or folder.
    batch_size : int, default=4096
        Number of documents per batch, three of which are in memory. An online fit splits each batch into steps of the
        estimator's `batch_size`, which should divide this one.
    n_words : int or None, default=None
        Number of columns, if the files do not declare it. None uses the largest word number, which reads the files
        once.

    Returns
    -------
    CountBatches

    Raises
    ------
    CorpusError
        If the files are compressed, damaged or in another format. Damage that only concerns one batch is found when
        that batch is read.
    FileNotFoundError
        If the file or folder does not exist.
    ValueError, TypeError
        If `batch_size` or `n_words` is not an integer >= 1, or `n_words` differs from the declared number of words.

    See Also
    --------
    save_counts : Write such files; has an example.
    read_batches : Read texts and other formats in batches.
    """
    check.check_integer("batch_size", batch_size, minimum=1)
    if n_words is not None:
        check.check_integer("n_words", n_words, minimum=1)
    location = Path(path)
    if not location.exists():
        raise FileNotFoundError(f"path={str(path)!r}: there is no file or folder of this name")
    stored: StoredCSR | StoredTables
    if location.is_dir():
        has_tables = any(is_table_file(file) for file in location.iterdir())
        stored = open_tables(location, n_words) if has_tables else open_csr_folder(location, n_words)
    elif is_table_file(location):
        stored = open_tables(location, n_words)
    elif location.suffix.lower() == ".npz":
        stored = open_npz(location)
    else:
        raise CorpusError(
            str(path),
            "is neither .npz, .parquet, .arrow nor a folder; ldavi.io.read_batches reads other formats, and "
            "ldavi.io.save_counts converts what it reads",
        )
    if n_words is not None and stored.shape[1] != n_words:
        raise ValueError(f"n_words={n_words}, but {str(path)!r} has {stored.shape[1]} words; omit n_words")
    return CountBatches(stored, batch_size)
