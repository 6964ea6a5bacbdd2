"""The study on a made-up market of two exchanges whose returns are known exactly."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from exchina.analytics.event_study import EventStudy, study
from exchina.errors import DataError, ExchinaError
from exchina.model import MarketData, Provenance
from tests import markets

PROVENANCE = Provenance("test", "simulated", "made up", "2026-12-31T00:00:00Z", "0" * 64, date(2026, 12, 31))
FIRST = date(2025, 1, 1)
DAYS = [day for n in range(520) if (day := FIRST + timedelta(days=n)).weekday() < 5]
CLOSES = {"XNYS": 21, "XASX": 5}
LISTINGS = {"MP": ("XNYS", "USD", "^US"), "UU": ("XNYS", "USD", "^US"), "LYC.AX": ("XASX", "AUD", "^AU")}
BETAS = {"MP": 1.5, "UU": 0.5, "LYC.AX": 1.2}
NOON = datetime(
    2026, 1, 14, 17, tzinfo=UTC
)  # Wednesday, noon in New York: New York reacts that day, Sydney on the next
INSTANT = pl.Datetime("us", "UTC")


def paths(seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {symbol: random.normal(0, 0.01, len(DAYS)) for symbol in ("^US", "^AU")}


def market(jumps: dict[tuple[str, date], float] | None = None, noise: float = 0.0) -> MarketData:
    """Prices with R = 0.0005 + beta Rm + jump (+ noise) exactly."""
    factors, random = paths(), np.random.default_rng(2)
    prices: list[pl.DataFrame] = []
    for symbol, (_, _, benchmark) in LISTINGS.items():
        returns = 0.0005 + BETAS[symbol] * factors[benchmark] + noise * random.normal(0, 1, len(DAYS))
        for (name, day), jump in (jumps or {}).items():
            returns[DAYS.index(day)] += jump if name == symbol else 0
        prices.append(series(symbol, 20 * np.cumprod(1 + returns), "close"))
    levels = [series(symbol, 1000 * np.cumprod(1 + returns), "level") for symbol, returns in factors.items()]
    at = [
        (calendar, day, datetime(day.year, day.month, day.day, hour))
        for calendar, hour in CLOSES.items()
        for day in DAYS
    ]
    return markets.market(
        prices=pl.concat(prices).with_columns(volume=pl.lit(1.0), known_date="session"),
        benchmarks=pl.concat(levels).with_columns(known_date="session"),
        sessions=rows(at, calendar=pl.String, session=pl.Date, close_at=INSTANT),
    )


def series(symbol: str, values: np.ndarray, name: str) -> pl.DataFrame:
    return pl.DataFrame({"symbol": symbol, "session": DAYS, name: values})


def rows(values: list[tuple[Any, ...]], **schema: Any) -> pl.DataFrame:
    return pl.DataFrame(values, schema=schema, orient="row")


def ledger(*events: tuple[str, date, datetime | None] | tuple[str, date, datetime | None, str, str]) -> pl.DataFrame:
    full = [
        (*event[:3], "America/New_York", f"Title of {event[0]}", *(event[3:] or ("western_funding", "happened")))
        for event in events
    ]
    return rows(
        full,
        id=pl.String,
        event_date=pl.Date,
        announced_at=INSTANT,
        announced_zone=pl.String,
        title=pl.String,
        kind=pl.String,
        outcome=pl.String,
    )


def basket(effective: date = date(2025, 3, 21), **weights: float) -> pl.DataFrame:
    weights = weights or {"MP": 0.5, "UU": 0.3, "LYC.AX": 0.2}
    stages = {"MP": "producer", "UU": "processor", "LYC.AX": "producer"}
    return rows(
        [(effective, symbol, stages[symbol], weight, *LISTINGS[symbol]) for symbol, weight in weights.items()],
        effective=pl.Date,
        symbol=pl.String,
        stage=pl.String,
        weight=pl.Float64,
        calendar=pl.String,
        currency=pl.String,
        benchmark=pl.String,
    )


def run(
    data: MarketData, events: pl.DataFrame | None = None, constituents: pl.DataFrame | None = None, **settings: Any
) -> EventStudy:
    events = ledger(("E", NOON.date(), NOON)) if events is None else events
    constituents = basket() if constituents is None else constituents
    return study(events, constituents, data, calendar="XNYS", provenance=PROVENANCE, **settings)


def cars(found: EventStudy, event: str = "E") -> dict[str, float | None]:
    return dict(found.securities.filter(pl.col("event_id") == event).select("symbol", "car").iter_rows())


def notes(found: EventStudy, event: str = "E") -> dict[str, str | None]:
    return dict(found.securities.filter(pl.col("event_id") == event).select("symbol", "note").iter_rows())


def without(data: MarketData, symbol: str, first: date, last: date) -> MarketData:
    gone = (pl.col("symbol") == symbol) & pl.col("session").is_between(first, last)
    return replace(data, prices=data.prices.filter(~gone))


JUMPS = {
    ("MP", date(2026, 1, 14)): 0.08,
    ("MP", date(2026, 1, 15)): 0.02,
    ("UU", date(2026, 1, 14)): -0.04,
    ("LYC.AX", date(2026, 1, 15)): 0.05,
    ("LYC.AX", date(2026, 1, 14)): 0.5,
}


def test_planted_jumps_are_found_in_the_session_of_each_market() -> None:
    found = run(market(JUMPS))
    assert cars(found) == {
        "MP": pytest.approx(0.10, abs=1e-12),
        "UU": pytest.approx(-0.04, abs=1e-12),
        "LYC.AX": pytest.approx(0.05, abs=1e-12),
    }
    assert dict(found.securities.select("symbol", "day0").iter_rows()) == {
        "MP": date(2026, 1, 14),
        "UU": date(2026, 1, 14),
        "LYC.AX": date(2026, 1, 15),
    }
    assert found.securities["beta"].to_list() == pytest.approx([1.5, 0.5, 1.2])


def test_the_index_is_weighted_and_the_stages_are_equally_weighted() -> None:
    table = run(market(JUMPS)).table
    assert table["group"].to_list() == ["index", "processor", "producer"]
    assert table["car"].to_list() == pytest.approx([0.5 * 0.10 - 0.3 * 0.04 + 0.2 * 0.05, -0.04, 0.075])
    assert table["names"].to_list() == [3, 1, 2]
    assert table["covered_weight"].to_list() == pytest.approx([1.0, 0.3, 0.7])
    assert table["window"].unique().to_list() == ["[0,+1]"]


def test_names_left_out_are_counted_and_the_index_rests_on_the_others() -> None:
    found = run(without(market(JUMPS), "UU", date(2026, 1, 15), date(2026, 1, 15)))
    index = found.table.row(0, named=True)
    assert (index["names"], index["left_out"]) == (2, 1)
    assert index["covered_weight"] == pytest.approx(0.7)
    assert index["car"] == pytest.approx((0.5 * 0.10 + 0.2 * 0.05) / 0.7)
    processor = found.table.row(by_predicate=pl.col("group") == "processor", named=True)
    assert (processor["names"], processor["left_out"], processor["car"]) == (0, 1, None)
    assert notes(found)["UU"] == "no return on a session of the window"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda data: without(data, "UU", FIRST, date(2025, 10, 20)), "50 usable estimation sessions, 60 needed"),
        (lambda data: replace(data, benchmarks=data.benchmarks.filter(symbol="^AU")), "benchmark ^US has no return"),
        (
            lambda data: replace(
                data,
                prices=data.prices.filter(
                    (pl.col("symbol") != "UU")
                    | (pl.col("session").dt.day() % 6 > 0)
                    | (pl.col("session") > date(2026, 1, 1))
                ),
            ),
            "thin trading",
        ),
    ],
    ids=["recent listing", "no benchmark levels", "thin trading"],
)
def test_a_name_is_left_out_with_the_reason(change: Any, note: str) -> None:
    found = run(change(market()))
    assert cars(found)["UU"] is None
    assert (notes(found)["UU"] or "").startswith(note)


def test_a_listing_without_a_benchmark_is_left_out() -> None:
    bare = basket().with_columns(benchmark=pl.when(pl.col("symbol") != "UU").then("benchmark"))
    assert notes(run(market(), constituents=bare)) == {"MP": None, "UU": "no benchmark", "LYC.AX": None}


def test_one_benchmark_for_all_replaces_those_of_the_markets() -> None:
    found = run(market(), benchmark="^US")
    assert found.securities["benchmark"].unique().to_list() == ["^US"]
    assert dict(found.securities.select("symbol", "beta").iter_rows())["MP"] == pytest.approx(1.5)


def test_a_date_without_a_time_needs_a_window_over_both_days() -> None:
    events = ledger(("E", date(2026, 1, 14), None))
    wide = run(market(JUMPS), events)
    assert wide.securities.select("symbol", "day0", "day0_latest").rows() == [
        ("MP", date(2026, 1, 14), date(2026, 1, 15)),
        ("UU", date(2026, 1, 14), date(2026, 1, 15)),
        ("LYC.AX", date(2026, 1, 15), date(2026, 1, 15)),
    ]
    narrow = run(market(JUMPS), events, window=(0, 0))
    assert cars(narrow)["MP"] is None
    assert notes(narrow)["MP"] == "time not known: day 0 is 2026-01-14 or 2026-01-15, [0,0] misses one"
    assert cars(narrow)["LYC.AX"] == pytest.approx(0.05), "Sydney closes at 05:00 UTC: both ends map to the 15th"


def test_only_what_happened_is_studied_and_the_rest_is_listed_with_the_reason() -> None:
    events = ledger(
        ("Early", date(2025, 3, 20), datetime(2025, 3, 20, 15, tzinfo=UTC)),
        ("E", NOON.date(), NOON),
        ("Other", date(2026, 2, 18), datetime(2026, 2, 18, 15, tzinfo=UTC), "china_quota", "happened"),
        ("Later", date(2026, 11, 1), None, "western_funding", "scheduled"),
    )
    found = run(market(), events, kinds=["western_funding"])
    assert found.events.select("event_id", "status", "note").rows() == [
        ("Early", "left_out", "before the first basket"),
        ("E", "studied", None),
        ("Other", "left_out", "kind china_quota not asked for"),
        ("Later", "left_out", "outcome is scheduled"),
    ]
    assert found.table["event_id"].unique().to_list() == ["E"]


def test_an_event_after_the_last_price_is_left_out() -> None:
    last = datetime(DAYS[-1].year, DAYS[-1].month, DAYS[-1].day, 12, tzinfo=UTC)
    found = run(market(), ledger(("E", last.date(), last)))
    assert found.events["note"].to_list() == ["no constituent could be measured"]
    assert notes(found)["MP"] == "the window leaves the sessions of XNYS on record"
    assert notes(found)["LYC.AX"] == "the sessions of XASX on record do not bracket the announcement"


@pytest.mark.parametrize(("hour", "names"), [(20, ["MP"]), (21, ["UU"])], ids=["before the close", "at the close"])
def test_membership_is_that_of_the_basket_in_force_at_the_announcement(hour: int, names: list[str]) -> None:
    """The second basket takes effect after the close of the announcement's day, 21:00 UTC."""
    baskets = pl.concat([basket(MP=1.0), basket(NOON.date(), UU=1.0)])
    found = run(market(), ledger(("E", NOON.date(), NOON.replace(hour=hour))), baskets)
    assert found.securities["symbol"].to_list() == names


def test_overlapping_windows_are_flagged_in_the_markets_where_they_overlap() -> None:
    events = ledger(
        ("A", date(2026, 1, 14), NOON),
        ("B", date(2026, 1, 15), NOON + timedelta(days=1)),
        ("C", date(2026, 1, 20), NOON + timedelta(days=6)),
    )
    found = run(market(), events)
    flagged = dict(found.events.select("event_id", "note").iter_rows())
    assert flagged["A"].startswith("window overlaps B:")
    assert flagged["B"].startswith("window overlaps A:")
    assert flagged["C"] is None
    assert dict(found.table.select("event_id", "note").iter_rows()) == flagged


def test_estimation_keeps_clear_of_every_other_event_of_the_ledger() -> None:
    shock = datetime(2025, 11, 12, 17, tzinfo=UTC)
    jumps = JUMPS | {(symbol, date(2025, 11, 12) + timedelta(days=n)): 0.3 for symbol in LISTINGS for n in (0, 1)}
    events = ledger(("Shock", shock.date(), shock, "us_tariff", "happened"), ("E", NOON.date(), NOON))
    found = run(market(jumps), events, kinds=["western_funding"])
    assert cars(found)["MP"] == pytest.approx(0.10, abs=1e-12)
    assert found.securities["skipped"].unique().to_list() == [5]
    assert found.securities["sessions"].unique().to_list() == [120]
    dirty = run(market(jumps), ledger(("E", NOON.date(), NOON)))
    assert dirty.securities["skipped"].unique().to_list() == [0]
    assert abs((cars(dirty)["MP"] or 0) - 0.10) > 0.001


def test_nothing_after_the_window_is_read() -> None:
    before = market(JUMPS, noise=0.02)
    events = ledger(("E", NOON.date(), NOON), ("Next", date(2026, 3, 4), datetime(2026, 3, 4, 17, tzinfo=UTC)))
    after = pl.col("session") > date(2026, 1, 16)
    changed = replace(
        before,
        prices=before.prices.with_columns(close=pl.when(after).then(pl.col("close") * 3).otherwise("close")),
        benchmarks=before.benchmarks.with_columns(level=pl.when(after).then(7.0).otherwise("level")),
        splits=rows([("MP", date(2026, 1, 19), 4.0)], symbol=pl.String, ex_date=pl.Date, ratio=pl.Float64),
    )
    later = pl.concat([basket(), basket(date(2026, 1, 16), UU=1.0)])
    first, second = run(before), run(changed, events.head(1), later)
    assert first.securities.equals(second.securities)
    assert first.table.equals(second.table)
    third = run(before, events)
    assert third.securities.filter(pl.col("event_id") == "E").equals(first.securities)


def test_the_order_of_the_rows_does_not_matter() -> None:
    data = market(JUMPS, noise=0.02)
    events = ledger(("E", NOON.date(), NOON), ("D", date(2025, 11, 12), None), ("C", date(2025, 11, 12), None))
    straight = run(data, events)
    mixed = {
        name: getattr(data, name).sample(fraction=1, shuffle=True, seed=3)
        for name in ("prices", "benchmarks", "sessions")
    }
    shuffled = run(replace(data, **mixed), events.reverse(), basket().reverse())
    assert straight.events.equals(shuffled.events)
    assert straight.table.equals(shuffled.table)
    assert straight.securities.equals(shuffled.securities)


def test_a_split_or_a_dividend_in_the_window_is_not_a_move() -> None:
    day = date(2026, 1, 15)
    data = market(JUMPS)
    cum = data.prices.filter(symbol="MP", session=day)["close"][0]
    raw = data.prices.with_columns(
        close=pl.when(pl.col("symbol") == "MP", pl.col("session") >= day)
        .then(pl.col("close") * (cum - 1) / cum / 2)
        .otherwise("close")
    )
    paid = [("MP", day, 0.5, "USD", "ordinary")]
    split = rows([("MP", day, 2.0)], symbol=pl.String, ex_date=pl.Date, ratio=pl.Float64)
    columns = ("symbol", "ex_date", "amount", "currency", "type")
    dividends = rows(paid, **{name: data.dividends.schema[name] for name in columns})
    found = run(replace(data, prices=raw, splits=split, dividends=dividends))
    assert cars(found)["MP"] == pytest.approx(0.10, abs=1e-12)


def test_the_result_says_how_it_was_measured_and_shows_no_significance() -> None:
    found = run(market(), window=(-1, 1), minimum_sessions=80)
    assert (found.settings.window, found.settings.minimum_sessions) == ((-1, 1), 80)
    assert found.provenance.simulated
    columns = {*found.table.columns, *found.securities.columns, *found.events.columns}
    assert not columns & {"p", "p_value", "t", "t_stat", "stars", "se_car"}


def test_no_event_gives_empty_tables() -> None:
    found = run(market(), ledger(("Later", date(2026, 11, 1), None, "western_funding", "scheduled")))
    assert found.table.is_empty()
    assert found.securities.is_empty()
    assert found.table.columns == run(market()).table.columns
    assert found.table.schema == run(market()).table.schema
    assert found.securities.schema == run(market()).securities.schema


def test_settings_that_contradict_one_another_are_all_named() -> None:
    with pytest.raises(ExchinaError) as caught:
        run(market(), window=(2, 1), estimation_end=0, minimum_sessions=200, kinds=["western_fundng"])
    assert [problem.where.split(".")[1] for problem in caught.value.problems] == [
        "kinds",
        "window",
        "estimation_end",
        "minimum_sessions",
    ]
    assert "western_funding" in str(caught.value)


def test_tables_that_do_not_fit_together_are_all_named() -> None:
    data = market()
    twice = replace(data, prices=pl.concat([data.prices, data.prices.head(2)]))
    wrong = basket(date(2025, 3, 22)).with_columns(calendar=pl.lit("XLON"), weight=pl.lit(0.0))
    with pytest.raises(DataError) as caught:
        run(twice, constituents=wrong)
    places = [problem.where for problem in caught.value.problems]
    assert places[:4] == ["constituents LYC.AX", "constituents MP", "constituents UU", "constituents"]
    assert places[-1] == f"prices MP {DAYS[0]}"
    assert "2025-03-22 is no session of 'XNYS'" in str(caught.value)
