"""The small desk over one review, and ways to look at what it published and to change what it reads."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from exchina import service, workflow
from exchina.market import Delivery
from exchina.market.store import load, save
from exchina.market.view import MarketView
from exchina.model import Publication
from exchina.tables.market import SCHEMAS
from exchina.workflow.published import content_of, table_of
from exchina.workflow.scheduled import opened
from exchina.workspace import Workspace, open_workspace
from tests.shell.rehearsal import INDEX

FIRST, CUTOFF, DRAFTED, ANNOUNCED, EFFECTIVE, AFTER, LAST = (date(2024, 9, day) for day in (3, 6, 9, 13, 20, 23, 25))
END = datetime(2024, 9, 25, 23, tzinfo=UTC)


def rehearse(place: Workspace, until: datetime = END) -> list[service.Outcome]:
    """The schedule from its first day, each thing at the moment at which it is due."""
    return service.rehearse(opened(place, until.date()), FIRST, until)


def copied(place: Workspace, folder: Path) -> Workspace:
    """The same desk elsewhere."""
    shutil.copytree(place.root, folder)
    return open_workspace(folder)


def row_of(place: Workspace, what: str, day: date, index: str = INDEX) -> Publication:
    """The last revision of a publication that is there."""
    row = workflow.ledger_of(place).find(index, what, day)
    assert row is not None, f"{what} of {day}"
    return row


def csv(place: Workspace, what: str, day: date, name: str) -> pl.DataFrame:
    """A CSV file of a publication."""
    return table_of(place, row_of(place, what, day), name)


def text(place: Workspace, what: str, day: date, name: str) -> str:
    """A file of a publication."""
    return content_of(place, row_of(place, what, day), name).decode()


def names(row: Publication) -> set[str]:
    """The files of a row, without what it was made from."""
    return {Path(path).name for path in row.files if not path.startswith("frozen/")}


def done(place: Workspace) -> list[tuple[str, date]]:
    """What was published for which day, in the order of the ledger."""
    return [(row.what, row.for_day) for row in workflow.publications(place)]


def keep_jobs(place: Workspace, *kinds: str) -> None:
    """Leave only some kinds in the schedule."""
    jobs = place.schedule.read_text().split("[[job]]")[1:]
    kept = [job for job in jobs if any(f'what = "{kind}"' in job for kind in kinds)]
    place.schedule.write_text("".join(f"[[job]]{job}" for job in kept))


def restock(place: Workspace, *, through: date) -> None:
    """Make the market anew as it was when its prices ended on a day."""
    data, _ = load(place.store, "small")
    shutil.rmtree(place.store / "small")
    tables: dict[str, pl.DataFrame] = {name: getattr(data, name) for name in SCHEMAS}
    known = {
        name: table.filter(pl.col("known_date") <= through) if "known_date" in table.columns else table
        for name, table in tables.items()
    }
    deliver(place, datetime(2024, 9, 1, tzinfo=UTC), **known)


def deliver(place: Workspace, at: datetime, **tables: pl.DataFrame) -> None:
    """Save rows in the store at a moment."""
    filled = {name: table for name, table in tables.items() if table.height}
    save(place.store, "small", Delivery("simulated", "a test", filled), recorded_at=at)


def rows_between(view: MarketView, after: date, until: date) -> dict[str, pl.DataFrame]:
    """The closes and rates of some sessions."""
    days = pl.col("session").is_between(after, until, closed="right")
    return {name: getattr(view.market, name).filter(days) for name in ("prices", "fx", "benchmarks")}


def add_measure(place: Workspace, like: str, known: date, name: str = "TOLD-LATE", **values: str) -> None:
    """A commitment as a new row of the reference data; but for what is said, the first one with another id."""
    path = place.reference / "policy_measures.csv"
    rows = pl.read_csv(path, infer_schema=False)
    new = {"id": name, "known_date": str(known), "valid_from": str(known), "package_id": name, **values}
    row = rows.filter(pl.col("id") == like)[:1]
    assert row.height == 1, like
    row = row.with_columns(pl.lit(value, pl.String).alias(column) for column, value in new.items())
    pl.concat([rows, row]).write_csv(path)


def changed(path: Path, old: str, new: str) -> None:
    """Change a text file in one place."""
    before = path.read_text()
    assert before.count(old) == 1, old
    path.write_text(before.replace(old, new))
