from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.compound import compound_events, compound_windows
from exchina.errors import DataError

START = date(2026, 1, 1)
SCHEMA = {"event_id": pl.String, "calendar": pl.String, "day0": pl.Date, "position": pl.Int64}


def days(**markets: dict[str, int | None]) -> pl.DataFrame:
    rows = [
        (event, calendar, None if place is None else START + timedelta(days=place), place)
        for calendar, events in markets.items()
        for event, place in events.items()
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def grouped(found: pl.DataFrame) -> dict[str, str]:
    return dict(found.select("event_id", "compound_id").iter_rows())


def test_windows_that_share_a_session_make_one_event() -> None:
    table = days(XNYS={"a": 10, "b": 13, "c": 16, "d": 20})
    assert grouped(compound_events(table, (-1, 1))) == {"a": "a", "b": "b", "c": "c", "d": "d"}
    assert grouped(compound_events(table, (0, 3))) == {"a": "a+b+c", "b": "a+b+c", "c": "a+b+c", "d": "d"}
    assert grouped(compound_events(table, (-1, 2)))["c"] == "a+b+c"
    found = compound_events(table, (0, 4))
    assert found["members"].to_list() == [["a", "b", "c", "d"]] * 4
    assert found.schema == {"event_id": pl.String, "compound_id": pl.String, "members": pl.List(pl.String)}


def test_overlap_in_one_market_carries_over_to_the_next() -> None:
    """a meets b only in Sydney, b meets c only in New York: nobody can tell the three apart."""
    table = days(XASX={"a": 10, "b": 11, "c": 20}, XNYS={"a": 10, "b": 15, "c": 16})
    assert set(grouped(compound_events(table, (0, 1))).values()) == {"a+b+c"}
    alone = compound_events(table.filter(pl.col("calendar") == "XNYS"), (0, 1))
    assert grouped(alone) == {"a": "a", "b": "b+c", "c": "b+c"}, "only markets with names count"


def test_day_0_is_the_earliest_members_and_the_window_ends_with_the_last() -> None:
    table = days(XASX={"b": 12, "a": 10, "z": 40}, XNYS={"b": 15, "a": 10, "z": None})
    compounds = compound_events(table, (-1, 1))
    assert compounds["event_id"].to_list() == ["b", "a", "z"], "in the order given"
    assert grouped(compounds)["b"] == "a+b", "members by date"
    assert compound_windows(table, compounds, (-1, 1)).rows() == [
        ("a+b", "XASX", START + timedelta(days=10), 10, -1, 3),
        ("z", "XASX", START + timedelta(days=40), 40, -1, 1),
        ("a+b", "XNYS", START + timedelta(days=10), 10, -1, 6),
    ]


def test_an_event_without_a_day_0_stands_alone() -> None:
    table = days(XNYS={"a": None, "b": 3, "c": None}, XASX={"a": None, "b": 3, "c": 3})
    compounds = compound_events(table, (0, 0))
    assert grouped(compounds) == {"a": "a", "b": "b+c", "c": "b+c"}
    assert compound_windows(table, compounds, (0, 0))["compound_id"].to_list() == ["b+c", "b+c"]


def test_no_events_make_no_compounds() -> None:
    compounds = compound_events(days(), (0, 1))
    assert compounds.is_empty()
    assert compound_windows(days(), compounds, (0, 1)).is_empty()


def test_faults_are_named_together() -> None:
    table = pl.concat([days(XNYS={"a": 1, "b": 9}), days(XNYS={"a": 2})])
    with pytest.raises(DataError) as caught:
        compound_events(table, (1, 0))
    assert [problem.where for problem in caught.value.problems] == ["window", "event a on XNYS"]


PLACES = st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 30), max_size=8)


@given(PLACES, PLACES, st.integers(-5, 0), st.integers(0, 4))
def test_compounds_are_the_connected_parts_of_overlap(
    one: dict[str, int | None], other: dict[str, int | None], first: int, last: int
) -> None:
    """Against a plain search from event to event."""
    markets = {"XASX": one, "XNYS": other}
    table = days(**markets)
    spans = [
        (event, calendar, {*range(place + first, place + last + 1)})
        for calendar, events in markets.items()
        for event, place in events.items()
        if place is not None
    ]
    reached = {event: {event} for event in one | other}
    for _ in reached:
        for event, calendar, span in spans:
            for neighbour, market, its in spans:
                if calendar == market and span & its:
                    reached[event] |= reached[neighbour]
    found = compound_events(table, (first, last))
    assert {event: set(members) for event, _, members in found.iter_rows()} == reached
    assert found["compound_id"].n_unique() == len({frozenset(group) for group in reached.values()})
    shuffled = compound_events(table.sample(fraction=1, shuffle=True, seed=1), (first, last))
    assert grouped(shuffled) == grouped(found), "whatever the order of the rows"
