"""Every rule of the index with the reason that its designers gave."""

from exchina.model import Rule
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Table
from exchina.reporting.parts import Parts
from exchina.reporting.wording import capitalised, rule_settings, rule_words

STEP = {"screen": "Screen", "select": "Select", "weight": "Weight", "cap": "Cap", "turnover": "Turnover"}


@section("rules")
def rules(parts: Parts) -> list[Block]:
    """The rules in the order in which they are applied; in a document for all readers only.

    Args:
        parts: reads the rulebook and the audience.
    """
    if parts.audience != "retail":
        return []
    rows = tuple((STEP[rule.kind], capitalised(rule_words(rule.name)), _words(rule)) for rule in parts.book.rules)
    columns = (Column("Step"), Column("Rule"), Column("Settings and why", wide=True))
    return [
        Heading("The rules and their reasons", note="in the order in which they are applied"),
        Table(columns, rows, "Each rule of the index and the reason for it"),
    ]


def _words(rule: Rule) -> str:
    settings = rule_settings(rule)
    return f"{capitalised(settings)}. {rule.why}" if settings else rule.why
