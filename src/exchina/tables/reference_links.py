"""What must hold between the rows and between the tables of ``indices/reference``."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import polars as pl

from exchina.errors import Problem, did_you_mean
from exchina.tables.checking import at
from exchina.tables.reference_words import FINAL_STATUSES

Tables: TypeAlias = Mapping[str, pl.DataFrame]
NO_DAYS, ONE_DAY = pl.duration(), pl.duration(days=1)
KEYS = (
    ("listings", "company_id", ("companies.id",)),
    ("listings", "mic", ("venues.mic",)),
    ("trading_costs", "mic", ("venues.mic",)),
    ("stages", "company_id", ("companies.id",)),
    ("policy_measures", "company_id", ("companies.id", "related_entities.id")),
    ("policy_measures", "sponsor", ("sponsors.sponsor",)),
    ("corporate_actions", "company_id", ("companies.id",)),
    ("corporate_actions", "yahoo_symbol", ("listings.yahoo_symbol",)),
    ("corporate_actions", "successor_id", ("companies.id",)),
    ("corporate_actions", "other_symbol", ("listings.yahoo_symbol",)),
    ("identifiers", "symbol", ("listings.yahoo_symbol",)),
    ("exposures", "company_id", ("companies.id",)),
    ("china_links", "company_id", ("companies.id", "related_entities.id")),
)


def link_problems(tables: Tables) -> Iterator[Problem]:
    """Every contradiction between rows or tables.

    Args:
        tables: the tables that could be read, by name, in file order, each with all columns of its contract. A rule
            that needs a table that is not there is not asked.
    """
    numbered = {file: frame.with_row_index("row", 2) for file, frame in tables.items()}
    for needs, rule in RULES:
        if all(file in numbered for file in needs):
            yield from rule(*(numbered[file] for file in needs))
    yield from _unknown_keys(numbered)


def _unknown_keys(tables: Tables) -> Iterator[Problem]:
    for file, column, targets in KEYS:
        homes = [target.split(".") for target in targets]
        if file in tables and all(home in tables for home, _ in homes):
            known = {word for home, key in homes for word in tables[home][key].drop_nulls()}
            for row, word in tables[file].select("row", column).drop_nulls().iter_rows():
                if word not in known:
                    place = at(f"{file}.csv", row, column)
                    yield Problem(place, f"{word!r} is not in {' or '.join(targets)}", _near(word, known))


def _near(word: str, known: set[str]) -> str:
    guess = did_you_mean(word, known)
    return guess if guess.startswith("did") else "mend the spelling, or add the row it refers to"


def _related_apart(companies: pl.DataFrame, related: pl.DataFrame) -> Iterator[Problem]:
    for row, word in related.filter(pl.col("id").is_in(companies["id"].implode())).select("row", "id").iter_rows():
        what = f"{word!r} is a company of the universe, so it is not a related entity"
        yield Problem(at("related_entities.csv", row, "id"), what, "delete one of the two rows")


def _venue_agrees(listings: pl.DataFrame, venues: pl.DataFrame) -> Iterator[Problem]:
    venue = venues.select("mic", "yahoo_suffix", venue_currency="currency")
    rows = listings.join(venue, on="mic", how="inner", maintain_order="left")
    for row in rows.filter(pl.col("currency") != pl.col("venue_currency")).iter_rows(named=True):
        what = f"{row['currency']}, but {row['mic']} trades in {row['venue_currency']}"
        yield Problem(at("listings.csv", row["row"], "currency"), what, "mend the currency or the mic")
    for row in rows.filter(~pl.col("yahoo_symbol").str.ends_with(pl.col("yahoo_suffix"))).iter_rows(named=True):
        what = f"{row['yahoo_symbol']!r} does not end in {row['yahoo_suffix']!r}, the suffix of {row['mic']}"
        yield Problem(at("listings.csv", row["row"], "yahoo_symbol"), what, "mend the symbol or the mic")


def _one_primary_listing(companies: pl.DataFrame, listings: pl.DataFrame) -> Iterator[Problem]:
    count = listings.group_by("company_id").agg(times=pl.col("primary").sum())
    rows = companies.join(count, left_on="id", right_on="company_id", how="left", maintain_order="left")
    for row, name, times in rows.filter(pl.col("times").fill_null(0) != 1).select("row", "id", "times").iter_rows():
        what = f"{name!r} has {times or 0} primary listings"
        yield Problem(at("companies.csv", row, "id"), what, "exactly one row of listings.csv must say primary true")


def _has_primary_stage(companies: pl.DataFrame, stages: pl.DataFrame) -> Iterator[Problem]:
    staged = stages.filter(pl.col("role") == "primary")["company_id"].implode()
    for row, name in companies.filter(~pl.col("id").is_in(staged)).select("row", "id").iter_rows():
        what = f"{name!r} has no primary stage"
        yield Problem(at("companies.csv", row, "id"), what, "add a row of role primary to stages.csv")


def _one_primary_stage(stages: pl.DataFrame) -> Iterator[Problem]:
    primary = stages.filter(pl.col("role") == "primary")
    yield from _chained("stages.csv", primary, ["company_id"], NO_DAYS, "valid_to must be that day")


def _one_rate(withholding: pl.DataFrame) -> Iterator[Problem]:
    keys = ["country", "profile"]
    yield from _chained("withholding.csv", withholding, keys, ONE_DAY, "valid_to must be the day before")
    last = withholding.sort(*keys, "valid_from").group_by(keys, maintain_order=True).last()
    for row, day in last.filter(pl.col("valid_to").is_not_null()).select("row", "valid_to").iter_rows():
        what = f"no rate is given after {day}"
        yield Problem(at("withholding.csv", row, "valid_to"), what, "leave it empty, or add the rate that followed")


def _one_fund_a_symbol(funds: pl.DataFrame) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for row, symbol in funds.drop_nulls("yahoo_symbol").select("row", "yahoo_symbol").iter_rows():
        first = seen.setdefault(symbol, row)
        if first != row:
            what = f"{symbol!r} is the symbol of row {first} too"
            yield Problem(at("listed_funds.csv", row, "yahoo_symbol"), what, "one of the two has another symbol")


def _fund_symbols(funds: pl.DataFrame, listings: pl.DataFrame, related: pl.DataFrame) -> Iterator[Problem]:
    companies = dict(listings.select("yahoo_symbol", "company_id").iter_rows())
    known = dict(related.select("id", "yahoo_symbol").iter_rows())
    for row, name, symbol in funds.drop_nulls("yahoo_symbol").select("row", "id", "yahoo_symbol").iter_rows():
        place = at("listed_funds.csv", row, "yahoo_symbol")
        if symbol in companies:
            yield Problem(place, f"{symbol!r} is a line of {companies[symbol]}", "name the symbol of the fund")
        if known.get(name, symbol) != symbol:
            what = f"{symbol!r}, but {known[name]!r} in related_entities.csv"
            yield Problem(place, what, "one id is one fund: mend one of the two")


def _one_company_a_code(identifiers: pl.DataFrame, listings: pl.DataFrame) -> Iterator[Problem]:
    owners = dict(listings.select("yahoo_symbol", "company_id").iter_rows())
    for code in ("isin", "sedol", "cusip", "figi"):
        seen: dict[str, tuple[int, str | None]] = {}
        for row, symbol, value in identifiers.drop_nulls(code).select("row", "symbol", code).iter_rows():
            first, owner = seen.setdefault(value, (row, owners.get(symbol)))
            if owner != owners.get(symbol):
                what = f"{value!r} is that of {owner} in row {first}"
                yield Problem(at("identifiers.csv", row, code), what, "one code is one company: mend one of the two")


def _chained(where: str, rows: pl.DataFrame, keys: list[str], step: pl.Expr, cure: str) -> Iterator[Problem]:
    """Intervals of one key that leave a gap or overlap; ``step`` lies between an end and the next start."""
    rows = rows.sort(*keys, "valid_from").with_columns(
        after=pl.col("valid_from").shift(-1).over(keys), after_row=pl.col("row").shift(-1).over(keys)
    )
    broken = pl.col("after").is_not_null() & (pl.col("valid_to") + step).ne_missing(pl.col("after"))
    for row in rows.filter(broken).iter_rows(named=True):
        end, start = row["valid_to"], row["after"]
        kind = "a gap follows" if end is not None and end < start else "two rows hold at once"
        what = f"ends {end or 'never'}, but row {row['after_row']} starts {start}: {kind}"
        yield Problem(at(where, row["row"], "valid_to"), what, cure)


def _history_in_order(measures: pl.DataFrame) -> Iterator[Problem]:
    dated = measures.sort("known_date", "recorded_at", maintain_order=True)
    for name, history in dated.group_by("id", maintain_order=True):
        for before, row in zip(history.iter_rows(named=True), history[1:].iter_rows(named=True), strict=False):
            yield from _follows(str(name[0]), before, row)


def _follows(name: str, before: dict[str, object], row: dict[str, object]) -> Iterator[Problem]:
    place = ("policy_measures.csv", int(str(row["row"])))
    for column in ("company_id", "instrument"):
        if row[column] != before[column]:
            what = f"{name} is {row[column]!r} here and {before[column]!r} in row {before['row']}"
            yield Problem(at(*place, column), what, "one id is one commitment; give another one its own id")
    if before["status"] in FINAL_STATUSES and row["known_date"] != before["known_date"]:
        what = f"{name} goes on after it was {before['status']} in row {before['row']}"
        yield Problem(at(*place, "status"), what, "a commitment that comes back is a new id")


RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("companies", "related_entities"), _related_apart),
    (("listings", "venues"), _venue_agrees),
    (("companies", "listings"), _one_primary_listing),
    (("companies", "stages"), _has_primary_stage),
    (("stages",), _one_primary_stage),
    (("withholding",), _one_rate),
    (("listed_funds",), _one_fund_a_symbol),
    (("listed_funds", "listings", "related_entities"), _fund_symbols),
    (("identifiers", "listings"), _one_company_a_code),
    (("policy_measures",), _history_in_order),
)
