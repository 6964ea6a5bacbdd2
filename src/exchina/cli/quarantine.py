"""How quarantine and a second opinion look in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exchina import terminal

if TYPE_CHECKING:
    import polars as pl

OPEN = ("held", "noted")
ALIKE = ("status", "known_date", "table", "symbol", "gate", "reason", "author")


def show_quarantine(entries: "pl.DataFrame", market: str, rows: int, *, everything: bool, json_wanted: bool) -> None:
    """Print the entries of quarantine, the newest first, those of one line and gate together; as JSON one by one."""
    shown = entries if everything else entries.filter(entries["status"].is_in(OPEN))
    if json_wanted:
        terminal.as_json({"market": market, "quarantine": shown.to_dicts()})
        return
    listed = [_line(part, everything=everything) for part in shown.partition_by(*ALIKE, maintain_order=True)]
    terminal.table(listed[:rows], f"quarantine of market {market}")
    counts = entries["status"].value_counts(sort=True).rows()
    left = f"; {len(listed) - rows:,} more lines, --rows shows more" if len(listed) > rows else ""
    terminal.say((", ".join(f"{count:,} {status}" for status, count in counts) or "nothing was ever held") + left)
    if "held" in shown["status"]:
        terminal.say("To decide on a row, add one to indices/reference/market_overrides.csv: release or drop, and why.")


def _line(part: "pl.DataFrame", *, everything: bool) -> dict[str, object]:
    """Entries of one line, gate and status: the days that they span, how many they are, what the newest says."""
    newest = part.row(0, named=True)
    days = {str(part["day"].min()), str(part["day"].max())}
    shown = {
        "status": newest["status"],
        "since": newest["known_date"],
        "table": newest["table"],
        "symbol": newest["symbol"],
        "day": " to ".join(sorted(days)),
        "rows": part.height,
        "gate": newest["gate"],
        "found": newest["found"],
        "needed": newest["needed"],
    }
    return shown | ({"reason": newest["reason"], "author": newest["author"]} if everything else {})


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
            f"in {market}": _number(row["one"]),
            f"in {against}": _number(row["other"]),
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


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
