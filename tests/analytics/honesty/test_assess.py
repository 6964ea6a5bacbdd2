"""All controls at once: what is computable is computed, what is not says why, and nothing hides a trial."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from exchina.analytics.honesty import Honesty, assess
from exchina.analytics.honesty.deflation import deflated_sharpe, haircut
from exchina.analytics.honesty.sharpe import annual, probabilistic_sharpe, track
from exchina.errors import DataError

RNG = np.random.default_rng(14)
TRIALS = RNG.normal(0.0012, 0.012, (756, 12))
BENCHMARK = RNG.normal(0.0002, 0.01, 756)
CASH = np.full(756, 0.0001)


@pytest.fixture(scope="module")
def whole() -> Honesty:
    return assess(TRIALS[:, 3], trials=TRIALS, tried=14, benchmark=BENCHMARK, cash=CASH, draws=500, seed=7)


def test_with_everything_given_all_but_lo_is_a_number(whole: Honesty) -> None:
    assert [figure.name for figure in whole.figures if figure.value is None] == ["sharpe_lo"]
    assert whole["sharpe_lo"].note == "not computable: 251 autocorrelations need 10 years of data, not 3.0"
    assert (whole.trials, whole.compared, whole.periods, whole.excess_of_cash) == (14, 12, 756, True)
    assert whole["sharpe"].label == "Sharpe ratio per year"
    assert "seed 7" in whole["sharpe"].note


def test_the_figures_are_those_of_the_functions(whole: Honesty) -> None:
    excess = TRIALS - CASH[:, None]
    ratios = excess.mean(axis=0) / excess.std(axis=0, ddof=1)
    record = track(excess[:, 3])
    deflated = deflated_sharpe(record, trials=14, variance=ratios.var(ddof=1))
    cut = haircut(record.sr, periods=756, trials=14, others=ratios)
    assert cut is not None
    assert whole["psr"].value == probabilistic_sharpe(record)
    assert whole["dsr"].value == pytest.approx(deflated.value)
    assert whole["dsr"].note.startswith("K = 14, V = ")
    assert whole["haircut_bhy"].value == pytest.approx(annual(cut.sr_bhy, 252))
    assert whole.data_snooping is not None
    assert whole["p_spa_consistent"].value == whole.data_snooping.p_spa_consistent
    assert "2 more of the ledger do not cover the periods" in whole["p_spa_consistent"].note


def test_an_interval_holds_its_figure(whole: Honesty) -> None:
    for name in ("sharpe", "cagr", "volatility", "tracking_error", "sharpe_difference", "cagr_difference"):
        figure = whole[name]
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < (figure.value or 0) < figure.high, name
    assert "optimistic" in whole["max_drawdown"].note


def test_the_figures_go_into_json(whole: Honesty) -> None:
    assert len(json.loads(json.dumps([asdict(figure) for figure in whole.figures]))) == len(whole.figures)


def test_without_a_ledger_nothing_is_said_of_the_choice(whole: Honesty) -> None:
    alone = assess(TRIALS[:, 3], draws=200)
    assert [one.name for one in alone.figures] == [one.name for one in whole.figures]
    for figure in alone.figures:
        by_choice = figure.name.startswith(("dsr", "p_", "haircut", "minimum_backtest", "pbo", "oos", "degradation"))
        assert (figure.note == "not computable without a trial ledger") is by_choice
        assert (figure.value is None) is (by_choice or figure.name == "sharpe_lo" or is_beside(figure.name))
    assert alone["sharpe"].label == "Return over risk per year, cash not deducted"
    assert (alone.trials, alone.data_snooping, alone.overfitting) == (None, None, None)


def is_beside(name: str) -> bool:
    return name == "tracking_error" or name.endswith("_difference")


def test_without_a_benchmark_there_is_no_test_of_it() -> None:
    found = assess(TRIALS[:, 3], trials=TRIALS, draws=200)
    assert found["p_spa_consistent"].value is None
    assert found["p_spa_consistent"].note == "not computable without a benchmark of the same market"
    assert found["dsr"].value is not None
    assert found.trials == 12


def test_one_trial_alone_is_deflated_by_nothing_and_cannot_be_overfitted() -> None:
    found = assess(TRIALS[:, 3], trials=TRIALS[:, [3]], benchmark=BENCHMARK, draws=200)
    assert found["dsr"].value == found["psr"].value
    assert found["pbo"].value is None
    assert found["pbo"].note == "one variant tried: nothing to choose among"
    several = assess(TRIALS[:, 3], trials=TRIALS[:, [3]], tried=5, draws=200)
    assert several["pbo"].note == "one variant tried, of 5, covers the periods: nothing to choose among"
    assert found["minimum_backtest_length"].value == 0


def test_trials_that_cannot_be_compared_still_count() -> None:
    found = assess(TRIALS[:, 3], trials=TRIALS[:, [3]], tried=5, draws=200)
    assert found["dsr"].value is None
    assert "their spread needs two trials" in found["dsr"].note
    assert (found["minimum_backtest_length"].value or 0) > 0
    assert found["haircut_bonferroni"].value is not None
    unread = assess(TRIALS[:, 3], tried=5, draws=200)
    assert "their returns are not in the ledger" in unread["dsr"].note


def test_identical_trials_and_trials_in_cash() -> None:
    same = assess(TRIALS[:, 3], trials=np.tile(TRIALS[:, [3]], 8), benchmark=BENCHMARK, draws=200)
    assert same["pbo"].value is None
    assert "all variants are identical" in same["pbo"].note
    idle = assess(TRIALS[:, 3], trials=np.insert(TRIALS, 0, 0.0, axis=1), benchmark=BENCHMARK, draws=200)
    assert idle["dsr"].note.startswith("K = 13, V = ")
    assert "from 12" in idle["dsr"].note
    assert "variant 0" in idle["pbo"].note


def test_a_losing_variant_has_no_haircut_and_no_record_long_enough() -> None:
    losing = TRIALS - 0.005
    found = assess(losing[:, 3], trials=losing, benchmark=BENCHMARK, draws=200)
    assert found["haircut_sidak"].note == "no haircut: the ratio is not above 0"
    assert found["minimum_track_record"].value is None
    assert found["minimum_track_record"].note.startswith("none is long enough")
    assert found["p_spa_consistent"].value == 1


def test_a_chosen_variant_that_was_not_tried_is_refused_with_all_other_faults() -> None:
    with pytest.raises(DataError) as caught:
        assess(RNG.normal(size=756), trials=TRIALS, tried=3, benchmark=BENCHMARK[:10])
    assert {problem.where for problem in caught.value.problems} == {"trials", "tried", "benchmark"}
    with pytest.raises(DataError, match="756 periods x variants"):
        assess(TRIALS[:, 3], trials=TRIALS[:100])
