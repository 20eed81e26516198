"""Options that would have no effect beside other options: each is refused, with what to do instead."""

from ldavi.cli._errors import UsageError
from ldavi.cli._options import Options

SPELLED = {"source": "--from", "starts": "--restarts", "words": "-n"}
TABLE = ("delimiter", "quoting", "no_header", "sheet")
READING = ("format", "column", "id_column", *TABLE, "first_word", "max_bytes")
COUNTING = (
    *("stop_words", "language", "ngrams", "phrases", "phrase_words", "keep_case", "min_df", "max_df", "max_features"),
    *("token_pattern", "tokenizer", "lemmatizer"),
)
DOTTED = ("turkish", "azerbaijani", "tr", "az")
TRUST = ("token_pattern", "tokenizer", "lemmatizer")
WITH_WORDS_BESIDE = ("lda-c", "vw")  # models whose words --vocabulary names


def check_options(options: Options) -> None:
    """Refuse options of the command that have no effect beside the others.

    Raises
    ------
    UsageError
        If one is given.
    """
    check = CHECKS.get(options.command)
    if check is not None:
        check(options)


def is_given(options: Options, name: str) -> bool:
    """Return whether the command line has an option, be it with its default value."""
    return name in getattr(options, "given", ()) or getattr(options, name, None) is True


def refuse(options: Options, names: tuple[str, ...], problem: str) -> None:
    """Refuse the options of these names.

    Raises
    ------
    UsageError
        If one is given; its message is the option, followed by `problem`.
    """
    for name in names:
        if is_given(options, name):
            raise UsageError(f"{SPELLED.get(name, '--' + name.replace('_', '-'))} {problem}")


def _of_fit(options: Options) -> None:
    method = options.learning_method or ("online" if options.stream else "batch")
    if method == "batch":
        refuse(
            options,
            ("batch_size",),
            "has no effect on --learning-method batch; leave it out, or add --learning-method online or memoized",
        )
    if options.checkpoint is None and options.resume is None:
        refuse(options, ("checkpoint_minutes",), "is the interval of --checkpoint; add --checkpoint FILE")
    _of_counting(options)


def _of_counting(options: Options) -> None:
    if options.tokenizer is not None:
        refuse(options, ("language",), "has no effect with --tokenizer, which finds the words; leave out one of them")
    if options.keep_case and str(options.language).lower() in DOTTED:
        raise UsageError(
            f"--language {options.language} is about lower case, which --keep-case leaves out; leave out one of them"
        )


def _of_evaluate(options: Options) -> None:
    names = {name.strip() for name in options.coherence.split(",") if name.strip()}
    if names == {"none"}:
        refuse(options, ("windows", "words"), "is for coherence, which --coherence none leaves out; leave out one")
    if names == {"u_mass"}:
        refuse(options, ("windows",), "has no effect on u_mass, whose windows are always documents; leave it out")


def _of_merge(options: Options) -> None:
    if options.groups:
        refuse(options, ("max_distance",), "finds similar topics, and has no effect with a GROUP; leave it out")


def _of_convert(options: Options) -> None:
    from ldavi.cli._convert_command import kind_of
    from ldavi.cli._parsers.convert import CORPUS_FORMATS, TOKEN_FORMATS

    kind = kind_of(options)
    if kind not in TOKEN_FORMATS:
        refuse(options, ("seed",), f"draws topics of tokens, which {kind} does not store; leave it out")
    if kind in CORPUS_FORMATS:
        _of_counting(options)
        return
    is_ldavi = options.source in (None, "ldavi")
    trust = TRUST if is_ldavi else ()
    refuse(
        options,
        tuple(name for name in COUNTING if name not in trust),
        "is for counting texts, not for converting a model",
    )
    if kind not in TOKEN_FORMATS:
        refuse(options, READING, "is for reading documents, and has no effect on a model; leave it out")
        if options.source not in WITH_WORDS_BESIDE:
            refuse(
                options, ("vocabulary", "encoding"), "has no effect on a model that contains its words; leave it out"
            )
        elif options.vocabulary is None:
            refuse(options, ("encoding",), "is that of --vocabulary FILE; leave it out")


def _of_effects(options: Options) -> None:
    from ldavi.cli._reading import metadata_names, names_in

    if options.formula is None or options.metadata is None:
        return
    used = names_in(options.formula)
    unused = [name for name in metadata_names(options) if name not in used]
    if unused:
        raise UsageError(
            f"--covariates {unused[0]} is not in --formula {options.formula!r}, and has no effect; "
            "add it to the formula, or leave it out"
        )


CHECKS = {
    "fit": _of_fit,
    "sweep": _of_counting,
    "evaluate": _of_evaluate,
    "merge": _of_merge,
    "convert": _of_convert,
    "effects": _of_effects,
}
