"""How quarantine and a second opinion look in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exchina import terminal

if TYPE_CHECKING:
    import polars as pl

OPEN = ("held", "noted")
COLUMNS = ("status", "since", "table", "symbol", "day", "field", "value", "gate", "found", "needed")
DECIDED = ("reason", "author")


def show_quarantine(entries: "pl.DataFrame", market: str, rows: int, *, everything: bool, json_wanted: bool) -> None:
    """Print the entries of quarantine, the newest first; what was decided only if everything is asked for."""
    shown = entries if everything else entries.filter(entries["status"].is_in(OPEN))
    if json_wanted:
        terminal.as_json({"market": market, "quarantine": shown.to_dicts()})
        return
    columns = [*COLUMNS, *DECIDED] if everything else list(COLUMNS)
    listed = [{name: row[name] for name in columns} for row in shown.rename({"known_date": "since"}).to_dicts()]
    terminal.table(listed[:rows], f"quarantine of market {market}")
    counts = entries["status"].value_counts(sort=True).rows()
    left = f"; {shown.height - rows:,} more not shown, --rows lists more" if shown.height > rows else ""
    terminal.say((", ".join(f"{count:,} {status}" for status, count in counts) or "nothing was ever held") + left)
    if "held" in shown["status"]:
        terminal.say("To decide on a row, add one to indices/reference/market_overrides.csv: release or drop, and why.")


def show_differences(
    found: "pl.DataFrame", said: Sequence[str], market: str, against: str, rows: int, *, json_wanted: bool
) -> None:
    """Print where two markets differ, the largest effect on an index first."""
    if json_wanted:
        names = {"market": market, "against": against, "remarks": list(said)}
        terminal.as_json({**names, "differences": found.to_dicts()})
        return
    for sentence in said:
        terminal.say(sentence)
    listed = [
        {
            "table": row["table"],
            "symbol": row["symbol"],
            "day": row["day"],
            market: row["one"],
            against: row["other"],
            "difference %": terminal.percent(row["relative"], signed=True),
            "index": row["index"],
            "weight %": terminal.percent(row["weight"]),
            "effect bp": None if row["effect_bp"] is None else f"{row['effect_bp']:,.2f}",
        }
        for row in found.head(rows).to_dicts()
    ]
    terminal.table(listed, f"{market} against {against}")
    left = f"; {found.height - rows:,} more not shown, --rows lists more" if found.height > rows else ""
    terminal.say(f"{found.height:,} rows differ{left}")
