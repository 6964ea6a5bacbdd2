"""Event-driven reviews: what a trigger may read, and where the review that it calls falls in the calendar."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from exchina.model import Review, ReviewEvent, Rule, Trigger

EVENTS = {"day": pl.Date, "company_id": pl.String, "who": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class Facts:
    """What a trigger may read. Its answer for a day may rest only on what was known by that day.

    Attributes:
        sessions: of the index calendar from the base date to the day up to which something is known.
        actions: every version of each corporate action (`exchina.tables.market.ACTIONS`).
        measures: policy measures (`exchina.tables.reference.POLICY_MEASURES`).
        prices: every version of each close: symbol, session, known_date.
        companies: company of each line.
        screens: of the rulebook.
        look: days -> `exchina.universe.universe_on` of each, column ``review`` the day, from what was known on it.
    """

    sessions: list[date]
    actions: pl.DataFrame
    measures: pl.DataFrame
    prices: pl.DataFrame
    companies: Mapping[str, str]
    screens: tuple[Rule, ...]
    look: Callable[[list[date]], pl.DataFrame]


def as_events(rows: pl.DataFrame) -> pl.DataFrame:
    """The answer of a trigger: day, company_id, who (members, others, anyone), reason, in order of day and company."""
    return rows.select(*EVENTS).cast(EVENTS).sort("day", "company_id")  # pyright: ignore[reportArgumentType]


def placed(
    calendar: list[Review], trigger: Trigger, event: ReviewEvent, start: date, sessions: list[date]
) -> tuple[list[Review], date | None]:
    """The calendar with the review that an event calls, or the day until which the event has to wait.

    The review's data is that of the first session from ``start`` on. Events of one such session share a review, with
    the shorter notice. Where its days, cut-off to effective day, overlap those of another review: if that one decides
    everything and its data shows the event, it stands for both; otherwise the event waits for that one's effective
    day. An event calls nothing where a review to come already removes or brings in its company for the same reason,
    or where its days lie beyond the known sessions.

    Args:
        calendar: reviews so far, ascending.
        trigger: what called.
        event: on its day.
        start: the event's day, or the day until which it has waited.
        sessions: of the index calendar, ascending, into the future.

    Returns:
        The reviews, ascending, and None; or the same reviews and a day.
    """
    at = bisect_left(sessions, start)
    known = {(one.company_id, one.scope) for review in calendar if review.effective >= start for one in review.events}
    settled = event.scope != "whole" and (event.company_id, event.scope) in known
    if settled or at + trigger.effective_sessions_after >= len(sessions):
        return calendar, None
    review = Review(
        sessions[at + trigger.effective_sessions_after],
        sessions[at + trigger.announced_sessions_after],
        sessions[at],
        scope="whole" if event.scope == "whole" else "companies",
        kind="event",
        why=event.reason,
        events=(event,),
    )
    other = next((one for one in calendar if _overlap(one, review)), None)
    if other is None:
        return sorted([*calendar, review]), None
    shown = (other.selection_cutoff or other.cutoff) >= review.cutoff and other.scope == "whole"
    if shown or (other.kind == "event" and other.cutoff == review.cutoff):
        return sorted([*(one for one in calendar if one is not other), _merged(other, review)]), None
    return calendar, other.effective


def _overlap(one: Review, other: Review) -> bool:
    return one.cutoff <= other.effective and other.cutoff < one.effective


def _merged(review: Review, called: Review) -> Review:
    """Two reviews as one: a calendar review keeps its days, two of one session the shorter notice."""
    seen = {(event.company_id, event.scope, event.reason) for event in review.events}
    fresh = tuple(event for event in called.events if (event.company_id, event.scope, event.reason) not in seen)
    why = "; ".join(dict.fromkeys([part for part in (review.why, *(event.reason for event in fresh)) if part]))
    whole = "whole" if "whole" in (review.scope, called.scope) else review.scope
    joined = replace(review, scope=whole, why=why, events=(*review.events, *fresh))
    if review.kind == "event" and review.cutoff == called.cutoff:
        announced, effective = min(review.announced, called.announced), min(review.effective, called.effective)
        return replace(joined, announced=announced, effective=effective)
    return joined
