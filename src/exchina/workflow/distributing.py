"""The verb distribute: the public folder made from the ledger, and the subscribers told."""

from datetime import UTC, datetime

from exchina import delivery
from exchina.delivery import Subscribers, parse_subscribers
from exchina.errors import ExchinaError, Problem
from exchina.schedule import BEGINNING, planned
from exchina.site.build import refresh
from exchina.site.lists import CALENDAR
from exchina.workflow.indices import index_rulebook
from exchina.workflow.published import ledger_of, publications
from exchina.workflow.scheduled import Opened
from exchina.workspace import Workspace

LATEST = datetime.max.replace(tzinfo=UTC)


def subscribers_of(workspace: Workspace) -> Subscribers:
    """The subscribers of a workspace; nobody where it has no such file.

    Raises:
        RulebookError: every fault in the file.
    """
    if not workspace.subscribers.is_file():
        return Subscribers()
    text = workspace.subscribers.read_text(encoding="utf-8")
    return parse_subscribers(text, workspace.index_ids(), str(workspace.subscribers))


def calendar_of(place: Opened) -> bytes:
    """Every known day of the schedule as a calendar file; an event that has moved since the public one counts up."""
    from exchina.site.calendar_file import calendar_ics

    workspace, site = place.workspace, subscribers_of(place.workspace).site
    rows = publications(workspace)
    days = place.days_with(rows)
    public = workspace.public / CALENDAR
    before = public.read_bytes() if public.is_file() else b""
    found = planned(place.jobs, days, BEGINNING, LATEST)
    return calendar_ics(found, days, rows, name=site.title, url=site.url, before=before)


def refresh_public(place: Opened) -> list[Problem]:
    """Bring the public folder up to date with the ledger.

    Returns:
        What stands in the folder and should not.

    Raises:
        PublicationError: it could not be brought up to date. RulebookError: every fault of the file of subscribers.
    """
    workspace = place.workspace
    rows = publications(workspace)
    if not rows:
        return []
    site, names, calendar = subscribers_of(workspace).site, names_of(workspace), calendar_of(place)
    return refresh(
        workspace.public, workspace.reports, rows, site=site, names=names, calendar=calendar, jobs=place.jobs
    )


def distribute(place: Opened, now: datetime) -> list[Problem]:
    """Bring the public folder up to date, then tell the subscribers, who will look there, what they were not told.

    Args:
        place: the workspace as the schedule sees it.
        now: the present moment, with a time zone.

    Returns:
        What a person must look at; a delivery that failed and will be tried again is none of it.
    """
    try:
        problems, known = refresh_public(place), subscribers_of(place.workspace)
        names = names_of(place.workspace)
        _, more = delivery.deliver(ledger_of(place.workspace), known, now, names=names, jobs=place.jobs)
    except ExchinaError as fault:
        return list(fault.problems)
    return list(dict.fromkeys([*problems, *more]))


def undelivered(workspace: Workspace, now: datetime) -> list[dict[str, object]]:
    """What subscribers have not been told and would be now, a row each."""
    ledger = ledger_of(workspace)
    rows, known, log = ledger.entries(), subscribers_of(workspace), delivery.attempts(ledger)
    return [
        {
            "subscriber": one.subscriber.id,
            "row": one.row.sequence,
            "index": one.row.index_id,
            "what": one.row.what,
            "for day": one.row.for_day,
        }
        for one in delivery.undelivered(rows, known.subscribers, log, now)
    ]


def names_of(workspace: Workspace) -> dict[str, str]:
    """The name of each index by id; a rulebook with faults goes by its id."""
    names: dict[str, str] = {}
    for index_id in workspace.index_ids():
        try:
            names[index_id] = index_rulebook(workspace, index_id).index.name
        except ExchinaError:
            continue
    return names
