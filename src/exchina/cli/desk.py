"""The commands of the index desk: close a day, look at corrections, publish, verify, serve."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Audience, Common, Data, Flag, Index, app, book_of, view_of

if TYPE_CHECKING:
    from exchina.workspace import Workspace


@app.command
def calculate(
    index: Index, *, late: str | None = None, dry_run: Flag = False, data: Data = DATA, common: Common = COMMON
) -> int:
    """Close the sessions since the last one: levels, closing and opening files, divisor log, pro forma, preview.

    The first run computes the index from its base date on; every later one costs a day for each day.

    Parameters:
        late: why a day may be closed although an event became known after its opening file; goes into notices.txt.
        dry_run: compute everything and write nothing.
    """
    from exchina import desk

    place = common.place()
    with terminal.working("computing"):
        view = view_of(data, common)
        days = desk.calculate(place, book_of(index, common), view, late=late, dry_run=dry_run)
    if common.json:
        closed = [{"session": day.session, "levels": day.levels, "notices": day.notices} for day in days]
        terminal.as_json({"index": index, "days": closed, "dry_run": dry_run}, view.provenance)
        return 0
    rows = [
        {
            "session": day.session,
            **{variant: f"{level:,.2f}" for variant, level in day.levels.items()},
            "remarks": "; ".join(day.notices),
        }
        for day in days
    ]
    terminal.table(rows, f"{index}: sessions closed{' (nothing written)' * dry_run}")
    if not days:
        terminal.say(f"nothing to close: the last session with prices is {view.provenance.through}")
    elif not dry_run:
        terminal.say(f"wrote {place.reports / index / 'desk'}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def restate(index: Index, *, was: date, out: Path | None = None, data: Data = DATA, common: Common = COMMON) -> int:
    """Compare the levels as they were known on a day with what they would be today, by the restatement policy.

    Parameters:
        was: the day whose knowledge the old levels rest on.
        out: file to write every difference to, as CSV.
    """
    from exchina import desk, workflow

    with terminal.working("computing both series"):
        view = view_of(data, common)
        found = desk.restate(common.place(), book_of(index, common), view, was)
    if out:
        workflow.written_tables({out.stem: found}, out.parent)
    if common.json:
        terminal.as_json({"index": index, "known_by": was, "differences": found.to_dicts()}, view.provenance)
        return 1 if found.height else 0
    terminal.show_restatement(found, was)
    terminal.say(terminal.label(view.provenance))
    return 1 if found.height else 0


@app.command
def publish(
    index: Index,
    *,
    audience: Audience = "institutional",
    benchmark: str | None = None,
    dry_run: Flag = False,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Publish the last announced review: pro forma, announcement, factsheet, and a row of the ledger.

    Parameters:
        audience: who will read the documents; decides what they may show.
        benchmark: one benchmark of the market for the event study.
        dry_run: say what would be published and write nothing.
    """
    from exchina import workflow

    book, view, place = book_of(index, common), view_of(data, common), common.place()
    if dry_run:
        review = workflow.last_announced(book, view)
        state = "already published" if workflow.already_published(place, book, review) else "would be published"
        terminal.answer({"state": state, "index": index, **asdict(review)}, json_wanted=common.json)
        return 0
    with terminal.working("publishing"):
        done = workflow.publish(
            place, book, view, published_at=datetime.now(UTC), audience=audience, benchmark=benchmark
        )
    if common.json:
        terminal.as_json({"new": done.new, **asdict(done.entry)}, view.provenance)
        return 0
    state = "published" if done.new else "already published"
    if done.entry.inputs.get("rulebook") != book.content_hash:
        terminal.say("the rulebook has changed since; what was published stays as it was")
    terminal.say(f"{state}: {index}, review effective {done.entry.for_day}, ledger row {done.entry.sequence}")
    for name in done.entry.files:
        terminal.say(f"  {place.reports / name}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def verify(*, common: Common = COMMON) -> int:
    """Prove that files and ledgers still say what was published, and what was tried."""
    from exchina import workflow

    place = common.place()
    found = workflow.verify(place)
    terminal.problems(found, json_wanted=common.json)
    if not common.json:
        proven = f"publications verified: {len(workflow.publications(place))}"
        tried = workflow.trial_ledger(place).entries() if not found else ()
        terminal.say(f"problems: {len(found)}" if found else f"{proven}; trials verified: {len(tried)}")
    return 1 if found else 0


@app.command
def serve(
    *,
    once: Flag = False,
    now: datetime | None = None,
    dry_run: Flag = False,
    common: Common = COMMON,
) -> int:
    """Do what scheduler/schedule.toml says is due and the ledger does not hold yet.

    Parameters:
        once: one pass and out, for cron; without it a pass every minute until stopped.
        now: pretend that it is this moment (UTC if no zone is given).
        dry_run: list what is due and do nothing.
    """
    from exchina import service

    place = common.place()
    if dry_run:
        found, failed = service.waiting(place, _moment(now))
        rows = [{"due since": d.at, "do": d.job.do, "index": d.job.index, "review": d.review.effective} for d in found]
        terminal.as_json({"due": rows}) if common.json else terminal.table(rows, "due")
        terminal.problems([problem for outcome in failed for problem in outcome.problems], json_wanted=False)
        return 1 if failed else 0
    if not once:
        service.run_forever(lambda: _pass(place, _moment(now), common))
        return 0
    return _pass(place, _moment(now), common)


def _pass(place: "Workspace", now: datetime, common: Common) -> int:
    from exchina import service

    outcomes = service.run_once(place, now)
    terminal.show_outcomes(outcomes, json_wanted=common.json)
    return 1 if any(outcome.published is None for outcome in outcomes) else 0


def _moment(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)
