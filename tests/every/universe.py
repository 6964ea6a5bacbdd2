"""A made-up universe that any rule can read, and settings for any rule, found from its signature."""

import inspect
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from pydantic import create_model

from exchina.plugins import Plugin, keyword_settings
from exchina.policy import COMMITMENT

STAGES = ["developer", "producer", "processor", "metal_alloy", "magnet_maker"]


def universe(reviews: int, companies: int, seed: int) -> pl.DataFrame:
    """Rows as `exchina.universe.universe_on` makes them, for several reviews, with gaps where facts are unknown."""
    rng = np.random.default_rng(seed)
    count = reviews * companies
    stage = rng.choice(STAGES, count)
    cap = np.exp(rng.normal(19, 1.5, count))
    unknown = rng.random(count) < 0.2
    commitments = [
        [{"id": "L", "sponsor": "AU-EFA", "instrument": "loan", "status": "signed", "bind": 0.8}] if hit else None
        for hit in rng.random(count) < 0.5
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
            "commitments": pl.Series(commitments, dtype=pl.List(pl.Struct(COMMITMENT))),
            "market_cap_usd": [None if gone else 2 * float(one) for gone, one in zip(unknown, cap, strict=True)],
            "free_float_factor": rng.uniform(0.1, 1, count),
            **{part: rng.random(count).round(1) for part in ("floor_part", "offtake_part", "capital_part")},
            "daily_returns": [list(rng.normal(0, 0.02, 120 - 100 * (number % 3 == 0))) for number in range(count)],
            **_trades(reviews, companies, rng),
            **_links_to_china(rng, count),
            "mic": rng.choice(["XASX", "XNYS", "OTCQ"], count),
            "foreign_room": _some(rng, rng.random(count)),
            "revenue_share_rare_earth": _some(rng, rng.random(count)),
            "price_sessions": rng.integers(1, 600, count),
            "seasoned_on": [date(2025, 1, 1) + timedelta(days=int(gap)) for gap in rng.integers(0, 400, count)],
            "seasoned_months": _some(rng, rng.integers(0, 30, count)),
            "seasoned_sessions": _some(rng, rng.integers(0, 600, count)),
        }
    )


def _trades(reviews: int, companies: int, rng: np.random.Generator) -> dict[str, Any]:
    """What each company weighs and should weigh, and whether it has to go."""
    shape = (reviews, companies)
    held, wanted = (rng.random(shape) * (rng.random(shape) < likely) for likely in (0.6, 0.7))
    gone = (held > 0) & (wanted == 0) & (rng.random(shape) < 0.5)
    shares = {name: one / one.sum(axis=1, keepdims=True) for name, one in {"held": held, "wanted": wanted}.items()}
    return {name: one.ravel() for name, one in {**shares, "must_leave": gone}.items()}


def _some(rng: np.random.Generator, values: np.ndarray[Any, Any]) -> list[Any]:
    """The values with a gap where nothing is known."""
    return [None if rng.random() < 0.2 else value for value in values.tolist()]


def _links_to_china(rng: np.random.Generator, count: int) -> dict[str, list[Any]]:
    return {
        "china_domicile": _some(rng, rng.random(count) < 0.2),
        "china_ownership_share": _some(rng, rng.random(count)),
        "china_ownership_holder": _some(rng, rng.choice(["Shenghe", "a fund"], count)),
        "china_operations": _some(rng, rng.choice(["none", "minor", "material"], count)),
        **{
            f"china_{aspect}_evidence": _some(rng, np.array(["a report"] * count))
            for aspect in ("domicile", "ownership", "operations", "revenue")
        },
    }


def settings_for(plugin: Plugin) -> dict[str, Any]:
    """A valid value for each setting that has no default, read off its type."""
    schema = create_model("settings", **keyword_settings(plugin)).model_json_schema()
    defaults = {name for name, one in inspect.signature(plugin).parameters.items() if one.default is not one.empty}
    wanted = {name: one for name, one in schema.get("properties", {}).items() if name not in defaults}
    return {name: _example(one) for name, one in wanted.items()}


def _example(schema: Mapping[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][-1]
    kind = schema.get("type", "number")
    if kind == "array":
        items = schema["items"]
        return [_example(items)] if "enum" not in items else items["enum"]
    if kind == "object":
        return {name: _example(schema["additionalProperties"]) for name in schema["propertyNames"]["enum"]}
    return {"integer": 5, "number": schema.get("maximum", 1.0), "string": "CN"}[kind]
