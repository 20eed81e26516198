"""How fast ldavi is, and how well its topics predict, beside the other libraries: see docs/benchmarks.md."""
