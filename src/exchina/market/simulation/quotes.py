"""What a venue prints: closes on its ticks, and volumes."""

import numpy as np

from exchina.market.simulation.chance import Floats, stream

LIQUIDITY = {"OTCQ": 0.05, "OTCB": 0.2, "PINX": 0.2}
SECONDARY_LIQUIDITY = 0.25
US_TICKS = ((1.0, 0.0001), (np.inf, 0.01))
TICKS = {
    "XASX": ((0.1, 0.001), (2.0, 0.005), (np.inf, 0.01)),
    "XTSE": ((0.5, 0.005), (np.inf, 0.01)),
    "XTSX": ((0.5, 0.005), (np.inf, 0.01)),
    "XTKS": ((3000.0, 1.0), (5000.0, 5.0), (30000.0, 10.0), (50000.0, 50.0), (np.inf, 100.0)),
    "XKRX": ((2000.0, 1.0), (5000.0, 5.0), (20000.0, 10.0), (50000.0, 50.0), (200000.0, 100.0), (np.inf, 500.0)),
    "XLON": ((0.1, 0.0001), (1.0, 0.0005), (np.inf, 0.001)),
    "XBRU": ((10.0, 0.005), (50.0, 0.01), (np.inf, 0.02)),
}
SAME_TICKS = {"XKOS": "XKRX", "AIMX": "XLON"}


def closes_on_ticks(prices: Floats, mic: str) -> Floats:
    """Prices rounded to the price steps of a venue (US steps where it has none here), at least one step.

    Example:
        >>> closes_on_ticks(np.array([0.0912, 1.2337, 7.1234]), "XASX").tolist()
        [0.091, 1.235, 7.12]
    """
    bands = TICKS.get(SAME_TICKS.get(mic, mic), US_TICKS)
    limits, ticks = np.array(bands).T
    tick = ticks[np.searchsorted(limits[:-1], prices, side="right")]
    return np.round(np.maximum(np.round(prices / tick), 1) * tick, 6)


def volumes(value_usd: Floats, price_usd: Floats, turnover: Floats, surprise: Floats, *words: object) -> Floats:
    """Whole shares traded: lognormal around turnover times value, more on days of large moves.

    Args:
        value_usd: market value; shape (days,) like all arrays here.
        price_usd: of one share.
        turnover: fraction of the value that changes hands in a quiet session.
        surprise: absolute return in daily standard deviations.
        words: name the stream of randomness.
    """
    noise = stream(*words).standard_normal(len(value_usd))
    shares = turnover * np.exp(0.6 * noise - 0.18 + 0.35 * np.minimum(surprise, 6)) * value_usd / price_usd
    return np.maximum(np.round(shares), 1)
