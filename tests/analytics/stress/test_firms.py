"""What is known of a member and what is assumed: facts of the reference first, each number with its origin."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exchina.analytics.stress.firms import Firms, firms
from exchina.analytics.stress.scenario import Assumptions, parse_assumptions
from exchina.model import Reference
from exchina.reference import read_reference

MEMBERS = [
    ("mp-materials", "processor", "US", "pure", 1e10),
    ("lynas-rare-earths", "processor", "AU", "pure", 1e10),
    ("iluka-resources", "producer", "AU", "quasi", 3e9),
    ("tdk", "magnet_maker", "JP", "marginal", 2e10),
    ("js-link", "magnet_maker", "KR", "quasi", 3e8),
    ("energy-fuels", "processor", "CA", "quasi", 3e9),
    ("arafura-rare-earths", "developer", "AU", "pure", 5e8),
    ("neo-performance-materials", "holding/royalty", "CA", "pure", 1e9),
    ("usa-rare-earth", "metal_alloy", "US", "pure", None),
]


@pytest.fixture(scope="module")
def reference(root: Path) -> Reference:
    return read_reference(root / "indices" / "reference")


@pytest.fixture(scope="module")
def assumptions(root: Path) -> Assumptions:
    return parse_assumptions((root / "indices" / "scenarios" / "assumptions" / "firms.toml").read_text())


def filled(reference: Reference, assumptions: Assumptions, day: date) -> tuple[Firms, dict[str, dict[str, object]]]:
    names = ["company_id", "stage", "country", "rare_earth_exposure", "market_cap_usd"]
    members = pl.DataFrame(MEMBERS, names, orient="row").with_columns(
        symbol=pl.col("company_id"), name=pl.col("company_id"), weight=pl.lit(1 / len(MEMBERS))
    )
    found = firms(members, reference, day, assumptions)
    return found, {row["company_id"]: row for row in found.table.to_dicts()}


def test_facts_go_before_assumptions(reference: Reference, assumptions: Assumptions) -> None:
    found, rows = filled(reference, assumptions, date(2026, 9, 1))
    mp, lynas = rows["mp-materials"], rows["lynas-rare-earths"]
    assert (mp["ndpr_kg"], mp["unit_cost"], mp["floored_share"], mp["assumed"]) == (3.668e6, 60.0, 1.0, False)
    assert lynas["ndpr_kg"] == 6.996e6
    assert lynas["floored_share"] == pytest.approx(5000 / 6996)
    assert lynas["share_assumed"]  # its 85 % of revenue is itself an assumption of the table
    assert rows["iluka-resources"]["ndpr_kg"] == 0.0
    fuels = rows["energy-fuels"]
    assert fuels["ndpr_kg"] == pytest.approx(0.15 * 3e9 * 0.3 * 0.85 / 95)
    assert fuels["assumed"]
    origins = found.inputs.filter(pl.col("company_id") == "energy-fuels")
    assert dict(origins.select("quantity", "basis").iter_rows()) == {
        "sales_quasi": "assumed",
        "ndpr_share": "assumed",
        "sales_to_value": "assumed",
        "ndpr_price": "assumed",
        "all_in_cost_usd_per_kg": "known",
    }


def test_nothing_later_is_known(reference: Reference, assumptions: Assumptions) -> None:
    _, early = filled(reference, assumptions, date(2025, 6, 30))
    assert early["mp-materials"]["floored_share"] == 0.0
    assert early["mp-materials"]["ndpr_kg"] == 2.252e6
    _, before = filled(reference, assumptions, date(2026, 3, 10))
    _, after = filled(reference, assumptions, date(2026, 3, 11))
    assert (before["tdk"]["feed_floored_share"], after["tdk"]["feed_floored_share"]) == (0.0, 0.4)
    assert after["tdk"]["feed_floor"] == 110.0
    assert after["js-link"]["feed_floored_share"] == 0.0  # not of the country of the buyer


def test_upside_is_shared_only_from_its_day(reference: Reference, assumptions: Assumptions) -> None:
    days = date(2027, 1, 1), date(2028, 1, 1)
    shares = [filled(reference, assumptions, day)[1]["mp-materials"]["upside_share"] for day in days]
    assert shares == [0.0, 0.3]


def test_what_cannot_be_computed_says_why(reference: Reference, assumptions: Assumptions) -> None:
    _, rows = filled(reference, assumptions, date(2026, 9, 1))
    assert rows["neo-performance-materials"]["note"] == "no worksheet for the stage holding/royalty"
    assert rows["usa-rare-earth"]["note"] == "no market value known"
    assert rows["usa-rare-earth"]["kind"] is None
    assert rows["arafura-rare-earths"]["elasticity"] == 1.8
