"""Options that several commands share, in the groups in which the help shows them."""

import argparse
import math
import re
import textwrap
from typing import Any, TypeAlias

from ldavi.io._readers.documents import QUOTING
from ldavi.io._readers.recognition import FORMATS

Options: TypeAlias = argparse.Namespace
Parser: TypeAlias = argparse.ArgumentParser
Group: TypeAlias = "argparse._ArgumentGroup"
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Once(argparse.Action):
    """Store the value of an option, and note in `given` that the command line has it.

    An empty value, and an option that is given twice, are refused.
    """

    def __call__(self, parser: Parser, namespace: Options, values: Any, option_string: str | None = None) -> None:
        given = namespace.__dict__.setdefault("given", set())
        if option_string is not None and self.dest in given:
            raise argparse.ArgumentError(self, "is given twice; the first value would have no effect: give it once")
        if option_string is not None and self.type is None and isinstance(values, str) and not values.strip(" ,"):
            raise argparse.ArgumentError(self, f"{values!r} is empty; give a value, or leave the option out")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def command(commands: Commands, name: str, *, usage: str, description: str, examples: str) -> Parser:
    """Add the parser of a command. `usage` names the important options only; `examples` follow the options."""
    parser = commands.add_parser(
        name,
        usage=f"ldavi {name} {usage}",
        description=description if "\n" in description else textwrap.fill(description, 120),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for action in (None, "store"):
        parser.register("action", action, Once)
    return parser


def positive(text: str) -> int:
    """Parse an integer of at least 1."""
    return _at_least(1, text)


def several(text: str) -> int:
    """Parse an integer of at least 2."""
    return _at_least(2, text)


def _at_least(minimum: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = minimum - 1
    if value < minimum:
        raise argparse.ArgumentTypeError(f"{text} must be an integer of at least {minimum}")
    return value


def threads(text: str) -> int:
    """Parse a number of threads: an integer, where -1 means all cores, and 0 is not allowed."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value == 0:
        raise argparse.ArgumentTypeError(f"{text} must be a number of threads, or -1 for all cores")
    return value


def seed(text: str) -> int:
    """Parse a seed of random numbers."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"{text} must be an integer from 0 to {2**32 - 1}")
    return value


def positive_or_auto(text: str) -> int | str:
    """Parse an integer of at least 1, or "auto"."""
    try:
        return text if text == "auto" else positive(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text} must be auto or an integer of at least 1") from None


def not_negative_number(text: str) -> float:
    """Parse a number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be a finite number of at least 0")
    return value


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number from 0 to 1")
    return value


def positive_list(text: str) -> list[int]:
    """Parse a list of integers of at least 1: "10,20,50"."""
    try:
        return [positive(part) for part in text.split(",") if part.strip()]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text} must be integers of at least 1, separated by commas") from None


def document_frequency(text: str) -> int | float:
    """Parse a limit on the documents of a word: an integer is a number of documents, a decimal fraction a share."""
    try:
        value: int | float = int(text) if re.fullmatch(r"\d+", text.strip()) else float(text)
    except ValueError:
        value = math.nan
    if isinstance(value, float) and not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number of documents, or a share of them from 0.0 to 1.0")
    return value


def ngram_range(text: str) -> tuple[int, int]:
    """Parse the lengths of n-grams: "1" or "1,2"."""
    try:
        parts = [positive(part) for part in text.split(",")]
    except argparse.ArgumentTypeError:
        parts = []
    if not 1 <= len(parts) <= 2 or parts != sorted(parts):
        raise argparse.ArgumentTypeError(f"{text} must be a length, or the shortest and the longest: 1,2")
    return parts[0], parts[-1]


def prior(text: str) -> float | str:
    """Parse a prior: a number, "none" for 1 / K, or "auto"; the estimator refuses other words."""
    try:
        return float(text)
    except ValueError:
        return text


class DefaultText(str):
    """A default value of an option, to be distinguished from the same value in the command."""


DEFAULT_ENCODING = DefaultText("utf-8")


class Inputs(str):
    """The name of the input for messages, with the paths of several files."""

    paths: list[str]

    def __new__(cls, paths: list[str]) -> "Inputs":
        """Name one file by its path, several by their number and the first ones."""
        shown = ", ".join(paths[:2]) + (", …" if len(paths) > 2 else "")
        text = super().__new__(cls, paths[0] if len(paths) == 1 else f"{len(paths)} files ({shown})")
        text.paths = paths
        return text


class _SetInputs(argparse.Action):
    """Store the paths of the input as `Inputs`."""

    def __call__(self, parser: Parser, namespace: Options, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, Inputs(values))


def first_word(text: str) -> int:
    """Parse the number of the first word: 0 or 1."""
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"{text} must be 0 or 1")
    return int(text)


def delimiter(text: str) -> str:
    """Parse the delimiter of a table: a character, or its name."""
    names = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
    value = names.get(text.lower(), text)
    if len(value) != 1:
        raise argparse.ArgumentTypeError(f"{text} must be one character, or one of {', '.join(names)}")
    return value


def add_input(parser: Parser, *, vocabulary: bool = True) -> Group:
    """Add the documents and how to read them."""
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="+",
        action=_SetInputs,
        help="a file, several files of texts or tables, a folder or zip archive whose files are documents (or tables), "
        "or - for standard input",
    )
    group = parser.add_argument_group("input")
    group.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        metavar="NAME",
        help="the file format: auto recognises it by its first bytes and then its name, and takes a file without the "
        f"marks of another format as text, a document per line; or one of {', '.join(FORMATS)} (default: auto). "
        "The file may be compressed by gzip, bz2, xz, zstd or zip",
    )
    group.add_argument(
        "--column",
        metavar="NAMES",
        help="column of the texts in a table, or several, separated by commas, whose texts are joined (default: the "
        "only one, or text)",
    )
    group.add_argument("--id-column", metavar="NAME", help="column of the documents' names")
    if vocabulary:
        group.add_argument(
            "--vocabulary",
            metavar="FILE",
            help="a file with a word per line: the words of the columns of counts (default: a file in the same "
            "folder, such as NAME.vocab.txt), or the words to count in texts",
        )
    group.add_argument(
        "--encoding",
        default=DEFAULT_ENCODING,
        metavar="NAME",
        help="encoding of the texts, such as latin-1, cp1252 or utf-16 (default: that of a byte order mark, or utf-8)",
    )
    _add_table(group)
    group.add_argument(
        "--max-bytes",
        type=positive,
        metavar="N",
        help="maximum size of a decompressed file (default: 4 GiB; with --stream, no limit)",
    )
    return group


def _add_table(group: Group) -> None:
    group.add_argument(
        "--delimiter",
        type=delimiter,
        metavar="CHAR",
        help="what separates the fields of a CSV table: ';', tab, '|', … (default: recognised)",
    )
    group.add_argument(
        "--quoting",
        choices=QUOTING,
        help="quotes of a CSV table: csv (a quote within quotes is doubled), backslash (it follows a backslash) or "
        "none (quotes are part of the texts) (default: recognised)",
    )
    group.add_argument(
        "--no-header",
        action="store_true",
        help="the first row of a table is a document; columns are named by their numbers: 1, 2, …",
    )
    group.add_argument("--sheet", metavar="NAME", help="sheet of a spreadsheet (default: the only one)")
    group.add_argument(
        "--first-word",
        type=first_word,
        metavar="0|1",
        help="number of the first word in SVMlight and lda-c files (default: found from the numbers that occur)",
    )


def add_trusted_pattern(group: Group) -> None:
    """Add the options by which a user trusts the pattern and the functions of a model file."""
    for name in ("tokenizer", "lemmatizer"):
        group.add_argument(
            f"--{name}",
            metavar="MODULE:FUNCTION",
            help=f"the {name} in the model file, repeated to say that you trust it: importing it runs its code",
        )
    group.add_argument(
        "--token-pattern",
        metavar="REGEX",
        help="the pattern of words in the model file, repeated to say that you trust it: needed if it might "
        "backtrack exponentially on some texts",
    )


def add_counting(parser: Parser) -> None:
    """Add how texts become counts."""
    group = parser.add_argument_group(
        "counting (of texts; saved in the model file, so that new texts are counted in the same way)",
    )
    group.add_argument(
        "--stop-words",
        metavar="LANGUAGE|none|FILE",
        help="words to leave out, one or more of these, separated by commas: a language, such as german or de (needs "
        "the extra ldavi[languages], except for english: scikit-learn's list without system, fire, interest and a few "
        "more, and with the parts of contractions such as don't); none; a file of words (default: english)",
    )
    group.add_argument(
        "--language",
        metavar="NAME",
        help="rules of words: turkish and azerbaijani (I becomes ı); chinese, japanese and thai (words are found in "
        "texts without blanks; needs the extra ldavi[languages]); or any, which suits all others (default: recognised)",
    )
    group.add_argument(
        "--ngrams",
        type=ngram_range,
        metavar="N[,M]",
        help="count n-grams of N to M words: 1,2 for words and pairs (default: 1)",
    )
    group.add_argument(
        "--phrases",
        type=share,
        nargs="?",
        const=0.5,
        metavar="SCORE",
        help="count pairs of words that belong together, such as new york, as one word: those whose normalised "
        "pointwise mutual information is at least SCORE, from 0 to 1 (default: no pairs; 0.5 if SCORE is left out)",
    )
    group.add_argument(
        "--phrase-words",
        type=several,
        metavar="N",
        help="with --phrases: the maximum number of words of a phrase, such as 3 for new york city (default: 2)",
    )
    group.add_argument(
        "--tokenizer",
        metavar="MODULE:FUNCTION",
        help="your Python function that returns the words of a text, instead of --token-pattern; mywords:tokens is "
        "tokens in mywords.py of the current folder",
    )
    group.add_argument(
        "--lemmatizer",
        metavar="MODULE:FUNCTION",
        help="your Python function that returns the word to count for a word, such as its lemma",
    )
    group.add_argument(
        "--token-pattern",
        metavar="REGEX",
        help="regular expression of a word (default: at least three letters of any alphabet; words with a digit or _ "
        "are left out)",
    )
    group.add_argument(
        "--keep-case", action="store_const", const=True, help="distinguish Word from word (default: lower case)"
    )
    _add_limits(group)


def _add_limits(group: Group) -> None:
    group.add_argument(
        "--min-df",
        type=document_frequency,
        metavar="N",
        help="leave out words in fewer documents: a number (5) or a share (0.001) (default: 5; 2 for fewer than 1,000 "
        "documents, 1 for fewer than 20)",
    )
    group.add_argument(
        "--max-df",
        type=document_frequency,
        metavar="N",
        help="leave out words in more documents: a number or a share (default: 0.5; 1.0 for fewer than 20 documents)",
    )
    group.add_argument(
        "--max-features", type=positive, metavar="N", help="keep the N most frequent words (default: all)"
    )


def add_messages(parser: Parser) -> None:
    """Add how many messages are written."""
    group = parser.add_argument_group("messages (on standard error)").add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="errors only")
    group.add_argument(
        "-v", "--verbose", action="store_true", help="more messages: each pass of a fit, the traceback of an error"
    )


def add_tables(parser: Parser) -> None:
    """Add how results are printed."""
    group = parser.add_argument_group("output").add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="print JSON (default: a table)")
    group.add_argument("--csv", action="store_true", help="print CSV")
