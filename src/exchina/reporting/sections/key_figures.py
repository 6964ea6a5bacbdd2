"""The numbers that a reader should take away."""

from datetime import date

import polars as pl

from exchina.analytics.performance import risk, trailing_returns
from exchina.model import Basket
from exchina.reporting import section
from exchina.reporting.document import Block, KeyFigure, KeyFigures
from exchina.reporting.parts import Parts, weight_of
from exchina.reporting.wording import counted, day, month, number, percent


@section("key_figures")
def key_figures(parts: Parts) -> list[Block]:
    """Level, year to date, volatility and drawdown where the audience may see them; the composition for everybody.

    Args:
        parts: reads the levels and the basket.
    """
    return [KeyFigures((*_performance(parts), *_composition(parts)), place="full")]


def _performance(parts: Parts) -> list[KeyFigure]:
    levels = parts.levels("key_figures")
    if levels is None:
        return []
    index, measured = parts.book.index, risk(levels)
    start, year_to_date = trailing_returns(levels).filter(period="YTD").select("start", "return").row(0)
    fell = _span(measured["drawdown_peak"], measured["drawdown_trough"])
    return [
        KeyFigure(
            f"Index level, {index.returns[0]}", number(levels.item(-1, "level")), f"{index.currency}, hypothetical"
        ),
        KeyFigure(
            "Year to date", percent(year_to_date, signed=True), f"from {day(start)}" if start else "history too short"
        ),
        KeyFigure("Volatility, 1 year", percent(measured["volatility_1y"]), "daily, annualised"),
        KeyFigure("Largest fall", percent(measured["max_drawdown"]), fell),
    ]


def _composition(parts: Parts) -> list[KeyFigure]:
    basket = parts.composition
    figures = [
        KeyFigure("Constituents", str(basket.members.height), counted(basket.members["country"].n_unique(), "country")),
        KeyFigure("One-way turnover", percent(basket.turnover), f"review of {month(basket.review.effective)}"),
    ]
    return [*figures, *_breadth(basket)] if parts.withheld else figures


def _breadth(basket: Basket) -> list[KeyFigure]:
    members = basket.members.sort("weight", descending=True)
    backed = weight_of(members.filter(pl.col("policy_score") > 0))
    return [
        KeyFigure("Largest weight", percent(members.item(0, "weight")), members.item(0, "symbol")),
        KeyFigure("Ten largest", percent(weight_of(members.head(10))), "of the weight"),
        KeyFigure("Policy-backed", percent(backed), "of the weight"),
    ]


def _span(peak: date | None, trough: date | None) -> str:
    return f"{month(peak)} to {month(trough)}" if peak and trough else "no fall"
