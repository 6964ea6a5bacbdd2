"""I/O. Send what is due, each subscriber by itself, and log every attempt after it was made."""

import os
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from time import monotonic
from urllib.parse import quote

from exchina.delivery.channels import channel
from exchina.delivery.due import Attempt, Delivery, stopped, undelivered
from exchina.delivery.log import attempts, record
from exchina.delivery.message import Message, Outcome
from exchina.delivery.subscribers import Subscribers
from exchina.errors import ExchinaError, Problem, PublicationError
from exchina.ledger import Ledger
from exchina.model import Publication
from exchina.schedule import Job, lateness
from exchina.site.words import remarks, successors, title

AT_ONCE = 8
PASS_SECONDS = 120.0
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class _Pass:
    """What every delivery of a pass shares."""

    ledger: Ledger
    known: Subscribers
    rows: Sequence[Publication]
    after: Mapping[int, Publication]
    names: Mapping[str, str]
    jobs: Collection[Job]
    now: datetime
    end: float

    def message(self, delivery: Delivery) -> Message:
        row = delivery.row
        return Message(
            row=row,
            files=delivery.subscriber.files(row),
            title=title(row, self.names, self.jobs),
            remarks=remarks(row, self.after.get(row.sequence)),
            late=bool(lateness(row, self.jobs)),
            rows=self.rows[: row.sequence],
            folder=self.ledger.folder,
            at=self.now,
        )


def deliver(
    ledger: Ledger,
    known: Subscribers,
    now: datetime,
    *,
    names: Mapping[str, str] | None = None,
    jobs: Collection[Job] = (),
    seconds: float = PASS_SECONDS,
) -> tuple[list[Attempt], list[Problem]]:
    """Send what is due, and log each attempt after it: what is killed in between is sent again with the same key.

    Several subscribers are served at once, each in the order of the ledger up to its first failure.

    Args:
        ledger: whose rows and files are sent, and whose database keeps the log.
        known: the subscribers.
        now: with a time zone.
        names: of the indices, by id.
        jobs: the schedule; says how late is late.
        seconds: after which nothing new is begun; the next pass goes on from there.

    Returns:
        The attempts made, and what a person must look at: what keeps us from sending, which uses up nobody's
        attempts, and subscribers that were given up.

    Raises:
        PublicationError: the ledger or the log cannot be read.
    """
    rows = ledger.entries()
    log = attempts(ledger)
    due = undelivered(rows, known.subscribers, log, now)
    shared = _Pass(ledger, known, rows, successors(rows), names or {}, jobs, now.astimezone(UTC), monotonic() + seconds)
    queues = [list(queue) for _, queue in groupby(due, key=lambda one: one.subscriber.id)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        served = list(pool.map(partial(_served, shared), queues))
    made = [attempt for attempts, _ in served for attempt in attempts]
    problems = [problem for _, problems in served for problem in problems]
    return made, [*problems, *stopped(rows, known.subscribers, [*log, *made])]


def _served(shared: _Pass, queue: Sequence[Delivery]) -> tuple[list[Attempt], Sequence[Problem]]:
    """One subscriber: the attempts made, and what kept us from the next."""
    made: list[Attempt] = []
    for delivery in queue:
        if monotonic() > shared.end:
            break
        try:
            outcome = _tried(shared, delivery)
            made.append(record(shared.ledger, delivery, shared.now, outcome))
        except ExchinaError as fault:
            where = f"subscriber {delivery.subscriber.id}"
            return made, [Problem(f"{where}: {one.where}", one.what, one.hint) for one in fault.problems]
        if outcome.state != "ok":
            break
    return made, ()


def _tried(shared: _Pass, delivery: Delivery) -> Outcome:
    """Send a row; what the other side does wrong is an outcome, what we do is an error."""
    one = delivery.subscriber
    try:
        outcome = channel[one.kind](shared.message(delivery), shared.known.site, **one.settings)
    except ExchinaError:
        raise
    except ImportError as fault:
        what, cure = f"a library is missing: {fault}", "pip install 'exchina[service]', or what the text names"
        raise PublicationError(Problem(one.kind, what, cure)) from fault
    except Exception as fault:  # whatever a server, or a library that talks to it, comes up with
        outcome = Outcome("failed", f"{type(fault).__name__}: {fault}")
    return replace(outcome, detail=_without(outcome.detail, os.environ.get(one.settings.get("secret_env") or "", "")))


def _without(text: str, secret: str) -> str:
    """One line of a text, in which a secret is blacked out however it is written."""
    if secret:
        for written in (secret, quote(secret, safe=""), quote(secret), b64encode(secret.encode()).decode()):
            text = text.replace(written, "***")
    return " ".join(text.split())[:LONGEST_DETAIL]
