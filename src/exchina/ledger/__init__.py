"""The ledger: what was published, for which day, with the hash of each file; rows are only ever added.

Each row holds the hash of the row before, so that no row can be changed, taken out or put in unnoticed:
``hash`` is the SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of all other fields, and ``previous_hash``
is 64 zeros in the first row. ``ledger.jsonl``, one such row a line, travels with the published files, so that a
subscriber can check them without us.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from exchina.atomic import place
from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, append_faults, chain_faults, export_text, latest, same, sealed
from exchina.ledger.database import add_row, connected, read_rows
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
RETRY = "free space, or give the right to write there, and publish again"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The publications of one folder, in its ``ledger.sqlite`` and ``ledger.jsonl``; the files named stand below it."""

    folder: Path

    @property
    def database(self) -> Path:
        """The file that holds the rows."""
        return self.folder / "ledger.sqlite"

    @property
    def export(self) -> Path:
        """The JSON lines that travel with the published files."""
        return self.folder / "ledger.jsonl"

    def entries(self) -> list[Publication]:
        """Every publication, oldest first; none where nothing has been published yet.

        Raises:
            PublicationError: the database cannot be read.
        """
        if not self.database.exists():
            return []
        with _refusing(self.database, "cannot be read", READABLE), connected(self.database) as connection:
            return read_rows(connection)

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
        _refuse([*path_faults(files), *_clock_faults(published_at)])
        hashes = {path: sha256(content).hexdigest() for path, content in sorted(files.items())}
        at = published_at.astimezone(UTC).isoformat(timespec="seconds")
        draft = Publication(0, index_id, what, for_day, revision, at, hashes, dict(sorted(inputs.items())), "", "")
        with _refusing(self.folder, "nothing was published", RETRY):
            known = same(self.entries(), draft)
            if known is None:
                with staged(self.folder, files) as pairs:
                    return self._append(draft, pairs)
        self.renew_export()
        return known, False

    def _append(self, draft: Publication, pairs: Staged) -> tuple[Publication, bool]:
        """Under the lock of the database: check chain and export, add the row, place the files, commit; then export."""
        with connected(self.database, "BEGIN IMMEDIATE") as connection:
            rows = read_rows(connection)
            _refuse([*chain_faults(self.database.name, rows), *self._contradictions(rows)])
            known = same(rows, draft)
            entry = known or sealed(draft, rows)
            if known is None:
                _refuse(list(append_faults(rows, draft)))
                add_row(connection, entry)
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
        what = "the rows are published, but could not be exported"
        with _refusing(self.export, what, RETRY), connected(self.database, "BEGIN IMMEDIATE") as connection:
            rows = read_rows(connection)
            if lags(read_text(self.export), rows) and not list(chain_faults(self.database.name, rows)):
                place(self.export, export_text(rows).encode())

    def _contradictions(self, rows: list[Publication]) -> list[Problem]:
        found = read_text(self.export)
        return [] if lags(found, rows) else list(export_faults(self.export, found, rows))

    def faults(self) -> list[Problem]:
        """Every way in which rows, published files and export no longer agree; nothing may be published meanwhile."""
        found = read_text(self.export)
        try:
            rows = self.entries()
        except PublicationError as fault:
            return list(fault.problems)
        return [
            *chain_faults(self.database.name, rows),
            *file_faults(self.folder, rows),
            *export_faults(self.export, found, rows),
        ]

    def verify(self) -> list[Problem]:
        """The `faults`, and files beside published ones that no row names; an empty list means that all is proven."""
        found = self.faults()
        return found or list(strangers(self.folder, self.entries()))


def open_ledger(folder: Path) -> Ledger:
    """The ledger of a folder; nothing is created before the first publication."""
    return Ledger(folder)


def _clock_faults(published_at: datetime) -> list[Problem]:
    if published_at.tzinfo is not None:
        return []
    return [Problem("published_at", f"{published_at} has no time zone", "give the instant in UTC")]


def _refuse(problems: list[Problem]) -> None:
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
        raise PublicationError(Problem(str(where), f"{what}: {getattr(fault, 'orig', fault)}", cure)) from fault
