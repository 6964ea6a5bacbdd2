"""Capacity against hand calculation and its own inverse; quiet sessions against a plain loop."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics import capacity, capacity_tables, costs
from exchina.analytics.capacity import Terms
from exchina.errors import DataError, ExchinaError
from tests.markets import sessions

TRADED = np.array([0.10, 0.05, 0.0, 0.02])
ADV = np.array([2e6, 4e5, 1.0, 3e6])
SIGMA = np.array([0.02, 0.05, 0.9, 0.03])
POSITIVE = st.floats(1e-3, 1.0)


def test_both_capacities_by_hand() -> None:
    """At 10 % over 3 sessions: 0.3 x (20m, 8m, 150m); at 25 bp by the closed form, written out."""
    found = capacity.limit(TRADED, ADV, SIGMA, 0.7, Terms())
    assert found is not None
    assert found.at_participation_usd == pytest.approx(2.4e6, rel=1e-14)
    total = sum(w**1.5 * s / a**0.5 for w, s, a in zip(TRADED, SIGMA, ADV, strict=True))
    assert found.at_cost_usd == pytest.approx((0.0025 / 0.7 / total) ** 2, rel=1e-12)
    assert (found.slowest, found.costliest) == (1, 1)
    assert (found.by, found.usd, found.binding) == ("participation", found.at_participation_usd, 1)


def test_the_smaller_one_counts_and_names_its_company() -> None:
    tight = capacity.limit(TRADED, ADV, SIGMA * np.array([4, 0.1, 1, 1]), 0.7, Terms(cost_limit=0.0005))
    assert tight is not None
    assert (tight.by, tight.binding, tight.slowest) == ("cost", 0, 1)
    assert tight.usd == tight.at_cost_usd < tight.at_participation_usd


@given(
    st.lists(st.tuples(POSITIVE, st.floats(1e4, 1e9), st.floats(0.001, 0.2)), min_size=1, max_size=8),
    st.floats(0.3, 1.5),
    st.floats(1e-4, 0.05),
)
def test_capacity_and_impact_are_inverses(lines: list[tuple[float, float, float]], y: float, limit: float) -> None:
    traded, adv, sigma = np.array(lines).T
    size = capacity.capacity_at_cost(traded, adv, sigma, y, limit)
    assert costs.impact_cost(traded, size, adv, sigma, y) == pytest.approx(limit, rel=1e-10)


@given(st.lists(st.tuples(POSITIVE, st.floats(1e4, 1e9)), min_size=1, max_size=8), POSITIVE, st.integers(1, 30))
def test_at_capacity_the_slowest_company_takes_all_the_sessions(
    lines: list[tuple[float, float]], participation: float, days: int
) -> None:
    traded, adv = np.array(lines).T
    size = capacity.capacity_at_participation(traded, adv, participation, days)
    assert capacity.days_to_trade(traded, size, adv, participation).max() == pytest.approx(days, rel=1e-12)


def test_no_trade_has_no_capacity() -> None:
    assert capacity.limit(np.zeros(2), ADV[:2], SIGMA[:2], 0.7, Terms()) is None


def quiet(values: list[float], news: list[bool], terms: Terms) -> tuple[list[float], int, int]:
    """The quiet values newest first, and how many sessions were passed over: a plain walk back."""
    rows = [(v, n) for v, n in zip(values[::-1], news[::-1], strict=True) if np.isfinite(v)]
    usual = float(np.median([v for v, n in rows if not n][: terms.adv_sessions]))
    kept: list[float] = []
    by_news = by_size = since_news = since_size = 0
    for value, after_news in rows:
        if len(kept) == terms.adv_sessions:
            break
        since_news += after_news
        since_size += not after_news and value > terms.spike_multiple * usual
        if not after_news and value <= terms.spike_multiple * usual:
            kept.append(value)
            by_news, by_size = since_news, since_size
    return kept, by_news, by_size


@given(
    st.lists(st.tuples(st.floats(1.0, 1e3) | st.just(np.nan), st.booleans()), min_size=12, max_size=60),
    st.integers(2, 20),
)
def test_quiet_sessions_are_those_of_a_plain_walk_back(rows: list[tuple[float, bool]], count: int) -> None:
    values, news = [v for v, _ in rows], [n for _, n in rows]
    if not any(np.isfinite(v) and not n for v, n in rows):
        return
    terms = Terms(adv_sessions=count, least_sessions=1)
    found = capacity.volumes(np.array(values)[:, None], np.array(news)[:, None], terms)
    kept, by_news, by_size = quiet(values, news, terms)
    assert found.median[0] == pytest.approx(np.median(kept), rel=1e-14)
    assert found.tenth[0] == pytest.approx(np.quantile(kept, 0.1), rel=1e-12)
    assert (found.sessions[0], found.by_news[0], found.by_size[0]) == (len(kept), by_news, by_size)
    known = [v for v in values if np.isfinite(v)]
    assert found.with_spikes[0] == pytest.approx(np.median(known[-count:]), rel=1e-14)


def test_a_surge_after_news_does_not_count_and_would_flatter() -> None:
    values = np.full((80, 1), 1e6)
    values[40:] = 10e6  # the last 40 sessions follow news
    news = np.zeros((80, 1), bool)
    news[40:] = True
    found = capacity.volumes(values, news, Terms())
    assert (found.median[0], found.with_spikes[0]) == (1e6, 10e6)
    assert (found.sessions[0], found.by_news[0], found.first[0]) == (40, 40, 0)


def test_a_line_without_a_volume_has_no_adv() -> None:
    found = capacity.volumes(np.full((5, 2), [[np.nan, 7.0]]), np.zeros((5, 2), bool), Terms())
    assert np.isnan(found.median[0])
    assert (found.sessions.tolist(), found.first.tolist(), found.median[1]) == ([0, 5], [5, 0], 7.0)


def test_news_covers_the_sessions_from_the_earliest_day_0_to_k_behind_the_latest() -> None:
    """A Wednesday evening in New York (day 0 Thursday), and a date only, of a Monday (day 0 Monday or Tuesday)."""
    days = [date(2026, 3, 2) + timedelta(n) for n in range(26) if (date(2026, 3, 2) + timedelta(n)).weekday() < 5]
    events = pl.DataFrame(
        {
            "id": ["EVENING", "DATE"],
            "event_date": [date(2026, 3, 4), date(2026, 3, 16)],
            "announced_at": [datetime(2026, 3, 4, 23), None],
            "announced_zone": ["America/New_York", "America/New_York"],
        },
        schema_overrides={"announced_at": pl.Datetime("us", "UTC")},
    )
    found = capacity.news_sessions(events, sessions("XNYS", days), 1)["session"].to_list()
    assert [day.isoformat()[5:] for day in found] == ["03-05", "03-06", "03-16", "03-17", "03-18"]


def test_no_event_excludes_nothing() -> None:
    events = pl.DataFrame(
        schema={
            "id": pl.String,
            "event_date": pl.Date,
            "announced_at": pl.Datetime("us", "UTC"),
            "announced_zone": pl.String,
        }
    )
    assert capacity.news_sessions(events, sessions("XNYS", [date(2026, 3, 2), date(2026, 3, 3)]), 3).is_empty()


def test_every_setting_that_makes_no_sense_is_named() -> None:
    terms = Terms(0.0, 0, -0.1, 0, 0, -1, 1.0)
    with pytest.raises(ExchinaError) as fault:
        capacity.check_terms(terms, float("nan"))
    assert [problem.where.removeprefix("capacity, ") for problem in fault.value.problems] == [
        "fund_usd",
        "participation",
        "sessions",
        "cost_limit in bp",
        "adv_sessions",
        "least_sessions",
        "news_sessions",
        "spike_multiple",
    ]
    for participation in (-0.1, 1.0001):
        with pytest.raises(ExchinaError, match="above 0 and at most 1"):
            capacity.check_terms(Terms(participation=participation), 1e6)


@pytest.mark.parametrize("sessions", [2.5, 0.0, float("inf"), float("nan")])
def test_sessions_are_whole(sessions: float) -> None:
    with pytest.raises(ExchinaError, match="whole sessions, 1 or more"):
        capacity.check_terms(Terms(sessions=sessions), 1e6)


def trade(values: np.ndarray, sigma: list[float], drifted: list[float]) -> capacity_tables.Trade:
    count = values.shape[1]
    names = ["quick", "slow", "leaver"][:count]
    lines = pl.DataFrame({"company_id": names, "name": names, "symbol": [name.upper() for name in names]})
    flat = np.full(count, 0.001)
    return capacity_tables.Trade(
        effective=date(2026, 3, 20),
        known_by=date(2026, 3, 6),
        lines=lines.with_columns(mic=pl.lit("XNYS"), since=pl.lit(None, pl.Date)),
        new=np.array([0.6, 0.4, 0.0][:count]),
        drifted=np.array(drifted),
        rates=costs.Rates(flat, flat),
        volumes=capacity.volumes(values, np.zeros(values.shape, bool), Terms()),
        sigma=np.array(sigma),
    )


def test_each_member_whose_volume_cannot_be_told_is_named() -> None:
    values = np.full((60, 3), [[np.nan, 0.0, 1e6]])
    with pytest.raises(DataError) as fault:
        capacity_tables.by_name(trade(values, [0.02, 0.02, 0.02], [0, 0, 0.2]), 1e6, 0.7, Terms())
    assert [str(problem).split(" (")[0] for problem in fault.value.problems] == [
        "quick QUICK, 2026-03-06: no session with a known volume and exchange rate",
        "slow SLOW, 2026-03-06: its average daily traded value is 0",
    ]


def test_a_new_listing_is_judged_on_the_sessions_that_it_has() -> None:
    values = np.full((60, 2), 1e6)
    values[:54, 0] = np.nan
    assert trade(values, [0.02, 0.02], [0, 0]).unmeasured(Terms()) == []


def test_too_few_sessions_and_a_price_that_never_moved_are_named() -> None:
    values = np.full((60, 2), 1e6)
    values[:57, 0] = np.nan
    problems = trade(values, [0.02, 0.0], [0, 0]).unmeasured(Terms())
    assert ["3 quiet sessions" in problems[0].what, "never moved" in problems[1].what] == [True, True]
    assert "returns to measure" in trade(values, [0.02, np.nan], [0, 0]).unmeasured(Terms())[1].what


def test_days_are_the_same_with_one_company_as_with_many_and_sorted_by_length() -> None:
    held = trade(np.full((60, 2), [[5e6, 1e6]]), [0.02, 0.03], [0, 0])
    table = capacity_tables.by_name(held, 10e6, 0.7, Terms())
    assert table["company_id"].to_list() == ["slow", "quick"]
    assert table["days"].to_list() == pytest.approx([0.4 * 10e6 / 1e5, 0.6 * 10e6 / 5e5])


def test_what_is_never_traded_on_thin_days_has_no_room_by_them() -> None:
    values = np.full((60, 2), 1e6)
    values[:20, 1] = 0.0
    found = capacity_tables.limits(trade(values, [0.02, 0.02], [0, 0]), [], 0.7, Terms())
    thin = found.row(by_predicate=pl.col("volume") == "10th percentile", named=True)
    assert (thin["usd"], thin["company"]) == (0.0, "slow")
    table = capacity_tables.by_name(trade(values, [0.02, 0.02], [0, 0]), 1e6, 0.7, Terms())
    assert dict(table.select("company_id", "days_tenth").iter_rows()) == {"quick": pytest.approx(6.0), "slow": None}


def test_a_review_whose_leaver_has_no_volume_is_costed_without_impact_and_says_why() -> None:
    values = np.full((60, 3), [[1e6, 1e6, np.nan]])
    one = trade(values, [0.02, 0.02, np.nan], [0.5, 0.3, 0.2])
    (row,) = capacity_tables.by_review([one], 1e6, 0.7, Terms()).rows(named=True)
    assert row["two_way"] == pytest.approx(0.4)
    assert row["dealing_bp"] == pytest.approx(4.0)
    assert (row["impact_bp"], row["cost_bp"]) == (None, None)
    assert row["note"].startswith("leaver LEAVER, 2026-03-06: no session")
    assert capacity_tables.limits(trade(values[:, :2], [0.02, 0.02], [0, 0]), [one], 0.7, Terms())[
        "trade"
    ].unique().to_list() == ["build or leave"]


def test_impact_per_fund_grows_by_root_two_along_the_curve() -> None:
    held = trade(np.full((60, 2), 1e6), [0.02, 0.02], [0, 0])
    found = capacity_tables.curve(held, [], [1e6, 2e6], 0.7, Terms())
    impact = found["build_bp"] - 10.0
    assert impact[1] / impact[0] == pytest.approx(np.sqrt(2), rel=1e-12)
    assert found["drag_bp"].to_list() == [None, None]
    assert found["extrapolated"].to_list() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("adv", [np.nan, 0.0, -1.0, np.inf])
def test_an_unknown_volume_is_no_infinite_capacity(adv: float) -> None:
    traded, sigma = np.array([0.5, 0.5, 0.0]), np.array([0.02, np.nan, np.nan])
    with pytest.raises(DataError) as caught:
        capacity.limit(traded, np.array([adv, 1e6, np.nan]), sigma, 0.7, Terms())
    assert [problem.where for problem in caught.value.problems] == ["line 0", "line 1"]
    assert all(problem.hint for problem in caught.value.problems)
