"""The tables of a market: what each column means, and what no provider may bring through the door.

Every table carries ``known_date``, the day on which a row could first be known. A row that changes later is a second
row with a later ``known_date``; the first is kept.
"""

import pandera.polars as pa
import polars as pl

from exchina.tables.actions import STATUSES, TERMS

POSITIVE = pa.Check.in_range(1e-12, 1e15)
SYMBOL = pa.Column(pl.String, pa.Check.str_length(1, 32))
DAY = pa.Column(pl.Date)
TERM = pa.Column(pl.Float64, POSITIVE, nullable=True)
CURRENCY = pa.Column(pl.String, pa.Check.str_matches(r"^[A-Z]{3}$"))
QUARANTINE_STATUSES = [
    "held",  # not in its table
    "noted",  # in its table already: the gate saw it too late
    "released",  # a reviewed override let it in
    "dropped",  # a reviewed override keeps it out
    "cleared",  # later data explained it, or the rule of the gate no longer holds it; it is in
    "replaced",  # the source has delivered another row in its place
]


def _contract(name: str, columns: dict[str, pa.Column], key: list[str]) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {**columns, "known_date": DAY}, name=name, strict=True, ordered=True, unique=[*key, "known_date"]
    )


PRICES = _contract(
    "prices",  # raw official closes in units of the listing's currency (pence already divided by 100)
    {
        "symbol": SYMBOL,
        "session": DAY,
        "close": pa.Column(pl.Float64, POSITIVE),
        "volume": pa.Column(pl.Float64, pa.Check.in_range(0, 1e15), nullable=True),
    },
    ["symbol", "session"],
)
DIVIDENDS = _contract(
    "dividends",  # cash per share as quoted on the ex-date
    {
        "symbol": SYMBOL,
        "ex_date": DAY,
        "amount": pa.Column(pl.Float64, POSITIVE),
        "currency": CURRENCY,
        "type": pa.Column(pl.String, pa.Check.isin(["ordinary", "special", "return_of_capital"])),
        "franked": pa.Column(pl.Float64, pa.Check.in_range(0, 1)),  # share of the amount that carries no tax
        "status": pa.Column(pl.String, pa.Check.isin(["confirmed", "estimated", "retracted"])),
    },
    ["symbol", "ex_date", "type"],
)
SPLITS = _contract(
    "splits",  # new shares per old share: 5.0 for five for one, 0.1 for one for ten
    {"symbol": SYMBOL, "ex_date": DAY, "ratio": pa.Column(pl.Float64, pa.Check.in_range(1e-6, 1e6))},
    ["symbol", "ex_date"],
)
SHARES = _contract(
    "shares",  # shares outstanding of the line, counted on effective_date, not yet adjusted for later splits
    {"symbol": SYMBOL, "effective_date": DAY, "shares": pa.Column(pl.Float64, POSITIVE)},
    ["symbol", "effective_date"],
)
FLOATS = _contract(
    "floats",  # share of the shares that the public can trade; basis says whether somebody reported it
    {
        "symbol": SYMBOL,
        "effective_date": DAY,
        "free_float_factor": pa.Column(pl.Float64, pa.Check.in_range(1e-6, 1)),
        "basis": pa.Column(pl.String, pa.Check.isin(["reported", "assumed"])),
    },
    ["symbol", "effective_date", "basis"],
)
FX = _contract(
    "fx",  # US dollars per one unit of the currency; USD itself is never a row
    {"currency": CURRENCY, "session": DAY, "usd_per_unit": pa.Column(pl.Float64, POSITIVE)},
    ["currency", "session"],
)
BENCHMARKS = _contract(
    "benchmarks",  # level of a benchmark, read for its returns only; adjusted (total return) levels are welcome here
    {"symbol": SYMBOL, "session": DAY, "level": pa.Column(pl.Float64, POSITIVE)},
    ["symbol", "session"],
)
ACTIONS = _contract(
    "actions",  # corporate actions other than splits and dividends; prices in the line's currency, status as known
    {
        "id": pa.Column(pl.String, pa.Check.str_length(1, 64)),
        "symbol": SYMBOL,
        "type": pa.Column(pl.String, pa.Check.isin(list(TERMS))),
        "ex_date": DAY,
        "new": TERM,
        "old": TERM,
        "amount": TERM,
        "price": TERM,
        "fraction": TERM,
        "other": pa.Column(pl.String, pa.Check.str_length(1, 32), nullable=True),
        "underwritten": pa.Column(pl.Boolean, nullable=True),
        "status": pa.Column(pl.String, pa.Check.isin(list(STATUSES))),
        "source": pa.Column(pl.String),
    },
    ["id"],
)
FORWARDS = _contract(
    "forwards",  # one-month outright: US dollars per one unit of the currency
    {"currency": CURRENCY, "session": DAY, "usd_per_unit": pa.Column(pl.Float64, POSITIVE)},
    ["currency", "session"],
)
CASH_RATES = _contract(
    "cash_rates",  # yearly money-market rate as a fraction, 0.05 for 5 %
    {"currency": CURRENCY, "session": DAY, "rate": pa.Column(pl.Float64, pa.Check.in_range(-0.5, 2))},
    ["currency", "session"],
)
QUARANTINE = _contract(
    "quarantine",  # a row that a gate held back, or saw in the market already; record: the whole row as JSON
    {
        "table": pa.Column(pl.String),
        "symbol": SYMBOL,  # or the currency; of a market that is missing whole, its calendar
        "day": DAY,
        "field": pa.Column(pl.String),
        "value": pa.Column(pl.Float64, nullable=True),
        "gate": pa.Column(pl.String),
        "found": pa.Column(pl.String),
        "needed": pa.Column(pl.String),
        "record": pa.Column(pl.String),
        "status": pa.Column(pl.String, pa.Check.isin(QUARANTINE_STATUSES)),
        "reason": pa.Column(pl.String, nullable=True),
        "author": pa.Column(pl.String, nullable=True),
    },
    ["table", "symbol", "day", "gate", "record"],
)
SESSIONS = pa.DataFrameSchema(
    {"calendar": pa.Column(pl.String), "session": DAY, "close_at": pa.Column(pl.Datetime("us", "UTC"))},
    name="sessions",  # trading days of a calendar and the instant at which each closes, into the coming year
    strict=True,
    ordered=True,
    unique=["calendar", "session"],
)

CONTRACTS: dict[str, pa.DataFrameSchema] = {
    "prices": PRICES,
    "dividends": DIVIDENDS,
    "splits": SPLITS,
    "shares": SHARES,
    "floats": FLOATS,
    "fx": FX,
    "benchmarks": BENCHMARKS,
    "actions": ACTIONS,
    "forwards": FORWARDS,
    "cash_rates": CASH_RATES,
    "sessions": SESSIONS,
    "quarantine": QUARANTINE,
}

SCHEMAS: dict[str, pl.Schema] = {
    name: pl.Schema({column: facts.dtype.type for column, facts in contract.columns.items()})
    for name, contract in CONTRACTS.items()
}
