"""Parts of a change of weight: they sum to the whole, and what held the earlier review back is named apart."""

from datetime import date

import polars as pl
import pytest

from exchina.errors import DataError
from exchina.model import Basket, Review
from exchina.rules.change import HELD_BACK, MARKET_VALUES, MEMBERSHIP, POLICY_FACTS, parts_of_change
from exchina.rules.explain import explain_change


def weigh(rows: pl.DataFrame) -> dict[str, float]:
    """Value times (1 + score), made whole."""
    worth = rows["free_float_market_cap_usd"] * (1 + rows["policy_score"])
    return dict(zip(rows["company_id"].to_list(), (worth / worth.sum()).to_list(), strict=True))


def basket(core, sample, day: date, seen: dict[str, tuple[float, float]], weights: dict[str, float]) -> Basket:
    rows = [(name, value, score) for name, (value, score) in seen.items()]
    table = pl.DataFrame(rows, ["company_id", "free_float_market_cap_usd", "policy_score"], orient="row")
    members = pl.DataFrame(
        {"company_id": list(weights), "weight": list(weights.values()), "previous_weight": [0.0] * len(weights)}
    )
    nothing = pl.DataFrame()
    review = Review(day, day, day)
    return Basket(core, review, members, nothing, nothing, (), False, None, nothing, sample.provenance, seen=table)


def parts(before: Basket, after: Basket, company: str) -> dict[str, float]:
    return {part.cause: part.weight for part in parts_of_change(before, after, company, weigh)}


def test_parts_sum_to_the_change_and_fall_to_their_causes(core, sample) -> None:
    before = basket(core, sample, date(2026, 3, 20), {"a": (6, 0), "b": (4, 0), "c": (9, 0)}, {"a": 0.6, "b": 0.4})
    seen = {"a": (3.0, 0.0), "b": (3.0, 1.0), "c": (9.0, 0.0)}
    after = basket(core, sample, date(2026, 6, 19), seen, {"a": 3 / 18, "b": 6 / 18, "c": 9 / 18})
    found = parts(before, after, "a")
    assert found[HELD_BACK] == pytest.approx(0.0)
    assert found[MARKET_VALUES] == pytest.approx(0.5 - 0.6)
    assert found[POLICY_FACTS] == pytest.approx(1 / 3 - 0.5)
    assert found[MEMBERSHIP] == pytest.approx(1 / 6 - 1 / 3)
    assert sum(found.values()) == pytest.approx(1 / 6 - 0.6)
    text = explain_change(before, after, "a", parts_of_change(before, after, "a", weigh))
    assert "60.00% at the review of 2026-03-20, 16.67% at that of 2026-06-19" in text
    assert "who is a member: in c; out nobody" in text


def test_what_held_the_earlier_review_back_is_no_market_move(core, sample) -> None:
    facts = {"a": (6.0, 0.0), "b": (2.0, 0.0)}
    before = basket(core, sample, date(2026, 3, 20), facts, {"a": 0.6, "b": 0.4})
    after = basket(core, sample, date(2026, 6, 19), facts, {"a": 0.75, "b": 0.25})
    found = parts(before, after, "a")
    assert found[HELD_BACK] == pytest.approx(0.15)
    assert found[MARKET_VALUES] == pytest.approx(0.0)


def test_a_member_of_neither_is_refused(core, sample) -> None:
    one = basket(core, sample, date(2026, 3, 20), {"a": (6, 0)}, {"a": 1.0})
    with pytest.raises(DataError, match="'z' is a member neither at 2026-03-20 nor at 2026-06-19"):
        parts_of_change(one, basket(core, sample, date(2026, 6, 19), {"a": (6, 0)}, {"a": 1.0}), "z", weigh)
