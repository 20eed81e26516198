"""The error of a corpus file that cannot be read."""


class CorpusError(ValueError):
    """A file cannot be read in the expected format; the message names the file, the line and what was expected.

    Parameters
    ----------
    path : str
        The file as the caller named it.
    problem : str
        What was found and what was expected, without a full stop.
    line : int or None, default=None
        Line number, from 1; None if the file has no lines or the problem belongs to no single line.
    """

    def __init__(self, path: str, problem: str, line: int | None = None) -> None:
        super().__init__(path, problem, line)
        self.path = path
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{where}: {self.problem}"
