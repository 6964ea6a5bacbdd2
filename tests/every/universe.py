"""A made-up universe that any rule can read, and settings for any rule, found from its signature."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from pydantic import create_model

from exchina.plugins import Plugin, keyword_settings

STAGES = ["developer", "producer", "processor", "metal_alloy", "magnet_maker"]


def universe(reviews: int, companies: int, seed: int) -> pl.DataFrame:
    """Rows as `exchina.universe.universe_on` makes them, for several reviews, with gaps where facts are unknown."""
    rng = np.random.default_rng(seed)
    count = reviews * companies
    stage = rng.choice(STAGES, count)
    cap = np.exp(rng.normal(19, 1.5, count))
    unknown = rng.random(count) < 0.2
    commitments = [
        [{"instrument": "loan", "status": "signed", "bind": 0.8}] if hit else None for hit in rng.random(count) < 0.5
    ]
    return pl.DataFrame(
        {
            "review": np.repeat(np.arange(reviews), companies),
            "company_id": [f"company-{number:02d}" for number in range(companies)] * reviews,
            "symbol": [f"C{number}" for number in range(companies)] * reviews,
            "country": rng.choice(["AU", "US", "CN"], count),
            "stage": stage,
            "stages": [[one] for one in stage],
            "rare_earth_exposure": rng.choice(["pure", "quasi", "marginal"], count),
            "close_usd": rng.uniform(0.05, 200, count),
            "free_float_market_cap_usd": cap,
            "float_basis": rng.choice(["reported", "assumed"], count),
            "traded_values_usd": [list(np.exp(rng.normal(13, 1, 80))) for _ in range(count)],
            "china_revenue_share": [
                None if gone else float(share) for gone, share in zip(unknown, rng.random(count), strict=True)
            ],
            "policy_score": rng.random(count).round(1),
            "lead_sponsor": [None if gone else "Japan" for gone in unknown],
            "is_member": rng.random(count) < 0.5,
            "commitments": commitments,
        }
    )


def settings_for(plugin: Plugin) -> dict[str, Any]:
    """A valid value for each setting that has no default, read off its type."""
    schema = create_model("settings", **keyword_settings(plugin)).model_json_schema()
    defaults = {name for name, one in inspect.signature(plugin).parameters.items() if one.default is not one.empty}
    wanted = {name: one for name, one in schema.get("properties", {}).items() if name not in defaults}
    return {name: _example(one) for name, one in wanted.items()}


def _example(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][-1]
    kind = schema.get("type", "number")
    if kind == "array":
        items = schema["items"]
        return [_example(items)] if "enum" not in items else items["enum"]
    if kind == "object":
        return {name: _example(schema["additionalProperties"]) for name in schema["propertyNames"]["enum"]}
    return {"integer": 5, "number": schema.get("maximum", 1.0), "string": "CN"}[kind]
