"""The check for look-ahead itself: what it catches and what it refuses."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from exchina.analytics.look_ahead import changed_decisions, look_ahead
from exchina.errors import DataError

RNG = np.random.default_rng(15)
PRICES = 100 * np.exp(RNG.normal(0, 0.02, (60, 3)).cumsum(axis=0))
FUTURES = [np.vstack([PRICES[:40], 100 * np.exp(RNG.normal(0, 0.3, (20, 3)))]) for _ in range(3)]
FIRST = date(2026, 1, 5)


def decisions(scores: np.ndarray, rows: range) -> dict[str, pl.DataFrame]:
    best = np.eye(3)[scores.argmax(axis=1)]
    days = [FIRST + timedelta(days=row) for row in rows]
    return {name: pl.DataFrame(table).insert_column(0, pl.Series("day", days)) for name, table in
            (("scores", scores), ("weights", best))}  # fmt: skip


def honest(prices: np.ndarray) -> dict[str, pl.DataFrame]:
    return decisions(np.array([prices[row - 1] / prices[row - 11] for row in range(20, 60, 10)]), range(20, 60, 10))


def same_day_close(prices: np.ndarray) -> dict[str, pl.DataFrame]:
    return decisions(np.array([prices[row] / prices[row - 10] for row in range(20, 60, 10)]), range(20, 60, 10))


def full_sample(prices: np.ndarray) -> dict[str, pl.DataFrame]:
    """Ranks by last price over its full-sample mean, blown up so that the picks stay the same."""
    leak = 1e-9 * prices.mean(axis=0)
    return decisions(np.array([prices[row - 1] + leak for row in range(20, 60, 10)]), range(20, 60, 10))


CUT = FIRST + timedelta(days=40)


def test_an_honest_rule_passes() -> None:
    found = look_ahead(honest, PRICES, FUTURES, decided="day", until=CUT)
    assert (found.verdict, found.first) == ("no leak found", None)
    assert found.changed == {"scores": ((), (), ()), "weights": ((), (), ())}


def test_the_close_of_the_day_is_caught_on_that_day() -> None:
    found = look_ahead(same_day_close, PRICES, FUTURES, decided="day", until=CUT)
    assert (found.verdict, found.first) == ("leak", CUT)


def test_a_leak_that_changes_no_pick_is_caught_by_the_scores() -> None:
    found = look_ahead(full_sample, PRICES, FUTURES, decided="day", until=CUT)
    assert found.changed["weights"] == ((), (), ())
    assert found.changed["scores"] == ((FIRST + timedelta(20), FIRST + timedelta(30), CUT),) * 3
    assert (found.verdict, found.first) == ("leak", FIRST + timedelta(20))


def test_a_decision_that_goes_missing_or_appears_has_changed() -> None:
    before = {"picks": pl.DataFrame({"row": [1, 1, 2], "name": ["a", "b", "a"], "score": [1.0, None, 2.0]})}
    same, gone = before["picks"], before["picks"].filter(pl.col("row") == 1)
    more = pl.concat([same, same.tail(1).with_columns(row=pl.lit(0, pl.Int64))])
    found = changed_decisions(before, [{"picks": one} for one in (same, gone, more)], decided="row", until=5)
    assert found.changed["picks"] == ((), (2,), (0,))


def test_what_proves_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="one future can leave a leak unseen"):
        look_ahead(honest, PRICES, FUTURES[:2], decided="day", until=CUT)
    with pytest.raises(DataError) as caught:
        changed_decisions(honest(PRICES), [{}], decided="day", until=date(2020, 1, 1))
    assert [problem.where for problem in caught.value.problems] == ["future 0", "scores", "weights"]
