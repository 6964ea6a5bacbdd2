"""What is known of each member and what is assumed, so that the worksheet can be filled; every number says which."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from exchina.analytics.stress.cover import MAGNETS, measures_counted
from exchina.analytics.stress.quantities import Quantity
from exchina.analytics.stress.scenario import Assumptions
from exchina.model import Reference

SELLER, ALLOY, CONSUMER, PROJECT = "seller", "alloy", "consumer", "project"
KINDS = {
    "producer": SELLER,
    "processor": SELLER,
    "recycler": SELLER,
    "metal_alloy": ALLOY,
    "magnet_maker": CONSUMER,
    "developer": PROJECT,
    "explorer": PROJECT,
}
KNOWN = ("ndpr_tonnes_per_year", "revenue_share_ndpr", "revenue_share_rare_earth", "all_in_cost_usd_per_kg")
NUMBERS = (
    *("ndpr_kg", "unit_cost", "ndpr_share", "floored_share", "floor", "upside_share", "floor_years", "offtake_share"),
    *("feed_usd", "magnet_kg", "oxide_kg", "feed_floored_share", "feed_floor", "feed_floor_years", "elasticity"),
)
FIRM = {
    **dict.fromkeys(["company_id", "symbol", "name", "stage", "kind", "note"], pl.String),
    **dict.fromkeys(["weight", "market_cap_usd", *NUMBERS], pl.Float64),
    **dict.fromkeys(["assumed", "share_assumed"], pl.Boolean),
}
INPUT = {
    **dict.fromkeys(["company_id", "quantity"], pl.String),
    "value": pl.Float64,
    **dict.fromkeys(["unit", "basis", "confidence", "source"], pl.String),
}


@dataclass(frozen=True)
class Firms:
    """The members of a basket as the worksheet reads them.

    Attributes:
        table: one row a member: company_id, symbol, name, stage, kind (seller, alloy, consumer, project; null: no
            worksheet), weight, market_cap_usd, the numbers of `NUMBERS` (0 where they do not apply), assumed and
            share_assumed (whether the shock to cash flow, and the share of NdPr in sales, rest on an assumption), note
            (why nothing can be computed; else null).
        inputs: one row a number used: company_id, quantity, value, unit, basis (``known`` or ``assumed``), confidence,
            source.
        measures: floors and offtakes in force, as `exchina.analytics.stress.cover.measures_counted` gives them.
    """

    table: pl.DataFrame
    inputs: pl.DataFrame = field(repr=False)
    measures: pl.DataFrame = field(repr=False)


def firms(members: pl.DataFrame, reference: Reference, day: date, assumptions: Assumptions) -> Firms:
    """Fill the worksheet's inputs: a fact known on the day before an assumption, and nothing where there is neither.

    Args:
        members: company_id, symbol, name, stage, weight, country, market_cap_usd, rare_earth_exposure.
        reference: the reference tables.
        day: the data cut-off.
        assumptions: what is assumed where a fact is missing.
    """
    measures = measures_counted(reference.policy_measures, reference.sponsors, day)
    known = _known(reference, day)
    made = [_Filling(row, known, measures, assumptions, day).filled() for row in members.to_dicts()]
    inputs = [line for one in made for line in one.inputs]
    held = measures.filter(pl.col("company_id").is_in(members["company_id"].implode()))
    return Firms(pl.DataFrame([one.row for one in made], FIRM), pl.DataFrame(inputs, INPUT, orient="row"), held)


def _known(reference: Reference, day: date) -> dict[tuple[str, str], dict[str, Any]]:
    rows = reference.exposures.filter((pl.col("known_date") <= day) & pl.col("metric").is_in(KNOWN))
    last = rows.sort("company_id", "metric", "as_of").unique(["company_id", "metric"], keep="last")
    return {(row["company_id"], row["metric"]): row for row in last.to_dicts()}


class _Filling:
    """One member's row and the list of numbers that went into it."""

    def __init__(
        self,
        member: dict[str, Any],
        known: dict[tuple[str, str], dict[str, Any]],
        measures: pl.DataFrame,
        assumptions: Assumptions,
        day: date,
    ) -> None:
        self.member, self.known, self.assumptions, self.day = member, known, assumptions, day
        self.measures = measures
        self.inputs: list[tuple[object, ...]] = []
        self.assumed = self.share_assumed = False
        keep = ("company_id", "symbol", "name", "stage", "weight", "market_cap_usd")
        self.row: dict[str, Any] = {name: member[name] for name in keep} | dict.fromkeys(NUMBERS, 0.0)

    def filled(self) -> "_Filling":
        kind, note = KINDS.get(self.member["stage"]), None
        if kind is None:
            note = f"no worksheet for the stage {self.member['stage']}"
        elif not self.member["market_cap_usd"]:
            kind, note = None, "no market value known"
        else:
            note = {SELLER: self._seller, ALLOY: self._alloy, CONSUMER: self._consumer, PROJECT: self._project}[kind]()
        self.row |= {"kind": None if note else kind, "note": note}
        self.row |= {"assumed": self.assumed, "share_assumed": self.share_assumed}
        return self

    def _seller(self) -> str | None:
        share = self._ndpr_share()
        made = self._fact("ndpr_tonnes_per_year")
        if made is not None:
            self.row["ndpr_kg"] = made * 1000
        else:
            sales = self._sales()
            if sales is None or share is None:
                return "no tonnage known, and none assumed for its stage"
            self.assumed = True
            self.row["ndpr_kg"] = sales * share / self._general("ndpr_price")
        cost = self._fact("all_in_cost_usd_per_kg")
        cost = self._of_stage("unit_cost") if cost is None else cost
        if cost is None:
            return "no unit cost known, and none assumed for its stage"
        self.row |= {"unit_cost": cost, "ndpr_share": share or 0.0, **self._cover()}
        return None

    def _alloy(self) -> str | None:
        sales, share = self._sales(), self._ndpr_share()
        if sales is None or share is None:
            return "no sales assumed for its stage"
        self.assumed = True
        feed = self._general("feed_share") * self._rare_earth_share()
        self._general("stock_days")
        self.row |= {"feed_usd": sales * feed, "ndpr_share": share}
        return None

    def _consumer(self) -> str | None:
        sales = self._sales()
        if sales is None:
            return "no sales assumed for its stage"
        self.assumed = True
        magnets = sales * self._rare_earth_share() / self._general("magnet_price")
        self._general("passthrough")
        oxide = magnets * self._general("oxide_per_magnet")
        self.row |= {"magnet_kg": magnets, "oxide_kg": oxide, **self._floored_feed()}
        self.share_assumed = False  # a buyer of NdPr has no share of it in its sales
        return None

    def _project(self) -> str | None:
        elasticity = self._of_stage("elasticity")
        if elasticity is None:
            return "no elasticity assumed for its stage"
        self.assumed = self.share_assumed = True
        self.row["elasticity"] = elasticity
        return None

    def _cover(self) -> dict[str, float]:
        """The floors of a seller: shares add up to the whole at most, levels and years by share of volume."""
        own = self.measures.filter(pl.col("company_id") == self.member["company_id"])
        made, left = self.row["ndpr_kg"], 1.0
        covered: list[tuple[float, dict[str, Any]]] = []
        for one in own.filter("as_floor").sort("floor", "id", descending=[True, False]).to_dicts():
            share = 1.0 if one["unlimited"] else one["volume_kg"] / made if made > 0 else 0.0
            covered.append((min(share, left), one))
            left -= covered[-1][0]
        whole = sum(share for share, _ in covered)
        bought = own.filter("as_offtake")["volume_kg"].sum()
        found = {"floored_share": whole, "offtake_share": min(1.0, bought / made) if made > 0 else 0.0}
        if whole <= 0:
            return found
        levels = {
            "floor": sum(share * one["floor"] for share, one in covered) / whole,
            "floor_years": min(one["years_left"] for _, one in covered),
            "upside_share": sum(share * self._upside(one["id"]) for share, one in covered) / whole,
        }
        ids = ", ".join(one["id"] for share, one in covered if share > 0)
        for name, value, unit in (("floored share", whole, "fraction"), ("floor", levels["floor"], "USD/kg")):
            self._note(name, value, unit, "known", "see policy_measures", ids)
        return found | levels

    def _upside(self, measure: str) -> float:
        quantity, since = self.assumptions.upsides.get(measure, (None, self.day))
        return quantity.value[0] if quantity and since <= self.day else 0.0

    def _floored_feed(self) -> dict[str, float]:
        """Feed bought under a floor that the buyer pays: assumed for magnet makers of the buyer's country."""
        here = self.measures.filter(
            pl.col("as_floor") & (pl.col("bears") == MAGNETS) & (pl.col("sponsor_country") == self.member["country"])
        )
        if here.is_empty():
            return {}
        share, one = self._general("floored_feed"), here.row(0, named=True)
        self._note("floor of the feed", one["floor"], "USD/kg", "known", "see policy_measures", one["id"])
        return {"feed_floored_share": share, "feed_floor": one["floor"], "feed_floor_years": one["years_left"]}

    def _ndpr_share(self) -> float | None:
        direct = self._fact("revenue_share_ndpr")
        if direct is not None:
            return direct
        self.share_assumed = True
        return self._rare_earth_share() * self._general("ndpr_share")

    def _rare_earth_share(self) -> float:
        found = self._fact("revenue_share_rare_earth")
        return self._general(f"sales_{self.member['rare_earth_exposure']}") if found is None else found

    def _sales(self) -> float | None:
        ratio = self._of_stage("sales_to_value")
        return None if ratio is None else ratio * self.member["market_cap_usd"]

    def _fact(self, metric: str) -> float | None:
        row = self.known.get((self.member["company_id"], metric))
        if row is None:
            return None
        basis = "assumed" if row["confidence"] == "assumption" else "known"
        if basis == "assumed" and metric != "all_in_cost_usd_per_kg":
            self.share_assumed = True
        source = row["source_url"] or f"exposures.csv, as of {row['as_of']}"
        self._note(metric, row["value"], row["unit"], basis, row["confidence"], source)
        return row["value"]

    def _of_stage(self, name: str) -> float | None:
        found = self.assumptions.of_stage(self.member["stage"], name)
        return None if found is None else self._taken(name, found)

    def _general(self, name: str) -> float:
        return self._taken(name, self.assumptions.general[name])

    def _taken(self, name: str, found: Quantity) -> float:
        source = found.source or "no source: chosen by the author of the assumptions"
        self._note(name, found.value[0], found.unit, "assumed", found.confidence, source)
        return found.value[0]

    def _note(self, name: str, value: float, unit: str, *origin: str) -> None:
        """Keep a number that was used; ``origin`` is its basis, confidence and source."""
        line = (self.member["company_id"], name, value, unit, *origin)
        if line not in self.inputs:
            self.inputs.append(line)
