"""No number where there is none: every refusal has its reason in words."""

from dataclasses import replace

import numpy as np
import pytest

from exchina.analytics.significance import (
    Dates,
    Market,
    Sample,
    Statistic,
    battery,
    contrast,
    date_battery,
    dated,
    pooled,
    sample,
    table,
)
from exchina.errors import DataError

RANDOM = np.random.default_rng(8)
BENCHMARK = RANDOM.normal(0, 0.01, 71)
RETURNS = BENCHMARK[:, None] + RANDOM.normal(0, 0.03, (71, 4))


def formed(returns: np.ndarray, estimation: int = 60) -> Sample:
    return sample(Market(np.arange(71), returns, BENCHMARK, np.arange(estimation), np.array([70])))


def found(one: Sample) -> dict[str, Statistic]:
    return {statistic.name: statistic for statistic in battery(one)}


def refused(statistics: dict[str, Statistic], reason: str) -> set[str]:
    for one in statistics.values():
        assert (one.value is None) == (one.p is None) == one.note.startswith("not computable: ")
    return {name for name, one in statistics.items() if reason in one.note and one.value is None}


def test_one_name_has_no_cross_section() -> None:
    none = refused(found(formed(RETURNS[:, :1])), "at least")
    assert {"cross_section", "skewness_hall", "bmp", "kp_bmp", "kp_patell", "grank_t", "grank_z"} <= none
    assert found(formed(RETURNS[:, :1]))["portfolio_regression"].value is not None


def test_names_that_moved_alike_have_no_spread() -> None:
    one = formed(RETURNS)
    alike = replace(one, car=one.se_car * 2)
    assert {"bmp", "kp_bmp", "grank_t", "grank_z"} <= refused(found(alike), "SCAR are all equal")


def test_names_that_move_as_one() -> None:
    assert "kp_bmp" in refused(found(replace(formed(RETURNS), residuals=RETURNS[:60, :1] * np.ones(4))), "as one")


def test_two_names_that_move_against_each_other() -> None:
    mirrored = replace(formed(RETURNS[:, :2]), residuals=RETURNS[:60, :1] * np.array([1.0, -1.0]))
    assert refused(found(mirrored), "not above 0") == {"kp_bmp", "kp_patell"}


def test_few_degrees_of_freedom_have_no_patell() -> None:
    assert {"patell", "patell_daily", "kp_patell"} <= refused(found(formed(RETURNS, estimation=4)), "2 or less")
    assert "portfolio_regression" in refused(found(formed(RETURNS, estimation=4)), "20 needed")


def test_as_few_sessions_as_coefficients_are_refused() -> None:
    with pytest.raises(DataError, match="too few estimation sessions"):
        formed(RETURNS, estimation=2)


def test_a_name_without_a_return_in_the_window_leaves_no_figure() -> None:
    gap = RETURNS.copy()
    gap[70, 1] = np.nan
    statistics = found(formed(gap))
    assert refused(statistics, "1 of 4 names have no return in the window") == statistics.keys() - {
        "weighted_portfolio_regression",
        "portfolio_regression",
        "placebo",
    }
    assert statistics["portfolio_regression"].value is None


def test_a_price_that_never_moves_leaves_no_figure() -> None:
    still = replace(formed(RETURNS), s=np.array([0.0, 1.0, 1.0, 1.0]))
    assert "kp_bmp" in refused(found(still), "1 of 4 names have no residual variance")


def test_bad_forms_are_named_together() -> None:
    here = Market(np.arange(71), RETURNS, BENCHMARK, np.arange(60), np.array([70]))
    with pytest.raises(DataError) as error:
        sample(here, replace(here, event=np.array([69, 70])), weights=np.array([1.0, -1.0]))
    assert len(error.value.problems) == 2


def test_the_table_has_no_nan() -> None:
    shown = table(battery(formed(RETURNS[:, :1])))
    assert shown.height == 22
    assert shown["value"].is_nan().sum() == shown["p"].is_nan().sum() == 0
    assert shown["kind"].unique(maintain_order=True).to_list() == ["essential", "secondary", "diagnostic"]
    assert shown["name"][0] == "kp_bmp"


def test_warnings_stand_beside_what_assumes_independence() -> None:
    statistics = found(formed(RETURNS))
    for name in ("cross_section", "patell", "bmp", "sign_exact", "wilcoxon", "sign_flip", "grank_z"):
        assert "rejects 23-68 % of true nulls" in statistics[name].note
    assert "23-68" not in statistics["kp_bmp"].note


def dates(*t: float) -> Dates:
    return Dates(np.array(t) * 0.03, np.array(t), np.full(len(t), 58))


def test_dates_by_hand() -> None:
    """t of 1, 2, 3: mean 2, standard deviation 1, so 2 / (1 / sqrt 3); of eight sign vectors two reach 6."""
    by_name = {one.name: one for one in date_battery(dates(1, 2, 3))}
    assert by_name["date_bmp"].value == pytest.approx(2 * np.sqrt(3))
    assert by_name["date_bmp"].df == 2
    assert by_name["wild_cluster"].p == 0.25
    assert "smallest reachable p 0.25" in by_name["wild_cluster"].note
    assert "no claim" in by_name["date_bmp"].note
    assert by_name["jaffe"].value == pytest.approx(6 / np.sqrt(3 * 58 / 56))
    assert by_name["pooled_as_independent"].value is None
    assert "44-60 %" in by_name["pooled_as_independent"].note


def test_one_date_is_no_several_dates() -> None:
    by_name = {one.name: one for one in date_battery(dates(2.0))}
    assert by_name["date_bmp"].value is by_name["wild_cluster"].value is by_name["date_mean"].value is None


def test_a_date_without_portfolio_is_left_out_and_noted() -> None:
    good = formed(RETURNS)
    kept = dated([good, good, formed(RETURNS, estimation=10)], signs=[1, -1, 1])
    assert kept.t.size == 2
    assert kept.t[0] == -kept.t[1]
    assert "1 of 3 dates left out" in kept.note
    with pytest.raises(DataError, match="for each date"):
        dated([good], signs=[2])


def test_a_contrast_is_paired_by_date() -> None:
    t, flips = contrast(dates(3, 1, 4, 1, 5, 9), dates(2, 0, 2, 1, 3, 5))
    assert t.value == pytest.approx(np.mean([1, 1, 2, 0, 2, 4]) / np.std([1, 1, 2, 0, 2, 4], ddof=1) * np.sqrt(6))
    assert flips.p == 4 / 64  # the zero flips for nothing
    with pytest.raises(DataError, match="both groups"):
        contrast(dates(1, 2), dates(1, 2, 3))


def test_markets_meet_on_calendar_days() -> None:
    """The same names told as two markets with other holidays: figures by name stay, pairs use common days only."""
    days = np.arange(71)
    open_here, open_there = days[days % 7 != 3], days[days % 11 != 5]
    markets = [
        Market(rows, RETURNS[rows][:, names], BENCHMARK[rows], np.flatnonzero(rows < 60), np.array([len(rows) - 1]))
        for rows, names in ((open_here, slice(0, 2)), (open_there, slice(2, 4)))
    ]
    both = sample(*markets, weights=np.array([1.0, 2.0, 3.0, 4.0]))
    common = np.intersect1d(open_here, open_there)
    common = common[common < 60]
    assert both.days.size == np.union1d(open_here[open_here < 60], open_there[open_there < 60]).size
    assert both.portfolio.fitted.sessions[0] == common.size
    rows, last = np.append(common, 70), common.size
    plain = sample(
        Market(rows, RETURNS[rows].mean(axis=1)[:, None], BENCHMARK[rows], np.arange(last), np.array([last]))
    )
    np.testing.assert_allclose(both.portfolio.fitted.car, plain.car, rtol=1e-9)
    np.testing.assert_allclose(both.portfolio.fitted.se_car, plain.se_car, rtol=1e-9)
    alone = sample(markets[1])
    np.testing.assert_array_equal(both.car[2:], alone.car)
    assert found(both)["weighted_portfolio_regression"].value is not None
    assert both.names == 4
    assert pooled(both, both).names == 8


def test_windows_of_different_lengths_are_not_pooled() -> None:
    one = formed(RETURNS)
    with pytest.raises(DataError, match="windows of 1, 2 days"):
        pooled(one, replace(one, ar=np.vstack([one.ar, one.ar])))
    with pytest.raises(DataError, match="no days"):
        pooled()
