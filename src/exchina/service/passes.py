"""One pass over the schedule: what is due and not in the ledger is done, oldest first."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import TypeAlias

from exchina import workflow
from exchina.errors import DataError, ExchinaError, InfeasibleError, Problem
from exchina.model import Publication
from exchina.schedule import Due, due, planned
from exchina.schedule.jobs import FETCH
from exchina.workflow import Clock, Published, Wishes
from exchina.workflow.occasions import as_occasion
from exchina.workflow.publications import publication
from exchina.workflow.publishing import BY_HAND
from exchina.workflow.scheduled import Opened, opened
from exchina.workspace import Workspace

Row: TypeAlias = tuple[str, str, date | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something that was due: its row of the ledger, or why there is none.

    Attributes:
        due: what was due.
        published: its publication, or the notice that it is delayed; None where neither could be written.
        problems: why it could not be published.
    """

    due: Due
    published: Published | None = None
    problems: tuple[Problem, ...] = ()


def run_pass(
    place: Opened,
    now: datetime,
    *,
    set_by_hand: bool = False,
    clock: Callable[[], datetime] | None = None,
    wanted: Callable[[Due], bool] = lambda _: True,
    told: Callable[[Outcome], object] = lambda _: None,
) -> list[Outcome]:
    """Do what is due; what fails is reported, and what builds on it waits for it, but nothing else does.

    A pass ends after it has fetched, since what comes next reads the market.

    Args:
        place: what the schedule reads.
        now: the moment, with a time zone.
        set_by_hand: whether ``now`` is not the time of the machine.
        clock: the time at which each row is made, where a pass takes long; None for ``now``.
        wanted: whether to try something now; what is not tried waits, as if it had failed.
        told: hears of each outcome as it happens.
    """
    outcomes: list[Outcome] = []
    stuck: set[Row] = set()
    while item := _first(waiting(place, workflow.publications(place.workspace), now), outcomes, stuck):
        if not wanted(item):
            stuck.add(_row(item))
            continue
        outcome = _done(place, item, Clock(clock() if clock else now, item.at, set_by_hand, item.job.grace_minutes))
        outcomes.append(outcome)
        told(outcome)
        if outcome.problems:
            stuck.add(_row(item))
    return outcomes


def _row(item: Due) -> Row:
    """What waits together: of kinds that build on one another all days of an index, of the others each for itself."""
    alone = item.what not in (FETCH, *publication.having("in_order"))
    return item.index, item.what, item.for_day if alone else None


def _first(found: Sequence[Due], outcomes: Sequence[Outcome], stuck: Collection[Row]) -> Due | None:
    """What is to be done next: a close can make a notice due, so that is asked anew each time."""
    again = fetched(outcomes)
    able = (one for one in found if _row(one) not in stuck and (not again or one.what == FETCH))
    return next(able, None)


def run_once(workspace: Workspace, now: datetime, *, set_by_hand: bool = False) -> tuple[list[Outcome], list[Problem]]:
    """Prove the ledger whole, then do all that is due; markets that a fetch has brought up to date are read again.

    Returns:
        What became of everything that was due; and why something was not done.

    Raises:
        DataError: there is no schedule. RulebookError: every fault in it. PublicationError: the ledger is not whole.
    """
    workflow.sound_ledger(workspace)
    outcomes: list[Outcome] = []
    while True:
        place = opened(workspace, now.date())
        made = run_pass(place, now, set_by_hand=set_by_hand)
        outcomes += made
        if not fetched(made):
            return outcomes, [*place.problems, *missed(outcomes)]


def fetched(outcomes: Collection[Outcome]) -> bool:
    """Whether a market was brought up to date, so that what reads it has to open it again."""
    return any(one.due.what == FETCH and one.published is not None for one in outcomes)


def waiting(place: Opened, rows: Sequence[Publication], now: datetime) -> list[Due]:
    """What is due and not in the ledger, oldest first.

    Of kinds that build on one another the ledger has its own beginning: what lies before its last row cannot be
    published any more.
    """
    ordered = publication.having("in_order")
    last = {(row.index_id, row.what): row.for_day for row in sorted(rows, key=lambda row: row.for_day)}
    found = due(place.jobs, place.days_with(rows), rows, now)
    return [one for one in found if one.what not in ordered or one.for_day > last.get((one.index, one.what), date.min)]


def ahead(place: Opened, rows: Sequence[Publication], now: datetime, until: datetime) -> list[Due]:
    """What will be due between two instants, as far as it is known now; before it what is due already."""
    return [*waiting(place, rows, now), *planned(place.jobs, place.days_with(rows), now, until)]


def _done(place: Opened, item: Due, clock: Clock) -> Outcome:
    try:
        if item.what == FETCH:
            return Outcome(item, _fetched(place, item, clock))
        wishes = Wishes(item.job.audience, item.job.benchmark, item.job.identifiers)
        book, view = place.books[item.index], place.views[item.job.market]
        done = workflow.publish(place.workspace, book, view, as_occasion(item), clock=clock, wishes=wishes)
        return Outcome(item, done)
    except (DataError, InfeasibleError) as fault:
        return Outcome(item, _delayed(place, item, clock, fault), fault.problems)
    except ExchinaError as fault:
        return Outcome(item, problems=fault.problems)
    except Exception as fault:  # what one publication stumbles over must not keep the others
        where = f"{item.index} {item.what} {item.for_day}"
        what = f"{type(fault).__name__}: {fault}"
        return Outcome(item, problems=(Problem(where, what, "a fault of exchina, or of a file that it reads"),))


def _delayed(place: Opened, item: Due, clock: Clock, fault: DataError | InfeasibleError) -> Published | None:
    """The notice of a delay, once the grace of the job is over; None before, and where it cannot be written."""
    if not item.late_by(clock.now) or item.what == FETCH:
        return None
    try:
        book = place.books[item.index]
        return workflow.publish_delay(place.workspace, book, as_occasion(item), clock=clock, why=fault)
    except ExchinaError:
        return None


def _fetched(place: Opened, item: Due, clock: Clock) -> Published:
    """Bring the market up to date, and enter that into the ledger."""
    workspace, job = place.workspace, item.job
    saved = workflow.fetch(workspace, job.provider, market=job.market, recorded_at=clock.now)
    provenance = workflow.open_market(job.market, workspace=workspace.root).provenance
    if provenance.through < item.for_day:
        what = f"{job.provider} has no price after {provenance.through} yet"
        raise DataError(Problem(f"fetch {job.market} {item.for_day}", what, "it is asked again"))
    inputs = {
        "provider": job.provider,
        "manifest": str(saved.manifest),
        "market_data": provenance.content_hash,
        "through": str(provenance.through),
        "added": str(sum(saved.added.values())),
        "exchina": version("exchina"),
        **({"clock": BY_HAND} if clock.set_by_hand else {}),
    }
    ledger = workflow.ledger_of(workspace)
    entry, new = ledger.publish(item.index, FETCH, item.for_day, {}, inputs, published_at=clock.now, due_at=clock.due)
    return Published(entry, new)


def missed(outcomes: Collection[Outcome]) -> list[Problem]:
    """Why something was not done, each reason once."""
    return list(dict.fromkeys(problem for outcome in outcomes for problem in outcome.problems))
