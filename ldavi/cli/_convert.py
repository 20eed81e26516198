"""`ldavi convert`: models and corpora from one format to another."""

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
from ldavi.cli import _modelfile
from ldavi.cli._corpus import Counting, described, read_for_fit, read_for_model, rereadable
from ldavi.cli._errors import UsageError
from ldavi.cli._modelfile import Kept
from ldavi.cli._options import Commands, Options, add_counting, add_input, add_talk, command
from ldavi.cli._output import check_writable, say, written, written_text

MODELS_IN = ("ldavi", "mallet-state", "lda-c", "vw")  # tomotopy aborts the process on a file that is not one of its own
MODELS_OUT = ("ldavi", "mallet-state", "tomotopy", "lda-c", "vw", "gensim", "topics-csv", "topics-npz")
OF_TOKENS = ("mallet-state", "tomotopy")
CORPORA_OUT = ("npz", "mm")
BY_SUFFIX = {".ldavi": "ldavi", ".npz": "npz", ".mtx": "mm", ".mm": "mm", ".csv": "topics-csv"}
DESCRIPTION = f"""\
Turns models and corpora into other formats. What --to names decides which:

  a model    {", ".join(MODELS_OUT)}
             of an ldavi file (.ldavi), or of what --from names: {", ".join(MODELS_IN[1:])}
  a corpus   {", ".join(CORPORA_OUT)}: counts, the words beside them in OUTPUT.vocab.txt; of any format that fit reads

lda-c models are files with a common beginning: give PREFIX of PREFIX.beta and PREFIX.other. MALLET and tomotopy keep a
topic for each token, so that a model for them needs --documents; OUTPUT.txt is what MALLET imports beside its state. A
gensim model is several files that begin with OUTPUT. Files that exist are replaced when the new ones are whole.
"""
EXAMPLES = """\
  ldavi convert posts.txt counts.npz                                  count once, fit often: ldavi fit counts.npz
  ldavi convert model.ldavi topics.csv                                a row per topic, a column per word
  ldavi convert state.gz model.ldavi --from mallet-state              a model that MALLET trained
  ldavi convert model.ldavi state.gz --to mallet-state --documents posts.txt
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
        "--documents",
        metavar="FILE",
        help="for mallet-state and tomotopy: documents whose tokens get topics, best those of the fit; --format, "
        "--column and the like are about them",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of those topics, which are drawn (default: 0)")
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
    if (kind in OF_TOKENS) != (options.documents is not None):
        needs = (
            "needs the documents whose tokens get topics: say"
            if kind in OF_TOKENS
            else "has no topics of tokens: leave out"
        )
        raise UsageError(f"{kind} {needs} --documents FILE")
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
    with written(options.output) as file:
        if kind == "npz":
            sparse.save_npz(file, X)
        else:
            mmwrite(file, X)
    if corpus.vocabulary is not None:
        words = f"{options.output}.vocab.txt"
        with written_text(words) as text:
            text.writelines(f"{word}\n" for word in corpus.vocabulary)
        say(options, f"words: {words}")


def read_model(options: Options) -> Kept:
    """The model of a file of ours or of another program's."""
    if options.source in (None, "ldavi"):
        return _modelfile.load(options.input, options)
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
        del model.feature_names_in_  # the file's vocabulary takes their place
    return Kept(model, words, Counting(), {"input": options.input}, {})


def write_model(options: Options, kind: str, kept: Kept) -> None:
    """Write it in another format."""
    topics: Any = kept.model.topics_
    words = (
        [f"x{column}" for column in range(kept.n_words)] if kept.words is None else [str(word) for word in kept.words]
    )
    if kind == "ldavi":
        _modelfile.save(options.output, kept)
    elif kind == "lda-c":
        io.to_lda_c(kept.model, options.output)
    elif kind == "vw":
        io.to_vw(kept.model, options.output)
    elif kind in OF_TOKENS:
        write_tokens(options, kind, kept, words)
    elif kind == "gensim":
        save_beside(options.output, io.to_gensim(kept.model, words).save)
    elif kind == "topics-npz":
        with written(options.output) as file:
            np.savez_compressed(file, topics=topics, vocabulary=np.asarray(words, dtype=str))
    else:
        with written_text(options.output) as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(["topic", *words])
            writer.writerows(
                [topic, *(f"{p:.6g}" for p in row)] for topic, row in enumerate(np.asarray(topics).tolist())
            )


def write_tokens(options: Options, kind: str, kept: Kept, words: list[str]) -> None:
    """A model whose state is a topic for each token of --documents."""
    options.input = options.documents  # which the options of reading are about, and messages
    with rereadable(options) as path:
        corpus = read_for_model(options, kept.words, kept.counting, kept.n_words, path)
    say(options, described(corpus, options.documents))
    if kind == "tomotopy":
        theirs = io.to_tomotopy(kept.model, corpus.X, feature_names=words, seed=options.seed)
        save_beside(options.output, theirs.save)
        return
    joined = [re.sub(r"\s+", "_", word) for word in words]  # pairs of words
    texts = f"{options.output}.txt"
    io.to_mallet_state(
        kept.model, corpus.X, options.output, feature_names=joined, corpus=texts, random_state=options.seed
    )
    say(
        options, f"the same tokens for mallet import-file --keep-sequence --preserve-case --token-regex '\\S+': {texts}"
    )


def save_beside(path: str, save: Callable[[str], object]) -> None:
    """Let a library write its files in a folder of their own, and then put each in its place."""
    with TemporaryDirectory(prefix="ldavi-") as folder:
        save(str(Path(folder, Path(path).name)))
        for file in sorted(Path(folder).iterdir(), reverse=True):
            with written(str(Path(path).with_name(file.name))) as target, file.open("rb") as source:
                shutil.copyfileobj(source, target)
