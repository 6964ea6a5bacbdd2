"""The mapping file of the ``files`` provider: which file holds what, and what its columns are called."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from exchina.errors import DataError, Problem, did_you_mean
from exchina.model import STRICT
from exchina.plugins import located

NAMED = ConfigDict(extra="forbid", populate_by_name=True)


@checked(frozen=True, config=NAMED)
class Fixed:
    """One value for every row, written ``{ is = "MP" }``."""

    value: Annotated[str, Field(alias="is")]


ColumnOf: TypeAlias = str | Fixed


@checked(frozen=True, kw_only=True, config=STRICT)
class Entry:
    """One file: its path or URL, and the column of the file that holds each column of ours.

    Attributes:
        path: relative to the mapping file, absolute, or a URL such as ``s3://bucket/prices.parquet``.
        only: symbols (currencies in a file of exchange rates) to keep; empty for all.
        known_date: column with the day on which a row became known; otherwise it is the row's own day.
    """

    path: str
    only: tuple[str, ...] = ()
    known_date: str | None = None


@checked(frozen=True, kw_only=True, config=STRICT)
class Prices(Entry):
    """Raw closes, from ``since`` on; ``market_cap_usd``, if there is one, gives share counts as value over price."""

    session: str = "session"
    symbol: ColumnOf = "symbol"
    close: str = "close"
    volume: str | None = None
    market_cap_usd: str | None = None
    since: date | None = None
    outside_listing_window: Literal["refuse", "cut"] = "refuse"


@checked(frozen=True, kw_only=True, config=STRICT)
class Dividends(Entry):
    """Cash per share; without a currency column amounts are as the venue quotes the share (pence in London).

    ``franked`` is the share of an amount that carries no tax, nothing where it is not mapped.
    """

    ex_date: str = "ex_date"
    symbol: ColumnOf = "symbol"
    amount: str = "amount"
    currency: ColumnOf | None = None
    type: ColumnOf = Fixed(value="ordinary")
    franked: str | None = None
    status: ColumnOf = Fixed(value="confirmed")


@checked(frozen=True, kw_only=True, config=STRICT)
class Splits(Entry):
    """New shares per old share."""

    ex_date: str = "ex_date"
    symbol: ColumnOf = "symbol"
    ratio: str = "ratio"


@checked(frozen=True, kw_only=True, config=STRICT)
class Shares(Entry):
    """Shares outstanding."""

    effective_date: str = "effective_date"
    symbol: ColumnOf = "symbol"
    shares: str = "shares"


@checked(frozen=True, kw_only=True, config=STRICT)
class Floats(Entry):
    """Reported free-float factors."""

    effective_date: str = "effective_date"
    symbol: ColumnOf = "symbol"
    free_float_factor: str = "free_float_factor"


@checked(frozen=True, kw_only=True, config=STRICT)
class Rates(Entry):
    """Exchange rates: long, one row per currency and session; or wide, one column per currency.

    In the wide layout each column holds units of that currency per one unit of ``units_per``, as central banks print.
    """

    session: str = "session"
    layout: Literal["long", "wide"] = "long"
    currency: ColumnOf = "currency"
    usd_per_unit: str = "usd_per_unit"
    units_per: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"


@checked(frozen=True, kw_only=True, config=STRICT)
class Benchmarks(Entry):
    """Levels of benchmarks; adjusted ones are welcome, for only their returns are read."""

    session: str = "session"
    symbol: ColumnOf = "symbol"
    level: str = "level"


@checked(frozen=True, kw_only=True, config=STRICT)
class Actions(Entry):
    """Corporate actions; amounts and prices are as the venue quotes the share (pence in London).

    Columns from ``new`` on are read where the file has them, or under the name mapped; ``source`` is else file and row.
    """

    id: str = "id"
    symbol: ColumnOf = "symbol"
    type: ColumnOf = "type"
    ex_date: str = "ex_date"
    status: ColumnOf = "status"
    new: str = "new"
    old: str = "old"
    amount: str = "amount"
    price: str = "price"
    fraction: str = "fraction"
    other: str = "other"
    underwritten: str = "underwritten"
    source: ColumnOf = "source"


@checked(frozen=True, kw_only=True, config=STRICT)
class Forwards(Entry):
    """One-month outright forward rates, one row per currency and session."""

    session: str = "session"
    currency: ColumnOf = "currency"
    usd_per_unit: str = "usd_per_unit"


@checked(frozen=True, kw_only=True, config=STRICT)
class CashRates(Entry):
    """Yearly money-market rates as fractions, one row per currency and session on which the rate was set."""

    session: str = "session"
    currency: ColumnOf = "currency"
    rate: str = "rate"


@checked(frozen=True, kw_only=True, config=STRICT)
class Source:
    """Where the files come from, in one sentence that travels into every document."""

    description: Annotated[str, Field(min_length=1)]


@checked(frozen=True, kw_only=True, config=STRICT)
class Assume:
    """What to assume where the files are silent; each assumption travels into every document."""

    free_float_factor: Annotated[float, Field(gt=0, le=1)] | None = None


@checked(frozen=True, kw_only=True, config=STRICT)
class MappingFile:
    """A whole mapping file."""

    source: Source
    prices: tuple[Prices, ...]
    dividends: tuple[Dividends, ...] = ()
    splits: tuple[Splits, ...] = ()
    shares: tuple[Shares, ...] = ()
    floats: tuple[Floats, ...] = ()
    fx: tuple[Rates, ...] = ()
    benchmarks: tuple[Benchmarks, ...] = ()
    actions: tuple[Actions, ...] = ()
    forwards: tuple[Forwards, ...] = ()
    cash_rates: tuple[CashRates, ...] = ()
    assume: Assume = Assume()


TABLES: dict[str, Any] = {
    "source": Source,
    "prices": Prices,
    "dividends": Dividends,
    "splits": Splits,
    "shares": Shares,
    "floats": Floats,
    "fx": Rates,
    "benchmarks": Benchmarks,
    "actions": Actions,
    "forwards": Forwards,
    "cash_rates": CashRates,
    "assume": Assume,
}


def read_mapping(path: Path) -> MappingFile:
    """The mapping in a TOML file.

    Raises:
        DataError: with every fault of the file: its place, what was found, the settings there are.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(Problem(str(path), f"cannot be read: {fault}", "name the TOML mapping file")) from fault
    except tomllib.TOMLDecodeError as fault:
        raise DataError(Problem(path.name, f"is not TOML: {fault}", "mend that line")) from fault
    try:
        return TypeAdapter(MappingFile).validate_python(settings)
    except ValidationError as fault:
        raise DataError(*_problems(path.name, fault)) from fault


def _problems(name: str, fault: ValidationError) -> Iterator[Problem]:
    for error in fault.errors():
        *place, last = error["loc"]
        if last == "str" and isinstance(error["input"], dict):
            continue  # meant as { is = ... }, which has errors of its own
        words = [str(part + 1 if isinstance(part, int) else part) for part in place if part != "Fixed"]
        where = " ".join([name, *words])
        if error["type"] == "unexpected_keyword_argument":
            known = _settings(place)
            yield Problem(where, f"has no setting {str(last)!r}", did_you_mean(str(last), known))
        else:
            yield located(f"{where} {last}", {**error, "loc": ()})


def _settings(place: Sequence[int | str]) -> list[str]:
    """The settings that may stand at a place of the file."""
    if "Fixed" in place:
        return ["is"]
    return [setting.name for setting in fields(TABLES[str(place[0])] if place else MappingFile)]
