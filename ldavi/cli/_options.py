"""Options that several commands share, in the groups that help shows them in."""

import argparse
import re
import textwrap
from typing import Any, TypeAlias

from ldavi.io._recognise import FORMATS

Options: TypeAlias = argparse.Namespace
Parser: TypeAlias = argparse.ArgumentParser
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(commands: Commands, name: str, *, usage: str, help: str, description: str, examples: str) -> Parser:
    """A command's parser: examples stand below the options as they were written, usage is what matters of them."""
    return commands.add_parser(
        name,
        usage=f"ldavi {name} {usage}",
        help=help,
        description=description if "\n" in description else textwrap.fill(description, 120),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def positive(text: str) -> int:
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return value


def positive_or_auto(text: str) -> int | str:
    """An integer of at least 1, or "auto"."""
    try:
        return text if text == "auto" else positive(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} must be auto or an integer of at least 1") from None


def positive_number(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} must be above 0")
    return value


def several(text: str) -> list[int]:
    """Numbers of topics: "10,20,50"."""
    return [positive(part) for part in text.split(",") if part.strip()]


def limit(text: str) -> int | float:
    """Documents of a word: an integer is their number, a decimal fraction a share of them."""
    value: int | float = int(text) if re.fullmatch(r"\d+", text.strip()) else float(text)
    if isinstance(value, float) and not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number of documents, or a share of them from 0.0 to 1.0")
    return value


def lengths(text: str) -> tuple[int, int]:
    """Runs of words: "1" or "1,2"."""
    parts = [positive(part) for part in text.split(",")]
    if len(parts) > 2 or parts != sorted(parts):
        raise argparse.ArgumentTypeError(f"{text} must be a length, or the shortest and the longest: 1,2")
    return parts[0], parts[-1]


def prior(text: str) -> float | str:
    """A number, "none" for 1 / K, or a word that the estimator knows, such as "auto"."""
    try:
        return float(text)
    except ValueError:
        return text


def add_input(parser: Parser, *, vocabulary: bool = True) -> Any:
    """The documents, and how to read them."""
    parser.add_argument(
        "input", metavar="INPUT", help="a file, a folder whose files are documents, or - for standard input"
    )
    group = parser.add_argument_group("input")
    group.add_argument(
        "--format",
        choices=("auto", *FORMATS),
        default="auto",
        metavar="NAME",
        help=f"auto recognises it, by its first bytes before its name; or one of {', '.join(FORMATS)} (default: auto; what "
        "has the marks of no other format is text, a document per line). Compressed or not: gzip, bz2, xz, zstd",
    )
    group.add_argument(
        "--column", metavar="NAME", help="column of the texts, in a table (default: the only one, or text)"
    )
    group.add_argument("--id-column", metavar="NAME", help="column of the documents' names")
    if vocabulary:
        group.add_argument(
            "--vocabulary",
            metavar="FILE",
            help="the word of each column of counts, a word per line (default: a file beside, such as NAME.vocab.txt); of "
            "texts, the words to count",
        )
    group.add_argument("--encoding", default="utf-8", metavar="NAME", help="of the texts (default: utf-8)")
    group.add_argument(
        "--max-bytes",
        type=positive,
        metavar="N",
        help="what a compressed file may expand to (default: 4 GiB, in memory)",
    )
    return group


def add_counting(parser: Parser) -> None:
    """How texts become counts."""
    group = parser.add_argument_group(
        "counting (of texts; kept in the model file, so that new texts are counted alike)",
    )
    group.add_argument(
        "--stop-words",
        metavar="english|none|FILE",
        help="words to leave out: scikit-learn's English list, without system, fire, interest and a few like them, "
        "with what is left of don't and its like; none; or a file with a word per line (default: english)",
    )
    group.add_argument(
        "--ngrams",
        type=lengths,
        metavar="N[,M]",
        help="count runs of N to M words: 1,2 for words and pairs (default: 1)",
    )
    group.add_argument(
        "--min-df",
        type=limit,
        metavar="N",
        help="leave out words in fewer documents: a number (5) or a share (0.001) (default: 5; 2 below 1,000 documents, 1 "
        "below 20)",
    )
    group.add_argument(
        "--max-df",
        type=limit,
        metavar="N",
        help="leave out words in more documents: a number or a share (default: 0.5; 1.0 below 20 documents)",
    )
    group.add_argument(
        "--max-features", type=positive, metavar="N", help="keep the N most frequent words (default: all)"
    )
    group.add_argument(
        "--token-pattern",
        metavar="REGEX",
        help="what a word is (default: three letters or more, of any alphabet; words with a digit or _ are left out)",
    )
    group.add_argument(
        "--keep-case", action="store_const", const=True, help="tell Word from word (default: lower case)"
    )


def add_metadata(group: Any) -> None:
    """Columns that the report shows trends over."""
    group.add_argument(
        "--metadata", metavar="NAMES", help="columns for the report's trends, with commas between them: date,section"
    )


def add_talk(parser: Parser) -> None:
    """How much is said on the way."""
    group = parser.add_argument_group("messages (on standard error)")
    group.add_argument("-q", "--quiet", action="store_true", help="errors only")
    group.add_argument(
        "-v", "--verbose", action="store_true", help="say more: passes of a fit, where in the source an error arose"
    )


def add_tables(parser: Parser) -> None:
    """How results are printed."""
    group = parser.add_argument_group("output").add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="JSON, for programs (default: a table for people)")
    group.add_argument("--csv", action="store_true", help="CSV, for programs")
