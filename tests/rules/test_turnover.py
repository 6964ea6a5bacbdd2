"""Turnover controls: the largest step within the limit, the names that may change, what a rulebook makes of them."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina import history
from exchina.calculation.weights import one_way_turnover
from exchina.errors import RulebookError
from exchina.model import Rule
from exchina.rulebook import in_english, parse_rulebook
from exchina.rules.controlled import capping_factors, controlled
from exchina.rules.registers import REGISTERS

TURNOVER = REGISTERS["turnover"]
WHY = "Trading costs money."


def trades(rows: dict[str, tuple[float, float]], forced: tuple[str, ...] = ()) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "review": [1] * len(rows),
            "company_id": list(rows),
            "held": [float(held) for held, _ in rows.values()],
            "wanted": [float(wanted) for _, wanted in rows.values()],
            "must_leave": [name in forced for name in rows],
            "free_float_market_cap_usd": [float(100 - number) for number in range(len(rows))],
        }
    )


def turned(rows: pl.DataFrame, weights: pl.Series) -> float:
    return float(0.5 * (weights - rows["held"]).abs().sum())


def test_the_step_is_the_share_of_the_way_that_the_limit_allows() -> None:
    rows = trades({"a": (0.6, 0.3), "b": (0.4, 0.3), "c": (0, 0.4)})
    answer = TURNOVER["partial_step"](rows, one_way_at_most=0.1)
    assert answer["weight"].to_list() == pytest.approx([0.6 - 0.075, 0.4 - 0.025, 0.1])
    assert answer["step"][0] == (
        "one-way turnover would be 40.00%, the limit is 10.00%; every weight goes 25.00% of the way"
    )


def test_a_review_within_the_limit_is_left_alone() -> None:
    rows = trades({"a": (0.6, 0.5), "b": (0.4, 0.5)})
    answer = TURNOVER["partial_step"](rows, one_way_at_most=0.1)
    assert answer["weight"].to_list() == [0.5, 0.5]
    assert answer["step"].to_list() == [None, None]


def test_who_must_leave_goes_in_full_and_the_rest_of_the_limit_is_shared() -> None:
    """c (0.2) must go: a and b rise to 0.625 and 0.375; the way from there to 0.25, 0.75 may turn no more than 0.05."""
    rows = trades({"a": (0.5, 0.25), "b": (0.3, 0.75), "c": (0.2, 0.0)}, forced=("c",))
    weights = TURNOVER["partial_step"](rows, one_way_at_most=0.25)["weight"]
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(1)
    assert turned(rows, weights) == pytest.approx(0.25)
    assert weights.to_list() == pytest.approx([0.45, 0.55, 0])


def test_leavers_above_the_limit_leave_all_the_same_and_nothing_else_moves() -> None:
    rows = trades({"a": (0.4, 0.1), "b": (0.4, 0.9), "c": (0.2, 0.0)}, forced=("c",))
    answer = TURNOVER["partial_step"](rows, one_way_at_most=0.1)
    assert answer["weight"].to_list() == pytest.approx([0.5, 0.5, 0])
    assert "what must leave turns 20.00% by itself" in answer["step"][0]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=2, max_size=15),
    st.floats(0.01, 1),
)
def test_no_larger_step_meets_the_limit(sizes: list[tuple[float, float, bool]], limit: float) -> None:
    held = np.array([old for old, _, _ in sizes]) + 1e-3
    forced = np.array([gone for _, _, gone in sizes])
    forced[0] = False
    wanted = np.where(forced, 0, np.array([new for _, new, _ in sizes]))
    wanted[0] += 0.1
    held, wanted = held / held.sum(), wanted / wanted.sum()
    names = [f"c{number:02}" for number in range(len(sizes))]
    rows = trades(
        dict(zip(names, zip(held, wanted, strict=True), strict=True)),
        forced=tuple(name for name, gone in zip(names, forced, strict=True) if gone),
    )
    weights = TURNOVER["partial_step"](rows, one_way_at_most=limit)["weight"].to_numpy()
    least = float(held[forced].sum())
    one_way = 0.5 * np.abs(weights - held).sum()
    assert weights.sum() == pytest.approx(1)
    assert (weights >= -1e-15).all()
    assert (weights[forced] == 0).all()
    assert one_way <= max(limit, least) + 1e-12
    start = np.where(forced, 0, held) / held[~forced].sum()
    if np.abs(weights - wanted).max() > 1e-9 and limit > least:
        further = weights + 1e-6 * (wanted - start)
        assert 0.5 * np.abs(further - held).sum() > limit - 1e-12


def test_forced_leavers_go_first_then_the_worst_ranked_and_the_best_newcomers_enter() -> None:
    out = {"a": (0.2, 0), "b": (0.2, 0), "c": (0.2, 0), "d": (0.2, 0), "e": (0.2, 0.2)}
    rows = trades({**out, "f": (0, 0.2), "g": (0, 0.2), "h": (0, 0.2), "i": (0, 0.2)}, forced=("a",))
    answer = TURNOVER["names"](rows, at_most=2)
    stays = dict(zip(rows["company_id"], answer["chosen"], strict=True))
    assert [name for name, yes in stays.items() if yes] == ["b", "c", "e", "f", "g"]
    assert answer["step"][0].startswith("2 of 4 companies that would leave go, 2 of 4 newcomers enter")


def test_forced_leavers_above_the_limit_all_go() -> None:
    rows = trades({"a": (0.4, 0), "b": (0.3, 0), "c": (0.3, 0.5), "d": (0, 0.25), "e": (0, 0.25)}, forced=("a", "b"))
    chosen = TURNOVER["names"](rows, at_most=1)["chosen"].to_list()
    assert chosen == [False, False, True, True, False]


def test_newcomers_find_no_place_where_nobody_may_leave() -> None:
    rows = trades({"a": (0.5, 0), "b": (0.5, 0.5), "c": (0, 0.5)})
    assert TURNOVER["names"](rows, at_most=0)["chosen"].to_list() == [True, True, False]


def test_capping_factors_are_relative_to_the_line_that_is_capped_least() -> None:
    """CAP-AWF-DRIFT of the shared cases, and a company that only turnover control keeps."""
    rows = pl.DataFrame({"uncapped_weight": [0.5, 0.3, 0.2, 0.0], "weight": [0.4, 0.36, 0.24, 0.0]})
    assert rows.select(capping_factors()).to_series().to_list() == pytest.approx([2 / 3, 1, 1, None])


def with_turnover(chain, lines: str):
    return parse_rulebook(chain.text.replace("[cap]", f"[turnover]\n{lines}\n\n[cap]"))


def test_the_rulebook_reads_a_table_of_controls(chain) -> None:
    book = with_turnover(chain, f'partial_step = {{ one_way_at_most = 0.15, why = "{WHY}" }}')
    assert book.rules[-1] == Rule("turnover", "partial_step", {"one_way_at_most": 0.15}, WHY)
    assert f"turnover partial step: one way at most 0.15. {WHY}" in in_english(book)
    assert chain.turnover == ()


def test_faults_of_a_control_are_told(chain) -> None:
    with pytest.raises(RulebookError, match=r"turnover.partial_stp.*did you mean 'partial_step'"):
        with_turnover(chain, f'partial_stp = {{ one_way_at_most = 0.15, why = "{WHY}" }}')
    with pytest.raises(RulebookError, match=r"turnover.partial_step.why"):
        with_turnover(chain, "partial_step = { one_way_at_most = 0.15 }")


@pytest.fixture(scope="module")
def free(chain, sample):
    return history.composed(chain, sample, history.reviews_until(chain, sample, date(2016, 12, 31)))


def walked(chain, sample, lines: str):
    book = with_turnover(chain, lines)
    return history.composed(book, sample, history.reviews_until(book, sample, date(2016, 12, 31)))


def test_a_step_keeps_each_review_within_the_limit(chain, sample, free) -> None:
    """What it cannot keep within, because companies had to leave or a cap was broken, is said with what it turns."""
    made = walked(chain, sample, f'partial_step = {{ one_way_at_most = 0.02, why = "{WHY}" }}')
    assert made[0].members.equals(free[0].members)
    assert any(basket.turnover > 0.02 for basket in free[1:] if not basket.held)
    stepped = [basket for basket in made[1:] if any("partial_step" in step for step in basket.steps)]
    assert stepped
    for basket in made[1:]:
        assert basket.members["weight"].sum() == pytest.approx(1, abs=1e-12)
        words = " ".join(basket.steps)
        assert basket.turnover <= 0.02 + 1e-9 or "solved again" in words or "must leave" in words or basket.held


def test_nobody_new_where_no_name_may_change(chain, sample, free) -> None:
    made = walked(chain, sample, f'names = {{ at_most = 0, why = "{WHY}" }}')
    assert any(set(one.members["company_id"]) - set(two.members["company_id"]) for two, one in pairwise(free))
    for before, after in pairwise(made):
        assert set(after.members["company_id"]) <= set(before.members["company_id"])
        gone = after.leavers["company_id"].to_list()
        fails = after.verdicts.filter(~pl.col("passed") & (pl.col("kind") != "select"))["company_id"].to_list()
        assert set(gone) <= set(fails)
    waiting = [one for basket in made for one in basket.verdicts.filter(pl.col("kind") == "turnover").to_dicts()]
    assert any(not one["passed"] and one["found"] == "a newcomer, and waits" for one in waiting)


def universe() -> pl.DataFrame:
    names = ["a", "b", "c", "d", "e"]
    columns = {"company_id": names, "symbol": names, "free_float_market_cap_usd": [5.0, 4.0, 3.0, 2.0, 1.0]}
    return pl.DataFrame({"review": [date(2026, 1, 16)] * 5, **columns}).with_columns(
        policy_score=pl.lit(0.0), is_member=pl.lit(True)
    )


def test_a_step_that_breaks_a_cap_is_solved_again_and_says_what_it_turns(chain) -> None:
    """a has drifted to 60 %, its cap is 30 %: the step to 54 % is no answer, the caps come first."""
    cap = Rule("cap", "issuer", {"at_most": 0.30}, "Not above.")
    step = Rule("turnover", "partial_step", {"one_way_at_most": 0.06}, WHY)
    weight = Rule("weight", "equal", {}, "All alike.")
    book = replace(chain, weight=weight, caps=(cap,), turnover=(step,))
    members = universe().with_columns(uncapped_weight=pl.lit(0.2), weight=pl.lit(0.2))
    verdicts = pl.DataFrame(schema={"company_id": pl.String, "kind": pl.String, "passed": pl.Boolean})
    held = {"a": 0.6, "b": 0.1, "c": 0.1, "d": 0.1, "e": 0.1}
    done = controlled(book, universe(), members, verdicts, held)
    found = dict(done.members.select("company_id", "weight").iter_rows())
    assert found == pytest.approx({"a": 0.3, "b": 0.175, "c": 0.175, "d": 0.175, "e": 0.175})
    assert one_way_turnover(found, held) == pytest.approx(0.3)
    assert done.steps[1] == "partial_step: the step breaks a cap, solved again; one-way turnover is 30.00%"


def test_a_company_that_failed_a_screen_leaves_in_full_and_one_that_lost_its_rank_in_part(chain) -> None:
    step = Rule("turnover", "partial_step", {"one_way_at_most": 0.30}, WHY)
    book = replace(chain, weight=Rule("weight", "equal", {}, "All alike."), caps=(), turnover=(step,))
    members = universe().head(2).with_columns(uncapped_weight=pl.lit(0.5), weight=pl.lit(0.5))
    verdicts = pl.DataFrame(
        {
            "company_id": ["c", "d", "d"],
            "kind": ["select", "screen", "select"],
            "passed": [False, False, True],
        }
    )
    done = controlled(book, universe(), members, verdicts, {"a": 0.4, "c": 0.4, "d": 0.1, "gone": 0.1})
    found = dict(done.members.select("company_id", "weight").iter_rows())
    assert set(found) == {"a", "b", "c"}
    assert found == pytest.approx({"a": 0.5, "b": 0.2, "c": 0.3})
    assert sum(found.values()) == pytest.approx(1)
    assert dict(done.members.select("company_id", "uncapped_weight").iter_rows())["c"] == 0
