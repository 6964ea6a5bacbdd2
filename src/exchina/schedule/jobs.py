"""PURE. The lines of a schedule: what is done for which index, on which days, at what time."""

import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as checked

from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.model import STRICT
from exchina.plugins import checked_as

FETCH = "fetch"
GRACE_MINUTES = 60
SOON, LATER = range(6), range(21)
FITTING: Mapping[str, Mapping[str, range]] = {  # the days that a kind may be due on, and how many sessions after them
    FETCH: {"every_session": SOON, "month_end": SOON, "quarter_end": SOON},
    "snapshot": {"data_cutoff": SOON},
    "draft": {"data_cutoff": LATER, "announcement_day": range(-20, 1)},
    "close": {"every_session": SOON},
    "announcement": {"announcement_day": range(1)},
    "notice": {"event": SOON},
    "post_trade": {"effective_day": LATER},
    "factsheet": {"month_end": LATER, "quarter_end": LATER},
}
DAYS = frozenset(day for fitting in FITTING.values() for day in fitting)
KINDS = tuple(FITTING)  # in the order in which they are done where they are due at the same instant
NEEDED: Mapping[str, tuple[str, ...]] = {"publish": ("what", "index"), FETCH: ("provider", "calendar")}
READERS: Mapping[str, tuple[str, ...]] = {  # the kinds that a setting says something to
    "benchmark": ("announcement", "factsheet"),
    "audience": ("announcement", "factsheet"),
    "identifiers": ("close",),
}


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise ValueError(f"no time zone called {name!r} ({did_you_mean(name, available_timezones())})") from fault


def _plain(at: time) -> time:
    if at.tzinfo is not None:
        raise ValueError("a time of day without offset, beside a zone")
    return at


TimeOfDay: TypeAlias = Annotated[time, AfterValidator(_plain)]


@checked(frozen=True, config=STRICT, kw_only=True)
class Job:
    """One thing that a schedule asks for, for one index or one market.

    Attributes:
        do: the verb.
        what: the kind of publication; None for a fetch.
        index: the index that is published; empty for a fetch.
        market: the market of the store that is read, or that a fetch brings up to date.
        provider: where a fetch gets its data.
        calendar: the exchange calendar whose sessions a fetch follows; an index follows that of its rulebook.
        on: the days on which it is due.
        sessions_after: so many sessions after such a day; before it where negative.
        at: local time of day in ``zone``; or else
        after_close: so long after the close of that session, so that a half day is done earlier.
        zone: IANA time zone of ``at``.
        since: first day on which it can be due.
        until: last such day.
        benchmark: one benchmark for the event study; None takes each market's own.
        audience: who will read the documents.
        grace_minutes: what is published later than this after it was due is marked late.
        identifiers: whether licensed identifiers are written, into files of their own.
    """

    do: Literal["publish", "fetch"]
    what: Literal["snapshot", "draft", "close", "announcement", "notice", "post_trade", "factsheet"] | None = None
    index: str = ""
    market: str
    provider: str = ""
    calendar: str = ""
    on: Literal[
        "data_cutoff", "announcement_day", "effective_day", "every_session", "month_end", "quarter_end", "event"
    ]
    sessions_after: int = 0
    at: TimeOfDay | None = None
    after_close: TimeOfDay | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    since: date
    until: date = date.max
    benchmark: str | None = None
    audience: Literal["retail", "institutional"] = "institutional"
    grace_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = GRACE_MINUTES
    identifiers: bool = False

    @property
    def kind(self) -> str:
        """What its rows of the ledger are: the kind of publication, or ``fetch``."""
        return self.what or FETCH

    @property
    def subject(self) -> str:
        """Whose rows of the ledger it makes: the index, or the market of a fetch."""
        return self.index or self.market

    @property
    def follows(self) -> str:
        """Whose days it is due on: those of the index, or of the calendar of a fetch."""
        return self.index or self.calendar

    @property
    def grace(self) -> timedelta:
        """How long after it was due it is still in time."""
        return timedelta(minutes=self.grace_minutes)


def parse_schedule(text: str, index_ids: Collection[str], where: str = "schedule") -> tuple[Job, ...]:
    """Read a schedule: ``[[job]]`` tables; one that names several indices is as many jobs.

    Args:
        text: TOML.
        index_ids: the indices there are.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not valid TOML: {fault}")) from fault
    hint = "a schedule holds [[job]] tables"
    problems = [Problem(f"{where}: {key}", f"no table called {key!r}", hint) for key in tree if key != "job"]
    tables: Any = tree.get("job", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RulebookError(*problems, Problem(f"{where}: job", "is no list of tables", hint))
    jobs: list[Job] = []
    for number, table in enumerate(tables, 1):
        made, faults = _jobs(f"{where}: job {number}", table, index_ids)
        jobs += made
        problems += faults
    named = Counter(f"{job.kind} of {job.subject}" for job in jobs)
    problems += [
        Problem(f"{where}: {name}", f"{count} jobs do this", "keep one") for name, count in named.items() if count > 1
    ]
    if problems:
        raise RulebookError(*problems)
    return tuple(jobs)


def _jobs(where: str, table: Mapping[str, Any], index_ids: Collection[str]) -> tuple[list[Job], list[Problem]]:
    """One table of the file as jobs, and every fault in it."""
    named: Any = table.get("index", [])
    indices: list[Any] = named if isinstance(named, list) else [named]
    texts = {key: str(table[key]) for key in ("at", "after_close") if key in table}  # TOML has a local time of its own
    only = {"index": str(indices[0])} if indices else {}
    job, problems = checked_as(Job, {**table, **texts, **only}, where)
    problems += [*_contradictions(where, table), *_unknown(where, indices, index_ids)]
    if job is None:
        return [], problems
    return [replace(job, index=str(index)) for index in indices] or [job], problems


def _unknown(where: str, indices: list[Any], index_ids: Collection[str]) -> Iterator[Problem]:
    for index in indices:
        if str(index) not in index_ids:
            yield Problem(f"{where}.index", f"no index called {str(index)!r}", did_you_mean(str(index), index_ids))


def _contradictions(where: str, table: Mapping[str, Any]) -> Iterator[Problem]:
    """What no single setting can say; a setting that is itself at fault is left to its own problem."""
    do = str(table.get("do"))
    for verb, names in NEEDED.items() if do in NEEDED else ():
        for name in names:
            if verb == do and not table.get(name):
                yield Problem(f"{where}.{name}", f"this setting is required to {do}")
            elif verb != do and name in table:
                yield Problem(f"{where}.{name}", f"says nothing to a job that does {do!r}", "leave it out")
    yield from _misplaced(where, table, FETCH if do == FETCH else str(table.get("what")))
    yield from _badly_timed(where, table)


def _misplaced(where: str, table: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    """The settings that do not fit the kind of a job."""
    if kind not in FITTING:
        return
    for name, kinds in READERS.items():
        if name in table and kind not in kinds:
            yield Problem(f"{where}.{name}", f"says nothing to {kind!r}", f"only to: {', '.join(kinds)}")
    fitting, on, after = FITTING[kind], str(table.get("on")), table.get("sessions_after", 0)
    if on in DAYS and on not in fitting:
        yield Problem(f"{where}.on", f"{kind!r} cannot be due on {on!r}", f"one of: {', '.join(fitting)}")
    elif on in DAYS and isinstance(after, int) and after not in fitting[on]:
        hint = f"from {fitting[on][0]} to {fitting[on][-1]}"
        yield Problem(f"{where}.sessions_after", f"{kind!r} cannot be due {after} sessions after {on!r}", hint)


def _badly_timed(where: str, table: Mapping[str, Any]) -> Iterator[Problem]:
    """Not exactly one time of day, a zone too many or too few, or an end before the start."""
    if ("at" in table) == ("after_close" in table):
        hint = 'at = "18:00" with a zone, or after_close = "01:30" without one'
        yield Problem(f"{where}.at", "either at or after_close says the time of day", hint)
    elif "at" in table and "zone" not in table:
        yield Problem(f"{where}.zone", "this setting is required beside at", 'such as "America/New_York"')
    if "after_close" in table and "zone" in table:
        yield Problem(f"{where}.zone", "says nothing beside after_close", "leave it out: the exchange has its own")
    since, until = table.get("since"), table.get("until")
    if isinstance(since, date) and isinstance(until, date) and str(until) < str(since):
        yield Problem(f"{where}.until", f"{until} lies before since = {since}", "no day would be left")
