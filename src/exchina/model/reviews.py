"""When an index is reviewed: the rule of a rulebook, and the days that come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import ConfigDict, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass as checked

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@checked(frozen=True, config=STRICT)
class NthWeekday:
    """A day such as the third Friday of a month."""

    nth: Annotated[int, Field(ge=1, le=5)]
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday"]


@checked(frozen=True, config=STRICT)
class NthSession:
    """A session of a month, such as the last one; ``session`` counts from the end where it is negative (-1: the last).

    ``months_before`` counts back from the month of the review.
    """

    session: Annotated[int, Field(ge=-15, le=15)]
    months_before: Annotated[int, Field(ge=0, le=6)] = 0


@checked(frozen=True, config=STRICT)
class Before:
    """So many sessions, or so many weeks, before the effective day; exactly one of the two."""

    sessions_before: Annotated[int, Field(ge=0, le=120)] | None = None
    weeks_before: Annotated[int, Field(ge=0, le=26)] | None = None


def _form_of_day(value: Any) -> str:
    """Which way of naming a day a table of TOML, or a value of Python, uses."""
    keys = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {type(value).__name__: None}
    if keys.keys() & {"session", "months_before", "NthSession"}:
        return "session"
    return "before" if keys.keys() & {"sessions_before", "weeks_before", "Before"} else "weekday"


Day: TypeAlias = Annotated[
    Annotated[NthWeekday, Tag("weekday")] | Annotated[NthSession, Tag("session")] | Annotated[Before, Tag("before")],
    Discriminator(_form_of_day),
]


Month: TypeAlias = Annotated[int, Field(ge=1, le=12)]


@checked(frozen=True, config=STRICT)
class SpecialReview:
    """A review outside the calendar, with its dates and its reason."""

    effective: date
    announced: date
    data_cutoff: date
    why: Annotated[str, Field(min_length=1)]
    scope: Literal["whole", "weights"] = "whole"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One line of ``[review.on]``: which event calls a review, of what, and after how many sessions."""

    name: str
    settings: Mapping[str, Any]
    scope: Literal["whole", "enter", "leave"]
    announced_sessions_after: int
    effective_sessions_after: int
    why: str


@checked(frozen=True, config=STRICT, kw_only=True)
class ReviewRule:
    """When an index is reviewed; sessions are those of ``calendar``. A day that is a holiday is the session before.

    Attributes:
        months: months with a review.
        effective_after_close_of: the last day on the old terms.
        effective_in_month: another such day in some of the months.
        announced_sessions_before, announced_on: the day on which the result is made public; one of the two.
        data_cutoff_sessions_before, data_cutoff_on: the day up to which data counts; one of the two.
        selection_cutoff_on: an earlier day whose data decide the members; the cut-off's decide their weights.
        select_months: months in which the members are chosen; in the others the members stay and are weighted afresh.
        special: reviews outside the calendar.
        deletion: whether a member that leaves by an event is replaced from the reserve list.
        on: events that call a review.
    """

    months: Annotated[tuple[Month, ...], Field(min_length=1)]
    effective_after_close_of: Day
    effective_in_month: Mapping[Month, Day] = field(default_factory=dict[int, Any])
    announced_sessions_before: Annotated[int, Field(ge=0, le=60)] | None = None
    announced_on: Day | None = None
    data_cutoff_sessions_before: Annotated[int, Field(ge=0, le=120)] | None = None
    data_cutoff_on: Day | None = None
    selection_cutoff_on: Day | None = None
    select_months: tuple[Month, ...] = ()
    special: tuple[SpecialReview, ...] = ()
    deletion: Literal["no_replacement", "from_reserve"] = "no_replacement"
    calendar: str
    on: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class ReviewEvent:
    """Why a review was called: the session by which it was known, whom it concerns, by which trigger, in words."""

    day: date
    company_id: str
    trigger: str
    scope: Literal["whole", "enter", "leave"]
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Review:
    """The days of one review: data frozen, result announced, in force after the close of ``effective``.

    Attributes:
        scope: what it decides: ``whole``, members and weights; ``weights``, of the members there are; ``companies``,
            only those that ``events`` name, which enter or leave.
        kind: of the calendar, a special one, or called by events.
        why: what a special review, or one that an event called or was merged into, gives as its reason.
        selection_cutoff: the day whose data decide the members; None: ``cutoff``, which always decides the weights.
    """

    effective: date
    announced: date
    cutoff: date
    scope: Literal["whole", "weights", "companies"] = field(default="whole", compare=False)
    kind: Literal["scheduled", "special", "event"] = field(default="scheduled", compare=False)
    why: str = field(default="", compare=False)
    events: tuple[ReviewEvent, ...] = field(default=(), compare=False)
    selection_cutoff: date | None = field(default=None, compare=False)
