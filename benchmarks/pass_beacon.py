"""The pass in py-beacon-kit: its rules where they can say it, rules written for its interface where not.

The kit has expression and feature screens, point-in-time data, weighting schemes and a single-name cap. A lower bar for
members, a rank with a buffer and a power of market value are written here as it asks its users to write a rule. The
cap on a stage has no place in its index, so that step is left out. Its expression and feature rules read one company at
a time; with ``batched`` at the end of the command line, rules that read the whole universe at once stand in for them.
"""
# ruff: noqa: ARG002 - the signatures are the kit's

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from beacon.asset.base import Asset
from beacon.data import DataFetcher, MarketData, ReferenceData
from beacon.data.features import FeatureData
from beacon.expressions import data as fields
from beacon.index import IndexDefinition
from beacon.index.calculation.calculator import IndexCalculator
from beacon.index.expression_rules import ExpressionRule
from beacon.index.feature_rules import FeatureRule
from beacon.index.methodology import EligibilityRuleBase, MarketCapRule, WeightingSchemeBase
from measure import Baskets, run, settings

BATCHED = sys.argv[-1] == "batched"
Inputs = tuple[dict[str, Any], DataFetcher, list[pd.Timestamp], bool]
CHINA = "china_revenue_share"
MEDIAN = "MEDIAN_TRADED_VALUE"
COLUMNS = {"company_id": "IDENTIFIER", "review": "DATE", "close_usd": "CLOSE", "free_float_factor": "FREE_FLOAT"}


def warmed(assets: list[Asset], day: pd.Timestamp, store: DataFetcher) -> None:
    store.warm_session([asset.asset_id for asset in assets], store.resolve_session(day))


def market_cap(asset: Asset, day: pd.Timestamp, store: DataFetcher) -> float | None:
    on = day.strftime("%Y-%m-%d")
    close, shares = store.fetch_price(asset.asset_id, on), store.fetch_shares_outstanding(asset.asset_id, on)
    free = store.fetch_free_float_factor(asset.asset_id, on)
    return None if close is None or shares is None or free is None else close * shares * free


def traded_value(asset: Asset, day: pd.Timestamp, store: DataFetcher) -> float | None:
    return store.fetch_price(asset.asset_id, day.strftime("%Y-%m-%d"), MEDIAN)


class TwoBars(EligibilityRuleBase):
    """An amount that members may reach at a lower level."""

    def __init__(self, name: str, amount: Any, rule: dict[str, Any], members: set[str]) -> None:
        super().__init__(name)
        self.amount, self.members = amount, members
        self.enter, self.stay = rule["at_least_usd"], rule["members_at_least_usd"]

    def prepare(self, candidates, current_date, market_data_provider, context=None) -> None:
        warmed(candidates, current_date, market_data_provider)

    def is_eligible(self, asset, current_date, market_data_provider, context=None) -> bool:
        value = self.amount(asset, current_date, market_data_provider)
        return value is not None and value >= (self.stay if asset.asset_id in self.members else self.enter)


class AnyOf(EligibilityRuleBase):
    """A reference column read for all candidates at once."""

    def __init__(self, column: str, allowed: list[str], keep: bool = True) -> None:
        super().__init__(f"AnyOf {column}")
        self.column, self.allowed, self.keep, self.words = column, set(allowed), keep, dict[str, str]()

    def prepare(self, candidates, current_date, market_data_provider, context=None) -> None:
        names = [asset.asset_id for asset in candidates]
        rows = market_data_provider.fetch_reference_data(names, current_date.strftime("%Y-%m-%d"))
        self.words = dict(zip(rows.index.get_level_values("IDENTIFIER"), rows[self.column], strict=True))

    def is_eligible(self, asset, current_date, market_data_provider, context=None) -> bool:
        return (self.words[asset.asset_id] in self.allowed) is self.keep


class AtMost(EligibilityRuleBase):
    """A column of the market data; a company without a value passes."""

    def __init__(self, column: str, most: float) -> None:
        super().__init__(f"AtMost {column}")
        self.column, self.most = column, most

    def prepare(self, candidates, current_date, market_data_provider, context=None) -> None:
        warmed(candidates, current_date, market_data_provider)

    def is_eligible(self, asset, current_date, market_data_provider, context=None) -> bool:
        value = market_data_provider.fetch_price(asset.asset_id, current_date.strftime("%Y-%m-%d"), self.column)
        return value is None or value <= self.most


class Top(EligibilityRuleBase):
    """The largest, members first while they rank within the buffer."""

    def __init__(self, rule: dict[str, Any], members: set[str]) -> None:
        super().__init__("Top")
        self.rule, self.members, self.seated = rule, members, set[str]()

    def prepare(self, candidates, current_date, market_data_provider, context=None) -> None:
        warmed(candidates, current_date, market_data_provider)
        sizes = {asset.asset_id: market_cap(asset, current_date, market_data_provider) for asset in candidates}
        order = sorted(sizes, key=lambda name: -sizes[name])
        stays = [name for name in order[: self.rule["keep_until_rank"]] if name in self.members]
        others = [name for name in order if name not in set(stays)]
        self.seated = set([*stays, *others][: self.rule["count"]])

    def is_eligible(self, asset, current_date, market_data_provider, context=None) -> bool:
        return asset.asset_id in self.seated


class PowerOfMarketCap(WeightingSchemeBase):
    """Free-float market value to a power."""

    def __init__(self, power: float) -> None:
        super().__init__("PowerOfMarketCap")
        self.power = power

    def calculate_weights(self, constituents, current_date, market_data_provider, context=None) -> dict[Asset, float]:
        warmed(constituents, current_date, market_data_provider)
        raw = {one: market_cap(one, current_date, market_data_provider) ** self.power for one in constituents}
        total = sum(raw.values())
        return {one: size / total for one, size in raw.items()}


def load(folder: Path) -> Inputs:
    """The kit's store. The median traded value comes ready made: the kit has only means."""
    table = pd.read_parquet(folder / "universe.parquet")
    rules = settings(folder)
    last = rules["screen"]["daily_traded_value"]["median_of_sessions"]
    table[MEDIAN] = table["traded_values_usd"].map(lambda values: np.nanmedian(values[-last:]))
    table["SHARES_OUTSTANDING"] = table["market_cap_usd"] / table["close_usd"]
    table = table.rename(columns=COLUMNS)
    table["DATE"] = pd.to_datetime(table["DATE"])
    market = table[["IDENTIFIER", "DATE", "CLOSE", "SHARES_OUTSTANDING", "FREE_FLOAT", MEDIAN, CHINA]]
    known = table[["IDENTIFIER", "DATE", CHINA]].dropna().drop_duplicates(["IDENTIFIER", CHINA])
    features = known.rename(columns={CHINA: "VALUE"}).assign(TYPE="filings", FIELD=CHINA)
    store = DataFetcher(
        MarketData.from_dataframe(market),
        ReferenceData.from_dataframe(reference(table)),
        features=FeatureData.from_dataframe(features),
    )
    return rules, store, sorted(table["DATE"].unique()), BATCHED


def reference(table: pd.DataFrame) -> pd.DataFrame:
    """One row a company and stage, with the days between which it held."""
    rows = table.sort_values(["IDENTIFIER", "DATE"])
    new = (rows["stage"] != rows["stage"].shift()) | (rows["IDENTIFIER"] != rows["IDENTIFIER"].shift())
    dated = rows[new][["IDENTIFIER", "DATE", "name", "currency", "mic", "country", "stage", "rare_earth_exposure"]]
    dated.columns = [
        "IDENTIFIER", "DATE_FROM", "NAME", "CURRENCY", "EXCHANGE", "COUNTRY_DOMICILE", "STAGE", "EXPOSURE",
    ]  # fmt: skip
    ends = dated.groupby("IDENTIFIER")["DATE_FROM"].shift(-1) - pd.Timedelta(days=1)
    return dated.assign(DATE_TO=ends)


def word_screens(screens: dict[str, Any], batched: bool) -> list[EligibilityRuleBase]:
    """Exposure, stage, domicile and revenue from China."""
    exposures, stages = screens["rare_earth_exposure"]["any_of"], screens["supply_chain_stage"]["any_of"]
    countries, most = screens["not_domiciled_in"]["countries"], screens["china_dependence"]["revenue_at_most"]
    if batched:
        words = [AnyOf("EXPOSURE", exposures), AnyOf("STAGE", stages), AnyOf("COUNTRY_DOMICILE", countries, keep=False)]
        return [*words, AtMost(CHINA, most)]
    columns = fields.reference
    asked = [columns.exposure.is_in(exposures), columns.stage.is_in(stages), ~columns.country_domicile.is_in(countries)]
    return [
        *(ExpressionRule.from_expression(one) for one in asked),
        FeatureRule(CHINA, "le", most, on_missing="include", max_age_days=None),
    ]


def work(inputs: Inputs) -> Baskets:
    """Universe, selection with its record, weights and cap at each review, through the kit's calculator."""
    rules, store, reviews, batched = inputs
    members: set[str] = set()
    screens = rules["screen"]
    definition = IndexDefinition(
        index_id="benchmark",
        index_name="Benchmark Index",
        base_date=f"{reviews[0]:%Y-%m-%d}",
        base_value=1000.0,
        currency="USD",
        eligibility_rules=[
            MarketCapRule(),
            TwoBars("FreeFloatMarketCap", market_cap, screens["free_float_market_cap"], members),
            TwoBars("DailyTradedValue", traded_value, screens["daily_traded_value"], members),
            *word_screens(screens, batched),
            Top(rules["select"]["top"], members),
        ],
        weighting_scheme=PowerOfMarketCap(rules["weight"]["free_float_cap"]["power"]),
        rebalancing_frequency="QUARTERLY",
        calendar="XNYS",
        universe_identifiers=store.reference_identifiers,
        max_constituent_weight=rules["cap"]["issuer"]["at_most"],
    )
    calculator = IndexCalculator(definition, store)
    baskets: Baskets = {}
    for review in reviews:
        selection = calculator.select_with_provenance(calculator.resolve_universe(review), review)
        weights, _ = calculator.cap_weights(calculator.calculate_constituent_weights(selection.survivors, review))
        members.clear()
        members.update(selection.survivor_ids)
        baskets[str(review.date())] = {asset.asset_id: weight for asset, weight in weights.items()}
    return baskets


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    name = "beacon_batched" if BATCHED else "beacon"
    run(name, f"py-beacon-kit {version('py-beacon-kit')}", load, work, lambda made: made)
