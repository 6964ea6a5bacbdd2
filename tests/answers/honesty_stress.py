"""Worked answers on stress: case id -> what answers it, inputs -> produced by the keys of ``expected``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from exchina.analytics.stress import cash_flow
from exchina.analytics.stress.floor import NO_COVER, Cover, floor_payment, floor_value
from exchina.analytics.stress.replay import replayed, with_proxies
from tests.answers.compare import Either
from tests.answers.given import Given, columns, given, watched
from tests.answers.honesty_propagation import passing

Answer = dict[str, Any]
FLOOR = ("F", "floor", "strike", "floor_price", "floor_usd_per_kg", "K")
FORWARD = ("forward", "forwards", "forward_curve", "P", "P0", "forward_price", "forward_usd_per_kg", "forward_prices")
KILOGRAMS = (
    *("volume_kg_per_quarter", "quarterly_volume_kg", "Q", "volume", "volumes", "kg_per_quarter", "quantity", "Q_kg"),
    *(
        "quantities",
        "quarterly_kg",
        "Q_per_quarter",
        "Q_kg_per_quarter",
        "volume_kg",
        "quantity_kg",
        "quantity_per_quarter",
    ),
    *("volume_per_quarter", "quarterly_volume", "quantity_kg_per_quarter", "Q_quarter", "Q_per_quarter_kg", "Qt"),
)
TONNES = (
    "volume_t_per_quarter",
    "tonnes_per_quarter",
    "t_per_quarter",
    "quarterly_volume_t",
    "quarterly_tonnes",
    "Q_tonnes",
)
SHARE = (
    "u",
    "upside_share",
    "shared_upside",
    "upside",
    "share",
    "share_above_floor",
    "government_share",
    "upside_shared",
)
START = (
    *("upside_from_years", "upside_start", "u_start", "start", "upside_start_years", "upside_from", "u_from_years"),
    *("share_start", "share_start_years", "u_start_years", "upside_start_year", "share_from_years", "call_start_years"),
    *("upside_after_years", "start_years", "u_from", "u_after_years", "upside_from_year", "share_from", "call_start"),
)
RATE = ("rate", "r", "discount", "risk_free", "risk_free_rate", "discount_rate", "rf", "interest_rate", "interest")
YEARS = ("years", "term_years", "horizon_years", "T", "term", "maturity_years", "n_years", "tenor_years")
VOLATILITY = ("volatility", "vol", "sigma", "annual_volatility", "vol_annual", "volatility_annual", "sigma_annual")
REPEAL = ("yearly_repeal", "repeal_probability", "default_probability", "annual_repeal_probability", "yearly_default")


def floor(inputs: Given) -> Answer:
    """H15: the floor as a strip of puts less the upside given up; payments at the end of each quarter."""
    per_year = int(given(inputs, "payments_per_year", "periods_per_year", "quarters_per_year", "frequency", default=4))
    dates, forward, volume = payments(inputs, per_year)
    level, share = float(given(inputs, *FLOOR)), float(given(inputs, *SHARE, default=0))
    found = floor_value(
        np.broadcast_to(forward, dates.shape),
        np.broadcast_to(volume, dates.shape),
        dates,
        floor=level,
        volatility=float(given(inputs, *VOLATILITY)),
        rate=float(given(inputs, *RATE)),
        upside_share=share,
        upside_from_years=float(given(inputs, *START, default=0)),
        yearly_repeal=float(given(inputs, *REPEAL, default=0)),
    )
    values = {
        **in_dollars(("puts", "put", "put_strip", "puts_strip", "put_leg", "value_of_puts"), found.puts),
        **in_dollars(
            ("calls", "call", "calls_given_up", "call_given_up", "call_strip", "call_leg", "upside_given_up"),
            Either(found.calls_given_up, -found.calls_given_up),
        ),
        **in_dollars(("intrinsic", "puts_intrinsic", "put_intrinsic", "intrinsic_puts"), found.intrinsic),
        **in_dollars(("", "total", "net", "floor", "floor_net", "contract"), found.value),
        **in_dollars(("after_repeal", "expected"), found.after_repeal),
        **in_dollars(("time", "puts_time", "put_time"), found.puts - found.intrinsic),
        **dict.fromkeys(("payments", "n_payments", "quarters", "n_quarters", "periods"), dates.size),
    }
    prices = given(inputs, "prices", "spot_prices", "P_grid", "price_grid", default=None)
    if prices is not None:
        paid = floor_payment(prices, level, share).tolist()
        values |= {"payoff": paid, "payments": Either(dates.size, paid), "payoffs": paid, "payment_per_kg": paid}
    return values


def payments(inputs: Given, per_year: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Years to each payment, forward prices and kilograms."""
    forward = np.array(given(inputs, *FORWARD), float)
    kilograms = given(inputs, *KILOGRAMS, default=None)
    volume = np.array(given(inputs, *TONNES), float) * 1000 if kilograms is None else np.array(kilograms, float)
    years = given(inputs, *YEARS, default=None)
    count = given(inputs, "quarters", "n_quarters", "n_payments", "payments", "n_periods", default=None)
    known = max(forward.size, volume.size)
    count = count or (
        round(years * per_year) if isinstance(years, int | float) else known if known > 1 else 10 * per_year
    )
    at = given(inputs, "times", "times_years", "t", "t_years", "payment_times", "payment_dates_years", default=None)
    at = years if at is None and isinstance(years, list) else at
    return np.array((np.arange(count) + 1) / per_year if at is None else at, float), forward, volume


def in_dollars(names: tuple[str, ...], value: Any) -> Answer:
    """A value under every name that it may have; each also with the unit, in dollars and in billions."""
    spelled = {one.strip("_") for name in names for one in (name, f"{name}_value", f"value_{name}", f"value_of_{name}")}
    billions = Either(*(one / 1e9 for one in value)) if isinstance(value, Either) else value / 1e9
    units = {"": value, "_usd": value, "_bn": billions, "_usd_bn": billions, "_bn_usd": billions}
    return {f"{name}{unit}": one for name in spelled if name for unit, one in units.items()}


def stages(inputs: Given) -> Answer:
    """H16: every firm's worksheet, and the index with the measures and without."""
    start, end = inputs["P0"], inputs["P0"] * (1 + inputs["shock"])
    factor = cash_flow.annuity_factor(
        tax=inputs["tax"], discount=inputs["discount"], decay=inputs["decay_per_year"], years=inputs["horizon_years"]
    )
    firms = [(consumer if one["kind"] == "consumer" else producer)(one, start, end, factor) for one in inputs["firms"]]
    both = [[firm[key] for firm in firms] for key in ("equity_shock", "equity_shock_without_floor_or_offtake")]
    index, without = (float(np.dot(inputs["weights"], shocks)) for shocks in both)
    return {
        "annuity_factor": factor,
        "firms": firms,
        "index_shock": index,
        "index_shock_without_policy": without,
        "dampener": index - without,
    }


def producer(firm: Given, start: float, end: float, factor: float) -> Answer:
    cover = Cover(firm["k"], firm["Pfix"], firm["h"], firm["F"], firm["u"])
    sells = firm["Q"], firm["cost"], firm["fixed"]
    change = cash_flow.seller_change(start, end, firm["Q"], cover, cover)
    bare = cash_flow.seller_change(start, end, firm["Q"], NO_COVER, NO_COVER)
    return {
        "id": firm["id"],
        "ebitda_before": float(cash_flow.ebitda(start, *sells, cover)),
        "ebitda_after": float(cash_flow.ebitda(end, *sells, cover)),
        "delta_ebitda": float(change),
        "degree_of_operating_leverage": float(cash_flow.operating_leverage(start, *sells, cover)),
        "equity_shock": float(cash_flow.equity_shock(change, factor, firm["mcap"])),
        "equity_shock_without_floor_or_offtake": float(cash_flow.equity_shock(bare, factor, firm["mcap"])),
    }


def consumer(firm: Given, start: float, end: float, factor: float) -> Answer:
    oxide = firm["V"] * firm["q"]
    change = cash_flow.consumer_change(start, end, oxide, firm["lam"], feed=NO_COVER, feed_after=NO_COVER)
    shock = float(cash_flow.equity_shock(change, factor, firm["mcap"]))
    return {
        "id": firm["id"],
        "ebitda_before": None,
        "ebitda_after": None,
        "delta_ebitda": float(change),
        "degree_of_operating_leverage": None,
        "equity_shock": shock,
        "equity_shock_without_floor_or_offtake": shock,
    }


WEIGHTS = ("weights", "w", "weight")
BETAS = ("betas", "beta", "beta_to_stage", "betas_to_stage", "stage_beta", "stage_betas")
STAGES = ("stages", "stage")
OWN = (
    *("returns", "own_returns", "event_returns", "event_return", "return", "own_return", "raw", "raw_returns"),
    *("raw_return", "window_return", "window_returns", "returns_in_window", "return_in_window", "r", "moves", "move"),
    *("event_window_return", "abnormal_returns", "abnormal_return", "abnormal"),
)
IDS = ("ids", "id", "names", "name", "symbols", "symbol", "tickers", "ticker", "securities", "security")


def past(inputs: Given) -> Answer:
    """H17: an event on today's weights; raw and abnormal returns each, where a case gives both."""
    table = columns(inputs)
    kinds = [(kind, [name for name in OWN if kind in name and name in table]) for kind in ("raw", "abnormal")]
    stated = [(kind, names[0]) for kind, names in kinds if names]
    if len(stated) < 2:
        return one_replay(table, OWN)
    answer: Answer = {}
    for kind, name in stated:
        found = one_replay(table, (name,))
        answer |= {f"{key}_{kind}": value for key, value in found.items()}
        answer |= {f"{kind}_{key}": value for key, value in found.items()} | {kind: found}
    return answer


def one_replay(table: Given, own_names: tuple[str, ...]) -> Answer:
    ids = given(table, *IDS, default=None)
    own, weights, betas = (numbers_of(given(table, *names), ids) for names in (own_names, WEIGHTS, BETAS))
    stage = np.array(in_id_order(given(table, *STAGES), ids))
    medians = {str(one): median(own[stage == one]) for one in dict.fromkeys(stage.tolist())}
    known = given(table, "stage_medians", "stage_median", "medians", "median", default=None)
    of_name = [medians[str(one)] for one in stage] if known is None else known
    of_name = [known[str(one)] for one in stage] if isinstance(known, dict) else of_name
    found, proxied = with_proxies(own, betas, np.array(of_name, float))
    index, by_proxy, missing = replayed(found, proxied, weights)
    limit = given(table, "limit", "max_proxied", "refuse_above", "max_proxied_weight", "proxy_limit", default=0.5)
    assert limit == 0.5, "the product refuses above half"
    names = list(ids) if isinstance(ids, list) else [str(place) for place in range(own.size)]
    places = np.flatnonzero(proxied).tolist()
    refused = index is None
    index_names = (
        *(
            "index_return",
            "replay_return",
            "portfolio_return",
            "index_shock",
            "replay",
            "index",
            "portfolio",
            "replayed",
        ),
        *("index_replay", "replay_index", "index_move", "result", "weighted_return"),
    )
    listed = [None if np.isnan(one) else float(one) for one in found]
    return {
        **dict.fromkeys(index_names, index),
        **dict.fromkeys(
            ("proxied_weight", "proxy_weight", "weight_proxied", "weight_by_proxy", "weight_of_proxies"), by_proxy
        ),
        **dict.fromkeys(
            (
                "returns",
                "name_returns",
                "used_returns",
                "returns_used",
                "used",
                "by_name",
                "return_used",
                "name_shocks",
            ),
            Either(listed, dict(zip(names, listed, strict=True))),
        ),
        **dict.fromkeys(
            ("proxied", "proxies", "is_proxy", "proxied_names", "marked", "proxied_ids"),
            Either(
                proxied.tolist(),
                [names[one] for one in places],
                places,
                dict(zip(names, proxied.tolist(), strict=True)),
            ),
        ),
        **dict.fromkeys(("refused", "refuse"), refused),
        **dict.fromkeys(("stage_medians", "stage_median", "medians"), Either(medians, list(medians.values()))),
        "contributions": [w * (r or 0) for w, r in zip(weights, listed, strict=True)],
        "proxy_returns": [listed[one] for one in places],
        **dict.fromkeys(("missing_weight", "weight_missing"), missing),
        "names": [{"id": n, "return": r, "proxied": bool(p)} for n, r, p in zip(names, listed, proxied, strict=True)],
    }


def median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def in_id_order(values: Any, ids: Any) -> list[Any]:
    """A column, given as a list or under the ids."""
    if isinstance(values, dict):
        return [values[one] for one in (ids if isinstance(ids, list) else values)]
    return list(values)


def numbers_of(values: Any, ids: Any) -> np.ndarray:
    return np.array(in_id_order(values, ids), float)


ANSWERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "H15": watched(floor),
    "H16": watched(stages),
    "H17": watched(past),
    "H18": watched(passing),
}
