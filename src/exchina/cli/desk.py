"""The commands of the index desk: close a day, correct it, publish, look at the ledger, verify."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from exchina import terminal
from exchina.cli.common import COMMON, DATA, Audience, Common, Data, Flag, Index, app, book_of, view_of

Kind = Literal["announcement", "snapshot", "draft", "close", "notice", "post_trade", "factsheet"]


@app.command
def calculate(
    index: Index, *, late: str | None = None, dry_run: Flag = False, data: Data = DATA, common: Common = COMMON
) -> int:
    """Close and publish the sessions since the last one: levels, closing and opening files, divisor log, pro forma.

    The first run computes the index from its base date on; every later one costs a day for each day.

    Parameters:
        late: why a day may be closed although an event became known after its opening file; goes into notices.txt.
        dry_run: compute everything and write nothing.
    """
    from exchina import workflow

    place = common.place()
    with terminal.working("computing"):
        view, wishes, now = view_of(data, common), workflow.Wishes(late=late), datetime.now(UTC)
        days = workflow.calculate(place, book_of(index, common), view, now=now, wishes=wishes, dry_run=dry_run)
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
        terminal.say(f"published in {place.reports / index / 'close'}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def restate(
    index: Index,
    *,
    was: date,
    out: Path | None = None,
    because: str = "",
    approved_by: str = "",
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Compare the published levels with what they would be today, by the restatement policy; approved, publish them.

    Parameters:
        was: the day whose knowledge the old levels rest on, where none were published.
        out: file to write every difference to, as CSV.
        because: the cause, for the ledger; with --approved-by the restatement is published.
        approved_by: who approved it.
    """
    from exchina import workflow

    place, book = common.place(), book_of(index, common)
    with terminal.working("computing both series"):
        view = view_of(data, common)
        found = workflow.differences(place, book, view, was)
    if out:
        workflow.written_tables({out.stem: found}, out.parent)
    row = None
    if because or approved_by:
        wishes = workflow.Wishes(was=was, because=because, approved_by=approved_by)
        row = workflow.restate(place, book, view, now=datetime.now(UTC), wishes=wishes).entry
    if common.json:
        said = {"index": index, "known_by": was, "differences": found.to_dicts(), "row": row and row.sequence}
        terminal.as_json(said, view.provenance)
        return 1 if found.height and row is None else 0
    terminal.show_restatement(found, was)
    if row is not None:
        terminal.say(f"restated in ledger row {row.sequence}; the index goes on from {row.for_day}")
    terminal.say(terminal.label(view.provenance))
    return 1 if found.height and row is None else 0


@app.command
def publish(
    index: Index,
    *,
    what: Kind = "announcement",
    audience: Audience = "institutional",
    benchmark: str | None = None,
    identifiers: Flag = False,
    because: str = "",
    dry_run: Flag = False,
    data: Data = DATA,
    common: Common = COMMON,
) -> int:
    """Publish what was due last: its files, what they were made from, and a row of the ledger.

    Parameters:
        what: the announcement of a review, or another kind of publication.
        audience: who will read the documents; decides what they may show.
        benchmark: one benchmark of the market for the event study.
        identifiers: write licensed identifiers too, into files of their own.
        because: why what was published is published again, as its next revision, from what is known today.
        dry_run: say what would be published and write nothing.
    """
    from exchina import workflow

    book, view, place = book_of(index, common), view_of(data, common), common.place()
    occasion = workflow.last_occasion(what, book, view, place)
    known = [row for row in workflow.publications(place) if (row.index_id, row.what) == (index, what)]
    there = next((row for row in reversed(known) if row.for_day == occasion.for_day), None)
    if dry_run:
        state = "would be published" if there is None or because else "already published"
        terminal.answer({"state": state, "index": index, **asdict(occasion)}, json_wanted=common.json)
        return 0
    wishes = workflow.Wishes(audience=audience, benchmark=benchmark, identifiers=identifiers, because=because)
    with terminal.working("publishing"):
        if there is None or because:
            workflow.sound_ledger(place)
        clock = workflow.Clock(datetime.now(UTC))
        done = workflow.publish(place, book, view, occasion, clock=clock, wishes=wishes)
    if common.json:
        terminal.as_json({"new": done.new, **asdict(done.entry)}, view.provenance)
        return 0
    state = "published" if done.new else "already published"
    if done.entry.inputs.get("rulebook") != book.content_hash:
        terminal.say("the rulebook has changed since; what was published stays as it was")
    terminal.say(f"{state}: {index}, {what} for {done.entry.for_day}, ledger row {done.entry.sequence}")
    for name in done.entry.files:
        terminal.say(f"  {place.reports / name}")
    terminal.say(terminal.label(view.provenance))
    return 0


@app.command
def log(index: str | None = None, *, what: str | None = None, last: int = 30, common: Common = COMMON) -> int:
    """Show the ledger to a person: what was published when, how late, and from what.

    Parameters:
        index: only the rows of this index, or of this market.
        what: only this kind of publication.
        last: so many rows, the newest; 0 for all.
    """
    from exchina import workflow

    rows = workflow.publications(common.place())
    found = [row for row in rows if index in (None, row.index_id) and what in (None, row.what)]
    shown = found[-last:] if last > 0 else found
    if common.json:
        terminal.as_json({"rows": [asdict(row) for row in shown], "of": len(found)})
        return 0
    terminal.table([terminal.ledger_row(row) for row in shown], f"ledger: {len(shown)} of {len(found)} rows")
    if not rows:
        terminal.say("nothing was published yet")
    elif not found:
        known = sorted({(row.index_id, row.what) for row in rows})
        terminal.say("no such row; there are: " + ", ".join(f"{one} {kind}" for one, kind in known))
    return 0


@app.command
def verify(
    *,
    replay: Flag = False,
    row: int | None = None,
    key: Path | None = None,
    download: Path | None = None,
    common: Common = COMMON,
) -> int:
    """Prove that files and ledgers still say what was published, and what was tried.

    Parameters:
        replay: also make every publication again from what was frozen with it, and compare the bytes.
        row: make only this row of the ledger again.
        key: file of a public key; every row must be signed with its private half.
        download: check this downloaded public folder instead, by what it holds alone; needs no workspace.
    """
    from exchina import workflow

    if download is not None:
        found = workflow.download_faults(download, key.read_bytes() if key else None)
        terminal.problems(found, json_wanted=common.json)
        if not common.json:
            terminal.say(f"problems: {len(found)}" if found else "the download is what was published")
        return 1 if found else 0
    place = common.place()
    found = workflow.verify(place, key)
    rows = workflow.publications(place) if not found else []
    wanted = [one for one in workflow.replayable(rows) if (replay and row is None) or one.sequence == row]
    if row is not None and not wanted and not found:
        found.append(workflow.no_such_row(row, rows))
    with terminal.progress("replaying") as told:
        for number, one in enumerate(wanted):
            told(number, len(wanted), f"{one.index_id} {one.what} {one.for_day}")
            found += workflow.replay(place, one, rows)
    terminal.problems(found, json_wanted=common.json)
    if not common.json:
        proven = f"publications verified: {len(rows)}" + (f", made again: {len(wanted)}" if wanted else "")
        tried = workflow.trial_ledger(place).entries() if not found else ()
        terminal.say(f"problems: {len(found)}" if found else f"{proven}; trials verified: {len(tried)}")
    return 1 if found else 0
