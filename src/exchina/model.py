"""The nouns: what a rulebook, a basket, an index series and a publication are.

All are frozen. Weights are fractions of 1. A money column ends in its currency, a duration in its unit. An FX rate is
index currency per one unit of listing currency; pence are 0.01 GBP. Two dates everywhere: when a fact is *effective*
and when it was *known*.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

import polars as pl
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked

Kind: TypeAlias = Literal["vendor", "file", "simulated"]
ReturnVariant: TypeAlias = Literal["PR", "GTR", "NTR", "LOCAL"]
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where data came from; it travels into every document and ledger row.

    Attributes:
        market: name of the market in the store, such as ``sample``.
        kind: ``vendor``, ``file`` or ``simulated``.
        source: one sentence a reader understands.
        retrieved_at: when it was fetched, ISO 8601 UTC.
        content_hash: SHA-256 over the stored data, so that the same inputs can be recognised; the same deliveries in
            the same order give the same hash, the same rows delivered in other portions another one.
        through: last session with a price.
        assumptions: what was assumed because the data did not say, one sentence each.
    """

    market: str
    kind: Kind
    source: str
    retrieved_at: str
    content_hash: str
    through: date
    assumptions: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether every page and figure that rests on this must say SIMULATED PRICES."""
        return self.kind == "simulated"


@dataclass(frozen=True, slots=True)
class Reference:
    """The tables of ``indices/reference``, checked (`exchina.tables.reference` has the contract of each).

    ``weak_facts`` lists every row of confidence low, memory or assumption: file, row (its number in the file),
    company_id, known (the day from which it counts; null where the file has none), confidence, what (in words).
    """

    companies: pl.DataFrame
    listings: pl.DataFrame
    stages: pl.DataFrame
    policy_measures: pl.DataFrame
    sponsors: pl.DataFrame
    policy_shocks: pl.DataFrame
    corporate_actions: pl.DataFrame
    exposures: pl.DataFrame
    withholding: pl.DataFrame
    venues: pl.DataFrame
    related_entities: pl.DataFrame
    weak_facts: pl.DataFrame
    content_hash: str


@dataclass(frozen=True, slots=True)
class MarketData:
    """The tables of a market, checked (`exchina.tables.market` has the contract of each)."""

    prices: pl.DataFrame
    dividends: pl.DataFrame
    splits: pl.DataFrame
    shares: pl.DataFrame
    floats: pl.DataFrame
    fx: pl.DataFrame
    benchmarks: pl.DataFrame
    actions: pl.DataFrame
    forwards: pl.DataFrame
    cash_rates: pl.DataFrame
    sessions: pl.DataFrame


@checked(frozen=True, config=STRICT)
class NthWeekday:
    """A day such as the third Friday of a month."""

    nth: Annotated[int, Field(ge=1, le=5)]
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday"]


@checked(frozen=True, config=STRICT)
class ReviewRule:
    """When an index is reviewed; sessions are those of ``calendar``."""

    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1)]
    effective_after_close_of: NthWeekday
    announced_sessions_before: Annotated[int, Field(ge=0, le=60)]
    data_cutoff_sessions_before: Annotated[int, Field(ge=0, le=120)]
    calendar: str


@checked(frozen=True, config=STRICT)
class IndexFacts:
    """What an index is: the ``[index]`` table of a rulebook."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    objective: Annotated[str, Field(min_length=1)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    base_date: date
    base_value: Annotated[float, Field(gt=0)]
    returns: Annotated[tuple[ReturnVariant, ...], Field(min_length=1)] = ("PR",)
    live_date: date | None = None


Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


@checked(frozen=True, config=STRICT)
class CalculationRule:
    """Conventions where index providers differ; `exchina.calculation.conventions` prints what each choice means."""

    family: Literal["market_cap", "fixed_weight", "price_weighted"]
    price: Literal["official_close"] = "official_close"
    weights_set_at: Literal["effective_close", "cutoff_close"] = "effective_close"
    dividends: Literal["close_points", "open_divisor", "into_payer"] = "close_points"
    dividend_fx: Literal["ex_date", "prior_day"] = "ex_date"
    dividend_estimates: Literal["when_confirmed", "estimate_then_correct"] = "when_confirmed"
    withholding: Literal["maximum", "treaty_us_ric", "treaty_ucits_ie", "treaty_ucits_lu"] = "maximum"
    franking: Literal["unfranked_part", "full_rate"] = "unfranked_part"
    special_dividend: Literal[
        "adjust_price_index", "adjust_price_index_net", "adjust_if_large", "reinvest_in_payer", "total_return_only"
    ] = "adjust_price_index"
    dilutive_rights: Literal["take_up", "sell_right"] = "take_up"
    spin_off: Literal[
        "add_at_zero_then_remove", "add_at_zero_then_keep", "when_issued", "adjust_price", "market_price"
    ] = "add_at_zero_then_remove"
    takeover: Literal["last_traded", "deal_terms"] = "last_traded"
    takeover_accepted_at_least: Share = 0.0
    proceeds: Literal["divisor", "pro_rata"] = "divisor"
    delisting: Literal["last_traded", "last_traded_then_zero"] = "last_traded"
    suspension: Literal["carry_last_price"] = "carry_last_price"
    suspension_clock_sessions: Annotated[int, Field(ge=0, le=260)] = 0
    share_changes: Literal["at_review", "at_threshold"] = "at_review"
    share_change_at_least: Share = 0.05
    reject_move_over: Annotated[float, Field(gt=0, le=100)] | None = None
    delayed_if_stale_weight_over: Share = 0.1
    restate_from_bp: Annotated[float, Field(ge=0)] = 5.0
    correct_from_bp: Annotated[float, Field(ge=0)] = 1.0
    restate_within_sessions: Annotated[int, Field(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a rulebook: which rule, with which settings, and why."""

    kind: Literal["screen", "select", "weight", "cap"]
    name: str
    settings: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class DerivedSeries:
    """A series that is made from a return variant: its name, which one, how, and why."""

    name: str
    of: ReturnVariant
    make: str
    settings: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of one index, read and checked; ``text`` is the file they came from."""

    index: IndexFacts
    review: ReviewRule
    screens: tuple[Rule, ...]
    select: Rule
    weight: Rule
    caps: tuple[Rule, ...]
    if_infeasible: tuple[str, ...]
    calculation: CalculationRule
    text: str = field(repr=False)
    content_hash: str
    series: tuple[DerivedSeries, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule in the order in which it is applied."""
        return (*self.screens, self.select, self.weight, *self.caps)


@dataclass(frozen=True, slots=True, order=True)
class Review:
    """The three days of one review: data frozen, result announced, in force after the close of ``effective``."""

    effective: date
    announced: date
    cutoff: date


def _simulated(provenance: Provenance) -> str:
    return ", SIMULATED PRICES" if provenance.simulated else ""


@dataclass(frozen=True, repr=False)
class Basket:
    """The composition that one review decides; *pro forma* until its effective date.

    Attributes:
        members: one row per member by falling weight: company_id, symbol, name, country, mic, currency, stage, weight,
            uncapped_weight, policy_score (and its parts floor_part, offtake_part, capital_part), close, price_date,
            free_float_market_cap_usd, previous_weight (drifted to the cut-off; 0 for an addition).
        leavers: company_id, symbol, name, previous_weight of each company that left.
        verdicts: each rule's verdict on each company of the universe, in rulebook order: company_id, kind, rule,
            passed, found, needed, margin, note.
        steps: every step taken down the infeasibility ladder, and other remarks, in words.
        held: whether the basket before simply goes on, without a trade, because no new one could be formed.
        turnover: one-way by line, 0.5 sum |w_new - w_drifted| at the cut-off; None for the first basket.
        weak_facts: the rows of `Reference.weak_facts` that the members rest on.
    """

    book: Rulebook
    review: Review
    members: pl.DataFrame
    leavers: pl.DataFrame
    verdicts: pl.DataFrame
    steps: tuple[str, ...]
    held: bool
    turnover: float | None
    weak_facts: pl.DataFrame
    provenance: Provenance

    def __repr__(self) -> str:
        size = f"{self.members.height} members, effective after the close of {self.review.effective}"
        return f"Basket of {self.book.index.id}: {size}{_simulated(self.provenance)}\n{self.members}"


@dataclass(frozen=True, repr=False)
class IndexSeries:
    """Levels of an index, the divisor log and the baskets behind them.

    Attributes:
        levels: session, variant, level (unrounded, index points), status (``published`` or ``delayed``), one row per
            session and variant.
        points: session, gross_points, net_points: dividend points of the price index.
        divisor: one row per change, the first at the base date (`exchina.calculation.logs.divisor_log`).
        shares: session (the first on the new terms), symbol, index_shares, weight, one composition per change.
        turnover: session, one_way: 0.5 sum |w_new - w_drifted|, both at the close after which a review takes effect.
        statuses: session, symbol, status, price_day of each price that was not that session's own official close.
        baskets: one per review, oldest first.
    """

    book: Rulebook
    levels: pl.DataFrame
    points: pl.DataFrame
    divisor: pl.DataFrame
    shares: pl.DataFrame
    turnover: pl.DataFrame
    statuses: pl.DataFrame
    baskets: tuple[Basket, ...]
    provenance: Provenance

    def __repr__(self) -> str:
        size = f"{self.levels.height} levels, {len(self.baskets)} reviews"
        return f"IndexSeries of {self.book.index.id}: {size}{_simulated(self.provenance)}\n{self.levels}"


@dataclass(frozen=True, slots=True)
class Publication:
    """One row of the ledger: what was published for which day, the hash of each file, and of the row before."""

    sequence: int
    index_id: str
    what: str
    for_day: date
    revision: int
    published_at: str
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    previous_hash: str
    hash: str
