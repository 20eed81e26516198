"""`ldavi convert`: convert models and corpora between formats."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse
from scipy.io import mmwrite

from ldavi import io
from ldavi.cli import _model_file
from ldavi.cli._counting import counting_from
from ldavi.cli._errors import UsageError
from ldavi.cli._input import describe, read_for_fit, read_for_model, rereadable
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, open_output, open_text_output, say
from ldavi.cli._parsers.convert import BY_SUFFIX, CORPUS_FORMATS, TOKEN_FORMATS
from ldavi.cli._text import csv_cell, vocabulary_lines
from ldavi.io._counting.recipe import Counting


def run(options: Options) -> int:
    """Convert the input."""
    kind = kind_of(options)
    check_writable(options.output)
    if (kind in TOKEN_FORMATS) != (options.documents is not None):
        problem = "needs the documents: add" if kind in TOKEN_FORMATS else "stores no topics of tokens: leave out"
        raise UsageError(f"--to {kind} {problem} --documents FILE")
    if kind in CORPUS_FORMATS:
        if options.source is not None:
            raise UsageError(
                f"--from is the format of a model, but {kind} is a format of a corpus; use --format for the input"
            )
        write_corpus(options, kind)
    else:
        write_model(options, kind, read_model(options))
    say(options, f"{kind}: {options.output}")
    return 0


def kind_of(options: Options) -> str:
    """Return the format of --to, or else that of the suffix of the output.

    Raises
    ------
    UsageError
        If neither names one.
    """
    kind = options.to or BY_SUFFIX.get(Path(options.output).suffix.lower())
    if kind is None:
        raise UsageError(f"the suffix of {options.output} is none of {', '.join(BY_SUFFIX)}; name the format with --to")
    return str(kind)


def write_corpus(options: Options, kind: str) -> None:
    """Write counts, and their words in a second file."""
    with rereadable(options) as path:
        corpus = read_for_fit(options, counting_from(options), path)
    say(options, describe(corpus, options.input))
    X = sparse.csr_matrix(corpus.X)
    if corpus.vocabulary is not None:
        vocabulary_lines(corpus.vocabulary.tolist())  # refuses words that do not fit on a line
    with open_output(options.output) as file:
        if kind == "npz":
            sparse.save_npz(file, X)
        else:
            mmwrite(file, X)
    write_words(options, corpus.vocabulary)


def write_words(options: Options, words: Any) -> None:
    """Write words, if they are known, to a file beside the output: in Vowpal Wabbit, words are named by their lines."""
    if words is None:
        return
    path = f"{options.output}.vocab.txt"
    with open_text_output(path) as text:
        text.writelines(vocabulary_lines([str(word) for word in words]))
    say(options, f"words: {path}")


def read_model(options: Options) -> SavedModel:
    """Read the model of an ldavi file or of another program's."""
    if options.source in (None, "ldavi"):
        return _model_file.load(options.input, options)
    words = None if options.vocabulary is None else io.read_vocabulary(options.vocabulary, encoding=options.encoding)
    if options.source == "lda-c":
        model = io.from_lda_c(options.input, feature_names=words)
    elif options.source == "vw":
        model = io.from_vw(options.input, feature_names=words)
    else:
        model = io.from_mallet_state(options.input)
    if words is None:
        words = getattr(model, "feature_names_in_", None)
    if hasattr(model, "feature_names_in_"):
        del model.feature_names_in_  # the vocabulary of the model file replaces them
    return SavedModel.of_fit(model, words, Counting(), {"input": options.input})


def write_model(options: Options, kind: str, saved: SavedModel) -> None:
    """Write a model in another format."""
    topics: Any = saved.model.topics_
    words = (
        [f"x{column}" for column in range(saved.n_words)]
        if saved.words is None
        else [str(word) for word in saved.words]
    )
    if kind == "ldavi":
        _model_file.save(options.output, saved)
    elif kind == "lda-c":
        io.to_lda_c(saved.model, options.output)
        write_words(options, saved.words)
    elif kind == "vw":
        io.to_vw(saved.model, options.output)
        write_words(options, saved.words)
    elif kind in TOKEN_FORMATS:
        write_tokens(options, kind, saved, words)
    elif kind == "gensim":
        save_beside(options.output, io.to_gensim(saved.model, words).save)
    elif kind == "topics-npz":
        with open_output(options.output) as file:
            np.savez_compressed(file, topics=topics, vocabulary=np.asarray(words, dtype=str))
    else:
        with open_text_output(options.output) as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(["topic", *map(csv_cell, words)])
            writer.writerows(
                [topic, *(f"{p:.6g}" for p in row)] for topic, row in enumerate(np.asarray(topics).tolist())
            )


def write_tokens(options: Options, kind: str, saved: SavedModel, words: list[str]) -> None:
    """Write a model as topics of the tokens of --documents."""
    options.input = options.documents  # which the options and messages of reading refer to
    with rereadable(options) as path:
        corpus = read_for_model(options, saved.words, saved.counting, saved.n_words, path)
    say(options, describe(corpus, options.documents))
    if kind == "tomotopy":
        theirs = io.to_tomotopy(saved.model, corpus.X, feature_names=words, seed=options.seed)
        save_beside(options.output, theirs.save)
        return
    joined = [re.sub(r"\s+", "_", word) for word in words]  # n-grams
    texts = f"{options.output}.txt"
    io.to_mallet_state(
        saved.model, corpus.X, options.output, feature_names=joined, corpus=texts, random_state=options.seed
    )
    say(
        options,
        f"the same tokens, for mallet import-file --keep-sequence --preserve-case --token-regex '\\S+': {texts}",
    )


def save_beside(path: str, save: Callable[[str], object]) -> None:
    """Have a library write its files in a temporary folder, and then replace the existing ones."""
    with TemporaryDirectory(prefix="ldavi-") as folder:
        save(str(Path(folder, Path(path).name)))
        for file in sorted(Path(folder).iterdir(), reverse=True):
            with open_output(str(Path(path).with_name(file.name))) as target, file.open("rb") as source:
                shutil.copyfileobj(source, target)
