"""What is wrong with a file, where, and what was expected."""


class CorpusError(ValueError):
    """A file that cannot be read as what it was taken for: says the file, the line and what was expected.

    Parameters
    ----------
    path : str
        The file as the caller named it.
    problem : str
        What was found and what was expected, a sentence without its full stop.
    line : int or None, default=None
        Number of the line, from 1; None where the file has no lines or the fault lies in no single one.
    """

    def __init__(self, path: str, problem: str, line: int | None = None) -> None:
        super().__init__(path, problem, line)
        self.path = path
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{where}: {self.problem}"
