"""Write docs/rules.md and docs/calculation.md from the code itself: `python docs/write_pages.py`."""

import inspect
from pathlib import Path

from exchina.calculation.action_register import action
from exchina.calculation.conventions import MEANINGS, NUMBERS, PRESETS
from exchina.calculation.derived_register import derived
from exchina.model import CalculationRule
from exchina.plugins import Plugin, keyword_settings
from exchina.rules.registers import REGISTERS
from exchina.tables.actions import TERMS

KINDS = {"screen": "Screens", "select": "Selections", "weight": "Weightings", "cap": "Caps"}


def rules_page() -> str:
    """Every rule by kind: what its docstring says and the settings of its signature."""
    parts = ["# The rules\n\nWritten from the code by `python docs/write_pages.py`; do not edit.\n"]
    for kind, title in KINDS.items():
        parts.append(f"## {title}: `[{kind}]`\n")
        parts += [_section(name, plugin) for name, plugin in REGISTERS[kind].all().items()]
    return "\n".join(parts)


def calculation_page() -> str:
    """Every convention with its choices, the presets, the corporate actions and the derived series."""
    parts = ["# The calculator\n\nWritten from the code by `python docs/write_pages.py`; do not edit.\n"]
    parts.append("## Conventions: `[calculation]`\n\nEach stands in the rulebook or has the default in bold.\n")
    parts += [_convention(name) for name in CalculationRule.__dataclass_fields__]
    parts.append(
        '## Presets\n\n`preset = "sp"` writes these out; what the rulebook says besides wins. They follow public '
        "descriptions of the providers' rules, not their full rulebooks.\n"
    )
    parts += [
        f"- `{name}`: {', '.join(f'{key} = `{value}`' for key, value in chosen.items())}"
        for name, chosen in PRESETS.items()
    ]
    parts.append("\n## Corporate actions\n\nIn the order in which those of one day are applied.\n")
    parts += [_action(name) for name in TERMS]
    parts.append("## Derived series: `[series]`\n")
    parts.append('`name = { make = "kind", of = "a return variant", settings, why = "..." }`\n')
    parts += [_section(name, plugin) for name, plugin in derived.all().items()]
    return "\n".join(parts)


def _convention(name: str) -> str:
    field = CalculationRule.__dataclass_fields__[name]
    default = field.default if not repr(field.default).startswith("<dataclasses._MISSING") else None
    if name in NUMBERS:
        return f"### `{name}`\n\n{NUMBERS[name].capitalize()}. Default: {'none' if default is None else default}.\n"
    rows = [
        f"| {'**' * (value == default)}`{value}`{'**' * (value == default)} | {meaning} |"
        for value, meaning in MEANINGS[name].items()
    ]
    return "\n".join([f"### `{name}`\n", "| choice | meaning |", "|---|---|", *rows, ""])


def _action(name: str) -> str:
    needs = ", ".join(f"`{term}`" for term in TERMS[name]) or "no terms"
    return f"### `{name}`\n\nNeeds {needs}. {(inspect.getdoc(action[name]) or '').partition('Example:')[0].strip()}\n"


def _section(name: str, plugin: Plugin) -> str:
    text = inspect.getdoc(plugin) or ""
    head, _, rest = text.partition("\nArgs:\n")
    described = _described(rest.partition("\nExample:")[0].partition("\nRaises:")[0])
    rows = [
        f"| `{setting}` | {'required' if default is ... else f'`{default}`'} | {described.get(setting, '')} |"
        for setting, (_, default) in keyword_settings(plugin).items()
    ]
    table = ["| setting | default | meaning |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join([f"### `{name}`\n", head.strip() + "\n", *table])


def _described(arguments: str) -> dict[str, str]:
    """Setting -> its description, continuation lines joined."""
    found: dict[str, str] = {}
    name = ""
    for line in arguments.splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            name, _, meaning = (part.strip() for part in line.partition(":"))
            found[name] = meaning
        elif name:
            found[name] += " " + line.strip()
    return found


if __name__ == "__main__":
    for name, page in {"rules": rules_page(), "calculation": calculation_page()}.items():
        Path(__file__).with_name(f"{name}.md").write_text(page, encoding="utf-8")
