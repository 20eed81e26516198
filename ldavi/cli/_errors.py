"""Errors of the command line, and the translation of the library's messages to option names."""

import re

OPTIONS = {
    "n_components": "--topics",
    "doc_topic_prior": "--alpha",
    "topic_word_prior": "--eta",
    "learning_method": "--learning-method",
    "inference": "--inference",
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
}
PARAMETER = re.compile(rf"(?<![\w.\-])({'|'.join(OPTIONS)})(=|\b)")


class UsageError(Exception):
    """Options that contradict each other: exit code 2, as for options that argparse refuses."""


def in_options(message: str) -> str:
    """Replace parameters by options in a message of the library: "topic_word_prior=0" becomes "--eta 0"."""
    return PARAMETER.sub(lambda match: OPTIONS[match[1]] + (" " if match[2] else ""), message)
