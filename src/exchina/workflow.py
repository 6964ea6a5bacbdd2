"""The verbs: read, call the core, write. One name in Python, on the command line and in the schedule."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from exchina import atomic, history, levels
from exchina.analytics import event_study
from exchina.analytics.event_study import EventStudy
from exchina.errors import DataError, ExchinaError, Problem, PublicationError, RulebookError
from exchina.ledger import open_ledger
from exchina.market import Delivery, gates, provider
from exchina.market.compare import differences
from exchina.market.overrides import check_overrides, read_overrides
from exchina.market.store import Saved, load, markets, save
from exchina.market.view import MarketView, whole_view
from exchina.model import Basket, IndexSeries, MarketData, Publication, Review, Rulebook
from exchina.policy import SCORE_VERSION, shocks_of
from exchina.reference import check_reference, read_reference
from exchina.rulebook import parse_rulebook
from exchina.rules.pipeline import MEMBER_COLUMNS
from exchina.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from exchina.market.live.asking import Progress
    from exchina.market.live.plan import Ask
    from exchina.reporting.document import Document

REVIEW = "review"
UNASKED = "pillar or country not asked for"


@dataclass(frozen=True, slots=True)
class Published:
    """A publication, and whether this call made it or found it there."""

    entry: Publication
    new: bool


def read_rulebook(path: str | Path) -> Rulebook:
    """Read a rulebook file; `RulebookError` with every fault in it, or that it cannot be read."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ExchinaError(Problem(str(path), f"cannot be read: {fault}", "name a rulebook.toml file")) from fault
    return parse_rulebook(text, str(path))


def index_rulebook(workspace: Workspace, index_id: str) -> Rulebook:
    """The rulebook of an index of the workspace; its id must be the name of its folder.

    Raises:
        DataError: no such index. RulebookError: every fault of its rulebook.
    """
    path = workspace.rulebook(index_id)
    book = read_rulebook(path)
    if book.index.id != index_id:
        what = f"found {book.index.id!r} in the folder {index_id!r}"
        raise RulebookError(Problem(f"{path}: index.id", what, f'write id = "{index_id}", or rename the folder'))
    return book


def fetch(
    workspace: Workspace,
    source: str,
    *,
    market: str,
    recorded_at: datetime,
    settings: Mapping[str, Any] | None = None,
    ask: "Ask | None" = None,
    progress: "Progress | None" = None,
    dry_run: bool = False,
) -> Saved:
    """Bring the data of a provider into the store; what is wrong with it is reported and nothing is written.

    A live provider is asked for what the store lacks. What it cannot give is reported and left out, a line whole or not
    at all; a fetch that is stopped keeps what it was answered, and goes on from there.

    Args:
        workspace: where the store and the reference data are.
        source: name of the provider.
        market: name under which it is kept.
        recorded_at: the present moment.
        settings: settings of the provider.
        ask: what to ask of a live provider.
        progress: told how many of how many series a live provider has given, and which is next.
        dry_run: check everything and write nothing.

    Returns:
        What changed in the store; of a live provider `exchina.market.live.report.Fetched`, with what is missing.

    Raises:
        DataError: the data breaks a contract. ProviderError: the source did not deliver.
    """
    checked, problems = provider.checked_settings(f"provider {source}", source, settings or {})
    live = not problems and source in provider.having("live")
    if ask is not None and not live and not problems:
        hint = f"leave those options out, or name one of: {', '.join(provider.having('live'))}"
        problems = [Problem(f"provider {source}", "is not live: it takes no start, symbols or control", hint)]
    if problems:
        raise ExchinaError(*problems)
    if live:
        from exchina.market.live.fetching import fetched
        from exchina.market.live.inbox import LIBRARY, inbox

        done = fetched(
            provider[source](inbox(workspace.store, market, source) / LIBRARY, **checked),
            read_reference(workspace.reference),
            workspace.store,
            market,
            ask,
            now=recorded_at,
            door=gated(workspace, market, recorded_at),
            progress=progress,
            dry_run=dry_run,
        )
        changed = ask is not None and ask.effect and done.changed.height and not dry_run
        return replace(done, effect=_effect(workspace, market, done.manifest - 1, recorded_at)) if changed else done
    delivery = provider[source](read_reference(workspace.reference), **checked)
    stored = load(workspace.store, market)[0] if market in markets(workspace.store) else None
    delivery = gated(workspace, market, recorded_at)(delivery, stored)
    return save(workspace.store, market, delivery, recorded_at=recorded_at, dry_run=dry_run)


def gated(workspace: Workspace, market: str, now: datetime) -> Callable[[Delivery, MarketData | None], Delivery]:
    """The door of a market: what a delivery keeps of its rows, the held ones beside them as its table ``quarantine``.

    Args:
        workspace: where the reference data and the reviewed overrides are.
        market: name of the market.
        now: the present moment.

    Raises:
        DataError: an override file with faults; from the door, where not one price of a new market passes.
    """
    reference, decided = read_reference(workspace.reference), read_overrides(workspace.reference)
    mine = decided.filter(pl.col("market") == market)

    def door(delivery: Delivery, stored: MarketData | None) -> Delivery:
        let_in, _ = gates.passed(delivery, stored, reference, mine, now)
        given, entering = (one.tables.get("prices") for one in (delivery, let_in))
        if stored is None and given is not None and entering is not None and given.height and entering.is_empty():
            said = let_in.notices[len(delivery.notices) :]
            cure = "correct the source, or release rows in market_overrides.csv of the reference data"
            raise DataError(Problem(f"{market} prices", f"the gates hold every one. {' '.join(said)}", cure))
        return let_in

    return door


def quarantine(workspace: Workspace, market: str) -> pl.DataFrame:
    """What the gates of a market held back or saw too late, as it stands now, newest first.

    Args:
        workspace: where the store is.
        market: name of the market.

    Returns:
        By the contract `exchina.tables.market.QUARANTINE`; ``known_date`` is the day of the last change.

    Raises:
        DataError: no such market.
    """
    entries = gates.last_known(load(workspace.store, market)[0].quarantine)
    return entries.sort("known_date", "day", "table", "symbol", "gate", descending=[True, True, False, False, False])


def compared(workspace: Workspace, market: str, against: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The differences of two markets of the store by their effect on the indices of the workspace.

    Args:
        workspace: whose indices give the weights, computed from ``market``.
        market: the one that is questioned.
        against: the one it is held against.

    Returns:
        `exchina.market.compare.differences`; and what to know of the weights, one sentence each.

    Raises:
        DataError: no such market.
    """
    one, other = (open_market(name, workspace=workspace.root) for name in (market, against))
    frames = [pl.DataFrame(schema={"index": pl.String, "session": pl.Date, "symbol": pl.String, "weight": pl.Float64})]
    said: list[str] = []
    for index_id in workspace.index_ids():
        try:
            shares = backtest(index_rulebook(workspace, index_id), one).shares
        except ExchinaError as fault:
            said.append(f"No weights of {index_id} from {market}: {fault.problems[0]}.")
        else:
            frames.append(shares.select(pl.lit(index_id).alias("index"), "session", "symbol", "weight"))
    weights = pl.concat(frames)
    if weights.is_empty():
        said.append("No index could be computed, so every line of a day weighs the same.")
    return differences(one.market, other.market, weights), tuple(said)


def _effect(workspace: Workspace, market: str, before: int, recorded_at: datetime) -> pl.DataFrame:
    """How far the levels of each index move from those of an earlier manifest: first session, largest difference."""
    from exchina.desk import restate
    from exchina.market.live.report import EFFECT

    known_by = min(load(workspace.store, market, before)[1].through, recorded_at.date() - timedelta(days=1))
    view = open_market(market, workspace=workspace.root)
    frames = [pl.DataFrame(schema=EFFECT)]
    for index_id in workspace.index_ids():
        try:
            moved = restate(workspace, index_rulebook(workspace, index_id), view, known_by)
        except ExchinaError as fault:
            rows = [(index_id, None, None, None, str(fault.problems[0]))]
        else:
            rows = [
                (index_id, variant, part["session"].min(), part["difference_bp"].abs().max(), "")
                for (variant,), part in moved.partition_by("variant", as_dict=True, maintain_order=True).items()
            ]
        frames.append(pl.DataFrame(rows, EFFECT, orient="row"))
    return pl.concat(frames)


def open_market(name: str, *, known_by: date | None = None, workspace: str | Path = ".") -> MarketView:
    """A market of the store with the reference data, cut to what was known by a day.

    Args:
        name: of the market, such as ``sample``.
        known_by: nothing learnt later is visible; None shows everything.
        workspace: the workspace folder.

    Raises:
        DataError: no such market, or damaged or contradictory data.
    """
    place = open_workspace(Path(workspace))
    data, provenance = load(place.store, name)
    view = whole_view(data, read_reference(place.reference), provenance)
    return view if known_by is None else view.as_of(known_by)


def propose(book: Rulebook, view: MarketView) -> Basket:
    """The pro forma of the next review, as far as the view's data goes; before its data cut-off it is a preview.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules.
    """
    day = view.known_by or view.provenance.through
    return history.composed(book, view, history.next_review(book, view, day))[-1]


def backtest(book: Rulebook, view: MarketView) -> IndexSeries:
    """Levels from the base date to the view's last session; each review sees only its own data cut-off.

    Raises:
        DataError: data is missing. InfeasibleError: no basket meets the rules.
    """
    wanted = history.reviews_until(book, view, view.provenance.through)
    return levels.series_of(book, view, history.composed(book, view, wanted))


def study(
    series: IndexSeries,
    view: MarketView,
    *,
    kinds: Collection[str] | None = None,
    pillars: Collection[str] | None = None,
    countries: Collection[str] | None = None,
    benchmark: str | None = None,
) -> EventStudy:
    """Abnormal returns of the index and of each stage on the policy-shock dates, with the members of each day.

    Args:
        series: a backtest.
        view: the market it was computed from.
        kinds: kinds of event; None takes all.
        pillars: pillars of policy; None takes all, and events of no pillar.
        countries: countries whose government or sponsor acted, such as US; None takes all.
        benchmark: one benchmark for all lines, in place of each market's own.

    Raises:
        ExchinaError: no event is of a kind, a pillar or a country asked for.
    """
    shocks = view.reference.policy_shocks
    asked = shocks_of(shocks, view.reference.sponsors, pillars=pillars, countries=countries)["id"]
    whole = event_study.study(
        shocks,
        levels.constituents(series, view),
        view.market,
        calendar=series.book.review.calendar,
        provenance=view.provenance,
        kinds=kinds,
        benchmark=benchmark,
    )
    return _cut(whole, asked)


def _cut(whole: EventStudy, asked: pl.Series) -> EventStudy:
    """The study of some events: each is measured as before, the others are left out and say why."""
    here = pl.col("event_id").is_in(asked.implode())
    out = ~here & (pl.col("status") == "studied")
    events = whole.events.with_columns(
        status=pl.when(out).then(pl.lit("left_out")).otherwise("status"),
        note=pl.when(out).then(pl.lit(UNASKED)).otherwise("note"),
    )
    return replace(whole, events=events, table=whole.table.filter(here), securities=whole.securities.filter(here))


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
    events = study(series, cut, benchmark=benchmark) if series else None
    files = {
        "proforma.csv": proforma_csv(basket).encode(),
        "weak_facts.csv": basket.weak_facts.write_csv().encode(),
    }
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
    }


def check(workspace: Workspace) -> list[Problem]:
    """Every problem of the workspace: reference data, rulebooks, schedule, report layouts and the market store."""
    from exchina.reporting.layout import read_layout
    from exchina.schedule import parse_schedule

    def tried(read: Any, *arguments: Any) -> list[Problem]:
        try:
            read(*arguments)
        except ExchinaError as fault:
            return list(fault.problems)
        return []

    problems = [*check_reference(workspace.reference), *check_overrides(workspace.reference)]
    for index_id in workspace.index_ids():
        problems += tried(index_rulebook, workspace, index_id)
    for path in sorted(workspace.reports.glob("layouts/*.toml")):
        problems += tried(read_layout, path.read_text(encoding="utf-8"), str(path))
    if workspace.schedule.is_file():
        problems += tried(
            parse_schedule,
            workspace.schedule.read_text(encoding="utf-8"),
            workspace.index_ids(),
            str(workspace.schedule),
        )
    for market in markets(workspace.store):
        problems += tried(load, workspace.store, market)
    return problems


def verify(workspace: Workspace) -> list[Problem]:
    """Every way in which the published files or the ledger no longer say what was published."""
    return open_ledger(workspace.reports).verify()


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
) -> list[Path]:
    """Compute what a layout shows and write it as PDF and HTML; nothing is published.

    Returns:
        The files written.
    """
    from exchina.reporting.render import to_html, to_pdf

    day = view.known_by or view.provenance.through
    series = backtest(book, view) if book.index.base_date <= day else None
    basket = propose(book, view) if layout == "announcement" else None
    events = study(series, view, benchmark=benchmark) if series else None
    document = report(workspace, layout, basket=basket, series=series, study=events, audience=audience)
    shown = basket or (series.baskets[-1] if series else None)
    templates = workspace.reports / "templates"
    pages = {".pdf": to_pdf(document, templates), ".html": to_html(document, templates).encode()}
    if shown is not None:
        pages["-weak_facts.csv"] = shown.weak_facts.write_csv().encode()
    return [_written(folder / f"{book.index.id}-{layout}{suffix}", page) for suffix, page in pages.items()]


def series_tables(series: IndexSeries) -> dict[str, pl.DataFrame]:
    """The tables of a backtest by name: levels, points, baskets, shares, turnover, divisor, statuses."""
    members = [
        basket.members.select(
            pl.lit(basket.review.effective).alias("effective"), pl.lit(basket.held).alias("held"), *MEMBER_COLUMNS
        )
        for basket in series.baskets
    ]
    tables = {name: getattr(series, name) for name in ("levels", "points", "shares", "turnover", "divisor", "statuses")}
    return {**tables, "baskets": pl.concat(members)}


def written_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as a CSV file; the files written."""
    return [_written(folder / f"{name}.csv", table.write_csv().encode()) for name, table in tables.items()]


def _written(path: Path, content: bytes) -> Path:
    try:
        atomic.place(path, content)
    except OSError as fault:
        raise PublicationError(
            Problem(str(path), f"cannot be written: {fault.strerror}", "choose another folder")
        ) from fault
    return path
