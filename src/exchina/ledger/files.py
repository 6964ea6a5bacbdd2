"""Files that appear whole or not at all, and files that no longer are what was published."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from errno import ENOENT
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from shutil import rmtree
from time import time
from typing import TypeAlias
from uuid import uuid4

from exchina.atomic import sync_folder, write_through
from exchina.errors import Problem
from exchina.ledger.chain import RESTORE, Sealed, export_lines

Staged: TypeAlias = Sequence[tuple[Path | None, Path]]
BLOCK = 1 << 16
STAGING, ABANDONED_SECONDS = ".staging", 3600
RENEW = "the next {}, of whichever index, brings the export up to date"
CONTRADICTION = (
    "restore the one that is wrong from a backup; if that is the export, delete it and the next {} writes it"
)


@contextmanager
def staged(folder: Path, files: Mapping[str, bytes]) -> Generator[Staged]:
    """Each file written, and forced to disk, in a hidden folder of its own; gone again at the end.

    What a process that was killed has left in such folders is taken away once it is an hour old.

    Yields:
        Pairs of hidden file and target; None for the hidden file where the target already holds these bytes.
    """
    own = folder / STAGING / uuid4().hex
    pairs: list[tuple[Path | None, Path]] = []
    try:
        for path, content in files.items():
            target = folder / path
            _make_folder(target.parent)
            if target.is_file() and target.read_bytes() == content:
                pairs.append((None, target))
                continue
            hidden = own / str(len(pairs))
            hidden.parent.mkdir(parents=True, exist_ok=True)
            pairs.append((hidden, target))
            write_through(hidden, content)
        _make_folder(folder)
        yield pairs
    finally:
        rmtree(own, ignore_errors=True)
        _sweep(folder / STAGING)


def _sweep(staging: Path) -> None:
    """Take away what nobody is writing any more."""
    for left in staging.glob("*"):
        with suppress(OSError):  # somebody else was quicker
            if time() - left.stat().st_mtime > ABANDONED_SECONDS:
                rmtree(left)


def _make_folder(folder: Path) -> None:
    """A folder and those above it, each one's name on disk."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def put_in_place(pairs: Staged) -> list[Path]:
    """Staged files under their own names, on disk; those that were not there before are taken away if that fails.

    Returns:
        Those that were not there before.
    """
    new: list[Path] = []
    try:
        for hidden, target in pairs:
            if not target.exists():
                new.append(target)
            if hidden:
                hidden.replace(target)
            elif target in new:
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(target))
        for parent in {target.parent for _, target in pairs}:
            sync_folder(parent)
    except BaseException:
        remove(new)
        raise
    return new


def remove(files: Iterable[Path]) -> None:
    """Take files away, as far as they are there."""
    for file in files:
        file.unlink(missing_ok=True)


def path_faults(paths: Iterable[str]) -> Iterator[Problem]:
    """Paths that do not lie below the folder, that have a plainer spelling, or that are the ledger's own."""
    for path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.name:
            yield Problem(path, "is not a path below the folder of the ledger", "use a relative path with /")
        elif path != str(pure):
            yield Problem(path, "is a second spelling of a path", f"write it {pure}")
        elif pure.parts[0].startswith(".") or pure.parts[0].casefold().startswith("ledger."):
            yield Problem(path, "is a name that the ledger keeps for itself", "choose another name")


def file_faults(folder: Path, rows: Sequence[Sealed], done: str = "published") -> Iterator[Problem]:
    """Files of the rows that are missing, or whose SHA-256 is not that of their row."""
    for row in rows:
        for path, digest in row.files.items():
            try:
                found = sha256((folder / path).read_bytes()).hexdigest()
            except OSError as fault:
                yield Problem(
                    str(folder / path), f"{done} in row {row.sequence}, cannot be read: {fault.strerror}", RESTORE
                )
                continue
            if found != digest:
                what = f"was changed after it was {done} in row {row.sequence}"
                yield Problem(str(folder / path), what, RESTORE)


def strangers(folder: Path, rows: Sequence[Sealed], cure: str) -> Iterator[Problem]:
    """Files beside those of the rows that no row names: left by a crash, put there by hand, or of a row cut off."""
    published = {folder / path for row in rows for path in row.files}
    for place in sorted({folder / path.relative_to(folder).parts[0] for path in published}):
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            if path.is_file() and path not in published:
                yield Problem(str(path), "is in no row of the ledger", cure)


def export_faults(export: Path, found: bytes, rows: Sequence[Sealed], one: str = "publication") -> Iterator[Problem]:
    """The first line of the export that is not the row of the database, and whether the next row will mend it.

    Args:
        export: the file.
        found: its content, read before the rows, so that a publication in between can only make it lag.
        rows: every row of the database.
        one: what a row is called.
    """
    text = export_lines(rows)
    lags = text.startswith(found)
    if lags and text and not found:
        yield Problem(str(export), f"is missing or empty, while the database holds {len(rows)} rows", RENEW.format(one))
        return
    lines = zip_longest(text.splitlines(keepends=True), found.splitlines(keepends=True))
    for number, (wanted, line) in enumerate(lines, 1):
        if wanted != line:
            kind = "is missing" if line is None else "has no row in the database" if wanted is None else "differs"
            cure = (RENEW if lags else CONTRADICTION).format(one)
            yield Problem(f"{export} line {number}", f"{kind}: export and database disagree", cure)
            return


def content(path: Path) -> bytes:
    """A file's bytes; none where there is no such file."""
    return path.read_bytes() if path.exists() else b""


def tail(path: Path) -> tuple[bytes, bytes]:
    """The last whole line of a file, and what a crash has left of another after it; empty where there is none."""
    found = b""
    if path.exists():
        with path.open("rb") as file:
            start = file.seek(0, os.SEEK_END)
            while start and found.count(b"\n") < 2:
                end, start = start, max(0, start - BLOCK)
                file.seek(start)
                found = file.read(end - start) + found
    whole, newline, torn = found.rpartition(b"\n")
    return whole.rpartition(b"\n")[2] + newline, torn


def append_through(path: Path, lines: bytes) -> None:
    """Add to the end of a file, which is made where it is missing, and force it to disk; `OSError` if that fails."""
    new = not path.exists()
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)
