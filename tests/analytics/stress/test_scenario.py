"""Scenario files: what they must say, and every fault of one at once."""

import re
from pathlib import Path

import pytest

from exchina.analytics.stress.quantities import SHOCKS
from exchina.analytics.stress.scenario import parse_assumptions, parse_scenario
from exchina.errors import RulebookError

GOOD = """
[scenario]
id = "mine"
version = "1"
date = 2026-11-23
author = "me"
title = "NdPr falls"
narrative = "It falls."
horizon_years = 8
propagation = "isolated"
opinion = false

[shock.ndpr_price]
value = [-0.4, -0.2]
unit = "fraction of the price"
confidence = "assumption"

[shock.decay]
value = [0, 1, 2]
unit = "per year"
confidence = "high"
source = "a page"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        parse_scenario(text, "mine.toml")
    return [str(problem) for problem in caught.value.problems]


def test_a_list_makes_a_grid_with_the_first_as_headline() -> None:
    grid = parse_scenario(GOOD).grid()
    assert len(grid) == 6
    assert (grid[0]["ndpr_price"], grid[0]["decay"], grid[0]["floors_repealed"]) == (-0.4, 0.0, 0.0)


def test_every_fault_at_once_with_place_and_cure() -> None:
    text = GOOD.replace("shock.ndpr_price", "shock.ndpr_prize").replace('"per year"', '"a year"')
    text = text.replace('author = "me"', 'autor = "me"').replace("[0, 1, 2]", "[0, 1, 1]").replace('"a page"', '""')
    found = faults(text + "\n[shocks]\n")
    assert [fault.split(": ")[1] for fault in found] == [
        "shocks",
        "scenario.author",
        "scenario.autor",
        "shock.ndpr_prize",
        "shock.decay.unit",
        "shock.decay.value",
        "shock.decay.source",
    ]
    assert "did you mean 'shock'?" in found[0]
    assert "did you mean 'author'?" in found[2]
    assert "did you mean 'ndpr_price'?" in found[3]
    assert 'write unit = "per year"' in found[4]
    assert "without a source" in found[6]


def test_values_out_of_bounds_and_nothing_shocked() -> None:
    assert "from -1 to 10" in faults(GOOD.replace("[-0.4, -0.2]", "-1.4"))[0]
    assert "nothing is shocked" in faults(GOOD[: GOOD.index("[shock")])[0]
    assert "at least 1" in faults(GOOD.replace("horizon_years = 8", "horizon_years = 0"))[0]
    assert "at most 30" in faults(GOOD.replace("horizon_years = 8", "horizon_years = 8000"))[0]
    assert parse_scenario(GOOD.replace("horizon_years = 8", "horizon_years = 30")).facts.horizon_years == 30
    assert "not valid TOML" in faults("x = [")[0]
    assert "the table [scenario] is missing" in faults("[shock]")[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("0", "shock.ndpr_price.value: found 0 alone: nothing is shocked (give its size"),
        ("[0, -0.4]", "shock: nothing is shocked in the headline"),
    ],
)
def test_a_shock_of_nothing_is_refused(values: str, said: str) -> None:
    (found,) = faults(GOOD.replace("[-0.4, -0.2]", values))
    assert said in found


def test_decay_alone_is_no_shock_but_may_be_0() -> None:
    only = GOOD.replace(GOOD[GOOD.index("[shock.ndpr_price]") : GOOD.index("[shock.decay]")], "")
    assert "decay alone is no shock" in faults(only)[0]
    assert parse_scenario(GOOD.replace("[0, 1, 2]", "0")).grid()[0]["decay"] == 0


def test_published_scenarios_say_all_they_must(root: Path) -> None:
    folder = root / "indices" / "scenarios"
    read = {path.stem: parse_scenario(path.read_text(encoding="utf-8")) for path in folder.glob("*.toml")}
    assert {"ndpr-20", "ndpr-40", "ndpr-60", "floor-repealed", "offtake-default", "sponsor-haircut"} <= set(read)
    assert {"export-ban", "truce", "allied-price-floor-bloc", "essay-2040-50", "essay-2040-30"} <= set(read)
    for name, one in read.items():
        assert one.facts.id == name
        assert one.facts.opinion == name.startswith("essay")
        assert one.facts.opinion == one.facts.title.startswith("OPINION")
        assert not {"forecast", "guaranteed", "protected", "probability"} & set(one.facts.narrative.lower().split())
    grid = [cell for name in ("ndpr-20", "ndpr-40", "ndpr-60") for cell in read[name].grid()]
    assert len({(cell["ndpr_price"], cell["decay"], cell["floors_repealed"]) for cell in grid}) == 3 * 3 * 2


def test_assumptions_must_be_complete(root: Path) -> None:
    text = (root / "indices" / "scenarios" / "assumptions" / "firms.toml").read_text(encoding="utf-8")
    assert parse_assumptions(text)["tax_rate"] == 0.25
    broken = text.replace("[general.tax_rate]", "[general.tax_rat]").replace("[stage.producer.", "[stage.produzer.")
    broken = broken.replace("from = 2028-01-01\n", "").replace('id = "firms"\n', "")
    with pytest.raises(RulebookError) as caught:
        parse_assumptions(broken, "firms.toml")
    said = str(caught.value)
    for place in ("assumptions.id", "general.tax_rat:", "general.tax_rate: this quantity is missing", "stage.produzer"):
        assert f"firms.toml: {place}" in said
    assert "upside.MP-DOW-2025-FLOOR.from" in said


def test_the_guide_says_what_the_code_reads(root: Path) -> None:
    guide = (root / "docs" / "guides" / "stress.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(parse_scenario(example).grid()) == 2
    table = guide[guide.index("| Quantity |") :]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", table, re.MULTILINE)
    assert rows == [(name, unit) for name, (unit, _, _) in SHOCKS.items()]
