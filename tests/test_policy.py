"""The backing score against its worked table, and what was known when."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from exchina import policy
from exchina.errors import ExchinaError
from exchina.model import Reference
from exchina.policy.score import CAPITAL_QUALITY
from exchina.reference import read_reference
from exchina.tables.reference_words import PILLARS
from exchina.universe.facts import exposures_on, stages_on

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


def in_usd(reference: Reference) -> pl.DataFrame:
    rate = pl.col("amount_currency").fill_null("USD").replace_strict(FX, return_dtype=pl.Float64)
    return reference.policy_measures.with_columns(amount_usd=pl.col("amount_value") * rate)


def standing(reference: Reference, day: date) -> pl.DataFrame:
    return policy.commitments(in_usd(reference), reference.sponsors, day)


def scores(
    reference: Reference, day: date, rows: list[dict[str, object]], *, scope: float | None = None
) -> dict[str, dict[str, float]]:
    measures = in_usd(reference)
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


MID = date(2025, 6, 30)
ROWS = 125


@given(order=st.permutations(range(ROWS)), moved=st.lists(st.integers(0, ROWS - 1), max_size=20))
def test_neither_row_order_nor_later_rows_change_anything_earlier(reference, order, moved) -> None:
    measures = in_usd(reference)
    assert measures.height == ROWS
    later = measures[moved].with_columns(
        known_date=MID + pl.duration(days=pl.int_range(1, pl.len() + 1)),
        status=pl.lit("drawn"),
        amount_usd=pl.lit(9e9),
    )
    mixed = pl.concat([measures[order], later])
    companies = pl.DataFrame(MID_2025, schema=FACTS)
    for read in (
        lambda rows: policy.in_force(rows, MID),
        lambda rows: policy.commitments(rows, reference.sponsors, MID),
        lambda rows: policy.backing(rows, reference.sponsors, companies, MID),
    ):
        assert_frame_equal(read(mixed), read(measures), check_exact=True)


def test_what_was_known_and_what_was_recorded_are_two_axes(reference) -> None:
    """A row mended in 2027 was known to the market in 2025 all the same; a run of 2026 cannot have read the mend."""
    measures = reference.policy_measures
    floor = measures.filter(id="MP-DOW-2025-FLOOR", known_date=date(2025, 7, 10))
    mended = pl.concat([measures, floor.with_columns(recorded_at=date(2027, 1, 4), price_basis=pl.lit("excl_vat"))])

    def basis(day: date, recorded_by: date | None) -> list[str]:
        return (
            policy.in_force(mended, day, recorded_by=recorded_by)
            .filter(id="MP-DOW-2025-FLOOR")["price_basis"]
            .to_list()
        )

    assert basis(date(2025, 8, 1), None) == ["excl_vat"]
    assert basis(date(2025, 8, 1), date(2027, 1, 4)) == ["excl_vat"]
    assert basis(date(2025, 8, 1), date(2027, 1, 3)) == ["unknown"]
    assert basis(date(2025, 8, 1), date(2026, 11, 22)) == []
    assert basis(date(2025, 7, 9), None) == []


def test_the_floor_is_a_commitment_from_the_day_of_its_announcement(reference) -> None:
    before, after = (standing(reference, date(2025, 7, day)).filter(instrument="price_floor") for day in (9, 10))
    assert before.is_empty()
    row = after.row(0, named=True)
    assert (row["company_id"], row["sponsor_country"], row["floor_payer"]) == ("mp-materials", "US", "government")
    assert row["price_basis"] == "unknown"
    assert row["years_left"] == pytest.approx(10.5, abs=0.03)


@pytest.mark.parametrize(
    ("name", "contract_day", "status"),
    [
        ("CRML-ALOY-OFF", date(2026, 5, 26), "signed"),
        ("USAR-CHIPS-GRANT", date(2026, 6, 3), "signed"),
        ("ARU-EDC-LOAN", date(2024, 5, 31), "conditional"),
    ],
)
def test_a_letter_is_no_contract_until_it_is_one(reference, name: str, contract_day: date, status: str) -> None:
    days = (contract_day - timedelta(days=1), contract_day)
    before, after = (standing(reference, day).row(by_predicate=pl.col("id") == name, named=True) for day in days)
    assert (before["status"], after["status"]) == ("letter_of_interest", status)
    assert before["bind"] < policy.BIND["conditional"] <= after["bind"]


def test_a_letter_that_lapsed_is_gone(reference) -> None:
    ids = [set(standing(reference, date(2025, 4, day))["id"]) for day in (27, 28)]
    assert "ASM-EDC-2024-LOI" in ids[0] - ids[1]


def money(reference: Reference, package: str, day: date) -> float:
    """Of one package in millions of US dollars, to the nearest."""
    held = standing(reference, day).filter(pl.col("package_id") == package)
    return round(policy.counted(held, ["package_id"])["amount_usd"][0] / 1e6)


@pytest.mark.parametrize(
    ("package", "amount", "why"),
    [
        ("ILU-ENEABBA", 0.66 * (1250 + 75 + 400), "three tranches of one lender add up"),
        ("ARU-NOLANS-DEBT", 533 + 300, "the guarantee (115) and the letter (300) stand behind the same debt"),
        ("ASM-DUBBO-DEBT", 600, "a loan of A$200m in sight, or the larger letter, not both"),
        ("LYC-JARE-2011", 141 + 25, "a loan told four times is one loan, at its last size; the shares come on top"),
        ("MP-DOW-2025", 400 + 150 + 1000, "shares, a loan and a bank loan are different money"),
        ("USAR-CHIPS-2026", 277 + 1300, "shares and warrants were the price of the award: no amount"),
        ("VAC-SUMTER", 111.9 + 94.1 + 15, "a credit and two grants"),
    ],
)
def test_money_of_a_package_is_added_once(reference, package: str, amount: float, why: str) -> None:
    assert money(reference, package, date(2026, 6, 30)) == round(amount), why


def test_a_row_that_says_never_to_add_it_has_no_amount(reference) -> None:
    told = reference.policy_measures.filter(pl.col("summary").str.contains("(?i)never add|no amount is given"))
    assert set(told["id"]) == {"ARU-KEXIM-LOAN", "ARU-SENIOR-PACKAGE"}
    assert told["amount_value"].null_count() == told.height


def test_a_guarantee_beside_the_loan_it_covers_adds_nothing_to_the_score(reference) -> None:
    facts = [{"company_id": "arafura-rare-earths", "programme_capex_usd": 10e9}]
    day = date(2026, 6, 30)
    measures = in_usd(reference)
    debt = measures.filter(package_id="ARU-NOLANS-DEBT")
    loans = debt.filter(instrument="loan")
    companies = pl.DataFrame(facts, schema=FACTS)
    found, alone = (
        policy.backing(rows, reference.sponsors, companies, day)["capital_part"][0] for rows in (debt, loans)
    )
    assert found == pytest.approx(alone)
    assert found == pytest.approx((533e6 + 300e6) * 0.5 * 0.4 / 10e9)


def test_counting_by_sponsor_instrument_strength_and_years_left(reference) -> None:
    held = standing(reference, date(2026, 6, 30))
    by_kind = policy.counted(held, ["sponsor_kind", "instrument"])
    assert by_kind["commitments"].sum() == held.height
    state_loans = by_kind.row(
        by_predicate=(pl.col("sponsor_kind") == "state_fund") & (pl.col("instrument") == "loan"), named=True
    )
    expected = held.filter(sponsor_kind="state_fund", instrument="loan")
    assert (state_loans["commitments"], state_loans["packages"]) == (expected.height, expected["package_id"].n_unique())
    assert {"warrants", "equity", "loan_guarantee"} <= set(held["instrument"])
    buyers = policy.counted(held.filter(sponsor_kind="private_buyer", instrument="offtake"), ["sponsor", "status"])
    assert ("Siemens Gamesa", "signed") in buyers.select("sponsor", "status").rows()
    lengths = policy.counted(held, ["years_left"])
    assert (lengths["years_left"].drop_nulls() % 1 == 0).all()
    assert lengths["years_left"].is_unique().all()
    assert lengths.filter(pl.col("years_left").is_null())["commitments"].item() > 0
    with pytest.raises(ExchinaError, match="did you mean 'instrument'"):
        policy.counted(held, ["instrumet"])


def test_an_undisclosed_amount_stays_unknown(reference) -> None:
    held = standing(reference, date(2026, 6, 30)).filter(pl.col("id") == "MP-DOW-2025-WARRANT")
    assert policy.counted(held, ["id"]).select("amount_usd", "undisclosed").row(0) == (None, 1)


def test_who_carries_each_floor(reference) -> None:
    day = date(2026, 6, 30)
    table = policy.floor_burden(policy.in_force(reference.policy_measures, day), reference.sponsors)
    assert dict(table.select("id", "bears").iter_rows()) == {
        "CRML-ALOY-OFF": "realloys",
        "LIN-ILU-2025-OFF": "iluka-resources",
        "LYC-DOW-2026-FLOOR": "treasury",
        "LYC-JARE-2026-FLOOR": "magnet_maker",
        "MP-DOW-2025-10X-OFF": "treasury",
        "MP-DOW-2025-FLOOR": "treasury",
    }
    assert set(table["price_basis"]) == {"unknown"}


def test_kinds_of_sponsors_agree_with_the_registry(reference) -> None:
    told = reference.policy_measures.join(reference.sponsors.select("sponsor", "kind", "sponsor_company"), on="sponsor")
    private = pl.col("kind").str.starts_with("private")
    assert told.filter(private != (pl.col("sponsor_kind") == "private")).is_empty()
    known = {*reference.companies["id"], *reference.related_entities["id"]}
    assert set(reference.sponsors["sponsor_company"].drop_nulls()) <= known


def test_every_pillar_is_held_by_a_measure_or_a_shock(reference) -> None:
    held = standing(reference, date(2026, 10, 8))
    table = policy.by_pillar(held)
    assert table["commitments"].sum() == held.height
    assert set(table["pillar"]) == set(PILLARS) - {"coordination"}
    assert set(reference.policy_shocks["pillar"].drop_nulls()) == set(PILLARS)


@pytest.mark.parametrize(
    ("actor", "countries"),
    [
        ("US/EU/JP", ["EU", "JP", "US"]),
        ("JP-JOGMEC/Sojitz", ["JP"]),
        ("US-DoD (OSC)", ["US"]),
        ("US-DoD/SA", ["SA", "US"]),
        ("Arafura/AU-EFA", ["AU"]),
        ("US/55 countries", ["US"]),
        ("G7/CA", ["CA"]),
        ("Apple", ["US"]),
        ("MP Materials", []),
        ("S&P Global", []),
        ("WTO", []),
    ],
)
def test_the_countries_of_an_actor(reference, actor: str, countries: list[str]) -> None:
    assert actor in set(reference.policy_shocks["actor"])
    table = pl.DataFrame({"actor": [actor]})
    assert table.select(policy.shock_countries(reference.sponsors))["actor"].to_list() == [countries]


def test_shocks_of_a_pillar_and_a_country(reference) -> None:
    found = policy.shocks_of(
        reference.policy_shocks, reference.sponsors, pillars=["market_stability"], countries=["JP", "AU"]
    )
    assert {"S20260311-LYC-JARE", "S20250805-AU-FLOOR"} <= set(found["id"])
    assert "S20250710-MP-DOW" not in set(found["id"])
    assert set(found["pillar"]) == {"market_stability"}
    with pytest.raises(ExchinaError, match="did you mean 'alliance'") as raised:
        policy.shocks_of(reference.policy_shocks, reference.sponsors, pillars=["aliance"], countries=["QQ"])
    assert len(raised.value.problems) == 2


def test_versions_of_the_score_weigh_the_same_parts(reference) -> None:
    companies = pl.DataFrame(MID_2026, schema=FACTS)
    for version, weights in policy.SCORE_VERSIONS.items():
        assert sum(weights.values()) == pytest.approx(1)
        table = policy.backing(in_usd(reference), reference.sponsors, companies, date(2026, 6, 30), version=version)
        again = table.select(policy.score_of(version))[:, 0]
        assert again.to_list() == table["policy_score"].to_list()
    assert policy.SCORE_WEIGHTS == {"floor_part": 0.5, "offtake_part": 0.2, "capital_part": 0.3}


def as_known(reference: Reference, day: date, values: dict[str, tuple[float | None, float | None]]) -> pl.DataFrame:
    """The facts of the three companies as `exposures.csv` had them by a day; values: price in US dollars, or value."""
    known = exposures_on(reference, day).join(stages_on(reference, day), on="company_id", how="left")
    named = known.filter(pl.col("company_id").is_in(list(values)))
    price, value = (
        pl.col("company_id").replace_strict({name: one[part] for name, one in values.items()}, return_dtype=pl.Float64)
        for part in (0, 1)
    )
    capex = pl.col("programme_capex") * pl.col("capex_currency").replace_strict(FX, return_dtype=pl.Float64)
    valued = pl.coalesce(value, price * pl.col("company_shares"))
    return named.with_columns(programme_capex_usd=capex, market_cap_usd=valued).select(list(FACTS)).cast(FACTS)


WORKED = {MID: MID_2025, date(2026, 6, 30): MID_2026}
KNOWN = {
    MID: {"mp-materials": (33.27, None), "lynas-rare-earths": (8.61 * 0.66, None), "iluka-resources": (None, None)},
    date(2026, 6, 30): {
        "mp-materials": (56.01, None),
        "lynas-rare-earths": (None, 19.9e9 * 0.66),
        "iluka-resources": (None, None),
    },
}


def lines(table: dict[str, dict[str, float]], day: date) -> list[str]:
    """Rows of a table of the page: the parts, the score, and the score by the other weights."""
    other = policy.SCORE_VERSIONS["1-even"]
    return [
        f"| {name} | {day} | "
        + " | ".join(f"{row[part]:.2f}" for part in (*other, "policy_score"))
        + f" | {sum(row[part] * weight for part, weight in other.items()):.2f} |"
        for name, row in sorted(table.items())
        if name in KNOWN[day]
    ]


def test_the_page_of_the_score_says_what_the_code_computes(reference, root: Path) -> None:
    page = (root / "docs" / "policy-score.md").read_text(encoding="utf-8")
    worked, known = page.split("## The same, strictly as known")
    for day, rows in WORKED.items():
        told = lines(scores(reference, day, rows, scope=1.0), day)
        assert len(told) == 3
        assert [line for line in told if line not in worked] == []
        facts = as_known(reference, day, KNOWN[day]).to_dicts()
        strict = lines(scores(reference, day, facts), day)
        assert [line for line in strict if line not in known] == []
    for table in (policy.BIND, policy.CREDIT, CAPITAL_QUALITY):
        assert [word for word, weight in table.items() if f"`{word}` {weight:g}" not in page] == []
    for version, weights in policy.SCORE_VERSIONS.items():
        assert f"| `{version}` | " + " | ".join(f"{weight:g}" for weight in weights.values()) + " |" in page


def test_inputs_that_were_not_public_yet(reference) -> None:
    """README of the facts: 8,320 t was public from 2025-07-24 on, and had given way to 6,996 t by mid-2026."""
    lynas = pl.col("company_id") == "lynas-rare-earths"
    days = (MID, date(2025, 7, 24), date(2026, 6, 30))
    rows = [as_known(reference, day, KNOWN[MID]).row(by_predicate=lynas, named=True) for day in days]
    assert [row["ndpr_tonnes_per_year"] for row in rows] == [5655, 8320, 6996]
