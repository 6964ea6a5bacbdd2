"""When an index is reviewed, in words."""

from calendar import month_name
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from exchina.methodology.markdown import code, head, listed
from exchina.methodology.rules import block
from exchina.methodology.settings import EMPTY, facts
from exchina.model import Before, NthSession, NthWeekday, ReviewRule, SpecialReview, Trigger
from exchina.rules.registers import trigger
from exchina.rules.review_presets import day_words
from exchina.rules.reviews import reviews


def review_days(rule: ReviewRule) -> str:
    """The dates of a review: what each setting says, how a day is found, and what else calls a review."""
    held = {one.name: getattr(rule, one.name) for one in fields(rule)}
    called = {name: value for name, value in held.items() if value not in EMPTY and _calls(value)}
    spoken = {name: said for name, value in held.items() if (said := _spoken(name, value))}
    how = code(" ".join(head(reviews).partition("\n\n")[2].split()))
    last = f"{how} Nothing learnt after the data cut-off is used.".strip()
    blocks = [_block(name, one) for name, value in called.items() for one in value]
    return "\n\n".join([facts(rule, spoken, tuple(called)), last, *blocks])


def _calls(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, Trigger | SpecialReview) for one in value)


def _block(name: str, one: Trigger | SpecialReview) -> str:
    apart = ("name", "why", "settings")
    held = {part.name: getattr(one, part.name) for part in fields(one) if part.name not in apart}
    if isinstance(one, SpecialReview):
        return block(f"review.{name}.{one.effective}", one.why, None, held)
    return block(f"review.{name}.{one.name}", one.why, trigger[one.name], {**one.settings, **held})


def _spoken(name: str, value: Any) -> str:
    if name in ("months", "select_months"):
        return listed([month_name[month] for month in value])
    if name.endswith("_sessions_before") and value is not None:
        return day_words(Before(sessions_before=value))
    if isinstance(value, Mapping):
        return "; ".join(f"{month_name[month]}: {day_words(day)}" for month, day in value.items())
    return day_words(value) if isinstance(value, NthWeekday | NthSession | Before) else ""
