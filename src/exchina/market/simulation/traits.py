"""What the simulated companies are like, by stage; orders of magnitude of the sector, chosen and not fitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from exchina.market.simulation.chance import Days, Floats, spread
from exchina.model import Reference


@dataclass(frozen=True, slots=True)
class Traits:
    """Typical figures of one stage.

    Attributes:
        value_usd: median market value at the start of its listing.
        volatility: standard deviation of log returns, per year.
        turnover: value traded in a session as a fraction of market value.
        placements_per_year: expected number of share issues.
        silent: fraction of sessions without a trade, hence without a price.
        price_usd: price of a share at the start where no share count is reported.
        dividend_yield: per year, of those that pay one.
        payers: fraction of companies that pay a dividend.
    """

    value_usd: float
    volatility: float
    turnover: float
    placements_per_year: float
    silent: float
    price_usd: float
    dividend_yield: float = 0.0
    payers: float = 0.0


TRAITS: Mapping[str, Traits] = {
    "explorer": Traits(40e6, 0.85, 0.002, 0.6, 0.015, 0.25),
    "developer": Traits(150e6, 0.75, 0.003, 0.5, 0.005, 0.60),
    "producer": Traits(800e6, 0.60, 0.006, 0.15, 0.001, 8.0, 0.02, 0.3),
    "processor": Traits(1.2e9, 0.60, 0.006, 0.15, 0.001, 8.0, 0.02, 0.2),
    "metal_alloy": Traits(500e6, 0.65, 0.004, 0.2, 0.002, 8.0, 0.02, 0.2),
    "magnet_maker": Traits(500e6, 0.80, 0.006, 0.3, 0.001, 8.0),
    "recycler": Traits(150e6, 0.60, 0.003, 0.3, 0.005, 1.0),
    "holding/royalty": Traits(200e6, 0.50, 0.003, 0.2, 0.005, 2.0),
}
CONGLOMERATE = Traits(10e9, 0.25, 0.004, 0.0, 0.0, 30.0, 0.025, 1.0)
SMALL = ("explorer", "developer", "recycler")
LOADING: Mapping[str, float] = {"pure": 1.0, "quasi": 0.6, "marginal": 0.12}


@dataclass(frozen=True, slots=True)
class Company:
    """A company to simulate.

    Attributes:
        id: of the reference.
        exposure: ``pure``, ``quasi`` or ``marginal``.
        stages: first day and name of each primary stage, by day; the first also holds before its day.
    """

    id: str
    exposure: str
    stages: tuple[tuple[date, str], ...]

    def stage(self, day: date) -> str:
        """Its primary stage on a day."""
        begun = [name for start, name in self.stages if start <= day]
        return begun[-1] if begun else self.stages[0][1]

    def traits(self, day: date) -> Traits:
        """The figures of its stage on a day; of a conglomerate where rare earths are a small part of a large whole."""
        stage = self.stage(day)
        if self.exposure == "marginal" and stage not in SMALL:
            return CONGLOMERATE
        return TRAITS[stage]

    def loading(self) -> float:
        """How strongly news of the sector moves it: 1 for a pure rare-earth company."""
        return LOADING[self.exposure]

    def value_usd(self, day: date, seed: int) -> float:
        """Its market value when it starts on ``day``: ten times the stage's for a marginal one, spread lognormally."""
        large = 10.0 if self.exposure == "marginal" and self.stage(day) in SMALL else 1.0
        return self.traits(day).value_usd * large * spread(0.5, seed, self.id, "value")

    def spans(self, days: Days) -> list[tuple[slice, date]]:
        """The stretches of ``days`` on which its stage does not change, each with the first day of that stage."""
        ends = np.searchsorted(days, np.array([start for start, _ in self.stages[1:]], dtype="datetime64[D]"))
        edges = [0, *ends.tolist(), len(days)]
        return [
            (slice(begin, end), start)
            for begin, end, (start, _) in zip(edges[:-1], edges[1:], self.stages, strict=True)
        ]

    def by_day(self, days: Days, trait: str) -> Floats:
        """One trait on each day; shape (days,)."""
        values = np.empty(len(days))
        for span, start in self.spans(days):
            values[span] = getattr(self.traits(start), trait)
        return values


def companies(reference: Reference) -> list[Company]:
    """The companies of the reference that have a listing and a primary stage, by id."""
    stages = reference.stages.filter(pl.col("role") == "primary").sort("company_id", "valid_from")
    by_company = {
        company_id: tuple(rows.select("valid_from", "stage").iter_rows())
        for (company_id,), rows in stages.group_by("company_id", maintain_order=True)
    }
    listed = set(reference.listings["company_id"])
    exposures = reference.companies.sort("id").select("id", "rare_earth_exposure").iter_rows()
    return [
        Company(name, exposure, by_company[name]) for name, exposure in exposures if name in by_company.keys() & listed
    ]
