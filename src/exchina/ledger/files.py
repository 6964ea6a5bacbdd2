"""Files that appear whole or not at all, and files that no longer are what was published."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from exchina.atomic import hidden_beside, sync_folder, write_through
from exchina.errors import Problem
from exchina.ledger.chain import RESTORE, Sealed, export_text

Staged: TypeAlias = Sequence[tuple[Path, Path]]
RENEW = "the next {}, of whichever index, brings the export up to date"
CONTRADICTION = (
    "restore the one that is wrong from a backup; if that is the export, delete it and the next {} writes it"
)


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
            hidden = hidden_beside(target)
            pairs.append((hidden, target))
            write_through(hidden, content)
        yield pairs
    finally:
        for hidden, _ in pairs:
            hidden.unlink(missing_ok=True)


@contextmanager
def placed(pairs: Staged) -> Generator[None]:
    """Staged files under their own names; those that were not there before are taken away if the block fails."""
    new: list[Path] = []
    try:
        for hidden, target in pairs:
            if not target.exists():
                new.append(target)
            hidden.replace(target)
        for parent in {target.parent for _, target in pairs}:
            sync_folder(parent)
        yield
    except BaseException:
        for target in new:
            target.unlink(missing_ok=True)
        raise


def path_faults(paths: Iterable[str]) -> Iterator[Problem]:
    """Paths that do not lie below the folder, that have a plainer spelling, or that are the ledger's own."""
    for path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.name:
            yield Problem(path, "is not a path below the folder of the ledger", "use a relative path with /")
        elif path != str(pure):
            yield Problem(path, "is a second spelling of a path", f"write it {pure}")
        elif pure.parts[0].casefold().startswith("ledger."):
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
    for place in sorted({path.parent for path in published}):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.is_file() and path not in published:
                yield Problem(str(path), "is in no row of the ledger", cure)


def export_faults(export: Path, found: str, rows: Sequence[Sealed], one: str = "publication") -> Iterator[Problem]:
    """The first line of the export that is not the row of the database, and whether the next row will mend it.

    Args:
        export: the file.
        found: its text, read before the rows, so that a publication in between can only make it lag.
        rows: every row of the database.
        one: what a row is called.
    """
    if lags(found, rows) and not found:
        yield Problem(str(export), f"is missing or empty, while the database holds {len(rows)} rows", RENEW.format(one))
        return
    lines = zip_longest(export_text(rows).splitlines(), found.splitlines())
    for number, (wanted, line) in enumerate(lines, 1):
        if wanted != line:
            kind = "is missing" if line is None else "has no row in the database" if wanted is None else "differs"
            cure = (RENEW if lags(found, rows) else CONTRADICTION).format(one)
            yield Problem(f"{export} line {number}", f"{kind}: export and database disagree", cure)
            return


def lags(found: str, rows: Sequence[Sealed]) -> bool:
    """Whether an export only lacks the last rows, as a crash between a row and its line leaves it."""
    text = export_text(rows)
    return found != text and text.startswith(found)


def read_text(path: Path) -> str:
    """A text file's content; empty where there is no such file."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
