"""What the schedule reads: jobs, rulebooks, markets and days, as they stand now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from exchina.errors import DataError, ExchinaError, Problem
from exchina.market.view import MarketView
from exchina.model import Publication, Rulebook
from exchina.schedule import Days, Job, calendar_days, parse_schedule
from exchina.schedule.jobs import FETCH
from exchina.workflow.data import open_market
from exchina.workflow.indices import index_rulebook
from exchina.workflow.occasions import days_of, with_events
from exchina.workspace import Workspace


@dataclass(frozen=True)
class Opened:
    """A workspace as the schedule sees it.

    Attributes:
        workspace: the place.
        jobs: those that can be planned.
        books: rulebook by index.
        views: market by name, uncut.
        days: by index, and by the calendar of a fetch; without what happens ad hoc.
        problems: why the other jobs cannot be planned.
    """

    workspace: Workspace
    jobs: tuple[Job, ...]
    books: Mapping[str, Rulebook]
    views: Mapping[str, MarketView]
    days: Mapping[str, Days]
    problems: tuple[Problem, ...]

    def days_with(self, rows: Sequence[Publication]) -> dict[str, Days]:
        """The days, with what became known ad hoc of the companies held by those rows."""
        markets = {job.index: job.market for job in self.jobs if job.kind == "notice"}
        told = {
            index_id: with_events(self.workspace, self.days[index_id], index_id, self.views[market], rows)
            for index_id, market in markets.items()
        }
        return {**self.days, **told}


def jobs_of(workspace: Workspace) -> tuple[Job, ...]:
    """The schedule of a workspace.

    Raises:
        DataError: there is no schedule. RulebookError: every fault in it.
    """
    if not workspace.schedule.is_file():
        raise DataError(Problem(str(workspace.schedule), "no schedule here", "exchina init lays one"))
    text = workspace.schedule.read_text(encoding="utf-8")
    return parse_schedule(text, workspace.index_ids(), str(workspace.schedule))


def opened(workspace: Workspace, today: date) -> Opened:
    """Read everything that the jobs of a workspace need; what one of them lacks does not keep the others.

    Args:
        workspace: the place.
        today: nothing that becomes known later calls a review.

    Raises:
        DataError: there is no schedule. RulebookError: every fault in it.
    """
    jobs = jobs_of(workspace)
    books: dict[str, Rulebook] = {}
    views: dict[str, MarketView] = {}
    days: dict[str, Days] = {}
    problems: list[Problem] = []
    sound: list[Job] = []
    for job in jobs:
        try:
            if job.kind != FETCH and job.market not in views:
                views[job.market] = open_market(job.market, workspace=workspace.root)
            if job.kind == FETCH:
                days[job.follows] = days.get(job.follows) or _exchange_days(job.calendar, today)
            elif job.index not in days:
                books[job.index] = index_rulebook(workspace, job.index)
                known = views[job.market].as_of(today) if books[job.index].review.on else views[job.market]
                days[job.index] = days_of(books[job.index], known)
            sound.append(job)
        except ExchinaError as fault:
            problems += [one for one in fault.problems if one not in problems]
    return Opened(workspace, tuple(sound), books, views, days, tuple(problems))


def _exchange_days(calendar: str, today: date) -> Days:
    """Sessions of an exchange around a day, for a fetch, which must work before there is any market."""
    from exchina.market.calendar import sessions_table

    table = sessions_table([calendar], date(today.year - 1, 1, 1), date(today.year + 1, 12, 31))
    return calendar_days(table, calendar)
