"""How numbers, days and rules are written."""

from datetime import date

import pytest

from exchina.model import Rule
from exchina.reporting.wording import counted, day, listed, number, percent, rule_settings


@pytest.mark.parametrize(
    ("fraction", "signed", "shown"),
    [
        (0.12345, False, "12.3%"),
        (-0.5837, False, "\u221258.4%"),
        (0.02, True, "+2.0%"),
        (-0.0004, True, "0.0%"),
        (0.0, True, "0.0%"),
        (None, True, "n/a"),
        (12.5, False, "1,250.0%"),
    ],
)
def test_percent(fraction: float | None, signed: bool, shown: str) -> None:
    assert percent(fraction, signed=signed) == shown


def test_number_and_day() -> None:
    assert number(2257.949) == "2,257.95"
    assert day(date(2026, 9, 8)) == "8 Sep 2026"
    assert day(None) == "n/a"


def test_counts_and_lists() -> None:
    assert [counted(1, "company"), counted(2, "company"), counted(0, "day")] == ["1 company", "2 companies", "0 days"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"at_most": 0.12}, "at most 12%"),
        ({"at_most": {"developer": 0.5}}, "developer at most 50%"),
        ({"fund_usd": 25e6, "sessions": 10, "participation": 0.2}, "fund USD 25m, sessions 10, participation 20%"),
        ({"at_least_usd": 250e3, "members_at_least_usd": None}, "at least USD 250k"),
        (
            {"any_of": ["price_floor", "loan"], "unknown": "pass_and_flag"},
            "any of price floor, loan, unknown pass and flag",
        ),
        ({"power": 0.5, "policy_tilt": 1.0}, "power 0.5, policy tilt 1"),
        ({"within": {"free_float_cap": {"power": 0.5}}}, "within free-float value (power 0.5)"),
        (
            {"shares": {"AU": 0.5, "other": 0.5}, "within": "equal"},
            "Australia shares 50%, other shares 50%, within equal",
        ),
        ({"parts": [{"scheme": {"equal": {}}, "share": 0.5}]}, "parts (scheme equal, share 50%)"),
    ],
)
def test_settings_in_words(settings: dict[str, object], shown: str) -> None:
    assert rule_settings(Rule("cap", "x", settings, "because")) == shown
