"""Time `ldavi.io.count_words` against `CountVectorizer` and against a fit to the resulting counts.

    python benchmarks/counting.py texts.txt.gz [--topics 100]

The file has one document per line. Seconds are the minimum of three calls: CPU time with one process, wall-clock time
with two processes.
"""

import argparse
import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import LatentDirichletAllocation
from ldavi.io import count_words, read_batches
from ldavi.io._counting import tokens

CASES = {
    "default pattern": {},
    "[a-z]{3,}, stop words, min_df 5, max_df 0.5": {
        "token_pattern": "[a-z]{3,}",
        "stop_words": "english",
        "min_df": 5,
        "max_df": 0.5,
    },
    r"\b[^\W\d]\w+\b, not a run of a class": {"token_pattern": r"\b[^\W\d]\w+\b"},
    "1- and 2-grams, stop words, min_df 5": {"ngram_range": (1, 2), "stop_words": "english", "min_df": 5},
}


def timed(function, clock=time.process_time, repeats=3):
    """Return the result of a function and the minimum seconds of several calls."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        result = function()
        seconds.append(clock() - start)
    return result, min(seconds)


def with_sklearn(texts, parameters):
    """Return the counts and the vocabulary of `CountVectorizer`; columns are sorted as in `count_words`."""
    vectorizer = CountVectorizer(dtype=np.int32, **parameters)
    X = vectorizer.fit_transform(texts)
    return X, vectorizer.get_feature_names_out()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--topics", type=int, default=100)
    options = parser.parse_args()
    texts = [text for batch in read_batches(options.path, format="text") for text in batch]
    print(f"{len(texts)} documents, {sum(map(len, texts))} characters")
    threshold = tokens.ARROW_CHARACTERS
    for name, parameters in CASES.items():
        (X, vocabulary), theirs = timed(lambda: with_sklearn(texts, parameters))  # noqa: B023
        seconds = []
        for characters in (threshold, 2**62):
            tokens.ARROW_CHARACTERS = characters
            (Y, words), ours = timed(lambda: count_words(texts, **parameters))  # noqa: B023
            assert list(words) == list(vocabulary)
            assert (X != Y).nnz == 0
            seconds.append(ours)
        tokens.ARROW_CHARACTERS = threshold
        _, processes = timed(lambda: count_words(texts, n_jobs=2, **parameters), time.perf_counter)  # noqa: B023
        print(f"{name}: {X.shape[1]} words, {X.sum()} tokens")
        print(f"  CountVectorizer {theirs:.2f}  with pyarrow {seconds[0]:.2f}  without {seconds[1]:.2f}")
        print(f"  two processes {processes:.2f} wall")
    X = count_words(texts, **CASES["[a-z]{3,}, stop words, min_df 5, max_df 0.5"])[0]
    model, seconds = timed(lambda: LatentDirichletAllocation(options.topics, random_state=0).fit(X), repeats=1)
    print(f"fit, {options.topics} topics, {model.n_iter_} passes: {seconds:.2f}")


if __name__ == "__main__":
    main()
