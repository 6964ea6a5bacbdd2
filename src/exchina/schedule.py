"""PURE. The schedule: which verb is due when. Due is the schedule less the ledger, so nothing is missed or repeated."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.model import STRICT, Publication, Review
from exchina.plugins import located


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise ValueError(f"no time zone called {name!r} ({did_you_mean(name, available_timezones())})") from fault


@checked(frozen=True, config=STRICT)
class Job:
    """One line of the schedule.

    Attributes:
        do: the verb.
        index: the index it is done for.
        market: the market of the store that it reads.
        on: the day of each review on which it is due.
        at: local time of day.
        zone: IANA time zone of ``at``.
        since: first announcement day that counts; earlier reviews are never due.
        benchmark: one benchmark for the event study; None takes each market's own.
    """

    do: Literal["publish"]
    index: str
    market: str
    on: Literal["announcement_day", "effective_day"]
    at: time
    zone: Annotated[str, AfterValidator(_zone)]
    since: date
    benchmark: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A job that has to be done for one review, and since when."""

    job: Job
    review: Review
    at: datetime


def parse_schedule(text: str, index_ids: Collection[str], where: str = "schedule") -> tuple[Job, ...]:
    """Read a schedule: a list of ``[[job]]`` tables.

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
    problems = [
        Problem(f"{where}: {key}", f"no table called {key!r}", "a schedule holds [[job]] tables")
        for key in tree
        if key != "job"
    ]
    jobs = [
        _job(f"{where}: job {number}", raw, index_ids, problems) for number, raw in enumerate(tree.get("job", []), 1)
    ]
    made = [job for job in jobs if job is not None]
    twice = sorted({job.index for job in made if sum(job.index == other.index for other in made) > 1})
    problems += [Problem(f"{where}: {index}", "two jobs publish this index", "keep one") for index in twice]
    if problems:
        raise RulebookError(*problems)
    return tuple(made)


def _job(where: str, raw: Mapping[str, Any], index_ids: Collection[str], problems: list[Problem]) -> Job | None:
    if raw.get("index") not in index_ids:
        name = str(raw.get("index"))
        problems.append(Problem(f"{where}.index", f"no index called {name!r}", did_you_mean(name, index_ids)))
    try:
        return TypeAdapter(Job).validate_python({**raw, **_time(raw)})
    except ValidationError as fault:
        problems += [located(where, error) for error in fault.errors()]
        return None


def _time(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A time may be written as text, "18:00", or as TOML's own local time."""
    return {"at": str(raw["at"])} if "at" in raw else {}


def due(
    jobs: Collection[Job], reviews: Mapping[str, Collection[Review]], entries: Collection[Publication], now: datetime
) -> list[Due]:
    """What has to be done now, oldest first: the schedule less what the ledger already holds.

    Args:
        jobs: the schedule.
        reviews: by index, its reviews up to a day after ``now``.
        entries: the ledger.
        now: the present moment, with a time zone.
    """
    done = {(entry.index_id, entry.for_day) for entry in entries}
    waiting = [
        Due(job, review, _instant(job, review))
        for job in jobs
        for review in reviews.get(job.index, ())
        if review.announced >= job.since and (job.index, review.effective) not in done
    ]
    return sorted((item for item in waiting if item.at <= now), key=lambda item: (item.at, item.job.index))


def _instant(job: Job, review: Review) -> datetime:
    day = review.announced if job.on == "announcement_day" else review.effective
    return datetime.combine(day, job.at, ZoneInfo(job.zone))
