"""A module for each row of the table in docs/benchmarks.md.

Each has `TITLE` and `run(config, corpora, quick)`, which returns `{"cases": [...], "notes": [...]}`: cases as
`benchmarks.timing` makes them, with every raw repeat. `THREADS`, 1 unless said, is how many cores it may use.
"""

MODULES = {
    "S1": "s01_inner_loop",
    "S2": "s02_estep",
    "S3": "s03_threads",
    "S4": "s04_fit_sklearn",
    "S5": "s05_fit_gensim",
    "S6": "s06_transform",
    "S7": "s07_many_topics",
    "S8": "s08_instruction_sets",
    "S9": "s09_memory",
    "S10": "s10_partial_fit",
    "D3": "d3_dask",
    "D4": "d4_deaths",
    "D7": "d7_spark",
    "peers": "peers",
}
