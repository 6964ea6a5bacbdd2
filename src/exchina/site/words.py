"""PURE. What a row of the ledger is called, and what a subscriber must know of it, in words."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from exchina.model import Publication
from exchina.schedule import Job, lateness

DELAYED = "_delayed"
CLOSING = ("close", "restatement")
KINDS: Mapping[str, str] = {"close": "closing files", "post_trade": "post-trade report", "restatement": "restatement"}


def is_delay(row: Publication) -> bool:
    """Whether a row says that something is delayed."""
    return row.what.endswith(DELAYED)


def simulated(row: Publication) -> bool:
    """Whether a row was made from simulated prices."""
    return row.inputs.get("market_kind") == "simulated"


def successors(rows: Sequence[Publication]) -> dict[int, Publication]:
    """By sequence, the row that counts in place of each one that no longer does.

    A later revision takes the place of an earlier one, a restatement that of the close of its session, and what was
    published in the end that of the notice that it was delayed.

    Args:
        rows: the ledger, oldest first.
    """
    done = [row for row in rows if not is_delay(row)]
    first, last = {_place(row): row for row in reversed(done)}, {_place(row): row for row in done}
    found = ((row, (first if is_delay(row) else last).get(_place(row), row)) for row in rows)
    return {row.sequence: after for row, after in found if after.sequence > row.sequence}


def kind(what: str) -> str:
    """A kind of publication in words."""
    base = what.removesuffix(DELAYED)
    return KINDS.get(base, base.replace("_", " "))


def title(row: Publication, names: Mapping[str, str], jobs: Collection[Job]) -> str:
    """A publication in a line: ``ExChina Magnet Chain Index: announcement for 18 September 2026 (late)``.

    Args:
        row: of the ledger.
        names: of the indices, by id; an index that is no longer among them is called by its id.
        jobs: the schedule; says how late is late.
    """
    marks = [
        *(["delayed"] if is_delay(row) else []),
        *([f"revision {row.revision}"] if row.revision else []),
        *(["late"] if lateness(row, jobs) else []),
    ]
    said = f"{names.get(row.index_id, row.index_id)}: {kind(row.what)} for {day_text(row.for_day)}"
    return f"{said} ({', '.join(marks)})" if marks else said


def remarks(row: Publication, after: Publication | None) -> list[str]:
    """What a reader of a publication must know, a sentence each.

    Args:
        row: of the ledger.
        after: the row that counts in its place, of `successors`.
    """
    said: list[str] = []
    if simulated(row):
        said.append("SIMULATED PRICES.")
    if "clock" in row.inputs:
        said.append(f"A rehearsal: the clock was {row.inputs['clock']}.")
    if row.what == "restatement":
        said.append(f"Corrects levels up to {day_text(row.for_day)}; the old ones stay retrievable.")
    if row.inputs.get("because"):
        said.append(f"Reason: {row.inputs['because'].rstrip('.')}.")
    if after is not None:
        said.append(_replaced(row, after))
    elif is_delay(row):
        said.append("Its data are not there yet; it follows as soon as they are.")
    return said


def day_text(day: date) -> str:
    """A day as people write it: 18 September 2026."""
    return f"{day.day} {day:%B} {day.year}"


def instant_text(text: str) -> str:
    """An instant of the ledger as people write it: 18 September 2026, 22:00 UTC."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return f"{day_text(at.date())}, {at:%H:%M} UTC"


def _replaced(row: Publication, after: Publication) -> str:
    if is_delay(row):
        return f"Published in the end in row {after.sequence}, {instant_text(after.published_at)}."
    newer = f"revision {after.revision}" if after.what == row.what else f"the {kind(after.what)}"
    return f"Superseded by {newer} in row {after.sequence}, {instant_text(after.published_at)}; both stay retrievable."


def _place(row: Publication) -> tuple[str, str, date]:
    base = row.what.removesuffix(DELAYED)
    return row.index_id, "close" if base in CLOSING else base, row.for_day
