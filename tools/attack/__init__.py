"""Random attacks on ldavi, each reproducible from a seed and an index.

python -m tools.attack fits --number 2000            random fits whose results must satisfy invariants
python -m tools.attack corpora models --number 5000  damaged files must be read or refused with a message
python -m tools.attack kills interrupts memory disks processes that are killed, interrupted or run out of resources
python -m tools.attack fits --seed 3 --only 1234     repeat one attempt, in this process

An attack is a function `attempt(seed, index, options)` that returns a label for the summary, and raises an exception if
ldavi did something that it must not do. Attempts run in a child process: if it crashes, or does not finish an attempt
in time, the attempt has failed and the next one runs in a new child.
"""
