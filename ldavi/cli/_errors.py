"""Errors that only a command line has, and messages in its words."""

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
}
NAMES = re.compile(rf"(?<![\w.\-])({'|'.join(OPTIONS)})(=|\b)")


class UsageError(Exception):
    """Options that do not go together: exit code 2, as for those that argparse refuses."""


def in_options(message: str) -> str:
    """A message of the library with options in the place of parameters: "--eta 0" for "topic_word_prior=0"."""
    return NAMES.sub(lambda match: OPTIONS[match[1]] + (" " if match[2] else ""), message)
