"""The schedule kept: one pass over what is due, or a loop in which APScheduler ticks and the ledger decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchina import history
from exchina.errors import DataError, ExchinaError, Problem
from exchina.ledger import open_ledger
from exchina.schedule import Due, Job, due, parse_schedule
from exchina.workflow import Published, open_market, publish, read_rulebook
from exchina.workspace import Workspace

TICK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one due job: a publication, or the problems that kept it from happening."""

    due: Due
    published: Published | None
    problems: tuple[Problem, ...] = ()


def jobs_of(workspace: Workspace) -> tuple[Job, ...]:
    """The schedule of a workspace.

    Raises:
        DataError: there is no schedule. RulebookError: every fault in it.
    """
    if not workspace.schedule.is_file():
        raise DataError(Problem(str(workspace.schedule), "no schedule here", "exchina init lays one"))
    text = workspace.schedule.read_text(encoding="utf-8")
    return parse_schedule(text, workspace.index_ids(), str(workspace.schedule))


def waiting(workspace: Workspace, now: datetime) -> list[Due]:
    """What the schedule says is due and the ledger does not hold, oldest first."""
    jobs = jobs_of(workspace)
    reviews = {
        job.index: history.reviews_until(
            read_rulebook(workspace.rulebook(job.index)),
            open_market(job.market, workspace=workspace.root),
            now.date() + timedelta(days=100),
        )
        for job in jobs
    }
    return due(jobs, reviews, open_ledger(workspace.reports).entries(), now)


def run_once(workspace: Workspace, now: datetime) -> list[Outcome]:
    """Do what is due, oldest first; a job that fails is reported and the next one is tried."""
    return [_done(workspace, item, now) for item in waiting(workspace, now)]


def _done(workspace: Workspace, item: Due, now: datetime) -> Outcome:
    job = item.job
    try:
        view = open_market(job.market, known_by=item.review.announced, workspace=workspace.root)
        book = read_rulebook(workspace.rulebook(job.index))
        return Outcome(item, publish(workspace, book, view, published_at=now, benchmark=job.benchmark))
    except ExchinaError as fault:
        return Outcome(item, None, fault.problems)


def run_forever(tick: Callable[[], object]) -> None:
    """Call ``tick`` every minute until the process is stopped; the scheduler keeps no state of its own."""
    from apscheduler.schedulers.blocking import BlockingScheduler

    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(tick, "interval", seconds=TICK_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None)
    tick()
    scheduler.start()
