"""Files that appear whole or not at all, and files that no longer are what was published."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from uuid import uuid4

from exchina.errors import Problem
from exchina.ledger.chain import RESTORE, export_text
from exchina.model import Publication

Staged: TypeAlias = Sequence[tuple[Path, Path]]


@contextmanager
def staged(folder: Path, files: Mapping[str, bytes]) -> Generator[Staged]:
    """Each file written, and forced to disk, under a hidden name beside its target; gone again at the end.

    Yields:
        Pairs of hidden file and target.
    """
    pairs: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            hidden = target.with_name(f".{target.name}.{uuid4().hex}")
            pairs.append((hidden, target))
            _write(hidden, content)
        yield pairs
    finally:
        for hidden, _ in pairs:
            hidden.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def placed(pairs: Staged) -> Generator[None]:
    """Staged files under their own names; those that were not there before are taken away if the block fails."""
    new: list[Path] = []
    try:
        for hidden, target in pairs:
            if not target.exists():
                new.append(target)
            hidden.replace(target)
        _sync(target.parent for _, target in pairs)
        yield
    except BaseException:
        for target in new:
            target.unlink(missing_ok=True)
        raise


def _sync(folders: Iterable[Path]) -> None:
    if os.name == "posix":  # Windows cannot open a folder, and needs no such call
        for folder in set(folders):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def path_faults(paths: Iterable[str]) -> Iterator[Problem]:
    """Paths that do not lie below the folder, or that are the ledger's own."""
    for path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.name:
            yield Problem(path, "is not a path below the folder of the ledger", "use a relative path with /")
        elif path.startswith("ledger."):
            yield Problem(path, "is a name that the ledger keeps for itself", "choose another name")


def file_faults(folder: Path, rows: Sequence[Publication]) -> Iterator[Problem]:
    """Published files that are missing, or whose SHA-256 is not that of their row."""
    for row in rows:
        for path, digest in row.files.items():
            try:
                found = sha256((folder / path).read_bytes()).hexdigest()
            except OSError as fault:
                yield Problem(
                    str(folder / path), f"published in row {row.sequence}, cannot be read: {fault.strerror}", RESTORE
                )
                continue
            if found != digest:
                what = f"was changed after it was published in row {row.sequence}"
                yield Problem(str(folder / path), what, RESTORE)


def export_faults(export: Path, rows: Sequence[Publication]) -> Iterator[Problem]:
    """Lines of the export that are not the rows of the database."""
    cure = "publish anything again to renew the export, if the database is the one to trust"
    if not export.exists():
        if rows:
            yield Problem(str(export), f"is missing, while the database holds {len(rows)} rows", cure)
        return
    lines = zip_longest(export_text(rows).splitlines(), read_text(export).splitlines())
    for number, (wanted, found) in enumerate(lines, 1):
        if wanted != found:
            kind = "is missing" if found is None else "has no row in the database" if wanted is None else "differs"
            yield Problem(f"{export} line {number}", f"{kind}: export and database disagree", cure)
            return


def read_text(path: Path) -> str:
    """A text file's content; empty where there is no such file."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
