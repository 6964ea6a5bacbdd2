"""From a price of NdPr to the market value of firms: the formulas of the stress worksheet, for n firms at once.

Money is in USD, prices in USD per kg, shares and shocks are fractions of 1 (a fall of 40 % is -0.4). What lies in time
is folded into one factor: a change d of yearly EBITDA that decays at the rate k is worth d x A to the owners today.
"""

import numpy as np

from exchina.analytics.stress.floor import Cover, FloatArray, Numbers, effective_price
from exchina.errors import DataError, Problem


def annuity_factor(*, tax: float, discount: float, decay: float, years: float) -> float:
    """A = (1 - tax) sum_{y=1..H} e^(-k y) / (1 + r)^y: what one dollar a year before tax is worth to the owners.

    Args:
        tax: rate of income tax, from 0 to 1.
        discount: r, yearly.
        decay: k, per year; 0 is a shock that stays for the whole horizon.
        years: H; of a part of a year, the same part of its term counts.

    Raises:
        DataError: a tax outside 0 to 1, a discount rate at or below -1, a negative decay, a horizon below 0.
    """
    if not (0 <= tax <= 1 and discount > -1 and decay >= 0 and years >= 0):
        what = f"tax {tax:g}, discount {discount:g}, decay {decay:g}, years {years:g}"
        raise DataError(Problem("annuity", what, "tax from 0 to 1, discount above -1, decay and years at least 0"))
    y = np.arange(1, int(np.ceil(years)) + 1)
    terms = np.exp(-decay * y) / (1 + discount) ** y
    return float((1 - tax) * np.sum(terms * np.minimum(1.0, years - y + 1)))


def ebitda(price: Numbers, volume_kg: Numbers, cost: Numbers, fixed_usd: Numbers, cover: Cover) -> FloatArray:
    """EBITDA of sellers: Q (P_eff(P) - c) - FC, USD a year."""
    return np.asarray(volume_kg, float) * (effective_price(price, cover) - np.asarray(cost, float)) - np.asarray(
        fixed_usd, float
    )


def seller_change(before: Numbers, after: Numbers, volume_kg: Numbers, cover: Cover, cover_after: Cover) -> FloatArray:
    """Change of a seller's EBITDA when the price moves and its terms may change: Q (P_eff(after) - P_eff(before)).

    Costs stay, so that none is needed. Exactly zero under a full floor above both prices (h = 1, u = 0).
    """
    return np.asarray(volume_kg, float) * (effective_price(after, cover_after) - effective_price(before, cover))


def operating_leverage(
    price: Numbers, volume_kg: Numbers, cost: Numbers, fixed_usd: Numbers, cover: Cover
) -> FloatArray:
    """Degree of operating leverage to the price: Q P (1 - k - h 1{P < F} - h u 1{P >= F}) / EBITDA(P).

    NaN where EBITDA is not positive: a percentage of nothing, or of a loss, has no meaning.
    """
    p, floor = np.asarray(price, float), np.asarray(cover.floor, float)
    h, u = np.asarray(cover.floored_share, float), np.asarray(cover.upside_share, float)
    open_share = 1 - np.asarray(cover.fixed_share, float) - h * np.where(p < floor, 1.0, u)
    earned = ebitda(price, volume_kg, cost, fixed_usd, cover)
    return np.asarray(volume_kg, float) * p * open_share / np.where(earned > 0, earned, np.nan)


def consumer_change(
    before: Numbers, after: Numbers, oxide_kg: Numbers, passthrough: Numbers, *, feed: Cover, feed_after: Cover
) -> FloatArray:
    """Change of a magnet maker's EBITDA: V q [l (P' - P) - (B(P') - B(P))], l the part its buyers take over.

    B is what it pays for feed: the market price, or the floor where it buys from a producer whose floor the buyer pays.
    At market feed this is -V q P x (1 - l). Buyers follow the market, not the floor: with feed wholly under a floor a
    fall of prices costs V q |dP| l, because rivals buy cheaper.

    Args:
        before: market price, USD per kg of oxide.
        after: market price after the shock.
        oxide_kg: V q, kilograms of oxide in a year's magnets.
        passthrough: l, from 0 to 1.
        feed: terms of its purchases before (floored_share: part of the feed bought under a floor).
        feed_after: terms after the shock.
    """
    price = np.asarray(after, float) - np.asarray(before, float)
    bought = effective_price(after, feed_after) - effective_price(before, feed)
    return np.asarray(oxide_kg, float) * (np.asarray(passthrough, float) * price - bought)


def stock_change(yearly_feed_usd: Numbers, price_change: Numbers, stock_days: Numbers) -> FloatArray:
    """What a metal or alloy maker loses, once, on the feed in stock: yearly feed x price change x days / 365."""
    return np.asarray(yearly_feed_usd, float) * np.asarray(price_change, float) * np.asarray(stock_days, float) / 365.0


def developer_shock(elasticity: Numbers, price_change: Numbers, persistence: Numbers = 1.0) -> FloatArray:
    """A project without EBITDA: elasticity of its net present value to the price x price change, not below -1.

    Args:
        elasticity: percent of project value per percent of a price change that stays.
        price_change: x.
        persistence: share of such a change that the owners feel: A at the shock's decay over A at no decay.
    """
    moved = np.asarray(elasticity, float) * np.asarray(price_change, float) * np.asarray(persistence, float)
    return np.maximum(-1.0, moved) + 0.0  # no minus zero


def equity_shock(change_usd: Numbers, factor: Numbers, market_cap_usd: Numbers) -> FloatArray:
    """max(-1, d A / market value): owners lose no more than all they have."""
    moved = np.asarray(change_usd, float) * np.asarray(factor, float) / np.asarray(market_cap_usd, float)
    return np.maximum(-1.0, moved) + 0.0  # no minus zero


def growth_value(
    added_kg: Numbers, margin: Numbers, capital_per_kg: float, *, tax: float, discount: float, years: int, life: int
) -> FloatArray:
    """Value today of volume added in equal yearly steps, each paid for when it is built.

        sum_{y=1..N} (added / N) / (1 + r)^y x [ (1 - tax) m a(L) - K ],  a(L) = sum_{j=1..L} (1 + r)^-j

    Args:
        added_kg: yearly kilograms added by the end of the N years.
        margin: m, USD per kg before tax.
        capital_per_kg: K, USD of capital per kilogram of yearly capacity.
        tax: rate of income tax.
        discount: r, yearly.
        years: N.
        life: L, years that capacity works.
    """
    worked = annuity_factor(tax=tax, discount=discount, decay=0.0, years=life)
    steps = annuity_factor(tax=0.0, discount=discount, decay=0.0, years=years) / years
    return np.asarray(added_kg, float) * steps * (np.asarray(margin, float) * worked - capital_per_kg)
