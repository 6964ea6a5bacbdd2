"""The diversification tests of fund law on weights whose answers are known."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina import workflow
from exchina.rules.regulation import checks, crosses, fund_size, together_above


def found(weights: dict[str, float], rule: str, test: str, **known: object) -> dict[str, object]:
    table = checks(weights, when="at_review", **known)
    return table.filter((pl.col("rule") == rule) & (pl.col("test") == test)).row(0, named=True)


def spread(large: list[float], rest: int) -> dict[str, float]:
    """The weights given, and equal ones for the rest."""
    left = (1 - sum(large)) / rest
    return {f"large-{n}": weight for n, weight in enumerate(large)} | {f"small-{n}": left for n in range(rest)}


def test_more_than_five_per_cent_is_strict_and_counted_at_twelve_decimals() -> None:
    edge = dict.fromkeys("abcdefghijklmnopqrst", 0.05)
    assert together_above(edge, 0.05) == 0
    assert together_above(edge | {"a": 0.05 + 1e-14}, 0.05) == 0
    assert together_above(edge | {"a": 0.05 + 1e-11}, 0.05) == pytest.approx(0.05 + 1e-11, abs=1e-15)
    assert found(edge, "1940 Act", "issuers above 5 % together")["passed"]


def test_a_weight_of_ten_per_cent_passes_and_a_hair_more_fails() -> None:
    at, over = spread([0.10], 30), spread([0.10 + 1e-11], 30)
    assert found(at, "UCITS 52", "largest issuer")["passed"]
    assert not found(over, "UCITS 52", "largest issuer")["passed"]


def test_five_ten_forty() -> None:
    exactly = spread([0.10, 0.10, 0.10, 0.10], 40)
    row = found(exactly, "UCITS 52", "issuers above 5 % together")
    assert row["found"] == pytest.approx(0.40, abs=1e-12)
    assert row["passed"]
    assert not found(spread([0.09] * 5, 40), "UCITS 52", "issuers above 5 % together")["passed"]


@pytest.mark.parametrize(
    ("large", "passes"), [([0.35, 0.20], True), ([0.36, 0.1], False), ([0.30, 0.21], False), ([0.19, 0.19], True)]
)
def test_twenty_with_one_of_thirty_five(large: list[float], passes: bool) -> None:
    weights = spread(large, 30)
    tests = ("largest issuer", "second largest issuer")
    assert all(found(weights, "UCITS 53", test)["passed"] for test in tests) is passes


def test_the_tests_on_votes_need_the_size_of_the_fund() -> None:
    row = found(spread([], 25), "US RIC", "issuers above 5 % or 10 % of votes together")
    assert (row["passed"], row["found"], row["note"]) == (None, None, "not tested: no fund size")


def test_a_small_company_is_large_by_its_votes() -> None:
    """25 names of 4 %; a fund of 1bn holds 40m of each, above 10 % of the votes of those worth less than 400m."""
    weights = spread([], 25)
    values = {name: (300e6 if n < 10 else 500e6) for n, name in enumerate(weights)}
    row = found(weights, "US RIC", "issuers above 5 % or 10 % of votes together", fund_usd=1e9, values_usd=values)
    assert row["found"] == pytest.approx(0.40)
    assert row["passed"]
    assert not found(
        weights, "1940 Act", "issuers above 5 % or 10 % of votes together", fund_usd=1e9, values_usd=values
    )["passed"]
    edge = dict.fromkeys(weights, 400e6)
    assert (
        found(weights, "US RIC", "issuers above 5 % or 10 % of votes together", fund_usd=1e9, values_usd=edge)["found"]
        == 0
    )


@pytest.mark.parametrize(("unknown", "passed"), [(5, True), (13, None)])
def test_votes_that_are_not_known_pass_only_where_they_cannot_matter(unknown: int, passed: bool | None) -> None:
    weights = spread([], 25)
    values = {name: (None if n < unknown else 500e6) for n, name in enumerate(weights)}
    row = found(weights, "US RIC", "issuers above 5 % or 10 % of votes together", fund_usd=1e9, values_usd=values)
    assert row["passed"] is passed
    assert "votes not known of small-0" in str(row["note"])


def test_sebi_counts_companies_and_the_first_three() -> None:
    narrow = spread([0.16, 0.15, 0.15], 9)
    table = checks(narrow, when="at_review").filter(pl.col("rule") == "SEBI")
    assert dict(table.select("test", "passed").iter_rows()) == {
        "companies": False,
        "largest issuer": True,
        "three largest issuers together": False,
    }


def test_a_buffer_resets_only_when_the_limit_itself_is_crossed() -> None:
    limit = {"single": 0.10, "threshold": 0.05, "aggregate": 0.40}
    assert not crosses(spread([0.095, 0.09, 0.09, 0.09], 40), **limit)
    assert crosses(spread([0.101], 40), **limit)
    assert crosses(spread([0.09] * 5, 40), **limit)


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=40))
def test_stricter_law_passes_only_where_milder_law_does(sizes: list[float]) -> None:
    whole = sum(sizes)
    weights = {str(n): size / whole for n, size in enumerate(sizes)}
    table = checks(weights, when="before_review")
    passed = {(rule, test): yes for rule, test, yes in table.select("rule", "test", "passed").iter_rows()}
    large = "issuers above 5 % together"
    assert passed["1940 Act", large] <= passed["UCITS 52", large] <= passed["US RIC", large]
    assert passed["UCITS 52", "largest issuer"] <= passed["US RIC", "largest issuer"]
    tested = table.filter(pl.col("passed").is_not_null())
    assert ((tested["margin"] >= -1e-11) == tested["passed"]).all()


def test_every_basket_says_how_it_stands_now_and_stood_before(chain, sample) -> None:
    basket = workflow.propose(chain, sample)
    table = basket.checks
    assert table["when"].unique(maintain_order=True).to_list() == ["at_review", "before_review"]
    assert table.height == 24
    assert fund_size(chain) == 25e6
    votes = table.filter(pl.col("test").str.contains("votes"))
    assert votes["note"].str.starts_with("fund of USD 25m").all()
    largest = table.filter((pl.col("rule") == "US RIC") & (pl.col("test") == "largest issuer"))["found"]
    assert largest[0] == pytest.approx(basket.members["weight"].max(), abs=1e-12)
    assert largest[1] == pytest.approx(
        max(basket.members["previous_weight"].max(), *basket.leavers["previous_weight"].to_list(), 0.0), abs=1e-12
    )
