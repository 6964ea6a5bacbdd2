"""Caps, and each step that had to be taken to meet them."""

from exchina.reporting import section
from exchina.reporting.document import Block, Disclosure
from exchina.reporting.parts import Parts
from exchina.reporting.wording import listed, rule_settings, rule_words


@section("remarks")
def remarks(parts: Parts) -> list[Block]:
    """The caps in force, and the remarks of the review in its own words.

    Args:
        parts: reads the rulebook and the basket's steps.
    """
    basket = parts.composition
    caps = listed([f"{rule_words(rule)} ({rule_settings(rule)})" for rule in basket.book.caps])
    steps = " ".join(step.rstrip(".") + "." for step in basket.steps)
    items = (
        ("Caps.", f"In force: {caps}." if caps else "None."),
        ("Steps taken.", steps or "None; every bound was met."),
    )
    return [Disclosure(items, place="full")]
