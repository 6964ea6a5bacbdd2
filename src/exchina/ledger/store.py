"""Rows of one folder: a database, an export beside the files that the rows name, and nothing half done."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any, Generic

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, Entry, chain_faults, export_lines, sealed
from exchina.ledger.database import Connection, Place, connected, damage, file_of, place_of, refusing, shown
from exchina.ledger.files import (
    CONTRADICTION,
    Staged,
    append_through,
    content,
    export_faults,
    file_faults,
    put_in_place,
    remove,
    staged,
    strangers,
    tail,
)
from exchina.ledger.rows import (
    add_row,
    alike,
    exists,
    guard_faults,
    last_row,
    listing_faults,
    named,
    read_rows,
    ready,
)

READABLE = f"give the right to write in its folder, where the database keeps its log; or {RESTORE}"
RETRY = "free space, or give the right to write there, and {} again"


def _no_faults(_revisions: object, _last: object, _draft: object) -> Sequence[Problem]:
    return ()


@dataclass(frozen=True)
class Form(Generic[Entry]):
    """What tells the rows of one ledger from those of another.

    Attributes:
        stem: name of its files: ``<stem>.sqlite`` and ``<stem>.jsonl``.
        table: of `exchina.ledger.rows.table_of`.
        key: the fields that no two rows have alike.
        made: a row from its columns.
        words: what is done to a row (``published``), by doing what (``publish``), and what a row is (``publication``).
        stray: the cure for a file that no row names.
        revised: the fields that all revisions of a row have alike.
        faults: why a draft may not come next, from the rows that it revises, the last row of all, and itself.
    """

    stem: str
    table: Any
    key: Sequence[str]
    made: Callable[[dict[str, Any]], Entry]
    words: tuple[str, str, str]
    stray: str
    revised: Sequence[str] = ()
    faults: Callable[[Sequence[Entry], Entry | None, Entry], Sequence[Problem]] = _no_faults


@dataclass(frozen=True, slots=True)
class Chain(ABC, Generic[Entry]):
    """The rows of one folder, in its database and its export; the files named stand below it.

    Attributes:
        folder: of the files and the export.
        url: of the database, ``postgresql://...``; empty for ``<stem>.sqlite`` in the folder.
    """

    folder: Path
    url: str = field(default="", repr=False)  # it may hold a password

    @property
    @abstractmethod
    def form(self) -> Form[Entry]:
        """The kind of its rows."""

    @property
    def place(self) -> Place:
        """The database that holds the rows; raises as `exchina.ledger.database.place_of`."""
        return place_of(self.url, self.folder / f"{self.form.stem}.sqlite")

    @property
    def export(self) -> Path:
        """The JSON lines that travel with the files."""
        return self.folder / f"{self.form.stem}.jsonl"

    def entries(self) -> list[Entry]:
        """Every row, oldest first; none where there is no database yet.

        Raises:
            PublicationError: the database cannot be read.
        """
        return self.rows_like(None, ())

    def rows_like(self, one: Any, names: Sequence[str]) -> list[Entry]:
        """The rows that have some fields as another object has them, oldest first; raises as `entries`."""
        if self._nothing_yet():
            return []
        with refusing(self.place, self.folder, "cannot be read", READABLE), connected(self.place) as connection:
            table = self.form.table
            return self._read(connection, *alike(table, one, names)) if exists(connection, table) else []

    def append(self, draft: Entry, files: Mapping[str, bytes]) -> tuple[Entry, bool]:
        """Write the files and append the row: both or neither, whatever fails.

        It takes as long after many rows as after few: what is proven is the last row and the last line of the export;
        `faults` proves the others.

        Args:
            draft: the row, without its number and hashes.
            files: the content of each file by its path below the folder.

        Returns:
            The row, and whether it is new; one with the same key comes back as it was, and its files are not touched.

        Raises:
            PublicationError: the place, what failed there, and the cure; nothing was done unless it says so.
        """
        done, again, _ = self.form.words
        with refusing(self.place, self.folder, f"nothing was {done}", RETRY.format(again)):
            known = self.rows_like(draft, self.form.key)
            if not known:
                with staged(self.folder, files) as pairs:
                    return self._append(draft, pairs)
        self.renew_export()
        return known[0], False

    def _append(self, draft: Entry, pairs: Staged) -> tuple[Entry, bool]:
        """Under the lock of the database: prove the end of chain and export, add the row with its files, export it."""
        table = self.form.table
        with connected(self.place, write=True) as connection:
            ready(connection, table, self.form.made)
            if self._unexported(connection) is None:
                cure = CONTRADICTION.format(self.form.words[2])
                refuse(self.faults() or [Problem(str(self.export), "does not fit the rows", cure)])
            known = self._read(connection, *alike(table, draft, self.form.key))
            entry = known[0] if known else self._add(connection, draft, pairs)
            self._export(connection)
        return entry, not known

    def _add(self, connection: Connection, draft: Entry, pairs: Staged) -> Entry:
        table = self.form.table
        last = last_row(connection, table, self.form.made)
        revisions = self._read(connection, *alike(table, draft, self.form.revised)) if self.form.revised else []
        refuse([*self.form.faults(revisions, last, draft), *self._replaced(connection, draft)])
        entry = self.signed(sealed(draft, last))
        add_row(connection, table, entry)
        new = put_in_place(pairs)
        try:
            connection.commit()
        except BaseException as fault:
            if not self._stands(connection, entry, new) or not isinstance(fault, Exception):
                raise
        return entry

    def signed(self, entry: Entry) -> Entry:
        """The sealed row, with a signature where its kind has one."""
        return entry

    def _replaced(self, connection: Connection, draft: Entry) -> list[Problem]:
        """Files of the draft that a row has with other content."""
        found = named(connection, self.form.table, draft.files)
        done, _, one = self.form.words
        cure = f"write this one under a name of its own; what is {done} never changes"
        return [
            Problem(f"new {one}", f"{path} was {done} in row {row} with other content", cure)
            for path, (digest, row) in sorted(found.items())
            if digest != draft.files[path]
        ]

    def _stands(self, connection: Connection, entry: Entry, new: Sequence[Path]) -> bool:
        """Whether a row stands although its commit failed, as when the line broke behind it; if not, its files go.

        They go under the lock, and only as far as no row names them: another writer may share some.
        """
        done, again, _ = self.form.words
        what = f"it is not known whether the row was {done}, and its files were left"
        connection.invalidate()
        cure = f"{again} again: a row that stands is found, not repeated"
        with refusing(self.place, self.folder, what, cure), connected(self.place, write=True) as asked:
            ready(asked, self.form.table, self.form.made)
            kept = named(asked, self.form.table, entry.files)
            remove(file for file in new if file.relative_to(self.folder).as_posix() not in kept)
            return bool(self._read(asked, self.form.table.c.hash == entry.hash))

    def renew_export(self) -> None:
        """Bring an export that is missing, or that only lacks the last rows, up to the rows.

        An export that contradicts the rows, or rows whose chain is broken, are left as they are for `verify` to report.
        The lock of the database is held, so that two writers do not add the same line.

        Raises:
            PublicationError: the database cannot be read or the export not be written.
        """
        if self._nothing_yet():
            return
        with self._exporting(), connected(self.place, write=True) as connection:
            if exists(connection, self.form.table):
                self._export(connection)

    def _exporting(self) -> AbstractContextManager[None]:
        done, again, _ = self.form.words
        what = f"the rows are {done}, but could not be exported"
        return refusing(self.place, self.export, what, RETRY.format(again))

    def _export(self, connection: Connection) -> None:
        """Under the lock, taken anew after a commit: add to the export what it lacks, if it fits the rows."""
        with self._exporting():
            connection.rollback()
            connection.begin()
            lines = self._unexported(connection)
            if lines:
                append_through(self.export, lines)

    def _unexported(self, connection: Connection) -> bytes | None:
        """What the export lacks at its end; None where its last line is no row, or a row from there on was changed."""
        line, torn = tail(self.export)
        try:
            number = int(loads(line)["sequence"]) if line else 1
        except (ValueError, KeyError, TypeError):
            return None
        rows = self._read(connection, self.form.table.c.sequence >= number)
        lines = export_lines(rows)
        sound = lines.startswith(line + torn) and not any(chain_faults("", rows, first=number))
        return lines.removeprefix(line + torn) if sound else None

    def faults(self) -> list[Problem]:
        """Every way in which rows, files and export no longer agree; nothing may be added meanwhile."""
        done, _, one = self.form.words
        found = content(self.export)
        try:
            rows, damaged = self._proven()
        except PublicationError as fault:
            return list(fault.problems)
        return [
            *damaged,
            *chain_faults(shown(self.place), rows, done),
            *file_faults(self.folder, rows, done),
            *export_faults(self.export, found, rows, one),
        ]

    def _proven(self) -> tuple[list[Entry], list[Problem]]:
        """Every row, and what is wrong with the tables."""
        if self._nothing_yet():
            return [], []
        table = self.form.table
        with refusing(self.place, self.folder, "cannot be read", READABLE), connected(self.place) as connection:
            damaged = damage(connection)
            rows = self._read(connection) if exists(connection, table) else []
            return rows, [*damaged, *listing_faults(connection, table, rows)]

    def verify(self) -> list[Problem]:
        """The `faults`, or else files beside those of the rows that no row names, and guards of the tables taken off.

        An empty list means that all is proven.
        """
        found = self.faults()
        if found or self._nothing_yet():
            return found
        try:
            with refusing(self.place, self.folder, "cannot be read", READABLE), connected(self.place) as connection:
                bare = guard_faults(connection, self.form.table)
        except PublicationError as fault:
            return list(fault.problems)
        return [*bare, *strangers(self.folder, self.entries(), self.form.stray)]

    def _nothing_yet(self) -> bool:
        file = file_of(self.place)
        return file is not None and not file.exists()

    def _read(self, connection: Connection, *where: Any) -> list[Entry]:
        return read_rows(connection, self.form.table, self.form.made, *where)


def refuse(problems: Sequence[Problem]) -> None:
    """`PublicationError` if there are problems."""
    if problems:
        raise PublicationError(*problems)
