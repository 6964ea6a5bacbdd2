"""The estimation window of the standard: walk back from day -11, skip [-1,+3] around every other event."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchina.analytics.event_days import clean_sessions, near_events


def walk(events: list[int], day0: int, count: int) -> tuple[list[int], int]:
    """Session by session, as it is told: the clean sessions found and how many were skipped on the way to the last."""
    found: list[int] = []
    skipped, passed, session = 0, 0, day0 - 11
    while session >= 0 and len(found) < count:
        if any(event - 1 <= session <= event + 3 for event in events):
            passed += 1
        else:
            found.append(session)
            skipped = passed
        session -= 1
    return found[::-1], skipped


@given(st.lists(st.integers(0, 299), max_size=25), st.integers(0, 299), st.integers(1, 150))
def test_the_window_is_that_of_a_walk_back(events: list[int], day0: int, count: int) -> None:
    places = np.array(events, np.int64)
    found = clean_sessions(near_events(places, places, 300), day0, count=count)
    expected, skipped = walk(events, day0, count)
    assert found.tolist() == expected
    if expected:
        assert (day0 - 11 + 1) - found[0] - found.size == skipped


@given(st.lists(st.integers(0, 299), max_size=10), st.integers(0, 299))
def test_the_event_itself_never_disturbs_its_own_window(events: list[int], day0: int) -> None:
    others, all_of_them = np.array(events, np.int64), np.array([*events, day0], np.int64)
    alone, together = (clean_sessions(near_events(at, at, 300), day0) for at in (others, all_of_them))
    assert alone.tolist() == together.tolist()


@given(st.lists(st.integers(20, 299), max_size=10), st.integers(0, 299), st.integers(0, 19))
def test_a_later_event_changes_no_earlier_window(events: list[int], day0: int, later: int) -> None:
    """Sessions up to day -11 alone decide, so an event from day -9 on cannot reach them."""
    at = np.array(events, np.int64)
    more = np.append(at, day0 - 9 + later)
    assert clean_sessions(near_events(at, at, 300), day0).tolist() == (
        clean_sessions(near_events(more, more, 300), day0).tolist()
    )


def test_an_event_whose_day_is_not_certain_disturbs_from_its_first_to_its_last_possible_day() -> None:
    near = near_events(np.array([50]), np.array([52]), 100)
    assert np.flatnonzero(near).tolist() == [49, 50, 51, 52, 53, 54, 55]
    assert clean_sessions(near, 70, count=7).tolist() == [46, 47, 48, 56, 57, 58, 59]


def test_shocks_left_inside_the_window_raise_the_residual_and_skipping_them_does_not() -> None:
    """Six moves of 10 % among 120 sessions: the standard's reason for a clean window."""
    rng = np.random.default_rng(8)
    returns = rng.normal(0, 0.04, (2000, 300))
    events = np.array([140, 160, 180, 200, 220, 240])
    returns[:, events] += 0.10 * rng.choice([-1, 1], (2000, 6))
    clean = clean_sessions(near_events(events, events, 300), 290)
    assert clean.size == 120
    assert not np.isin(clean, events).any()
    spread = returns[:, clean].std(axis=1, ddof=1).mean(), returns[:, 139:259].std(axis=1, ddof=1).mean()
    np.testing.assert_allclose(spread, [0.04, np.sqrt(0.04**2 + 6 / 120 * 0.10**2)], rtol=0.02)
