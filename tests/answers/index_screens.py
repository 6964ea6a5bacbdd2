"""Screens: what each case asks of the universe table and the rules that read it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exchina.reference import read_reference
from exchina.rules.registers import REGISTERS
from exchina.universe import universe_on
from tests.markets import market, sessions

Case = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
START = date(2025, 3, 3)


def liquidity(case: Case) -> None:
    """The days as a market of one line: a suspended session has no price, a holiday is no session of its calendar."""
    given = [day | {"session": START + timedelta(days=at)} for at, day in enumerate(case["inputs"]["days"])]
    opened = [day["session"] for day in given if day.get("status") != "holiday"]
    traded = [day for day in given if day["p"] is not None]
    prices = {"symbol": "LYC.AX", "session": [day["session"] for day in traded]}
    prices |= {"close": [day["p"] for day in traded], "volume": [float(day["v"]) for day in traded]}
    rates = {"session": [day["session"] for day in given], "usd_per_unit": [day["fx"] for day in given]}
    data = market(
        prices=pl.DataFrame(prices),
        fx=pl.DataFrame({"currency": "AUD"} | rates),
        sessions=sessions("XASX", opened),
    )
    reference = read_reference(ROOT / "indices" / "reference")
    rows = universe_on(data, reference, given[-1]["session"]).filter(pl.col("symbol") == "LYC.AX")
    expected, screen = case["expected"], REGISTERS["screen"]["daily_traded_value"]
    values = rows["traded_values_usd"].item()
    assert values.mean() == pytest.approx(expected["adtv_usd_all_sessions"], rel=case["tolerance"]["rel"])
    there = values.filter(values > 0)
    assert there.mean() == pytest.approx(expected["adtv_usd_traded_days_only"], rel=case["tolerance"]["rel"])
    table = rows.with_columns(is_member=pl.lit(False))
    for bar, passes in (
        (expected["adtv_usd_all_sessions"] - 1e-6, True),
        (expected["adtv_usd_all_sessions"] + 1e-6, False),
    ):
        assert screen(table, at_least_usd=bar, measure="mean", sessions=63)["passed"].to_list() == [passes]


def renormalise(case: Case) -> None:
    """Published weights as market values: the domicile screen takes a country out, a weighting shares out the rest."""
    given, expected = case["inputs"], case["expected"]
    published = given["country_weights_pct"]
    codes = {name: chr(65 + at // 26) + chr(65 + at % 26) for at, name in enumerate(sorted(published))}
    assert sum(published.values()) == pytest.approx(expected["sum_published"])
    table = pl.DataFrame({"name": list(published), "free_float_market_cap_usd": list(published.values())})
    table = table.with_columns(
        review=pl.lit(0), company_id="name", country=pl.col("name").replace_strict(codes), policy_score=pl.lit(0.0)
    )
    screen = REGISTERS["screen"]["not_domiciled_in"](table, countries=[codes[name] for name in given["exclude"]])
    left = table.filter(screen["passed"])
    weights = REGISTERS["weight"]["free_float_cap"](left, power=1.0)
    found = dict(zip(left["name"], (weights * 100).to_list(), strict=True))
    assert found == pytest.approx(expected["ex_china_pct"], abs=case["tolerance"]["abs"])


ANSWERED = {"liquidity": liquidity, "renormalise": renormalise}
