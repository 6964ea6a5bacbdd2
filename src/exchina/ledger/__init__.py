"""The ledgers: what was published, and what was tried, with the hash of each file; rows are only ever added.

Each row holds the hash of the row before, so that no row can be changed, taken out or put in unnoticed:
``hash`` is the SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of all other fields, and ``previous_hash``
is 64 zeros in the first row. ``ledger.jsonl``, one such row a line, travels with the published files, so that a
subscriber can check them without us.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic

from sqlalchemy.exc import SQLAlchemyError

from exchina.atomic import place
from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, Entry, append_faults, chain_faults, export_text, latest, same, sealed
from exchina.ledger.database import add_row, connected, read_rows, table_of
from exchina.ledger.files import (
    Staged,
    export_faults,
    file_faults,
    lags,
    path_faults,
    placed,
    read_text,
    staged,
    strangers,
)
from exchina.model import Publication

READABLE = f"give the right to write in its folder, where the database keeps its log; or {RESTORE}"
RETRY = "free space, or give the right to write there, and {} again"


def _no_faults(_rows: object, _draft: object) -> Sequence[Problem]:
    return ()


@dataclass(frozen=True)
class Form(Generic[Entry]):
    """What tells the rows of one ledger from those of another.

    Attributes:
        stem: name of its files: ``<stem>.sqlite`` and ``<stem>.jsonl``.
        table: of `exchina.ledger.database.table_of`.
        key: the fields that no two rows have alike.
        made: a row from its columns.
        words: what is done to a row (``published``), by doing what (``publish``), and what a row is (``publication``).
        stray: the cure for a file that no row names.
        faults: why a draft may not follow the rows.
    """

    stem: str
    table: Any
    key: Sequence[str]
    made: Callable[[dict[str, Any]], Entry]
    words: tuple[str, str, str]
    stray: str
    faults: Callable[[Sequence[Entry], Entry], Sequence[Problem]] = _no_faults


@dataclass(frozen=True, slots=True)
class Chain(ABC, Generic[Entry]):
    """The rows of one folder, in its database and its export; the files named stand below it."""

    folder: Path

    @property
    @abstractmethod
    def form(self) -> Form[Entry]:
        """The kind of its rows."""

    @property
    def database(self) -> Path:
        """The file that holds the rows."""
        return self.folder / f"{self.form.stem}.sqlite"

    @property
    def export(self) -> Path:
        """The JSON lines that travel with the files."""
        return self.folder / f"{self.form.stem}.jsonl"

    def entries(self) -> list[Entry]:
        """Every row, oldest first; none where there is no database yet.

        Raises:
            PublicationError: the database cannot be read.
        """
        if not self.database.exists():
            return []
        with _refusing(self.database, "cannot be read", READABLE), connected(self.database) as connection:
            return read_rows(connection, self.form.table, self.form.made)

    def append(self, draft: Entry, files: Mapping[str, bytes]) -> tuple[Entry, bool]:
        """Write the files and append the row: both or neither, whatever fails.

        Args:
            draft: the row, without its number and hashes.
            files: the content of each file by its path below the folder.

        Returns:
            The row, and whether it is new; one with the same key comes back as it was, and its files are not touched.

        Raises:
            PublicationError: the place, what failed there, and the cure; nothing was done unless it says so.
        """
        done, again, _ = self.form.words
        with _refusing(self.folder, f"nothing was {done}", RETRY.format(again)):
            known = same(self.entries(), draft, self.form.key)
            if known is None:
                with staged(self.folder, files) as pairs:
                    return self._append(draft, pairs)
        self.renew_export()
        return known, False

    def _append(self, draft: Entry, pairs: Staged) -> tuple[Entry, bool]:
        """Under the lock of the database: check chain and export, add the row, place the files, commit; then export."""
        with connected(self.database, "BEGIN IMMEDIATE") as connection:
            rows = read_rows(connection, self.form.table, self.form.made)
            _refuse([*self._chain_faults(rows), *self._contradictions(rows)])
            known = same(rows, draft, self.form.key)
            entry = known or sealed(draft, rows)
            if known is None:
                _refuse(list(self.form.faults(rows, draft)))
                add_row(connection, self.form.table, entry)
                with placed(pairs):
                    connection.commit()
        self.renew_export()
        return entry, known is None

    def renew_export(self) -> None:
        """Bring an export that is missing, or that only lacks the last rows, up to the rows.

        An export that contradicts the rows, or rows whose chain is broken, are left as they are for `verify` to report.
        The lock of the database is held, so that a slower writer cannot put an older export back.

        Raises:
            PublicationError: the database cannot be read or the export not be written.
        """
        if not self.entries():
            return
        done, again, _ = self.form.words
        what, cure = f"the rows are {done}, but could not be exported", RETRY.format(again)
        with _refusing(self.export, what, cure), connected(self.database, "BEGIN IMMEDIATE") as connection:
            rows = read_rows(connection, self.form.table, self.form.made)
            if lags(read_text(self.export), rows) and not self._chain_faults(rows):
                place(self.export, export_text(rows).encode())

    def faults(self) -> list[Problem]:
        """Every way in which rows, files and export no longer agree; nothing may be added meanwhile."""
        found = read_text(self.export)
        try:
            rows = self.entries()
        except PublicationError as fault:
            return list(fault.problems)
        done, _, one = self.form.words
        return [
            *self._chain_faults(rows),
            *file_faults(self.folder, rows, done),
            *export_faults(self.export, found, rows, one),
        ]

    def verify(self) -> list[Problem]:
        """The `faults`, and files beside those of the rows that no row names; an empty list means all is proven."""
        return self.faults() or list(strangers(self.folder, self.entries(), self.form.stray))

    def _chain_faults(self, rows: Sequence[Entry]) -> list[Problem]:
        return list(chain_faults(self.database.name, rows, self.form.words[0]))

    def _contradictions(self, rows: Sequence[Entry]) -> list[Problem]:
        found = read_text(self.export)
        return [] if lags(found, rows) else list(export_faults(self.export, found, rows, self.form.words[2]))


def _publication(fields: dict[str, Any]) -> Publication:
    fields["for_day"] = date.fromisoformat(fields["for_day"])
    return Publication(**fields)


TEXTS = ("published_at", "files", "inputs")
KEY = ("index_id", "what", "for_day", "revision")
PUBLICATIONS = Form(
    stem="ledger",
    table=table_of("publications", {**dict.fromkeys(KEY, str), "revision": int, **dict.fromkeys(TEXTS, str)}, KEY),
    key=KEY,
    made=_publication,
    words=("published", "publish", "publication"),
    stray="it was not published: move it elsewhere",
    faults=lambda rows, draft: list(append_faults(rows, draft)),
)


@dataclass(frozen=True, slots=True)
class Ledger(Chain[Publication]):
    """The publications of one folder, in its ``ledger.sqlite`` and ``ledger.jsonl``."""

    @property
    def form(self) -> Form[Publication]:
        """Publications."""
        return PUBLICATIONS

    def find(self, index_id: str, what: str, for_day: date) -> Publication | None:
        """The latest revision of a publication, or None."""
        return latest(self.entries(), index_id, what, for_day)

    def publish(
        self,
        index_id: str,
        what: str,
        for_day: date,
        files: Mapping[str, bytes],
        inputs: Mapping[str, str],
        *,
        published_at: datetime,
        revision: int = 0,
    ) -> tuple[Publication, bool]:
        """Write the files and append the row: both or neither, whatever fails.

        Args:
            index_id: the index.
            what: the kind of publication, such as ``rebalance``.
            for_day: the day that it is for.
            files: the content of each file by its path below the folder.
            inputs: what it was made from, such as the hashes of rulebook and data.
            published_at: now, with a time zone.
            revision: 0, or one more than the last for a restatement.

        Returns:
            The row, and whether it is new. A revision that was published before comes back as it was; its files are
            not touched.

        Raises:
            PublicationError: the place, what failed there, and the cure; nothing was published unless it says so.
        """
        _refuse([*path_faults(files), *clock_faults("published_at", published_at)])
        hashes = {path: sha256(content).hexdigest() for path, content in sorted(files.items())}
        at = published_at.astimezone(UTC).isoformat(timespec="seconds")
        draft = Publication(0, index_id, what, for_day, revision, at, hashes, dict(sorted(inputs.items())), "", "")
        return self.append(draft, files)


def open_ledger(folder: Path) -> Ledger:
    """The ledger of a folder; nothing is created before the first publication."""
    return Ledger(folder)


def clock_faults(where: str, moment: datetime) -> list[Problem]:
    """A moment without a time zone."""
    return [] if moment.tzinfo else [Problem(where, f"{moment} has no time zone", "give the instant in UTC")]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise PublicationError(*problems)


@contextmanager
def _refusing(where: Path, what: str, cure: str) -> Generator[None]:
    try:
        yield
    except OSError as fault:
        raise PublicationError(
            Problem(str(fault.filename or where), f"{what}: {fault.strerror or fault}", cure)
        ) from fault
    except SQLAlchemyError as fault:
        said = str(getattr(fault, "orig", fault))
        damaged = "not a database" in said or "malformed" in said
        raise PublicationError(Problem(str(where), f"{what}: {said}", RESTORE if damaged else cure)) from fault
