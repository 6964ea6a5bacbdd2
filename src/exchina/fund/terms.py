"""What a fund is: the nouns of a fund file. Shares are fractions of 1, money is in the fund's currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field
from pydantic.dataclasses import dataclass as checked

from exchina.model import STRICT

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Sessions: TypeAlias = Annotated[int, Field(ge=0, le=260)]
Month: TypeAlias = Annotated[int, Field(ge=1, le=12)]
Money: TypeAlias = Annotated[float, Field(gt=0, le=1e12)]
Law: TypeAlias = Literal["us_1940_act", "ucits"]


@checked(frozen=True, config=STRICT)
class FundFacts:
    """What a fund is: the table ``[fund]``.

    Attributes:
        currency: of its shares and its accounts.
        launch: first session; the fund is seeded at its close.
        law: the regime it is run under.
        benchmark: the index variant that it says it tracks, converted to ``currency``.
        share_price: NAV of a share at launch.
        seed: net assets at launch.
        seeded: whether the seed comes as securities (free of cost) or as cash (the fund buys).
        listed_on: MIC of the market on which its shares trade; NAV is struck at its close.
        theme: rare-earth exposures whose issuers count as what the name of the fund says.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    name: Annotated[str, Field(min_length=1)]
    currency: Currency
    launch: date
    law: Law
    benchmark: Literal["GTR", "NTR"]
    share_price: Money = 25.0
    seed: Money = 5e6
    seeded: Literal["in_kind", "cash"] = "in_kind"
    listed_on: Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$")] = "XNYS"
    theme: tuple[Literal["pure", "quasi", "marginal"], ...] = ("pure", "quasi")


@checked(frozen=True, config=STRICT)
class Fee:
    """Total expense ratio: net assets after the flows of the session before x per_year x days / day count.

    It accrues each session and is paid at the last close of the month.
    """

    per_year: Annotated[float, Field(ge=0, le=0.05)]
    day_count: Literal["actual/365", "actual/360"] = "actual/365"


@checked(frozen=True, config=STRICT)
class Distribution:
    """What becomes of income (dividends after tax, lending and interest less the fee, never below zero).

    Attributes:
        policy: ``distributing`` pays the income account out, ``accumulating`` keeps it.
        months: the shares go ex on the last session of each.
        paid_after_sessions: from ex to payment.
        equalisation: whether who buys in pays the income accrued so far into the income account (and who sells is paid
            it), so that flows leave the distribution of each share as it was.
    """

    policy: Literal["distributing", "accumulating"]
    months: tuple[Month, ...] = ()
    paid_after_sessions: Sessions = 5
    equalisation: bool = False


@checked(frozen=True, config=STRICT)
class Withholding:
    """Tax on dividends, by rows of ``withholding.csv``.

    Attributes:
        profile: the rate that the fund bears in the end.
        relief: ``at_source`` that rate is withheld; ``reclaim`` the maximum is, and the difference is claimed back.
        reclaimed_after_days: calendar days until a claim is paid.
        recovered: share of a claim that is booked, and in the end paid.
    """

    profile: Literal["maximum", "treaty_us_ric", "treaty_ucits_ie", "treaty_ucits_lu"]
    relief: Literal["at_source", "reclaim"] = "at_source"
    reclaimed_after_days: Annotated[int, Field(ge=0, le=3650)] = 0
    recovered: Share = 1.0


@checked(frozen=True, config=STRICT)
class Lending:
    """Securities lending: equity x on_loan x rate x days / 360, of which the fund keeps a share. An assumption."""

    on_loan: Share = 0.0
    rate: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    fund_share: Share = 1.0


@checked(frozen=True, config=STRICT)
class Hedge:
    """One-month forwards that sell the foreign currency of the holdings at each month end.

    Attributes:
        ratio: share of the exposure sold; 0 for none.
        currencies: which; all foreign ones if empty.
    """

    ratio: Share = 0.0
    currencies: tuple[Currency, ...] = ()


@checked(frozen=True, config=STRICT)
class Cash:
    """Cash of the fund.

    Attributes:
        target: share of NAV kept as cash, distributions owed apart.
        band: cash further from the target than this is invested, or raised, at the close; a review brings it to target.
        earns: ``money_market`` (the rate of the fund's currency in the market) or ``nothing``.
    """

    target: Share = 0.0
    band: Share = 0.0
    earns: Literal["money_market", "nothing"] = "nothing"


@checked(frozen=True, config=STRICT)
class Dividends:
    """Dividends are booked ex and are receivable until they are paid."""

    paid_after_sessions: Sessions = 0


@checked(frozen=True, config=STRICT)
class Lots:
    """Trades are in whole lots, what comes in kind or by an action in whole shares; 0 allows fractions.

    Attributes:
        shares: of a lot, on every market that is not named.
        venues: of a lot by MIC.
    """

    shares: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    venues: Mapping[str, Annotated[int, Field(ge=1, le=1_000_000)]] = field(default_factory=dict)


@checked(frozen=True, config=STRICT)
class Creation:
    """How shares of the fund are made and redeemed.

    Attributes:
        unit_shares: shares of one creation unit; flows wait until they make up whole units.
        settled: ``in_kind``, a slice of the holdings, or ``cash``, which the fund invests.
        fee: fixed charge for an order, paid by who orders to the custodian; it does not pass through the fund.
        cash_only: MICs of markets whose shares cannot be handed over: cash stands in their place, and the fund deals in
            them at the same close, at its own cost.
    """

    unit_shares: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    settled: Literal["in_kind", "cash"] = "in_kind"
    fee: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    cash_only: tuple[str, ...] = ()


@checked(frozen=True, config=STRICT)
class Swing:
    """Swing pricing: net flows of more than ``over`` of NAV deal at NAV x (1 + factor), outflows at NAV x (1 - factor).

    The published NAV does not swing: returns are those of holders who stay.
    """

    over: Share = 1.0
    factor: Annotated[float, Field(ge=0, le=0.05)] = 0.0


@checked(frozen=True, config=STRICT)
class Costs:
    """What dealing costs the fund.

    Attributes:
        dealing: whether half spread, commission and tax of ``trading_costs.csv`` are paid.
        impact: Y of Y sigma sqrt(Q / ADV); 0 for none.
    """

    dealing: bool = True
    impact: Annotated[float, Field(ge=0, le=5)] = 0.7


@checked(frozen=True, config=STRICT)
class Execution:
    """When a review is traded: in equal parts at the closes from ``first`` to ``last``, index sessions after the
    effective close (below zero: before it); 0 and 0 trade all of it at the effective close."""

    first: Annotated[int, Field(ge=-20, le=20)] = 0
    last: Annotated[int, Field(ge=-20, le=20)] = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A method of a register with its settings and why it was chosen."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund, read and checked; ``why`` gives the reason of each line by its place, such as ``vehicle.fee``.

    A `Fund` made of `FundFacts` and a `Fee` of 0 alone is without friction: it holds the index in fractions of shares.
    """

    facts: FundFacts
    fee: Fee
    distribution: Distribution = field(default_factory=lambda: Distribution("accumulating"))
    withholding: Withholding | None = None
    lending: Lending = field(default_factory=Lending)
    hedge: Hedge = field(default_factory=Hedge)
    cash: Cash = field(default_factory=Cash)
    dividends: Dividends = field(default_factory=Dividends)
    lots: Lots = field(default_factory=Lots)
    creation: Creation = field(default_factory=Creation)
    swing: Swing = field(default_factory=Swing)
    costs: Costs = field(default_factory=lambda: Costs(dealing=False, impact=0.0))
    execution: Execution = field(default_factory=Execution)
    replication: Chosen = field(default_factory=lambda: Chosen("full"))
    flows: Chosen = field(default_factory=lambda: Chosen("none"))
    limits: tuple[Chosen, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    content_hash: str = ""
