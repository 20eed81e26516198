"""Reader of Parquet files, by pyarrow."""

import importlib.util
from collections.abc import Iterator
from typing import Any

from ldavi.io._errors import CorpusError
from ldavi.io._progress_hooks import report_bytes_read
from ldavi.io._readers.documents import (
    Document,
    ReaderOptions,
    document_of_record,
    note_own_encoding,
    position_of,
    text_column,
    used_columns,
)
from ldavi.io._readers.source import Source, read_whole

ROWS_PER_BATCH = 1024  # rows of a Parquet file that are decoded at a time


def read_parquet(source: Source, options: ReaderOptions) -> Iterator[Document]:
    """Read Parquet with pyarrow; the column contains texts, or lists of words (with lists of counts beside it).

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise ModuleNotFoundError("a Parquet file needs the library pyarrow; install it: pip install 'ldavi[io]'")
    import pyarrow as pa
    import pyarrow.parquet

    stream: Any = source.name if source.size is not None else read_whole(source, options.max_bytes)
    row = n_characters = 0
    try:
        schema = pyarrow.parquet.read_schema(stream)
        names = schema.names
        options, texts = _columns(source, schema, options)
        columns = [name for name in used_columns(options) if name in names]
        # Texts stay dictionary-encoded and are decoded one at a time, since a few bytes of a file can encode a long
        # text a million times.
        with pyarrow.parquet.ParquetFile(stream, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_BATCH, columns=columns):
                for position in range(batch.num_rows):
                    row += 1
                    record = {name: batch.column(name)[position].as_py() for name in columns}
                    n_characters += sum(len(value) for value in record.values() if isinstance(value, (str, list)))
                    if options.max_bytes is not None and n_characters > options.max_bytes:
                        raise CorpusError(source.name, f"expands to more than max_bytes={options.max_bytes} bytes", row)
                    yield document_of_record(source.name, record, options, row)
                # pyarrow opens the file itself, so the bytes read are estimated from the share of rows.
                report_bytes_read(batch.num_rows * (source.size or 0) // max(file.metadata.num_rows, 1))
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError, NotImplementedError) as error:
        raise CorpusError(source.name, f"is not a Parquet file, or is damaged ({str(error)[:200]})") from error


def _columns(source: Source, schema: Any, options: ReaderOptions) -> tuple[ReaderOptions, list[str]]:
    """Return the options with the column of the texts, after checking all column names, and the columns of strings."""
    import pyarrow as pa

    names = schema.names
    if options.column is None:
        options = options._replace(column=names[text_column(source.name, names)])
    every = [*names, *(name for name in options.partition if name not in names)]
    options.add_columns(every)
    for name in used_columns(options):
        position_of(source.name, every, name)
    used = [schema.field(name) for name in used_columns(options) if name in names]
    if not any(pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type) for field in used):
        note_own_encoding("parquet", options)
    return options, [field.name for field in schema if pa.types.is_string(field.type)]
