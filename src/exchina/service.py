"""The schedule kept: one pass over what is due, or a loop in which APScheduler ticks and the ledger decides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchina import history
from exchina.errors import DataError, ExchinaError, Problem
from exchina.ledger import open_ledger
from exchina.market.view import MarketView
from exchina.schedule import Due, Job, due, parse_schedule
from exchina.workflow import Published, index_rulebook, open_market, publish
from exchina.workspace import Workspace

TICK_SECONDS = 60
LONGEST_NOTICE = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: for a review that was due a publication, or the problems that kept it from happening."""

    job: Job
    due: Due | None
    published: Published | None = None
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


def waiting(workspace: Workspace, now: datetime) -> tuple[list[Due], list[Outcome]]:
    """What is due and not in the ledger, oldest first; and the jobs of which that cannot be said, with the reason."""
    found: list[Due] = []
    failed: list[Outcome] = []
    entries = open_ledger(workspace.reports).entries()
    markets: dict[str, MarketView] = {}
    for job in jobs_of(workspace):
        try:
            if job.market not in markets:
                markets[job.market] = open_market(job.market, workspace=workspace.root)
            book = index_rulebook(workspace, job.index)
            reviews = history.reviews_until(book, markets[job.market], now.date() + LONGEST_NOTICE)
            found += due([job], {job.index: reviews}, entries, now)
        except ExchinaError as fault:
            failed.append(Outcome(job, None, problems=fault.problems))
    return sorted(found, key=lambda item: (item.at, item.job.index)), failed


def run_once(workspace: Workspace, now: datetime) -> list[Outcome]:
    """Do what is due, oldest first; a job that fails is reported and the next one is tried."""
    found, failed = waiting(workspace, now)
    return [*(_done(workspace, item, now) for item in found), *failed]


def _done(workspace: Workspace, item: Due, now: datetime) -> Outcome:
    job = item.job
    try:
        view = open_market(job.market, known_by=item.review.announced, workspace=workspace.root)
        book = index_rulebook(workspace, job.index)
        return Outcome(job, item, publish(workspace, book, view, published_at=now, benchmark=job.benchmark))
    except ExchinaError as fault:
        return Outcome(job, item, problems=fault.problems)


def run_forever(tick: Callable[[], object]) -> None:
    """Call ``tick`` every minute until the process is stopped; the scheduler keeps no state of its own."""
    from apscheduler.schedulers.blocking import BlockingScheduler

    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(tick, "interval", seconds=TICK_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None)
    tick()
    scheduler.start()
