"""How numbers, days, stages and rules are written in a document. Rounding happens here and nowhere before."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from exchina.model import Rule

MISSING = "n/a"
MINUS = "\N{MINUS SIGN}"
SHARES = ("at_most", "participation", "share", "shares", "threshold")
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
RETURN_VARIANT: Mapping[str, str] = MappingProxyType(
    {
        "PR": "Price return; dividends are not reinvested",
        "NTR": "Net return; dividends are reinvested after withholding tax",
        "GTR": "Gross return; dividends are reinvested before tax",
        "LOCAL": "Price return in the currencies of the shares",
    }
)
STAGE: Mapping[str, str] = MappingProxyType(
    {
        "producer": "Producer",
        "processor": "Processor",
        "metal_alloy": "Metal and alloy",
        "magnet_maker": "Magnet maker",
        "recycler": "Recycler",
        "developer": "Developer",
        "explorer": "Explorer",
        "holding/royalty": "Holding, royalty",
    }
)
SPELLING: Mapping[str, str] = MappingProxyType(  # in the names of rules, where "cap" alone would read as a limit
    {"china": "China", "free float": "free-float", "market cap": "market value", "free-float cap": "free-float value"}
)
COUNTRY: Mapping[str, str] = MappingProxyType(
    {
        "AU": "Australia",
        "BE": "Belgium",
        "BR": "Brazil",
        "CA": "Canada",
        "CL": "Chile",
        "DE": "Germany",
        "EE": "Estonia",
        "FR": "France",
        "GB": "United Kingdom",
        "GG": "Guernsey",
        "IN": "India",
        "JP": "Japan",
        "KR": "South Korea",
        "LU": "Luxembourg",
        "MH": "Marshall Islands",
        "MY": "Malaysia",
        "NO": "Norway",
        "NZ": "New Zealand",
        "SE": "Sweden",
        "TW": "Taiwan",
        "US": "United States",
        "VG": "Virgin Islands (UK)",
        "VN": "Vietnam",
        "ZA": "South Africa",
    }
)


def number(value: float | None, decimals: int = 2, *, signed: bool = False) -> str:
    """A number with thousands separated, a true minus sign, no negative zero, and ``n/a`` where there is none."""
    if value is None:
        return MISSING
    shown = round(value, decimals) + 0.0
    return f"{shown:{'+' if signed and shown else ''},.{decimals}f}".replace("-", MINUS)


def percent(fraction: float | None, decimals: int = 1, *, signed: bool = False) -> str:
    """A fraction of 1 as per cent: 0.1234 is 12.3%."""
    return MISSING if fraction is None else number(100 * fraction, decimals, signed=signed) + "%"


def day(when: date | None) -> str:
    """A day as 18 Sep 2026, whatever the language of the machine."""
    return MISSING if when is None else f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def weekday(when: date) -> str:
    """The day of the week, in full."""
    return WEEKDAYS[when.weekday()]


def month(when: date) -> str:
    """A month as Sep 2026."""
    return f"{MONTHS[when.month - 1]} {when.year}"


def listed(words: list[str]) -> str:
    """Words as a person lists them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 company, 2 companies."""
    plural = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{count} {noun if count == 1 else plural}"


def stage(key: str) -> str:
    """A stage as written; one that is not in the list is shown as it stands in the data."""
    return STAGE.get(key, key)


def country(code: str) -> str:
    """A country by its two-letter code; one that is not in the list keeps its code."""
    return COUNTRY.get(code, code)


def capitalised(words: str) -> str:
    """Words as a sentence begins; what stands in capitals further on stays so."""
    return words[:1].upper() + words[1:]


def rule_words(name: str) -> str:
    """The name of a rule inside a sentence: ``china_dependence`` is China dependence."""
    words = name.replace("_", " ")
    for written, meant in SPELLING.items():
        words = words.replace(written, meant)
    return words


def rule_settings(rule: Rule) -> str:
    """The settings of a rule in one line: ``fund USD 25m, sessions 10, participation 20%``."""
    return ", ".join(_setting(key, value) for key, value in rule.settings.items() if value is not None)


def _setting(key: str, value: Any) -> str:
    name = _name(key)
    if isinstance(value, Mapping) and all(isinstance(part, Mapping) for part in value.values()):
        return ", ".join(f"{name} {rule_words(part)}{_bracketed(amount)}" for part, amount in value.items())
    if isinstance(value, Mapping):
        return ", ".join(f"{_name(part)} {_setting(key, amount)}" for part, amount in value.items())
    if isinstance(value, list | tuple):
        parts = [_bracketed(part) if isinstance(part, Mapping) else f" {part}".replace("_", " ") for part in value]
        return name + ",".join(parts)
    return f"{name} {_amount(key, value)}"


def _bracketed(settings: Mapping[str, Any]) -> str:
    """The settings of a scheme within a scheme."""
    said = ", ".join(_setting(key, value) for key, value in settings.items() if value is not None)
    return f" ({said})" if said else ""


def _name(key: str) -> str:
    return COUNTRY.get(key) or STAGE.get(key, key.removesuffix("_usd").replace("_", " ")).lower()


def _amount(key: str, value: Any) -> str:
    if isinstance(value, float | int) and key.endswith("_usd"):
        return f"USD {value / 1e6:g}m" if value >= 1e6 else f"USD {value / 1e3:g}k"
    if isinstance(value, float) and (key in STAGE or key.endswith(SHARES)):
        return f"{100 * value:g}%"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
