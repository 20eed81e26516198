"""`ldavi convert`: models and corpora from one format to another."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.io import mmwrite

from ldavi import io
from ldavi.cli import _modelfile
from ldavi.cli._corpus import Counting, described, read_for_fit, rereadable
from ldavi.cli._errors import UsageError
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Commands, Options, add_counting, add_input, add_talk, command
from ldavi.cli._output import check_writable, say

MODELS_IN = ("ldavi", "mallet-state", "lda-c", "vw")
MODELS_OUT = ("ldavi", "lda-c", "gensim", "topics-csv", "topics-npz")
CORPORA_OUT = ("npz", "mm")
BY_SUFFIX = {".ldavi": "ldavi", ".npz": "npz", ".mtx": "mm", ".mm": "mm", ".csv": "topics-csv"}
DESCRIPTION = f"""\
Turns models and corpora into other formats. What --to names decides which:

  a model    {", ".join(MODELS_OUT)}
             of an ldavi file (.ldavi), or of what --from names: {", ".join(MODELS_IN[1:])}
  a corpus   {", ".join(CORPORA_OUT)}: counts, the words beside them in OUTPUT.vocab.txt; of any format that fit reads

lda-c models are files with a common beginning: give PREFIX of PREFIX.beta and PREFIX.other.
"""
EXAMPLES = """\
  ldavi convert posts.txt counts.npz                                  count once, fit often: ldavi fit counts.npz
  ldavi convert model.ldavi topics.csv                                a row per topic, a column per word
  ldavi convert state.gz model.ldavi --from mallet-state              a model that MALLET trained
  ldavi convert final model.ldavi --from lda-c --vocabulary vocab.txt
"""


def add(commands: Commands) -> None:
    """The command's parser."""
    parser = command(
        commands,
        "convert",
        usage="INPUT OUTPUT [--from FORMAT] [--to FORMAT] [options]",
        help="models and corpora from one format to another",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    add_input(parser)
    parser.add_argument("output", metavar="OUTPUT", help="the file to write")
    group = parser.add_argument_group("conversion")
    group.add_argument("--from", dest="source", choices=MODELS_IN, help="format of a model (default: ldavi)")
    group.add_argument(
        "--to", choices=(*MODELS_OUT, *CORPORA_OUT), help="format to write (default: as the name of OUTPUT ends)"
    )
    add_counting(parser)
    add_talk(parser)
    parser.set_defaults(run=run)


def run(options: Options) -> int:
    """Convert."""
    kind = options.to or BY_SUFFIX.get(Path(options.output).suffix.lower())
    if kind is None:
        raise UsageError(f"the name {options.output} tells no format ({', '.join(BY_SUFFIX)}); say --to")
    check_writable(options.output)
    if kind in CORPORA_OUT:
        if options.source is not None:
            raise UsageError(f"--from names the format of a model, and {kind} is one of corpora; --format names theirs")
        write_corpus(options, kind)
    else:
        write_model(options, kind, read_model(options))
    say(options, f"{kind}: {options.output}")
    return 0


def write_corpus(options: Options, kind: str) -> None:
    """Counts, and the words beside them."""
    with rereadable(options) as path:
        corpus = read_for_fit(options, Counting.from_options(options), path)
    say(options, described(corpus, options.input))
    X = sparse.csr_matrix(corpus.X)
    if kind == "npz":
        with open(options.output, "wb") as file:
            sparse.save_npz(file, X)
    else:
        with open(options.output, "wb") as file:
            mmwrite(file, X)
    if corpus.vocabulary is not None:
        words = Path(f"{options.output}.vocab.txt")
        words.write_text("".join(f"{word}\n" for word in corpus.vocabulary), encoding="utf-8")
        say(options, f"words: {words}")


def read_model(options: Options) -> Kept:
    """The model of a file of ours or of another program's."""
    if options.source in (None, "ldavi"):
        return _modelfile.load(options.input, options)
    words = None if options.vocabulary is None else io.read_vocabulary(options.vocabulary, encoding=options.encoding)
    if options.source == "lda-c":
        model = io.from_lda_c(options.input, feature_names=words)
    elif options.source == "vw":
        model = io.from_vw(options.input)
    else:
        model = io.from_mallet_state(options.input)
    if words is None:
        words = getattr(model, "feature_names_in_", None)
    if hasattr(model, "feature_names_in_"):
        del model.feature_names_in_  # the file's vocabulary takes their place
    return Kept(model, words, Counting(), {"input": options.input}, {})


def write_model(options: Options, kind: str, kept: Kept) -> None:
    """Write it in another format."""
    topics: Any = kept.model.topics_
    words = [f"x{column}" for column in range(kept.n_words)] if kept.words is None else [str(word) for word in kept.words]
    if kind == "ldavi":
        _modelfile.save(options.output, kept)
    elif kind == "lda-c":
        io.to_lda_c(kept.model, options.output)
    elif kind == "gensim":
        io.to_gensim(kept.model, words).save(options.output)
    elif kind == "topics-npz":
        with open(options.output, "wb") as file:
            np.savez_compressed(file, topics=topics, vocabulary=np.asarray(words, dtype=str))
    else:
        with open(options.output, "w", encoding="utf-8", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(["topic", *words])
            writer.writerows([topic, *(f"{p:.6g}" for p in row)] for topic, row in enumerate(np.asarray(topics).tolist()))
