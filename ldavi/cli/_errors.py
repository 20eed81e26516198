"""Errors of the command line, and the translation of the library's messages to option names."""

import re

OPTIONS = {
    "n_components": "--topics",
    "doc_topic_prior": "--alpha",
    "topic_word_prior": "--eta",
    "learning_method": "--learning-method",
    "inference": "--inference",
    "n_init": "--restarts",
    "seed_words": "--seed-words",
    "batch_size": "--batch-size",
    "max_iter": "--passes",
    "max_bytes": "--max-bytes",
    "tol": "--tol",
    "n_jobs": "--jobs",
    "random_state": "--seed",
    "id_column": "--id-column",
    "metadata": "--metadata",
    "min_df": "--min-df",
    "max_df": "--max-df",
    "max_features": "--max-features",
    "n_samples": "--samples",
    "max_words": "--phrase-words",
    "first_word": "--first-word",
    "date_format": "--date-format",
    "stop_words": "--stop-words",
    "token_pattern": "--token-pattern",
    "ngram_range": "--ngrams",
}
# Words of plain language are parameters only with a value.
WITH_VALUE = {
    "bins": "--bins",
    "column": "--column",
    "delimiter": "--delimiter",
    "encoding": "--encoding",
    "format": "--format",
    "formula": "--formula",
    "language": "--language",
    "lemmatizer": "--lemmatizer",
    "phrases": "--phrases",
    "quoting": "--quoting",
    "sheet": "--sheet",
    "tokenizer": "--tokenizer",
    "vocabulary": "--vocabulary",
}
PARAMETER = re.compile(
    rf"(?<![\w.\-])(?:({'|'.join(OPTIONS)})(=|\b)|({'|'.join(WITH_VALUE)})=(?:'([A-Za-z][\w.\-]*)')?)"
)


VALUES = {
    "header=False": "--no-header",
    'must be None, "auto", a number > 0 or an array of them': "must be auto, none or a number > 0",
    'must be None, "auto", "regression", a number > 0 or an array of them': "must be auto, none or a number > 0",
}


class UsageError(Exception):
    """Options that contradict each other: exit code 2, as for options that argparse refuses."""


def in_options(message: str) -> str:
    """Replace parameters by options in a message of the library: "topic_word_prior=0" becomes "--eta 0"."""
    for words, in_words_of_options in VALUES.items():
        message = message.replace(words, in_words_of_options)

    def option(match: re.Match[str]) -> str:
        if match[3] is not None:
            return f"{WITH_VALUE[match[3]]} {match[4] or ''}"
        return OPTIONS[match[1]] + (" " if match[2] else "")

    return PARAMETER.sub(option, message)
