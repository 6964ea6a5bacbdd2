"""The rules of a rulebook in order: what each does, its settings with their meaning, and why it is there."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from exchina.methodology.markdown import code, head, listed, meanings, prose, sentences, shown, title, words
from exchina.methodology.pointers import explained
from exchina.methodology.settings import EMPTY, beside, facts, settings_of
from exchina.model import Rule, Rulebook
from exchina.plugins import Plugin, keyword_settings
from exchina.rules.registers import REGISTERS
from exchina.rules.solving import ladder as relaxing
from exchina.rules.solving.ladder import HOLD

APART = "```"
UNKNOWN = "unknown"
SCHEMES = ("within", "scheme")
STEP = re.compile(r"^ {4}(\S+) {2,}(.+)$", re.MULTILINE)


def plugin_of(rule: Rule) -> Plugin | None:
    """The function behind a rule; None for a kind that has no register."""
    register = REGISTERS.get(rule.kind)
    return register[rule.name] if register else None


def rule_block(rule: Rule) -> str:
    """One rule: heading, the reason that its designer gave, what its docstring says, its settings."""
    return block(f"{rule.kind}.{rule.name}", rule.why, plugin_of(rule), {**rule.settings, **beside(rule)})


def block(place: str, why: str, plugin: Plugin | None, held: Mapping[str, Any], remark: str = "") -> str:
    """What one line of a rulebook does, with the meaning of its settings, and of each weighting that it calls.

    Args:
        place: where it stands, such as ``cap.issuer``.
        why: as the rulebook says.
        plugin: the function behind it; its docstring explains line and settings.
        held: the settings, unset ones as None.
        remark: what else is to be said under the heading.
    """
    first, *rest = _body(plugin, held)
    said = f"{first}\n\n" if first.startswith(APART) else f"{first} "
    parts = [f"### {title(place.rpartition('.')[2])}: `{place}`", remark, f"{said}*Why: {why}*".strip(), *rest]
    for name, settings in _schemes(held):
        parts += [f"#### Within it: `{name}`", *_body(REGISTERS["weight"][name], settings)]
    return "\n\n".join(part for part in parts if part)


def _body(plugin: Plugin | None, held: Mapping[str, Any]) -> list[str]:
    """First paragraph, the other ones, what they point to, settings."""
    if plugin is None:
        return ["", *settings_of(plugin, held)]
    first, _, rest = prose(head(plugin)).partition("\n\n")
    return [first, rest, "\n".join(explained(plugin, head(plugin))), *settings_of(plugin, held)]


def _schemes(held: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each weighting that a setting calls, with its settings; one in another comes after it."""
    if isinstance(held, list | tuple):
        for one in held:
            yield from _schemes(one)
    for key, value in held.items() if isinstance(held, Mapping) else ():
        if key in SCHEMES and value:
            name, given = (value, {}) if isinstance(value, str) else next(iter(value.items()))
            usual = {key: default for key, (_, default) in keyword_settings(REGISTERS["weight"][name]).items()}
            whole = {**{key: default for key, default in usual.items() if default is not ...}, **given}
            yield name, whole
            yield from _schemes(whole)
        else:
            yield from _schemes(value)


def ladder(book: Rulebook) -> str:
    """What happens where the caps cannot all be met, step by step, as the module of the ladder says."""
    if not book.if_infeasible:
        return "Where no weights meet every cap, the review stops with an error; nothing is relaxed."
    told = inspect.getdoc(relaxing) or ""
    lines = [f"{place}. `{step}`: {_step(step, told)}." for place, step in enumerate(book.if_infeasible, 1)]
    last = "" if HOLD in book.if_infeasible else "What no step makes possible stops with an error."
    first = (
        "Where no weights meet every cap, these steps are taken in this order, only as far as needed, and each is "
        f"published with its number. {' '.join(sentences(told)[1:])} {last}"
    )
    return f"{first.strip()}\n\n" + "\n".join(lines)


def _step(step: str, told: str) -> str:
    for name, said in STEP.findall(told):
        if found := re.fullmatch(name.replace("<cap>", "(.+)"), step):
            return said.replace("a cap", f"the {words(found[1])} cap") if found.groups() else said
    return words(step)


def other_tables(book: Rulebook, told: frozenset[str]) -> list[tuple[str, str]]:
    """Heading and text of each part of a rulebook that no chapter of its own tells, where the rulebook uses it."""
    rest = {field.name: getattr(book, field.name) for field in fields(book) if field.name not in told}
    return [(title(name), _part(name, value)) for name, value in rest.items() if value not in EMPTY]


def _part(name: str, value: Any) -> str:
    """Any part of a rulebook: rules as rules, a table of settings as a table, a plain value as it is."""
    held = value if isinstance(value, list | tuple) else [value]
    rules = [one for one in held if isinstance(one, Rule)]
    if rules:
        return "\n\n".join(map(rule_block, rules))
    return facts(value) if is_dataclass(value) else f"`{name}`: {shown(name, value)}."


def unknowns(book: Rulebook) -> str:
    """What each rule makes of a fact that nobody knows, as a list."""
    strict = [f"`{rule.name}`" for rule in book.screens if not any(UNKNOWN in key for key in rule.settings)]
    lines = [f"- `{rule.kind}.{rule.name}`: {said}" for rule in book.rules if (said := _unknown(rule))]
    last = f"- A company of which nothing is known that the screen reads does not pass {listed(strict)}."
    return "\n".join([*lines, *([last] if strict else [])])


def _unknown(rule: Rule) -> str:
    plugin = plugin_of(rule)
    if plugin is None:
        return ""
    meant = meanings(plugin)
    set_here = [key for key, value in rule.settings.items() if UNKNOWN in key and value is not None]
    told = [f"`{key}` is {shown(key, rule.settings[key])}: {code(meant.get(key, ''))}" for key in set_here]
    return " ".join([*(one for one in sentences(head(plugin)) if re.search(r"unknown|not known", one)), *told])
