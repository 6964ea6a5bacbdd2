"""A published holdings list as a fund: values, weights, the lines that do not trade, and where they are listed.

    value_i = shares_i x price_i x rate_i   where a price is given, else the published market value
    w_i     = value_i / net assets

Net assets are not in such a list. Its percentages, rounded at 0.01 %, bracket them: with m_i the published market value
and p_i the published share, max m_i / (p_i + h) <= net assets <= min m_i / (p_i - h), h = 0.005 %; the middle is taken.
What the lines leave of them is cash and what else is not listed.

A list alone does not show that a line is suspended: it is carried at some value like any other. It takes evidence from
outside: a suspension that is known, a price whose day is old, or an older list at the same price.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from exchina.errors import DataError, Problem, did_you_mean
from exchina.fund.held import Held, held_on
from exchina.tables.checking import at

MARKETS = {
    **{"AU": "AU", "C1": "CN", "C2": "CN", "CN": "CA", "FP": "FR", "GR": "DE", "GY": "DE", "HK": "HK", "IM": "IT"},
    **{"JP": "JP", "JT": "JP", "KQ": "KR", "KS": "KR", "LN": "GB", "MK": "MY", "NA": "NL", "NO": "NO", "SJ": "ZA"},
    **{"SM": "ES", "SP": "SG", "SS": "SE", "SW": "CH", "TB": "TH", "TT": "TW", "US": "US", "UN": "US", "UQ": "US"},
}
COLUMNS = ("ticker", "name", "shares", "asset_class", "market_value_usd", "pct_net_assets")
CASH = frozenset({"cash", "cash bal", "cash equivalent", "currency", "money market", "other/cash"})
IS_CASH = pl.col("asset_class").str.to_lowercase().is_in(sorted(CASH)).fill_null(value=False)
HALF = 0.00005
ROOM = 0.0005
SAME_PRICE = 1e-6


@dataclass(frozen=True)
class ListedFund:
    """A fund as its holdings list shows it.

    Attributes:
        day: of the list.
        lines: number, symbol, name, country (of the market; null where the ticker names none), shares, price_usd
            (value / shares), priced_by (``price``, ``published``), published_usd, value_usd, weight, published_weight,
            difference (weight - published), status (``traded``, ``suspended``, ``stale``, ``unmoved``), note. Cash
            lines stand apart.
        net_assets_usd: least, taken and most that the published percentages allow, at the published market values.
        cash_usd: net assets less the lines, at the values used.
        published_sum: of the published percentages, cash lines included.
        by_country: country, lines, value_usd, weight, by falling weight.
        held: the fund on the day as the limits see it, by issuer.
    """

    day: date
    lines: pl.DataFrame
    net_assets_usd: tuple[float, float, float]
    cash_usd: float
    published_sum: float
    by_country: pl.DataFrame
    held: Held

    @property
    def largest_difference(self) -> float:
        """Largest distance of a weight from the published one."""
        return float(self.lines["difference"].abs().to_numpy().max())

    @property
    def not_trading(self) -> pl.DataFrame:
        """The lines that are suspended, stale or unmoved."""
        return self.lines.filter(pl.col("status") != "traded")


@dataclass(frozen=True)
class Evidence:
    """What tells a line that does not trade.

    Attributes:
        suspended: symbol -> day of its last trade.
        stale_after_days: a price older than so many calendar days is stale.
        earlier: an older list with ticker, shares and market_value_usd; a line that kept its price is unmoved.
        rates_moved: market -> US dollars for a unit of its currency now / then, so that a price kept in local currency
            is seen; 1 for a market that is not named.
    """

    suspended: Mapping[str, date] | None = None
    stale_after_days: int = 7
    earlier: pl.DataFrame | None = None
    rates_moved: Mapping[str, float] | None = None


def listed_fund(
    table: pl.DataFrame,
    day: date,
    *,
    prices: pl.DataFrame | None = None,
    evidence: Evidence | None = None,
    issuers: Mapping[str, str] | None = None,
    votes: Mapping[str, float] | None = None,
    themed: Collection[str] | None = None,
) -> ListedFund:
    """Read a published holdings list.

    Args:
        table: ticker (``LYC AU``), name, shares, asset_class, market_value_usd, pct_net_assets (percent).
        day: of the list.
        prices: symbol (the ticker), price, currency, usd_per_unit and, if known, price_day; for any of the lines.
        evidence: of lines that do not trade.
        issuers: ticker -> issuer, where an issuer has several lines; else the ticker stands for it.
        votes: issuer -> share of its voting stock held; unknown where not given.
        themed: issuers that count as what the fund's name says; None: all.

    Raises:
        DataError: columns that lack, cells without a value, lines that stand twice, a market that is not known,
            percentages over 100 % or that no net assets explain, prices of no line; every fault of a kind at once.
    """
    faults = _faults(table, prices)
    if faults:
        raise DataError(*faults)
    low, high = _net_assets(table)
    middle = (low + high) / 2
    lines = _valued(table.filter(~IS_CASH), prices)
    net_assets = middle + float((lines["value_usd"] - lines["published_usd"]).sum())
    lines = lines.with_columns(weight=pl.col("value_usd") / net_assets).with_columns(
        difference=pl.col("weight") - pl.col("published_weight")
    )
    lines = _judged(lines, day, evidence or Evidence())
    by_country = lines.group_by("country").agg(pl.len().alias("lines"), pl.col("value_usd", "weight").sum())
    by_issuer = lines.with_columns(issuer=pl.col("symbol").replace(dict(issuers or {})))
    by_issuer = by_issuer.group_by("issuer", maintain_order=True).agg(pl.col("weight").sum())
    weights = dict(by_issuer.iter_rows())
    left = 1 - sum(weights.values())
    return ListedFund(
        day=day,
        lines=lines,
        net_assets_usd=(low, middle, high),
        cash_usd=net_assets - float(lines["value_usd"].sum()),
        published_sum=float(table["pct_net_assets"].sum()) / 100,
        by_country=by_country.sort("weight", "country", descending=[True, False]),
        held=held_on(day, weights, cash=left, votes=votes or {}, themed=themed),
    )


def _faults(table: pl.DataFrame, prices: pl.DataFrame | None) -> list[Problem]:
    lacking = [name for name in COLUMNS if name not in table.columns]
    if lacking:
        return [Problem("holdings", f"no column {name!r}", did_you_mean(name, table.columns)) for name in lacking]
    faults = list[Problem]()
    lacks = [~(pl.col(name) > 0).fill_null(value=False) for name in ("shares", "market_value_usd")]
    lacks.append(pl.col("pct_net_assets").is_null())
    for row in table.with_row_index("at").filter(pl.any_horizontal(*lacks), ~IS_CASH).iter_rows(named=True):
        what = f"{row['shares']} shares worth {row['market_value_usd']}, {row['pct_net_assets']} % of net assets"
        faults.append(Problem(at("holdings", row["at"] + 2, "shares"), what, "give all three, above zero"))
    for ticker in table.filter(pl.col("ticker").is_duplicated())["ticker"].unique().sort():
        faults.append(Problem(f"holdings, {ticker}", "stands twice", "add its lines together"))
    for ticker in table["ticker"].drop_nulls():
        suffix = ticker.rpartition(" ")[2]
        if suffix not in MARKETS and " " in ticker:
            faults.append(
                Problem(f"holdings, {ticker}", f"no market {suffix!r} is known", did_you_mean(suffix, MARKETS))
            )
    whole = float(table["pct_net_assets"].sum()) / 100
    if whole > 1 + ROOM:
        what = f"the lines add up to {whole:.2%} of net assets"
        faults.append(Problem("holdings", what, "a line that was dropped may still stand in the list"))
    return [*faults, *_price_faults(table, prices)]


def _price_faults(table: pl.DataFrame, prices: pl.DataFrame | None) -> list[Problem]:
    if prices is None:
        return []
    faults = list[Problem]()
    for row in prices.iter_rows(named=True):
        where = f"prices, {row['symbol']}"
        if row["symbol"] not in table["ticker"]:
            faults.append(Problem(where, "no line of the list", did_you_mean(row["symbol"], table["ticker"])))
        if not (row["price"] or 0) > 0 or not (row["usd_per_unit"] or 0) > 0:
            what = f"price {row['price']} {row['currency']}, {row['usd_per_unit']} US dollars a unit"
            faults.append(Problem(where, what, "give both, above zero, or leave the line out"))
        elif row["currency"] == "USD" and row["usd_per_unit"] != 1:
            faults.append(Problem(where, f"{row['usd_per_unit']} US dollars for a dollar", "usd_per_unit of USD is 1"))
    return faults


def _net_assets(table: pl.DataFrame) -> tuple[float, float]:
    """The net assets that the published market values and percentages allow."""
    value, share = table["market_value_usd"].to_numpy(), table["pct_net_assets"].to_numpy() / 100
    known = share > HALF
    low, high = value[known] / (share[known] + HALF), value[known] / (share[known] - HALF)
    if low.max() <= high.min():
        return float(low.max()), float(high.min())
    names = table["ticker"].to_numpy()[known]
    what = f"{names[low.argmax()]} says net assets of at least USD {low.max():,.0f}, "
    what += f"{names[high.argmin()]} of at most {high.min():,.0f}"
    raise DataError(Problem("holdings", what, "market values and percentages are of different days or totals"))


def _valued(table: pl.DataFrame, prices: pl.DataFrame | None) -> pl.DataFrame:
    """The lines at shares x price x rate where given, else at the published market value."""
    schema = {"symbol": pl.String, "price": pl.Float64, "usd_per_unit": pl.Float64, "price_day": pl.Date}
    given = pl.DataFrame(schema=schema) if prices is None else prices
    if "price_day" not in given.columns:
        given = given.with_columns(price_day=pl.lit(None, pl.Date))
    lines = table.select(
        pl.int_range(1, pl.len() + 1).alias("number"),
        pl.col("ticker").alias("symbol"),
        "name",
        pl.col("ticker").str.split(" ").list.last().replace_strict(MARKETS, default=None).alias("country"),
        pl.col("shares").cast(pl.Float64),
        pl.col("market_value_usd").alias("published_usd"),
        (pl.col("pct_net_assets") / 100).alias("published_weight"),
    )
    return lines.join(given.select(*schema), on="symbol", how="left", maintain_order="left").with_columns(
        priced_by=pl.when(pl.col("price").is_null()).then(pl.lit("published")).otherwise(pl.lit("price")),
        value_usd=pl.coalesce(pl.col("shares") * pl.col("price") * pl.col("usd_per_unit"), "published_usd"),
    )


def _judged(lines: pl.DataFrame, day: date, evidence: Evidence) -> pl.DataFrame:
    """Status and note of each line, by the strongest evidence."""
    suspended, earlier = evidence.suspended or {}, _earlier(evidence)
    strange = sorted(set(suspended) - set(lines["symbol"]))
    if strange:
        hints = (
            Problem(f"suspended, {one}", "no line of the list", did_you_mean(one, lines["symbol"])) for one in strange
        )
        raise DataError(*hints)
    oldest, verdicts = day - timedelta(days=evidence.stale_after_days), list[tuple[str, str]]()
    for row in lines.iter_rows(named=True):
        symbol, price = row["symbol"], row["value_usd"] / row["shares"]
        now = row["published_usd"] / row["shares"]
        carried = f"carried at USD {price:,.6g} a share, {row['weight']:.2%} of net assets"
        if symbol in suspended:
            verdicts.append(("suspended", f"last traded on {suspended[symbol]}; {carried}"))
        elif row["price_day"] is not None and row["price_day"] < oldest:
            verdicts.append(("stale", f"price of {row['price_day']}; {carried}"))
        elif symbol in earlier and abs(now / earlier[symbol] - 1) < SAME_PRICE:
            verdicts.append(("unmoved", f"the price of the earlier list; {carried}"))
        else:
            verdicts.append(("traded", ""))
    judged = lines.with_columns(
        price_usd=pl.col("value_usd") / pl.col("shares"),
        status=pl.Series([status for status, _ in verdicts], dtype=pl.String),
        note=pl.Series([note for _, note in verdicts], dtype=pl.String),
    )
    order = ["number", "symbol", "name", "country", "shares", "price_usd", "priced_by", "published_usd", "value_usd"]
    return judged.select(*order, "weight", "published_weight", "difference", "status", "note")


def _earlier(evidence: Evidence) -> dict[str, float]:
    """Price in US dollars of each line of the older list, at the rates of now."""
    if evidence.earlier is None:
        return {}
    moved = evidence.rates_moved or {}
    rows = evidence.earlier.select("ticker", pl.col("market_value_usd") / pl.col("shares")).drop_nulls()
    return {ticker: price * moved.get(ticker.rpartition(" ")[2], 1.0) for ticker, price in rows.iter_rows()}
