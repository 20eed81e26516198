"""Records and tools that know no algorithm: counts, priors, threads, files."""
