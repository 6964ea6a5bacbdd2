"""Event-study case on the clean estimation window: walking back past the other events of the ledger."""

from typing import Any

import numpy as np

from exchina.analytics.event_days import clean_sessions, near_events
from tests.answers.compare import Either
from tests.answers.given import Given, given

Answer = dict[str, Any]
DAY0 = (
    *("day0", "day_0", "event_day", "event_index", "event_position", "day0_index", "event_row", "event", "position"),
    *("index", "day0_position", "day0_row", "t0", "event_date"),
)
OTHERS = (
    *("other_events", "other_event_days", "near", "events", "shocks", "ledger", "other_event_positions", "others"),
    *("other_event_indices", "other_event_rows", "other_days", "event_days", "ledger_events", "contaminated"),
    *("event_indices", "event_positions", "other_event_index", "shock_days", "dates", "other_dates"),
)
SKIP = ("skip", "buffer", "exclude", "around", "skip_window", "skip_range", "contamination_window", "exclusion")
NEEDED = (
    *("M", "M_needed", "count", "needed", "estimation_days", "estimation_length", "clean_days", "n_clean", "M_wanted"),
    *("length", "days_needed", "clean_days_needed", "estimation_sessions", "target", "n_estimation", "M_target"),
)
END = (
    *(
        "last_relative_day",
        "end",
        "estimation_end",
        "last_day",
        "start_from",
        "ends_at",
        "from_day",
        "last_estimation_day",
    ),
    *("end_relative", "walk_back_from", "last_relative", "relative_end", "start_relative", "first_relative_day"),
)


def window_answer(inputs: Given) -> tuple[Answer, np.ndarray, list[int]]:
    """The answer, the rows of the clean window, and those of the event."""
    day0 = given(inputs, *DAY0)
    event = day0 if isinstance(day0, list) else [day0, day0 + 1]
    others = np.array([place_of(one) for one in given(inputs, *OTHERS)], int)
    first, last = given(inputs, *SKIP, default=[-1, 3])
    first = given(inputs, "skip_before", "before", default=-first if first > 0 else first)
    last = given(inputs, "skip_after", "after", default=last)
    count, gap = given(inputs, *NEEDED, default=120), given(inputs, "gap", "gap_days", default=10)
    end = given(inputs, *END, default=-gap - 1)
    end = end - event[0] if end > 0 else end
    for name in ("n_days", "T", "sessions", "n_sessions", "total_days", "n"):
        inputs.get(name)
    near = near_events(others, others, event[0] + 1, before=abs(first), after=last)
    kept = clean_sessions(near, event[0], count=count, end=end)
    passed = np.setdiff1d(np.arange(kept[0], event[0] + end + 1), kept).tolist()
    span = int(kept[-1] - kept[0] + 1)
    answer: Answer = {
        **dict.fromkeys(
            ("days", "indices", "clean_days", "rows", "positions", "estimation", "kept", "window"), kept.tolist()
        ),
        **dict.fromkeys(("clean_indices", "clean_positions", "estimation_days", "estimation_indices"), kept.tolist()),
        **dict.fromkeys(("M", "n", "n_clean", "n_days", "count", "n_kept"), kept.size),
        **dict.fromkeys(("skipped", "n_skipped", "days_skipped", "skipped_days"), Either(len(passed), passed)),
        **dict.fromkeys(("n_days_skipped", "number_skipped"), len(passed)),
        **dict.fromkeys(("skipped_indices", "skipped_positions", "skipped_list"), passed),
        **dict.fromkeys(("first", "first_day", "first_index", "earliest", "start", "first_position"), int(kept[0])),
        **dict.fromkeys(("last", "last_day", "last_index", "latest", "end", "last_position"), int(kept[-1])),
        **dict.fromkeys(("first_relative_day", "first_relative"), int(kept[0] - event[0])),
        **dict.fromkeys(("last_relative_day", "last_relative"), int(kept[-1] - event[0])),
        "span": Either(span, [int(kept[0]), int(kept[-1])], [int(kept[0]), int(kept[-1]) + 1], span - 1),
        **dict.fromkeys(("span_days", "span_sessions", "span_length"), span),
    }
    answer["clean_days"] = Either(kept.tolist(), kept.size)
    return answer, kept, event


def place_of(event: Any) -> int:
    """The day of another event, stated by itself or as an entry of a ledger."""
    return given(event, *DAY0, "day", "row", "at") if isinstance(event, dict) else event
