"""I/O. The log of deliveries, in the database of the ledger: every attempt, of which none is ever changed."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from exchina.delivery.due import MOST_ATTEMPTS, Attempt, Delivery
from exchina.delivery.message import Outcome
from exchina.ledger.database import connected, file_of, refusing
from exchina.ledger.rows import exists, guard
from exchina.ledger.store import READABLE, RETRY, Chain

KEY = ("row_hash", "subscriber", "number")
DELIVERIES = sa.Table(
    "deliveries",
    sa.MetaData(),
    sa.Column("row_hash", sa.String),
    sa.Column("subscriber", sa.String),
    sa.Column("number", sa.Integer),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    sa.PrimaryKeyConstraint(*KEY),
)


def attempts(ledger: Chain[Any]) -> list[Attempt]:
    """Every attempt, by row, subscriber and number; none where there is no database yet.

    Raises:
        PublicationError: the database cannot be read.
    """
    file = file_of(ledger.place)
    if file is not None and not file.exists():
        return []
    with refusing(ledger.place, ledger.folder, "cannot be read", READABLE), connected(ledger.place) as connection:
        if not exists(connection, DELIVERIES):
            return []
        found = connection.execute(DELIVERIES.select().order_by(*KEY)).all()
        return [Attempt(key, name, number, datetime.fromisoformat(at), *end) for key, name, number, at, *end in found]


def record(ledger: Chain[Any], delivery: Delivery, at: datetime, outcome: Outcome) -> Attempt:
    """Log an attempt after it was made; the 21st that fails is the last.

    Raises:
        PublicationError: the database cannot be written, so that the same will be sent again.
    """
    what = f"row {delivery.row.sequence} was sent to {delivery.subscriber.id}, but not logged: it will be sent again"
    key = {"row_hash": delivery.row.hash, "subscriber": delivery.subscriber.id}
    with (
        refusing(ledger.place, ledger.folder, what, RETRY.format("deliver")),
        connected(ledger.place, write=True) as connection,
    ):
        guard(connection, DELIVERIES)
        before = sa.select(sa.func.count()).where(*(DELIVERIES.c[name] == value for name, value in key.items()))
        number = 1 + (connection.execute(before).scalar() or 0)
        given_up = outcome.state == "failed" and number >= MOST_ATTEMPTS
        state = "given_up" if given_up else outcome.state
        attempt = Attempt(**key, number=number, at=at.astimezone(UTC), outcome=state, detail=outcome.detail)
        said = {"number": number, "at": attempt.at.isoformat(), "outcome": state, "detail": outcome.detail}
        connection.execute(DELIVERIES.insert().values(**key, **said))
        connection.commit()
        return attempt
