"""Files that are written whole or not at all: the one place in the package that replaces a file."""

import contextlib
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], *, temporary_name: str | None = None) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when the block ends; an error in the block, or a kill, keeps the old file.

    The content is written to a temporary file in the same folder, flushed to the disk and renamed. A symbolic link
    keeps pointing to its target, whose content is replaced, and an existing file keeps its permissions.

    Parameters
    ----------
    path : str or path-like
        The file to write. Its folder must exist.
    temporary_name : str, optional
        Name of the temporary file. By default each call uses a new name, so that two writers never meet, and a killed
        writer leaves its temporary file behind. A single writer that comes back can pass a fixed name, so that it
        overwrites the leftover of its predecessor.

    Yields
    ------
    file : binary file object

    Raises
    ------
    ValueError
        If `path` exists and is not a regular file.
    OSError
        If the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    mode = None
    if target.exists():
        if not target.is_file():
            raise ValueError(f"path={str(path)!r} is not a regular file; name a file to write")
        mode = stat.S_IMODE(target.stat().st_mode)
    temporary = target.with_name(temporary_name or f".ldavi-{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb" if temporary_name else "xb") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the renaming durable; systems other than POSIX cannot open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
