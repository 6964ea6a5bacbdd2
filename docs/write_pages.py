"""Write docs/rules.md, docs/calculation.md and docs/methodology/ from the code itself: `python docs/write_pages.py`."""

from pathlib import Path

from exchina.calculation.action_register import action
from exchina.calculation.conventions import MEANINGS, NUMBERS, PRESETS
from exchina.calculation.derived_register import derived
from exchina.methodology import methodology_page
from exchina.methodology.markdown import code, head, meanings, prose
from exchina.model import CalculationRule
from exchina.plugins import Plugin, keyword_settings
from exchina.rulebook import parse_rulebook
from exchina.rules.registers import REGISTERS, trigger
from exchina.tables.actions import TERMS

TITLES = {"select": "Selections", "turnover": "Turnover control", "review.on": "Events that call a review"}
INDICES = Path(__file__).resolve().parents[1] / "indices"


def methodology_pages() -> dict[str, str]:
    """Index id -> its methodology page, for every rulebook of the folder indices."""
    return {
        path.parent.name: methodology_page(parse_rulebook(path.read_text(encoding="utf-8"), str(path)))
        for path in sorted(INDICES.glob("*/rulebook.toml"))
    }


def rules_page() -> str:
    """Every rule by kind: what its docstring says and the settings of its signature."""
    parts = ["# The rules\n\nWritten from the code by `python docs/write_pages.py`; do not edit.\n"]
    for kind, register in {**REGISTERS, "review.on": trigger}.items():
        parts.append(f"## {TITLES.get(kind, f'{register.kind.capitalize()}s')}: `[{kind}]`\n")
        parts += [_section(name, plugin) for name, plugin in register.all().items()]
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
    return f"### `{name}`\n\nNeeds {needs}. {prose(head(action[name]))}\n"


def _section(name: str, plugin: Plugin) -> str:
    described = meanings(plugin)
    rows = [
        f"| `{setting}` | {'required' if default is ... else f'`{default}`'} | {code(described.get(setting, ''))} |"
        for setting, (_, default) in keyword_settings(plugin).items()
    ]
    table = ["| setting | default | meaning |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join([f"### `{name}`\n", prose(head(plugin)) + "\n", *table])


if __name__ == "__main__":
    made = {"rules": rules_page(), "calculation": calculation_page()}
    made |= {f"methodology/{index_id}": page for index_id, page in methodology_pages().items()}
    for name, page in made.items():
        place = Path(__file__).parent / f"{name}.md"
        place.parent.mkdir(exist_ok=True)
        place.write_text(page, encoding="utf-8")
