"""One point of a scenario's grid, with measures or without: prices, time, terms, and what they do to firms."""

from functools import partial

import numpy as np
import polars as pl

from exchina.analytics.stress import cash_flow
from exchina.analytics.stress.firms import CONSUMER, SELLER
from exchina.analytics.stress.floor import NO_COVER, Cover, FloatArray
from exchina.analytics.stress.scenario import Assumptions, Scenario

ESSAY_YEAR = 2040
Cell = dict[str, float]


class World:
    """Prices, time and terms at one point of the grid: with measures or without, with the scenario's floor or not."""

    def __init__(
        self, cell: Cell, scenario: Scenario, assumptions: Assumptions, *, measures: bool, own_floor: bool
    ) -> None:
        self.cell, self.assumptions, self.measures = cell, assumptions, measures
        self.tax, self.discount = assumptions["tax_rate"], assumptions["discount_rate"]
        self.years = scenario.facts.horizon_years
        self.before = assumptions["ndpr_price"]
        self.market = self.before * (1 + cell["ndpr_price"])
        self.inside = max(self.market, cell["allied_floor"]) if own_floor else self.market
        self.moved = self.inside / self.before - 1 if self.inside != self.market else cell["ndpr_price"]
        self.kept = (1 - cell["floors_repealed"]) * (1 - cell["sponsor_haircut"])
        self.factor = self._annuity(self.years)
        still = cash_flow.annuity_factor(tax=self.tax, discount=self.discount, decay=0.0, years=self.years)
        self.persistence = self.factor / still

    def _annuity(self, years: float) -> float:
        return cash_flow.annuity_factor(tax=self.tax, discount=self.discount, decay=self.cell["decay"], years=years)

    def _standing(self, years: FloatArray) -> FloatArray:
        """The part of the annuity in which a floor of so many years still stands."""
        return np.array([self._annuity(min(float(one), self.years)) for one in years])

    def terms(self, part: pl.DataFrame) -> tuple[Cover, Cover]:
        """The sellers' terms before and after the shock."""
        if not self.measures:
            return NO_COVER, NO_COVER
        share, floor, upside = (numbers(part, name) for name in ("floored_share", "floor", "upside_share"))
        before = Cover(floored_share=share, floor=floor, upside_share=upside)
        return before, Cover(floored_share=share * self.kept, floor=floor, upside_share=upside)

    def seller(self, part: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Change in a year in which the floors stand, and the shock over all years."""
        volume = numbers(part, "ndpr_kg")
        before, after = self.terms(part)
        change = cash_flow.seller_change(self.before, self.inside, volume, before, after)
        beyond = cash_flow.seller_change(self.before, self.inside, volume, NO_COVER, NO_COVER)
        if self.measures and self.cell["offtake_default"]:
            unsold = volume * numbers(part, "offtake_share") * self.cell["offtake_default"]
            earned = cash_flow.ebitda(self.inside, unsold, numbers(part, "unit_cost"), 0.0, after)
            lost = np.maximum(earned, 0.0)
            change, beyond = change - lost, beyond - lost
        standing = self._standing(
            np.where(numbers(part, "floored_share") > 0, numbers(part, "floor_years"), self.years)
        )
        return change, self._shock(change, beyond, standing, part)

    def levels(self, part: pl.DataFrame) -> dict[str, FloatArray]:
        """EBITDA of the rare earth business before and after, and its leverage to the price before."""
        volume, cost = numbers(part, "ndpr_kg"), numbers(part, "unit_cost")
        before, after = self.terms(part)
        return {
            "ebitda_before": cash_flow.ebitda(self.before, volume, cost, 0.0, before),
            "ebitda_after": cash_flow.ebitda(self.inside, volume, cost, 0.0, after),
            "operating_leverage": cash_flow.operating_leverage(self.before, volume, cost, 0.0, before),
        }

    def consumer(self, part: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Magnet makers: buyers take over a part of the market's move; feed follows the market, or a floor."""
        feed, feed_after, standing = NO_COVER, NO_COVER, np.full(part.height, self.factor)
        if self.measures:
            share, floor = numbers(part, "feed_floored_share"), numbers(part, "feed_floor")
            feed = Cover(floored_share=share, floor=floor)
            feed_after = Cover(floored_share=share * self.kept, floor=floor)
            standing = self._standing(np.where(share > 0, numbers(part, "feed_floor_years"), self.years))
        oxide, taken = numbers(part, "oxide_kg"), self.assumptions["passthrough"]
        change = cash_flow.consumer_change(self.before, self.market, oxide, taken, feed=feed, feed_after=feed_after)
        beyond = cash_flow.consumer_change(self.before, self.market, oxide, taken, feed=NO_COVER, feed_after=NO_COVER)
        if self.inside != self.market:
            bloc = Cover(floored_share=1.0, floor=self.inside)
            beyond = cash_flow.consumer_change(self.before, self.market, oxide, taken, feed=NO_COVER, feed_after=bloc)
            level = np.maximum(self.inside, numbers(part, "feed_floor") * (numbers(part, "feed_floored_share") > 0))
            wider = Cover(floored_share=1.0, floor=level)
            change = cash_flow.consumer_change(self.before, self.market, oxide, taken, feed=feed, feed_after=wider)
        return change, self._shock(change, beyond, standing, part)

    def alloy(self, part: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Metal and alloy makers: the margin per kg stands, the stock loses once."""
        lost = cash_flow.stock_change(numbers(part, "feed_usd"), self.moved, self.assumptions["stock_days"])
        return lost, cash_flow.equity_shock(lost, 1 - self.tax, numbers(part, "market_cap_usd"))

    def _shock(self, change: FloatArray, beyond: FloatArray, standing: FloatArray, part: pl.DataFrame) -> FloatArray:
        value = change * standing + beyond * (self.factor - standing)
        return cash_flow.equity_shock(value, 1.0, numbers(part, "market_cap_usd"))


def growth(kind: str, part: pl.DataFrame, cell: Cell, scenario: Scenario, assumptions: Assumptions) -> FloatArray:
    """Volumes that follow a path of independence; floors end before most of it pays and are left out of both sides."""
    added = cell["independence"] / assumptions["independence"] - 1
    value = partial(
        cash_flow.growth_value,
        tax=assumptions["tax_rate"],
        discount=assumptions["discount_rate"],
        years=ESSAY_YEAR - scenario.facts.date.year,
        life=int(assumptions["plant_life"]),
    )
    if kind == SELLER:
        margin = assumptions["ndpr_price"] * (1 + cell["ndpr_price"]) - numbers(part, "unit_cost")
        worth = value(numbers(part, "ndpr_kg") * added, margin, assumptions["oxide_capital"])
    elif kind == CONSUMER:
        margin, capital = assumptions["magnet_margin"], assumptions["magnet_capital"]
        worth = value(numbers(part, "magnet_kg") * added, margin, capital)
    else:
        return np.full(part.height, np.nan)
    return cash_flow.equity_shock(worth, 1.0, numbers(part, "market_cap_usd"))


def numbers(part: pl.DataFrame, name: str) -> FloatArray:
    """A column as float64."""
    return part[name].to_numpy()
