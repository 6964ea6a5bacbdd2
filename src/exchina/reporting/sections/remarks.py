"""Caps, and each step that had to be taken to meet them."""

from exchina.reporting import section
from exchina.reporting.document import Block, Disclosure
from exchina.reporting.parts import Parts, steps_taken
from exchina.reporting.wording import listed, rule_settings, rule_words


@section("remarks")
def remarks(parts: Parts) -> list[Block]:
    """The caps in force, and the remarks of the review in its own words.

    Args:
        parts: reads the rulebook and the basket's steps.
    """
    basket = parts.composition
    caps = listed([f"{rule_words(rule.name)} ({rule_settings(rule)})" for rule in basket.book.caps])
    items = (
        ("Caps.", f"In force: {caps}." if caps else "None."),
        ("Steps taken.", steps_taken(basket) or "None; every bound was met."),
    )
    return [Disclosure(items, place="full")]
