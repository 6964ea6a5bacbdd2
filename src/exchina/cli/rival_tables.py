"""How listed rivals are shown beside the funds of an index."""

from typing import TYPE_CHECKING, Any

from exchina import terminal

if TYPE_CHECKING:
    import polars as pl

    from exchina.workflow.rivals import Rivals

LAWS = {"us_1940_act": "US", "ucits": "UCITS"}
NO_PRICES = "Of the prices of listed rivals this market has none: bring them in as benchmarks, under their symbol."


def show_rivals(found: "Rivals") -> None:
    """What rivals publish, and what their prices did where there are any."""
    rows = [
        {
            "ticker": row["ticker"],
            "name": row["name"],
            "law": LAWS[row["law"]],
            "fee %": terminal.percent(row["fee"]),
            "as of": row["fee_as_of"],
            "China": row["china"],
            "holdings": row["holdings"],
            "since": row["since"],
            "index": "none: active" if row["replication"] == "active" else row["index_name"],
            "confidence": row["confidence"],
        }
        for row in found.terms.to_dicts()
    ]
    terminal.table(rows, "listed rivals, published terms (listed_funds.csv; a blank is not known)")
    if found.prices.is_empty():
        terminal.say(NO_PRICES)
        return
    first, last = (found.prices[name][0] for name in ("from", "to"))
    priced = [
        {
            "": row["kind"],
            "name": row["name"],
            "return %": terminal.percent(row["return"], signed=True),
            "tracking error %": terminal.percent(row["tracking_error"]),
            "note": row["note"],
        }
        for row in found.prices.to_dicts()
    ]
    terminal.table(priced, f"in this market, {first} to {last}: the life of the youngest fund")
    for note in found.notes:
        terminal.say(f"{note[0].upper()}{note[1:]}.")


def plain_rivals(found: "Rivals") -> dict[str, Any]:
    """Rivals as plain data."""
    return {"terms": found.terms.to_dicts(), "prices": found.prices.to_dicts(), "notes": found.notes}


def rival_files(found: "Rivals") -> "dict[str, pl.DataFrame]":
    """What ``--out`` writes of rivals."""
    return {"rivals": found.terms} | ({} if found.prices.is_empty() else {"rival_prices": found.prices})
