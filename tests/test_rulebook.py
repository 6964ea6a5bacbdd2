"""Rulebooks: every fault at once, each with its place and a cure."""

from pathlib import Path

import pytest

from exchina.errors import RulebookError
from exchina.rulebook import in_english, parse_rulebook


@pytest.fixture
def text(root: Path) -> str:
    return (root / "tests" / "chain.toml").read_text()


def faults(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        parse_rulebook(text, "rulebook.toml")
    return [str(problem) for problem in caught.value.problems]


def test_seven_faults_are_seven_problems(text: str) -> None:
    broken = (
        text.replace("china_dependence", "china_dependance")
        .replace('currency = "USD"', 'currency = "usd"')
        .replace("policy_sponsor = { at_most = 0.50, why", "policy_sponsor = { at_most = 0.50, at_mots = 1, why")
        .replace("at_least = 5, why", 'at_least = "five", why')
        .replace('family = "fixed_weight"', 'family = "mcap"')
        .replace('"hold_previous_basket"', '"hold_basket"')
        .replace("participation = 0.20, why", "participation = 2.0, why")
    )
    found = faults(broken)
    assert len(found) == 7
    assert (
        "rulebook.toml: screen.china_dependance: no screen called 'china_dependance' (did you mean 'china_dependence'?)"
        in found
    )
    assert any("cap 'policy_sponsor' has no setting 'at_mots' (did you mean 'at_most'?)" in one for one in found)
    assert any(
        "cap.if_infeasible: no step called 'hold_basket' (did you mean 'hold_previous_basket'?)" in one for one in found
    )
    assert any("index.currency" in one and "'usd'" in one for one in found)
    assert any("select.top.at_least" in one and "'five'" in one for one in found)
    assert any("calculation.family" in one and "'fixed_weight'" in one for one in found)
    assert any("cap.liquidity.participation" in one and "found 2.0" in one for one in found)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'why = "Large enough to trade."',
            'why = " "',
            "screen.daily_traded_value.why: every rule says why it is there",
        ),
        ("[review]", "[reviews]", "reviews: no table called [reviews] (did you mean 'review'?)"),
        ("issuer = { at_most = 0.15", "issuer = { at_most = 0.01", "0.01 x 20 = 0.2 < 1 (at least 0.0500)"),
        ("announced_sessions_before = 5", "announced_sessions_before = 12", "announced before its data is cut off"),
        ("months = [3, 6, 9, 12]", "months = [3, 13]", "less than or equal to 12"),
        (
            "[weight]",
            '[weight]\nfree_float_cap = { why = "x" }',
            "weight: found 2 rules ([weight] holds exactly one rule)",
        ),
        ("count = 20, ", "", "select.top.count: this setting is required"),
        ("[index]", "[index", "not valid TOML"),
        ("[screen]", "[[screen]]", "([screen] is a table)"),
        ('"hold_previous_basket"]', '"hold_previous_basket"]\n[cap.x]', "no cap called 'x'"),
        ("months = [3, 6, 9, 12]", "months = []", "review.months"),
        ("months = [3, 6, 9, 12]", "months = [3, 3]", "name each month once"),
        ("revenue_at_most = 0.50", "revenue_at_most = 50", "screen.china_dependence.revenue_at_most"),
        ('countries = ["CN", "HK", "MO"]', 'countries = ["China"]', "screen.not_domiciled_in.countries"),
        ("at_least = 5, why", "at_least = 50, why", "at least 50 members cannot come from a count of 20"),
        ("keep_until_rank = 24", "keep_until_rank = 4", "keep_until_rank 4 lies before the count of 20"),
        ("members_at_least_usd = 35e6", "members_at_least_usd = 35e7", "members would need 350,000,000"),
        ("producer = 0.25", "producer = 0.20", "the shares of the stages sum to 0.95, not to 1"),
        (
            "[cap]",
            '[cap]\nstage = { at_most = { producer = 0.4 }, at_least = { producer = 0.5 }, why = "x" }',
            "at_least lies above at_most for producer",
        ),
        ('returns = ["PR", "NTR", "GTR"]', "returns = []", "index.returns"),
        (
            'calendar = "XNYS"',
            'calendar = "XNYS"\ncalender = 1',
            "[review] has no setting 'calender' (did you mean 'calendar'?)",
        ),
    ],
)
def test_each_fault_says_what_and_how_to_mend(text: str, old: str, new: str, fault: str) -> None:
    assert old in text
    assert any(fault in found for found in faults(text.replace(old, new)))


@pytest.mark.parametrize("ladder", ['"hold_previous_basket"', "3"])
def test_a_ladder_is_a_list(text: str, ladder: str) -> None:
    broken = text[: text.index("if_infeasible")] + f"if_infeasible = {ladder}\n" + text[text.index("[calculation]") :]
    assert any("cap.if_infeasible: found" in fault for fault in faults(broken))


def test_same_text_same_hash(text: str) -> None:
    assert parse_rulebook(text).content_hash == parse_rulebook(text).content_hash
    assert parse_rulebook(text + "\n").content_hash != parse_rulebook(text).content_hash


def test_english_says_every_rule_and_its_why(text: str) -> None:
    book = parse_rulebook(text)
    said = in_english(book)
    for rule in book.rules:
        assert rule.name.replace("_", " ") in said
        assert rule.why in said
