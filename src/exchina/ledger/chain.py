"""PURE. Rows that hold the hash of the row before: how a row is sealed, exported and found to be changed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any, ClassVar, Protocol, TypeVar

from exchina.errors import Problem
from exchina.model import Publication

FIRST = "0" * 64
RESTORE = "restore the folder from a backup, then verify again"


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
    """SHA-256 over the canonical JSON (UTF-8) of every field of a row but the hash itself."""
    fields = columns_of(entry)
    del fields["hash"]
    return sha256(canonical(fields).encode()).hexdigest()


def sealed(draft: Entry, rows: Sequence[Entry]) -> Entry:
    """The draft as the row that follows ``rows``: with its sequence (from 1), the hash before it and its own."""
    entry = replace(draft, sequence=len(rows) + 1, previous_hash=rows[-1].hash if rows else FIRST)
    return replace(entry, hash=row_hash(entry))


def same(rows: Sequence[Entry], draft: Entry, key: Sequence[str]) -> Entry | None:
    """The row that already stands for what the draft would: the same in every field of the key."""
    wanted = _key(draft, key)
    return next((row for row in rows if _key(row, key) == wanted), None)


def latest(rows: Sequence[Publication], index_id: str, what: str, for_day: date) -> Publication | None:
    """The highest revision of a publication, or None."""
    found = [row for row in rows if (row.index_id, row.what, row.for_day) == (index_id, what, for_day)]
    return max(found, key=lambda row: row.revision, default=None)


def export_text(rows: Sequence[Sealed]) -> str:
    """The rows as JSON lines."""
    return "".join(canonical(columns_of(row)) + "\n" for row in rows)


def chain_faults(where: str, rows: Sequence[Sealed], done: str = "published") -> Iterator[Problem]:
    """Rows that were changed, taken out or put in since they were sealed."""
    before = FIRST
    for number, row in enumerate(rows, 1):
        place = f"{where} row {row.sequence}"
        if row.sequence != number:
            yield Problem(place, f"stands where row {number} should stand: a row was taken out or put in", RESTORE)
            return
        if row.previous_hash != before:
            yield Problem(place, "does not follow the row before it: the chain of hashes is broken", RESTORE)
        if row_hash(row) != row.hash:
            yield Problem(place, f"was changed after it was {done}: its hash does not fit it", RESTORE)
        before = row.hash


def append_faults(rows: Sequence[Publication], draft: Publication) -> Iterator[Problem]:
    """Why a publication may not follow ``rows``: its revision is out of order, or it would replace a file."""
    where = f"{draft.index_id} {draft.what} {draft.for_day} revision {draft.revision}"
    last = latest(rows, draft.index_id, draft.what, draft.for_day)
    expected = 0 if last is None else last.revision + 1
    if draft.revision != expected:
        yield Problem(where, f"revision {draft.revision} cannot come next", f"the next revision is {expected}")
    for row in rows:
        for path in sorted(row.files.keys() & draft.files.keys()):
            if row.files[path] != draft.files[path]:
                what = f"{path} was published in row {row.sequence} with other content"
                yield Problem(where, what, "write this one under a name of its own; what is published never changes")


def _key(entry: Sealed, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(entry, name) for name in names)
