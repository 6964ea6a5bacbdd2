"""The commands of the service: keep the schedule, look ahead, rehearse, bring what was published to subscribers."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from exchina import terminal
from exchina.cli.common import COMMON, Common, Flag, app

if TYPE_CHECKING:
    from exchina.errors import Problem
    from exchina.service import Outcome
    from exchina.workflow import Opened
    from exchina.workspace import Workspace


@app.command
def serve(
    *,
    once: Flag = False,
    now: datetime | None = None,
    dry_run: Flag = False,
    rehearse: Flag = False,
    since: date | None = None,
    until: date | None = None,
    ics: Path | None = None,
    every: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 60,
    host: str = "127.0.0.1",
    port: int = 8723,
    common: Common = COMMON,
) -> int:
    """Do what scheduler/schedule.toml says is due and the ledger does not hold yet.

    Without any of the flags a pass is made every minute until SIGTERM or Ctrl-C; /health and /metrics tell how it goes.

    Parameters:
        once: one pass and out, for cron.
        now: pretend that it is this moment (UTC if no zone is given); rows say that their clock was set by hand.
        dry_run: list what is due, or with --until all that will be, and do nothing.
        rehearse: do all that is due from --since to --until at once, each with the clock set to its own moment.
        since: first day of a rehearsal.
        until: last day of a rehearsal or of a listing.
        ics: with --dry-run, a file to write all known days to as an iCalendar.
        every: seconds between two passes.
        host: address of /health and /metrics; other machines reach them only if it is not that of the loopback.
        port: its port; 0 takes a free one.
    """
    from exchina import service, workflow
    from exchina.errors import ExchinaError

    place = common.place()
    if faults := _contradictions(once=once, now=now, dry_run=dry_run, rehearse=rehearse, since=since, until=until):
        raise ExchinaError(*faults)
    if dry_run:
        return _listed(place, _moment(now), until, ics, common)
    if rehearse and since is not None and until is not None:
        found = workflow.opened(place, until)
        with terminal.progress("rehearsing") as told:
            done = service.rehearse(found, since, _end(until), told=lambda one: told(0, 0, _named(one)))
        return _reported(done, [*found.problems, *service.missed(done), *_shown(found)], common)
    if once or now:
        moment = _moment(now)
        if now:
            service.refuse_live(workflow.publications(place))
        done, problems = service.run_once(place, moment, set_by_hand=now is not None)
        found = workflow.opened(place, moment.date())
        told = _shown(found) if now else workflow.distribute(found, moment)
        return _reported(done, [*problems, *told], common)
    from exchina.service.serving import serve as keep

    keep(place, host=host, port=port, every_seconds=every, ready=lambda url: terminal.say(f"{url}/health"))
    return 0


@app.command
def distribute(*, dry_run: Flag = False, common: Common = COMMON) -> int:
    """Bring the public folder up to date with the ledger, and tell the subscribers what they have not been told.

    Parameters:
        dry_run: say what would be sent to whom, and send nothing.
    """
    from exchina import workflow

    place, now = common.place(), datetime.now(UTC)
    if dry_run:
        waiting = workflow.undelivered(place, now)
        if common.json:
            terminal.as_json({"waiting": waiting})
        else:
            terminal.table(waiting, "to be sent")
        return 0
    problems = workflow.distribute(workflow.opened(place, now.date()), now)
    terminal.problems(problems, json_wanted=common.json)
    if not common.json:
        terminal.say(f"{place.public} holds what is public of {len(workflow.publications(place))} rows of the ledger")
    return 1 if problems else 0


@app.command
def new_key(file: Path, *, common: Common = COMMON) -> int:
    """Make a pair of keys: the private one signs the ledger (--signing-key), the public one goes to subscribers.

    Parameters:
        file: of the private key, such as key.pem; must not exist. The public key stands beside it, in key.pub.pem.
    """
    from exchina.ledger.signing import new_key

    public = new_key(file)
    terminal.answer({"private": file, "public": public}, json_wanted=common.json)
    return 0


def _contradictions(
    *, once: bool, now: datetime | None, dry_run: bool, rehearse: bool, since: date | None, until: date | None
) -> "list[Problem]":
    """Options that mean nothing together."""
    from exchina.errors import Problem

    faults: list[Problem] = []
    if rehearse and (since is None or until is None):
        faults.append(Problem("--rehearse", "needs its first and its last day", "--since DAY --until DAY"))
    if rehearse and (once or now or dry_run):
        faults.append(Problem("--rehearse", "sets the clock itself, and does things", "leave out the other options"))
    if since and not rehearse:
        faults.append(Problem("--since", "says nothing without --rehearse", "the schedule has a `since` of its own"))
    if until and not (rehearse or dry_run):
        faults.append(Problem("--until", "says nothing to what is done now", "--dry-run lists, --rehearse pretends"))
    if since and until and until < since:
        faults.append(Problem("--until", f"{until} lies before --since {since}", "name a later day"))
    return faults


def _listed(place: "Workspace", now: datetime, until: date | None, ics: Path | None, common: Common) -> int:
    from exchina import service, workflow
    from exchina.site.calendar_file import planned_table

    found = workflow.opened(place, now.date())
    rows = workflow.publications(place)
    items = service.ahead(found, rows, now, _end(until)) if until else service.waiting(found, rows, now)
    table = planned_table(items, found.days)
    if ics is not None:
        workflow.written({ics.name: workflow.calendar_of(found)}, ics.parent)
    if common.json:
        terminal.as_json({"due": table.to_dicts()})
    else:
        terminal.table(table.to_dicts(), f"due until {until}" if until else "due now")
    terminal.problems(found.problems, json_wanted=False)
    return 1 if found.problems else 0


def _reported(done: "list[Outcome]", problems: "list[Problem]", common: Common) -> int:
    terminal.show_outcomes(done, problems, json_wanted=common.json)
    return 1 if problems else 0


def _shown(found: "Opened") -> "list[Problem]":
    """Bring the public folder up to date, and nothing to anybody: the clock was set by hand."""
    from exchina import workflow
    from exchina.errors import ExchinaError

    try:
        return workflow.refresh_public(found)
    except ExchinaError as fault:
        return list(fault.problems)


def _named(one: "Outcome") -> str:
    return f"{one.due.index} {one.due.what} {one.due.for_day}"


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _moment(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)
