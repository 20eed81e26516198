"""Readers of corpora in the common file formats.

The path of a file through this package: `source` opens and decompresses it, `recognition` finds its format,
`dispatch` calls the reader of that format, and `corpus` (everything at once) or `batches` (a batch at a time) return
the result to the user.

To add a format:

1. Write a generator in `text_formats`, which yields a `Document` for each text or list of words, or in `count_formats`,
   which yields `Triples`, the (document, word, count) triples that `coo_builder` assembles into a CSR matrix.
2. Enter it in the table of that module, `TEXT_READERS` or `COUNT_READERS`.
3. Add its name, its file name endings and its first bytes to the tables of `recognition`.
4. List it under `format` in the docstring of `read_corpus` and in docs/io.md, and add a file that another tool wrote to
   tests/corpora_files.
"""
