"""The verbs of market data: fetch it through the gates, open it, look at what is held back, compare two markets."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from exchina.errors import ExchinaError, Problem
from exchina.market import Delivery, gates, provider
from exchina.market.compare import differences
from exchina.market.overrides import read_overrides
from exchina.market.store import Saved, load, markets, save
from exchina.market.view import MarketView, whole_view
from exchina.model import MarketData
from exchina.reference import read_reference
from exchina.workflow.indices import backtest, index_rulebook
from exchina.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from exchina.market.live.asking import Progress
    from exchina.market.live.plan import Ask


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

        done = fetched(
            provider[source](**checked),
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
    """`exchina.market.gates.door` of a market, with the decisions on it; `DataError` if their file has faults."""
    decided = read_overrides(workspace.reference).filter(pl.col("market") == market)
    return gates.door(market, read_reference(workspace.reference), decided, now)


def quarantine(workspace: Workspace, market: str) -> pl.DataFrame:
    """`exchina.market.gates.last_known` of a market, newest first; `DataError` if there is no such market."""
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
    from exchina.workflow.published import publications, sent_levels

    known_by = min(load(workspace.store, market, before)[1].through, recorded_at.date() - timedelta(days=1))
    view = open_market(market, workspace=workspace.root)
    frames, rows = [pl.DataFrame(schema=EFFECT)], publications(workspace)
    for index_id in workspace.index_ids():
        try:
            sent = sent_levels(workspace, rows, index_id)
            moved = restate(index_rulebook(workspace, index_id), view, known_by, sent)
        except ExchinaError as fault:
            moves = [(index_id, None, None, None, str(fault.problems[0]))]
        else:
            moves = [
                (index_id, variant, part["session"].min(), part["difference_bp"].abs().max(), "")
                for (variant,), part in moved.partition_by("variant", as_dict=True, maintain_order=True).items()
            ]
        frames.append(pl.DataFrame(moves, EFFECT, orient="row"))
    return pl.concat(frames)


def open_market(
    name: str, *, known_by: date | None = None, workspace: str | Path = ".", manifest: int | None = None
) -> MarketView:
    """A market of the store with the reference data, cut to what was known by a day.

    Args:
        name: of the market, such as ``sample``.
        known_by: nothing learnt later is visible; None shows everything.
        workspace: the workspace folder.
        manifest: number of an earlier state of the store; None for the current one.

    Raises:
        DataError: no such market, or damaged or contradictory data.
    """
    place = open_workspace(Path(workspace))
    data, provenance = load(place.store, name, manifest)
    view = whole_view(data, read_reference(place.reference), provenance)
    return view if known_by is None else view.as_of(known_by)
