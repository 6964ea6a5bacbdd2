"""Write docs/rules.md from the rules themselves: `python docs/write_rules.py`."""

import inspect
from pathlib import Path

from exchina.plugins import Plugin, keyword_settings
from exchina.rules.registers import REGISTERS

KINDS = {"screen": "Screens", "select": "Selections", "weight": "Weightings", "cap": "Caps"}


def rules_page() -> str:
    """Every rule by kind: what its docstring says and the settings of its signature."""
    parts = ["# The rules\n\nWritten from the code by `python docs/write_rules.py`; do not edit.\n"]
    for kind, title in KINDS.items():
        parts.append(f"## {title}: `[{kind}]`\n")
        parts += [_section(name, plugin) for name, plugin in REGISTERS[kind].all().items()]
    return "\n".join(parts)


def _section(name: str, plugin: Plugin) -> str:
    text = inspect.getdoc(plugin) or ""
    head, _, rest = text.partition("\nArgs:\n")
    described = _described(rest.partition("\nExample:")[0])
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
    Path(__file__).with_name("rules.md").write_text(rules_page(), encoding="utf-8")
