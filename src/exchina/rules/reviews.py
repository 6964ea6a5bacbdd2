"""The review calendar: which days a rulebook's reviews fall on, counted in sessions of its calendar."""

from bisect import bisect_left, bisect_right
from calendar import monthcalendar
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from exchina.errors import DataError, Problem
from exchina.model import Before, Day, NthSession, NthWeekday, Review, ReviewRule, SpecialReview

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
    """The base review, every scheduled one after it and every special one, up to ``until`` and the calendar's end.

    A day that is no session is the session before it. Days of the month are counted in the month that
    ``rule.months`` names; at the base review, in the last month in which they do not lie after the base date.

    Args:
        rule: the ``[review]`` table of a rulebook.
        sessions: sessions of the rulebook's calendar, ascending, from well before the base date to after ``until``.
        base_date: first effective day; must be a session.
        until: last effective day wanted.

    Raises:
        DataError: the base date or a special review's day is no session, the calendar starts too late for a cut-off,
            or the days of a review, or of two reviews, are out of order.
    """
    if not _is_session(sessions, base_date):
        near = sessions[max(0, bisect_left(sessions, base_date) - 1)] if sessions else "no session known"
        raise DataError(Problem("index.base_date", f"{base_date} is no session of {rule.calendar}", f"try {near}"))
    months = [(year, month) for year in range(base_date.year, until.year + 1) for month in sorted(rule.months)]
    nominal = [(month, _effective(rule, sessions, *month)) for month in months]
    days = [(month, day) for month, day in nominal if day is not None and base_date < day <= until]
    made = [_base_review(rule, sessions, base_date), *(_scheduled(rule, sessions, *one) for one in days)]
    special = [_special(one) for one in rule.special if base_date < one.effective <= until]
    ordered = sorted([*made, *special])
    problems = [*_not_sessions(rule, sessions, special), *_out_of_order(ordered)]
    if problems:
        raise DataError(*problems)
    return ordered


def day_before(rule: Day, sessions: list[date], month: tuple[int, int], effective: date) -> date | None:
    """The session that a day of a review names; None where the calendar does not reach that far back or ahead.

    Args:
        rule: which day.
        sessions: of the calendar, ascending.
        month: year and month of the review.
        effective: its effective day, from which ``sessions_before`` and ``weeks_before`` count.
    """
    if isinstance(rule, NthWeekday):
        return _session_by(sessions, nth_weekday(*month, rule))
    if isinstance(rule, NthSession):
        first = _month_start(month, -rule.months_before)
        following = bisect_left(sessions, _month_start((first.year, first.month), 1))
        begin = bisect_left(sessions, first)
        at = begin + rule.session - 1 if rule.session > 0 else following + rule.session
        known = sessions[0] <= first and following < len(sessions)
        return sessions[at] if known and begin <= at < following else None
    if rule.weeks_before is not None:
        return _session_by(sessions, effective - timedelta(weeks=rule.weeks_before))
    at = bisect_left(sessions, effective) - (rule.sessions_before or 0)
    return sessions[at] if at >= 0 else None


def announcement(rule: ReviewRule) -> Day:
    """The day on which a review is announced, however the rulebook names it."""
    return rule.announced_on or Before(sessions_before=rule.announced_sessions_before or 0)


def data_cutoff(rule: ReviewRule) -> Day:
    """The day up to which data counts, however the rulebook names it."""
    return rule.data_cutoff_on or Before(sessions_before=rule.data_cutoff_sessions_before or 0)


def _is_session(sessions: list[date], day: date) -> bool:
    return day in sessions[bisect_left(sessions, day) :][:1]


def _session_by(sessions: list[date], day: date) -> date | None:
    return sessions[bisect_right(sessions, day) - 1] if sessions[0] <= day <= sessions[-1] else None


def _month_start(month: tuple[int, int], later: int) -> date:
    count = month[0] * 12 + month[1] - 1 + later
    return date(count // 12, count % 12 + 1, 1)


def _effective(rule: ReviewRule, sessions: list[date], year: int, month: int) -> date | None:
    wanted = rule.effective_in_month.get(month, rule.effective_after_close_of)
    return day_before(wanted, sessions, (year, month), date(year, month, 1))


def _scheduled(rule: ReviewRule, sessions: list[date], month: tuple[int, int], effective: date) -> Review:
    scope: Literal["whole", "weights"] = "whole"
    if rule.select_months and month[1] not in rule.select_months:
        scope = "weights"
    announced = _needed(announcement(rule), rule, sessions, month, effective)
    cutoff = _needed(data_cutoff(rule), rule, sessions, month, effective)
    earlier = rule.selection_cutoff_on if scope == "whole" else None
    selected = _needed(earlier, rule, sessions, month, effective) if earlier else None
    return Review(effective, announced, cutoff, scope=scope, selection_cutoff=selected)


def _base_review(rule: ReviewRule, sessions: list[date], effective: date) -> Review:
    announced = _by(announcement(rule), rule, sessions, effective, effective)
    cutoff = _by(data_cutoff(rule), rule, sessions, effective, announced)
    earlier = rule.selection_cutoff_on
    selected = _by(earlier, rule, sessions, effective, cutoff) if earlier else None
    return Review(effective, announced, cutoff, selection_cutoff=selected)


def _by(day: Day, rule: ReviewRule, sessions: list[date], effective: date, latest: date) -> date:
    """A day of the base review: the first going back by months that does not lie after ``latest``."""
    month = (effective.year, effective.month)
    found = _needed(day, rule, sessions, month, effective)
    while found > latest and not isinstance(day, Before):
        back = _month_start(month, -1)
        month = (back.year, back.month)
        found = _needed(day, rule, sessions, month, effective)
    return found


def _needed(day: Day, rule: ReviewRule, sessions: list[date], month: tuple[int, int], effective: date) -> date:
    found = day_before(day, sessions, month, effective)
    if found is None:
        what = f"calendar {rule.calendar} starts only on {sessions[0]}"
        if isinstance(day, NthSession) and _month_start(month, -day.months_before) >= sessions[0]:
            what = f"{month[0]}-{month[1]:02d} has no session no. {day.session} of {rule.calendar} to count from"
        hint = "fetch a market that starts earlier or set a later base_date"
        raise DataError(Problem("review", what, hint))
    return found


def _special(rule: SpecialReview) -> Review:
    return Review(
        rule.effective, rule.announced, rule.data_cutoff, scope=rule.scope, kind="special", why=f"special: {rule.why}"
    )


def _not_sessions(rule: ReviewRule, sessions: list[date], special: list[Review]) -> list[Problem]:
    return [
        Problem(f"review.special {review.effective}", f"{day} is no session of {rule.calendar}", "name a session")
        for review in special
        for day in (review.effective, review.announced, review.cutoff)
        if not _is_session(sessions, day)
    ]


def _out_of_order(ordered: list[Review]) -> list[Problem]:
    problems: list[Problem] = []
    for review in ordered:
        days = [review.selection_cutoff or review.cutoff, review.cutoff, review.announced, review.effective]
        if days != sorted(days):
            what = f"selection {days[0]}, cut-off {days[1]}, announced {days[2]}: out of order"
            hint = "data is cut off first, then the result is announced, then it takes effect"
            problems.append(Problem(f"review {review.effective}", what, hint))
    for before, after in pairwise(ordered):
        special = "special" in (before.kind, after.kind)
        if special and after.cutoff < before.effective:
            what = f"its data is cut off on {after.cutoff}, while the review of {before.effective} is pending"
            hint = "give the special review days outside the windows of the others"
            problems.append(Problem(f"review {after.effective}", what, hint))
    return problems
