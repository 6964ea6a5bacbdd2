"""The verbs of documents: report, publish once and for all, verify."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from exchina import history, levels
from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import EventStudy, ledger_rows
from exchina.errors import Problem, PublicationError
from exchina.ledger import open_ledger
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Publication, Review, Rulebook
from exchina.policy import SCORE_VERSION
from exchina.reference import read_reference
from exchina.workflow.indices import propose
from exchina.workflow.studies import study
from exchina.workflow.trials import recorded_backtest, seal_faults, trial_ledger, trials_seal
from exchina.workflow.writing import written
from exchina.workspace import Workspace

if TYPE_CHECKING:
    from exchina.reporting.document import Document

REVIEW = "review"
EVENTS = "event_ledger.csv"


@dataclass(frozen=True, slots=True)
class Published:
    """A publication, and whether this call made it or found it there."""

    entry: Publication
    new: bool


def report(
    workspace: Workspace,
    layout: str,
    *,
    basket: Basket | None = None,
    series: IndexSeries | None = None,
    study: EventStudy | None = None,
    audience: str = "institutional",
) -> "Document":
    """Compose a document from results, in the order that a layout of the workspace declares.

    Raises:
        RulebookError: every fault of the layout. PublicationError: something is needed that was not given.
    """
    from exchina.reporting.layout import compose
    from exchina.reporting.parts import Parts

    path = workspace.reports / "layouts" / f"{layout}.toml"
    if not path.is_file():
        raise PublicationError(Problem(str(path), "no such layout", f"put {layout}.toml there; exchina init lays ours"))
    parts: Any = Parts(basket, series, study, audience)  # pyright: ignore[reportArgumentType]
    return compose(path.read_text(encoding="utf-8"), path.name, parts)


def publish(
    workspace: Workspace,
    book: Rulebook,
    view: MarketView,
    *,
    published_at: datetime,
    audience: str = "institutional",
    benchmark: str | None = None,
) -> Published:
    """Publish the last review announced by the view's day: pro forma, announcement and factsheet, and a ledger row.

    The documents hold what was known on the announcement day, whenever this runs; before the base date there is no
    factsheet yet. What is in the ledger already is returned as it is.

    Raises:
        PublicationError: nothing to publish yet, a folder cannot be written, or the ledger does not verify.
        DataError: the market ends before the data cut-off.
    """
    review = last_announced(book, view)
    ledger = open_ledger(workspace.reports)
    ledger.renew_export()
    faults = ledger.faults()
    if faults:
        raise PublicationError(*faults)
    entry = ledger.find(book.index.id, REVIEW, review.effective)
    if entry is not None:
        return Published(entry, new=False)
    later = [row for row in ledger.entries() if row.index_id == book.index.id and row.for_day > review.effective]
    if later:
        what = f"the review effective {later[-1].for_day} is published already"
        hint = "publish reviews in their order; an old one cannot be announced after a newer"
        raise PublicationError(Problem(f"{book.index.id} review {review.effective}", what, hint))
    cut = view.as_of(review.announced)
    files = _files(workspace, book, cut, review, audience=audience, benchmark=benchmark)
    inputs = {**_inputs(workspace, book, cut), "audience": audience, "benchmark": benchmark or "each market's own"}
    entry, new = ledger.publish(book.index.id, REVIEW, review.effective, files, inputs, published_at=published_at)
    return Published(entry, new)


def already_published(workspace: Workspace, book: Rulebook, review: Review) -> Publication | None:
    """The ledger row of a review, if it was published."""
    return open_ledger(workspace.reports).find(book.index.id, REVIEW, review.effective)


def last_announced(book: Rulebook, view: MarketView) -> Review:
    """The review whose announcement day is the last one at or before the view's day."""
    day = view.known_by or view.provenance.through
    known = [review for review in history.next_review(book, view, day) if review.announced <= day]
    if not known:
        what = f"no review was announced by {day}"
        raise PublicationError(Problem(book.index.id, what, f"the index starts on {book.index.base_date}"))
    return known[-1]


def _files(
    workspace: Workspace, book: Rulebook, cut: MarketView, review: Review, *, audience: str, benchmark: str | None
) -> dict[str, bytes]:
    from exchina.reporting.proforma import proforma_csv
    from exchina.reporting.render import to_html, to_pdf

    made = history.composed(book, cut, history.reviews_until(book, cut, review.effective))
    basket = made[-1]
    series = levels.series_of(book, cut, made) if made[0].review.effective <= cut.provenance.through else None
    events = study(series, cut, StudySettings(benchmark=benchmark)) if series else None
    files = {
        "proforma.csv": proforma_csv(basket).encode(),
        "weak_facts.csv": basket.weak_facts.write_csv().encode(),
    }
    if events is not None:
        files[EVENTS] = ledger_rows(cut.reference.policy_shocks).write_csv().encode()
    for layout in ("announcement", "factsheet") if series else ("announcement",):
        document = report(workspace, layout, basket=basket, series=series, study=events, audience=audience)
        files[f"{layout}.pdf"] = to_pdf(document, workspace.reports / "templates")
        files[f"{layout}.html"] = to_html(document, workspace.reports / "templates").encode()
    return {f"{book.index.id}/{review.effective}/{name}": content for name, content in files.items()}


def _inputs(workspace: Workspace, book: Rulebook, view: MarketView) -> dict[str, str]:
    """What the same publication would have to be made from again."""
    documents = sha256()
    for path in sorted([*workspace.reports.glob("layouts/*"), *workspace.reports.glob("templates/*.*")]):
        documents.update(path.name.encode() + path.read_bytes())
    return {
        "rulebook_version": book.index.version,
        "rulebook": book.content_hash,
        "market": view.provenance.market,
        "market_kind": view.provenance.kind,
        "market_data": view.provenance.content_hash,
        "known_by": str(view.known_by),
        "reference": view.reference.content_hash,
        "policy_score": SCORE_VERSION,
        "documents": documents.hexdigest(),
        "exchina": version("exchina"),
        "trials": trials_seal(workspace),
    }


def verify(workspace: Workspace) -> list[Problem]:
    """Every way in which files and ledgers no longer say what was published, what was tried and what had happened."""
    found = [
        *open_ledger(workspace.reports).verify(),
        *trial_ledger(workspace).verify(),
        *_lost_events(workspace),
    ]
    return found or seal_faults(workspace, publications(workspace))


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


def publications(workspace: Workspace) -> list[Publication]:
    """Every row of the ledger, oldest first."""
    return open_ledger(workspace.reports).entries()


def written_report(
    workspace: Workspace,
    layout: str,
    book: Rulebook,
    view: MarketView,
    folder: Path,
    *,
    audience: str,
    benchmark: str | None,
    author: str,
    at: datetime,
) -> list[Path]:
    """Compute what a layout shows and write it as PDF and HTML; nothing is published, but the backtest is a trial.

    Args:
        workspace: whose layouts and ledger of trials they are.
        layout: name of the layout.
        book: the rules.
        view: the market.
        folder: where the files go.
        audience: who will read it.
        benchmark: of the event study; None for each market's own.
        author: who runs it, for the ledger of trials.
        at: now, with a time zone.

    Returns:
        The files written.
    """
    from exchina.reporting.render import to_html, to_pdf

    begun = book.index.base_date <= (view.known_by or view.provenance.through)
    wanted = begun or layout != "announcement"
    series = recorded_backtest(workspace, book, view, author=author, at=at)[0] if wanted else None
    basket = propose(book, view) if layout == "announcement" else None
    events = study(series, view, StudySettings(benchmark=benchmark)) if series else None
    document = report(workspace, layout, basket=basket, series=series, study=events, audience=audience)
    shown = basket or (series.baskets[-1] if series else None)
    templates = workspace.reports / "templates"
    pages = {".pdf": to_pdf(document, templates), ".html": to_html(document, templates).encode()}
    if shown is not None:
        pages["-weak_facts.csv"] = shown.weak_facts.write_csv().encode()
    return written({f"{book.index.id}-{layout}{suffix}": page for suffix, page in pages.items()}, folder)
