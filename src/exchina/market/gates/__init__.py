"""Gates: what a row must pass before it enters a market. A row that a gate holds back goes to quarantine, and is kept.

One gate a file, found by this folder. A gate looks at a `exchina.market.gates.case.Case` and names the rows that it
holds back, what it found and what it needed. `passed` asks every gate, lets reviewed overrides speak, and divides a
delivery into what enters and what is held.
"""

from exchina.market.gates.case import Case, gate
from exchina.market.gates.passing import door, last_known, passed

__all__ = ["Case", "door", "gate", "last_known", "passed"]
