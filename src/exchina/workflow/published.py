"""What the ledger of a workspace holds, and the files of its rows read back."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from io import BytesIO

import polars as pl

from exchina import desk
from exchina.calculation import state_file
from exchina.calculation.state_file import Closed
from exchina.errors import Problem, PublicationError
from exchina.ledger import Ledger, open_ledger
from exchina.ledger.chain import RESTORE
from exchina.ledger.signing import read_key
from exchina.model import Publication
from exchina.site.words import CLOSING
from exchina.workspace import Workspace

DAYS = "^(session|.*_date)$"


def ledger_of(workspace: Workspace) -> Ledger:
    """The ledger of the publications of a workspace."""
    key = read_key(workspace.signing_key) if workspace.signing_key else None
    return open_ledger(workspace.reports, workspace.ledger, key)


def publications(workspace: Workspace) -> list[Publication]:
    """Every row of the ledger, oldest first."""
    return ledger_of(workspace).entries()


def folder_of(index_id: str, what: str, for_day: date, revision: int = 0) -> str:
    """Where the files of a publication stand below the reports: a revision has a folder of its own."""
    return f"{index_id}/{what}/{for_day}{f'.r{revision}' if revision else ''}"


def content_of(workspace: Workspace, row: Publication, name: str) -> bytes:
    """A file of a row.

    Raises:
        PublicationError: the row has no such file, it cannot be read, or it is no longer what was published.
    """
    path = f"{folder_of(row.index_id, row.what, row.for_day, row.revision)}/{name}"
    place = workspace.reports / path
    where = f"{row.index_id} {row.what} {row.for_day}"
    if path not in row.files:
        raise PublicationError(Problem(where, f"has no file {name}", "publish a revision that has it"))
    try:
        content = place.read_bytes()
    except OSError as fault:
        raise PublicationError(Problem(str(place), f"cannot be read: {fault.strerror}", RESTORE)) from fault
    if sha256(content).hexdigest() != row.files[path]:
        raise PublicationError(
            Problem(str(place), f"was changed after it was published in row {row.sequence}", RESTORE)
        )
    return content


def table_of(workspace: Workspace, row: Publication, name: str) -> pl.DataFrame:
    """A CSV file of a row, its days as such; raises as `content_of`."""
    table = pl.read_csv(BytesIO(content_of(workspace, row, name)), infer_schema_length=None)
    return table.with_columns(pl.col(DAYS).str.to_date())


def last_close(rows: Sequence[Publication], index_id: str) -> Publication | None:
    """The row from whose state the next session of an index starts; None where none was closed."""
    mine = [row for row in rows if row.index_id == index_id and row.what in CLOSING]
    return max(mine, key=lambda row: (row.for_day, row.sequence), default=None)


def closed_state(workspace: Workspace, row: Publication | None) -> Closed | None:
    """The state after the session of a row; raises as `content_of`, or `DataError` where the text is no state."""
    if row is None:
        return None
    content = content_of(workspace, row, desk.STATE)
    return state_file.from_text(content.decode(), f"{row.index_id} {row.what} {row.for_day}: {desk.STATE}")


def sent_levels(workspace: Workspace, rows: Sequence[Publication], index_id: str) -> pl.DataFrame:
    """session, variant, sent: the unrounded levels that stand for each session, published or restated."""
    schema = {"session": pl.Date, "variant": pl.String, "sent": pl.Float64}
    mine = [row for row in rows if row.index_id == index_id and row.what in CLOSING]
    tables = [_sent(workspace, row) for row in mine]
    return pl.concat([pl.DataFrame(schema=schema), *tables]).unique(
        ["session", "variant"], keep="last", maintain_order=True
    )


def _sent(workspace: Workspace, row: Publication) -> pl.DataFrame:
    if row.what == "close":
        return table_of(workspace, row, "levels.csv").select("session", "variant", sent="unrounded_level")
    found = table_of(workspace, row, "differences.csv").filter(pl.col("decision") == "restated")
    return found.select("session", "variant", sent="new_level")
