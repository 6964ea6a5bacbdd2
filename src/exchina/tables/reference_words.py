"""The words that may stand in the reference tables and in rules, and the units of each metric of exposures."""

from typing import Literal, TypeAlias, get_args

Stage: TypeAlias = Literal[
    "explorer", "developer", "producer", "processor", "metal_alloy", "magnet_maker", "recycler", "holding/royalty"
]
Instrument: TypeAlias = Literal[
    "price_floor",
    "offtake",
    "equity",
    "loan",
    "loan_guarantee",
    "grant",
    "tax_credit",
    "warrants",
    "letter_of_interest",
]
Pillar: TypeAlias = Literal[
    "market_stability", "private_capital", "hubs_incentives", "alliance", "coordination", "talent_rnd"
]
SponsorKind: TypeAlias = Literal["government", "state_fund", "mixed_lenders", "private_buyer", "private_lender"]
FloorPayer: TypeAlias = Literal["government", "buyer"]
LiveStatus: TypeAlias = Literal["proposed", "letter_of_interest", "conditional", "signed", "closed", "drawn"]
Aspect: TypeAlias = Literal["domicile", "ownership", "operations", "revenue"]
Level: TypeAlias = Literal["none", "minor", "material"]
Exposure: TypeAlias = Literal["pure", "quasi", "marginal"]
CONFIDENCE = ("high", "medium", "low", "memory", "assumption")
WEAK = ("low", "memory", "assumption")
STAGES: tuple[Stage, ...] = get_args(Stage)
INSTRUMENTS: tuple[Instrument, ...] = get_args(Instrument)
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
LEVELS: tuple[Level, ...] = get_args(Level)
EXPOSURE_KINDS: tuple[Exposure, ...] = get_args(Exposure)
FINAL_STATUSES = ("terminated", "expired")
STATUSES = (*get_args(LiveStatus), *FINAL_STATUSES)
PILLARS: tuple[Pillar, ...] = get_args(Pillar)
SHOCK_KINDS = (
    "china_export_control",
    "china_quota",
    "china_embargo",
    "china_easing",
    "china_price_dumping",
    "western_price_floor",
    "western_offtake",
    "western_funding",
    "us_tariff",
    "trade_truce",
    "alliance",
    "stockpile",
    "legal_ruling",
    "supply_disruption",
)
ACTIONS = (
    "split",
    "consolidation",
    "special_dividend",
    "spinoff",
    "rights_issue",
    "merger_cash",
    "merger_stock",
    "delisting",
    "bankruptcy",
    "rename",
    "ipo",
)
UNITS = {
    "shares_outstanding": ("shares",),
    "free_float_factor": ("fraction",),
    "government_stake": ("fraction",),
    "largest_strategic_stake": ("fraction",),
    "revenue_share_rare_earth": ("fraction",),
    "revenue_share_ndpr": ("fraction",),
    "foreign_room": ("fraction",),
    "revenue_total": ("USD", "AUD", "CAD", "JPY", "EUR", "GBP", "KRW"),
    "programme_capex": ("USD", "AUD", "CAD", "JPY", "EUR", "GBP", "KRW"),
    "ndpr_tonnes_per_year": ("t/y",),
    "planned_ndpr_tonnes_per_year": ("t/y",),
    "heavy_ree_tonnes_per_year": ("t/y",),
    "planned_magnet_tonnes_per_year": ("t/y",),
    "all_in_cost_usd_per_kg": ("USD/kg",),
}
SPONSOR_KINDS: tuple[SponsorKind, ...] = get_args(SponsorKind)
FLOOR_PAYERS = (*get_args(FloorPayer), "none")
CREDIT_CLASSES = ("national_government", "state_government", "investment_grade", "other_private")
