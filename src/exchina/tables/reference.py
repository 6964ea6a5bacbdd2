"""The tables of ``indices/reference``: what each column means, and what may stand in it.

Every row names its source (``source_url``) and how sure it is (``confidence``: high, a dated primary document; medium,
secondary or partly inferred; low, weak; memory, unsourced; assumption, chosen). A row without a source must say low,
memory or assumption. An empty cell is unknown, never zero. The words allowed stand in `exchina.tables.reference_words`,
what must hold within a row in `exchina.tables.reference_rows`, between rows in `exchina.tables.reference_links`.
"""

from collections.abc import Callable

import pandera.polars as pa
import polars as pl
from stdnum import cusip, figi, isin
from stdnum.gb import sedol

from exchina.tables.actions import STATUSES as ACTION_STATUSES
from exchina.tables.reference_words import (
    ACTIONS,
    ASPECTS,
    CONFIDENCE,
    CREDIT_CLASSES,
    EXPOSURE_KINDS,
    FLOOR_PAYERS,
    INSTRUMENTS,
    LEVELS,
    PILLARS,
    SHOCK_KINDS,
    SPONSOR_KINDS,
    STAGES,
    STATUSES,
    UNITS,
)


def _matching(pattern: str, cure: str, nullable: bool = False) -> pa.Column:
    return pa.Column(pl.String, pa.Check.str_matches(pattern, description=cure), nullable=nullable)


def _one_of(*words: str, nullable: bool = False) -> pa.Column:
    return pa.Column(pl.String, pa.Check.isin(list(words)), nullable=nullable)


def _number(least: float, most: float, nullable: bool = False) -> pa.Column:
    return pa.Column(pl.Float64, pa.Check.in_range(least, most), nullable=nullable)


def _coded(validate: Callable[[str], bool], cure: str) -> pa.Column:
    """A code whose check digit fits, as it is written officially: in capitals, without spaces."""

    def sound(code: str) -> bool:
        return code.isalnum() and code == code.upper() and validate(code)

    return pa.Column(pl.String, pa.Check(sound, element_wise=True, description=cure), nullable=True)


ID_CURE = "small letters and digits in words joined by hyphens, such as mp-materials"
ID = _matching(r"^[a-z0-9]+(-[a-z0-9]+)*$", ID_CURE)
CODE = _matching(
    r"^[A-Z0-9]+(-[A-Z0-9]+)*$", "capital letters and digits in words joined by hyphens, such as S20101019-QUOTA"
)
COUNTRY_CURE = "two capital letters, the ISO 3166 code of the country, such as AU"
COUNTRY = _matching(r"^[A-Z]{2}$", COUNTRY_CURE)
CURRENCY_CURE = "three capital letters, the ISO 4217 code of the currency, such as USD"
CURRENCY = _matching(r"^[A-Z]{3}$", CURRENCY_CURE)
MIC = _matching(r"^[A-Z0-9]{4}$", "four capital letters or digits, the ISO 10383 code of the venue, such as XASX")
SYMBOL_PATTERN = r"^[A-Z0-9.-]{1,16}$"
SYMBOL_CURE = "the symbol at Yahoo, in capitals with the venue's suffix, such as LYC.AX"
SYMBOL = _matching(SYMBOL_PATTERN, SYMBOL_CURE)
ACTION_ID = pa.Column(
    pl.String,
    pa.Check.str_matches(r"^[A-Z0-9.]+(-[A-Z0-9]+)+$", description="symbol, type, year, such as ILU.AX-SPINOFF-2020"),
    unique=True,
)
TERM = _number(1e-12, 1e15, nullable=True)
ZONE = _matching(r"^[A-Z][A-Za-z]+/[A-Za-z_]+$", "a time zone of the IANA list, such as Asia/Shanghai")
TIME_OF_DAY = _matching(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "local time written hh:mm, such as 09:30")
TEXT = pa.Column(pl.String)
NOTE = pa.Column(pl.String, nullable=True)
DAY = pa.Column(pl.Date)
DAY_OR_OPEN = pa.Column(pl.Date, nullable=True)
ABOUT_DAY = _matching(
    r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$",
    "as much of the day as the source gives: 2023, 2023-03 or 2023-03-15",
    nullable=True,
)
YES_NO = pa.Column(pl.Boolean)
SOURCE = {
    "source_url": _matching(r"^https?://\S+$", "the full address of the page, starting with https://", nullable=True),
    "confidence": _one_of(*CONFIDENCE),
}


def _contract(name: str, key: list[str], columns: dict[str, pa.Column]) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, name=name, strict=True, ordered=True, unique=key)


COMPANIES = _contract(
    "companies",  # one row a company
    ["id"],
    {
        "id": ID,
        "name": TEXT,
        "country_of_domicile": _matching(r"^[A-Z]{2}$", COUNTRY_CURE, nullable=True),  # empty: not established
        "countries_of_operation": _matching(
            r"^[A-Z]{2}(;[A-Z]{2})*$", f"{COUNTRY_CURE}; several joined by ;", nullable=True
        ),
        "one_line_business": TEXT,
        "china_exposure_note": TEXT,
        "free_float_note": NOTE,
        **SOURCE,
        "rare_earth_exposure": _one_of(*EXPOSURE_KINDS),
        "listing_status": _one_of("listed", "acquired", "bankrupt", "delisted", "merger_pending_unverified"),
        "former_names": NOTE,
    },
)
LISTINGS = _contract(
    "listings",  # one row a symbol; first_trade_date empty: since before 2010; last_trade_date empty: to this day
    ["yahoo_symbol"],
    {
        "company_id": ID,
        "yahoo_symbol": SYMBOL,
        "mic": MIC,
        "currency": CURRENCY,
        "primary": YES_NO,
        "first_trade_date": DAY_OR_OPEN,
        "last_trade_date": DAY_OR_OPEN,
        "note": NOTE,
        **SOURCE,
        "first_trade_basis": _one_of("exact", "approx", "pre_2010"),
    },
)
STAGE_ROWS = _contract(
    "stages",  # what a company was on each day of [valid_from, valid_to)
    ["company_id", "stage", "role", "valid_from"],
    {
        "company_id": ID,
        "stage": _one_of(*STAGES),
        "role": _one_of("primary", "secondary"),
        "valid_from": DAY,
        "valid_to": DAY_OR_OPEN,
        "evidence": TEXT,
        **SOURCE,
    },
)
POLICY_MEASURES = _contract(
    "policy_measures",  # one status of one commitment; the same id with a later known_date supersedes it, and the same
    # id and known_date with a later recorded_at mends it
    ["id", "known_date", "recorded_at"],
    {
        "id": _matching(
            r"^[A-Z0-9]+([-.][A-Z0-9]+)*$", "capital letters and digits joined by hyphens, such as MP-DOW-2025-FLOOR"
        ),
        "company_id": ID,
        "instrument": _one_of(*INSTRUMENTS),
        "sponsor": TEXT,
        "sponsor_kind": _one_of("government", "private"),
        "status": _one_of(*STATUSES),
        "known_date": DAY,
        "valid_from": DAY,
        "valid_to": DAY_OR_OPEN,
        "amount_value": _number(0, 1e12, nullable=True),  # units of amount_currency
        "amount_currency": _matching(r"^[A-Z]{3}$", CURRENCY_CURE, nullable=True),
        "price_floor_value": _number(1e-6, 1e9, nullable=True),
        "price_floor_unit": _matching(r"^[A-Z]{3}/(kg|t)$", "currency per kg or t, such as USD/kg", nullable=True),
        "product": NOTE,
        "volume_t_per_year": _number(0, 1e9, nullable=True),
        "tenor_years": _number(1e-6, 100, nullable=True),
        "summary": TEXT,
        **SOURCE,
        "price_basis": _one_of("incl_vat", "excl_vat", "unknown"),  # of the floor: with or without Chinese VAT
        "floor_payer": _one_of(*FLOOR_PAYERS),  # a floor that the buyer pays protects the seller and burdens the buyer
        "take_obligation": _one_of("true", "false", "unknown"),  # unknown is a finding of its own, not an empty cell
        "scope_weight": _number(0, 1),  # how much of the company the measure reaches
        "package_id": TEXT,  # announced together; its money is added once (exchina.policy.packages)
        "pillar": _one_of(*PILLARS),
        "recorded_at": DAY,  # when this row was written down here
    },
)
SPONSORS = _contract(
    "sponsors",  # who stands behind a measure: the name as policy_measures spells it, its group and its credit class
    ["sponsor"],
    {
        "sponsor": TEXT,
        "sponsor_group": TEXT,
        "country": COUNTRY,  # EU for the Union, ZZ where no single country stands behind it
        "credit_class": _one_of(*CREDIT_CLASSES),
        "kind": _one_of(*SPONSOR_KINDS),
        "sponsor_company": _matching(r"^[a-z0-9]+(-[a-z0-9]+)*$", ID_CURE, nullable=True),  # its company_id, if any
        "note": NOTE,
        "confidence": SOURCE["confidence"],
    },
)
POLICY_SHOCKS = _contract(
    "policy_shocks",  # one dated event; direction: the expected sign for ex-China names, fixed before prices were seen
    ["id"],
    {
        "id": CODE,
        "event_date": DAY,
        "title": TEXT,
        "kind": _one_of(*SHOCK_KINDS),
        "actor": TEXT,
        "direction": pa.Column(pl.Int8, pa.Check.isin([-1, 0, 1])),
        "expected_channel": TEXT,
        "affected_stage": _one_of("all", *STAGES),
        "confounders": NOTE,
        **SOURCE,
        "note": NOTE,
        "announced_at": pa.Column(pl.Datetime("us", "UTC"), nullable=True),
        "announced_zone": ZONE,
        "time_precision": _one_of("date", "minute"),
        "pillar": _one_of(*PILLARS, nullable=True),
        "leak_flag": YES_NO,
        "outcome": _one_of("happened", "scheduled", "unknown"),
    },
)
CORPORATE_ACTIONS = _contract(
    "corporate_actions",  # ratio_or_terms in words; numbers only as far as the words state them
    ["yahoo_symbol", "type", "effective_date"],
    {
        "company_id": ID,
        "yahoo_symbol": SYMBOL,
        "type": _one_of(*ACTIONS),
        "effective_date": DAY_OR_OPEN,
        "id": ACTION_ID,
        "ex_date": DAY_OR_OPEN,  # first session on the new terms, or without the line
        "new_shares": TERM,  # for every old_shares held: of the line itself, the child, the acquirer
        "old_shares": TERM,
        "cash_per_share": TERM,  # in the currency of the listing, as price
        "price": TERM,  # subscription price of a rights issue, reference price of the child of a spin-off
        "other_symbol": _matching(SYMBOL_PATTERN, SYMBOL_CURE, nullable=True),  # child, acquirer, line before or after
        "known_date": DAY,
        "ratio_or_terms": TEXT,
        "successor_id": _matching(r"^[a-z0-9]+(-[a-z0-9]+)*$", ID_CURE, nullable=True),
        **SOURCE,
        "status": _one_of(*ACTION_STATUSES),
    },
)
EXPOSURES = _contract(
    "exposures",  # one measured fact of a company: true on as_of, known from known_date
    ["company_id", "metric", "as_of"],
    {
        "company_id": ID,
        "metric": _one_of(*UNITS),
        "value": _number(0, 1e15),
        "unit": _one_of(*sorted({unit for units in UNITS.values() for unit in units})),
        "as_of": DAY,
        "known_date": DAY,
        **SOURCE,
        "note": NOTE,
    },
)
CHINA_LINKS = _contract(
    "china_links",  # one dated link of a company to China; a later row of the same counterpart takes its place
    ["company_id", "aspect", "counterpart", "valid_from", "known_date"],
    {
        "company_id": ID,
        "aspect": _one_of(*ASPECTS),
        "counterpart": TEXT,
        "value": _matching(
            rf"^({'|'.join(LEVELS)}|0(\.[0-9]+)?|1)$", f"a share such as 0.0999, or one of {', '.join(LEVELS)}"
        ),
        "unit": _one_of("fraction", "level"),
        "valid_from": DAY,
        "valid_to": DAY_OR_OPEN,
        "known_date": DAY,
        "evidence": TEXT,
        **SOURCE,
    },
)
WITHHOLDING = _contract(
    "withholding",  # tax on dividends by the issuer's country and the holder's profile, on [valid_from, valid_to]
    ["country", "profile", "valid_from"],
    {
        "country": COUNTRY,
        "profile": _one_of("maximum", "treaty_us_ric", "treaty_ucits_ie", "treaty_ucits_lu"),
        "rate": _number(0, 1),
        "valid_from": DAY,
        "valid_to": DAY_OR_OPEN,
        "note": NOTE,
        **SOURCE,
    },
)
VENUES = _contract(
    "venues",  # one row a market; a vendor's price times quote_unit is a price in currency (0.01: pence)
    ["mic"],
    {
        "mic": MIC,
        "name": TEXT,
        "country": COUNTRY,
        "currency": CURRENCY,
        "quote_unit": _number(1e-6, 1),
        "utc_offset_zone": ZONE,
        "open_local": TIME_OF_DAY,
        "close_local": TIME_OF_DAY,
        "calendar": MIC,
        "calendar_is_standin": YES_NO,
        "yahoo_suffix": _matching(r"^\.[A-Z]{1,2}$", "a point and one or two capitals, such as .AX", nullable=True),
        "local_benchmark_symbol": TEXT,
        "note": NOTE,
        **SOURCE,
    },
)
BASIS_POINTS = _number(0, 2000)
TRADING_COSTS = _contract(
    "trading_costs",  # what a trade costs by venue, basis points of its value: assumptions, and taxes as read
    ["mic"],
    {
        "mic": MIC,
        "half_spread_bp": BASIS_POINTS,
        "commission_bp": BASIS_POINTS,
        "buy_tax_bp": BASIS_POINTS,
        "sell_tax_bp": BASIS_POINTS,
        "taxed_domicile": _matching(r"^[A-Z]{2}$", COUNTRY_CURE, nullable=True),  # only these issuers; empty: all
        **SOURCE,
        "note": NOTE,
    },
)
RELATED_ENTITIES = _contract(
    "related_entities",  # names linked to the universe, or easily confused with it, that are not in it
    ["id"],
    {
        "id": ID,
        "name": TEXT,
        "kind": _one_of("private", "out_of_scope_listed", "chinese_excluded", "symbol_trap", "rare_earth_fund"),
        "yahoo_symbol": NOTE,
        "country": COUNTRY,
        "reason": TEXT,
        **SOURCE,
    },
)
MONTH = "(1[0-2]|[1-9])"
LISTED_FUNDS = _contract(
    "listed_funds",  # funds that can be bought, by the terms they publish; terms that were not read are empty
    ["id"],
    {
        "id": ID,
        "ticker": _matching(r"^[A-Z0-9]{1,8}$", "capital letters and digits, such as REMX", nullable=True),
        "yahoo_symbol": _matching(SYMBOL_PATTERN, SYMBOL_CURE, nullable=True),  # of its prices, if a market has any
        "name": TEXT,
        "issuer": TEXT,
        "index_name": NOTE,
        "domicile": COUNTRY,
        "law": _one_of("us_1940_act", "ucits"),
        "since": ABOUT_DAY,
        "fee": _number(0, 0.05, nullable=True),  # fraction of net assets a year
        "fee_as_of": ABOUT_DAY,
        "replication": _one_of("full", "sampled", "swap", "active", "unknown"),
        "holdings": pa.Column(pl.Int32, pa.Check.in_range(1, 10_000), nullable=True),
        "review_months": _matching(rf"^{MONTH}(;{MONTH})*$", "months joined by ;, such as 3;6;9;12", nullable=True),
        "china": _one_of("in", "out", "unknown"),  # whether its rules let Chinese companies in
        "purity_rule": NOTE,
        "note": NOTE,
        **SOURCE,
    },
)
IDENTIFIERS = _contract(
    "identifiers",  # codes of a line from valid_from on, until its next row; each row replaces the one before whole
    ["symbol", "valid_from"],
    {
        "symbol": SYMBOL,
        "isin": _coded(isin.is_valid, "an ISIN with its check digit, such as US0378331005"),
        "sedol": _coded(sedol.is_valid, "a SEDOL with its check digit, such as B15KXQ8"),
        "cusip": _coded(cusip.is_valid, "a CUSIP with its check digit, such as 037833100"),
        "figi": _coded(figi.is_valid, "a FIGI with its check digit, such as BBG000B9XRY4"),
        "valid_from": DAY,
        "source": TEXT,  # who licensed them
    },
)

CONTRACTS: dict[str, pa.DataFrameSchema] = {
    "companies": COMPANIES,
    "listings": LISTINGS,
    "stages": STAGE_ROWS,
    "policy_measures": POLICY_MEASURES,
    "sponsors": SPONSORS,
    "policy_shocks": POLICY_SHOCKS,
    "corporate_actions": CORPORATE_ACTIONS,
    "exposures": EXPOSURES,
    "china_links": CHINA_LINKS,
    "withholding": WITHHOLDING,
    "venues": VENUES,
    "trading_costs": TRADING_COSTS,
    "related_entities": RELATED_ENTITIES,
    "listed_funds": LISTED_FUNDS,
}
OPTIONAL: dict[str, pa.DataFrameSchema] = {"identifiers": IDENTIFIERS}  # not shipped; without its file a table is empty
