"""The close of a session: levels, closing and opening files, divisor log, preview and pro forma."""

from dataclasses import replace
from io import BytesIO

import polars as pl

from exchina import desk
from exchina.calculation.state_file import Closed
from exchina.errors import DataError, Problem
from exchina.model import Publication
from exchina.site.licensed import closing_licensed, licensed_name
from exchina.workflow.publications import Brief, Made, publication
from exchina.workflow.published import closed_state, last_close

LINES = ("closing.csv", "opening.csv", "proforma.csv")


@publication("close", "in_order", "final")
def close(brief: Brief) -> Made:
    """The files of one session, from the published state of the one before; the first from the base date on.

    Raises:
        DataError: data is missing, an opening file was not what the session held, or sessions before it are not closed.
    """
    session, book = brief.occasion.for_day, brief.book
    before = last_close(brief.rows, book.index.id)
    state = _under(brief, before, closed_state(brief.workspace, before))
    day = next(iter(desk.days(book, brief.view, _following(brief, state), late=brief.wishes.late)), None)
    where = f"{book.index.id} {session}"
    if day is None or (day.session < session and before is None):
        what = f"prices end on {brief.view.provenance.through}"
        cure = "fetch the session's closes first; those that came too late: exchina calculate --late REASON"
        raise DataError(Problem(where, what, cure))
    if day.session != session:
        raise DataError(Problem(where, f"the session {day.session} is not closed yet", "close the sessions in order"))
    levels = pl.read_csv(BytesIO(day.files["levels.csv"]))
    if "delayed" in levels["status"].to_list() and not brief.wishes.late:
        what = "too much of the index has no close of this session (delayed_if_stale_weight_over)"
        raise DataError(Problem(where, what, "fetch the closes; --late REASON publishes without them"))
    return Made({**day.files, **_licensed(brief, day)}, {"follows": before.hash if before else ""})


def _following(brief: Brief, state: Closed | None) -> Closed | None:
    """The state; a review whose announcement was revised is decided again, as the revision was."""
    announced = brief.earlier("announcement", state.target.effective) if state and state.target else None
    return replace(state, target=None) if state and announced and announced.revision else state


def _licensed(brief: Brief, day: desk.Day) -> dict[str, bytes]:
    """The twins of the files of lines, with the identifiers that somebody has a licence for; none unless asked for."""
    if not brief.wishes.identifiers:
        return {}
    known = brief.view.reference.identifiers
    if known.is_empty():
        hint = "put identifiers.csv there, or leave out identifiers = true"
        raise DataError(Problem(f"{brief.book.index.id} identifiers", "the reference data has none", hint))
    tables = {name: pl.read_csv(BytesIO(day.files[name]), try_parse_dates=True) for name in LINES if name in day.files}
    return {licensed_name(name): closing_licensed(table, known).write_csv().encode() for name, table in tables.items()}


def _under(brief: Brief, before: Publication | None, state: Closed | None) -> Closed | None:
    """The state as one of the present rules: a new version of a rulebook goes on from what the old one held."""
    book = brief.book
    if state is None or before is None or state.rulebook == book.content_hash:
        return state
    if before.inputs["rulebook_version"] != book.index.version:
        return replace(state, rulebook=book.content_hash)
    return state
