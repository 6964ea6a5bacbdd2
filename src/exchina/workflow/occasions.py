"""When an index is due what: its days as the schedule reads them, and what somebody may publish by hand."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from exchina import history
from exchina.errors import DataError, Problem
from exchina.market.view import MarketView
from exchina.model import Publication, Rulebook
from exchina.schedule import Days, Due, Job, calendar_days, planned
from exchina.workflow.news import all_news
from exchina.workflow.publications import Occasion
from exchina.workflow.published import ledger_of, table_of
from exchina.workspace import Workspace

ON = {
    "snapshot": ("data_cutoff", 0),
    "draft": ("data_cutoff", 1),
    "announcement": ("announcement_day", 0),
    "close": ("every_session", 0),
    "notice": ("event", 0),
    "post_trade": ("effective_day", 1),
    "factsheet": ("every_session", 0),
}


def days_of(book: Rulebook, view: MarketView) -> Days:
    """Sessions, closes and reviews of an index as known by a view; what happens ad hoc is `with_events`.

    A session closes when the last of the index calendar and of the venues of its companies does.

    Raises:
        DataError: the market lacks a calendar, or the reviews are out of order.
    """
    calendar = book.review.calendar
    days = calendar_days(view.market.sessions, calendar, _venues(view))
    zones = dict(view.reference.venues.select("calendar", "utc_offset_zone").iter_rows())
    return replace(
        days, reviews=history.reviews_until(book, view, days.sessions[-1]), zone=zones.get(calendar, days.zone)
    )


def with_events(workspace: Workspace, days: Days, index_id: str, view: MarketView, rows: Sequence[Publication]) -> Days:
    """The days with those sessions, closed by the ledger, on which something became known of a company held."""
    closes = {row.for_day: row for row in rows if row.index_id == index_id and row.what == "close"}
    if not closes:
        return days
    lines = view.reference.listings["yahoo_symbol"].unique().to_list()
    versions = replace(view, market=view.history or view.market)
    known = all_news(versions, lines).select("known_date", "symbol").unique(maintain_order=True)
    events: set[date] = set()
    for day, symbol in known.iter_rows():
        at = bisect_left(days.sessions, day)
        row = closes.get(days.sessions[at]) if at < len(days.sessions) else None
        if row is not None and row.for_day not in events and symbol in _held(workspace, row.index_id, row.for_day):
            events.add(row.for_day)
    return replace(days, events=events)


def occasion_of(what: str, book: Rulebook, days: Days, day: date) -> Occasion:
    """The last occasion, at or before a day, on which a kind of publication is due.

    Raises:
        DataError: there is none yet.
    """
    on, after = ON[what]
    asked: dict[str, Any] = {"what": what, "on": on, "sessions_after": after, "at": time(), "zone": "UTC"}
    job = Job(do="publish", index=book.index.id, market="-", since=date.min, **asked)
    beginning, end = datetime.min.replace(tzinfo=UTC), datetime.combine(day, time.max, UTC)
    found = planned([job], {book.index.id: days}, beginning, end)
    if not found:
        hint = f"the index starts on {book.index.base_date}; exchina serve --dry-run --until DAY shows what is to come"
        raise DataError(Problem(book.index.id, f"no {what} was due by {day}", hint))
    return as_occasion(found[-1])


def last_occasion(what: str, book: Rulebook, view: MarketView, workspace: Workspace | None = None) -> Occasion:
    """The last occasion, by the day to which a view is cut, on which a kind of publication is due.

    Args:
        what: the kind.
        book: the rules.
        view: what is known.
        workspace: whose closes say what is held, and so when a notice is due; None where none is asked for.

    Raises:
        DataError: there is none yet.
    """
    day, days = view.known_by or view.provenance.through, days_of(book, view)
    if workspace is not None:
        days = with_events(workspace, days, book.index.id, view, ledger_of(workspace).entries())
    return occasion_of(what, book, days, day)


def as_occasion(due: Due) -> Occasion:
    """What a due item asks to be published."""
    return Occasion(due.what, due.for_day, due.day, due.review)


def _venues(view: MarketView) -> Collection[str]:
    calendars = dict(view.reference.venues.select("mic", "calendar").iter_rows())
    return sorted({calendars[mic] for mic in view.reference.listings["mic"] if mic in calendars})


@lru_cache(maxsize=1024)
def _held(workspace: Workspace, index_id: str, session: date) -> frozenset[str]:
    """The lines of a published closing file, which never changes."""
    row = ledger_of(workspace).find(index_id, "close", session)
    return frozenset(table_of(workspace, row, "closing.csv")["symbol"]) if row else frozenset()
