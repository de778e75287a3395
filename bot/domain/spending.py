"""What it takes to ask the tools: requests, and what their vendors bill for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

ASKED_EVERY = timedelta(minutes=15)
"""How often the tools are asked about coverage."""
FEW = 100
"""Components; with fewer, requests per 1,000 of them mislead: the first page costs as much as a full one."""
RUNS_A_MONTH = int(timedelta(days=30) / ASKED_EVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """So many `units` `of` something, at `price` USD for a thousand: list price, without free tiers and discounts."""

    of: str
    units: int
    price: Decimal

    @property
    def usd(self) -> Decimal:
        return self.units * self.price / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What it took to ask a tool: requests, about how many components, and what its vendor bills."""

    calls: int = 0
    components: int = 0
    billed: tuple[Billed, ...] = ()

    @property
    def per_thousand(self) -> float | None:
        """Requests per 1,000 components; None without any."""
        return 1000 * self.calls / self.components if self.components else None

    @property
    def usd(self) -> Decimal:
        return sum((each.usd for each in self.billed), Decimal(0))

    @property
    def usd_a_month(self) -> Decimal:
        """When every run costs as much."""
        return self.usd * RUNS_A_MONTH


def spending(spent: Spent, *, inventory: int) -> str:
    """In words, with the requests that an inventory takes, once an hour."""
    rate = f", {spent.per_thousand:,.1f} per 1,000 components" if spent.components >= FEW else ""
    hourly = f"; {inventory:,} an hour for the inventory" if inventory else ""
    cost = (
        f"; ${spent.usd:,.4f} a run, about ${spent.usd_a_month:,.2f} a month at list prices"
        if spent.billed
        else ""
    )
    requests = "1 request" if spent.calls == 1 else f"{spent.calls:,} requests"
    return f"{requests} a run{rate}{hourly}{cost}"


def together(every: Iterable[Spent]) -> Spent:
    """Several questions about the same components."""
    asked = list(every)
    return Spent(
        calls=sum(one.calls for one in asked),
        components=max((one.components for one in asked), default=0),
        billed=tuple(each for one in asked for each in one.billed),
    )
