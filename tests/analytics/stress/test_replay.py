"""Past events on today's weights: invented prices whose answer is known, and the whole ledger on the sample market."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from exchina.analytics.stress.replay import Replay, replay, replayed, with_proxies
from exchina.analytics.stress.weekly import beta_to, weekly_returns
from exchina.errors import DataError
from exchina.model import MarketData
from tests.markets import market

START, DAYS = date(2022, 1, 3), 800
EVENTS = {"EARLY": date(2022, 8, 1), "LATE": date(2024, 1, 8)}
YOUNG_FROM = date(2023, 1, 2)


def weekdays() -> list[date]:
    days = (START + timedelta(days=offset) for offset in range(2 * DAYS))
    return [day for day in days if day.weekday() < 5][:DAYS]


@pytest.fixture(scope="module")
def past() -> MarketData:
    """Three names of a stage that follow one factor with slopes 0.5, 1 and 2; the last is listed in 2023."""
    sessions, rng = weekdays(), np.random.default_rng(11)
    common, market_moves = rng.normal(0, 0.01, DAYS), rng.normal(0, 0.005, DAYS)
    common[[sessions.index(day) for day in EVENTS.values()]] = 0.10
    moves = {"A": 0.5 * common, "B": common, "C": 2 * common, "M": market_moves}
    levels = {name: 100 * np.cumprod(1 + one) for name, one in moves.items()}
    close = [datetime(day.year, day.month, day.day, 21, tzinfo=UTC) for day in sessions]
    rows = [
        {"symbol": name, "session": day, "close": float(levels[name][at]), "volume": 1.0, "currency": "USD"}
        for name in "ABC"
        for at, day in enumerate(sessions)
        if name != "C" or day >= YOUNG_FROM
    ]
    return market(
        prices=pl.DataFrame(rows),
        benchmarks=pl.DataFrame({"symbol": "M", "session": sessions, "level": levels["M"]}),
        sessions=pl.DataFrame({"calendar": "XNYS", "session": sessions, "close_at": close}),
    )


def lines() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "symbol": ["A", "B", "C"],
            "stage": "processor",
            "currency": "USD",
            "calendar": "XNYS",
            "benchmark": "M",
            "first_trade_date": [None, None, YOUNG_FROM],
        }
    )


def shocks(**outcomes: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": list(EVENTS),
            "event_date": list(EVENTS.values()),
            "title": "a shock",
            "kind": ["china_easing", "china_quota"],
            "outcome": [outcomes.get(name, "happened") for name in EVENTS],
            "announced_at": [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in EVENTS.values()],
            "announced_zone": "America/New_York",
        }
    )


def ran(past: MarketData, weights: list[float], **chosen: object) -> Replay:
    held = pl.DataFrame({"symbol": ["A", "B", "C"], "weight": weights})
    return replay(shocks(), lines(), held, past, **chosen)  # type: ignore[arg-type]


def test_own_returns_where_there_are_and_a_marked_proxy_where_not(past: MarketData) -> None:
    found = ran(past, [0.4, 0.4, 0.2])
    names = {(row["event_id"], row["symbol"]): row for row in found.names.to_dicts()}
    own = past.prices.filter(pl.col("symbol") == "A").sort("session")
    at = own["session"].index_of(EVENTS["LATE"])
    assert at is not None
    by_hand = own["close"][at + 1] / own["close"][at - 1] - 1
    assert names["LATE", "A"]["raw"] == pytest.approx(by_hand)
    assert not names["LATE", "C"]["raw_proxied"]
    early = names["EARLY", "C"]
    assert early["raw_proxied"]
    assert early["abnormal_proxied"]
    beta = dict(found.betas.select("symbol", "beta").iter_rows())["C"]
    assert beta == pytest.approx(2 / 0.75, rel=0.02)
    assert early["raw"] == pytest.approx(beta * (names["EARLY", "A"]["raw"] + names["EARLY", "B"]["raw"]) / 2)
    row = found.events.row(0, named=True)
    assert row["event_id"] == "EARLY"
    assert row["raw_proxied"] == pytest.approx(0.2)
    assert row["raw"] == pytest.approx(sum(0.4 * names["EARLY", name]["raw"] for name in "AB") + 0.2 * early["raw"])


def test_above_half_by_proxy_there_is_no_figure(past: MarketData) -> None:
    events = {row["event_id"]: row for row in ran(past, [0.2, 0.2, 0.6]).events.to_dicts()}
    assert events["EARLY"]["raw"] is None
    assert "60% by proxy" in events["EARLY"]["note"]
    assert events["LATE"]["raw"] is not None
    assert replayed(np.array([0.1, 0.2]), np.array([False, True]), np.array([0.5, 0.5])) == (
        pytest.approx(0.15),
        0.5,
        0.0,
    )


def test_every_event_of_the_kinds_that_happened(past: MarketData) -> None:
    assert ran(past, [0.4, 0.4, 0.2]).events["event_id"].to_list() == ["EARLY", "LATE"]
    assert ran(past, [0.4, 0.4, 0.2], kinds=["china_quota"]).events["event_id"].to_list() == ["LATE"]
    with pytest.raises(DataError, match="did you mean 'china_quota'"):
        ran(past, [0.4, 0.4, 0.2], kinds=["china_quotas"])
    held = pl.DataFrame({"symbol": ["A"], "weight": [1.0]})
    unknown = replay(shocks(EARLY="unknown"), lines(), held, past)
    assert unknown.events["event_id"].to_list() == ["LATE"]


def test_later_prices_change_no_earlier_event(past: MarketData) -> None:
    """Own returns of a past event do not move with prices after its window (betas may: they are of today)."""
    cut = pl.col("session") > date(2024, 1, 20)
    bent = past.prices.with_columns(close=pl.when(cut).then(pl.col("close") * 3).otherwise("close"))
    other = replay(
        shocks(),
        lines(),
        pl.DataFrame({"symbol": ["A", "B"], "weight": [0.5, 0.5]}),
        market(prices=bent.drop("known_date"), benchmarks=past.benchmarks.drop("known_date"), sessions=past.sessions),
    )
    same = replay(shocks(), lines(), pl.DataFrame({"symbol": ["A", "B"], "weight": [0.5, 0.5]}), past)
    assert other.names.select("raw", "abnormal").equals(same.names.select("raw", "abnormal"))


def test_neither_return_nor_proxy_stays_a_gap() -> None:
    nan = float("nan")
    found, proxied = with_proxies(np.array([0.1, nan, nan]), np.array([1, nan, 2]), np.array([0.1, 0.1, 0.1]))
    assert proxied.tolist() == [False, False, True]
    assert found[2] == pytest.approx(0.2)
    assert np.isnan(found[1])
    value, by_proxy, missing = replayed(found, proxied, np.array([0.6, 0.1, 0.3]))
    assert value == pytest.approx((0.6 * 0.1 + 0.3 * 0.2) / 0.9)
    assert (by_proxy, missing) == (pytest.approx(0.3), pytest.approx(0.1))


def test_a_member_without_a_line_counts_as_missing(past: MarketData) -> None:
    held = pl.DataFrame({"symbol": ["A", "GONE"], "weight": [0.7, 0.3]})
    found = replay(shocks(), lines(), held, past).events
    assert found["raw_missing"].to_list() == pytest.approx([0.3, 0.3])
    unlisted = lines().with_columns(calendar=pl.when(pl.col("symbol") != "B").then("calendar"))
    assert np.isnan(weekly_returns(unlisted, past)[:, 1]).all()


def test_weeks_compound_the_days(past: MarketData) -> None:
    weekly = weekly_returns(lines(), past, weeks=10)
    last = past.prices["session"].max()
    assert isinstance(last, date)
    monday = last - timedelta(days=last.weekday())
    own = past.prices.filter((pl.col("symbol") == "B") & (pl.col("session") < monday)).sort("session")["close"]
    assert weekly[-1, 1] == pytest.approx(own[-1] / own[-6] - 1)
    assert np.isfinite(weekly).all()
    betas = beta_to(weekly_returns(lines(), past)[:, [0, 2]], weekly_returns(lines(), past)[:, 1])
    np.testing.assert_allclose(betas, [0.5, 2], rtol=0.05)
    assert np.isnan(beta_to(weekly, weekly[:, 0])).all()  # ten weeks are too few
