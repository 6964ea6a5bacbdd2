"""A live fetch from beginning to end: plan, ask, shape; the store is touched once, at the end, and whole."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl

from exchina.market import Delivery
from exchina.market.calendar import market_sessions
from exchina.market.intake.registry import incomplete_actions, registered_actions
from exchina.market.live import report
from exchina.market.live.asking import Manners, Progress, answers
from exchina.market.live.inbox import emptied, inbox
from exchina.market.live.plan import Ask, Wanted, planned
from exchina.market.live.report import Fetched
from exchina.market.live.shape import Shaped, shaped
from exchina.market.live.source import Answer, Source
from exchina.market.manifest import manifest_numbers
from exchina.market.store import load, save
from exchina.model import MarketData, Reference

Door: TypeAlias = Callable[[Delivery, MarketData | None], Delivery]
ASSUMED_FLOAT = (
    "The free float of a line before its first fetch is assumed to be the factor that the vendor gave on that day."
)
COUNTED_FROM = "The share count of {} is known from {} on only: before that day the line has no market value."


@dataclass(frozen=True, slots=True)
class Collected:
    """What the vendor gave, ready for the door of the store.

    Attributes:
        delivery: the tables; none where nothing was wanted.
        stored: what the store had before.
        missing: as in `Fetched`.
        gaps: as in `Fetched`.
    """

    delivery: Delivery
    stored: MarketData | None
    missing: pl.DataFrame
    gaps: pl.DataFrame


def fetched(
    source: Source,
    reference: Reference,
    root: Path,
    market: str,
    ask: Ask | None,
    *,
    now: datetime,
    door: Door | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Fetched:
    """`collected`, then `recorded`.

    Raises:
        DataError, ProviderError: as they do.
    """
    found = collected(source, reference, root, market, ask or Ask(), now=now, progress=progress)
    return recorded(root, market, found, now=now, door=door, dry_run=dry_run)


def collected(
    source: Source,
    reference: Reference,
    root: Path,
    market: str,
    ask: Ask,
    *,
    now: datetime,
    manners: Manners | None = None,
    progress: Progress | None = None,
) -> Collected:
    """Ask a vendor for everything that a market lacks; what is answered is kept in the inbox of the market.

    Args:
        source: the vendor.
        reference: whose listings are asked for.
        root: folder of the store.
        market: its name.
        ask: what the person asks for.
        now: the present moment, with a time zone.
        manners: how calls are spaced; the vendor's own pace if not given.
        progress: told how many of how many series are done, and which is next.

    Raises:
        DataError: a symbol is no listing, or the store is damaged. ProviderError: the vendor is down or out of reach.
    """
    stored = load(root, market)[0] if manifest_numbers(root, market) else None
    wanted = planned(source, reference, stored, ask, now)
    today = now.astimezone(UTC).date()
    folder = inbox(root, market, source.name)
    told = {} if progress is None else {"progress": progress}
    found = answers(source, wanted, folder, today, manners or Manners(source.pace), **told)
    if not wanted:
        nothing = Delivery("vendor", source.sentence, {}, notices=("The vendor was asked nothing: no day is missing.",))
        return Collected(nothing, stored, report.missing({}, None), pl.DataFrame(schema=report.GAPS))
    made = shaped(found, stored, today)
    delivery = _delivery(source, reference, made, found)
    lacking = report.gaps(delivery.tables["prices"], found, delivery.tables["sessions"])
    return Collected(delivery, stored, report.missing(made.failed, stored), lacking)


def recorded(
    root: Path, market: str, found: Collected, *, now: datetime, door: Door | None = None, dry_run: bool = False
) -> Fetched:
    """Save what was collected, in one step, and empty the inbox.

    Args:
        root: folder of the store.
        market: its name.
        found: from `collected`.
        now: the present moment.
        door: looks at the delivery before it enters and may hold rows back.
        dry_run: write nothing, and leave the inbox.

    Raises:
        DataError: the delivery breaks a contract, or holds no price for a new market.
    """
    delivery = door(found.delivery, found.stored) if door else found.delivery
    saved = save(root, market, delivery, recorded_at=now, dry_run=dry_run)
    if not dry_run:
        emptied(root, market)
    changed = report.changed(saved.revised, found.stored)
    return Fetched(**vars(saved), missing=found.missing, gaps=found.gaps, changed=changed)


def _delivery(source: Source, reference: Reference, made: Shaped, found: dict[Wanted, Answer]) -> Delivery:
    prices = made.tables["prices"]
    days = [one.since for one in found] + [one.until for one in found]
    firsts: dict[str, date] = dict(prices.group_by("symbol").agg(pl.col("session").min()).sort("symbol").iter_rows())
    symbols = list(firsts)
    actions = registered_actions(reference).filter(pl.col("symbol").is_in(symbols))
    priced = prices["session"]
    span = (priced.min(), priced.max()) if priced.len() else (min(days), max(days))
    first, last = (day if isinstance(day, date) else max(days) for day in span)
    tables = {**made.tables, "actions": actions, "sessions": market_sessions(reference, first, last)}
    counted = dict(made.tables["shares"].group_by("symbol").agg(pl.col("known_date").min()).iter_rows())
    ended = sorted(one.name for one in made.failed if one.ends is not None and one.first)
    assumed = [
        *source.assumptions,
        *([ASSUMED_FLOAT] if made.assumed_float else []),
        *(COUNTED_FROM.format(name, counted[name]) for name in made.counted_today),
        *_survivors(ended),
    ]
    return Delivery("vendor", source.sentence, tables, tuple(assumed), tuple(_notices(reference, made, firsts)))


def _survivors(ended: list[str]) -> list[str]:
    if not ended:
        return []
    named = ", ".join(ended)
    return [f"The vendor has no prices of the ended lines {named}: results before their end are without them."]


def _notices(reference: Reference, made: Shaped, firsts: dict[str, date]) -> list[str]:
    said = {
        "No share count at the vendor; that of the reference counts, where it has one": made.without_counts,
        "Only today's share count is known, and counts from today on": made.counted_today,
        "No usable float at the vendor; that of the reference counts, where it has one": made.without_float,
        "Float before today assumed to be today's": made.assumed_float,
        "Registered actions that cannot be applied": tuple(incomplete_actions(reference, firsts)),
    }
    return [f"{what}: {', '.join(names)}." for what, names in said.items() if names]
