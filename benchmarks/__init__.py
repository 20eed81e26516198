"""Measure the speed and held-out perplexity of ldavi against other libraries: see docs/benchmarks.md."""
