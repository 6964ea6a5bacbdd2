"""The backing score against its worked table, and what was known when."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina import policy
from exchina.model import Reference
from exchina.reference import read_reference

FX = {"USD": 1.0, "AUD": 0.66, "EUR": 1.10, "CAD": 0.73}
FACTS = {
    "company_id": pl.String,
    "stage": pl.String,
    "market_cap_usd": pl.Float64,
    "programme_capex_usd": pl.Float64,
    "ndpr_tonnes_per_year": pl.Float64,
    "planned_ndpr_tonnes_per_year": pl.Float64,
    "planned_magnet_tonnes_per_year": pl.Float64,
    "revenue_share_ndpr": pl.Float64,
}
LYNAS = {"company_id": "lynas-rare-earths", "ndpr_tonnes_per_year": 8320.0, "revenue_share_ndpr": 0.85}
MID_2025 = [
    {"company_id": "mp-materials", "market_cap_usd": 163.5e6 * 33.27, "programme_capex_usd": 700e6},
    {**LYNAS, "market_cap_usd": 8.1e9 * 0.66},
    {"company_id": "iluka-resources", "programme_capex_usd": 1.75e9 * 0.66},
]
MID_2026 = [
    {
        "company_id": "mp-materials",
        "stage": "processor",
        "market_cap_usd": 177.1e6 * 56.01,
        "programme_capex_usd": 1.25e9,
        "planned_magnet_tonnes_per_year": 10_000.0,
        "revenue_share_ndpr": (72.2 + 42.3) / (90.6 + 42.3),
    },
    {**LYNAS, "market_cap_usd": 19.9e9 * 0.66},
    {"company_id": "iluka-resources", "programme_capex_usd": 1.75e9 * 0.66},
]


@pytest.fixture(scope="module")
def reference(root: Path) -> Reference:
    return read_reference(root / "indices" / "reference")


def scores(
    reference: Reference, day: date, rows: list[dict[str, object]], *, scope: float | None = None
) -> dict[str, dict[str, float]]:
    rate = pl.col("amount_currency").fill_null("USD").replace_strict(FX, return_dtype=pl.Float64)
    measures = reference.policy_measures.with_columns(amount_usd=pl.col("amount_value") * rate)
    if scope is not None:
        measures = measures.with_columns(scope_weight=pl.lit(scope))
    table = policy.backing(measures, reference.sponsors, pl.DataFrame(rows, schema=FACTS), day)
    return {row["company_id"]: row for row in table.to_dicts()}


@pytest.mark.parametrize(
    ("day", "rows", "company", "floor", "offtake", "capital", "score"),
    [
        (date(2025, 6, 30), MID_2025, "mp-materials", 0.00, 0.00, 0.11, 0.03),
        (date(2025, 6, 30), MID_2025, "lynas-rare-earths", 0.00, 0.00, 0.69, 0.21),
        (date(2025, 6, 30), MID_2025, "iluka-resources", 0.00, 0.00, 0.34, 0.10),
        (date(2026, 6, 30), MID_2026, "mp-materials", 0.82, 0.20, 0.49, 0.60),
        (date(2026, 6, 30), MID_2026, "lynas-rare-earths", 0.41, 0.41, 0.11, 0.32),
        (date(2026, 6, 30), MID_2026, "iluka-resources", 0.00, 0.00, 0.41, 0.12),
    ],
)
def test_worked_table(reference, day, rows, company, floor, offtake, capital, score) -> None:
    """policy.md section 6, whose inputs count every commitment in full (scope weight 1).

    It prints 0.42 for the floor part of Lynas in 2026; its stated inputs give 5,000 / 8,320 x 0.85 x 0.8 = 0.4087.
    """
    found = scores(reference, day, rows, scope=1.0)[company]
    assert round(found["floor_part"], 2) == floor
    assert round(found["offtake_part"], 2) == offtake
    assert round(found["capital_part"], 2) == capital
    assert round(found["policy_score"], 2) == score


def test_scope_weights_of_the_registry_halve_lynas_in_2025(reference) -> None:
    assert round(scores(reference, date(2025, 6, 30), MID_2025)["lynas-rare-earths"]["policy_score"], 2) == 0.10


def test_the_pentagon_floor_is_unknown_the_day_before_it_was_announced(reference) -> None:
    before, after = (scores(reference, date(2025, 7, day), MID_2026)["mp-materials"]["floor_part"] for day in (9, 10))
    assert before == 0
    assert after > 0.6


def test_a_letter_of_interest_weighs_an_eighth_of_a_signature() -> None:
    assert policy.BIND["letter_of_interest"] * 8 == policy.BIND["signed"]


def test_an_expired_contract_leaves(reference) -> None:
    ids = [set(policy.in_force(reference.policy_measures, date(2025, 11, day))["id"]) for day in (25, 26)]
    assert "LYC-DOD-2022-HRE" in ids[0] - ids[1]


def test_later_rows_change_nothing_earlier(reference) -> None:
    day = date(2025, 6, 30)
    past = reference.policy_measures.filter(pl.col("known_date") <= day)
    assert policy.in_force(reference.policy_measures, day).equals(policy.in_force(past, day))
