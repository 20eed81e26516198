"""Records and tools that do not depend on an algorithm: counts, priors, threads, files."""
