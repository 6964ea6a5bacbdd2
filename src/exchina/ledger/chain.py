"""PURE. Rows that hold the hash of the row before: how a row is sealed, exported and found to be changed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Protocol, TypeVar

from exchina.errors import Problem
from exchina.model import Publication

FIRST = "0" * 64
RESTORE = "restore the folder from a backup, then verify again"
CLOCKS_APART = timedelta(minutes=5)


class Sealed(Protocol):
    """What every row of a chain has: its number, the files it vouches for by their SHA-256, and the two hashes."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def sequence(self) -> int: ...  # noqa: D102

    @property
    def files(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def previous_hash(self) -> str: ...  # noqa: D102

    @property
    def hash(self) -> str: ...  # noqa: D102


Entry = TypeVar("Entry", bound=Sealed)


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, and days as YYYY-MM-DD: the same value is always the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=date.isoformat)


def columns_of(entry: Sealed) -> dict[str, Any]:
    """The fields of a row by name, as they are: `dataclasses.asdict` would copy each, which takes ten times as long."""
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__}


def row_hash(entry: Sealed) -> str:
    """SHA-256 over the canonical JSON (UTF-8) of every field of a row but the hash itself and the signature over it."""
    fields = {name: value for name, value in columns_of(entry).items() if name not in ("hash", "signature")}
    return sha256(canonical(fields).encode()).hexdigest()


def sealed(draft: Entry, last: Entry | None) -> Entry:
    """The draft as the row that follows ``last``: with its sequence (from 1), the hash before it and its own."""
    number, before = (last.sequence + 1, last.hash) if last else (1, FIRST)
    entry = replace(draft, sequence=number, previous_hash=before)
    return replace(entry, hash=row_hash(entry))


def latest(rows: Sequence[Publication], index_id: str, what: str, for_day: date) -> Publication | None:
    """The highest revision of a publication, or None."""
    found = [row for row in rows if (row.index_id, row.what, row.for_day) == (index_id, what, for_day)]
    return max(found, key=lambda row: row.revision, default=None)


def export_lines(rows: Sequence[Sealed]) -> bytes:
    """The rows as JSON lines in UTF-8."""
    return "".join(canonical(columns_of(row)) + "\n" for row in rows).encode()


def chain_faults(where: str, rows: Sequence[Sealed], done: str = "published", first: int = 1) -> Iterator[Problem]:
    """Rows that were changed, taken out or put in since they were sealed.

    Args:
        where: the database.
        rows: all of them, or those from a row on.
        done: what is done to a row.
        first: the number of the first one; of a later one than 1 it is not asked what stood before.
    """
    before = rows[0].previous_hash if rows and first > 1 else FIRST
    for number, row in enumerate(rows, first):
        place = f"{where} row {row.sequence}"
        if row.sequence != number:
            yield Problem(place, f"stands where row {number} should stand: a row was taken out or put in", RESTORE)
            return
        if row.previous_hash != before:
            yield Problem(place, "does not follow the row before it: the chain of hashes is broken", RESTORE)
        if row_hash(row) != row.hash:
            yield Problem(place, f"was changed after it was {done}: its hash does not fit it", RESTORE)
        before = row.hash


def append_faults(revisions: Sequence[Publication], last: Publication | None, draft: Publication) -> Iterator[Problem]:
    """Why a publication may not come next: its revision is out of order, or its time is.

    Args:
        revisions: the rows of the same index, kind and day.
        last: the last row of all.
        draft: what would come next.
    """
    where = f"{draft.index_id} {draft.what} {draft.for_day} revision {draft.revision}"
    expected = max((row.revision for row in revisions), default=-1) + 1
    if draft.revision != expected:
        yield Problem(where, f"revision {draft.revision} cannot come next", f"the next revision is {expected}")
    if last and _at(draft) < _at(last) - CLOCKS_APART:
        what = f"published at {draft.published_at} would come before row {last.sequence}, at {last.published_at}"
        cure = f"a clock is wrong: set it; if it was that of row {last.sequence}, {RESTORE}"
        yield Problem(where, what, cure)


def _at(row: Publication) -> datetime:
    return datetime.fromisoformat(row.published_at)
