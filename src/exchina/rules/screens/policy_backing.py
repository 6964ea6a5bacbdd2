"""Public support already known at the data cut-off."""

import polars as pl

from exchina.policy import BIND
from exchina.rules.registers import screen
from exchina.rules.verdict import verdict, words
from exchina.tables.reference_words import Instrument, LiveStatus


@screen("policy_backing")
def policy_backing(
    universe: pl.DataFrame, *, any_of: list[Instrument], bound_at_least: LiveStatus = "conditional"
) -> pl.DataFrame:
    """Keep companies that hold a commitment of one of the named kinds, at least as firm as stated.

    Args:
        universe: reads commitments (list of instrument, status, bind), those in force at the data cut-off.
        any_of: the instruments that count.
        bound_at_least: the weakest status that counts; a letter of interest is weaker than a condition, a condition
            weaker than a signature.

    Example:
        >>> held = [[{"instrument": "loan", "status": "signed", "bind": 0.8}], []]
        >>> policy_backing(pl.DataFrame({"commitments": held}), any_of=["loan"])["passed"].to_list()
        [True, False]
    """
    each = pl.element().struct
    firm = each.field("instrument").is_in(any_of) & (each.field("bind") >= BIND[bound_at_least])
    passed = pl.col("commitments").list.eval(firm).list.any()
    names = pl.col("commitments").list.eval(pl.format("{} ({})", each.field("instrument"), each.field("status")))
    needed = f"{bound_at_least} or firmer: " + ", ".join(any_of)
    return verdict(universe, passed, found=words(names).fill_null("no commitment"), needed=needed)
