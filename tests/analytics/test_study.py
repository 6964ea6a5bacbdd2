"""The study on a made-up market of two exchanges whose returns are known exactly."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from exchina.analytics.constituent_moves import StudySettings
from exchina.analytics.event_study import EventStudy, ledger_hash, study
from exchina.analytics.market_model import abnormal_returns
from exchina.analytics.study_claims import sentences
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
        (*event[:3], "America/New_York", f"Title of {event[0]}", *(event[3:] or ("western_funding", "happened")), 1)
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
        direction=pl.Int8,
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


def of_kind(events: pl.DataFrame, kind: str) -> list[str]:
    return events.filter(kind=kind)["id"].to_list()


def run(
    data: MarketData, events: pl.DataFrame | None = None, constituents: pl.DataFrame | None = None, **settings: Any
) -> EventStudy:
    events = ledger(("E", NOON.date(), NOON)) if events is None else events
    constituents = basket() if constituents is None else constituents
    apart = {name: settings.pop(name) for name in ("asked", "holding_treated") if name in settings}
    return study(events, constituents, data, StudySettings(**settings), calendar="XNYS", provenance=PROVENANCE, **apart)


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
    found = run(market(), events, asked=of_kind(events, "western_funding"))
    assert found.events.select("event_id", "status", "note").rows() == [
        ("Early", "left_out", "before the first basket"),
        ("E", "studied", None),
        ("Other", "left_out", "not asked for"),
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


def test_events_whose_windows_overlap_are_one_compound_event() -> None:
    events = ledger(
        ("A", date(2026, 1, 14), NOON),
        ("B", date(2026, 1, 15), NOON + timedelta(days=1)),
        ("C", date(2026, 1, 20), NOON + timedelta(days=6)),
    )
    found = run(market(JUMPS), events)
    flagged = dict(found.events.select("event_id", "note").iter_rows())
    assert flagged["A"].startswith("one compound event with B:")
    assert flagged["B"].startswith("one compound event with A:")
    assert flagged["C"] is None
    both = found.table.row(0, named=True)
    assert (both["event_id"], both["title"], both["window"]) == ("A+B", "Title of A; Title of B", "[0,+2]")
    assert both["car"] == pytest.approx(0.5 * 0.10 - 0.3 * 0.04 + 0.2 * 0.05)
    assert "cannot be told apart" in both["note"]
    assert found.table["event_id"].unique().sort().to_list() == ["A+B", "C"]
    assert found.table.filter(event_id="C")["note"].to_list() == [None] * 3
    alone = run(market(JUMPS), events, asked=["B"])
    assert alone.events["status"].to_list() == ["studied", "studied", "left_out"]


def test_a_compound_event_of_several_kinds_belongs_to_no_class() -> None:
    moments = [NOON - timedelta(days=28 * n) for n in range(4)]
    events = [(f"F{n}", at.date(), at, "western_funding", "happened") for n, at in enumerate(moments)]
    other = NOON + timedelta(days=1)
    found = run(market(JUMPS, noise=0.02), ledger(*events, ("Q", other.date(), other, "china_quota", "happened")))
    assert found.table.filter(event_id="F0+Q")["kind"].unique().to_list() == ["compound"]
    assert dict(found.classes.filter(group="index").select("kind", "dates").iter_rows()) == {"western_funding": 3}


def test_estimation_keeps_clear_of_every_other_event_of_the_ledger() -> None:
    shock = datetime(2025, 11, 12, 17, tzinfo=UTC)
    jumps = JUMPS | {(symbol, date(2025, 11, 12) + timedelta(days=n)): 0.3 for symbol in LISTINGS for n in (0, 1)}
    events = ledger(("Shock", shock.date(), shock, "us_tariff", "happened"), ("E", NOON.date(), NOON))
    found = run(market(jumps), events, asked=of_kind(events, "western_funding"))
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


def test_the_result_says_how_it_was_measured() -> None:
    found = run(market(), window=(-1, 1), minimum_sessions=80)
    assert (found.settings.window, found.settings.minimum_sessions) == ((-1, 1), 80)
    assert found.provenance.simulated


def test_no_event_gives_empty_tables() -> None:
    found = run(market(), ledger(("Later", date(2026, 11, 1), None, "western_funding", "scheduled")))
    assert found.table.is_empty()
    assert found.securities.is_empty()
    assert found.table.columns == run(market()).table.columns
    assert found.table.schema == run(market()).table.schema
    assert found.securities.schema == run(market()).securities.schema


def test_settings_that_contradict_one_another_are_all_named() -> None:
    with pytest.raises(ExchinaError) as caught:
        run(market(), window=(2, 1), estimation_end=0, minimum_sessions=200, model="mean", factors=("NDPR",))
    places = [problem.where.split(".")[1] for problem in caught.value.problems]
    assert places == ["window", "estimation_end", "minimum_sessions", "factors"]


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


def monthly(count: int, kind: str = "western_funding") -> pl.DataFrame:
    moments = [NOON - timedelta(days=28 * n) for n in range(count)]
    return ledger(*((f"F{n}", at.date(), at, kind, "happened") for n, at in enumerate(moments)))


def test_the_headline_is_the_adjusted_bmp_of_the_names_of_one_market() -> None:
    data = market({("MP", date(2026, 1, 14)): 0.05}, noise=0.02)
    found = run(data, constituents=basket(MP=0.6, UU=0.4))
    row = found.table.filter(group="index").row(0, named=True)
    closes = {s: data.prices.filter(symbol=s)["close"].to_numpy() for s in ("MP", "UU")}
    levels = data.benchmarks.filter(symbol="^US")["level"].to_numpy()
    returns = np.column_stack([closes[s][1:] / closes[s][:-1] - 1 for s in ("MP", "UU")])
    day0 = DAYS.index(date(2026, 1, 14)) - 1
    fit = abnormal_returns(
        returns,
        levels[1:] / levels[:-1] - 1,
        estimation=np.arange(day0 - 130, day0 - 10),
        event=np.arange(day0, day0 + 2),
    )
    scar, rbar = fit.car / fit.se_car, float(np.corrcoef(fit.residuals.T)[0, 1])
    bmp = scar.mean() / (scar.std(ddof=1) / np.sqrt(2))
    assert row["caar"] == pytest.approx(fit.car.mean())
    assert (row["rbar"], row["df"]) == (pytest.approx(rbar), 1)
    assert row["t"] == pytest.approx(bmp * np.sqrt((1 - rbar) / (1 + rbar)))
    sigma = np.sqrt((fit.s**2).mean() * 2 * (1 + rbar) / 2)
    assert row["mde"] == pytest.approx((1.959964 + 0.841621) * sigma, rel=1e-6)
    alone = found.table.filter(group="producer").row(0, named=True)
    assert (alone["t"], alone["p"]) == (None, None)
    assert "at least two names" in alone["test_note"]


def test_one_family_holds_every_test_that_is_printed() -> None:
    found = run(market(noise=0.02), monthly(7), also=((-5, -1),))
    tested = [frame["p"].drop_nulls().len() for frame in (found.table, found.classes, found.contrasts)]
    assert found.family_size == sum(tested) > 30
    assert set(found.table["window"]) == {"[0,+1]", "[-5,-1]"}
    for frame in (found.table, found.classes, found.contrasts):
        tested_rows = frame.drop_nulls("p")
        assert (tested_rows["p_holm"] >= tested_rows["p"]).all()
        assert (tested_rows["p_by"] >= tested_rows["p_bh"]).all()
    smallest = min(frame["p"].min() for frame in (found.table, found.classes, found.contrasts) if frame["p"].len())
    everywhere = pl.concat([frame.select("p", "p_holm") for frame in (found.table, found.classes, found.contrasts)])
    assert everywhere.filter(p=smallest)["p_holm"][0] == pytest.approx(min(1.0, smallest * found.family_size))


def test_a_class_is_tested_over_its_dates_with_the_signs_that_were_expected() -> None:
    events = monthly(7)
    up = {(s, day): 0.06 for s in LISTINGS for day in events["event_date"].to_list()}
    found = run(market({**up, **{("LYC.AX", DAYS[DAYS.index(d) + 1]): 0.06 for _, d in up}}, noise=0.01), events)
    row = found.classes.filter(group="index").row(0, named=True)
    assert (row["dates"], row["df"]) == (7, 6)
    assert row["mean_car"] == pytest.approx(0.06, abs=0.02)
    assert row["p"] < 0.001
    assert row["p_wild"] == pytest.approx(2 / 2**7)
    fallen = run(market(up, noise=0.01), events.with_columns(direction=pl.lit(-1, pl.Int8)))
    assert fallen.classes.filter(group="index")["mean_car"].item() < -0.03
    unsure = run(market(up, noise=0.01), events.with_columns(direction=pl.lit(0, pl.Int8)))
    assert unsure.classes.is_empty()
    assert found.contrasts.select("first", "second", "dates").rows() == [("processor", "producer", 7)]


def test_contributions_sum_to_the_move_of_the_index() -> None:
    found = run(market(JUMPS, noise=0.02))
    whole = found.table.filter(group="index")["car"].item()
    assert found.securities["contribution"].sum() == pytest.approx(whole, abs=1e-15)


def test_one_event_less_changes_the_hash_of_the_ledger() -> None:
    events = monthly(3)
    later = events.with_columns(event_date=pl.col("event_date") + pl.duration(days=1))
    hashes = {ledger_hash(one) for one in (events, events.head(2), later, events.reverse())}
    assert len(hashes) == 3
    assert run(market(), events).ledger_hash == ledger_hash(events)


def test_a_benchmark_that_holds_the_names_is_refused() -> None:
    with pytest.raises(DataError, match=r"'\^US' is a rare earth fund.*take a broad market"):
        run(market(), benchmark="^US", holding_treated=["^US"])
    with pytest.raises(DataError, match="'\\^AU' is a rare earth fund"):
        run(market(), holding_treated=["^AU"])


def test_a_second_factor_takes_its_part_of_the_move() -> None:
    """MP moves one for one with a price of NdPr that leaps on the day; with the factor nothing is abnormal."""
    base, random = market(), np.random.default_rng(5)
    ndpr = random.normal(0, 0.02, len(DAYS))
    ndpr[DAYS.index(date(2026, 1, 14))] = 0.10
    mp = base.prices.filter(symbol="MP")
    moved = mp.with_columns(close=mp["close"] * pl.Series(np.cumprod(1 + ndpr)))
    data = replace(
        base,
        prices=pl.concat([base.prices.filter(pl.col("symbol") != "MP"), moved]),
        benchmarks=pl.concat(
            [base.benchmarks, series("NDPR", 100 * np.cumprod(1 + ndpr), "level").with_columns(known_date="session")]
        ),
    )
    assert abs(cars(run(data))["MP"] or 0) > 0.08
    assert abs(cars(run(data, factors=("NDPR",)))["MP"] or 1) < 0.005
    with pytest.raises(DataError, match="none called 'NDPX'"):
        run(data, factors=("NDPX",))


def test_the_path_runs_from_ten_sessions_before_to_ten_after() -> None:
    found = run(market(JUMPS, noise=0.01))
    assert found.paths["day"].to_list() == list(range(-10, 11))
    assert found.paths["caar"][-1] == pytest.approx(found.paths["aar"].sum())
    assert found.paths.filter(day=0)["aar"].item() > found.paths.filter(day=0)["band"].item() / 10 > 0


def test_a_window_before_the_event_merges_nothing_and_holds_no_other_event() -> None:
    """The time of A is not known, and the days before it are the same for either day 0."""
    events = ledger(("B", date(2026, 1, 12), NOON - timedelta(days=2)), ("A", date(2026, 1, 14), None))
    found = run(market(), events, also=((-5, -1),))
    before = found.securities.filter(window="[-5,-1]")
    assert set(before.filter(event_id="B")["note"]) == {None}
    assert set(before.filter(event_id="A")["note"]) == {"another event falls into [-5,-1]"}
    alone = run(market(), ledger(("A", date(2026, 1, 14), None)), also=((-5, -1),))
    assert set(alone.securities.filter(window="[-5,-1]")["note"]) == {None}


def test_betas_of_a_name_that_lags_its_benchmark_are_shown_beside_the_ordinary_one() -> None:
    """LYC.AX follows the benchmark half on the day and half on the next; MP has gaps."""
    base, factor = market(), paths()["^AU"]
    lagging = 0.6 * factor + 0.6 * np.concatenate([[0.0], factor[:-1]])
    slow = series("LYC.AX", 20 * np.cumprod(1 + lagging), "close").with_columns(
        volume=pl.lit(1.0), known_date="session"
    )
    prices = pl.concat([base.prices.filter(pl.col("symbol") != "LYC.AX"), slow.select(base.prices.columns)])
    found = run(without(replace(base, prices=prices), "MP", date(2025, 5, 1), date(2025, 5, 30)))
    rows = {row["symbol"]: row for row in found.betas.to_dicts()}
    assert rows["LYC.AX"]["dimson"] == pytest.approx(1.2, abs=1e-6)
    assert abs(rows["LYC.AX"]["ols"] - 0.6) < 0.1
    assert rows["UU"]["ols"] == pytest.approx(0.5, abs=1e-9)
    assert rows["UU"]["without_return"] == 0.0
    assert 0.05 < rows["MP"]["without_return"] < 0.08
    lone = run(without(base, "MP", DAYS[4], DAYS[-1])).betas.filter(symbol="MP").row(0, named=True)
    assert (lone["ols"], lone["note"]) == (None, "3 returns, 7 needed")


def test_sentences_name_every_date_and_say_which_are_left_out() -> None:
    """Seven dates of a kind: one overlaps an event of another kind, and of one no direction was expected."""
    events = monthly(8).with_columns(
        direction=pl.when(pl.col("id") == "F3").then(0).otherwise("direction").cast(pl.Int8)
    )
    other = NOON + timedelta(days=1)
    mixed = pl.concat([events, ledger(("Q", other.date(), other, "china_quota", "happened"))])
    found = run(market(JUMPS, noise=0.02), mixed, also=((-5, -1), (0, 0)))
    said = {row["about"]: row for row in sentences(found, None).to_dicts()}
    text = said["western_funding"]["sentence"]
    assert "over 6 of the 8 dates of the class western funding" in text
    assert "1 in a compound event of several kinds, 1 without an expected direction or a portfolio" in text
    assert text.count("UTC, hypothetical") == 6
    assert "the 3 names" in text
    assert said["Q"]["sentence"] is None
    assert "cannot be told apart" in said["Q"]["refused"]
    assert "against the broad index of each home market" in said["F1"]["sentence"]
    live = {row["about"]: row for row in sentences(found, date(2025, 12, 1)).to_dicts()}
    assert live["F1"]["sentence"].startswith("In sessions")


def test_a_class_whose_dates_have_other_windows_has_no_sentence() -> None:
    events = monthly(6)
    second = NOON - timedelta(days=27)
    twin = ledger(("F1b", second.date(), second, "western_funding", "happened"))
    found = run(market(JUMPS, noise=0.02), pl.concat([events, twin]))
    assert "F1+F1b" in found.classes.filter(group="index")["event_ids"].item().split()
    row = sentences(found, None).filter(about="western_funding").row(0, named=True)
    assert (row["sentence"], row["refused"]) == (None, "window: window is not known")


def test_two_time_zones_share_more_than_their_calendar_days_show() -> None:
    """Sydney shows the news of New York a day later: adjacent days count between the two."""
    found = run(market(noise=0.02), monthly(2))
    assert found.table.filter(group="index")["rbar"].is_not_null().all()
    notes = found.statistics.filter(pl.col("group") == "index", name="portfolio_regression")["note"]
    assert notes.str.contains("several time zones").all()
