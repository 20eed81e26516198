"""`ldavi fit --stream`: a corpus larger than memory, a batch at a time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ldavi import io
from ldavi._estimator.settings import step_size
from ldavi.cli import _interrupts
from ldavi.cli._corpus import Counting, chosen_words, metadata_names
from ldavi.cli._errors import UsageError
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Options
from ldavi.cli._output import say
from ldavi.cli._progress import Progress, reading
from ldavi.cli._resume import checkpoint_of, how_to_resume, model_from, save_checkpoint
from ldavi.io import Batches, Corpus, WordCounter

PASSES = 3
READ = 1024  # documents that are read at a time, about; and of a step: smaller ones found worse topics
TEXTS, IDS, COLUMN = (
    "texts",
    "ids",
    "column ",
)  # what is kept beside the counts of a sample; no column's name is mistaken
SAMPLE = 10_000  # documents that the report is about, at most twice as many


class Part(NamedTuple):
    """Some documents of a sample: their numbers in the corpus, counts, and what stands beside them in the file."""

    numbers: Any
    X: Any
    beside: dict[str, list[Any]]  # texts, names and columns, where there are any

    def every(self, step: int) -> "Part":
        """Those whose number `step` divides."""
        kept = np.flatnonzero(self.numbers % step == 0)
        beside = {name: [values[index] for index in kept] for name, values in self.beside.items()}
        return Part(self.numbers[kept], self.X[kept], beside)


class Sample:
    """Every n-th document, n doubling as they become many: what a report can hold of a corpus without end."""

    def __init__(self) -> None:
        self._step, self._seen = 1, 0
        self._parts: list[Part] = []

    def add(self, X: Any, beside: dict[str, list[Any]]) -> None:
        """Documents that follow those before."""
        numbers = np.arange(self._seen, self._seen + X.shape[0])
        self._seen += X.shape[0]
        self._parts.append(Part(numbers, X, beside).every(self._step))
        if sum(len(part.numbers) for part in self._parts) > 2 * SAMPLE:
            self._step *= 2
            self._parts = [part.every(self._step) for part in self._parts]

    def corpus(self, words: Any, recognition: Any) -> Corpus:
        """They as a corpus."""
        X = sparse.csr_array(sparse.vstack([part.X for part in self._parts], format="csr"))
        beside = {
            name: [value for part in self._parts for value in part.beside[name]] for name in self._parts[0].beside
        }
        texts, ids = beside.pop(TEXTS, None), beside.pop(IDS, None)
        if ids is None:
            ids = [str(number) for part in self._parts for number in part.numbers]
        metadata = {name[len(COLUMN) :]: _objects(values) for name, values in beside.items()}
        return Corpus(X, words, _objects(ids), texts, metadata, recognition)


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def fit_stream(options: Options, path: str, resumed: Kept | None) -> tuple[Kept, Corpus, str]:
    """Online steps over batches, in passes; a fit that goes on has the bits of one that was not interrupted.

    Returns
    -------
    kept : Kept
    corpus : Corpus
        A sample of the documents, for a report.
    summary : str
    """
    if options.learning_method not in (None, "online"):
        raise UsageError(f"--stream learns online; leave out --learning-method {options.learning_method}")
    if resumed is None and options.batch_size in (None, "auto"):
        options.batch_size = READ
    with reading(options, f"looking through {options.input}", path):
        batches = io.read_batches(
            path,
            batch_size=_documents_at_once(options, resumed),
            format=options.format,
            vocabulary=options.vocabulary,
            column=options.column,
            id_column=options.id_column,
            metadata=metadata_names(options),
            encoding=options.encoding,
            max_bytes=options.max_bytes,
        )
    counting = Counting.from_options(options) if resumed is None else resumed.counting
    known = None if resumed is None else resumed.words
    counter, n_documents = _counter(options, path, batches, counting, known)
    words = batches.vocabulary if counter is None else counter.vocabulary_
    model, _, _ = model_from(options, resumed)
    state = {"passes": 0, "documents": 0} if resumed is None else dict(resumed.progress)
    passes = int(options.passes or state.get("passes_of", PASSES))
    state = {"stream": True, "passes": int(state["passes"]), "documents": int(state["documents"]), "passes_of": passes}
    corpus = {
        "input": options.input,
        "stream": True,
        "tokens": 0 if resumed is None else resumed.corpus.get("tokens", 0),
    }
    if resumed is not None and "documents" in resumed.corpus:
        n_documents = int(resumed.corpus["documents"])
    sample, start = Sample(), time.perf_counter()
    corpus |= {} if n_documents is None else {"documents": n_documents}

    def kept(progress: dict[str, Any]) -> Kept:
        return Kept(model, words, counting, corpus, progress)

    if counter is not None:
        say(options, f"{options.input}: {n_documents or 0:,} documents, {len(counter.vocabulary_):,} words")
    last_kept = time.monotonic()
    with _interrupts.between_steps() as asked:
        while state["passes"] < passes:
            this = int(state["passes"]) + 1
            total = None if n_documents is None else n_documents - int(state["documents"])
            with _passing(options, f"pass {this}/{passes}", path, total) as progress:
                position = 0
                for X, beside in _counts(batches, counter):
                    position += X.shape[0]
                    if this == passes and options.report:
                        sample.add(X, beside)
                    if position <= state["documents"]:  # learned before the interrupt
                        continue
                    model.total_samples = n_documents
                    model.partial_fit(X)
                    state["documents"] = position
                    corpus["tokens"] += int(X.sum()) if this == 1 else 0
                    progress.add(X.shape[0])
                    minutes = (time.monotonic() - last_kept) / 60
                    if asked.to_stop:
                        progress.close()
                        where = save_checkpoint(checkpoint_of(options), kept(state))
                        when = f"in pass {this} of {passes}, after {position:,} documents"
                        raise KeyboardInterrupt(how_to_resume(options, where, when))
                    if options.checkpoint and minutes >= options.checkpoint_minutes:
                        save_checkpoint(options.checkpoint, kept(state))
                        last_kept = time.monotonic()
            if position == 0:
                raise ValueError(f"{options.input}: holds no document")
            n_documents = corpus["documents"] = position
            state |= {"passes": this, "documents": 0}
            if options.verbose:
                say(options, f"pass {this} of {passes}: {position:,} documents, {time.perf_counter() - start:.1f} s")
    summary = (
        f"{model.n_components} topics: {passes} passes over {n_documents:,} documents in {model.n_batch_iter_ - 1:,} steps, "
        f"{time.perf_counter() - start:.1f} s"
    )
    corpus["passes"] = passes
    return kept({}), sample.corpus(words, batches.recognition) if options.report else _none(words, batches), summary


@contextmanager
def _passing(options: Options, title: str, path: str, n_documents: int | None) -> Iterator[Progress]:
    """A bar in documents, or in megabytes of the file where nobody knows yet how many documents there are."""
    if n_documents is not None:
        with Progress(options, title, "documents", n_documents) as progress:
            yield progress
    else:
        with reading(options, title, path, once=False):
            yield Progress(Options(quiet=True), title, "documents")


def _none(words: Any, batches: Batches) -> Corpus:
    return Corpus(sparse.csr_array((0, 0)), words, None, None, {}, batches.recognition)


def _documents_at_once(options: Options, resumed: Kept | None) -> int:
    """About `READ`, in whole steps: a fit that goes on cuts the documents where it did before."""
    step = step_size(options.batch_size if resumed is None else resumed.model.batch_size, None)
    return step * max(1, READ // step)


def _counter(
    options: Options, path: str, batches: Batches, counting: Counting, known: Any
) -> tuple[WordCounter | None, int | None]:
    """What counts texts, with the words of a first reading; and how many documents there are, where that is known."""
    if batches.kind == "counts":
        return None, None
    words, parameters = known if known is not None else options.vocabulary, counting.parameters()
    if words is not None:
        return WordCounter(vocabulary=words, **parameters), None
    seen = _Words(options)
    with reading(options, "finding words", path, once=False):
        for X, names in seen.counted(batches, parameters):
            seen.add(X, names)
    return WordCounter(vocabulary=seen.chosen(), **parameters), seen.n_documents


class _Words:
    """The words of a corpus that is read once: in how many documents, how often."""

    def __init__(self, options: Options) -> None:
        self._options, self.n_documents = options, 0
        self._found: dict[str, list[int]] = {}

    def counted(self, batches: Iterable[Any], parameters: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Counts of each batch, with words of its own."""
        for texts in batches:
            try:
                yield io.count_words(texts, **parameters)
            except ValueError:  # not a word in the whole batch
                yield sparse.csr_array((len(texts), 0), dtype=np.int32), []

    def add(self, X: Any, names: Any) -> None:
        """A batch."""
        self.n_documents += X.shape[0]
        in_documents = np.bincount(X.indices, minlength=len(names)).tolist()
        tokens = np.bincount(X.indices, X.data, minlength=len(names)).astype(np.int64).tolist()
        found = self._found
        for name, documents, times in zip(names, in_documents, tokens, strict=True):
            entry = found.setdefault(name, [0, 0])
            entry[0] += documents
            entry[1] += times

    def chosen(self) -> list[str]:
        """Those that the options keep, in alphabetical order."""
        words = sorted(self._found)
        counts = np.array([self._found[word] for word in words], dtype=np.int64).reshape(len(words), 2)
        kept = chosen_words(self._options, words, counts[:, 0], counts[:, 1], self.n_documents)
        return [words[column] for column in kept]


def _counts(batches: Batches, counter: WordCounter | None) -> Iterator[tuple[Any, dict[str, list[Any]]]]:
    """Counts of each batch, and what a sample has beside them."""
    for content, ids, metadata in batches.records():
        beside = {COLUMN + name: values for name, values in metadata.items()}
        if ids is not None:
            beside[IDS] = ids
        if counter is None:
            yield content, beside
        else:
            yield counter.transform(content), {**beside, TEXTS: content}
