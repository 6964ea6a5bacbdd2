"""The verb of documents: report, from results or computed anew."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import EventStudy
from exchina.errors import Problem, PublicationError
from exchina.market.view import MarketView
from exchina.model import Basket, IndexSeries, Rulebook
from exchina.workflow.indices import propose
from exchina.workflow.studies import study
from exchina.workflow.trials import recorded_backtest
from exchina.workflow.writing import written
from exchina.workspace import Workspace

if TYPE_CHECKING:
    from exchina.reporting.document import Document


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


def pages(document: "Document", workspace: Workspace) -> dict[str, bytes]:
    """A document as ``.pdf`` and ``.html``, printed with the templates of the workspace."""
    from exchina.reporting.render import to_html, to_pdf

    templates = workspace.reports / "templates"
    return {".pdf": to_pdf(document, templates), ".html": to_html(document, templates).encode()}


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
    begun = book.index.base_date <= (view.known_by or view.provenance.through)
    wanted = begun or layout != "announcement"
    series = recorded_backtest(workspace, book, view, author=author, at=at)[0] if wanted else None
    basket = propose(book, view) if layout == "announcement" else None
    events = study(series, view, StudySettings(benchmark=benchmark)) if series else None
    document = report(workspace, layout, basket=basket, series=series, study=events, audience=audience)
    shown = basket or (series.baskets[-1] if series else None)
    files = pages(document, workspace)
    if shown is not None:
        files["-weak_facts.csv"] = shown.weak_facts.write_csv().encode()
    return written({f"{book.index.id}-{layout}{suffix}": content for suffix, content in files.items()}, folder)
