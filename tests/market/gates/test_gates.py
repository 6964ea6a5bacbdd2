"""Each gate on small made-up lines, beside what the real files show."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchina.market import Delivery, gates
from exchina.market.calendar import sessions_table
from exchina.market.gates import gate
from exchina.market.gates.shifts import factor_from
from exchina.market.gates.spin_off_as_split import usual_ratio
from exchina.model import Reference
from tests.market.gates.vendor import LATE, NO_OVERRIDES, delivery, held, table
from tests.markets import market

DAYS = sessions_table(["XNYS"], date(2024, 1, 2), date(2024, 12, 31))["session"].to_list()
SYDNEY = sessions_table(["XASX"], date(2024, 1, 2), date(2024, 12, 31))["session"].to_list()


def walk(
    symbol: str = "MP", size: int = 120, days: list[date] = DAYS, seed: int = 1, start: float = 20.0
) -> pl.DataFrame:
    """A line that moves by 2 % a day and trades about 200,000 shares."""
    rng = np.random.default_rng(seed)
    closes = start * np.exp(np.cumsum(rng.normal(0, 0.02, size)))
    volume = np.round(2e5 * np.exp(rng.normal(0, 0.3, size)))
    return pl.DataFrame({"symbol": symbol, "session": days[:size], "close": closes, "volume": volume})


def times(rows: pl.DataFrame, factor: float, where: pl.Expr, volume: float = 1.0) -> pl.DataFrame:
    return rows.with_columns(
        close=pl.when(where).then(pl.col("close") * factor).otherwise("close"),
        volume=pl.when(where).then(pl.col("volume") * volume).otherwise("volume"),
    )


def on(*numbers: int) -> pl.Expr:
    return pl.col("session").is_in([DAYS[number] for number in numbers])


def since(number: int) -> pl.Expr:
    return pl.col("session") >= DAYS[number]


def caught(found: pl.DataFrame) -> dict[str, list[date]]:
    return {name: part["day"].sort().to_list() for (name,), part in found.group_by("gate")}


def test_the_guide_names_every_gate_and_each_tells_what_it_rests_on(root: Path) -> None:
    guide = (root / "docs" / "guides" / "quarantine.md").read_text(encoding="utf-8")
    assert len(gate.all()) >= 15
    for name, judge in gate.all().items():
        assert f"| `{name}` |" in guide
        assert "Evidence:" in (judge.__doc__ or ""), name


def test_the_gate_of_the_guide_works(root: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (root / "docs" / "guides" / "quarantine.md").read_text(encoding="utf-8")
    code = guide.split("```python\n")[1].split("```")[0]
    gate.all()
    monkeypatch.setattr(gate, "_plugins", dict(gate.all()))  # so that the gate of the guide is gone after the test
    exec(code, {})
    rows = walk().with_columns(close=pl.when(on(70)).then(1.0).otherwise("close"))
    assert caught(held(delivery(rows), reference))["placeholder"] == [DAYS[70]]


def test_an_ordinary_line_passes_whole(reference: Reference) -> None:
    whole = delivery(walk())
    let_in, news = gates.passed(whole, None, reference, NO_OVERRIDES, LATE)
    assert news.is_empty()
    assert let_in.tables["prices"].equals(whole.tables["prices"])


def test_simulated_prices_pass_as_they_are(reference: Reference) -> None:
    given = delivery(times(walk(), 100, on(50)), kind="simulated")
    assert gates.passed(given, None, reference, NO_OVERRIDES, LATE)[0] is given


@pytest.mark.parametrize(("minute", "open_yet"), [(29, True), (31, False)])
def test_a_session_counts_half_an_hour_after_its_close(reference: Reference, minute: int, open_yet: bool) -> None:
    now = datetime(2024, 6, 21, 20, minute, tzinfo=UTC)  # New York closes at 20:00 UTC
    rows = walk(size=DAYS.index(date(2024, 6, 21)) + 1)
    assert caught(held(delivery(rows), reference, now=now)) == (
        {"unfinished_session": [date(2024, 6, 21)]} if open_yet else {}
    )


def test_prices_after_the_last_trade_date_and_of_nobody(reference: Reference) -> None:
    ended = reference.listings.filter(pl.col("last_trade_date").is_between(date(2024, 3, 1), date(2024, 10, 1)))
    assert ended.height
    symbol, last = ended.select("yahoo_symbol", "last_trade_date").row(0)
    rows = pl.DataFrame({"symbol": symbol, "session": [last, last + timedelta(days=1)], "close": [1.0, 1.01]})
    given = Delivery("vendor", "A vendor.", {"prices": table("prices", rows, "session")})
    _, news = gates.passed(given, None, reference, NO_OVERRIDES, LATE)
    assert last + timedelta(days=1) in news.filter(pl.col("gate") == "outside_listing")["day"]
    assert last not in news.filter(pl.col("gate") == "outside_listing")["day"]
    nobody = Delivery("vendor", "A vendor.", {"prices": table("prices", walk("NOBODY"), "session")})
    assert caught(gates.passed(nobody, None, reference, NO_OVERRIDES, LATE)[1])["outside_listing"] == DAYS[:120]


def test_a_trade_on_a_sunday(reference: Reference) -> None:
    sunday = date(2024, 3, 10)
    rows = pl.concat([walk(), pl.DataFrame({"symbol": "MP", "session": [sunday], "close": 20.5, "volume": 9e4})])
    assert caught(held(delivery(rows), reference)) == {"off_calendar": [sunday]}


def test_a_market_missing_whole_is_noted_and_one_line_missing_is_not(reference: Reference) -> None:
    both = pl.concat([walk("MP"), walk("UUUU", seed=2, start=6)])
    assert caught(held(delivery(both.filter(~on(40))), reference)) == {"whole_market_missing": [DAYS[40]]}
    assert held(delivery(both.filter(~on(40) | (pl.col("symbol") == "MP"))), reference).is_empty()


def test_the_newest_session_of_one_market_is_missing_when_another_has_it(reference: Reference) -> None:
    last = min(SYDNEY[99], DAYS[99])
    both = pl.concat([walk("MP", 100), walk("UUUU", 100, seed=2), walk("LYC.AX", 100, SYDNEY)])
    cut = both.filter((pl.col("session") < last) | (pl.col("symbol") == "LYC.AX")).filter(pl.col("session") <= last)
    found = held(delivery(cut), reference)
    assert found.select("gate", "symbol", "day").rows() == [("whole_market_missing", "XNYS", last)]


def test_a_leap_that_reverses_without_volume(reference: Reference) -> None:
    assert caught(held(delivery(times(walk(), 1.4, on(50))), reference)) == {"spike_reverses": [DAYS[50]]}
    assert held(delivery(times(walk(), 1.4, on(50), volume=6)), reference).is_empty()
    assert held(delivery(times(walk(), 1.4, since(50))), reference).is_empty()


def test_news_that_looks_like_a_split_passes_by_its_volume(reference: Reference) -> None:
    crash = times(walk(), 1 / 5, since(60))
    assert caught(held(delivery(crash), reference)) == {"split_one_side": DAYS[:60]}
    news = times(crash, 1, on(60), volume=20)
    assert held(delivery(news), reference).is_empty()


@pytest.mark.parametrize("factor", [1.506, 3.11, 0.5])
def test_real_moves_near_three_for_two_and_three_pass(reference: Reference, factor: float) -> None:
    """MP rose by 50.6 % and TMQ by 211 % in a day."""
    assert held(
        delivery(times(walk().drop("volume").with_columns(volume=None), factor, since(60))), reference
    ).is_empty()


def test_a_split_that_no_close_follows_is_held_alone(reference: Reference) -> None:
    split = pl.DataFrame({"symbol": ["MP"], "ex_date": [DAYS[60]], "ratio": [4.0]})
    found = held(delivery(walk(), splits=split), reference)
    assert found.select("table", "gate", "day").rows() == [("splits", "split_one_side", DAYS[60])]
    followed = times(walk(), 1 / 4, since(60), volume=4)
    assert held(delivery(followed, splits=split), reference).is_empty()


def test_stored_closes_say_which_side_of_a_unit_is_right(reference: Reference) -> None:
    """Only three sessions of pounds are stored; a hundred of pence come: the pence are wrong."""
    stored = market(prices=delivery(walk(size=3)).tables["prices"])
    pence = times(walk(), 100, since(3)).filter(since(3))
    assert caught(held(delivery(pence), reference, stored)) == {"wrong_unit": DAYS[3:120]}


def test_a_whole_history_in_pence_is_held_against_the_stored_one(reference: Reference) -> None:
    stored = market(prices=delivery(walk()).tables["prices"])
    assert caught(held(delivery(times(walk(), 100, since(0))), reference, stored)) == {"wrong_unit": DAYS[:120]}
    fifth = held(delivery(times(walk(), 0.2, since(0))), reference, stored)
    assert caught(fifth) == {"split_one_side": DAYS[:120]}


def test_a_rate_the_wrong_way_by_a_hundred(reference: Reference) -> None:
    days = DAYS[:60]
    rates = pl.DataFrame({"currency": "AUD", "session": days, "usd_per_unit": [0.66] * 59 + [66.0]})
    found = held(delivery(walk(), fx=table("fx", rates, "session")), reference)
    assert found.select("table", "symbol", "gate", "day").rows() == [("fx", "AUD", "wrong_unit", days[-1])]


def test_a_spin_off_on_record_beside_an_odd_split(reference: Reference) -> None:
    own = reference.corporate_actions.filter((pl.col("type") == "spinoff") & pl.col("ex_date").is_not_null())
    symbol, ex_date = own.select("yahoo_symbol", "ex_date").row(0)
    split = pl.DataFrame({"symbol": [symbol], "ex_date": [ex_date], "ratio": [0.9731]})
    found = held(delivery(walk(symbol), splits=split), reference)
    assert (symbol, "spin_off_as_split") in found.select("symbol", "gate").rows()


@pytest.mark.parametrize(("ratio", "usual"), [(1.5, True), (0.05, True), (1.05, True), (4 / 3, True), (1e-4, True),
                                              (0.734375, False), (0.4406, False), (1.0371, False)])  # fmt: skip
def test_usual_ratios(ratio: float, usual: bool) -> None:
    assert pl.DataFrame({"ratio": [ratio]}).select(usual_ratio()).item() is usual


def test_dividends_off_their_habit_or_in_another_currency(reference: Reference) -> None:
    paid = pl.DataFrame({
        "symbol": "MP", "ex_date": [DAYS[number] for number in (10, 30, 50, 70, 90)],
        "amount": [0.04, 0.04, 0.05, 4.5e-4, 0.05], "currency": ["USD"] * 4 + ["AUD"],
    })  # fmt: skip
    assert caught(held(delivery(walk(), paid), reference)) == {"dividend_unit": [DAYS[70], DAYS[90]]}


def test_a_split_changes_the_habit_of_a_dividend(reference: Reference) -> None:
    """120 a share before 3 for 1 are 40 after it; a later split of 5 for 1 makes 8 of that, and 40 is then wrong."""
    rows = times(times(walk(start=9000.0), 1 / 3, since(40), volume=3), 1 / 5, since(100), volume=5)
    splits = pl.DataFrame({"symbol": "MP", "ex_date": [DAYS[40], DAYS[100]], "ratio": [3.0, 5.0]})
    days = [DAYS[number] for number in (5, 15, 25, 50, 60, 70, 110)]
    paid = pl.DataFrame({"symbol": "MP", "ex_date": days, "amount": [120.0, 120.0, 120.0, 30.0, 40.0, 40.0, 8.0]})
    assert held(delivery(rows, paid, splits), reference).is_empty()
    early = paid.with_columns(amount=pl.when(pl.col("ex_date") == DAYS[70]).then(8.0).otherwise("amount"))
    assert caught(held(delivery(rows, early, splits), reference)) == {"dividend_unit": [DAYS[70]]}


def test_a_large_dividend_that_the_close_shows_passes(reference: Reference) -> None:
    rows = walk()
    paid = pl.DataFrame({"symbol": ["MP"], "ex_date": [DAYS[60]], "amount": [3.0]})
    shown = rows.with_columns(close=pl.when(since(60)).then(pl.col("close") - 3.0).otherwise("close"))
    assert held(delivery(shown, paid), reference).is_empty()
    assert caught(held(delivery(rows, paid), reference)) == {"dividend_unit": [DAYS[60]]}


def test_contradicting_rows_are_all_held_and_equal_ones_but_one(reference: Reference) -> None:
    rows = walk()
    other = rows.filter(on(5)).with_columns(pl.col("close") * 1.01)
    found = held(delivery(pl.concat([rows, other])), reference)
    assert caught(found)["duplicate"] == [DAYS[5], DAYS[5]]
    let_in, news = gates.passed(delivery(pl.concat([rows, rows.filter(on(5))])), None, reference, NO_OVERRIDES, LATE)
    assert caught(news) == {"duplicate": [DAYS[5]]}
    assert let_in.tables["prices"].height == 120


def test_a_float_over_the_whole(reference: Reference) -> None:
    floats = pl.DataFrame({"symbol": ["MP", "UUUU"], "effective_date": [DAYS[0]] * 2, "free_float_factor": [1.2, 0.9]})
    given = delivery(walk(), floats=table("floats", floats.with_columns(basis=pl.lit("reported")), "effective_date"))
    let_in, news = gates.passed(given, None, reference, NO_OVERRIDES, LATE)
    assert news.select("symbol", "gate").rows() == [("MP", "weight_sum")]
    assert let_in.tables["floats"]["symbol"].to_list() == ["UUUU"]


def test_a_suspended_line_is_held_from_the_thirtieth_silent_session(reference: Reference) -> None:
    rows = walk()
    last = rows["close"][59]
    still = rows.with_columns(
        close=pl.when(since(60)).then(last).otherwise("close"), volume=pl.when(since(60)).then(0.0).otherwise("volume")
    )
    found = held(delivery(still), reference)
    assert caught(found)["stale_suspended"] == DAYS[60 + 29 : 120]


def test_a_spell_under_a_tenth_of_the_usual_volume(reference: Reference) -> None:
    assert caught(held(delivery(times(walk(), 1, since(100), volume=0.02)), reference)) == {"one_venue": DAYS[100:120]}
    assert held(delivery(times(walk(), 1, on(100, 101, 102), volume=0.02)), reference).is_empty()


def test_factor_of_a_revision() -> None:
    assert factor_from(10.0, 2.0) == pytest.approx(-np.log(5))
    assert factor_from(10.0, 9.7) is None


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    spoilt=st.lists(st.tuples(st.integers(0, 119), st.sampled_from([100.0, 0.01, 0.2, 5.0, 1.5])), max_size=4),
)
def test_every_row_enters_or_is_held_in_any_order(
    seed: int, spoilt: list[tuple[int, float]], reference: Reference
) -> None:
    rows = pl.concat([walk("MP", seed=seed), walk("UUUU", seed=seed + 1)])
    for number, factor in spoilt:
        rows = times(rows, factor, on(number) & (pl.col("symbol") == "MP"))
    given = delivery(rows)
    let_in, news = gates.passed(given, None, reference, NO_OVERRIDES, LATE)
    key = ["symbol", "session"]
    out = news.filter(pl.col("table") == "prices").select("symbol", session="day").unique()
    entered = let_in.tables["prices"].select(key)
    assert pl.concat([entered, out]).sort(key).equals(given.tables["prices"].select(key).sort(key))
    mixed = {**given.tables, "prices": given.tables["prices"].sample(fraction=1, shuffle=True, seed=seed)}
    assert gates.passed(Delivery("vendor", "A vendor.", mixed), None, reference, NO_OVERRIDES, LATE)[1].equals(news)
