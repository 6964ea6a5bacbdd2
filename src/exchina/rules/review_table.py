"""The ``[review]`` table of a rulebook as written: its provider, its events, and what contradicts itself in it."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from exchina.errors import Problem, did_you_mean
from exchina.model import Before, Day, NthSession, ReviewRule, Rule, Trigger
from exchina.rules.registers import trigger
from exchina.rules.review_presets import expanded

AFTER = ("announced_sessions_after", "effective_sessions_after")
SCOPES = ("whole", "enter", "leave")
PERSISTENCE = ("passes_to_enter", "fails_to_leave")


def opened(table: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Trigger, ...], list[Problem]]:
    """The table with its provider's calendar written out and without ``on``, the events of ``on``, and every fault."""
    settings, problems = expanded(table)
    events = settings.pop("on", {})
    if not isinstance(events, dict):
        problems.append(Problem("review.on", f"found {events!r}", "[review.on] is a table"))
        return settings, (), problems
    made = [_trigger(name, line, problems) for name, line in cast("dict[str, Any]", events).items()]
    return settings, tuple(one for one in made if one is not None), problems


def _trigger(name: str, line: Any, problems: list[Problem]) -> Trigger | None:
    where = f"review.on.{name}"
    if not isinstance(line, dict):
        problems.append(Problem(where, f"found {line!r}", f'write {name} = {{ settings, scope, ..., why = "..." }}'))
        return None
    settings = cast("dict[str, Any]", {**line})
    before = len(problems)
    why, scope = settings.pop("why", None), settings.pop("scope", None)
    after = [_count(where, key, settings.pop(key, None), 0 if "announced" in key else 1, problems) for key in AFTER]
    if not isinstance(why, str) or not why.strip():
        problems.append(Problem(f"{where}.why", "every event says why it calls a review", 'add why = "..."'))
    checked, faults = trigger.checked_settings(where, name, settings)
    problems += faults
    allowed = [one for one in SCOPES if name in trigger.having(one)]
    if name in trigger.all() and scope not in allowed:
        problems.append(Problem(f"{where}.scope", f"found {scope!r}", f"one of {', '.join(allowed)}"))
    if after[0] > after[1]:
        hint = "set effective_sessions_after to at least announced_sessions_after"
        problems.append(Problem(where, "it would take effect before it is announced", hint))
    if len(problems) > before:
        return None
    return Trigger(name, checked, cast('Literal["whole", "enter", "leave"]', scope), after[0], after[1], str(why))


def _count(where: str, key: str, value: Any, fewest: int, problems: list[Problem]) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and fewest <= value <= 60:
        return value
    problems.append(Problem(f"{where}.{key}", f"found {value!r}", f"a number of sessions from {fewest} to 60"))
    return fewest


def persistence(where: str, settings: dict[str, Any], problems: list[Problem]) -> dict[str, int]:
    """Take ``passes_to_enter`` and ``fails_to_leave`` out of the settings of a screen, 1 where not given."""
    found: dict[str, int] = {}
    for key in PERSISTENCE:
        value = settings.pop(key, 1)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 12:
            problems.append(Problem(f"{where}.{key}", f"found {value!r}", "a number of reviews in a row, 1 to 12"))
            value = 1
        found[key] = value
    return found


def contradictions(review: ReviewRule, rules: Mapping[str, tuple[Rule, ...]]) -> list[Problem]:
    """What no single setting of the table shows."""
    problems = [*_one_way_each(review), *_days(review), *_months(review)]
    cutoff, announced = review.data_cutoff_sessions_before, review.announced_sessions_before
    if cutoff is not None and announced is not None and announced > cutoff:
        hint = "set data_cutoff_sessions_before to at least announced_sessions_before"
        problems.append(Problem("review", "the result would be announced before its data is cut off", hint))
    known = [rule.name for rule in rules["screen"]]
    for one in review.on:
        for name in one.settings.get("screens", ()):
            if name not in known:
                what = f"this rulebook has no screen called {name!r}"
                problems.append(Problem(f"review.on.{one.name}.screens", what, did_you_mean(name, known)))
    leaves = any(one.scope == "leave" for one in review.on)
    if review.deletion == "from_reserve" and not leaves:
        hint = 'add an event of scope "leave" to [review.on], such as takeover_closes'
        problems.append(Problem("review.deletion", "no event removes a company between reviews", hint))
    if review.deletion == "from_reserve" and not any(rule.settings.get("reserve") for rule in rules["select"]):
        problems.append(
            Problem("review.deletion", "the selection keeps no reserve list", "add reserve = n to its rule")
        )
    return problems


def _one_way_each(review: ReviewRule) -> list[Problem]:
    problems: list[Problem] = []
    for name in ("announced", "data_cutoff"):
        sessions, day = getattr(review, f"{name}_sessions_before"), getattr(review, f"{name}_on")
        if (sessions is None) == (day is None):
            what = "this setting is required" if day is None else f"{name}_on says another day"
            hint = f"write {name}_sessions_before or {name}_on, one of the two"
            problems.append(Problem(f"review.{name}_sessions_before", what, hint))
    return problems


def _days(review: ReviewRule) -> list[Problem]:
    effective = {"effective_after_close_of": review.effective_after_close_of}
    effective |= {f"effective_in_month.{month}": day for month, day in review.effective_in_month.items()}
    others: dict[str, Day | None] = {
        name: getattr(review, name) for name in ("announced_on", "data_cutoff_on", "selection_cutoff_on")
    }
    problems: list[Problem] = []
    for name, day in {**effective, **others}.items():
        if isinstance(day, NthSession) and day.session == 0:
            problems.append(Problem(f"review.{name}.session", "found 0", "1 is the first session, -1 the last"))
        if isinstance(day, Before) and (day.sessions_before is None) == (day.weeks_before is None):
            problems.append(Problem(f"review.{name}", "names both or neither", "sessions_before or weeks_before"))
        if name in effective and (isinstance(day, Before) or (isinstance(day, NthSession) and day.months_before)):
            hint = "name a weekday or a session of the month of the review"
            problems.append(Problem(f"review.{name}", "is counted from the effective day itself", hint))
    return problems


def _months(review: ReviewRule) -> list[Problem]:
    problems: list[Problem] = []
    for name in ("months", "select_months"):
        months = getattr(review, name)
        if len(set(months)) < len(months):
            problems.append(Problem(f"review.{name}", f"found {list(months)}", "name each month once"))
    hint = f"one of review.months: {', '.join(str(month) for month in review.months)}"
    for name, months in (("select_months", review.select_months), ("effective_in_month", review.effective_in_month)):
        problems += [
            Problem(f"review.{name}", f"month {month} has no review", hint)
            for month in months
            if month not in review.months
        ]
    effective = [one.effective for one in review.special]
    if len(set(effective)) < len(effective):
        problems.append(Problem("review.special", "two special reviews take effect on one day", "merge them"))
    return problems
