"""What it costs to build the basket of a creation unit, and how long it takes.

Notation: v_i what is bought of a line, fund currency; x US dollars a unit of it; sigma_i, ADV_i as in
`exchina.analytics.costs`, p participation.

    dealing_i = v_i (half spread + commission + tax)_i       impact_i = v_i Y sigma_i sqrt(v_i x / ADV_i)
    days_i    = v_i x / (p ADV_i)

Shares that are handed over are bought by the participant, those for which cash stands by the fund with that cash: who
orders pays for both, the latter by the fund's variable charge if it has one. A suspended line is bought by nobody.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from exchina.analytics.capacity import BoolArray, FloatArray, days_to_trade
from exchina.analytics.costs import BP, Rates, impact_per_dollar
from exchina.errors import DataError, Problem
from exchina.fund.baskets import CreationBasket


@dataclass(frozen=True)
class BuildCost:
    """What building one creation unit costs, fund currency and bp of the unit's NAV.

    Attributes:
        lines: by symbol: company_id, name, bought_by (``participant``, ``fund``, ``both``; null: nothing is bought),
            bought (v), dealing, impact, cost, cost_bp (of v), days, of_adv (order over ADV), note (why a figure is
            null; also of a suspended line).
        dealing, impact, cost, cost_bp: of the unit; impact and cost None where one line's is unknown: see ``notes``.
        days: of the slowest line, None where one is unknown or nothing is bought.
        slowest: its symbol.
        notes: the notes of the lines.
    """

    lines: pl.DataFrame = field(repr=False)
    dealing: float
    impact: float | None
    cost: float | None
    cost_bp: float | None
    days: float | None
    slowest: str | None
    notes: tuple[str, ...]


def cost_to_build(
    made: CreationBasket,
    rates: Rates,
    adv_usd: FloatArray,
    sigma: FloatArray,
    *,
    usd_per_unit: float,
    participation: float = 0.10,
    impact: float = 0.7,
) -> BuildCost:
    """Cost and days of buying a basket at the prices of its close.

    Args:
        made: the basket; (n,) below are in the order of its lines (by symbol).
        rates: explicit costs, of which those of a purchase count.
        adv_usd: (n,) average daily traded value, US dollars; NaN unknown.
        sigma: (n,) standard deviation of the returns of a session; NaN unknown.
        usd_per_unit: x.
        participation: p, in (0, 1].
        impact: Y; 0.7 is an assumption (`exchina.analytics.costs`), 0 for none.

    Raises:
        DataError: arrays of other lengths than the lines, or settings that make no sense; all at once.
    """
    lines, given = made.lines, {"rates.buy": rates.buy, "adv_usd": adv_usd, "sigma": sigma}
    _check(lines.height, given, usd_per_unit, participation, impact)
    handed = lines["value"].to_numpy()
    instead = np.maximum(lines["in_lieu"].to_numpy(), 0.0) * lines["suspended"].is_null().to_numpy()
    bought = handed + instead
    moved, traded = bought > 0, np.isfinite(adv_usd) & (adv_usd > 0)
    sound = traded & np.isfinite(sigma) & (sigma >= 0)
    adv, sigma = np.where(traded, adv_usd, np.nan), np.where(sound, sigma, np.nan)
    dealing, price = bought * rates.buy, impact_per_dollar(bought * usd_per_unit, adv, sigma, impact)
    moving = np.where(moved, bought * price, 0.0)
    days = np.where(moved, days_to_trade(bought, usd_per_unit, adv, participation), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_value = (dealing + moving) / bought / BP
    by = np.select([(handed > 0) & (instead > 0), handed > 0, instead > 0], ["both", "participant", "fund"], "")
    numbers = {"bought": bought, "dealing": dealing, "impact": moving, "cost": dealing + moving}
    numbers |= {"cost_bp": per_value, "days": days, "of_adv": days * participation}
    table = lines.select("symbol", "company_id", "name").with_columns(
        pl.Series("bought_by", by).replace("", None),
        *(pl.Series(name, values).fill_nan(None) for name, values in numbers.items()),
        pl.Series("note", _notes(lines, moved, traded, sound), pl.String),
    )
    return _summed(table, made.nav)


def _summed(table: pl.DataFrame, nav: float) -> BuildCost:
    """The lines with their sums and the slowest of them."""
    whole, timed = not table["cost"].null_count(), not table["days"].null_count()
    sums = {name: float(table[name].to_numpy().sum()) if whole else None for name in ("impact", "cost")}
    cost, slowest = sums["cost"], table["days"].arg_max() if timed else None
    days = float(table["days"][slowest]) if slowest is not None else 0.0
    return BuildCost(
        lines=table,
        dealing=float(table["dealing"].to_numpy().sum()),
        impact=sums["impact"],
        cost=cost,
        cost_bp=cost / nav / BP if cost is not None else None,
        days=days or None,
        slowest=table["symbol"][slowest] if slowest is not None and days else None,
        notes=tuple(f"{symbol}: {note}" for symbol, note in table.select("symbol", "note").drop_nulls().iter_rows()),
    )


def _notes(lines: pl.DataFrame, moved: BoolArray, traded: BoolArray, sound: BoolArray) -> list[str | None]:
    """Why a line has no figure."""
    said: list[str | None] = []
    for row, buys, has_volume, whole in zip(lines.iter_rows(named=True), moved, traded, sound, strict=True):
        if row["suspended"] is not None:
            said.append(f"suspended since {row['suspended']}: nothing is bought")
        elif not buys or whole:
            said.append(None)
        else:
            said.append("no known volatility" if has_volume else "no known volume above 0: impact and days unknown")
    return said


def _check(count: int, arrays: dict[str, FloatArray], usd: float, participation: float, impact: float) -> None:
    problems = [
        Problem(f"cost of a basket, {name}", f"{values.shape} for {count} lines", "one figure a line, by symbol")
        for name, values in arrays.items()
        if values.shape != (count,)
    ]
    asked = (
        ("usd_per_unit", usd, 0 < usd < np.inf, "US dollars a unit of fund currency, above 0"),
        ("participation", participation, 0 < participation <= 1, "above 0 and at most 1, such as 0.10"),
        ("impact", impact, 0 <= impact < np.inf, "Y, about 0.5 to 1.0; 0 for none"),
    )
    problems += [
        Problem(f"cost of a basket, {name}", f"found {value}", cure) for name, value, sound, cure in asked if not sound
    ]
    if problems:
        raise DataError(*problems)
