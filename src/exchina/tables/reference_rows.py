"""What each row of ``indices/reference`` must keep on its own, beyond the type and range of each cell."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from exchina.errors import Problem
from exchina.tables.checking import at
from exchina.tables.reference import CONTRACTS
from exchina.tables.reference_words import LEVELS, UNITS, WEAK


@dataclass(frozen=True, slots=True)
class RowRule:
    """One rule of one file: where ``broken`` is true, ``what`` (with the row's cells filled in) is wrong with it."""

    file: str
    column: str
    broken: pl.Expr
    what: str
    cure: str


def _both(file: str, value: str, unit: str) -> RowRule:
    what = f"of {value} and {unit} only one is filled in"
    return RowRule(file, unit, pl.col(value).is_null() != pl.col(unit).is_null(), what, "fill in both or neither")


def _fits(metric: str) -> pl.Expr:
    return (pl.col("metric") == metric) & ~pl.col("unit").is_in(UNITS[metric])


ROW_RULES = (
    *(
        RowRule(
            file,
            "source_url",
            pl.col("source_url").is_null() & ~pl.col("confidence").is_in(WEAK),
            "no source is given, yet the confidence is {confidence}",
            f"give the page, or set the confidence to one of {', '.join(WEAK)}",
        )
        for file, contract in CONTRACTS.items()
        if "source_url" in contract.columns
    ),
    *(
        RowRule(
            file,
            "valid_to",
            pl.col("valid_to") <= pl.col("valid_from"),
            "{valid_to} is not after valid_from {valid_from}",
            "valid_to is the first day on which the row no longer holds; leave it empty while it does",
        )
        for file in ("stages", "policy_measures", "china_links")
    ),
    RowRule(
        "withholding",
        "valid_to",
        pl.col("valid_to") < pl.col("valid_from"),
        "{valid_to} is before valid_from {valid_from}",
        "valid_to is the last day on which the rate holds; leave it empty while it does",
    ),
    _both("policy_measures", "amount_value", "amount_currency"),
    _both("policy_measures", "price_floor_value", "price_floor_unit"),
    RowRule(
        "policy_measures",
        "floor_payer",
        (pl.col("instrument") == "price_floor") & (pl.col("floor_payer") == "none"),
        "a price floor that nobody pays",
        "say whether the government or the buyer pays",
    ),
    RowRule(
        "policy_measures",
        "recorded_at",
        pl.col("recorded_at") < pl.col("known_date"),
        "recorded on {recorded_at}, before it could be known on {known_date}",
        "known_date is the first trading day on which the market could know",
    ),
    RowRule(
        "listings",
        "last_trade_date",
        pl.col("last_trade_date") < pl.col("first_trade_date"),
        "{last_trade_date} is before first_trade_date {first_trade_date}",
        "leave last_trade_date empty while the listing trades",
    ),
    RowRule(
        "listings",
        "first_trade_basis",
        (pl.col("first_trade_basis") == "pre_2010") != pl.col("first_trade_date").is_null(),
        "first_trade_basis {first_trade_basis} does not go with first_trade_date {first_trade_date}",
        "pre_2010 goes with an empty first_trade_date, exact and approx with a day",
    ),
    RowRule(
        "policy_shocks",
        "announced_at",
        (pl.col("time_precision") == "minute") != pl.col("announced_at").is_not_null(),
        "time_precision {time_precision} does not go with announced_at {announced_at}",
        "minute goes with the instant of the announcement, date with an empty cell",
    ),
    RowRule(
        "policy_shocks",
        "announced_at",
        pl.col("announced_at").is_not_null() & (pl.col("outcome") != "happened"),
        "announced at {announced_at}, yet the outcome is {outcome}",
        "an event that was announced has happened; leave announced_at empty until then",
    ),
    RowRule(
        "policy_shocks",
        "event_date",
        pl.col("announced_at").dt.date() > pl.col("event_date") + pl.duration(days=1),
        "{event_date} is before the announcement at {announced_at}",
        "the event day is the day on which the market could first know",
    ),
    RowRule(
        "corporate_actions",
        "effective_date",
        pl.when(pl.col("effective_date").is_null())
        .then(pl.col("status") == "completed")
        .otherwise(pl.col("status").is_in(("announced", "date_unverified"))),
        "status {status} does not go with effective_date {effective_date}",
        "completed goes with a day, announced and date_unverified with an empty cell",
    ),
    RowRule(
        "corporate_actions",
        "ex_date",
        pl.col("ex_date").is_not_null() & (pl.col("status") == "date_unverified"),
        "ex-date {ex_date} of an event whose day is not verified",
        "leave the ex-date empty until the exact session is known, then set the status",
    ),
    _both("corporate_actions", "new_shares", "old_shares"),
    *(
        RowRule(
            "corporate_actions",
            "new_shares",
            (pl.col("type") == kind) & wrong,
            "a {type} of {new_shares:g} for {old_shares:g}",
            f"new_shares for every old_shares: a {kind} leaves {said}",
        )
        for kind, wrong, said in (
            ("split", pl.col("new_shares") <= pl.col("old_shares"), "more shares"),
            ("consolidation", pl.col("new_shares") >= pl.col("old_shares"), "fewer shares"),
        )
    ),
    RowRule(
        "corporate_actions",
        "other_symbol",
        pl.col("other_symbol") == pl.col("yahoo_symbol"),
        "{other_symbol} names the line itself",
        "name the child, the acquirer, or the line before or after; or leave it empty",
    ),
    RowRule(
        "exposures",
        "known_date",
        pl.col("known_date") < pl.col("as_of"),
        "known on {known_date}, before the day {as_of} that it measures",
        "known_date is the first trading day on which the market could know",
    ),
    RowRule(
        "exposures",
        "unit",
        pl.any_horizontal(_fits(metric) for metric in UNITS),
        "{metric} is not measured in {unit}",
        "use the unit of the other rows of this metric",
    ),
    RowRule(
        "exposures",
        "value",
        (pl.col("unit") == "fraction") & (pl.col("value") > 1),
        "a fraction of {value}",
        "write 25% as 0.25",
    ),
    RowRule(
        "china_links",
        "unit",
        pl.col("aspect").is_in(["ownership", "revenue"]) != (pl.col("unit") == "fraction"),
        "{aspect} is not measured as a {unit}",
        "ownership and revenue are fractions, domicile and operations levels",
    ),
    RowRule(
        "china_links",
        "value",
        pl.col("value").is_in(LEVELS) != (pl.col("unit") == "level"),
        "{value} is no {unit}",
        f"a level is one of {', '.join(LEVELS)}, a fraction a number such as 0.25",
    ),
    RowRule(
        "china_links",
        "known_date",
        pl.col("known_date") < pl.col("valid_from"),
        "known on {known_date}, before the day {valid_from} from which it holds",
        "known_date is the first trading day on which the market could know",
    ),
    RowRule(
        "listed_funds",
        "fee_as_of",
        pl.col("fee").is_null() & pl.col("fee_as_of").is_not_null(),
        "a fee as of {fee_as_of}, and no fee",
        "give the fee as a fraction, or leave fee_as_of empty",
    ),
    RowRule(
        "listed_funds",
        "law",
        (pl.col("law") == "us_1940_act") != (pl.col("domicile") == "US"),
        "a fund of {domicile} under {law}",
        "a fund under the 1940 Act is a US one, a UCITS is none",
    ),
    RowRule(
        "listed_funds",
        "index_name",
        (pl.col("replication") == "active") & pl.col("index_name").is_not_null(),
        "an active fund that follows {index_name}",
        "leave the index empty, or say how it is replicated",
    ),
    RowRule(
        "identifiers",
        "isin",
        pl.all_horizontal(pl.col("isin", "sedol", "cusip", "figi").is_null()),
        "no code of {symbol} is given",
        "give at least one, or delete the row",
    ),
    RowRule(
        "identifiers",
        "cusip",
        pl.col("isin").str.contains("^(US|CA)") & (pl.col("isin").str.slice(2, 9) != pl.col("cusip")),
        "{cusip} is not the CUSIP within {isin}",
        "an ISIN of the US or Canada holds the CUSIP in its characters 3 to 11: mend one of the two",
    ),
    RowRule(
        "venues",
        "close_local",
        pl.col("close_local") <= pl.col("open_local"),
        "closes at {close_local}, opens at {open_local}",
        "write local times as hh:mm",
    ),
)


def row_problems(file: str, frame: pl.DataFrame) -> Iterator[Problem]:
    """Every row of one reference table that contradicts itself.

    Args:
        file: name of the table, such as ``stages``.
        frame: the table in file order, with all columns of its contract; a null in a cell breaks no rule.
    """
    numbered = frame.with_row_index("row", 2)
    for rule in ROW_RULES:
        if rule.file == file:
            for row in numbered.filter(rule.broken).iter_rows(named=True):
                yield Problem(at(f"{file}.csv", row["row"], rule.column), rule.what.format(**row), rule.cure)
