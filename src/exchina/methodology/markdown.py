"""Docstrings and values as Markdown."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

HEADINGS = re.compile(r"^(Args|Attributes|Returns|Raises|Example):$", re.MULTILINE)
ENTRY = re.compile(r" {4}(\w+(?:, \w+)*): *(.*)")
RULED = re.compile(r" {4}|==+")
FORMULA = re.compile(r"[A-Za-z]\w{0,2}(?:_\w+)?'? (?:=|<=|>=) ")
ASIDE = re.compile(r" \(`(?:exchina\.[\w.]+|[A-Z_]+)`\)")
POINTED = re.compile(r"`(?:exchina(?:\.\w+)*|rule)\.(\w+)`")
FRACTION = re.compile(r"\bfraction\b|\bshares? of\b")
SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z`])|(?<=;)\s+")


def head(documented: object) -> str:
    """What a docstring says before its first section."""
    return HEADINGS.split(inspect.getdoc(documented) or "")[0].strip()


def meanings(documented: object) -> dict[str, str]:
    """Argument or attribute -> what the docstring says of it, continuation lines joined."""
    pieces = HEADINGS.split(inspect.getdoc(documented) or "")
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (sections.get("Args", "") + "\n" + sections.get("Attributes", "")).splitlines():
        if entry := ENTRY.fullmatch(line):
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
    return found


def prose(text: str) -> str:
    """A docstring's paragraphs, with formulas and tables set apart as they stand."""
    return "\n\n".join(map(_paragraph, re.split(r"\n\s*\n", text.strip("\n"))))


def _paragraph(text: str) -> str:
    if not is_apart(text):
        return code(" ".join(text.split()))
    lines = [line for line in inspect.cleandoc(text).replace("``", "").splitlines() if set(line) - {"=", " "}]
    return "\n".join(["```text", *lines, "```"])


def is_apart(text: str) -> bool:
    """Whether a paragraph is a formula or a table: indented, ruled off, or a formula that is no sentence."""
    return bool(RULED.match(text) or (FORMULA.match(text) and text.rstrip()[-1] not in ".:"))


def code(text: str) -> str:
    """Text with the code marks of Markdown in place of those of docstrings, without paths into the code."""
    return POINTED.sub(r"`\1`", ASIDE.sub("", text).replace("``", "`"))


def first_paragraph(documented: object) -> str:
    """The first paragraph of a docstring as it stands."""
    return head(documented).partition("\n\n")[0]


def sentences(text: str) -> list[str]:
    """The sentences and clauses of a docstring, each in one line; formulas set apart are none."""
    parts = [part for part in re.split(r"\n\s*\n", text.strip("\n")) if not is_apart(part)]
    return [sentence for part in parts for sentence in SENTENCE.split(code(" ".join(part.split())))]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the empty string where there are no rows."""
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *lines]) if lines else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def words(name: str) -> str:
    """A name of the code inside a sentence: ``free_float_cap`` is free float cap."""
    return name.replace("_", " ").replace("china", "China")


def title(name: str) -> str:
    """A name of the code as a heading begins."""
    text = words(name)
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str]) -> str:
    """Words as a person lists them: a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def shown(key: str, value: Any, meaning: str = "") -> str:
    """A setting's value: money with its currency, a fraction also in per cent, a word of the code in code marks.

    Args:
        key: name of the setting; one that ends in ``_usd`` is money.
        value: as read from the rulebook.
        meaning: what the setting's docstring says.
    """
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        value = {name: part for name, part in held.items() if part is not None}
    if isinstance(value, Mapping):
        return "; ".join(_entry(str(part), amount, meaning) for part, amount in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(key, part, meaning) for part in value) or "none"
    if isinstance(value, str):
        return f"`{value}`" if re.fullmatch(r"[\w/.-]+", value) else value
    if isinstance(value, bool) or value is None:
        return {None: "none", True: "yes", False: "no"}[value]
    return _number(key, value, meaning) if isinstance(value, int | float) else str(value)


def _entry(part: str, amount: Any, meaning: str) -> str:
    inner = shown(part, amount, meaning)
    return f"`{part}` ({inner})" if isinstance(amount, Mapping) and amount else f"`{part}` {inner}"


def _number(key: str, value: float, meaning: str) -> str:
    plain = f"{value:,.12g}"
    if key.endswith("_usd"):
        return f"USD {plain}"
    if isinstance(value, float) and 0 <= value <= 1 and FRACTION.search(meaning):
        return f"{plain} ({100 * value:.6g}%)"
    return plain
