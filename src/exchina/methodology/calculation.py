"""How levels are computed: return variants, conventions, corporate actions, derived series, corrections."""

from collections.abc import Mapping

from exchina.calculation.action_register import action, adjusted
from exchina.calculation.conventions import in_words
from exchina.calculation.derived_register import derived
from exchina.methodology.markdown import code, first_paragraph, head, table, words
from exchina.methodology.pointers import explained
from exchina.methodology.rules import block
from exchina.model import CalculationRule, ReturnVariant, Rulebook
from exchina.tables.actions import APPLIED, TERMS

RETURNS: Mapping[ReturnVariant, str] = {
    "PR": "price return: prices only; dividends are not reinvested",
    "NTR": "net total return: dividends are reinvested after withholding tax",
    "GTR": "gross total return: dividends are reinvested before tax",
    "LOCAL": "price return in the currencies of the shares, without their exchange rates",
}
SYMBOLS = (
    "P is the last close and P' the price adjusted for the event, s the factor on the company's shares, q and q' index "
    "shares before and after, A old and B new shares, X the exchange rate. One rule serves every event and every "
    "review: the divisor moves by value after / value before, so that the level does not jump."
)


def levels(rule: CalculationRule) -> str:
    """The conventions of the rulebook with their meaning."""
    rows = [(f"`{name}`", f"`{value}`", meaning) for name, value, meaning in in_words(rule)]
    first = (
        "The level is the value of the index shares at official closes, in the index currency, divided by the divisor. "
        "Levels are computed without rounding and rounded once, where they are published. Where index providers "
        "differ, this index does as follows."
    )
    return "\n\n".join([first, table(("convention", "choice", "meaning"), rows)])


def actions(rule: CalculationRule) -> str:
    """What each corporate action does to the lines of the index, under the conventions of the rulebook."""
    here = {name: f" Here: {meaning}." for name, _, meaning in in_words(rule)}
    shown = {name: first_paragraph(action[name]) for name in TERMS}
    rows = [(words(name), code(text) + here.get(name, "")) for name, text in shown.items()]
    notes = [note for name, text in shown.items() for note in explained(action[name], text, tuple(TERMS))]
    family = next((line for line in head(adjusted).splitlines() if line.strip().startswith(rule.family)), "")
    applied = f"Only events that are {' or '.join(APPLIED)} are applied, those of one day in the order of this table."
    follows = f"Where only P' and s are given, index shares of this index follow so:\n\n```text\n{family.strip()}\n```"
    grid = table(("event", "treatment"), rows)
    return "\n\n".join([f"{applied} {SYMBOLS}", follows, grid, "\n".join(dict.fromkeys(notes))])


def series(book: Rulebook) -> str:
    """Each derived series: from which variant, how, with which settings, and why."""
    made = [
        block(f"series.{one.name}", one.why, derived[one.make], one.settings, f"Kind `{one.make}`, made from {one.of}.")
        for one in book.series
    ]
    return "\n\n".join(made)


def corrections(rule: CalculationRule) -> str:
    """What happens when a published level turns out to be wrong."""
    rows = [
        (f"less than {rule.correct_from_bp:g}", "prospective", "the published level stands; later levels are right"),
        (
            f"{rule.correct_from_bp:g} to {rule.restate_from_bp:g}",
            "corrected",
            "right from the next session on, with notice; the published level stands",
        ),
        (
            f"more than {rule.restate_from_bp:g}, or another member would have been chosen",
            "restated",
            "published anew with notice; the old level stays retrievable, marked superseded",
        ),
    ]
    within = rule.restate_within_sessions
    age = (
        "Errors are restated however old they are."
        if within is None
        else f"An error older than {within} sessions is corrected, not restated."
    )
    last = f"{age} A correction is a new row of the ledger; no row is changed or removed."
    header = ("size of the error, basis points of the level", "decision", "what is done")
    return f"{table(header, rows)}\n\n{last}"
