"""The review calendar: which days a rulebook's reviews fall on, counted in sessions of its calendar."""

from bisect import bisect_left, bisect_right
from calendar import monthcalendar
from datetime import date

from exchina.errors import DataError, Problem
from exchina.model import NthWeekday, Review, ReviewRule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def nth_weekday(year: int, month: int, rule: NthWeekday) -> date:
    """The n-th weekday of a month; the last one where the month has fewer.

    Example:
        >>> nth_weekday(2026, 6, NthWeekday(nth=3, weekday="friday"))
        datetime.date(2026, 6, 19)
    """
    days = [week[WEEKDAYS.index(rule.weekday)] for week in monthcalendar(year, month)]
    return date(year, month, [day for day in days if day][: rule.nth][-1])


def reviews(rule: ReviewRule, sessions: list[date], base_date: date, until: date) -> list[Review]:
    """The base review and every scheduled one after it, up to ``until`` and as far as the calendar is known.

    The effective day is the stated weekday, or the session before it where that is a holiday. Announcement and data
    cut-off lie the stated number of sessions earlier.

    Args:
        rule: the ``[review]`` table of a rulebook.
        sessions: sessions of the rulebook's calendar, ascending, from well before the base date to after ``until``.
        base_date: first effective day; must be a session.
        until: last effective day wanted.

    Raises:
        DataError: the base date is no session, or the calendar starts too late for its data cut-off.
    """
    if base_date not in sessions[bisect_left(sessions, base_date) :][:1]:
        near = sessions[max(0, bisect_left(sessions, base_date) - 1)] if sessions else "no session known"
        raise DataError(Problem("index.base_date", f"{base_date} is no session of {rule.calendar}", f"try {near}"))
    months = [(year, month) for year in range(base_date.year, until.year + 1) for month in sorted(rule.months)]
    nominal = [nth_weekday(year, month, rule.effective_after_close_of) for year, month in months]
    effective = [sessions[bisect_right(sessions, day) - 1] for day in nominal if sessions[0] <= day <= sessions[-1]]
    days = [base_date, *(day for day in effective if base_date < day <= until)]
    return [_review(rule, sessions, day) for day in days]


def _review(rule: ReviewRule, sessions: list[date], effective: date) -> Review:
    at = bisect_left(sessions, effective)
    if at < max(rule.data_cutoff_sessions_before, rule.announced_sessions_before):
        hint = "fetch a market that starts earlier or set a later base_date"
        raise DataError(Problem("review", f"calendar {rule.calendar} starts only on {sessions[0]}", hint))
    return Review(
        effective=effective,
        announced=sessions[at - rule.announced_sessions_before],
        cutoff=sessions[at - rule.data_cutoff_sessions_before],
    )
