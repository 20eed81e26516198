"""The checkpoint of `ldavi fit`: written on the way with --checkpoint, and when the fit is interrupted."""

import os
import re
import shlex
from typing import Any

from ldavi import io
from ldavi.cli._errors import OPTIONS, UsageError
from ldavi.cli._options import Options

DIFFERENCES = re.compile(r"\bdiffers? in ([^:.;]+)")  # in the message of the library
DOCUMENTS = "the documents (INPUT, or an option by which they are read or counted)"


class InterruptibleCheckpoint(io.Checkpoint):
    """A checkpoint that is also written when the user asks the fit to stop.

    Parameters
    ----------
    path : str
    minutes : float
        Interval between two states.
    is_periodic : bool
        Whether to resume from the file and write it every `minutes`. Otherwise it is written only after a request to
        stop.
    """

    def __init__(self, path: str, *, minutes: float, is_periodic: bool) -> None:
        super().__init__(path, minutes=minutes)
        self.is_periodic = is_periodic
        self.stop_requested = False
        self._is_saved = False

    @classmethod
    def from_options(cls, options: Options) -> "InterruptibleCheckpoint":
        """Return the checkpoint that the options name; without --checkpoint, one beside the model file."""
        path = options.checkpoint or f"{options.output or 'interrupted.ldavi'}.checkpoint"
        return cls(path, minutes=options.checkpoint_minutes, is_periodic=options.checkpoint is not None)

    def begin(self) -> dict[str, Any] | None:
        """Return the saved state to resume from, or None."""
        return super().begin() if self.is_periodic else None

    def request_stop(self) -> None:
        """Have the fit save its state as soon as it can, and then end."""
        self.stop_requested = True

    def due(self) -> bool:
        """Return whether the fit should save its state now."""
        return self.stop_requested or (self.is_periodic and super().due())

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state.

        Raises
        ------
        KeyboardInterrupt
            If the user asked the fit to stop; the state is then saved.
        """
        super().save(state)
        self._is_saved = True
        if self.stop_requested:
            raise KeyboardInterrupt

    def has_state(self) -> bool:
        """Return whether the file holds a state of this fit."""
        return self._is_saved or (self.is_periodic and self.path.exists())


def check_checkpoint_options(options: Options) -> None:
    """Make --resume FILE a --checkpoint FILE that must exist.

    Raises
    ------
    UsageError
        If the two name different files.
    FileNotFoundError
        If the file of --resume does not exist.
    """
    if options.resume is None:
        return
    if options.checkpoint not in (None, options.resume):
        raise UsageError(
            f"--resume {options.resume} and --checkpoint {options.checkpoint} name two files; the fit resumes from "
            "the file that it continues to write: name one"
        )
    if not os.path.exists(options.resume):
        raise FileNotFoundError(2, "there is no such checkpoint", options.resume)
    options.checkpoint = options.resume


def in_checkpoint_options(message: str, path: str) -> str:
    """Rewrite the library's message that a checkpoint belongs to another fit, with options instead of parameters."""
    match = DIFFERENCES.search(message)
    if match is None:
        return re.sub(r"checkpoint=(?:\w*Checkpoint\(.*?\)|'[^']*')", f"--checkpoint {path}", message)
    names = [name.strip() for name in match[1].split(",")]
    differences = sorted(DOCUMENTS if name == "X" else OPTIONS.get(name, name) for name in names)
    return (
        f"--checkpoint {path} belongs to a fit that differs in {' and '.join(differences)}. Use the options of that "
        "fit to continue it, or remove the file or name another one to begin from scratch"
    )


def how_to_continue(options: Options, checkpoint: InterruptibleCheckpoint, n_passes: int) -> str:
    """Return the message after an interrupt: what is saved, and the command that continues the fit."""
    if not checkpoint.has_state():
        return "nothing is saved; the same command begins again"
    arguments = list(options.arguments)
    if not any(argument.partition("=")[0] in ("--checkpoint", "--resume") for argument in arguments):
        arguments += ["--checkpoint", str(checkpoint.path)]
    progress = f", after pass {n_passes}" if n_passes else ""
    is_piped = getattr(options.input, "paths", [options.input]) == ["-"]
    documents = " this command and the same documents on standard input" if is_piped else ""
    command = shlex.join(["ldavi", *arguments])
    return f"the fit is saved in {checkpoint.path}{progress}. Continue it with{documents}:\n  {command}"
