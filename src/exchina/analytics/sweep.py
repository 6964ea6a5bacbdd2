"""PURE. Variants of a rulebook, and what makes two rulebooks the same trial.

A rulebook is varied as the data of its TOML text, not as text; each variant is written as TOML again, so that the one
parser of rulebooks judges it, with its own messages, and so that a variant can be kept as a rulebook.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from itertools import product
from math import prod
from typing import Any, Literal, cast

from exchina.errors import Problem, did_you_mean
from exchina.model import Rule, Rulebook

LABELS = ("id", "name", "version", "objective", "base_value", "returns", "live_date")
MOST = 10_000
FILES = {
    "index": ("rulebook", "select.top.count=15,20,25"),
    "fund": ("fund file", "vehicle.fee.per_year=0.004,0.006"),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One point of the grid: the value at each place, and the rulebook that has them, as TOML."""

    at: Mapping[str, Any]
    text: str

    @property
    def label(self) -> str:
        """The places and values, such as ``select.top.count=15, cap.issuer.at_most=0.1``."""
        return ", ".join(f"{place}={in_toml(value)}" for place, value in self.at.items())


def grid(
    text: str, varied: Sequence[str], *, of: Literal["index", "fund"] = "index"
) -> tuple[list[Variant], list[Problem]]:
    """Every combination of the values asked for, the last place varying fastest.

    Args:
        text: a file that the parser accepts.
        varied: one line a place: ``select.top.count=15,20,25``. A value is TOML; what is not TOML is taken as a word.
        of: whose file it is.

    Returns:
        The variants over the places that are there; and every line that cannot be read, every place that the file
        does not have, and every value named twice.
    """
    tree = tomllib.loads(text)
    problems: list[Problem] = []
    asked: dict[str, list[Any]] = {}
    for line in varied:
        place, _, values = (part.strip() for part in line.partition("="))
        faults = _line_faults(line, asked, of) or _place_faults(tree, place, of)
        problems += faults
        asked |= {} if faults else {place: _values(values)}
    problems += [
        Problem(place, f"{in_toml(value)} is asked for twice", "name each value once")
        for place, values in asked.items()
        for value in _repeated(values)
    ]
    count = prod(len(values) for values in asked.values())
    if count > MOST:
        return [], [*problems, Problem("sweep", f"{count:,} variants", f"at most {MOST:,} in one sweep")]
    return [_variant(tree, dict(zip(asked, values, strict=True))) for values in product(*asked.values())], problems


def meaning(book: Rulebook) -> str:
    """What decides the path of the levels: every setting as parsed, as canonical JSON.

    Left out are reasons (``why``), id, name, version, objective and live date, which say nothing to the calculation;
    the base value, the choice of return variants and derived series, which only show the same path otherwise; and
    the order of screens and of caps, which are judged all together. A setting not given counts with its default, and
    20.0 is 20.
    """
    told = {
        "index": {name: value for name, value in asdict(book.index).items() if name not in LABELS},
        "review": asdict(book.review),
        "rules": [asdict(rule) for rule in sorted(book.rules, key=_place)],
        "if_infeasible": book.if_infeasible,
        "calculation": asdict(book.calculation),
    }
    plain = _plain(told)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=date.isoformat)


def config_hash(book: Rulebook) -> str:
    """SHA-256 of the `meaning` of a rulebook: the same rules have the same on every machine, whatever their name."""
    return sha256(meaning(book).encode()).hexdigest()


def in_toml(value: Any) -> str:
    """A value as TOML, a table in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(str(key))} = {in_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(in_toml, value)) + "]"
    return value.isoformat() if isinstance(value, date) else repr(value)


def _place(rule: Rule) -> tuple[str, str]:
    return rule.kind, rule.name if rule.kind in {"screen", "cap"} else ""


def _values(text: str) -> list[Any]:
    try:
        return tomllib.loads(f"found = [{text}]")["found"]
    except tomllib.TOMLDecodeError:
        return [_value(part.strip()) for part in text.split(",")]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"found = {text}")["found"]
    except tomllib.TOMLDecodeError:
        return text


def _line_faults(line: str, asked: Mapping[str, Any], of: str) -> list[Problem]:
    place, _, values = (part.strip() for part in line.partition("="))
    hint = f"write a place and its values, such as {FILES[of][1]}"
    if "." not in place or not values or "" in _values(values):
        return [Problem(f"--vary {line}", "is not a place with values", hint)]
    return (
        [Problem(f"--vary {line}", f"{place} is varied twice", "name all its values at once")] if place in asked else []
    )


def _place_faults(tree: Mapping[str, Any], place: str, of: str) -> list[Problem]:
    """Every table on the way must be there; the setting itself may be left to its default, and the parser knows it."""
    names = place.split(".")
    if (names[0] == "index" and names[1] in LABELS) or names[0] == "series" or names[-1] == "why":
        return [Problem(place, f"does not change what the {of} holds", "vary another setting")]
    at = tree
    for number, name in enumerate(names[:-1], 1):
        inner = at.get(name)
        if not isinstance(inner, Mapping):
            known = [key for key, value in at.items() if isinstance(value, Mapping)]
            where = ".".join(names[:number])
            return [Problem(place, f"the {FILES[of][0]} has no {where!r}", did_you_mean(name, known))]
        at = cast("Mapping[str, Any]", inner)
    return []


def _repeated(values: Sequence[Any]) -> list[Any]:
    texts = [in_toml(value) for value in values]
    return [value for number, value in enumerate(values) if in_toml(value) in texts[:number]]


def _variant(tree: Mapping[str, Any], at: Mapping[str, Any]) -> Variant:
    changed: Any = deepcopy(tree)
    for place, value in at.items():
        *way, last = place.split(".")
        inner = changed
        for name in way:
            inner = inner[name]
        inner[last] = value
    tables = (
        f"[{name}]\n" + "".join(f"{_key(key)} = {in_toml(value)}\n" for key, value in lines.items())
        for name, lines in changed.items()
    )
    return Variant(at, "\n".join(tables))


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _quoted(name)


def _quoted(text: str) -> str:
    """A text of JSON is one of TOML, but for one sign."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    """Without reasons and settings that are not set; whole numbers as integers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items() if key != "why" and part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
