"""What the settings of the controls may be: one table, so that a 95 for 95 % is refused alike wherever it is given."""

from collections.abc import Callable
from typing import TypeAlias

from exchina.errors import DataError, Problem

Rule: TypeAlias = tuple[Callable[[float], bool], str]
INFINITE = float("inf")
SHARE: Rule = (lambda value: 0 < value < 1, "a fraction between 0 and 1: 95 % is 0.95")
FINITE: Rule = (lambda value: -INFINITE < value < INFINITE, "a finite number")
SOUND: dict[str, Rule] = {
    "level": SHARE,
    "confidence": SHARE,
    "periods_per_year": (lambda value: 0 < value < INFINITE, "above 0: 252 for sessions, 12 for months"),
    "target_annual": (lambda value: 0 < value < INFINITE, "a yearly Sharpe ratio above 0"),
    "mean_block": (lambda value: 1 <= value < INFINITE, "periods, 1 or more"),
    "draws": (lambda value: 1 <= value < INFINITE, "1 or more, 2,000 for a document"),
    "periods": (lambda value: 2 <= value < INFINITE, "2 or more"),
    "trials": (lambda value: 1 <= value < INFINITE, "the chosen variant is a trial itself: 1 or more"),
    "sr": FINITE,
    "sr_annual": FINITE,
    "above": FINITE,
}


def faults(**settings: float) -> list[Problem]:
    """Each setting, by its name in `SOUND`, that makes no sense; NaN never does."""
    return [
        Problem(name, f"found {value}", SOUND[name][1]) for name, value in settings.items() if not SOUND[name][0](value)
    ]


def check(**settings: float) -> None:
    """`DataError` with all `faults`."""
    if found := faults(**settings):
        raise DataError(*found)
