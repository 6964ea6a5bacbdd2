"""At which size of the fund its tracking, impact, ownership or days to trade break, by review, by company, as a curve.

Notation: A the fund in US dollars; of review r and line i: w_i weight after, |dw_i| what trades, d_i = |dw_i| (half
spread + commission + tax), k_i = Y |dw_i|^1.5 sigma_i / sqrt ADV_i, V_c market value of all shares of company c, N
reviews in T years, p participation.

    impact     sum_i k_i sqrt A                                   <= c               A = (c / sum_i k_i)^2
    tracking   sum_i d_i + sqrt A sum_i k_i                       <= x = L T / N     A = ((x - sum d_i) / sum k_i)^2
    ownership  max_c A sum_{i of c} w_i / V_c                     <= own             A = min_c own V_c / w_c
    days       max_i |dw_i| A / (p ADV_i)                         <= D               A = min_i D p ADV_i / |dw_i|

L is a limit a year, so one review has the share x of it; over all reviews A = ((L T - sum d) / sum k)^2. Where dealing
alone is dearer than that, no size is small enough: 0. ADV is that of quiet sessions (`exchina.analytics.capacity`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from exchina.analytics.capacity import FloatArray, IntArray, Terms, days_to_trade
from exchina.analytics.capacity_tables import SIZES, Trade
from exchina.analytics.costs import BP, impact_per_dollar
from exchina.errors import DataError, Problem

MEASURES = ("tracking", "impact", "ownership", "days")
ROUNDING = 1e-12
BREAKS = {f"{measure}_usd": pl.Float64 for measure in MEASURES}
FOUND = {**BREAKS, "usd": pl.Float64, "first": pl.String}


@dataclass(frozen=True)
class FundTerms:
    """What a fund may not exceed, and how it trades.

    Attributes:
        tracking_cost_at_most: L, what the reviews may cost a year, bp of the fund: dealing and impact.
        impact_at_most: c, market impact of one review, bp of the fund.
        own_at_most: share of a company's market value that the fund may own, in (0, 1].
        days_at_most: D, sessions that the slowest line of a review may take.
        participation: p, share of each session's trading that the fund may be, in (0, 1].
        impact: Y of the impact; 0.7 is an assumption (`exchina.analytics.costs`).
        least_sessions: fewest quiet sessions behind an ADV.
    """

    tracking_cost_at_most: float = 50.0
    impact_at_most: float = 25.0
    own_at_most: float = 0.10
    days_at_most: float = 5.0
    participation: float = 0.10
    impact: float = 0.7
    least_sessions: int = 5


@dataclass(frozen=True)
class FundCapacity:
    """The sizes at which a fund breaks, US dollars; null where no size does, or where the note says it is unknown.

    Attributes:
        terms: the limits.
        limits: per measure, the smallest size that breaks it: measure, usd, effective (null of tracking, which counts
            all reviews), company (that decides it, or has the largest part), note.
        by_review: per review: effective, tracking_usd (0 where dealing alone is dearer), impact_usd, ownership_usd,
            days_usd, usd (the smallest), first (which; of equal ones in the order of `MEASURES`), company (that decides
            it), note. usd and first are null unless all four are known.
        by_name: per company by rising usd: company_id, name, and over the reviews that are known the same sizes and
            usd, first, worst (the review that decides it). Tracking and impact of a company are its own part of the
            cost against the whole limit (x for each review that is known); the worst review of tracking is its dearest.
        curve: per size: fund_usd, annual_bp (null if the cost of a review is unknown), worst_impact_bp,
            impact_review, own (largest share of a company), own_company, days, days_company, broken (which of the four,
            with commas), note (reviews left out).
        notes: what is not computed, and why.
    """

    terms: FundTerms
    limits: pl.DataFrame
    by_review: pl.DataFrame
    by_name: pl.DataFrame
    curve: pl.DataFrame
    notes: tuple[str, ...]


def fund_capacity(
    trades: Sequence[Trade],
    values_usd: Mapping[date, Mapping[str, float | None]],
    years: float,
    *,
    terms: FundTerms | None = None,
    sizes: Iterable[float] | None = None,
) -> FundCapacity:
    """At which size a fund breaks.

    Args:
        trades: the reviews of an index in any order, one of a day; a fund that is built from cash is none.
        values_usd: by effective day and symbol, the market value of all shares of the line's company as known at that
            review, US dollars; None, or left out: unknown.
        years: T, the time in which these reviews fell.
        terms: limits; `FundTerms()` if not given.
        sizes: of the curve, US dollars; None: those around the sizes that break it (`around`).

    Raises:
        DataError: no review, two on a day, years, sizes or limits that make no sense, or a market value not above 0.

    A review with a line whose volume or volatility cannot be told has no impact, tracking or days and says whose; one
    with an unknown market value has no ownership. They take no part in the worst and largest figures of other tables.
    """
    terms, asked = terms or FundTerms(), SIZES if sizes is None else sorted(set(sizes))
    _check(trades, values_usd, years, terms, asked)
    made = _parts(sorted(trades, key=lambda one: one.effective), values_usd, terms)
    reviews = _by_review(made, years, terms)
    limits = _limits(made, reviews, years, terms)
    asked = around(limits["usd"].drop_nulls().to_list()) if sizes is None else asked
    notes = tuple(f"{day}: {note}" for day, note in reviews.select("effective", "note").drop_nulls().iter_rows())
    return FundCapacity(
        terms=terms,
        limits=limits,
        by_review=reviews,
        by_name=_by_name(made, years, terms),
        curve=_curve(made, np.array(asked, float), years, terms),
        notes=notes,
    )


def around(breaks: Iterable[float]) -> list[float]:
    """1, 2 and 5 times the powers of ten from below the smallest size above 0 to above the largest; `SIZES` if none is.

    Example:
        >>> around([3e6, 0.0, 4e7])
        [2000000.0, 5000000.0, 10000000.0, 20000000.0, 50000000.0]
    """
    found = [size for size in breaks if size > 0]
    if not found:
        return list(SIZES)
    least, most = (int(np.floor(np.log10(size))) for size in (min(found), max(found)))
    steps = [digit * 10.0**power for power in range(least - 1, most + 2) for digit in (1, 2, 5)]
    first = max(step for step in steps if step < min(found))
    last = min(step for step in steps if step > max(found))
    return [step for step in steps if first <= step <= last]


@dataclass(frozen=True)
class _Parts:
    """R reviews by C companies; NaN where unknown: dealing d, impact per root dollar k, days and share per dollar."""

    reviews: tuple[date, ...]
    companies: tuple[str, ...]
    names: tuple[str, ...]
    dealing: FloatArray
    impact: FloatArray
    days: FloatArray
    own: FloatArray
    notes: tuple[str | None, ...]


def _parts(trades: Sequence[Trade], values_usd: Mapping[date, Mapping[str, float | None]], terms: FundTerms) -> _Parts:
    named = {row["company_id"]: row["name"] for one in trades for row in one.lines.iter_rows(named=True)}
    companies = tuple(sorted(named))
    place = {company: at for at, company in enumerate(companies)}
    tables = np.zeros((4, len(trades), len(companies)))
    notes: list[str | None] = []
    for row, one in enumerate(trades):
        at = np.array([place[company] for company in one.lines["company_id"]], np.int64)
        known, symbols = values_usd.get(one.effective, {}), one.lines["symbol"].to_list()
        value = np.array([known.get(symbol) or np.nan for symbol in symbols], float)
        unvalued = [symbols[line] for line in np.flatnonzero((one.new > 0) & np.isnan(value))]
        lacking = one.unmeasured(Terms(participation=terms.participation, least_sessions=terms.least_sessions))
        _fill(tables[:, row], one, at, value, terms)
        if lacking:
            tables[1:3, row] = np.nan
        if unvalued:
            tables[3, row] = np.nan
        told = [f"{fault.where}: {fault.what}" for fault in lacking]
        told += [f"market value unknown: {', '.join(unvalued)}"] if unvalued else []
        notes.append("; ".join(told) or None)
    days = tuple(one.effective for one in trades)
    dealing, impact, slowest, own = tables
    return _Parts(days, companies, tuple(named[one] for one in companies), dealing, impact, slowest, own, tuple(notes))


def _fill(tables: FloatArray, one: Trade, at: IntArray, value: FloatArray, terms: FundTerms) -> None:
    """Of one review, by company: sums of cost and of weight over value, the slowest line; volumes taken as known."""
    count, traded = tables.shape[1], one.traded
    bought, sold = np.maximum(one.new - one.drifted, 0.0), np.maximum(one.drifted - one.new, 0.0)
    moved = traded > 0
    adv, sigma = np.where(moved, one.volumes.median, 1.0), np.where(moved, one.sigma, 0.0)
    adv = np.where(adv > 0, adv, np.nan)
    tables[0] = np.bincount(at, bought * one.rates.buy + sold * one.rates.sell, count)
    tables[1] = np.bincount(at, traded * impact_per_dollar(traded, adv, sigma, terms.impact), count)
    np.fmax.at(tables[2], at, days_to_trade(traded, 1.0, adv, terms.participation))
    tables[3] = np.bincount(at, np.where(one.new > 0, one.new / value, 0.0), count)


def _root(room: FloatArray, per_root_dollar: FloatArray) -> FloatArray:
    """A of per_root_dollar sqrt A = room: 0 where there is no room, infinite where nothing trades."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(per_root_dollar > 0, (np.maximum(room, 0.0) / per_root_dollar) ** 2, np.inf)
    return np.where(np.isnan(per_root_dollar), np.nan, np.where(room < 0, 0.0, size))


def _over(limit: float, per_dollar: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return limit / per_dollar


def _breaks(parts: tuple[FloatArray, ...], share: float, terms: FundTerms) -> FloatArray:
    """(4, ...) sizes in the order of `MEASURES`, of (dealing, impact, days, own)."""
    dealing, impact, days, own = parts
    most = np.full_like(impact, terms.impact_at_most * BP)
    sizes = _root(share - dealing, impact), _root(most, impact), _over(terms.own_at_most, own)
    return np.stack([*sizes, _over(terms.days_at_most, days)])


def _by_review(made: _Parts, years: float, terms: FundTerms) -> pl.DataFrame:
    """The table ``by_review`` of `FundCapacity`."""
    share = terms.tracking_cost_at_most * BP * years / len(made.reviews)
    parts = (made.dealing.sum(axis=1), made.impact.sum(axis=1), made.days.max(axis=1), made.own.max(axis=1))
    broken = _breaks(parts, share, terms)
    least, first = _smallest(broken)
    deciding = np.stack(
        [made.dealing + made.impact * np.sqrt(_finite(broken[0]))[:, None], made.impact, made.own, made.days]
    )
    company = [
        made.companies[int(deciding[which, row].argmax())] if which >= 0 else None for row, which in enumerate(first)
    ]
    table = _sizes({"effective": made.reviews}, broken, least, first)
    notes = pl.Series(made.notes, dtype=pl.String)
    return table.with_columns(company=pl.Series(company, dtype=pl.String), note=notes)


def _finite(sizes: FloatArray) -> FloatArray:
    return np.where(np.isfinite(sizes), sizes, 0.0)


def _smallest(broken: FloatArray) -> tuple[FloatArray, IntArray]:
    """The smallest of the sizes and which it is; NaN and -1 where one is unknown or none breaks."""
    least = broken.min(axis=0)
    return least, np.where(np.isfinite(least), broken.argmin(axis=0), -1)


def _sizes(
    keys: Mapping[str, Sequence[object]], broken: FloatArray, least: FloatArray, first: IntArray
) -> pl.DataFrame:
    table = {name: pl.Series(name, values) for name, values in zip(BREAKS, broken, strict=True)}
    which = pl.Series([MEASURES[one] if one >= 0 else None for one in first], dtype=pl.String)
    sized = pl.DataFrame({**keys, **table, "usd": pl.Series(least)}).with_columns(first=which)
    numbers = pl.col(*BREAKS, "usd")
    return sized.with_columns(pl.when(numbers.is_finite()).then(numbers))


def _by_name(made: _Parts, years: float, terms: FundTerms) -> pl.DataFrame:
    """The table ``by_name`` of `FundCapacity`; an unknown review counts as one without a trade and without a share."""
    unknown = np.isnan(made.impact)
    impact, days, own = (np.where(np.isnan(table), 0.0, table) for table in (made.impact, made.days, made.own))
    dealing = np.where(unknown, 0.0, made.dealing)
    room = terms.tracking_cost_at_most * BP * years * (1 - unknown.any(axis=1).mean())
    broken = _breaks((dealing.sum(axis=0), impact.sum(axis=0), days.max(axis=0), own.max(axis=0)), room, terms)
    broken[1] = _root(np.full(impact.shape[1], terms.impact_at_most * BP), impact.max(axis=0))
    dearest = dealing + impact * np.sqrt(_finite(broken[0]))
    worst = np.stack([table.argmax(axis=0) for table in (dearest, impact, own, days)])
    least, first = _smallest(broken)
    review = [made.reviews[worst[which, at]] if which >= 0 else None for at, which in enumerate(first)]
    table = _sizes({"company_id": made.companies, "name": made.names}, broken, least, first)
    return table.with_columns(worst=pl.Series(review, dtype=pl.Date)).sort("usd", "company_id", nulls_last=True)


def _limits(made: _Parts, reviews: pl.DataFrame, years: float, terms: FundTerms) -> pl.DataFrame:
    """The table ``limits`` of `FundCapacity`."""
    rows = [_tracking_limit(made, years, terms)]
    for measure, table in zip(MEASURES[1:], (made.impact, made.own, made.days), strict=True):
        sizes = reviews[f"{measure}_usd"]
        unknown = int(np.isnan(table).any(axis=1).sum())
        note = f"{unknown} of {len(made.reviews)} reviews left out" if unknown else None
        if sizes.null_count() == len(sizes):
            rows.append((measure, None, None, None, note or "no size breaks it"))
            continue
        row = sizes.arg_min() or 0
        rows.append((measure, sizes[row], made.reviews[row], made.companies[int(np.argmax(table[row]))], note))
    schema = {"measure": pl.String, "usd": pl.Float64, "effective": pl.Date, "company": pl.String, "note": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def _tracking_limit(
    made: _Parts, years: float, terms: FundTerms
) -> tuple[str, float | None, date | None, str | None, str | None]:
    unknown = int(np.isnan(made.impact).any(axis=1).sum())
    if unknown:
        return "tracking", None, None, None, f"the cost of {unknown} of {len(made.reviews)} reviews is unknown"
    room = terms.tracking_cost_at_most * BP * years - made.dealing.sum()
    size = float(_root(np.array(room), np.array(made.impact.sum())))
    if not np.isfinite(size):
        return "tracking", None, None, None, "no size breaks it"
    part = (made.dealing + made.impact * np.sqrt(size)).sum(axis=0)
    note = "dealing alone costs more than the limit" if room < 0 else None
    return "tracking", size, None, made.companies[int(np.argmax(part))], note


def _curve(made: _Parts, sizes: FloatArray, years: float, terms: FundTerms) -> pl.DataFrame:
    """The table ``curve`` of `FundCapacity`."""
    unknown = np.isnan((made.impact + made.own).sum(axis=1))
    out = ", ".join(str(day) for day, lacks in zip(made.reviews, unknown, strict=True) if lacks)
    tables = (made.impact.sum(axis=1)[:, None], made.own, made.days)
    worst = [np.where(np.isnan(table), -np.inf, table) for table in tables]
    impact, own, days = (table.max() for table in worst)
    labels = made.reviews, made.companies, made.companies
    places = [int(np.argmax(table.max(axis=axis))) for table, axis in zip(worst, (1, 0, 0), strict=True)]
    whose = [name[at] if table.max() > 0 else None for name, at, table in zip(labels, places, worst, strict=True)]
    found: dict[str, FloatArray] = {
        "annual_bp": (made.dealing.sum() + made.impact.sum() * np.sqrt(sizes)) / years / BP,
        "worst_impact_bp": impact * np.sqrt(sizes) / BP,
        "own": own * sizes,
        "days": days * sizes,
    }
    most = (terms.tracking_cost_at_most, terms.impact_at_most, terms.own_at_most, terms.days_at_most)
    over = np.stack(
        [np.greater(values, limit * (1 + ROUNDING)) for values, limit in zip(found.values(), most, strict=True)]
    )
    broken = [
        ", ".join(name for name, broke in zip(MEASURES, column, strict=True) if broke) for column in over.T.tolist()
    ]
    table = pl.DataFrame({"fund_usd": sizes, **found}).with_columns(
        impact_review=pl.lit(whose[0], pl.Date),
        own_company=pl.lit(whose[1], pl.String),
        days_company=pl.lit(whose[2], pl.String),
        broken=pl.Series(broken, dtype=pl.String),
        note=pl.lit(f"unknown, left out: {out}" if out else None, pl.String),
    )
    numbers = pl.col(*found)
    order = ["fund_usd", "annual_bp", "worst_impact_bp", "impact_review", "own", "own_company", "days", "days_company"]
    return table.with_columns(pl.when(numbers.is_finite()).then(numbers)).select(*order, "broken", "note")


def _check(
    trades: Sequence[Trade],
    values_usd: Mapping[date, Mapping[str, float | None]],
    years: float,
    terms: FundTerms,
    sizes: Sequence[float],
) -> None:
    days = [one.effective for one in trades]
    asked = (
        ("trades", f"{len(days)}", len(days) > 0, "one review or more"),
        ("trades", f"{len(days) - len(set(days))} on a day of another", len(days) == len(set(days)), "one of a day"),
        ("years", f"{years:g}", 0 < years < np.inf, "the time in which the reviews fell, above 0"),
        ("sizes", f"{list(sizes)}", bool(sizes) and all(0 < size < np.inf for size in sizes), "US dollars above 0"),
        *((name, f"{value:g}", value > 0 and np.isfinite(value), "above 0") for name, value in vars(terms).items()),
        ("own_at_most", f"{terms.own_at_most:g}", terms.own_at_most <= 1, "a fraction of 1"),
        ("participation", f"{terms.participation:g}", terms.participation <= 1, "a fraction of 1"),
    )
    faults = [
        Problem(f"fund capacity, {name}", f"found {what}", cure) for name, what, sound, cure in asked if not sound
    ]
    faults += [
        Problem(f"fund capacity, market value of {symbol} on {day}", f"found {value}", "US dollars above 0, or None")
        for day, values in values_usd.items()
        for symbol, value in values.items()
        if value is not None and not 0 < value < np.inf
    ]
    if faults:
        raise DataError(*faults)
