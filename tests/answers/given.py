"""What a case gives: its inputs under the names that a colleague may have written, and which of them were read."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

REQUIRED = object()
DESCRIPTIVE = {
    *("case", "comment", "currency", "description", "essential", "label", "note", "notes", "recipe", "rule", "rules"),
    *("reference_repetitions", "repetitions", "seed", "source", "title", "unit", "units"),
    "debt",  # of a firm: no formula of the standard takes it
}


class Given(dict[str, Any]):
    """Inputs that remember which of them were read, and take a name for the same but for case, `_`, `-` and blanks.

    A name of one letter is taken to the letter: T and t are two things.
    """

    def __init__(self, inputs: dict[str, Any]) -> None:
        super().__init__({key: remembering(value) for key, value in inputs.items()})
        self.unread = set(inputs)
        self.derived: list[Given] = []

    def place(self, name: object) -> str | None:
        if not isinstance(name, str) or dict.__contains__(self, name):
            return name if isinstance(name, str) else None
        plain = spelled(name)
        return next((key for key in self if len(plain) > 1 and spelled(key) == plain), None)

    def __contains__(self, name: object) -> bool:
        return self.place(name) is not None

    def __getitem__(self, name: str) -> Any:
        place = self.place(name)
        self.unread.discard(place or name)
        return dict.__getitem__(self, place or name)

    def get(self, name: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        place = self.place(name)
        return default if place is None else self[place]


def remembering(value: Any) -> Any:
    if isinstance(value, dict):
        return value if isinstance(value, Given) else Given(value)
    return [remembering(part) for part in value] if isinstance(value, list) and holds_dicts(value) else value


def holds_dicts(value: list[Any]) -> bool:
    return any(isinstance(part, dict) for part in value)


def given(inputs: dict[str, Any], *names: str, default: Any = REQUIRED) -> Any:
    """The input under the first of these names that is there, spelled so or nearly so.

    Raises:
        KeyError: none is there, and there is no default.
    """
    exact = [name for name in names if dict.__contains__(inputs, name)]
    near = [name for name in names if name in (inputs if isinstance(inputs, Given) else Given(inputs))]
    for name in exact + near:
        return inputs[name] if isinstance(inputs, Given) else Given(inputs)[name]
    if default is REQUIRED:
        raise KeyError(f"no input is named {' or '.join(names)}; there are {', '.join(map(str, inputs))}")
    return default


def spelled(name: str) -> str:
    """A name as it is compared: lower case, without `_`, `-`, `=`, blanks."""
    return re.sub(r"[^a-z0-9.]", "", name.lower())


def derived(inputs: Given, values: dict[str, Any], *, common: Iterable[str] = ()) -> Given:
    """Inputs made from others, which count as read as far as these; what is ``common`` to several is not watched."""
    made = Given(values)
    made.unread -= set(common)
    inputs.unread.clear()
    inputs.derived.append(made)
    return made


def never_read(inputs: dict[str, Any], at: str = "") -> Iterator[str]:
    """The inputs that nothing read, apart from descriptions; each by name."""
    if not isinstance(inputs, Given):
        return
    for made in inputs.derived:
        yield from never_read(made, at)
    for key, value in inputs.items():
        if key in inputs.unread:
            if spelled(key) not in map(spelled, DESCRIPTIVE) and not in_words(value):
                yield f"{at}{key}: an input that nothing read"
        else:
            parts = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
            for place, part in enumerate(parts):
                yield from never_read(part, f"{at}{key}." if part is value else f"{at}{key}.{place}.")


def in_words(value: Any) -> bool:
    """Nothing but text: a description."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return isinstance(value, str | None) if parts is None else all(map(in_words, parts))


def watched(answer: Callable[[Given], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """An answer to inputs that remember what was read, and to plain ones."""
    return lambda inputs: answer(inputs if isinstance(inputs, Given) else Given(inputs))


ROWS = (
    "names",
    "firms",
    "lines",
    "securities",
    "constituents",
    "holdings",
    "positions",
    "members",
    "rows",
    "portfolio",
)


def columns(inputs: Given) -> Given:
    """Inputs whose names are a list of dicts, as a list a figure."""
    for key in ROWS:
        place = inputs.place(key)
        rows = dict.get(inputs, place) if place else None
        if isinstance(rows, list) and rows and all(isinstance(row, Given) for row in rows):
            keys = dict.fromkeys(name for row in rows for name in row)
            pivoted = {name: [row.get(name) for row in rows] for name in keys}
            return derived(inputs, pivoted | {name: value for name, value in inputs.items() if name != place})
    return inputs


def each(inputs: Given, answer: Callable[[Given], dict[str, Any]]) -> dict[str, Any]:
    """The answer to a case, or to each of its sub-cases: under names, or in a list."""
    parts = {key: value for key, value in inputs.items() if isinstance(value, Given) or is_rows(value)}
    if not parts:
        return answer(inputs)
    common = {key: value for key, value in inputs.items() if key not in parts}
    inputs.unread.clear()
    found: dict[str, Any] = {}
    for key, value in parts.items():
        if isinstance(value, Given):
            found[key] = answer(derived(value, common | dict(value), common=common))
        else:
            listed = [answer(derived(one, common | dict(one), common=common)) for one in value]
            found |= {name: [one[name] for one in listed] for name in listed[0]}
            found |= dict.fromkeys((key, "results", "cases"), listed)
    return found


def is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Given) for one in value)
