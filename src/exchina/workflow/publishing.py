"""The verb publish: once and for all, in order, with everything that it was made from."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from time import monotonic, sleep

from exchina.errors import DataError, ExchinaError, Problem, PublicationError
from exchina.ledger import Ledger
from exchina.ledger.lease import hold, release, this_process
from exchina.market.view import MarketView
from exchina.model import Publication, Rulebook
from exchina.policy import SCORE_VERSION
from exchina.schedule.jobs import GRACE_MINUTES
from exchina.site.words import DELAYED
from exchina.workflow.freezing import frozen
from exchina.workflow.publications import Brief, Occasion, Wishes, publication
from exchina.workflow.published import folder_of, ledger_of
from exchina.workflow.trials import trials_seal
from exchina.workspace import Workspace

BY_HAND = "set by hand"
NONE = Wishes()
PATIENCE_SECONDS, LONGEST_SECONDS = 30, 1800


@dataclass(frozen=True, slots=True)
class Published:
    """A publication, and whether this call made it or found it there."""

    entry: Publication
    new: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """When something is published.

    Attributes:
        now: the moment, with a time zone.
        due: when it was due; None for what somebody publishes by hand.
        grace_minutes: how much later than that is still in time, by the schedule of the day; kept in the row.
        set_by_hand: whether ``now`` is not the time of the machine, as in a rehearsal; the row says so.
    """

    now: datetime
    due: datetime | None = None
    set_by_hand: bool = False
    grace_minutes: int = GRACE_MINUTES

    def said(self) -> dict[str, str]:
        """What a row keeps of it besides its two times."""
        grace = {"grace_minutes": str(self.grace_minutes)} if self.due else {}
        return grace | ({"clock": BY_HAND} if self.set_by_hand else {})


def sound_ledger(workspace: Workspace) -> None:
    """`PublicationError` with everything in which files and ledger disagree; a lagging export is renewed first."""
    ledger = ledger_of(workspace)
    ledger.renew_export()
    faults = ledger.faults()
    if faults:
        raise PublicationError(*faults)


def publish(
    workspace: Workspace,
    book: Rulebook,
    view: MarketView,
    occasion: Occasion,
    *,
    clock: Clock,
    wishes: Wishes = NONE,
) -> Published:
    """Make the files of an occasion from what was known on its day, and publish them with a row of the ledger.

    What is in the ledger already is returned as it is, unless ``wishes.because`` says why it is to be published again:
    that makes the next revision, from what is known now, and the one before stays.

    Raises:
        DataError: data is missing. PublicationError: later ones are published already, or a folder cannot be written.
    """
    ledger = ledger_of(workspace)
    there = ledger.find(book.index.id, occasion.what, occasion.for_day)
    if there is not None and not wishes.because:
        return Published(there, new=False)
    with _alone(ledger, book.index.id, clock.now):
        return _published(ledger, Brief(workspace, book, view, occasion, ledger.entries(), wishes), clock)


def _published(ledger: Ledger, asked: Brief, clock: Clock) -> Published:
    """Publish what nobody else can be publishing meanwhile."""
    workspace, book, occasion, rows = asked.workspace, asked.book, asked.occasion, asked.rows
    there = ledger.find(book.index.id, occasion.what, occasion.for_day)
    if there is not None and not asked.wishes.because:
        return Published(there, new=False)
    _refuse_revision(there)
    _refuse_disorder(rows, book, occasion)
    if faults := _unfit(asked, clock):
        raise DataError(*faults)
    documents = occasion.what in publication.having("documents")
    known_by = clock.now.astimezone(UTC).date() if there is not None else occasion.day
    brief = replace(asked, view=asked.view.as_of(known_by))
    files, paths = frozen(workspace, book, asked.view.reference, documents=documents)
    made = publication[occasion.what](brief)
    if frozen(workspace, book, asked.view.reference, documents=documents)[1] != paths:
        what = "layouts or templates were changed while something was being published with them"
        raise DataError(Problem(str(workspace.reports), what, "publish again"))
    inputs = {**_inputs(workspace, brief), **_said(asked.wishes), **made.inputs, **paths, **clock.said()}
    inputs["known_by"] = str(known_by)
    revision = there.revision + 1 if there is not None else 0
    folder = folder_of(book.index.id, occasion.what, occasion.for_day, revision)
    entry, new = ledger.publish(
        book.index.id,
        occasion.what,
        occasion.for_day,
        {**{f"{folder}/{name}": content for name, content in made.files.items()}, **files},
        inputs,
        published_at=clock.now,
        due_at=clock.due,
        revision=revision,
    )
    return Published(entry, new)


def publish_delay(
    workspace: Workspace, book: Rulebook, occasion: Occasion, *, clock: Clock, why: ExchinaError
) -> Published:
    """Say once that a publication is late because its data is not there; the publication itself stays due."""
    what = f"{occasion.what}{DELAYED}"
    said = {
        "index_id": book.index.id,
        "delayed": occasion.what,
        "for_day": str(occasion.for_day),
        "due_at": clock.due.astimezone(UTC).isoformat(timespec="seconds") if clock.due else "",
        "reasons": [problem.what.replace(str(workspace.root), ".") for problem in why.problems],
    }
    text = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    name = f"{folder_of(book.index.id, what, occasion.for_day)}/delayed.json"
    inputs = clock.said()
    entry, new = ledger_of(workspace).publish(
        book.index.id, what, occasion.for_day, {name: text.encode()}, inputs, published_at=clock.now, due_at=clock.due
    )
    return Published(entry, new)


def _refuse_revision(there: Publication | None) -> None:
    """A session is closed once: the next one has gone on from it."""
    if there is not None and there.what in publication.having("final"):
        what = f"is published already, in row {there.sequence}, and has no revisions"
        cure = f"exchina restate {there.index_id} --was {there.for_day} shows what would change, and publishes it"
        raise PublicationError(Problem(f"{there.index_id} {there.what} {there.for_day}", what, cure))


@contextmanager
def _alone(ledger: Ledger, index_id: str, now: datetime) -> Generator[None]:
    """Nobody else publishes of this index meanwhile: what is being made rests on the rows that are there.

    Raises:
        PublicationError: another process is at it, and still is after half a minute.
    """
    owner, deadline = this_process(), monotonic() + PATIENCE_SECONDS
    lease = hold(ledger, f"publish {index_id}", owner, now, LONGEST_SECONDS)
    while lease.owner != owner:
        if monotonic() > deadline:
            what, hint = f"{lease.owner} is publishing of this index", "try again when it has ended"
            raise PublicationError(Problem(index_id, what, hint))
        sleep(0.1)
        lease = hold(ledger, f"publish {index_id}", owner, now, LONGEST_SECONDS)
    try:
        yield
    finally:
        release(ledger, lease)


def _unfit(asked: Brief, clock: Clock) -> list[Problem]:
    """Why something may not be published now, by these rules, or in these words."""
    book, occasion, rows = asked.book, asked.occasion, asked.rows
    where = f"{book.index.id} {occasion.what} {occasion.for_day}"
    faults: list[Problem] = []
    if occasion.day > clock.now.astimezone(UTC).date() + timedelta(days=1):
        faults.append(Problem(where, f"is due on {occasion.day}, which has not come", "name an earlier day by --as-of"))
    mine = [row for row in rows if row.index_id == book.index.id and "rulebook" in row.inputs]
    same = [row for row in mine if row.inputs["rulebook_version"] == book.index.version]
    if same and same[-1].inputs["rulebook"] != book.content_hash:
        what = f"row {same[-1].sequence} was published by other rules of the same version {book.index.version}"
        faults.append(Problem(where, what, "give the rulebook that was changed a version of its own"))
    words = {name: getattr(asked.wishes, name) or "" for name in ("because", "approved_by", "late")}
    for name, text in words.items():
        if not text.isprintable():
            faults.append(Problem(f"{where}: {name}", "holds a character that cannot be printed", "write plain text"))
    if rows and rows[-1].signature and asked.workspace.signing_key is None:
        hint = "name it with --signing-key, or in EXCHINA_SIGNING_KEY"
        faults.append(Problem(where, f"row {rows[-1].sequence} is signed and no key is given", hint))
    return faults


def _refuse_disorder(rows: Sequence[Publication], book: Rulebook, occasion: Occasion) -> None:
    """Kinds that build on one another are published in the order of their days."""
    same = [row for row in rows if (row.index_id, row.what) == (book.index.id, occasion.what)]
    later = [row for row in same if row.for_day > occasion.for_day]
    if later and occasion.what in publication.having("in_order"):
        what = f"the {occasion.what} of {later[-1].for_day} is published already"
        hint = "publish in the order of the days; an old one cannot come after a newer"
        raise PublicationError(Problem(f"{book.index.id} {occasion.what} {occasion.for_day}", what, hint))


def _inputs(workspace: Workspace, brief: Brief) -> dict[str, str]:
    """What the same publication would have to be made from again."""
    view, book = brief.view, brief.book
    return {
        "rulebook_version": book.index.version,
        "rulebook": book.content_hash,
        "market": view.provenance.market,
        "market_kind": view.provenance.kind,
        "market_data": view.provenance.content_hash,
        "market_retrieved_at": view.provenance.retrieved_at,
        "reference": view.reference.content_hash,
        "policy_score": SCORE_VERSION,
        "day": str(brief.occasion.day),
        "exchina": version("exchina"),
        "trials": trials_seal(workspace),
    }


def _said(wishes: Wishes) -> dict[str, str]:
    """Every wish that is not the default."""
    said = {one.name: (getattr(wishes, one.name), one.default) for one in fields(wishes)}
    return {name: str(value) for name, (value, default) in said.items() if value != default}
