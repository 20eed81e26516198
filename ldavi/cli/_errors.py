"""Errors that only a command line has."""


class UsageError(Exception):
    """Options that do not go together: exit code 2, as for those that argparse refuses."""
