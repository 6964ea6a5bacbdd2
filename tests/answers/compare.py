"""An answer beside what a case expects, to its tolerance; what is not answered fails by name."""

import re
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np

from tests.answers.given import spelled

NO_NUMBER = re.compile(r"refus|not.?comput|undefined|n/?a\b|none|nan|null|error|raise|cannot|impossible", re.IGNORECASE)
MISSING = object()


class Either(tuple[Any, ...]):
    """Answers to one name that may mean several things, such as a count and a list; one of them must be right."""

    __slots__ = ()

    def __new__(cls, *answers: Any) -> "Either":
        return super().__new__(cls, answers)


def found_in(produced: Any, key: str) -> Any:
    """The answer under a key, spelled so or nearly so; MISSING where there is none."""
    if not isinstance(produced, dict):
        return MISSING
    if key in produced:
        return produced[key]
    return next((value for name, value in produced.items() if spelled(name) == spelled(key) and spelled(key)), MISSING)


def fitting(produced: Any, expected: Any, relative: float, absolute: float) -> Any:
    """Of several answers the one that is right, else the first of the same shape; of a statistic its figure."""
    if isinstance(produced, dict) and "stat" in produced and isinstance(expected, Real):
        produced = produced.get("flat", produced["stat"])
    if not isinstance(produced, Either):
        return produced
    right = [one for one in produced if not any(differences(one, expected, relative, absolute))]
    kinds = (dict, list, str, Real)
    alike = [one for one in produced if any(isinstance(one, k) and isinstance(expected, k) for k in kinds)]
    return [*right, *alike, *produced][0]


def differences(produced: Any, expected: Any, relative: float, absolute: float, at: str = "") -> Iterator[str]:
    """Where an answer is missing or not within the tolerance."""
    produced = fitting(produced, expected, relative, absolute)
    if isinstance(expected, dict):
        for key, value in expected.items():
            answer = found_in(produced, key)
            if answer is MISSING:
                yield f"{at}{key}: no answer"
            else:
                yield from differences(answer, value, relative, absolute, f"{at}{key}.")
    elif isinstance(expected, list):
        if not isinstance(produced, list | tuple) or len(produced) != len(expected):
            yield f"{at}: {produced!r}, not {len(expected)} values"
        else:
            for index, (one, other) in enumerate(zip(produced, expected, strict=True)):
                yield from differences(one, other, relative, absolute, f"{at}{index}.")
    elif not agrees(produced, expected, relative, absolute):
        yield f"{at}: {produced!r}, not {expected!r}"


def agrees(produced: Any, expected: Any, relative: float, absolute: float) -> bool:
    """One figure, word or flag; to none, or a word for it, answers what is not computable."""
    if expected is None or (isinstance(expected, str) and NO_NUMBER.search(expected)):
        return no_number(produced) or bool(produced == expected)
    if isinstance(expected, str | bool):
        return bool(produced == expected)
    return isinstance(produced, Real) and bool(np.isclose(float(produced), expected, rtol=relative, atol=absolute))


def no_number(produced: Any) -> bool:
    """What is not computable: None, NaN, a statistic without a figure, or a refusal."""
    if isinstance(produced, dict):
        return bool(produced.get("refused")) or ("stat" in produced and produced["stat"] is None)
    return produced is None or (isinstance(produced, float) and np.isnan(produced))


def asked(produced: Any, expected: Any, relative: float = 1e-8) -> Any:
    """The parts of an answer that were asked for."""
    produced = fitting(produced, expected, relative, 1e-12)
    if isinstance(expected, dict):
        return {key: asked(found_in(produced, key), part, relative) for key, part in expected.items()}
    return produced


def numbers(answer: Any) -> Iterator[float]:
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list | tuple):
        for part in answer:
            yield from numbers(part)
    elif isinstance(answer, Real):
        yield float(answer)


def mistaken(produced: Any, expected: Any, wrong_values: dict[str, Any]) -> Iterator[str]:
    """The classic mistakes whose number is among those asked for, unless the right answer holds it too."""
    rights, answered = list(numbers(expected)), list(numbers(asked(produced, expected)))
    for name, wrong in wrong_values.items():
        for number in numbers(wrong):
            if not any(near(number, right) for right in rights) and any(near(one, number) for one in answered):
                yield f"{name}: {number!r} is a wrong value"


def near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-8 * abs(other)
