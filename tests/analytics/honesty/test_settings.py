"""Settings that make no sense: each is refused by name, none gives a number."""

from collections.abc import Callable

import numpy as np
import pytest

from exchina.analytics.honesty import assess
from exchina.analytics.honesty.bootstrap import bootstrap_intervals
from exchina.analytics.honesty.data_snooping import data_snooping
from exchina.analytics.honesty.deflation import deflated_sharpe, expected_maximum, haircut, minimum_backtest_years
from exchina.analytics.honesty.sharpe import PerPeriod, interval, minimum_track_record, per_period, track
from exchina.errors import DataError

RETURNS = np.random.default_rng(3).normal(0.0005, 0.01, 300)
RECORD = track(RETURNS)
NAN = float("nan")
ROWS = np.tile(np.arange(300), (20, 1))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: minimum_track_record(RECORD, confidence=95), "confidence"),
        (lambda: minimum_track_record(RECORD, above=PerPeriod(NAN)), "above"),
        (lambda: interval(RECORD, level=95), "level"),
        (lambda: per_period(1.0, 0), "periods_per_year"),
        (lambda: bootstrap_intervals(RETURNS, level=95), "level"),
        (lambda: bootstrap_intervals(RETURNS, periods_per_year=0), "periods_per_year"),
        (lambda: bootstrap_intervals(RETURNS, draws=0), "draws"),
        (lambda: data_snooping(RETURNS[:, None], indices=ROWS, mean_block=0), "mean_block"),
        (lambda: data_snooping(RETURNS[:, None], indices=ROWS, mean_block=0.5), "mean_block"),
        (lambda: data_snooping(RETURNS[:, None], indices=ROWS, mean_block=NAN), "mean_block"),
        (lambda: haircut(PerPeriod(NAN), periods=300, trials=5), "sr"),
        (lambda: haircut(PerPeriod(0.1), periods=300, trials=5, others=np.array([0.1, NAN])), "others"),
        (lambda: expected_maximum(NAN), "trials"),
        (lambda: expected_maximum(np.inf), "trials"),
        (lambda: deflated_sharpe(RECORD, trials=0.5, variance=0.1), "trials"),
        (lambda: minimum_backtest_years(5, target_annual=NAN), "target_annual"),
    ],
)
def test_each_is_refused_with_place_fault_and_cure(call: Callable[[], object], name: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    (problem,) = caught.value.problems
    assert problem.where == name
    assert problem.what
    assert problem.hint


def test_a_judgement_names_all_of_them_at_once() -> None:
    with pytest.raises(DataError) as caught:
        assess(RETURNS, target_annual=0, periods_per_year=NAN, draws=0, tried=0)
    assert {one.where for one in caught.value.problems} == {"target_annual", "periods_per_year", "draws", "tried"}


def test_the_largest_of_very_many_is_still_a_number() -> None:
    """sqrt(2 ln K) bounds it from above, and it grows with K."""
    found = [expected_maximum(trials) for trials in (1e3, 1e15, 1e17, 1e100)]
    assert found == sorted(found)
    for value, trials in zip(found, (1e3, 1e15, 1e17, 1e100), strict=True):
        assert 0.8 * np.sqrt(2 * np.log(trials)) < value < np.sqrt(2 * np.log(trials))
