"""The policy score as its module defines it, and which rules of a rulebook read policy backing."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from exchina.methodology.markdown import listed, prose, table, words
from exchina.methodology.rules import plugin_of
from exchina.model import Rule, Rulebook
from exchina.plugins import keyword_settings
from exchina.policy import BIND, CREDIT, SCORE_VERSION, SCORE_VERSIONS, score

READ = ("policy", "sponsor", "floor", "commitment", "backing")


def policy_score(book: Rulebook) -> str:
    """The formula, the factors, and which rules of this rulebook read policy backing."""
    rows = [
        (f"weights, version `{version}`{' (in use)' * (version == SCORE_VERSION)}", _factors(parts))
        for version, parts in SCORE_VERSIONS.items()
    ]
    rows += [("bind", _factors(BIND)), ("credit", _factors(CREDIT)), ("quality", _factors(score.CAPITAL_QUALITY))]
    lapsing = listed([words(name) for name in score.LAPSING])
    last = (
        f"{lapsing[:1].upper()}{lapsing[1:]} count as capital for {score.LAPSE_YEARS} years after they became known. A "
        "commitment counts from the day it was known, with its last known status, until it expires, is terminated, or "
        "its protection ends; what is learnt later changes no earlier score."
    )
    parts = [
        _use(book),
        prose((inspect.getdoc(score) or "").partition("\n\n")[2]),
        table(("factor", "values"), rows),
        last,
    ]
    return "\n\n".join(parts)


def _factors(held: Mapping[str, float]) -> str:
    return ", ".join(f"{words(name)} {value:g}" for name, value in held.items())


def _use(book: Rulebook) -> str:
    readers = [f"`{rule.kind}.{rule.name}`" for rule in book.rules if _reads(rule)]
    if not readers:
        return "No rule of this index reads policy backing; the score is shown beside each member for information."
    return f"Policy backing is read by {listed(readers)}."


def _reads(rule: Rule) -> bool:
    """Whether the name of a rule, or a setting that is in use, speaks of policy backing."""
    plugin = plugin_of(rule)
    usual = keyword_settings(plugin) if plugin else {}
    used = {
        key: value for key, value in rule.settings.items() if value is not None and value != usual.get(key, (0, 0))[1]
    }
    return any(word in said for said in [rule.name, *_names(used)] for word in READ)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, amount in value.items():
            yield str(key)
            yield from _names(amount)
    elif isinstance(value, list | tuple):
        for amount in value:
            yield from _names(amount)
    elif isinstance(value, str):
        yield value
