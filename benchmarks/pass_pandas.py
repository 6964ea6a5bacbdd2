"""The pass in plain pandas: a loop over the reviews, as one would write it for one index and no reasons given."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import Baskets, run, settings


def load(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    return settings(folder), pd.read_parquet(folder / "universe.parquet")


def work(inputs: tuple[dict[str, Any], pd.DataFrame]) -> Baskets:
    """The basket of each review; the weights of the one before say who is a member."""
    rules, universe = inputs
    baskets: Baskets = {}
    weights = pd.Series(dtype=float)
    for review, rows in universe.groupby("review", sort=True):
        table = rows.set_index("company_id")
        table["is_member"] = table.index.isin(weights.index)
        chosen = selected(screened(table, rules["screen"]), rules["select"]["top"])
        raw = chosen["free_float_market_cap_usd"] ** rules["weight"]["free_float_cap"]["power"]
        weights = capped(raw / raw.sum(), chosen["stage"], rules["cap"])
        baskets[str(pd.Timestamp(review).date())] = weights.to_dict()
    return baskets


def screened(table: pd.DataFrame, screens: dict[str, Any]) -> pd.DataFrame:
    """The companies that pass every screen."""
    table = table[table["close"].notna()]
    table = table[table["rare_earth_exposure"].isin(screens["rare_earth_exposure"]["any_of"])]
    table = table[table["stage"].isin(screens["supply_chain_stage"]["any_of"])]
    table = table[~table["country"].isin(screens["not_domiciled_in"]["countries"])]
    share = table["china_revenue_share"]
    table = table[share.isna() | (share <= screens["china_dependence"]["revenue_at_most"])]
    table = table[table["free_float_market_cap_usd"] >= bar(table, screens["free_float_market_cap"])]
    last = screens["daily_traded_value"]["median_of_sessions"]
    median = table["traded_values_usd"].map(lambda values: np.nanmedian(values[-last:]))
    return table[median >= bar(table, screens["daily_traded_value"])]


def bar(table: pd.DataFrame, rule: dict[str, Any]) -> np.ndarray:
    return np.where(table["is_member"], rule["members_at_least_usd"], rule["at_least_usd"])


def selected(table: pd.DataFrame, rule: dict[str, Any]) -> pd.DataFrame:
    """The largest, members first while they rank within the buffer."""
    order = table.sort_values(rule["by"], ascending=False)
    rank = np.arange(1, len(order) + 1)
    stays = order[order["is_member"] & (rank <= rule["keep_until_rank"])]
    others = order.drop(stays.index)
    return pd.concat([stays.head(rule["count"]), others.head(max(0, rule["count"] - len(stays)))])


def capped(weights: pd.Series, stage: pd.Series, caps: dict[str, Any]) -> pd.Series:
    """Exact for one bounded stage: where it would exceed its share, it and the rest are filled apart."""
    most = caps["issuer"]["at_most"]
    ((name, share),) = caps["stage"]["at_most"].items()
    filled = clipped(weights, most, 1.0)
    inside = stage == name
    if filled[inside].sum() <= share:
        return filled
    return pd.concat([clipped(weights[inside], most, share), clipped(weights[~inside], most, 1 - share)])


def clipped(weights: pd.Series, most: float, total: float) -> pd.Series:
    """Clip, hand the excess to the others in proportion, until nobody exceeds the bound."""
    at_bound = pd.Series(False, index=weights.index)
    while True:
        free = weights[~at_bound]
        filled = weights.where(at_bound, weights * (total - most * at_bound.sum()) / free.sum()).mask(at_bound, most)
        over = (filled > most) & ~at_bound
        if not over.any():
            return filled
        at_bound |= over


if __name__ == "__main__":
    run("pandas", f"pandas {version('pandas')}", load, work, lambda made: made)
