"""The basket of a creation unit: what is handed over for it, what stands in cash, and what it costs to build.

Notation: H_i shares held, U shares of a creation unit, S shares outstanding, P_i price in fund currency.

    basket shares     B_i = floor(H_i U / S), 0 where the line cannot be handed over
    cash in lieu      sum of (floor(H_i U / S) - B_i) P_i
    cash component    U NAV - sum B_i P_i  =  cash in lieu + balancing amount

So the basket and the cash component are worth the unit's NAV: nobody who stays pays for who comes or goes. The same
basket serves redemptions. Shares are whole; lots of an exchange do not bind a transfer between custodians. The fields
are those of the portfolio composition file that a fund's agent sends to NSCC the evening before (T-1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from exchina.analytics.capacity import FloatArray
from exchina.errors import DataError, Problem, did_you_mean
from exchina.fund.accounts import DAYS
from exchina.fund.terms import Creation, Fee, FundFacts

WHOLE = 1e-9
NAV_ROUNDING = 0.005
COLUMNS = {
    "symbol": pl.String,
    "company_id": pl.String,
    "name": pl.String,
    "mic": pl.String,
    "currency": pl.String,
    "shares": pl.Float64,
    "price": pl.Float64,
    "rate": pl.Float64,
}
DIVIDENDS = {"symbol": pl.String, "gross": pl.Float64, "net": pl.Float64}
CUSTOM_NOTE = (
    "Custom basket. SEC rule 6c-11(c)(3) asks for written policies and procedures first: detailed parameters by which"
    " custom baskets are built and accepted in the best interests of the fund and its shareholders, how they are"
    " revised or departed from, and which employees of the adviser review each one."
)


@dataclass(frozen=True)
class Position:
    """What a fund holds at a close, from which the orders of its next session are dealt.

    Attributes:
        day: the session of the close.
        lines: symbol, company_id, name, mic, currency, shares, price (currency of the line), rate (fund currency per
            unit of it), one row a line.
        cash: cash, receivables, claims and open forwards less liabilities, fund currency.
        outstanding: S.
        nav_per_share: NAV of a share; it may be rounded to the cent.

    Raises:
        DataError: lines that are none, or a NAV that is not what lines and cash add up to; all at once.
    """

    day: date
    lines: pl.DataFrame = field(repr=False)
    cash: float
    outstanding: float
    nav_per_share: float

    def __post_init__(self) -> None:
        lacking = [column for column in COLUMNS if column not in self.lines.columns]
        where = f"position of {self.day}"
        if lacking:
            raise DataError(Problem(where, f"no column {', '.join(lacking)}", f"give {', '.join(COLUMNS)}"))
        lines, problems = self.lines.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items()), list[Problem]()
        for symbol in lines.filter(pl.col("symbol").is_duplicated())["symbol"].unique().sort():
            problems.append(Problem(f"{where}, {symbol}", "given twice", "one row a line"))
        for name, least in (("shares", 0.0), ("price", 0.0), ("rate", np.nextafter(0, 1))):
            sound = (pl.col(name).is_finite() & (pl.col(name) >= least)).fill_null(value=False)
            for row in lines.filter(~sound).iter_rows(named=True):
                cure = "a known number above 0" if least else "a known number, not below 0"
                problems.append(Problem(f"{where}, {row['symbol']}", f"{name} {row[name]}", cure))
        if not (0 < self.outstanding < np.inf and 0 < self.nav_per_share < np.inf and np.isfinite(self.cash)):
            what = f"cash {self.cash}, {self.outstanding} shares at {self.nav_per_share}"
            problems.append(Problem(where, what, "known numbers, shares and NAV above 0"))
        if problems:
            raise DataError(*problems)
        worth = float((lines["shares"] * lines["price"] * lines["rate"]).to_numpy().sum()) + self.cash
        apart = worth / self.outstanding - self.nav_per_share
        if abs(apart) > NAV_ROUNDING + WHOLE * self.nav_per_share:
            what = f"lines and cash come to {worth / self.outstanding:.6f} a share, NAV is {self.nav_per_share:.6f}"
            raise DataError(Problem(where, what, "count every asset and liability in cash, all at the same close"))


@dataclass(frozen=True)
class CreationBasket:
    """What one creation unit is made of; money in fund currency, nothing rounded.

    Attributes:
        day: the close of prices and NAV (T-1).
        trade_date: the session whose orders it serves (T).
        kind: ``standard``, a slice of the holdings, or ``custom``.
        unit_shares, outstanding, nav_per_share: U, S and NAV of a share.
        nav: NAV of a creation unit.
        lines: by symbol: company_id, name, mic, currency, price, rate, slice (H U / S), shares (B, handed over), value,
            in_lieu_shares and in_lieu (shares in whose place cash stands, and their value; below zero where a custom
            basket asks for more than the slice), weight (value of B in the unit's NAV), suspended (since; null), why
            (what is not handed over of it, and why; null).
        estimated_cash: the cash component expected for orders of ``trade_date``.
        fee: fixed charge of an order.
        notes: what to know about it.
    """

    day: date
    trade_date: date
    kind: Literal["standard", "custom"]
    unit_shares: int
    outstanding: float
    nav_per_share: float
    nav: float
    lines: pl.DataFrame = field(repr=False)
    estimated_cash: float
    fee: float
    notes: tuple[str, ...]

    @property
    def in_kind(self) -> float:
        """Value of the basket shares."""
        return float(self.lines["value"].to_numpy().sum())

    @property
    def in_lieu(self) -> float:
        """Cash in place of shares."""
        return float(self.lines["in_lieu"].to_numpy().sum())

    @property
    def cash_component(self) -> float:
        """What is paid beside the shares: unit NAV less their value; below zero, what is paid back."""
        return self.nav - self.in_kind

    @property
    def balancing_amount(self) -> float:
        """Cash component less cash in lieu: the fund's own cash and the fractions of shares."""
        return self.cash_component - self.in_lieu

    @property
    def undelivered(self) -> pl.DataFrame:
        """The lines that are not handed over as a slice: symbol, company_id, name, in_lieu, suspended, why."""
        return self.lines.drop_nulls("why").select("symbol", "company_id", "name", "in_lieu", "suspended", "why")


def basket(
    position: Position,
    creation: Creation,
    trade_date: date,
    *,
    fee: Fee,
    going_ex: pl.DataFrame | None = None,
    suspended: Mapping[str, date] | None = None,
    custom: Mapping[str, int] | None = None,
) -> CreationBasket:
    """The basket of a creation unit for the orders of a session.

    The estimated cash component carries today's forward, prices as they are:

        cash component - fee of the days between + sum_i gross_i B_i - (gross_i - net_i) H_i U / S

    A share that goes ex is worth less to who hands it over, while the fund books what is left of the dividend after
    tax. `cash_due` is what orders are settled at.

    Args:
        position: at the close before.
        creation: the terms of the fund.
        trade_date: T, the session after.
        fee: the fund's.
        going_ex: dividends ex on ``trade_date``: symbol, gross and net of tax, fund currency a share.
        suspended: lines that do not trade, with the day since.
        custom: shares a unit of lines that depart from the slice; 0 leaves one out. The difference is cash.

    Raises:
        DataError: a symbol that is not held, shares of a line that cannot be handed over, whole numbers that are none,
            a trade date that is not after the position, or a unit larger than all shares; all at once.
    """
    suspended, custom = suspended or {}, custom or {}
    lines = position.lines.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items()).sort("symbol")
    ex = pl.DataFrame(schema=DIVIDENDS) if going_ex is None else going_ex
    barred = [_barred(row["symbol"], row["mic"], creation, suspended) for row in lines.iter_rows(named=True)]
    reasons = dict(zip(lines["symbol"], barred, strict=True))
    _check(position, creation, trade_date, reasons, ex=ex, suspended=suspended, custom=custom)
    made = _lines(lines, creation.unit_shares / position.outstanding, barred, suspended, custom)
    nav = position.nav_per_share * creation.unit_shares
    in_kind = made["value"].to_numpy()
    dividends = made.select("symbol", "shares", "slice").join(ex, on="symbol", maintain_order="left")
    booked = dividends["gross"] * dividends["shares"] - (dividends["gross"] - dividends["net"]) * dividends["slice"]
    accrued = nav * fee.per_year * (trade_date - position.day).days / DAYS[fee.day_count]
    return CreationBasket(
        day=position.day,
        trade_date=trade_date,
        kind="custom" if custom else "standard",
        unit_shares=creation.unit_shares,
        outstanding=position.outstanding,
        nav_per_share=position.nav_per_share,
        nav=nav,
        lines=made.with_columns(weight=pl.Series(in_kind / nav)).select(
            *made.columns[:-2], "weight", "suspended", "why"
        ),
        estimated_cash=nav - float(in_kind.sum()) - accrued + float(booked.to_numpy().sum()),
        fee=creation.fee,
        notes=(CUSTOM_NOTE,) if custom else (),
    )


def cash_due(made: CreationBasket, close: Position) -> float:
    """What an order of the trade date settles at beside the shares: unit NAV of that close less their value at it.

    Args:
        made: the basket, published before.
        close: the fund at the close of ``trade_date``, shares on the terms of the basket.

    Raises:
        DataError: the position is of another day, or lacks a line of the basket.
    """
    joined = made.lines.filter(pl.col("shares") != 0).select("symbol", held="shares")
    joined = joined.join(close.lines.select("symbol", "price", "rate"), on="symbol", how="left", maintain_order="left")
    where = f"basket of {made.trade_date}"
    problems = [
        Problem(where, f"{symbol} has no price on {close.day}", "value every line that was handed over")
        for symbol in joined.filter(pl.col("price").is_null())["symbol"]
    ]
    if close.day != made.trade_date:
        problems.append(Problem(where, f"valued at the close of {close.day}", "use the close of its trade date"))
    if problems:
        raise DataError(*problems)
    value = joined["held"].cast(pl.Float64) * joined["price"] * joined["rate"]
    return close.nav_per_share * made.unit_shares - float(value.to_numpy().sum())


def _barred(symbol: str, mic: str, creation: Creation, suspended: Mapping[str, date]) -> str | None:
    """Why a line cannot be handed over."""
    if symbol in suspended:
        return f"suspended since {suspended[symbol]}: cash at the last price"
    if mic in creation.cash_only:
        return f"cash only: shares of {mic} cannot be handed over"
    return "the fund deals in cash" if creation.settled == "cash" else None


def _lines(
    lines: pl.DataFrame,
    share: float,
    barred: list[str | None],
    suspended: Mapping[str, date],
    custom: Mapping[str, int],
) -> pl.DataFrame:
    """The table of a basket but for the weight; ``share`` is U / S."""
    exact = lines["shares"].to_numpy() * share
    slice_ = np.floor(exact * (1 + WHOLE)).astype(np.int64)
    symbols, worth = lines["symbol"].to_list(), (lines["price"] * lines["rate"]).to_numpy()
    free = np.array([why is None for why in barred], bool)
    given = np.array([custom.get(symbol, own) for symbol, own in zip(symbols, slice_.tolist(), strict=True)], np.int64)
    shares = np.where(free, given, 0)
    why = [
        reason or _departs(symbol, custom, own, part)
        for symbol, reason, own, part in zip(symbols, barred, slice_.tolist(), exact.tolist(), strict=True)
    ]
    return lines.drop("shares").with_columns(
        pl.Series("slice", exact),
        pl.Series("shares", shares),
        pl.Series("value", shares * worth),
        pl.Series("in_lieu_shares", slice_ - shares),
        pl.Series("in_lieu", (slice_ - shares) * worth),
        pl.Series("suspended", [suspended.get(symbol) for symbol in symbols], pl.Date),
        pl.Series("why", why, pl.String),
    )


def _departs(symbol: str, custom: Mapping[str, int], slice_: int, exact: float) -> str | None:
    if symbol in custom:
        return f"custom: {custom[symbol]:,} shares, not {slice_:,}"
    return f"{exact:.2f} shares a unit: less than one" if exact > 0 and not slice_ else None


def _check(
    position: Position,
    creation: Creation,
    trade_date: date,
    reasons: Mapping[str, str | None],
    *,
    ex: pl.DataFrame,
    suspended: Mapping[str, date],
    custom: Mapping[str, int],
) -> None:
    where = f"basket of {trade_date}"
    if lacking := set(DIVIDENDS).difference(ex.columns):
        cure = "symbol, gross and net of tax, fund currency a share"
        raise DataError(Problem(f"{where}, going_ex", f"no column {', '.join(sorted(lacking))}", cure))
    problems = [
        Problem(f"{where}, {name}", f"no line {symbol!r} is held", did_you_mean(symbol, reasons))
        for name, named in (("going_ex", ex["symbol"]), ("suspended", suspended), ("custom", custom))
        for symbol in named
        if symbol not in reasons
    ]
    for row in ex.iter_rows(named=True):
        if not 0 <= row["net"] <= row["gross"] < np.inf:
            what = f"{row['symbol']}: {row['gross']} gross, {row['net']} net"
            problems.append(Problem(f"{where}, going_ex", what, "net of tax is from 0 to gross"))
    for symbol, shares in custom.items():
        if shares < 0 or shares != int(shares):
            problems.append(Problem(f"{where}, custom", f"{shares} shares of {symbol}", "a whole number, 0 or more"))
        elif shares and reasons.get(symbol):
            problems.append(Problem(f"{where}, custom", f"{symbol}: {reasons[symbol]}", "ask for none of its shares"))
    if trade_date <= position.day:
        problems.append(Problem(where, f"the position is of {position.day}", "orders are dealt in a session after it"))
    if creation.unit_shares > position.outstanding:
        what = f"a unit of {creation.unit_shares:,} shares of {position.outstanding:,.0f} outstanding"
        problems.append(Problem(where, what, "a fund begins with one unit or more"))
    if problems:
        raise DataError(*problems)


def table(made: CreationBasket, facts: FundFacts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The portfolio composition file of a basket: its header (field, value) and its components.

    Money is rounded to the cent line by line, and the total cash is what then lacks to the unit's NAV in cents, so
    that the file adds up as printed.
    """
    lines = made.lines
    cents, instead, nav = _cents(lines["value"]), _cents(lines["in_lieu"]), round(made.nav * 100)
    cash = nav - int(cents.sum())
    header = {
        "Fund": facts.id,
        "ETF Description": facts.name,
        "Currency": facts.currency,
        "Portfolio Trade Date": made.trade_date.isoformat(),
        "NAV Date (T-1)": made.day.isoformat(),
        "Basket Type": made.kind,
        "Component Count": str(int((lines["shares"] != 0).sum())),
        "Creation Unit Size": str(made.unit_shares),
        "Net Asset Value Per Share": f"{made.nav_per_share:.4f}",
        "Net Asset Value Per Creation Unit": f"{nav / 100:.2f}",
        "Basket Market Value": f"{cents.sum() / 100:.2f}",
        "Total Cash Amount Per Creation Unit": f"{cash / 100:.2f}",
        "Cash In Lieu Per Creation Unit": f"{instead.sum() / 100:.2f}",
        "Balancing Amount Per Creation Unit": f"{(cash - instead.sum()) / 100:.2f}",
        "Estimated Cash Amount Per Creation Unit": f"{made.estimated_cash:.2f}",
        "Total Shares Outstanding": f"{made.outstanding:.0f}",
        "Create/Redeem Fee Per Order": f"{made.fee:.2f}",
    }
    header |= {f"Note {number}": note for number, note in enumerate(made.notes, 1)}
    components = lines.select(
        "symbol",
        "name",
        "mic",
        "currency",
        basket_shares="shares",
        price="price",
        fx_rate="rate",
        market_value=pl.Series(cents / 100),
        weight=pl.col("weight").round(6),
        cash_in_lieu=pl.Series(np.where(lines["in_lieu_shares"].to_numpy() != 0, "Y", "N")),
        cash_in_lieu_shares="in_lieu_shares",
        cash_in_lieu_amount=pl.Series(instead / 100),
        note="why",
    )
    return pl.DataFrame({"field": list(header), "value": list(header.values())}), components


def _cents(money: pl.Series) -> FloatArray:
    return np.rint(money.to_numpy() * 100)
