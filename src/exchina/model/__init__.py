"""The nouns: what a rulebook, a basket, an index series and a publication are.

All are frozen. Weights are fractions of 1. A money column ends in its currency, a duration in its unit. An FX rate is
index currency per one unit of listing currency; pence are 0.01 GBP. Two dates everywhere: when a fact is *effective*
and when it was *known*.
"""

from exchina.model.book import CalculationRule, DerivedSeries, IndexFacts, ReturnVariant, Rule, Rulebook, Share
from exchina.model.data import Kind, MarketData, Provenance, Reference
from exchina.model.made import CHECK_COLUMNS, Basket, Capping, IndexSeries, Publication
from exchina.model.reviews import (
    STRICT,
    Before,
    Day,
    Month,
    NthSession,
    NthWeekday,
    Review,
    ReviewEvent,
    ReviewRule,
    SpecialReview,
    Trigger,
)

__all__ = [
    "CHECK_COLUMNS",
    "STRICT",
    "Basket",
    "Before",
    "CalculationRule",
    "Capping",
    "Day",
    "DerivedSeries",
    "IndexFacts",
    "IndexSeries",
    "Kind",
    "MarketData",
    "Month",
    "NthSession",
    "NthWeekday",
    "Provenance",
    "Publication",
    "Reference",
    "ReturnVariant",
    "Review",
    "ReviewEvent",
    "ReviewRule",
    "Rule",
    "Rulebook",
    "Share",
    "SpecialReview",
    "Trigger",
]
