"""What a rulebook is: facts, conventions, rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from exchina.model.reviews import STRICT, ReviewRule

ReturnVariant: TypeAlias = Literal["PR", "GTR", "NTR", "LOCAL"]


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
    """One line of a rulebook: which rule, with which settings, and why.

    A screen may ask for persistence: a newcomer enters after ``passes_to_enter`` passes in a row, a member leaves
    after ``fails_to_leave`` failures in a row, this review included.
    """

    kind: Literal["screen", "select", "weight", "cap", "turnover"]
    name: str
    settings: Mapping[str, Any]
    why: str
    passes_to_enter: int = 1
    fails_to_leave: int = 1


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
    turnover: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule in the order in which it is applied."""
        return (*self.screens, self.select, self.weight, *self.caps, *self.turnover)
