"""What the shock upstream makes of the members downstream: invented returns whose slope is known."""

import numpy as np
import polars as pl
import pytest

from exchina.analytics.stress.upstream import passed_on


def companies() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "kind": ["seller", "project", "alloy", "consumer"],
            "weight": [0.3, 0.2, 0.3, 0.2],
            "cash_flow_with": [-0.10, -0.20, -0.01, 0.01],
            "cash_flow_without": [-0.20, -0.20, -0.01, 0.01],
            "cash_flow_with_floor": pl.Series([None] * 4, dtype=pl.Float64),
        }
    )


def weekly(rows: int = 104) -> np.ndarray:
    rng = np.random.default_rng(5)
    upstream = rng.normal(0, 0.04, (rows, 2))
    factor = upstream @ [0.6, 0.4]
    return np.column_stack([upstream, 0.5 * factor, -0.25 * factor])


def test_those_downstream_follow_with_their_slope() -> None:
    found = passed_on(companies(), weekly())
    shock = 0.6 * -0.10 + 0.4 * -0.20
    assert found.isolated_with == pytest.approx(0.3 * -0.10 + 0.2 * -0.20 + 0.3 * -0.01 + 0.2 * 0.01)
    assert found.propagated_with == pytest.approx(0.5 * shock + 0.3 * 0.5 * shock - 0.2 * 0.25 * shock)
    assert found.propagated_without == pytest.approx((0.5 + 0.15 - 0.05) * (0.6 * -0.2 + 0.4 * -0.2))
    assert found.missing == 0.0
    assert (found.isolated_with_floor, found.propagated_with_floor) == (None, None)
    own = passed_on(companies().with_columns(cash_flow_with_floor="cash_flow_without"), weekly())
    assert (own.propagated_with, own.propagated_with_floor) == (found.propagated_with, found.propagated_without)


def test_a_young_name_is_left_out_and_its_weight_printed() -> None:
    young = weekly()
    young[:80, 3] = np.nan
    found = passed_on(companies(), young)
    shock = 0.6 * -0.10 + 0.4 * -0.20
    assert found.missing == pytest.approx(0.2)
    assert found.propagated_with == pytest.approx((0.5 * shock + 0.15 * shock) / 0.8)


def test_too_few_weeks_say_so() -> None:
    found = passed_on(companies(), weekly(20))
    assert found.propagated_with is None
    assert "fewer than 26 weeks" in str(found.note)
