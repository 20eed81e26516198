"""Counts on disk that are larger than memory: `writing` has `save_counts`, `reading` has `open_counts`.

To add a storage format, write a record with `name`, `shape` and `batches(size)` as in `csr_files` or `arrow_tables`,
have `open_counts` return it for its file name ending, and add its writer to the table in `save_counts`.
"""
