"""The review calendars that index providers are known for, and any calendar in words.

A rulebook may begin ``[review]`` with ``provider``; what it writes besides wins. The presets follow public
descriptions; days marked (M) are from memory. They are a start for a desk that knows its own calendar.
"""

from collections.abc import Mapping
from typing import Any

from exchina.errors import Problem, did_you_mean
from exchina.model import Before, Day, NthWeekday, ReviewRule, Trigger
from exchina.rules.reviews import announcement, data_cutoff

QUARTERS = [3, 6, 9, 12]
THIRD_FRIDAY = {"nth": 3, "weekday": "friday"}
SECOND_FRIDAY = {"nth": 2, "weekday": "friday"}
MONTH_END_BEFORE = {"session": -1, "months_before": 1}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "sp_dji": {
        "months": QUARTERS,
        "effective_after_close_of": THIRD_FRIDAY,
        "announced_on": SECOND_FRIDAY,
        "data_cutoff_sessions_before": 7,  # (M) Wednesday before the second Friday
        "selection_cutoff_on": {"weeks_before": 5},  # (M)
    },
    "msci": {
        "months": [2, 5, 8, 11],
        "effective_after_close_of": {"session": -1},
        "announced_sessions_before": 12,
        "data_cutoff_on": {"session": -10, "months_before": 1},  # (M) any of the last ten is possible
    },
    "ftse_russell": {
        "months": QUARTERS,
        "select_months": [6],  # (M) Russell; add 11 for the second membership review from 2026
        "effective_after_close_of": THIRD_FRIDAY,
        "effective_in_month": {6: {"nth": 4, "weekday": "friday"}},  # (M)
        "announced_on": {"weeks_before": 2},  # (M)
        "data_cutoff_on": {"weeks_before": 4},  # (M)
    },
    "stoxx": {
        "months": QUARTERS,
        "effective_after_close_of": THIRD_FRIDAY,
        "announced_on": {"nth": 1, "weekday": "friday"},  # (M)
        "data_cutoff_on": MONTH_END_BEFORE,  # (M)
    },
    "marketvector": {
        "months": QUARTERS,
        "effective_after_close_of": THIRD_FRIDAY,
        "announced_on": SECOND_FRIDAY,  # (M)
        "data_cutoff_on": MONTH_END_BEFORE,  # (M)
    },
    "vienna_atx": {
        "months": QUARTERS,
        "select_months": [3, 9],
        "effective_after_close_of": THIRD_FRIDAY,  # (M)
        "announced_sessions_before": 10,  # (M)
        "data_cutoff_on": MONTH_END_BEFORE,  # (M)
    },
    "nasdaq": {
        "months": QUARTERS,
        "select_months": [12],  # (M)
        "effective_after_close_of": THIRD_FRIDAY,  # (M)
        "announced_on": SECOND_FRIDAY,  # (M)
        "data_cutoff_on": MONTH_END_BEFORE,  # (M)
        "selection_cutoff_on": {"session": -1, "months_before": 2},  # (M)
    },
}
SAME_DAY = {
    "announced_on": "announced_sessions_before",
    "announced_sessions_before": "announced_on",
    "data_cutoff_on": "data_cutoff_sessions_before",
    "data_cutoff_sessions_before": "data_cutoff_on",
}


def expanded(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The ``[review]`` table with its provider's calendar written out; what the table says itself wins.

    Returns:
        The settings, and the problem of a provider that is not known.

    Example:
        >>> expanded({"provider": "msci", "calendar": "24/5", "announced_sessions_before": 9})[0]["months"]
        [2, 5, 8, 11]
    """
    settings = {name: value for name, value in table.items() if name != "provider"}
    provider: object = table.get("provider")
    if provider is None:
        return settings, []
    if not isinstance(provider, str) or provider not in PRESETS:
        what = f"no review calendar called {provider!r}"
        return settings, [Problem("review.provider", what, did_you_mean(str(provider), PRESETS))]
    said = {SAME_DAY.get(name, name) for name in settings}
    return {**{name: value for name, value in PRESETS[provider].items() if name not in said}, **settings}, []


def in_words(rule: ReviewRule) -> list[str]:
    """The calendar, the special reviews and the events that call a review, one sentence each."""
    months = ", ".join(str(month) for month in rule.months)
    special_months = [f"in month {month} {day_words(day)}" for month, day in sorted(rule.effective_in_month.items())]
    effective = ", ".join([day_words(rule.effective_after_close_of), *special_months])
    lines = [
        f"Reviewed in months {months}; in force after the close of {effective}, announced "
        f"{day_words(announcement(rule))}, data cut off {day_words(data_cutoff(rule))}. Sessions are those of "
        f"{rule.calendar}; a holiday moves a day to the session before.",
    ]
    if rule.selection_cutoff_on:
        chosen_on = day_words(rule.selection_cutoff_on)
        lines.append(f"Members are chosen on data of {chosen_on}, weights on that of the cut-off.")
    if rule.select_months:
        chosen = ", ".join(str(month) for month in rule.select_months)
        lines.append(f"Members are chosen in months {chosen}; in the others they stay and are weighted afresh.")
    for one in rule.special:
        days = f"data of {one.data_cutoff}, announced {one.announced}, in force after the close of {one.effective}"
        what = "Special review" if one.scope == "whole" else "Special review of weights"
        lines.append(f"{what}: {days}. {one.why}")
    if rule.on:
        lines += [*(_call(one) for one in rule.on), REPLACED[rule.deletion], MERGED]
    return lines


REPLACED = {
    "no_replacement": "A company that leaves by an event is not replaced before the next review.",
    "from_reserve": "A company that leaves by an event is replaced by the first of the last review's reserve list that "
    "still passes every screen.",
}
MERGED = (
    "Events known on one day call one review, with the shorter notice. An event whose review would fall into the "
    "window of another is merged into it where that review's data shows it; otherwise it waits for that one's "
    "effective day. A review of single companies leaves the proportions of the others alone."
)
ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
SCOPES = {
    "whole": "a whole review",
    "enter": "the entry of that company, where it passes every screen",
    "leave": "the exit of that company",
}


def _call(trigger: Trigger) -> str:
    given = ", ".join(f"{name} {_plain(value)}" for name, value in trigger.settings.items() if value is not None)
    event = trigger.name.replace("_", " ") + (f" ({given.replace('_', ' ')})" if given else "")
    return (
        f"Event {event}: {SCOPES[trigger.scope]}, on data of the session by which it is known, announced "
        f"{trigger.announced_sessions_after} and in force {trigger.effective_sessions_after} sessions later. "
        f"{trigger.why}"
    )


def _plain(value: Any) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def day_words(day: Day) -> str:
    """A day of a review as a person names it: the third Friday of the month."""
    if isinstance(day, NthWeekday):
        return f"the {ORDINALS[day.nth]} {day.weekday.capitalize()} of the month"
    if isinstance(day, Before):
        unit, count = ("week", day.weeks_before) if day.weeks_before is not None else ("session", day.sessions_before)
        return f"{count} {unit}{'' if count == 1 else 's'} before the effective day" if count else "the effective day"
    place = f"session {day.session}" if day.session > 0 else f"session {-day.session} from the end"
    place = {1: "the first session", -1: "the last session"}.get(day.session, place)
    month = {0: "of the month", 1: "of the month before"}.get(day.months_before, f"{day.months_before} months before")
    return f"{place} {month}"
