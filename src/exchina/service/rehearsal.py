"""A rehearsal: the schedule over years at once, with the clock set to each moment at which something is due."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from exchina import workflow
from exchina.errors import Problem, PublicationError
from exchina.model import Publication
from exchina.schedule import BEGINNING, planned
from exchina.schedule.jobs import FETCH
from exchina.service.passes import Outcome, run_pass
from exchina.workflow.publishing import BY_HAND
from exchina.workflow.scheduled import Opened


def rehearse(
    place: Opened, since: date, until: datetime, *, told: Callable[[Outcome], object] = lambda _: None
) -> list[Outcome]:
    """Do everything that the schedule asks for between two days, each at the instant at which it is due.

    Rows say that their clock was set by hand. Nothing is fetched. A rehearsal that was stopped goes on where it
    stopped, and its ledger and files are the same as if it had not been. A ledger that has rows of the real clock is
    not rehearsed on.

    Args:
        place: what the schedule reads; it does not change meanwhile.
        since: first day on which something can be due.
        until: with a time zone; what is due at this instant is the last.
        told: hears of each outcome as it happens.

    Raises:
        PublicationError: the ledger has rows that were published by the clock of the machine.
    """
    jobs = tuple(replace(job, since=max(job.since, since)) for job in place.jobs if job.kind != FETCH)
    place = replace(place, jobs=jobs)
    rows = workflow.publications(place.workspace)
    refuse_live(rows)
    now = max((datetime.fromisoformat(row.published_at) for row in rows), default=None) or _next(
        place, BEGINNING, until
    )
    outcomes: list[Outcome] = []
    while now is not None and now <= until:
        outcomes += run_pass(place, now, set_by_hand=True, told=told)
        now = _next(place, now, until)
    return outcomes


def refuse_live(rows: Sequence[Publication]) -> None:
    """A rehearsal writes rows with moments of its own, after which a real publication could be refused."""
    live = next((row for row in rows if row.inputs.get("clock") != BY_HAND), None)
    if live is not None:
        what = f"row {live.sequence} was published by the clock of the machine, at {live.published_at}"
        cure = "rehearse in a workspace of its own: exchina init FOLDER"
        raise PublicationError(Problem("the ledger of this workspace", what, cure))


def _next(place: Opened, now: datetime, until: datetime) -> datetime | None:
    """The next instant at which something is due."""
    found = planned(place.jobs, place.days_with(workflow.publications(place.workspace)), now, until)
    return found[0].at if found else None
