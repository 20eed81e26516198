"""The parser of `ldavi convert`."""

from ldavi.cli._options import Commands, add_counting, add_input, add_messages, command, seed

MODEL_SOURCES = ("ldavi", "mallet-state", "lda-c", "vw")  # not tomotopy, which aborts the process on other files
MODEL_FORMATS = ("ldavi", "mallet-state", "tomotopy", "lda-c", "vw", "gensim", "topics-csv", "topics-npz")
TOKEN_FORMATS = ("mallet-state", "tomotopy")
CORPUS_FORMATS = ("npz", "mm")
BY_SUFFIX = {".ldavi": "ldavi", ".npz": "npz", ".mtx": "mm", ".mm": "mm", ".csv": "topics-csv"}
DESCRIPTION = f"""\
Converts a model or a corpus. The format of --to decides which:

  a model    {", ".join(MODEL_FORMATS)}
             from an ldavi file (.ldavi), or from the format of --from: {", ".join(MODEL_SOURCES[1:])}
  a corpus   {", ".join(CORPUS_FORMATS)}: counts, with the words in OUTPUT.vocab.txt; from any format that fit reads

An lda-c model is named by the PREFIX of its files PREFIX.beta and PREFIX.other. MALLET and tomotopy store a topic for
each token, so that a model for them needs --documents; MALLET imports OUTPUT.txt together with the state. A gensim
model is several files whose names begin with OUTPUT. Existing files are replaced when the new ones are complete.
"""
EXAMPLES = """\
  ldavi convert posts.txt counts.npz                                  count once, fit many times: ldavi fit counts.npz
  ldavi convert model.ldavi topics.csv                                a row per topic, a column per word
  ldavi convert state.gz model.ldavi --from mallet-state              a model that MALLET trained
  ldavi convert model.ldavi state.gz --to mallet-state --documents posts.txt
  ldavi convert final model.ldavi --from lda-c --vocabulary vocab.txt
"""


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "convert",
        usage="INPUT OUTPUT [--from FORMAT] [--to FORMAT] [options]",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    add_input(parser)
    parser.add_argument("output", metavar="OUTPUT", help="the file to write")
    group = parser.add_argument_group("conversion")
    group.add_argument("--from", dest="source", choices=MODEL_SOURCES, help="format of a model (default: ldavi)")
    group.add_argument(
        "--documents",
        metavar="FILE",
        help="for mallet-state and tomotopy: documents whose tokens are assigned to topics, preferably those of the "
        "fit; --format, --column and similar options then apply to them",
    )
    group.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="seed of these assignments, which are drawn at random (default: 0)",
    )
    group.add_argument(
        "--to", choices=(*MODEL_FORMATS, *CORPUS_FORMATS), help="format to write (default: the suffix of OUTPUT)"
    )
    add_counting(parser)
    add_messages(parser)
