"""I/O. Files that appear whole, and on disk, or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


def place(path: Path, content: bytes, put: Callable[[Path, Path], object] = os.replace) -> None:
    """Put a file in its place, whole and on disk, or not at all.

    Args:
        path: the file; its folder is made.
        content: its bytes.
        put: moves the finished hidden file to ``path``.

    Raises:
        OSError: the folder cannot be written; what ``put`` raises passes through too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = hidden_beside(path)
    try:
        write_through(hidden, content)
        put(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
    sync_folder(path.parent)


def hidden_beside(path: Path) -> Path:
    """A name that nobody else uses, hidden in the same folder, so that a rename never crosses a file system."""
    return path.with_name(f".{path.name}.{uuid4().hex}")


def write_through(path: Path, content: bytes) -> None:
    """Write a file that is not there yet and force it to disk; `OSError` if that fails."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk; `OSError` if that fails."""
    if os.name == "posix":  # Windows cannot open a folder, and needs no such call
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
