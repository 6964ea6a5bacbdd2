"""PURE. TOML text -> Rulebook, or every problem in it at once; Rulebook -> plain English."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Literal, TypeVar, cast, get_args

from exchina.calculation.conventions import expanded
from exchina.calculation.conventions import in_words as conventions_in_words
from exchina.calculation.derived_register import derived
from exchina.errors import Problem, RulebookError, did_you_mean
from exchina.model import CalculationRule, DerivedSeries, IndexFacts, ReturnVariant, ReviewRule, Rule, Rulebook, Trigger
from exchina.plugins import checked_as
from exchina.rules.capped import HOLD
from exchina.rules.registers import REGISTERS
from exchina.rules.review_presets import in_words
from exchina.rules.review_table import contradictions, opened, persistence

NAME = re.compile(r"[a-z][a-z0-9_]*")
RuleKind = Literal["screen", "select", "weight", "cap", "turnover"]
Checked = TypeVar("Checked")
TABLES = ("index", "review", "screen", "select", "weight", "cap", "turnover", "calculation", "series")
LADDER = "if_infeasible"


def parse_rulebook(text: str, where: str = "rulebook") -> Rulebook:
    """Read a rulebook; every rule needs a ``why``, every setting must be one that its rule has.

    Args:
        text: TOML.
        where: name of the file; problems start with it.

    Raises:
        RulebookError: with every fault in the file, each with its place and a cure.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulebookError(Problem(where, f"not valid TOML: {fault}")) from fault
    faults = _not_tables(tree)
    if faults:
        raise RulebookError(*(Problem(f"{where}: {p.where}", p.what, p.hint) for p in faults))
    problems = [
        Problem(table, f"no table called [{table}]", did_you_mean(table, TABLES))
        for table in tree
        if table not in TABLES
    ]
    index = _table(tree, "index", IndexFacts, problems)
    calls: tuple[Trigger, ...] = ()
    if isinstance(tree.get("review"), dict):
        tree["review"], calls, faults = opened(tree["review"])
        problems += faults
    review = _table(tree, "review", ReviewRule, problems)
    review = replace(review, on=calls) if review and calls else review
    if isinstance(tree.get("calculation"), dict):
        tree["calculation"], faults = expanded(tree["calculation"])
        problems += faults
    calculation = _table(tree, "calculation", CalculationRule, problems)
    rules = {kind: _rules(tree, kind, problems) for kind in get_args(RuleKind)}
    ladder = _ladder(tree, problems)
    if index and len(set(index.returns)) < len(index.returns):
        problems.append(Problem("index.returns", f"found {list(index.returns)}", "name each variant once"))
    series = _series(tree, index.returns if index else (), problems)
    problems += [*_one_each(tree), *_contradictions(review, rules), *_clashes(calculation, rules)]
    if problems or index is None or review is None or calculation is None:
        raise RulebookError(*(Problem(f"{where}: {p.where}", p.what, p.hint) for p in problems))
    return Rulebook(
        index=index,
        review=review,
        screens=rules["screen"],
        select=rules["select"][0],
        weight=rules["weight"][0],
        caps=rules["cap"],
        if_infeasible=ladder,
        calculation=calculation,
        series=series,
        turnover=rules["turnover"],
        text=text,
        content_hash=sha256(text.encode()).hexdigest(),
    )


def _not_tables(tree: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(name, f"found {tree[name]!r}", f"[{name}] is a table")
        for name in TABLES
        if name in tree and not isinstance(tree[name], dict)
    ]


def _table(tree: Mapping[str, Any], name: str, noun: type[Checked], problems: list[Problem]) -> Checked | None:
    if not isinstance(tree.get(name), dict):
        problems.append(Problem(name, f"the table [{name}] is missing", "every rulebook needs it"))
        return None
    made, faults = checked_as(noun, tree[name], name)
    problems += faults
    return made


def _rules(tree: Mapping[str, Any], kind: RuleKind, problems: list[Problem]) -> tuple[Rule, ...]:
    lines = cast("dict[str, Any]", tree.get(kind, {}))
    made = [_rule(kind, name, line, problems) for name, line in lines.items() if name != LADDER]
    return tuple(rule for rule in made if rule is not None)


def _rule(kind: RuleKind, name: str, line: Any, problems: list[Problem]) -> Rule | None:
    where = f"{kind}.{name}"
    if not isinstance(line, dict):
        problems.append(Problem(where, f"found {line!r}", f'write {name} = {{ settings, why = "..." }}'))
        return None
    settings: dict[str, Any] = {**line}
    why = settings.pop("why", None)
    if not isinstance(why, str) or not why.strip():
        problems.append(Problem(f"{where}.why", "every rule says why it is there", 'add why = "..."'))
    repeated = persistence(where, settings, problems) if kind == "screen" else {}
    checked, faults = REGISTERS[kind].checked_settings(where, name, settings)
    problems += faults
    return None if faults or not isinstance(why, str) else Rule(kind, name, checked, why, **repeated)


def _one_each(tree: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(kind, f"found {len(tree.get(kind, {}))} rules", f"[{kind}] holds exactly one rule")
        for kind in ("select", "weight")
        if len(tree.get(kind, {})) != 1
    ]


def _ladder(tree: Mapping[str, Any], problems: list[Problem]) -> tuple[str, ...]:
    steps = tree.get("cap", {}).get(LADDER, [])
    if not isinstance(steps, list):
        problems.append(Problem(f"cap.{LADDER}", f"found {steps!r}", f'write {LADDER} = ["{HOLD}"]'))
        return ()
    caps = [name for name in tree.get("cap", {}) if name != LADDER]
    bands, groups = (REGISTERS["cap"].having(trait) for trait in ("bands", "groups"))
    known = [*(f"raise_{name}_cap" for name in caps), *(f"widen_{name}_bands" for name in caps if name in bands)]
    known += [*(f"spill_{name}" for name in caps if name in groups), HOLD]
    problems += [
        Problem(f"cap.{LADDER}", f"no step called {step!r}", did_you_mean(str(step), known))
        for step in steps
        if step not in known
    ]
    return tuple(steps)


def _series(tree: Mapping[str, Any], returns: tuple[str, ...], problems: list[Problem]) -> tuple[DerivedSeries, ...]:
    made: list[DerivedSeries] = []
    for name, line in tree.get("series", {}).items():
        where = f"series.{name}"
        if not isinstance(line, dict):
            problems.append(Problem(where, f"found {line!r}", f'write {name} = {{ make, of, settings, why = "..." }}'))
            continue
        settings: dict[str, Any] = {**line}
        make, of, why = (settings.pop(key, None) for key in ("make", "of", "why"))
        if of not in returns:
            problems.append(Problem(f"{where}.of", f"found {of!r}", f"one of index.returns: {', '.join(returns)}"))
        if name in get_args(ReturnVariant) or not NAME.fullmatch(name):
            hint = "small letters, digits and underscores, such as hedged_eur"
            problems.append(Problem(where, "cannot be the name of a series", hint))
        if not isinstance(make, str):
            problems.append(Problem(f"{where}.make", f"found {make!r}", f"one of {', '.join(derived.all())}"))
            continue
        if not isinstance(why, str) or not why.strip():
            problems.append(Problem(f"{where}.why", "every series says why it is there", 'add why = "..."'))
        checked, faults = derived.checked_settings(where, make, settings)
        problems += faults
        made.append(DerivedSeries(name, cast("ReturnVariant", of), make, checked, str(why)))
    return tuple(made)


def _contradictions(review: ReviewRule | None, rules: Mapping[str, tuple[Rule, ...]]) -> list[Problem]:
    problems: list[Problem] = []
    if review:
        problems += contradictions(review, rules)
    issuer = next((rule for rule in rules["cap"] if rule.name == "issuer"), None)
    count = rules["select"][0].settings.get("count") if rules["select"] else None
    if issuer and count and issuer.settings["at_most"] * count < 1:
        carried = f"{issuer.settings['at_most']:g} x {count} = {issuer.settings['at_most'] * count:g} < 1"
        problems.append(Problem("cap.issuer.at_most", f"no basket can meet it: {carried}", f"at least {1 / count:.4f}"))
    return problems


def _clashes(calculation: CalculationRule | None, rules: Mapping[str, tuple[Rule, ...]]) -> list[Problem]:
    """Conventions that contradict each other or the rules."""
    problems: list[Problem] = []
    if calculation is None:
        return problems
    weights = [rule.name for rule in rules["weight"]]
    if calculation.family == "price_weighted" and (weights != ["price"] or rules["cap"]):
        hint = "write [weight] price and no caps, or choose another family"
        problems.append(Problem("calculation.family", "a price-weighted index holds one share of each line", hint))
    if calculation.family == "price_weighted" and (
        calculation.proceeds == "pro_rata" or calculation.special_dividend == "reinvest_in_payer"
    ):
        hint = 'write proceeds = "divisor" and another special_dividend'
        problems.append(Problem("calculation", "would change the one share of each line", hint))
    if calculation.family == "price_weighted" and rules["turnover"]:
        what = "a price-weighted index holds one share of each line, it cannot go part of the way"
        problems.append(Problem("turnover", what, "leave [turnover] out, or choose another family"))
    if calculation.correct_from_bp > calculation.restate_from_bp:
        what = f"{calculation.correct_from_bp:g} is above restate_from_bp, {calculation.restate_from_bp:g}"
        problems.append(Problem("calculation.correct_from_bp", what, "an error is corrected before it is restated"))
    return problems


def unknown_companies(book: Rulebook, known: Collection[str]) -> list[Problem]:
    """Companies that a cap names and the reference does not have: a bound on nobody would be no bound."""
    return [
        Problem(f"cap.group.groups.{name}.of", f"no company called {company!r}", did_you_mean(company, known))
        for cap in book.caps
        if cap.name == "group"
        for name, one in cap.settings["groups"].items()
        for company in one["of"]
        if company not in known
    ]


def in_english(book: Rulebook) -> str:
    """A rulebook as a person would read it aloud: what each rule does, with its settings, and why."""
    facts = book.index
    lines = [
        f"{facts.name} ({facts.id}, rules version {facts.version})",
        facts.objective,
        "",
        f"Levels in {facts.currency}, base {facts.base_value:g} on {facts.base_date}.",
        *in_words(book.review),
        "",
    ]
    lines += [f"{number}. {rule_in_english(rule)}" for number, rule in enumerate(book.rules, 1)]
    lines += ["", "If the caps cannot be met: " + (", then ".join(book.if_infeasible) or "stop") + "."]
    conventions = [f"{name} = {value}: {meaning}." for name, value, meaning in conventions_in_words(book.calculation)]
    made = [f"Series {one.name}: {one.make} of {one.of}, {_plain(one.settings)}. {one.why}" for one in book.series]
    return "\n".join([*lines, "", *conventions, *made])


def rule_in_english(rule: Rule) -> str:
    """One rule in words: kind, name, settings that are set, and its why."""
    settings = [f"{name} {_plain(value)}" for name, value in rule.settings.items() if value is not None]
    if rule.passes_to_enter > 1:
        settings.append(f"newcomers enter after {rule.passes_to_enter} passes in a row")
    if rule.fails_to_leave > 1:
        settings.append(f"members leave after {rule.fails_to_leave} failures in a row")
    return f"{rule.kind} {rule.name}: {', '.join(settings)}. {rule.why}".replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value)
    return f"{value:,.12g}" if isinstance(value, float) else str(value)
