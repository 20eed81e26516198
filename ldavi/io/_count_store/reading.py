"""Counts on disk, a batch at a time, as often as it takes."""

import os
from collections.abc import Iterator
from pathlib import Path

from scipy import sparse

from ldavi._estimator import validation as check
from ldavi.io._count_store.arrow_tables import StoredTables, is_table, table_rows
from ldavi.io._count_store.csr_files import StoredCSR, folder_rows, npz_rows
from ldavi.io._errors import CorpusError


class CountBatches:
    """Counts on disk, documents × words: each `iter` reads them anew, a batch at a time, and holds no more than that.

    Made by `open_counts`. :meth:`ldavi.LatentDirichletAllocation.fit` takes it in the place of X. It holds no open file, and
    can be pickled.

    Attributes
    ----------
    path : str
        Where the counts are.
    batch_size : int
        Documents of a batch; the last may have fewer.
    shape : (int, int)
        Documents and words.
    n_docs : int
        Documents.
    n_words : int
        Words.
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
    """Open counts that are larger than memory, to be read in batches as often as a fit needs them.

    What it reads, `save_counts` writes, and so do others:

    * an **uncompressed** `.npz` of `scipy.sparse.save_npz(path, X_csr, compressed=False)`;
    * a folder with `data.npy`, `indices.npy` and `indptr.npy`, the arrays of a CSR matrix (and `shape.npy`);
    * Parquet (`.parquet`, `.pq`) or Arrow (`.arrow`, `.feather`, `.ipc`) files, or a folder of them, read in the order of
      their names: a row per document, a column `words` with lists of word numbers from 0 and a column `counts` with lists
      of their counts (extra `io`).

    Parameters
    ----------
    path : str or path-like
        File or folder.
    batch_size : int, default=4096
        Documents of a batch. An online fit cuts each into steps of its own `batch_size`, which should divide this one.
    n_words : int or None, default=None
        Columns, where the data do not say it. None takes the highest word number there is, which reads them once.

    Returns
    -------
    CountBatches

    Raises
    ------
    CorpusError
        If the data are compressed, damaged or of another kind. What only a batch shows is raised when it is read.
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If `batch_size` or `n_words` is not an integer >= 1, or `n_words` is not what the data say.

    See Also
    --------
    save_counts : Writes such data, with an example.
    read_batches : Reads texts, and formats that are not made for it, in batches.
    """
    check.check_integer("batch_size", batch_size, minimum=1)
    if n_words is not None:
        check.check_integer("n_words", n_words, minimum=1)
    where = Path(path)
    if not where.exists():
        raise FileNotFoundError(f"there is no file or folder {str(path)!r}")
    stored: StoredCSR | StoredTables
    if where.is_dir():
        tables = any(is_table(file) for file in where.iterdir())
        stored = table_rows(where, n_words) if tables else folder_rows(where, n_words)
    elif is_table(where):
        stored = table_rows(where, n_words)
    elif where.suffix.lower() == ".npz":
        stored = npz_rows(where)
    else:
        msg = "is neither .npz, .parquet, .arrow nor a folder; ldavi.io.read_batches reads other formats, save_counts converts"
        raise CorpusError(str(path), msg)
    if n_words is not None and stored.shape[1] != n_words:
        raise ValueError(f"n_words={n_words}, but {str(path)!r} has {stored.shape[1]} words; leave it out")
    return CountBatches(stored, batch_size)
