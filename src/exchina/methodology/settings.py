"""Settings as tables: value and meaning, with the level to enter and the level to stay side by side."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from exchina.methodology.markdown import code, head, listed, meanings, sentences, shown, table
from exchina.model import Rule, Trigger
from exchina.plugins import Plugin, keyword_settings

SAME_AS = re.compile(r"``(\w+)`` where not given")
OWN = ("kind", "name", "settings", "why")
LEAVE = {"fails_to_leave": "passes_to_enter"}
EMPTY = (None, (), {}, [])


def settings_of(plugin: Plugin | None, held: Mapping[str, Any]) -> list[str]:
    """The settings of a rule, and those that are not set, or zero as they are by default.

    A list, or a table where a level to enter stands beside one to stay.
    """
    meant = {**meant_of(Rule), **meant_of(Trigger), **(meanings(plugin) if plugin else {})}
    usual = {name: default for name, (_, default) in keyword_settings(plugin).items()} if plugin else {}
    idle = [key for key, value in held.items() if value is None or (not value and usual.get(key, ...) == value)]
    pairs = {enter: stay for enter, stay in entry_and_stay(held, meant).items() if enter not in idle}
    rows: list[tuple[str, str, str, str]] = []
    for key, value in held.items():
        if key in pairs.values() or key in idle:
            continue
        meaning, stay = meant.get(key, ""), pairs.get(key)
        name = key if stay is None else f"{key}`, `{stay}"
        level = None if stay is None else held[stay]
        to_stay = "the same" if level is None else shown(key, level, meaning)
        rows.append((f"`{name}`", shown(key, value, meaning), to_stay, code(meaning)))
    unused = [f"`{key}`" for key in idle if key not in pairs.values()]
    lines = [f"- {key} = {value}" + (f": {meaning}" if meaning else "") for key, value, _, meaning in rows]
    said = table(("setting", "to enter", "to stay", "meaning"), rows) if pairs else "\n".join(lines)
    idle_line = f"Not set or zero: {listed(unused)}." if unused else ""
    return [said, idle_line] if pairs or not rows else [f"{said}\n- {idle_line}" if idle_line else said]


def entry_and_stay(held: Mapping[str, Any], meant: Mapping[str, str]) -> dict[str, str]:
    """Setting for newcomers -> the setting of the same thing for present members.

    ``members_x`` and ``stay_x`` go with ``x`` and ``enter_x``, failures to leave with passes to enter; so does a
    setting of what stays that is another's value where not given.

    Args:
        held: settings by name.
        meant: what the docstring says of each.
    """
    pairs: dict[str, str] = {}
    for key in held:
        same = SAME_AS.search(meant.get(key, "")) if re.search(r"\bstays?\b", meant.get(key, "")) else None
        found = (
            key.removeprefix("members_"),
            key.replace("stay_", "enter_", 1),
            LEAVE.get(key, key),
            same[1] if same else key,
        )
        for enter in found:
            if enter != key and enter in held and key not in pairs.values():
                pairs.setdefault(enter, key)
    return pairs


def beside(rule: Rule) -> dict[str, Any]:
    """What a rulebook says of a rule beyond its own settings; nothing where all of it is the default."""
    told = {one.name: getattr(rule, one.name) for one in fields(rule) if one.name not in OWN}
    usual = {one.name: one.default for one in fields(rule)}
    return told if any(value != usual[name] for name, value in told.items()) else {}


def meant_of(noun: type) -> dict[str, str]:
    """The meaning of each field of a dataclass: its attribute, or the sentence of the docstring that names it."""
    said = sentences(head(noun))
    found = {one.name: " ".join(part for part in said if f"`{one.name}`" in part) for one in fields(noun)}
    return {**found, **meanings(noun)}


def facts(noun: Any, spoken: Mapping[str, str] | None = None, without: tuple[str, ...] = ()) -> str:
    """The fields of a dataclass as a table: name, value, meaning (as its docstring says); what is not set is left out.

    Args:
        noun: an instance.
        spoken: values already in words, by field.
        without: fields told elsewhere.
    """
    spoken, meant = spoken or {}, meant_of(type(noun))
    held = {one.name: getattr(noun, one.name) for one in fields(noun) if one.name not in without}
    rows = [
        (f"`{name}`", spoken.get(name) or shown(name, value, meant.get(name, "")), code(meant.get(name, "")))
        for name, value in held.items()
        if value not in EMPTY
    ]
    if any(meaning for _, _, meaning in rows):
        return table(("setting", "value", "meaning"), rows)
    return table(("setting", "value"), [row[:2] for row in rows])
