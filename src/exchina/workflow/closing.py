"""The verbs of levels: calculate closes sessions, restate corrects them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from exchina import desk
from exchina.errors import DataError, Problem
from exchina.inputs import index_sessions
from exchina.market.view import MarketView
from exchina.model import Publication, Rulebook
from exchina.workflow.publications import Occasion, Wishes
from exchina.workflow.publications.restatement import approved
from exchina.workflow.published import closed_state, content_of, last_close, publications, sent_levels, table_of
from exchina.workflow.publishing import Clock, Published, publish
from exchina.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Closing:
    """A session that was closed: its level by return variant, what a person must look at, its row of the ledger."""

    session: date
    levels: Mapping[str, float]
    notices: tuple[str, ...]
    entry: Publication | None


def calculate(
    workspace: Workspace,
    book: Rulebook,
    view: MarketView,
    *,
    now: datetime,
    wishes: Wishes,
    dry_run: bool = False,
) -> list[Closing]:
    """Close and publish every session after the last one, up to the view's last session.

    The first run computes the index from its base date, and closes the view's last session. One whose prices all came
    too late for its own day is closed with ``wishes.late`` only, on the closes before it; a restatement puts it right.

    Raises:
        DataError: data is missing, the state is of other rules, or an opening file was not what the session held.
        PublicationError: the folder cannot be written.
    """
    before = last_close(publications(workspace), book.index.id)
    if dry_run:
        days = desk.days(book, view, closed_state(workspace, before), late=wishes.late)
        return [Closing(day.session, day.levels, day.notices, None) for day in days]
    last = view.provenance.through
    first = before.for_day if before else None
    sessions = [day for day in index_sessions(book, view) if day <= last and (first is None or day > first)]
    wanted = sessions if before else sessions[-1:]
    return [
        _closing(
            workspace,
            publish(workspace, book, view, occasion, clock=Clock(now), wishes=wishes).entry,
        )
        for occasion in (Occasion("close", day, last if wishes.late else day) for day in wanted)
    ]


def differences(workspace: Workspace, book: Rulebook, view: MarketView, was: date) -> pl.DataFrame:
    """`exchina.desk.restate` against the levels that the ledger holds."""
    return desk.restate(book, view, was, sent_levels(workspace, publications(workspace), book.index.id))


def restate(workspace: Workspace, book: Rulebook, view: MarketView, *, now: datetime, wishes: Wishes) -> Published:
    """Publish a restatement of the last closed session and of every level before it that differs.

    Args:
        workspace: whose ledger it is.
        book: the rules.
        view: what is known now.
        now: the moment, with a time zone.
        wishes: ``was``, ``because`` and ``approved_by``.

    Raises:
        DataError: as for `exchina.workflow.publications.restatement.restatement`.
    """
    last = last_close(publications(workspace), book.index.id)
    if last is None:
        raise DataError(Problem(book.index.id, "no session was ever closed", "exchina calculate closes one"))
    approved(wishes, f"{book.index.id} restatement {last.for_day}")
    today = now.astimezone(UTC).date()
    return publish(workspace, book, view, Occasion("restatement", last.for_day, today), clock=Clock(now), wishes=wishes)


def _closing(workspace: Workspace, row: Publication) -> Closing:
    table = table_of(workspace, row, "levels.csv")
    levels = dict(table.select("variant", "unrounded_level").iter_rows())
    told = any(path.endswith("/notices.txt") for path in row.files)
    notices = content_of(workspace, row, "notices.txt").decode().splitlines() if told else ()
    return Closing(row.for_day, levels, tuple(notices), row)
