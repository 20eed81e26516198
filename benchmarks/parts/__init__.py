"""The parts of the benchmark, one module for each row of the tables in docs/development/benchmark_results.md.

Each module has `TITLE` and `run(config, corpora, quick)`, which returns `{"cases": [...], "notes": [...]}`. The
functions of `benchmarks.timing` make the cases, which contain every raw repeat. A part with `corpora` in config.toml
is run once for each of them, with `config["corpus"]` set. `THREADS` is the number of cores that a part may use; the
default is 1.
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
    "S11": "s11_collapsed_topics",
    "D3": "d3_dask",
    "D4": "d4_deaths",
    "D7": "d7_spark",
    "Q1": "q01_cvb0",
    "Q2": "q02_time_to_topica",
    "Q3": "q03_vb",
    "Q4": "q04_elbo",
    "Q5": "q05_online",
    "Q6": "q06_known_topics",
    "Q7": "q07_spread",
    "Q8": "q08_many_topics",
    "Q9": "q09_defaults",
    "peers": "peers",
}
