"""Documents of `ldavi fit --stream`: counts in batches, read from the disk in each pass of the fit."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ldavi import io
from ldavi._core.typing import Int64s
from ldavi.cli import _model_options
from ldavi.cli._counting import check_no_counting_options, find_words, note_topics, note_uncounted
from ldavi.cli._input import Words, open_batches, with_types
from ldavi.cli._options import Options
from ldavi.cli._output import say
from ldavi.cli._progress import reading_progress
from ldavi.cli._reading import say_notes
from ldavi.io._counting.recipe import Counting

SAMPLE = 10_000  # documents of the report; at most twice as many
TEXTS, IDS, COLUMN = "texts", "ids", "column "  # keys of a sample's attributes; "column " precedes a column's name


class CountedBatches:
    """A corpus as batches of counts, to be passed to `LatentDirichletAllocation.fit`. Every iteration reads the file.

    Parameters
    ----------
    options : Options
    batches : io.Batches
        Texts or counts.
    counter : io.WordCounter or None
        Counts the texts; None where the batches are counts.
    n_docs : int or None
        The number of documents, if it is known.

    Attributes
    ----------
    n_docs : int or None
        As given, or as found in the last complete iteration.
    n_tokens : int
        The number of tokens in the last complete iteration.
    sample : Sample
        The documents for a report; empty unless the options ask for one.
    on_read : callable or None
        Called with the number of documents of each batch that was read, by the thread that reads.
    """

    def __init__(
        self, options: Options, batches: io.Batches, counter: io.WordCounter | None, n_docs: int | None
    ) -> None:
        self._options, self._batches, self._counter = options, batches, counter
        self.n_docs, self.n_tokens = n_docs, 0
        self.sample = Sample()
        self.on_read: Callable[[int], None] | None = None

    @property
    def words(self) -> Words | None:
        """The words of the columns; None where they are unknown."""
        return self._batches.vocabulary if self._counter is None else self._counter.vocabulary_

    def __iter__(self) -> Iterator[sparse.csr_array]:
        n_docs, n_tokens, n_empty, sample = 0, 0, 0, Sample()
        for content, ids, metadata in self._batches.records():
            X = content if self._counter is None else self._counter.transform(content)
            if self._options.report:
                sample.add(X, _attributes(ids, metadata, None if self._counter is None else content))
            n_docs, n_tokens = n_docs + X.shape[0], n_tokens + int(X.sum())
            n_empty += int((np.diff(X.indptr) == 0).sum())
            if self.on_read is not None:
                self.on_read(X.shape[0])
            yield X
        if n_docs == 0:
            raise ValueError(f"{self._options.input}: holds no document")
        if n_empty:
            say_notes(self._options, (f"{n_empty:,} of {n_docs:,} documents have no words that are counted",))
        say_notes(self._options, self._batches.notes)
        self.n_docs, self.n_tokens, self.sample = n_docs, n_tokens, sample

    def sampled_corpus(self) -> io.Corpus:
        """Return the sample as a corpus."""
        return with_types(self._options, self.sample.corpus(self.words, self._batches.recognition))


def counted_batches(options: Options, path: str, counting: Counting, batch_size: int | str) -> CountedBatches:
    """Open the documents in batches; find the words of texts in a first pass, unless --vocabulary names them.

    Raises
    ------
    UsageError
        If an option is about texts, and the file holds counts.
    """
    step = 1 if isinstance(batch_size, str) else batch_size
    n_steps = max(1, _model_options.STREAM_STEP // step)  # whole steps: the end of a batch ends a step
    batches = open_batches(options, path, n_steps * step)
    if batches.kind == "counts":
        check_no_counting_options(options)
        return CountedBatches(options, batches, None, None)
    n_docs = None
    if options.vocabulary is not None:
        words = io.read_vocabulary(options.vocabulary, encoding=str(options.encoding)).tolist()
        note_uncounted(options, counting, words)
    else:
        with reading_progress(options, "finding words", path, in_batches=True):
            words, n_docs = find_words(options, counting, batches)
        say(options, f"{options.input}: {n_docs:,} documents, {len(words):,} words")
        note_topics(options, n_docs)
    return CountedBatches(options, batches, io.WordCounter(vocabulary=words, **counting.parameters()), n_docs)


class SamplePart(NamedTuple):
    """Consecutive documents of a sample.

    Attributes
    ----------
    numbers : array of shape (n_documents,)
        Their numbers in the corpus.
    X : sparse array of shape (n_documents, n_words)
    attributes : dict of str to list
        Texts, names and columns, as far as the file has them.
    """

    numbers: Int64s
    X: sparse.csr_array
    attributes: dict[str, list[Any]]

    def every(self, step: int) -> "SamplePart":
        """Return the documents whose number is a multiple of `step`."""
        kept = np.flatnonzero(self.numbers % step == 0)
        attributes = {name: [values[index] for index in kept] for name, values in self.attributes.items()}
        return SamplePart(self.numbers[kept], self.X[kept], attributes)


class Sample:
    """Every n-th document of a corpus of any size, where n doubles as often as needed to bound the sample."""

    def __init__(self) -> None:
        self._step, self._n_seen = 1, 0
        self._parts: list[SamplePart] = []

    def add(self, X: sparse.csr_array, attributes: dict[str, list[Any]]) -> None:
        """Add the next documents of the corpus."""
        numbers = np.arange(self._n_seen, self._n_seen + X.shape[0])
        self._n_seen += X.shape[0]
        self._parts.append(SamplePart(numbers, X, attributes).every(self._step))
        while sum(len(part.numbers) for part in self._parts) > 2 * SAMPLE:
            self._step *= 2
            self._parts = [part.every(self._step) for part in self._parts]

    def corpus(self, words: Words | None, recognition: io.Recognition) -> io.Corpus:
        """Return the sample as a corpus; documents without names are named by their numbers."""
        X = sparse.csr_array(sparse.vstack([part.X for part in self._parts], format="csr"))
        attributes = {
            name: [value for part in self._parts for value in part.attributes[name]]
            for name in self._parts[0].attributes
        }
        texts, ids = attributes.pop(TEXTS, None), attributes.pop(IDS, None)
        if ids is None:
            ids = [str(number) for part in self._parts for number in part.numbers]
        metadata = {name.removeprefix(COLUMN): _objects(values) for name, values in attributes.items()}
        return io.Corpus(X, words, _objects(ids), texts, metadata, recognition)


def _attributes(ids: list[str] | None, metadata: dict[str, list[Any]], texts: list[str] | None) -> dict[str, list[Any]]:
    attributes = {COLUMN + name: values for name, values in metadata.items()}
    attributes |= {} if ids is None else {IDS: ids}
    return attributes | ({} if texts is None else {TEXTS: texts})


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
