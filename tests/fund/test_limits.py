"""The limits on a fund: outside answers, a suite that every limit inherits, and spells over time."""

import doctest
import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from exchina.errors import DataError
from exchina.fund.held import Held, held_of_index, held_on
from exchina.fund.limit_history import index_breaches, limit_history, limit_unknowns
from exchina.fund.limit_tests import Test, limit_tests, limits_on, quarter_ends
from exchina.fund.registers import limits
from exchina.fund.terms import Chosen
from exchina.plugins import keyword_settings
from exchina.rules.regulation import checks

SETTINGS = {"own_issuer": {"at_most": 0.09}, "own_cash": {"at_most": 0.01}, "votes": {"law": "ucits"}}
CHOSEN = [Chosen(name, SETTINGS.get(name, {})) for name in limits.all()]
QUARTER_END = date(2025, 12, 31)


def weekdays(first: date, count: int) -> tuple[date, ...]:
    days = (first + timedelta(days=step) for step in range(2 * count))
    return tuple([day for day in days if day.weekday() < 5][:count])


def random_held(seed: int, sessions: int = 90, count: int = 14) -> Held:
    """A fund of drifting weights with cash, some purchases and some votes that are not known."""
    draw = np.random.default_rng(seed)
    paths = np.exp(np.cumsum(draw.normal(0, 0.04, (sessions, count)), axis=0)) * draw.pareto(1.5, count)
    cash = draw.uniform(0, 0.02, sessions)
    weights = paths / paths.sum(axis=1, keepdims=True) * (1 - cash[:, None])
    votes = np.where(draw.random((sessions, count)) < 0.1, np.nan, weights * draw.uniform(0, 1.2, count)).clip(0, 1)
    return Held(
        sessions=weekdays(date(2024, 1, 2), sessions),
        companies=tuple(f"c{place:02d}" for place in range(count)),
        weights=weights,
        bought=draw.random((sessions, count)) < 0.05,
        votes=votes,
        themed=draw.random(count) < 0.85,
        cash=cash,
    )


def taken(held: Held, rows: slice, order: np.ndarray | None = None) -> Held:
    """Some sessions, or the issuers in another order."""
    order = np.arange(len(held.companies)) if order is None else order
    tables = {name: getattr(held, name)[rows][:, order] for name in ("weights", "bought", "votes")}
    companies = tuple(held.companies[place] for place in order)
    return replace(
        held,
        sessions=held.sessions[rows],
        companies=companies,
        themed=held.themed[order],
        cash=held.cash[rows],
        **tables,
    )


def of(name: str, held: Held) -> tuple[Test, ...]:
    return limits[name](held, **SETTINGS.get(name, {}))


@pytest.mark.parametrize("name", limits.all())
class TestEveryLimit:
    def test_figures_by_session_with_a_source_and_what_is_asked(self, name: str) -> None:
        held = random_held(1)
        for test in of(name, held):
            for column in (test.found, test.unknown, test.tested_on, test.outside):
                assert column.shape == (90,)
            assert test.involved.shape == (90, 14)
            assert test.source
            assert test.regime.active.endswith(".")
            assert test.regime.passive.endswith(".")
            assert ("{by}" in test.regime.active) == bool(test.regime.active_days)
            assert ("{by}" in test.regime.passive) == bool(test.regime.passive_days)
            assert not (test.unknown & test.outside).any()

    def test_order_of_issuers_does_not_matter(self, name: str) -> None:
        held, order = random_held(2), np.random.default_rng(3).permutation(14)
        for one, other in zip(of(name, held), of(name, taken(held, slice(None), order)), strict=True):
            np.testing.assert_allclose(one.found, other.found, rtol=0, atol=1e-14)
            np.testing.assert_array_equal(one.unknown, other.unknown)
            np.testing.assert_array_equal(one.involved[:, order], other.involved)

    def test_a_session_does_not_see_the_next_ones(self, name: str) -> None:
        held = random_held(4)
        for whole, early in zip(of(name, held), of(name, taken(held, slice(0, 30))), strict=True):
            np.testing.assert_array_equal(whole.found[:30], early.found)
            np.testing.assert_array_equal(whole.unknown[:30], early.unknown)
            np.testing.assert_array_equal(whole.tested_on[:29], early.tested_on[:29])

    def test_has_an_example_and_documents_every_setting(self, name: str) -> None:
        plugin = limits[name]
        found = doctest.DocTestFinder().find(plugin, name, sys.modules[plugin.__module__])
        assert any(one.examples for one in found)
        assert all(f"{setting}:" in str(plugin.__doc__) for setting in keyword_settings(plugin))


def verdicts(held: Held, *chosen: Chosen) -> list[bool | None]:
    return limits_on(held, chosen)["passed"].to_list()


def test_the_examples_of_the_tax_regulations() -> None:
    """26 CFR 1.851-5, examples 1 (company W) and 2 (company V); government paper and funds stand with the cash."""
    small = {f"various{number}": 0.04 for number in range(5)}
    votes = {"A": 1.0, "B": 1.0, "C": 0.15} | dict.fromkeys(small, 0.09)
    company_w = held_on(QUARTER_END, {"A": 0.10, "B": 0.15, "C": 0.20} | small, cash=0.35, votes=votes)
    company_v = held_on(QUARTER_END, {"A": 0.07, "B": 0.12, "C": 0.15, "D": 0.21}, cash=0.45)
    assert limits_on(company_w, [Chosen("ric")])["found"].to_list() == pytest.approx([0.20, 0.55], abs=1e-12)
    assert verdicts(company_w, Chosen("ric")) == [True, True]
    assert verdicts(company_v, Chosen("ric")) == [True, False]


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_tests_on_the_weights_of_an_index(seed: int) -> None:
    """`exchina.rules.regulation` asks the same of weights that sum to 1: "together at most", here "rest at least"."""
    weights = np.random.default_rng(seed).dirichlet(np.full(18, 1.0))
    held = held_on(QUARTER_END, {f"c{place}": float(weight) for place, weight in enumerate(weights)})
    there = checks(dict(zip(held.companies, weights.tolist(), strict=True)), when="at_review")
    there = there.filter(pl.col("passed").is_not_null(), pl.col("rule") != "SEBI")
    names = ("ucits_52", "ucits_53", "ric", "act_1940_diversified")
    assert verdicts(held, *map(Chosen, names)) == there["passed"].to_list()


def test_more_than_five_per_cent_is_strict() -> None:
    at_line = {f"c{place}": 0.05 for place in range(20)}
    assert limits_on(held_on(QUARTER_END, at_line), [Chosen("ucits_52")])["found"].to_list() == [0.05, 0.0]


def test_tax_tests_are_fractions_of_total_assets() -> None:
    """Net assets 100, debts 4: total assets are 104, and 25.5 of them is 24.5 %."""
    held = held_on(QUARTER_END, {"a": 0.255} | {f"c{place}": 0.0498 for place in range(15)}, cash=0.038)
    found = limits_on(held, [Chosen("ric"), Chosen("ucits_52")])
    assert found["found"][0] == pytest.approx(0.255 / 1.04, abs=1e-12)
    assert found["passed"].to_list() == [True, True, False, True]


def test_votes_that_are_not_known_leave_the_verdict_open_only_where_they_decide_it() -> None:
    weights = {"a": 0.30, "b": 0.10} | {f"c{place}": 0.04 for place in range(15)}
    known = dict.fromkeys(weights, 0.01)
    rest = [Chosen("ric")]
    assert verdicts(held_on(QUARTER_END, weights, votes=known), *rest) == [False, True]
    some = {name: share for name, share in known.items() if name not in ("c0", "c1")}
    assert verdicts(held_on(QUARTER_END, weights, votes=some), *rest) == [False, True]
    assert verdicts(held_on(QUARTER_END, weights, votes={}), *rest) == [False, None]
    much = known | {"c0": 0.11, "c1": 0.11, "c2": 0.11}
    assert verdicts(held_on(QUARTER_END, weights, votes=much), *rest) == [False, False]
    open_ = limit_unknowns(held_on(QUARTER_END, weights, votes={}), [Chosen("ric"), Chosen("votes", {"law": "ucits"})])
    assert open_.rows()[0][2:] == (QUARTER_END, QUARTER_END, 1)
    assert open_.height == 2


def test_one_of_the_issuers_may_reach_thirty_five_per_cent() -> None:
    three = {"a": 0.35, "b": 0.20, "c": 0.20, "d": 0.20, "e": 0.05}
    assert verdicts(held_on(QUARTER_END, three), Chosen("ucits_53")) == [True, True]
    assert verdicts(held_on(QUARTER_END, three), Chosen("ucits_53", {"one_at_most": 0.2})) == [False, True]
    assert verdicts(held_on(QUARTER_END, three | {"b": 0.21, "e": 0.04}), Chosen("ucits_53")) == [True, False]


def test_quarter_ends_are_the_last_sessions_of_the_fiscal_quarters() -> None:
    days = weekdays(date(2024, 1, 1), 263)
    ends = [day for day, end in zip(days, quarter_ends(days), strict=True) if end]
    assert ends == [date(2024, 3, 29), date(2024, 6, 28), date(2024, 9, 30), date(2024, 12, 31)]
    november = [day for day, end in zip(days, quarter_ends(days, 11), strict=True) if end]
    assert november == [date(2024, 2, 29), date(2024, 5, 31), date(2024, 8, 30), date(2024, 11, 29)]
    assert not quarter_ends([date(2024, 3, 28)])[0]
    assert quarter_ends([date(2024, 3, 29)])[0]


def one_heavy(days: tuple[date, ...], heavy: list[float], bought: list[int], *, count: int = 24) -> Held:
    """One issuer at given weights, the others equal, all bought at the first close and ``a`` at further ones."""
    first = np.array(heavy)
    weights = np.column_stack([first, np.repeat((1 - first[:, None]) / count, count, axis=1)])
    purchased = np.zeros(weights.shape, bool)
    purchased[0] = True
    purchased[bought, 0] = True
    names = ("a", *(f"c{place:02d}" for place in range(count)))
    return Held(days, names, weights, purchased, np.zeros(weights.shape), np.arange(count + 1) > 0, np.zeros(len(days)))


def spells(held: Held, chosen: Chosen, test: str | None = None) -> list[tuple[object, ...]]:
    history = limit_history(held, [chosen])
    history = history if test is None else history.filter(pl.col("test") == test)
    return history.select("from", "to", "cause", "binding", "cure_by").rows()


def test_a_ucits_that_drifts_out_breaks_nothing_until_it_buys_more() -> None:
    days = weekdays(date(2024, 1, 2), 8)
    held = one_heavy(days, [0.09, 0.101, 0.11, 0.12, 0.12, 0.09, 0.11, 0.11], [3])
    assert spells(held, Chosen("ucits_52"), "largest issuer") == [
        (days[1], days[2], "passive", False, None),
        (days[3], days[4], "active", True, None),
        (days[6], None, "passive", False, None),
    ]
    row = limit_history(held, [Chosen("ucits_52")]).row(0, named=True)
    assert (row["first_found"], row["worst"], row["limit"], row["issuers"]) == (0.101, 0.11, 0.10, ["a"])
    assert "article 57(2)" in row["asks"]


def test_buying_another_issuer_does_not_make_an_excess_active() -> None:
    days = weekdays(date(2024, 1, 2), 3)
    held = one_heavy(days, [0.09, 0.11, 0.11], [])
    held.bought[2, 5] = True
    assert [spell[2] for spell in spells(held, Chosen("ucits_52"))] == ["passive"]


LARGEST = "largest issuer"
Q1, Q2 = date(2024, 3, 29), date(2024, 6, 28)


def ric_history(
    heavy: dict[date, float], bought: tuple[date, ...] = (), until: date = date(2024, 7, 31)
) -> list[object]:
    """Spells of the 25 % test of a fund launched on 2024-01-02, whose heaviest issuer changes weight on some days."""
    days = tuple(day for day in weekdays(date(2024, 1, 2), 200) if day <= until)
    levels, level = list[float](), 0.20
    for day in days:
        level = heavy.get(day, level)
        levels.append(level)
    return [*spells(one_heavy(days, levels, [days.index(day) for day in bought]), Chosen("ric"), LARGEST)]


def test_a_ric_keeps_its_status_when_prices_alone_move_it() -> None:
    out = {date(2024, 5, 6): 0.26}
    assert ric_history(out) == [(date(2024, 5, 6), None, "passive", False, None)]


def test_a_ric_that_bought_the_excess_has_thirty_days_from_the_quarter_end() -> None:
    bought, by = date(2024, 5, 6), date(2024, 7, 28)
    cured = ric_history({bought: 0.26, date(2024, 7, 26): 0.24}, (bought,))
    assert cured == [(bought, date(2024, 7, 25), "active", False, by)]
    late = ric_history({bought: 0.26, date(2024, 7, 29): 0.24}, (bought,))
    assert late == [(bought, date(2024, 7, 26), "active", True, by)]
    assert ric_history({bought: 0.26}, (bought,), until=date(2024, 7, 15)) == [(bought, None, "active", None, by)]
    assert ric_history({bought: 0.26, date(2024, 6, 27): 0.24}, (bought,)) == [
        (bought, date(2024, 6, 26), "active", False, None)
    ]


def test_the_excuse_needs_a_quarter_end_that_was_met() -> None:
    """Out by prices in the first quarter and so at its close: section 851(d)(1) excuses a *subsequent* quarter."""
    spell = ric_history({date(2024, 2, 5): 0.26, date(2024, 5, 6): 0.24})
    assert spell == [(date(2024, 2, 5), date(2024, 5, 3), "passive", True, None)]


def test_the_name_test_gives_ninety_days_after_drift_and_none_after_a_purchase() -> None:
    days = weekdays(date(2024, 1, 2), 200)
    found, back = days.index(Q1), days.index(date(2024, 6, 27))
    levels = np.full(200, 0.19)
    levels[40:back] = 0.21
    name = Chosen("name_80", {"amended_from": date(2024, 1, 2)})
    assert days[40] == date(2024, 2, 27)
    by = Q1 + timedelta(days=90)
    assert spells(one_heavy(days, levels.tolist(), []), name) == [(days[40], days[back - 1], "passive", False, by)]
    levels[40 : back + 2] = 0.21
    assert spells(one_heavy(days, levels.tolist(), []), name) == [(days[40], days[back + 1], "passive", True, by)]
    bought = spells(one_heavy(days, levels.tolist(), [found + 1]), name)
    assert [spell[2:4] for spell in bought] == [("passive", True), ("active", True)]


def test_the_ninety_days_of_the_name_test_do_not_run_before_the_amendment() -> None:
    """The rule of 2001 tested purchases; a drift that lasts is found by the first quarter's end under the amendment."""
    days = weekdays(date(2024, 1, 2), 200)
    levels, back = np.full(200, 0.19), days.index(date(2024, 8, 15))
    levels[40:back] = 0.21
    drifted = one_heavy(days, levels.tolist(), [])
    old, later = Chosen("name_80"), Chosen("name_80", {"amended_from": date(2024, 5, 1)})
    assert spells(drifted, old) == [(days[40], days[back - 1], "passive", False, None)]
    assert limit_history(drifted, [old])["asks"].str.starts_with("No breach: the rule tested purchases").all()
    assert not limits_on(drifted, [old], days.index(Q1))["asked"].any()
    assert spells(drifted, later) == [(days[40], days[back - 1], "passive", False, Q2 + timedelta(days=90))]
    bought = spells(one_heavy(days, levels.tolist(), [50]), old)
    assert bought == [(days[40], days[49], "passive", False, None), (days[50], days[back - 1], "active", True, None)]


def test_an_open_forward_is_neither_cash_nor_an_issuer() -> None:
    """Net assets 100: shares 92, forwards that gained 5, cash 3; then forwards that lost 5 and cash 13."""
    small = {f"c{place}": 0.046 for place in range(20)}
    gained, lost = held_on(QUARTER_END, small, cash=0.08), held_on(QUARTER_END, small, cash=0.08)
    gained = replace(gained, cash=np.array([0.03]), forwards=np.array([0.05]))
    lost = replace(lost, cash=np.array([0.13]), forwards=np.array([-0.05]))
    asked = [Chosen("own_cash", {"at_most": 0.05}), Chosen("ric")]
    assert limits_on(gained, asked)["found"].to_list() == pytest.approx([0.03, 0.046, 0.95])
    assert limits_on(lost, asked)["found"].to_list() == pytest.approx([0.13, 0.046 / 1.05, 1.0])
    assert verdicts(gained, *asked)[0] is True
    assert (gained.assets[0], lost.assets[0]) == pytest.approx((1.0, 1.05))


def test_own_limits_bind_whatever_moved_them() -> None:
    days = weekdays(date(2024, 1, 2), 3)
    held = one_heavy(days, [0.09, 0.11, 0.09], [])
    assert spells(held, Chosen("own_issuer", {"at_most": 0.10})) == [(days[1], days[1], "passive", True, None)]
    at_purchase = Chosen("own_issuer", {"at_most": 0.10, "when": "at_purchase"})
    assert spells(held, at_purchase) == [(days[1], days[1], "passive", False, None)]
    idle = held_on(QUARTER_END, {"a": 0.97}, cash=0.03)
    assert spells(idle, Chosen("own_cash", {"at_most": 0.02})) == [(QUARTER_END, None, "active", True, None)]


def test_an_index_that_breaks_a_limit_at_its_reviews_is_named_with_the_day_and_the_figures() -> None:
    days, weights = weekdays(date(2024, 1, 2), 6), np.full((6, 20), 0.05)
    weights[2, :3] = 0.11, 0.0, 0.04  # a drift between reviews
    weights[4:, :3] = 0.105, 0.0, 0.045  # a review
    held = held_of_index(
        days,
        tuple(f"c{place:02d}" for place in range(20)),
        weights,
        reviewed=np.arange(6) == 4,
        themed=np.ones(20, bool),
    )
    (problem,) = index_breaches(held, [Chosen("ucits_52"), Chosen("ucits_53"), Chosen("own_issuer", {"at_most": 0.2})])
    assert problem.where == "limits.ucits_52"
    assert problem.what == (
        f"the index itself breaks it: largest issuer 10.50% on {days[4]}, at most 10.00% is allowed (c00)"
    )


def test_limits_that_do_not_exist_and_wrong_settings_are_named_together() -> None:
    held = held_on(QUARTER_END, {"a": 1.0})
    chosen = [Chosen("ucits_25"), Chosen("own_issuer"), Chosen("own_cash", {"at_mots": 0.1, "at_most": 0.1})]
    with pytest.raises(DataError) as found:
        limit_tests(held, chosen)
    assert [problem.where for problem in found.value.problems] == [
        "limits.ucits_25",
        "limits.own_issuer.at_most",
        "limits.own_cash.at_mots",
    ]


def test_what_cannot_be_held_is_refused_with_the_day() -> None:
    held = random_held(5, sessions=4)
    for change, word in (
        ({"weights": np.where(np.arange(4)[:, None] == 2, np.nan, held.weights)}, str(held.sessions[2])),
        ({"cash": held.cash - 0.5}, "of net assets"),
        ({"forwards": np.full(4, np.nan)}, "held.forwards on"),
        ({"forwards": np.zeros(3)}, "has shape (3,)"),
        ({"votes": held.votes[:2]}, "has shape (2, 14)"),
        ({"votes": held.votes + 2}, "outside 0 to 1"),
        ({"sessions": held.sessions[::-1]}, "ascending"),
        ({"companies": ("c00",) * 14}, "stands twice"),
    ):
        with pytest.raises(DataError, match=word.replace("(", r"\(").replace(")", r"\)")):
            replace(held, **change)


def test_ten_years_of_sixty_issuers_in_no_time() -> None:
    held = random_held(6, sessions=2520, count=60)
    history = limit_history(held, CHOSEN)
    assert set(history["cause"]) == {"active", "passive"}
    assert history.select((pl.col("to") >= pl.col("from")).all()).item()


def test_the_second_of_ucits_53_is_not_the_largest() -> None:
    """A may weigh 30 %; B drifts to 20.5 %, and the fund, which buys A alone, has not made it."""
    days = weekdays(date(2025, 3, 3), 3)
    weights = np.array([[0.30, 0.195, *[0.0505] * 10], [0.30, 0.205, *[0.0495] * 10], [0.305, 0.205, *[0.049] * 10]])
    bought = np.zeros((3, 12), bool)
    bought[0], bought[2, 0] = True, True
    held = Held(days, tuple("ABCDEFGHIJKL"), weights, bought, np.zeros((3, 12)), np.ones(12, bool), np.zeros(3))
    (spell,) = limit_history(held, [Chosen("ucits_53")]).rows(named=True)
    assert (spell["cause"], spell["from"], spell["issuers"]) == ("passive", days[1], ["B"])
