"""What each choice of a convention means, and the choices that index providers are known for.

A rulebook may begin ``[calculation]`` with ``preset``; what it writes besides wins. The presets follow
public descriptions of the providers' rules, not their full rulebooks: they are a start for a desk that knows its own.
"""

from collections.abc import Mapping
from typing import Any

from exchina.errors import Problem, did_you_mean
from exchina.model import CalculationRule

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "family": {
        "market_cap": "index shares are shares x free float x capping factor, and follow the company's own count",
        "fixed_weight": "index shares are fixed at each review; a corporate action leaves the weight alone",
        "price_weighted": "one share of each line; the divisor takes every corporate action",
    },
    "price": {"official_close": "each line's official close, unadjusted"},
    "weights_set_at": {
        "effective_close": "weights hold exactly at the close after which the review takes effect",
        "cutoff_close": "index shares are set from prices of the data cut-off; weights have moved by the effective day",
    },
    "dividends": {
        "close_points": "dividend points are reinvested across the index at the close of the ex-date",
        "open_divisor": "dividends are reinvested across the index before the open of the ex-date",
        "into_payer": "dividends are reinvested in the share that pays them, before the open of the ex-date",
    },
    "dividend_fx": {
        "ex_date": "dividends are converted at the exchange rate of the ex-date",
        "prior_day": "dividends are converted at the exchange rate of the session before the ex-date",
    },
    "dividend_estimates": {
        "when_confirmed": "a dividend is booked when its amount is confirmed; estimates count for nothing",
        "estimate_then_correct": "an estimate is booked on the ex-date, the difference when the amount is confirmed",
    },
    "withholding": {
        "maximum": "net return after the highest withholding tax of the issuer's country, no treaty relief",
        "treaty_us_ric": "net return after the treaty rates of a US regulated investment company",
        "treaty_ucits_ie": "net return after the treaty rates of an Irish UCITS fund",
        "treaty_ucits_lu": "net return after the treaty rates of a Luxembourg UCITS fund",
    },
    "franking": {
        "unfranked_part": "the franked part of an Australian dividend bears no withholding tax",
        "full_rate": "withholding tax is taken on the whole dividend, franked or not",
    },
    "special_dividend": {
        "adjust_price_index": "a special dividend lowers the price and the divisor, so the price index does not fall",
        "adjust_price_index_net": "the same, by the dividend after tax",
        "adjust_if_large": "the same, but only from 5 % of the price; a smaller one goes to total return alone",
        "reinvest_in_payer": "a special dividend buys more shares of its payer",
        "total_return_only": "the price index shows the fall; total return reinvests it like an ordinary dividend",
    },
    "dilutive_rights": {
        "take_up": "rights are taken up, also when two or more new shares are offered for each one held",
        "sell_right": "rights to two or more new shares for each one held are sold, unless the issue is underwritten",
    },
    "spin_off": {
        "add_at_zero_then_remove": "the child enters at a price of zero and leaves after its first close",
        "add_at_zero_then_keep": "the child enters at a price of zero and stays until the next review",
        "when_issued": "the child enters at its when-issued price, taken off the parent's, and leaves after a close",
        "adjust_price": "the parent's price is lowered by the child's when-issued value; the child is not held",
        "market_price": "the child enters at its first close, so the index shows the fall of the parent",
    },
    "takeover": {
        "last_traded": "a target leaves at its last close",
        "deal_terms": "a target that no longer trades leaves at the value of the terms; the gain is booked first",
    },
    "proceeds": {
        "divisor": "the value of a line that leaves goes out through the divisor",
        "pro_rata": "the value of a line that leaves is spread over all others; the divisor stays",
    },
    "delisting": {
        "last_traded": "a delisted line leaves at its last close; one that is bankrupt and no longer trades at 1e-7",
        "last_traded_then_zero": "a delisted line leaves at its last close; if it had stopped trading before, at 1e-7",
    },
    "suspension": {"carry_last_price": "a line without a trade keeps its last close"},
    "share_changes": {
        "at_review": "share counts and floats are those of the review's data cut-off",
        "at_threshold": "share_change and float_change events from share_change_at_least on are followed at once",
    },
}

NUMBERS: Mapping[str, str] = {
    "suspension_clock_sessions": "a line without a close for so many index sessions leaves; 0: it stays",
    "takeover_accepted_at_least": "a target of whose shares less than this fraction is tendered stays in the index",
    "share_change_at_least": "a change of share count or float is followed at once from this fraction on",
    "reject_move_over": "a close that moves by more than this fraction is held back until the next confirms it",
    "delayed_if_stale_weight_over": "a level is marked delayed if more of the weight than this has no close of the day",
    "correct_from_bp": "an error of at least so many basis points is corrected from the next day, with notice",
    "restate_from_bp": "an error of more than so many basis points is restated, with notice",
    "restate_within_sessions": "only errors found within so many sessions are restated; none: whenever found",
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "sp": {
        "dividends": "close_points",
        "special_dividend": "adjust_price_index",
        "spin_off": "add_at_zero_then_remove",
        "takeover": "last_traded",
        "takeover_accepted_at_least": 0.90,
        "share_changes": "at_threshold",
        "share_change_at_least": 0.05,
        "weights_set_at": "cutoff_close",
    },
    "msci": {
        "dividends": "close_points",
        "special_dividend": "adjust_if_large",
        "spin_off": "when_issued",
        "takeover": "deal_terms",
        "share_changes": "at_threshold",
        "share_change_at_least": 0.05,
    },
    "ftse_russell": {
        "dividends": "close_points",
        "dividend_estimates": "estimate_then_correct",
        "special_dividend": "adjust_price_index",
        "spin_off": "when_issued",
        "takeover": "deal_terms",
        "takeover_accepted_at_least": 0.90,
        "share_changes": "at_threshold",
        "share_change_at_least": 0.05,
    },
    "stoxx": {
        "dividends": "open_divisor",
        "special_dividend": "adjust_price_index_net",
        "spin_off": "market_price",
        "dilutive_rights": "sell_right",
        "takeover": "deal_terms",
        "takeover_accepted_at_least": 0.85,
        "suspension_clock_sessions": 10,
        "share_changes": "at_threshold",
        "share_change_at_least": 0.10,
    },
    "nasdaq": {
        "dividends": "close_points",
        "dividend_fx": "prior_day",
        "dividend_estimates": "estimate_then_correct",
        "special_dividend": "adjust_price_index",
        "takeover": "last_traded",
        "delisting": "last_traded_then_zero",
        "suspension_clock_sessions": 40,
    },
    "solactive": {
        "dividends": "into_payer",
        "special_dividend": "reinvest_in_payer",
        "spin_off": "add_at_zero_then_remove",
        "takeover": "deal_terms",
        "proceeds": "pro_rata",
    },
    "djia": {
        "family": "price_weighted",
        "special_dividend": "adjust_price_index",
        "spin_off": "adjust_price",
    },
}


def expanded(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The ``[calculation]`` table with its preset written out; what the table says itself wins.

    Returns:
        The settings, and the problem of a preset that does not exist.
    """
    settings = {name: value for name, value in table.items() if name != "preset"}
    preset: object = table.get("preset")
    if preset is None:
        return settings, []
    if not isinstance(preset, str) or preset not in PRESETS:
        fault = Problem("calculation.preset", f"no preset called {preset!r}", did_you_mean(str(preset), PRESETS))
        return settings, [fault]
    return {**PRESETS[preset], **settings}, []


def in_words(rule: CalculationRule) -> list[tuple[str, str, str]]:
    """Each convention: its name, its value, and what that means."""
    words: list[tuple[str, str, str]] = []
    for name in CalculationRule.__dataclass_fields__:
        value = "none" if getattr(rule, name) is None else str(getattr(rule, name))
        words.append((name, value, MEANINGS[name][value] if name in MEANINGS else NUMBERS[name]))
    return words
