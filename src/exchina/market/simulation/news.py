"""How news moves simulated prices: policy shocks, policy measures of one company, bankruptcies."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from exchina.market.simulation.chance import Days, Floats, between, spread
from exchina.market.simulation.traits import Company
from exchina.model import Reference

SMALLEST_SHOCK, LARGEST_SHOCK = 0.015, 0.05
MEASURE_JUMPS: Mapping[str, float] = {
    "price_floor": 0.35,
    "equity": 0.14,
    "offtake": 0.10,
    "loan": 0.08,
    "loan_guarantee": 0.08,
    "grant": 0.05,
}
CERTAINTY: Mapping[str, float] = {"conditional": 0.5, "letter_of_interest": 0.3, "proposed": 0.3}
OTHER_JUMP = 0.04
BANKRUPTCY_DAYS = 10


def news_steps(reference: Reference, company: Company, days: Days, sessions: pl.DataFrame, seed: int) -> Floats:
    """Log returns that news brings to a company on the sessions of one calendar; shape (days,).

    Args:
        reference: its shocks, measures and corporate actions are the news.
        company: who reacts.
        days: all weekdays of the simulation.
        sessions: session and close_at of the calendar on which the reaction is seen, sorted.
        seed: of the market.
    """
    steps = np.zeros(len(days))
    where = np.searchsorted(days, sessions["session"].to_numpy())
    closes = sessions["close_at"].dt.replace_time_zone(None).to_numpy()
    shocks, measures = _shocks(reference, company, seed), _measures(reference, company, seed)
    after = np.searchsorted(closes, np.array([instant for instant, _ in shocks], "datetime64[us]"), side="right")
    known = np.searchsorted(sessions["session"].to_numpy(), np.array(list(measures), "datetime64[D]"))
    for close, size in zip([*after, *known], [*(size for _, size in shocks), *measures.values()], strict=True):
        if close < len(where) and where[close] < len(days):
            steps[where[close]] += size
    for day in _bankruptcies(reference, company.id):
        last = int(np.busday_count(days[0], np.datetime64(day) + 1))
        fall = np.log(between(0.05, 0.2, seed, company.id, "bankruptcy")) / BANKRUPTCY_DAYS
        steps[max(last - BANKRUPTCY_DAYS, 0) : last] += fall
    return steps


def announced(shock: Mapping[str, Any]) -> datetime:
    """The instant of a shock, UTC without a zone; where only its day is known, noon where it was announced."""
    noon = datetime.combine(shock["event_date"], time(12), ZoneInfo(shock["announced_zone"]))
    instant: datetime = shock["announced_at"] or noon
    return instant.astimezone(UTC).replace(tzinfo=None)


def _shocks(reference: Reference, company: Company, seed: int) -> list[tuple[datetime, float]]:
    """The instant of each shock that reaches the company's stage, and the log return that answers it."""
    shocks = reference.policy_shocks.filter((pl.col("outcome") == "happened") & (pl.col("direction") != 0))
    found: list[tuple[datetime, float]] = []
    for shock in shocks.iter_rows(named=True):
        if shock["affected_stage"] in ("all", company.stage(shock["event_date"])):
            size = between(SMALLEST_SHOCK, LARGEST_SHOCK, seed, shock["id"]) * spread(
                0.5, seed, shock["id"], company.id
            )
            found.append((announced(shock), shock["direction"] * company.loading() * size))
    return found


def _measures(reference: Reference, company: Company, seed: int) -> dict[date, float]:
    """The largest jump of each day on which a policy measure of the company became known."""
    measures = reference.policy_measures.filter(pl.col("company_id") == company.id)
    news = measures.sort("known_date", "id").unique("id", keep="first", maintain_order=True)
    jumps: dict[date, float] = {}
    for known, name, instrument, status in news.select("known_date", "id", "instrument", "status").iter_rows():
        size = MEASURE_JUMPS.get(instrument, OTHER_JUMP) * CERTAINTY.get(status, 1.0)
        size *= between(0.6, 1.4, seed, name) * company.loading()
        jumps[known] = max(size, jumps.get(known, 0.0))
    return jumps


def _bankruptcies(reference: Reference, company_id: str) -> list[date]:
    actions = reference.corporate_actions.filter(
        (pl.col("company_id") == company_id) & (pl.col("type") == "bankruptcy") & pl.col("effective_date").is_not_null()
    )
    return actions["effective_date"].to_list()
