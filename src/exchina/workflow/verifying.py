"""The verb verify: files, ledgers and events still say what was published; a publication can be made again."""

from dataclasses import fields
from datetime import date
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from exchina import history
from exchina.analytics.event_study import ledger_rows
from exchina.errors import ExchinaError, Problem
from exchina.ledger.signing import public_key, signature_faults
from exchina.market.manifest import manifest_of
from exchina.market.view import MarketView
from exchina.model import Publication, Review, Rulebook
from exchina.reference import read_reference
from exchina.workflow.data import open_market
from exchina.workflow.freezing import thawed
from exchina.workflow.indices import index_rulebook
from exchina.workflow.publications import Brief, Occasion, Wishes, publication
from exchina.workflow.publications.announcement import EVENTS
from exchina.workflow.published import folder_of, ledger_of, publications
from exchina.workflow.trials import seal_faults, trial_ledger
from exchina.workspace import Workspace


def verify(workspace: Workspace, key: Path | None = None) -> list[Problem]:
    """Every way in which files and ledgers no longer say what was published, what was tried and what had happened.

    Args:
        workspace: whose ledgers they are.
        key: file of a public key; every row must be signed with its private half.
    """
    found = [*ledger_of(workspace).verify(), *trial_ledger(workspace).verify(), *_lost_events(workspace)]
    rows = publications(workspace) if not found else []
    found += signature_faults(rows, public_key(key)) if key else []
    return found or seal_faults(workspace, rows)


def no_such_row(number: int, rows: list[Publication]) -> Problem:
    """What to say of a number that no publication has, or that none can be made again for."""
    there = ", ".join(str(row.sequence) for row in replayable(rows)[-5:])
    hint = f"the last are: {there}" if there else "the ledger has none yet"
    return Problem(f"ledger row {number}", "is no publication that can be made again", hint)


def replayable(rows: list[Publication]) -> list[Publication]:
    """The rows that a maker made: not the notices of a delay, nor what records a fetch."""
    return [row for row in rows if row.what in publication.all()]


def replay(workspace: Workspace, row: Publication, rows: list[Publication]) -> list[Problem]:
    """Make a publication again from what was frozen with it, and compare its files byte for byte.

    Args:
        workspace: whose ledger it stands in.
        row: the publication.
        rows: every row of the ledger, oldest first.

    Returns:
        A problem for each file that differs, is missing or is new; or why it cannot be made again.
    """
    where = f"ledger row {row.sequence} ({row.index_id} {row.what} {row.for_day})"
    try:
        made = _again(workspace, row, rows)
    except ExchinaError as fault:
        return [Problem(f"{where}: {one.where}", one.what, one.hint) for one in fault.problems]
    folder = f"{folder_of(row.index_id, row.what, row.for_day, row.revision)}/"
    then = {path.removeprefix(folder): digest for path, digest in row.files.items() if path.startswith(folder)}
    now = {name: sha256(content).hexdigest() for name, content in made.items()}
    hint = f"it was made by exchina {row.inputs.get('exchina')}, this is {version('exchina')}"
    return [
        Problem(f"{where}: {name}", "made again, it is not what was published", hint)
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


def _again(workspace: Workspace, row: Publication, rows: list[Publication]) -> dict[str, bytes]:
    said = row.inputs
    with thawed(workspace, row) as place:
        book = index_rulebook(place, row.index_id)
        manifest = manifest_of(place.store, said["market"], (said["market_data"], said["market_retrieved_at"]))
        if manifest is None:
            what = f"market {said['market']!r} never held the data with SHA-256 {said['market_data'][:12]}"
            raise ExchinaError(Problem(str(workspace.store), what, "restore the store from a backup"))
        whole = open_market(said["market"], workspace=place.root, manifest=manifest)
        view = whole.as_of(_day(said["known_by"]))
        occasion = Occasion(row.what, row.for_day, _day(said["day"]), _review(book, view, row))
        brief = Brief(place, book, view, occasion, rows[: row.sequence - 1], _wishes(row))
        return dict(publication[row.what](brief).files)


def _wishes(row: Publication) -> Wishes:
    """What a person had decided, as the row says it."""
    said = {one.name: row.inputs[one.name] for one in fields(Wishes) if one.name in row.inputs}
    return TypeAdapter(Wishes).validate_strings(said)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _review(book: Rulebook, view: MarketView, row: Publication) -> Review | None:
    if row.what not in publication.having("of_review"):
        return None
    return next((one for one in history.reviews_until(book, view, row.for_day) if one.effective == row.for_day), None)


def _lost_events(workspace: Workspace) -> list[Problem]:
    """Events that a published study rests on and that the ledger of events no longer has, or has otherwise."""
    names = [name for entry in publications(workspace) for name in entry.files if name.endswith(f"/{EVENTS}")]
    if not names:
        return []
    now = ledger_rows(read_reference(workspace.reference).policy_shocks)
    problems: list[Problem] = []
    for name in names:
        path = workspace.reports / name
        then = pl.read_csv(path, schema=now.schema) if path.is_file() else now.clear()
        lost = then.join(now, on=now.columns, how="anti", nulls_equal=True)["id"]
        if lost.len():
            what = f"rests on {', '.join(lost)}, which policy_shocks.csv no longer has as it was"
            problems.append(Problem(name, what, "put the rows back; a correction is a new row with its own id"))
    return problems
