"""Which commitments count for a rule, on the real registry and by hand."""

from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl
import pytest

from exchina import policy
from exchina.reference import read_reference
from exchina.rules.registers import REGISTERS
from exchina.rules.screens.policy_backing import policy_backing
from exchina.tables.reference_words import INSTRUMENTS

ALL = list(INSTRUMENTS)
USD_PER = {"USD": 1.0, "AUD": 0.66, "EUR": 1.10, "CAD": 0.73}
LOAN: dict[str, Any] = {
    "id": "L",
    "sponsor": "AU-EFA",
    "sponsor_group": "Australia",
    "sponsor_country": "AU",
    "sponsor_kind": "state_fund",
    "instrument": "loan",
    "status": "signed",
    "bind": 0.8,
    "pillar": "private_capital",
    "package_id": "P",
    "amount_usd": 100e6,
    "years_left": 8.0,
    "take_obligation": "false",
    "floor_payer": "none",
    "price_basis": "unknown",
}
OFFTAKE = {
    **LOAN,
    "id": "O",
    "sponsor": "Bosch",
    "sponsor_group": "Bosch",
    "sponsor_country": "DE",
    "sponsor_kind": "private_buyer",
    "instrument": "offtake",
    "pillar": "market_stability",
    "package_id": "Q",
    "amount_usd": None,
    "years_left": None,
    "take_obligation": "unknown",
}


def table(*held: list[dict[str, Any]] | None, **columns: list[Any]) -> pl.DataFrame:
    kind = pl.List(pl.Struct(policy.COMMITMENT))
    return pl.DataFrame({"commitments": pl.Series(list(held), dtype=kind, strict=False), **columns})


@pytest.fixture(scope="module")
def on_day(root: Path):
    reference = read_reference(root / "indices" / "reference")
    rate = pl.col("amount_currency").fill_null("USD").replace_strict(USD_PER, return_dtype=pl.Float64)
    measures = reference.policy_measures.with_columns(amount_usd=pl.col("amount_value") * rate)

    def verdict(company: str, day: date, **settings: Any) -> dict[str, Any]:
        standing = policy.commitments(measures, reference.sponsors, day).filter(company_id=company)
        return policy_backing(
            table(standing.select(pl.struct(*policy.COMMITMENT)).to_series().to_list()), **settings
        ).row(0, named=True)

    return verdict


def test_the_floor_counts_from_the_day_of_its_announcement(on_day) -> None:
    before, after = (on_day("mp-materials", date(2025, 7, day), any_of=["price_floor"]) for day in (9, 10))
    assert not before["passed"]
    assert before["found"].startswith("none that counts of US-IRS/DoE tax_credit (signed)")
    assert after["passed"]
    assert after["found"] == "US-DoD price_floor (signed, price basis unknown)"


def test_a_letter_of_intent_is_no_offtake_until_the_contract(on_day) -> None:
    settings = {"any_of": ["offtake"], "bound_at_least": "signed", "must_buy": True}
    before, after = (on_day("critical-metals-corp", date(2026, 5, day), **settings) for day in (25, 26))
    assert (before["passed"], after["passed"]) == (False, True)
    assert after["found"] == "REalloys offtake (signed)"
    assert on_day("critical-metals-corp", date(2026, 5, 25), any_of=["offtake"], bound_at_least="letter_of_interest")[
        "passed"
    ]


def test_an_expired_commitment_leaves(on_day) -> None:
    settings = {"any_of": ["grant"], "sponsors": ["US-DoD"], "amount_at_least_usd": 250e6}
    before, after = (
        on_day("lynas-rare-earths", date(2025, 11, day), bound_at_least="conditional", **settings) for day in (25, 26)
    )
    assert (before["passed"], after["passed"]) == (True, False)
    assert "USD 30.4m" in after["found"]


@pytest.mark.parametrize(
    ("settings", "passed"),
    [
        ({}, True),
        ({"sponsors": ["AU-EFA"]}, True),
        ({"sponsors": ["Australia"]}, True),
        ({"sponsors": ["US-EXIM"]}, False),
        ({"sponsor_countries": ["AU", "US"]}, True),
        ({"sponsor_countries": ["US"]}, False),
        ({"sponsor_kinds": ["state_fund"]}, True),
        ({"sponsor_kinds": ["government"]}, False),
        ({"pillars": ["private_capital"]}, True),
        ({"pillars": ["alliance"]}, False),
        ({"floor_payers": ["government"]}, False),
        ({"years_left_at_least": 8.0}, True),
        ({"years_left_at_least": 8.1}, False),
        ({"bound_at_least": "closed"}, False),
        ({"count_at_least": 2}, False),
        ({"amount_at_least_usd": 100e6}, True),
        ({"amount_at_least_usd": 101e6}, False),
        ({"must_buy": True}, False),
    ],
)
def test_each_setting_can_pass_and_fail(settings: dict[str, Any], passed: bool) -> None:
    assert policy_backing(table([LOAN]), any_of=["loan"], **settings)["passed"].to_list() == [passed]


def test_packages_are_counted_not_rows() -> None:
    twice = [LOAN, {**LOAN, "id": "L2"}]
    other = [LOAN, {**LOAN, "id": "L2", "package_id": "R"}]
    found = policy_backing(table(twice, other), any_of=["loan"], count_at_least=2)
    assert found["passed"].to_list() == [False, True]
    assert found["found"][1] == "AU-EFA loan (signed), AU-EFA loan (signed); 2 packages"


def test_a_guarantee_of_a_counted_loan_adds_no_money_but_counts_alone() -> None:
    cover = {**LOAN, "id": "G", "instrument": "loan_guarantee", "amount_usd": 60e6}
    both = policy_backing(table([LOAN, cover]), any_of=["loan", "loan_guarantee"], amount_at_least_usd=120e6)
    assert both.select("passed", "found").row(0)[0] is False
    assert both["found"][0].endswith("; USD 100.0m")
    assert policy_backing(table([LOAN, cover]), any_of=["loan_guarantee"], amount_at_least_usd=60e6)["passed"][0]


@pytest.mark.parametrize(("unknown", "passed"), [("fail", False), ("pass_and_flag", True)])
def test_what_nobody_published_is_never_passed_in_silence(unknown: Any, passed: bool) -> None:
    found = policy_backing(
        table([OFFTAKE]),
        any_of=["offtake"],
        must_buy=True,
        years_left_at_least=5,
        amount_at_least_usd=1e6,
        unknown=unknown,
    ).row(0, named=True)
    assert found["passed"] == passed
    assert "O (duty to buy, end)" in found["note"]
    assert ("commitments without a published amount: 1" in found["note"]) == passed


def test_a_known_no_is_no_unknown() -> None:
    """The end is not published, but the text says that the buyer need not buy."""
    right = {**OFFTAKE, "take_obligation": "false"}
    found = policy_backing(
        table([right]), any_of=["offtake"], must_buy=True, years_left_at_least=5, unknown="pass_and_flag"
    )
    assert found.select("passed", "note").row(0) == (False, None)


def test_members_stay_at_a_lower_score() -> None:
    parts = {"floor_part": [0.4] * 3, "offtake_part": [0.0] * 3, "capital_part": [0.1, 0.1, 0.9]}
    rows = table([LOAN], [LOAN], [LOAN], is_member=[False, True, False], **parts)
    found = policy_backing(rows, any_of=["loan"], score_at_least=0.3, members_score_at_least=0.2)
    assert found["passed"].to_list() == [False, True, True]
    assert found["found"][1] == "AU-EFA loan (signed); score 0.23"
    assert found["needed"].to_list()[:2] == [
        "conditional or firmer: loan; a score of 0.3",
        "conditional or firmer: loan; a score of 0.2",
    ]
    even = policy_backing(rows, any_of=["loan"], score_at_least=0.2, score_version="1-even")
    assert even["found"][0].endswith("score 0.19")
    assert even["passed"].to_list() == [False, False, True]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"members_score_at_least": 0.2}, "needs score_at_least"),
        ({"score_at_least": 0.2, "members_score_at_least": 0.3}, "members would need a score of 0.3"),
    ],
)
def test_levels_that_contradict_each_other_are_refused(settings: dict[str, float], fault: str) -> None:
    _, problems = REGISTERS["screen"].checked_settings(
        "screen.policy_backing", "policy_backing", {"any_of": ["loan"], **settings}
    )
    assert [fault in problem.what for problem in problems] == [True]


def test_none_and_nothing_are_no_commitment() -> None:
    found = policy_backing(table(None, [], [LOAN]), any_of=["loan"])
    assert found["passed"].to_list() == [False, False, True]
    assert found["found"].to_list() == ["no commitment", "no commitment", "AU-EFA loan (signed)"]


def test_eighty_reviews_of_five_hundred_names_take_a_moment() -> None:
    rows = table(*([[LOAN, OFFTAKE, {**LOAN, "id": "L2"}], None] * 20_000))
    start = perf_counter()
    policy_backing(rows, any_of=ALL, years_left_at_least=5, amount_at_least_usd=1e6, count_at_least=1)
    assert perf_counter() - start < 1.0
