"""Worked answers on backtest honesty: case id -> what answers it, inputs -> produced by the keys of ``expected``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from exchina.analytics.honesty.blocks import block_length
from exchina.analytics.honesty.bootstrap import bootstrap_intervals
from exchina.analytics.honesty.data_snooping import data_snooping
from exchina.analytics.honesty.overfitting import overfitting
from exchina.analytics.look_ahead import look_ahead
from tests.answers import honesty_costs, honesty_deflation, honesty_sharpe, honesty_stress
from tests.answers import honesty_simulations as simulations
from tests.answers.given import Given, given, watched
from tests.answers.honesty_deflation import matrix
from tests.answers.honesty_sharpe import year

Answer = dict[str, Any]
TESTED, COVERED = 80, 60  # samples of the slow parts; python -m tests.answers.honesty_simulations runs all


def cross_validation(inputs: Given) -> Answer:
    found = overfitting(matrix(inputs), blocks=given(inputs, "S", "blocks", "n_blocks", "splits", "n_splits"))
    for name in ("K", "T", "n_variants"):
        inputs.get(name)
    return {
        **dict.fromkeys(("pbo", "probability_of_backtest_overfitting"), found.pbo),
        **dict.fromkeys(("combinations", "n_combinations", "splits", "n_splits"), len(found.logits)),
        **dict.fromkeys(("prob_oos_loss", "share_oos_negative", "share_oos_loss"), found.loss),
        **dict.fromkeys(("degradation_slope_oos_on_is", "slope", "degradation_slope", "slope_oos_on_is"), found.slope),
        **dict.fromkeys(("intercept", "degradation_intercept"), found.intercept),
        **dict.fromkeys(("logits", "lambda"), found.logits.tolist()),
        **dict.fromkeys(("selected", "best"), found.selected.tolist()),
        "mean_is": found.mean_in_sample,
        "mean_oos": found.mean_out_of_sample,
        "mean_logit": float(found.logits.mean()),
        "median_logit": float(np.median(found.logits)),
    }


def best_of_many(inputs: Given) -> Answer:
    excess = np.array(inputs["excess_over_benchmark"], float).T
    found = data_snooping(excess, mean_block=inputs["mean_block"], indices=np.array(inputs["indices"]))
    return {
        "t_reality_check": found.t_reality_check,
        "t_spa": found.t_spa,
        "omega": found.omega.tolist(),
        "p_reality_check": found.p_reality_check,
        "p_spa_lower": found.p_spa_lower,
        "p_spa_consistent": found.p_spa_consistent,
        "p_spa_upper": found.p_spa_upper,
    }


METHODS = {
    "stationary": ("stationary", "sb", "stationary_bootstrap", "politis_white_stationary", "sb_block"),
    "circular": ("circular", "cb", "circular_bootstrap", "politis_white_circular", "cb_block"),
}


def blocks(inputs: Given) -> Answer:
    """Block lengths of one series, of the rows of a panel, or of every list of numbers, each under its name."""
    values = given(inputs, *SERIES, default=None)
    if isinstance(values, Given):
        return named_blocks(values)
    if values is None or (len(inputs) > 1 and sum(is_numbers(dict.get(inputs, key)) for key in inputs) > 1):
        return named_blocks(inputs)
    array = np.array(values, float)
    if array.ndim == 1:
        return lengths(array)
    rows = [lengths(one) for one in (array if array.shape[0] < array.shape[1] else array.T)]
    return {name: [one[name] for one in rows] for name in rows[0]} | {"results": rows}


SERIES = ("series", "returns", "x", "data", "values", "y", "sample")


def is_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, int | float) for one in value)


def named_blocks(inputs: Given) -> Answer:
    found = {name: lengths(np.array(inputs[name], float)) for name in inputs if is_numbers(dict.get(inputs, name))}
    if not found:
        raise AssertionError(f"no series among {', '.join(inputs)}")
    by_method = {key: {name: one[key] for name, one in found.items()} for key in next(iter(found.values()))}
    ended = {f"{key}_{name}": one[key] for name, one in found.items() for key in one}
    ended |= {f"{name}_{key}": one[key] for name, one in found.items() for key in one}
    return found | by_method | ended


def lengths(values: np.ndarray) -> Answer:
    found = block_length(values)
    return {
        spelling: float(getattr(found, method)[0])
        for method, names in METHODS.items()
        for name in names
        for spelling in (name, f"b_{name}", f"block_{name}", f"{name}_block", f"{name}_length", f"block_length_{name}")
    }


def intervals(inputs: Given) -> Answer:
    found = bootstrap_intervals(
        np.array(inputs["returns"], float),
        periods_per_year=year(inputs),
        level=inputs["level"],
        indices=np.array(inputs["indices"]),
    )
    return {
        "point": {name: one.point for name, one in found.figures.items()},
        "interval": {name: [one.low, one.high] for name, one in found.figures.items()},
    }


def top_two(scores: np.ndarray) -> np.ndarray:
    """Half each in the two best."""
    weights = np.zeros(scores.size)
    weights[np.argsort(-scores)[:2]] = 0.5
    return weights


def momentum(prices: np.ndarray, row: int, lag: int) -> np.ndarray:
    return prices[row - lag] / prices[row - lag - 5]


def volatility(prices: np.ndarray) -> np.ndarray:
    return np.diff(np.log(prices), axis=0).std(axis=0, ddof=1)


SCORES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "a_momentum_to_t_minus_1": lambda prices, row: momentum(prices, row, 1),
    "b_inverse_full_sample_volatility": lambda prices, row: 1 / volatility(prices),
    "c_momentum_over_full_sample_volatility": lambda prices, row: np.log(momentum(prices, row, 1)) / volatility(prices),
    "d_momentum_including_decision_day": lambda prices, row: momentum(prices, row, 0),
}


def decisions(name: str, prices: np.ndarray, rows: list[int]) -> dict[str, pl.DataFrame]:
    """Scores and weights of one of the four rules for each row of decision."""
    scores = np.array([SCORES[name](prices, row) for row in rows])
    weights = scores / scores.sum(axis=1, keepdims=True) if name[0] == "b" else np.array([*map(top_two, scores)])
    return {
        kind: pl.DataFrame(panel, orient="row").insert_column(0, pl.Series("row", rows))
        for kind, panel in (("scores", scores), ("weights", weights))
    }


def leaks(inputs: Given) -> Answer:
    prices, cutoff, rows = np.array(inputs["prices"]).T, inputs["first_perturbed_row"], inputs["rebalance_rows"]
    futures = [np.vstack([prices[:cutoff], np.array(after).T]) for after in inputs["perturbed_future_prices"]]
    answer = {}
    for name in SCORES:
        found = look_ahead(lambda p, name=name: decisions(name, p, rows), prices, futures, decided="row", until=cutoff)
        answer[name] = {
            "weights_before": decisions(name, prices, rows)["weights"].drop("row").rows(),
            "weights_changed": found.changed["weights"],
            "scores_changed": found.changed["scores"],
            "verdict": found.verdict,
        }
    return answer


def date_selection(inputs: Given) -> Answer:
    return simulations.date_selection(20_000)


def best_of_twenty(inputs: Given) -> Answer:
    samples = {"samples": 1000, "tested": TESTED}
    found: Answer = {name: simulations.selection(name, **samples, seed=20) for name in simulations.SETTINGS}
    rates = {"iid": 0.0, "ar1_0.2": 0.2}
    covered = {name: simulations.coverage(rho, samples=COVERED, seed=21) for name, rho in rates.items()}
    return found | {"coverage_of_95pct_interval_for_annual_sharpe_T504": covered}


ANSWERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "H01": watched(honesty_sharpe.sharpe),
    "H02": watched(honesty_sharpe.track_record),
    "H03": watched(honesty_sharpe.published_anchors),
    "H04": watched(honesty_deflation.deflation),
    "H05": watched(honesty_deflation.backtest_length),
    "H06": watched(cross_validation),
    "H07": watched(cross_validation),
    "H08": watched(best_of_many),
    "H09": watched(blocks),
    "H10": watched(intervals),
    "H11": watched(honesty_deflation.cut),
    "H14": watched(leaks),
    "H19": watched(date_selection),
    "H20": watched(best_of_twenty),
    **honesty_costs.ANSWERED,
    **honesty_stress.ANSWERED,
}
