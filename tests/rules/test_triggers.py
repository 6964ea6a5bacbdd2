"""Events that call a review: what each finds, from which day, and the faults of the table that asks for them."""

import doctest
import sys
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from exchina.errors import RulebookError
from exchina.model import Rule
from exchina.plugins import keyword_settings
from exchina.rulebook import in_english, parse_rulebook
from exchina.rules.events import Facts
from exchina.rules.registers import trigger
from tests.every.universe import universe

SESSIONS = [date(2026, 1, 1) + timedelta(days=number) for number in range(120)]
LINES = {"A": "a", "A2": "a", "B": "b", "C": "c"}


def facts(**tables: Any) -> Facts:
    empty = {"actions": pl.DataFrame(), "measures": pl.DataFrame(), "prices": pl.DataFrame(), "screens": ()}
    given = {"sessions": SESSIONS, "companies": LINES, "look": pl.DataFrame, **empty, **tables}
    return Facts(**given)


@pytest.mark.parametrize("name", trigger.all())
def test_every_trigger_has_an_example_that_runs_and_documents_its_settings(name: str) -> None:
    plugin = trigger[name]
    examples = doctest.DocTestFinder().find(plugin, name, sys.modules[plugin.__module__])
    assert any(one.examples for one in examples)
    results = [doctest.DocTestRunner().run(one) for one in examples]
    assert not any(result.failed for result in results)
    assert plugin.__doc__
    for setting in keyword_settings(plugin):
        assert f"{setting}:" in plugin.__doc__


def action(known: int, ex: int, status: str, symbol: str = "A", kind: str = "takeover") -> dict[str, Any]:
    return {
        "id": f"{symbol}-{kind}",
        "symbol": symbol,
        "type": kind,
        "status": status,
        "ex_date": SESSIONS[ex],
        "known_date": SESSIONS[known],
    }


@pytest.mark.parametrize(
    ("versions", "day"),
    [
        ([action(5, 20, "announced")], None),
        ([action(5, 20, "confirmed")], 20),
        ([action(25, 20, "completed")], 25),
        ([action(5, 20, "announced"), action(22, 20, "completed")], 22),
        ([action(5, 20, "confirmed"), action(10, 20, "withdrawn")], None),
        ([action(5, 20, "confirmed"), action(30, 20, "withdrawn")], 20),
        ([action(5, 20, "confirmed"), action(10, 40, "confirmed")], 40),
        ([action(5, 20, "confirmed", kind="split")], None),
        ([action(5, 20, "confirmed", symbol="UNKNOWN")], None),
    ],
)
def test_a_takeover_counts_from_the_day_it_is_in_effect_and_confirmed(versions: list[Any], day: int | None) -> None:
    found = trigger["takeover_closes"](facts(actions=pl.DataFrame(versions)))
    assert found["day"].to_list() == ([] if day is None else [SESSIONS[day]])
    for cut in range(0, 60, 5):
        seen = pl.DataFrame(versions).filter(pl.col("known_date") <= SESSIONS[cut])
        known = trigger["takeover_closes"](facts(actions=seen)).filter(pl.col("day") <= SESSIONS[cut])
        assert known.equals(found.filter(pl.col("day") <= SESSIONS[cut])), "what comes later changes nothing before"


def measure(known: int, status: str, instrument: str = "price_floor") -> dict[str, Any]:
    day = SESSIONS[known]
    return {"id": "F", "company_id": "a", "instrument": instrument, "sponsor": "X", "status": status, "known_date": day}


def test_a_floor_counts_once_from_the_day_it_is_firm_enough() -> None:
    rows = [measure(5, "letter_of_interest"), measure(9, "signed"), measure(30, "drawn"), measure(3, "drawn", "loan")]
    given = facts(measures=pl.DataFrame(rows))
    assert trigger["price_floor_signed"](given)["day"].to_list() == [SESSIONS[9]]
    assert trigger["price_floor_signed"](given, bound_at_least="drawn")["day"].to_list() == [SESSIONS[30]]
    assert trigger["price_floor_signed"](given, instruments=("loan",), of="members")["who"].to_list() == ["members"]


def test_a_large_listing_ranks_among_those_that_pass() -> None:
    closes = [("A", 0), ("A2", 30), ("B", 10), ("C", 110), ("C", 115)]
    prices = pl.DataFrame(
        [{"symbol": name, "session": SESSIONS[at], "known_date": SESSIONS[at]} for name, at in closes]
    )

    def look(days: list[date]) -> pl.DataFrame:
        rows = [
            {"review": day, "company_id": name, "close": 1.0, "price_date": day, "free_float_market_cap_usd": size}
            for day in days
            for name, size in (("a", 3.0), ("b", 2.0), ("c", 9.0))
        ]
        return pl.DataFrame(rows).with_columns(traded_values_usd=pl.concat_list(pl.lit(1.0)))

    given = facts(prices=prices, look=look)
    found = trigger["large_listing"](given, within_rank=3, after_sessions=10)
    assert found.select("day", "company_id", "who").rows() == [(SESSIONS[20], "b", "others")]
    assert trigger["large_listing"](given, within_rank=2, after_sessions=10).height == 0
    late = trigger["large_listing"](given, within_rank=1, after_sessions=5)
    assert late["company_id"].to_list() == ["c"], "a is as old as the index; its second line is no listing"


def test_a_member_is_judged_by_the_bar_for_members() -> None:
    bars = {"at_least_usd": 1e30, "members_at_least_usd": 1e8}
    rule = Rule("screen", "free_float_market_cap", bars, "why")
    rows = universe(1, 20, seed=3).drop("review").with_columns(close=1.0, price_date=pl.lit(SESSIONS[5]))

    def look(days: list[date]) -> pl.DataFrame:
        return pl.concat(rows.with_columns(review=pl.lit(day)) for day in days)

    found = trigger["member_fails"](facts(look=look, screens=(rule,)), screens=(rule.name,), every_sessions=50)
    small = rows.filter(pl.col("free_float_market_cap_usd") < 1e8)["company_id"].to_list()
    assert found["day"].unique().sort().to_list() == [SESSIONS[50], SESSIONS[100]]
    assert found.filter(pl.col("day") == SESSIONS[50])["company_id"].to_list() == small


@pytest.fixture
def text(root) -> str:
    return (root / "tests" / "chain.toml").read_text()


CALL = 'scope = "leave", announced_sessions_after = 1, effective_sessions_after = 3, why = "x"'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("announced_sessions_before = 5", "", "review.announced_sessions_before: this setting is required"),
        (
            "announced_sessions_before = 5",
            "announced_sessions_before = 5\nannounced_on = { weeks_before = 1 }",
            "announced_on says another day",
        ),
        ("months = [3, 6, 9, 12]", "months = [3, 6]\nselect_months = [6, 9]", "month 9 has no review"),
        ('{ nth = 3, weekday = "friday" }', "{ session = 0 }", "1 is the first session, -1 the last"),
        ('{ nth = 3, weekday = "friday" }', "{ weeks_before = 2 }", "is counted from the effective day itself"),
        ('{ nth = 3, weekday = "friday" }', '{ nth = 3, weekday = "sunday" }', "effective_after_close_of.weekday"),
        ('calendar = "XNYS"', 'calendar = "XNYS"\nprovider = "mcsi"', "did you mean 'msci'?"),
        ('calendar = "XNYS"', 'calendar = "XNYS"\ndeletion = "from_reserve"', "the selection keeps no reserve list"),
        ('calendar = "XNYS"', f'calendar = "XNYS"\non = {{ takeover_close = {{ {CALL} }} }}', "'takeover_closes'?"),
        (
            'calendar = "XNYS"',
            f'calendar = "XNYS"\non = {{ price_floor_signed = {{ {CALL} }} }}',
            "review.on.price_floor_signed.scope: found 'leave' (one of whole, enter)",
        ),
        (
            'calendar = "XNYS"',
            f'calendar = "XNYS"\non = {{ takeover_closes = {{ {CALL.replace("= 1", "= 9")} }} }}',
            "it would take effect before it is announced",
        ),
        (
            'calendar = "XNYS"',
            f'calendar = "XNYS"\non = {{ member_fails = {{ screens = ["daily_traded_valu"], {CALL} }} }}',
            "this rulebook has no screen called 'daily_traded_valu' (did you mean 'daily_traded_value'?)",
        ),
        ("median_of_sessions = 63, why", "median_of_sessions = 63, fails_to_leave = 0, why", "1 to 12"),
    ],
)
def test_each_fault_of_the_review_table_says_how_to_mend(text: str, old: str, new: str, fault: str) -> None:
    assert old in text
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(text.replace(old, new))
    assert any(fault in str(problem) for problem in caught.value.problems), caught.value.problems


def test_events_persistence_and_special_reviews_are_said_in_english(text: str) -> None:
    special = '{ effective = 2023-07-21, announced = 2023-07-07, data_cutoff = 2023-07-03, why = "Concentration." }'
    lines = f'calendar = "XNYS"\nspecial = [{special}]\non = {{ takeover_closes = {{ {CALL} }} }}'
    book = text.replace('calendar = "XNYS"', lines).replace(
        "sessions = 63, why", "sessions = 63, fails_to_leave = 2, why"
    )
    said = in_english(parse_rulebook(book))
    assert "Special review: data of 2023-07-03, announced 2023-07-07, in force after the close of 2023-07-21." in said
    assert "Event takeover closes" in said
    assert "members leave after 2 failures in a row" in said
