"""The service: a pass every minute until it is asked to stop."""

import json
import logging
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

from apscheduler.schedulers.background import BackgroundScheduler

from exchina import workflow
from exchina.errors import ExchinaError, Problem
from exchina.ledger.lease import hold, release, this_process
from exchina.schedule import Due, planned
from exchina.service.health import served
from exchina.service.passes import Outcome, fetched, run_pass, waiting
from exchina.service.status import Status
from exchina.site.words import is_delay
from exchina.workflow.scheduled import Opened, opened
from exchina.workspace import Workspace

LEASE, LEASE_SECONDS = "service", 600
LOOKS_EVERY = 0.2  # seconds between two looks whether somebody asked to stop
CHECKED_EVERY = timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC)
LOG = logging.getLogger("exchina.service")


@dataclass
class Service:
    """One process that keeps the schedule of a workspace.

    Attributes:
        workspace: the place.
        status: what the health page tells.
        owner: how the lease names this process.
        stopping: whether the process was asked to stop; a plain value, since a signal handler may hold no lock.
        checked: when the ledger was last proved whole; None before the first time.
    """

    workspace: Workspace
    status: Status
    owner: str = field(default_factory=this_process)
    stopping: bool = False
    checked: datetime | None = None

    def tick(self) -> None:
        """One pass, whatever happens in it: what goes wrong is logged, shown on the health page, and tried again."""
        begun, now = monotonic(), datetime.now(UTC)
        try:
            problems = self._pass(now)
        except ExchinaError as fault:
            problems = fault.problems
        except KeyboardInterrupt:  # polars raises it in the thread that computes
            self.stopping, problems = True, self.status.problems
        except Exception as fault:  # a fault of ours must not end the service
            LOG.exception("pass failed")
            problems = (Problem("service", f"{type(fault).__name__}: {fault}", "the log has the traceback"),)
        for problem in problems:
            if problem not in self.status.problems:
                LOG.error("problem", extra={"fields": problem.as_dict()})
        with self.status.lock:
            self.status.problems = tuple(problems)
            self.status.last_pass, self.status.pass_seconds = datetime.now(UTC), monotonic() - begun

    def _pass(self, now: datetime) -> tuple[Problem, ...]:
        ledger = workflow.ledger_of(self.workspace)
        lease = hold(ledger, LEASE, self.owner, now, LEASE_SECONDS)
        if lease.owner != self.owner:
            what = f"{lease.owner} keeps the schedule of this workspace until {lease.expires_at:%Y-%m-%d %H:%M:%S} UTC"
            return (Problem("lease", what, "stop one of the two; this one takes over when the other ends"),)
        if self.checked is None or now - self.checked > CHECKED_EVERY:
            workflow.sound_ledger(self.workspace)
            self.checked = now
        while True:
            place = opened(self.workspace, now.date())
            if not fetched(run_pass(place, now, clock=lambda: datetime.now(UTC), wanted=self._wanted, told=self._told)):
                break
        failed = self._look_ahead(place, now)
        return (*place.problems, *failed, *workflow.distribute(place, now))

    def release(self) -> None:
        """Give the lease back, so that another process need not wait for its end."""
        ledger = workflow.ledger_of(self.workspace)
        lease = hold(ledger, LEASE, self.owner, datetime.now(UTC), LEASE_SECONDS)
        if lease.owner == self.owner:
            release(ledger, lease)

    def _wanted(self, item: Due) -> bool:
        return not self.stopping and self.status.ready(item, datetime.now(UTC))

    def _told(self, outcome: Outcome) -> None:
        """Log an outcome, count it, and go on holding the lease."""
        now, item = datetime.now(UTC), outcome.due
        self.status.note(outcome, now)
        fields = {"what": item.what, "index": item.index, "for_day": str(item.for_day), "due_at": item.at.isoformat()}
        if outcome.published is not None:
            row = outcome.published.entry
            event = "delayed" if is_delay(row) else "published"
            LOG.info(event, extra={"fields": {**fields, "row": row.sequence, "new": outcome.published.new}})
        if outcome.problems:
            LOG.warning("failed", extra={"fields": {**fields, "problems": [str(one) for one in outcome.problems]}})
        hold(workflow.ledger_of(self.workspace), LEASE, self.owner, now, LEASE_SECONDS)

    def _look_ahead(self, place: Opened, now: datetime) -> list[Problem]:
        """See what is open and what comes next; why what is open has failed."""
        rows = workflow.publications(self.workspace)
        open_items = waiting(place, rows, now)
        coming = planned(place.jobs, place.days_with(rows), now, LATEST)
        with self.status.lock:
            self.status.late = max((now - one.at for one in open_items), default=timedelta(0))
            self.status.next_due = coming[0] if coming else None
        return self.status.standing(open_items)


def serve(workspace: Workspace, *, host: str, port: int, every_seconds: int, ready: Callable[[str], object]) -> None:
    """Keep the schedule until SIGTERM or SIGINT; what is being published then is finished first.

    APScheduler rings once in `every_seconds`, never twice at once, and never drops a ring; it keeps no state.

    Args:
        workspace: the place.
        host: address of the health page.
        port: its port; 0 takes a free one.
        every_seconds: how often a pass is made.
        ready: told the URL of the health page.

    Raises:
        ExchinaError: the health page cannot listen.
    """
    service = Service(workspace, Status(datetime.now(UTC), timedelta(seconds=every_seconds)))
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        service.tick,
        "interval",
        seconds=every_seconds,
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        next_run_time=datetime.now(UTC),
    )

    def stop(_number: int, _frame: object) -> None:
        service.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with served(service.status, host, port) as url, _logged():
        ready(url)
        LOG.info("started", extra={"fields": {"owner": service.owner, "health": f"{url}/health"}})
        scheduler.start()
        while not service.stopping:
            sleep(LOOKS_EVERY)
        scheduler.shutdown(wait=True)
        service.release()
        LOG.info("stopped", extra={"fields": {"owner": service.owner}})


class _JsonLines(logging.Formatter):
    """A record as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        said |= getattr(record, "fields", {})
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


@contextmanager
def _logged() -> Generator[None]:
    """The log of the service, and the warnings of the scheduler, as JSON lines on standard error meanwhile."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    mine, theirs = logging.getLogger("exchina"), logging.getLogger("apscheduler")
    mine.setLevel(logging.INFO)
    theirs.setLevel(logging.WARNING)
    for logger in (mine, theirs):
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in (mine, theirs):
            logger.removeHandler(handler)
