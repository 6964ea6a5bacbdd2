"""The smallest trade that cures: against every portfolio on a grid, by hand, and as properties."""

from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchina.errors import DataError, InfeasibleError
from exchina.fund.cure import Cure, cure
from exchina.fund.held import Held, held_on
from exchina.fund.limit_tests import Measure, Regime, Test, every_session, limit_test, limit_tests, limits_on
from exchina.fund.terms import Chosen

DAY = date(2025, 12, 31)
LAW = Regime("none", "Sell.", "Wait.")
UNITS = 24


def asked(held: Held, measure: Measure, limit: float, sense: str = "at_most") -> Test:
    on = every_session(held)
    return limit_test(
        held, measure.kind, measure, limit, regime=LAW, on=on, sense="at_most" if sense == "at_most" else "at_least"
    )


def rules_of(held: Held, *chosen: Chosen) -> list[Test]:
    return [test for found in limit_tests(held, chosen).values() for test in found]


def cured(weights: dict[str, float], *chosen: Chosen, cash: float = 0.0, **more: object) -> Cure:
    held = held_on(DAY, weights, cash=cash)
    return cure(held, rules_of(held, *chosen), **more)  # pyright: ignore[reportArgumentType]


def targets(found: Cure) -> dict[str, float]:
    return dict(found.trades.select("company", "target").iter_rows())


def portfolios(count: int) -> np.ndarray:
    """Every way to share out the units among the issuers, (k, count)."""
    cells = np.array([row for row in product(range(UNITS + 1), repeat=count - 1) if sum(row) <= UNITS])
    return np.column_stack([cells, UNITS - cells.sum(axis=1)])


GRID = portfolios(5)


def test_gains_of_forwards_leave_less_room_for_the_large() -> None:
    """Of 100, 5 are forwards: to have half of it small and in cash, the large may weigh 45, not 50."""
    weights = {"a": 0.24, "b": 0.24} | {f"c{place}": 0.04 for place in range(11)}
    held = replace(held_on(DAY, weights, cash=0.08), cash=np.array([0.03]), forwards=np.array([0.05]))
    found = cure(held, rules_of(held, Chosen("ric")))
    assert sum(targets(found)[name] for name in "ab") == pytest.approx(0.45, abs=1e-9)
    assert found.turnover == pytest.approx(0.03, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_no_portfolio_on_a_grid_is_nearer(seed: int) -> None:
    """Weights and limits in whole units: the optimum is on the grid, so enumeration finds it."""
    draw = np.random.default_rng(seed)
    start = draw.multinomial(UNITS, draw.dirichlet(np.full(5, 0.8)))
    single, line, together, theme = (
        draw.integers(8, 14),
        draw.integers(3, 6),
        draw.integers(10, 19),
        draw.integers(6, 18),
    )
    themed = draw.random(5) < 0.5
    held = held_on(
        DAY, dict(zip("abcde", (start / UNITS).tolist(), strict=True)), themed=set(np.array([*"abcde"])[themed])
    )
    kind = seed % 4
    rules = [asked(held, Measure("large", above=line / UNITS), together / UNITS)]
    good = np.where(line < GRID, GRID, 0).sum(axis=1) <= together
    if kind != 1:
        rules.append(asked(held, Measure("largest"), single / UNITS))
        good &= GRID.max(axis=1) <= single
    if kind >= 2:
        second = single - 4
        rules.append(asked(held, Measure("second"), second / UNITS))
        good &= np.sort(GRID, axis=1)[:, -2] <= second
    if kind == 3:
        rules.append(asked(held, Measure("themed"), theme / UNITS, "at_least"))
        good &= GRID[:, themed].sum(axis=1) >= theme
    good &= (GRID[:, start == 0] == 0).all(axis=1)
    if not good.any():
        with pytest.raises(InfeasibleError, match="can carry"):
            cure(held, rules)
        return
    nearest = (np.abs(GRID[good] - start).sum(axis=1) / 2 / UNITS).min()
    assert cure(held, rules).turnover == pytest.approx(nearest, abs=1e-12)


def test_five_ten_forty_by_hand() -> None:
    """52 % in issuers above 5 %: those at 5.5, 5.3 and 5.2 % go to 5 %, 1 % in all; 36 % stay above."""
    weights = {"a": 0.10, "b": 0.09, "c": 0.09, "d": 0.08, "e": 0.055, "f": 0.053, "g": 0.052} | {
        f"s{place:02d}": 0.04 for place in range(12)
    }
    found = cured(weights, Chosen("ucits_52"))
    assert found.turnover == pytest.approx(0.010, abs=1e-12)
    after = targets(found)
    assert [after[name] for name in "abcdefg"] == pytest.approx([0.10, 0.09, 0.09, 0.08, 0.05, 0.05, 0.05], abs=1e-12)
    assert [after[f"s{place:02d}"] for place in range(12)] == pytest.approx([0.04 + 0.01 / 12] * 12, abs=1e-12)
    assert found.mended == (
        "issuers above 5 % together (Directive 2009/65/EC, article 52(1) and (2); excess beyond the fund's control: "
        "article 57(2))",
    )


def test_proceeds_go_in_proportion_to_weight_as_far_as_there_is_room() -> None:
    """3 % are sold of a; the others have room for 1 % (b) and more; 1/2 : 1/4 of what b cannot take."""
    found = cured({"a": 0.43, "b": 0.39, "c": 0.12, "d": 0.06}, Chosen("own_issuer", {"at_most": 0.40}))
    assert targets(found) == pytest.approx({"a": 0.40, "b": 0.40, "c": 0.12 + 0.02 * 2 / 3, "d": 0.06 + 0.02 / 3})
    assert found.turnover == pytest.approx(0.03, abs=1e-12)


def test_nothing_outside_is_no_trade() -> None:
    found = cured({f"c{place}": 0.05 for place in range(20)}, Chosen("ucits_52"), Chosen("ric"), Chosen("ucits_53"))
    assert found.turnover == 0
    assert (found.trades["trade"] == 0).all()
    assert found.mended == ()


def test_a_margin_is_kept_from_every_limit() -> None:
    weights = {"a": 0.12} | {f"c{place:02d}": 0.04 for place in range(22)}
    assert targets(cured(weights, Chosen("ucits_52"), margin=0.005))["a"] == pytest.approx(0.095, abs=1e-12)


def test_votes_bound_the_weight_and_who_is_unknown_is_not_bought() -> None:
    """12 % of the votes of a at 30 %: 10 % of them are 25 %; nobody knows how many votes of b are held."""
    held = held_on(DAY, {"a": 0.30, "b": 0.30, "c": 0.40}, votes={"a": 0.12, "c": 0.01})
    found = cure(held, rules_of(held, Chosen("votes", {"law": "us_1940_act"})))
    assert targets(found) == pytest.approx({"a": 0.25, "b": 0.30, "c": 0.45}, abs=1e-12)


def test_an_issuer_that_is_large_by_votes_alone_is_sold_to_ten_per_cent_of_them() -> None:
    """a, b, c weigh 48 %, and d counts with its 4 % for 12 % of the votes: a sixth of d goes."""
    weights = {"a": 0.20, "b": 0.20, "c": 0.08, "d": 0.04} | {f"s{place:02d}": 0.04 for place in range(12)}
    held = held_on(DAY, weights, votes=dict.fromkeys(weights, 0.01) | {"d": 0.12})
    found = cure(held, rules_of(held, Chosen("ric")))
    assert found.turnover == pytest.approx(0.04 / 6, abs=1e-12)
    assert targets(found)["d"] == pytest.approx(0.04 * 10 / 12, abs=1e-12)


def test_cash_over_its_limit_is_invested_and_may_stay_where_told() -> None:
    weights = {f"c{place}": 0.09 for place in range(10)}
    found = cured(weights, Chosen("own_cash", {"at_most": 0.02}), cash=0.10)
    assert (found.cash, found.cash_target, found.turnover) == pytest.approx((0.10, 0.02, 0.08), abs=1e-12)
    few = {"a": 0.30, "b": 0.30, "c": 0.30, "d": 0.10}
    limit = Chosen("own_issuer", {"at_most": 0.20})
    kept = cured(few, limit, hold_cash=True)
    assert (kept.cash_target, kept.turnover) == pytest.approx((0.20, 0.30), abs=1e-12)
    with pytest.raises(InfeasibleError) as found_out:
        cured(few, limit)
    assert str(found_out.value) == (
        "cure on 2025-12-31: largest issuer at most 20.00%: 4 issuers held can carry 80.00% of net assets, 100.00% is "
        "asked (hold more issuers, or let what is sold stay cash, or loosen one of them)"
    )


def test_the_limits_that_clash_are_named_and_no_others() -> None:
    """14 issuers cannot meet 5/10/40 (16 can); the tests of a RIC are not in the way."""
    with pytest.raises(InfeasibleError) as found:
        cured({f"c{place:02d}": 1 / 14 for place in range(14)}, Chosen("ric"), Chosen("ucits_52"))
    message = str(found.value)
    assert "largest issuer at most 10.00% and issuers above 5 % together at most 40.00%" in message
    assert "14 issuers held can carry 90.00% of net assets, 100.00% is asked" in message
    assert "cash" not in message.split("hold more", maxsplit=1)[0]
    themed = held_on(DAY, {"a": 0.5, "b": 0.3, "c": 0.2}, themed={"a"})
    with pytest.raises(InfeasibleError, match=r"1? ?.*can carry 60.00% in the theme, 80.00% is asked"):
        cure(themed, rules_of(themed, Chosen("name_80"), Chosen("own_issuer", {"at_most": 0.6})))


def test_a_margin_below_zero_is_refused() -> None:
    with pytest.raises(DataError, match="margin"):
        cured({"a": 1.0}, Chosen("ric"), margin=-0.1)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_after_the_cure_every_test_is_met_and_nothing_is_lost(seed: int) -> None:
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.full(30, 2.0)) * 0.98
    votes = weights * draw.uniform(0, 1.5, 30)
    names = [f"c{place:02d}" for place in range(30)]
    held = held_on(
        DAY,
        dict(zip(names, weights.tolist(), strict=True)),
        cash=1 - float(weights.sum()),
        votes=dict(zip(names, votes.tolist(), strict=True)),
        themed=set(names[:26]),
    )
    chosen = [Chosen("ucits_52"), Chosen("ric"), Chosen("name_80"), Chosen("votes", {"law": "us_1940_act"})]
    found = cure(held, rules_of(held, *chosen))
    table = found.trades
    assert table["target"].sum() + found.cash_target == pytest.approx(1, abs=1e-11)
    assert table["target"].to_numpy().min() >= 0
    assert found.turnover == pytest.approx(table["trade"].abs().sum() / 2, abs=1e-11)
    grown = (table["target"] / table["weight"]).to_list()
    after = held_on(
        DAY,
        targets(found),
        cash=found.cash_target,
        votes={name: share * more for name, share, more in zip(names, votes.tolist(), grown, strict=True)},
        themed=set(names[:26]),
    )
    assert limits_on(after, chosen)["passed"].all()
    assert table.filter(pl.col("trade") > 0)["trade"].sum() == pytest.approx(found.turnover, abs=1e-11)
