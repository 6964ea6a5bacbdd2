"""The caps of a rulebook on members: the tables of the cap rules, the declared ladder, and what is said of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from exchina.errors import InfeasibleError
from exchina.model import Rule, Rulebook
from exchina.rules.capped import capped
from exchina.rules.capping.exposure import exposure
from exchina.rules.capping.group import group
from exchina.rules.capping.votes import votes
from exchina.rules.registers import REGISTERS
from exchina.rules.solving.bounds import bounds_in


def members(weights: list[float], **columns: Any) -> pl.DataFrame:
    ids = [f"company-{number:02d}" for number in range(len(weights))]
    return pl.DataFrame({"company_id": ids, "uncapped_weight": np.array(weights) / sum(weights), **columns})


def with_caps(book: Rulebook, ladder: tuple[str, ...], **caps: dict[str, Any]) -> Rulebook:
    rules = tuple(
        Rule("cap", name, REGISTERS["cap"].checked_settings(f"cap.{name}", name, settings)[0], "a test")
        for name, settings in caps.items()
    )
    return replace(book, caps=rules, if_infeasible=ladder)


def test_facts_name_what_binds_and_the_next_best(core: Rulebook) -> None:
    book = with_caps(core, (), concentration={"rule": "ucits_5_10_40"})
    found = capped(book, members([9, 8, 7, 6.5, 6.4, *[3.0] * 15]))
    assert found.facts.method == "enumeration"
    assert any("above 5.00% together" in one for one in found.facts.binding)
    assert "one-way distance" in found.facts.next_best
    assert found.facts.next_best_distance is not None
    assert found.facts.next_best_distance >= found.facts.distance


def test_stage_and_country_overlap(core: Rulebook) -> None:
    rows = members([4, 3, 2, 1], stage=["producer", "producer", "processor", "processor"], country=list("AUAU"))
    rows = rows.with_columns(country=pl.Series(["AU", "US", "AU", "US"]))
    book = with_caps(core, (), stage={"at_most": {"producer": 0.6}}, country={"at_most": 0.55})
    found = capped(book, rows).weights
    assert found[:2].sum() == pytest.approx(0.6, abs=1e-10)
    assert found[0] + found[2] == pytest.approx(0.55, abs=1e-10)


def test_a_budget_that_a_stage_cannot_carry_spills_by_the_budgets_of_the_others(core: Rulebook) -> None:
    """Magnet makers: one name at 15 % of a budget of 30 %; the rest goes 4 : 3 to producers and processors."""
    stages = ["producer"] * 5 + ["processor"] * 5 + ["magnet_maker"]
    budget = {"producer": 0.4, "processor": 0.3, "magnet_maker": 0.3}
    caps = {"issuer": {"at_most": 0.15}, "stage": {"at_most": budget, "at_least": budget}}
    rows = members([1.0] * 11, stage=stages)
    with pytest.raises(InfeasibleError, match="without issuer or stage there is a basket"):
        capped(with_caps(core, (), **caps), rows)
    found = capped(with_caps(core, ("spill_stage", "raise_issuer_cap"), **caps), rows)
    assert found.weights[:5].sum() == pytest.approx(0.4 + 0.15 * 4 / 7, abs=1e-9)
    assert found.weights[10] == pytest.approx(0.15, abs=1e-10)
    assert len(found.steps) == 1
    assert found.steps[0].startswith("spill_stage: magnet_maker can carry 15.00% of its 30.00%, so processor may")


def test_bands_are_widened_by_the_fewest_points(core: Rulebook) -> None:
    stages = ["producer"] * 9 + ["magnet_maker"]
    caps = {"issuer": {"at_most": 0.15}, "stage": {"at_most": {"producer": 0.8}, "at_least": {"producer": 0.7}}}
    found = capped(with_caps(core, ("widen_stage_bands",), **caps), members([1.0] * 10, stage=stages))
    assert found.weights[:9].sum() == pytest.approx(0.85, abs=1e-10)
    assert found.steps == ("widen_stage_bands: the stage bands had to be 5.0000 points wider on both sides",)


def test_a_step_that_was_not_needed_is_taken_back(core: Rulebook) -> None:
    stages = ["producer"] * 4 + ["processor"]
    caps = {"issuer": {"at_most": 0.1}, "stage": {"at_most": {"producer": 0.9}}}
    found = capped(with_caps(core, ("raise_stage_cap", "raise_issuer_cap"), **caps), members([1.0] * 5, stage=stages))
    assert found.weights == pytest.approx(np.full(5, 0.2), abs=1e-9)
    assert found.steps == ("raise_issuer_cap: the issuer cap had to be multiplied by 2.0000",)


def test_a_concentration_rule_is_raised_to_what_few_names_can_meet(core: Rulebook) -> None:
    """Ten names under 5/10/40: f x 0.4 + (10 - k) x 0.05 = 1 with k = 4 f x 0.1 ... the least f has k = 4 or more."""
    book = with_caps(core, ("raise_concentration_cap",), concentration={"rule": "ucits_5_10_40"})
    found = capped(book, members([1.0] * 10))
    factor = float(found.steps[0].split()[-1])
    assert max(min(0.4, 0.1 * k) * factor + (10 - k) * 0.05 for k in range(11)) == pytest.approx(1, abs=1e-4)
    heavy = found.weights[found.weights > 0.05 + 1e-12]
    assert heavy.sum() <= 0.4 * factor + 1e-4
    assert found.weights.max() <= 0.1 * factor + 1e-4


def test_a_floor_without_a_member_is_said_or_refused(core: Rulebook) -> None:
    rows = members([1.0] * 4, stage=["producer"] * 4)
    settings = {"at_most": {"producer": 1.0}, "at_least": {"magnet_maker": 0.2}}
    with pytest.raises(InfeasibleError, match="magnet_maker at least 20.00%, and no member is one"):
        capped(with_caps(core, (), stage=settings), rows)
    found = capped(with_caps(core, ("spill_stage",), stage=settings), rows)
    assert "no member is magnet_maker" in found.steps[0]


def test_a_crossed_trigger_is_said(core: Rulebook) -> None:
    settings = {"threshold": 0.045, "above_at_most": 0.4, "trigger_above": 0.48}
    found = capped(with_caps(core, (), two_stage=settings), members([12.5] * 4 + [2.5] * 20))
    assert found.steps == ("two_stage: its trigger was crossed, so that it applies",)
    assert found.weights[:4].sum() == pytest.approx(0.4, abs=1e-10)
    assert not capped(with_caps(core, (), two_stage=settings), members([11.5] * 4 + [2.7] * 20)).steps


def test_a_company_in_two_groups_counts_in_both(core: Rulebook) -> None:
    groups = {
        "alliance": {"of": ["company-00", "company-01"], "at_most": 0.3},
        "chain": {"of": ["company-01", "company-02"], "at_most": 0.2},
    }
    found = capped(with_caps(core, (), group={"groups": groups}), members([1.0] * 6)).weights
    assert found[0] + found[1] <= 0.3 + 1e-10
    assert found[1] + found[2] == pytest.approx(0.2, abs=1e-10)


def test_further_groups_become_as_few_bounds_as_their_overlaps_allow() -> None:
    rows = members([1.0] * 3, rare_earth_exposure=["marginal"] * 3)
    assert len(bounds_in("exposure", exposure(rows, at_most={"marginal": 0.5}, each_at_most={"marginal": 0.2}))) == 2
    named = {name: {"of": ["company-00"], "at_most": 0.2} for name in "abc"}
    assert len(bounds_in("group", group(rows, groups=named))) == 3


def test_unknown_size_has_no_room_for_votes() -> None:
    rows = members([1.0] * 2, market_cap_usd=[None, 1e9])
    assert votes(rows, fund_usd=1e9)["at_most"].to_list() == [0.0, 0.1]


@pytest.mark.parametrize(
    ("name", "settings", "fault"),
    [
        ("concentration", {"rule": "stated", "at_most": 0.1}, "needs at_most, threshold and above_at_most"),
        ("concentration", {"rule": "ucits_5_10_40", "at_most": 0.04}, "threshold 0.05 lies above at_most 0.04"),
        ("exceptional", {"at_most": 0.4}, "one_at_most 0.35 lies below at_most 0.4"),
        ("two_stage", {"threshold": 0.045, "above_at_most": 0.4}, "nothing can cross a trigger of 1"),
        ("stage", {"at_most": {}, "at_least": {"producer": 0.6, "developer": 0.6}}, "more than the whole index"),
        ("country", {"at_most": 0.3, "at_least": {"AU": 0.4}}, "at_least lies above at_most for AU"),
    ],
)
def test_settings_that_contradict_each_other(name: str, settings: dict[str, Any], fault: str) -> None:
    _, problems = REGISTERS["cap"].checked_settings(f"cap.{name}", name, settings)
    assert any(fault in str(problem) for problem in problems)
