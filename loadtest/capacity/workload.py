"""What is ordered while capacity is measured: the buyers of a scenario, on a stock that they cannot sell out. Pure."""

import msgspec
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from loadtest.load_plan import Arrivals, LoadPlan
from loadtest.scenarios import Scenario
from loadtest.scenarios.document import Catalogue
from loadtest.scenarios.goods import Goods
from loadtest.scenarios.kinds import plan_of

AMPLE_UNITS = 100_000_000
"""Of each SKU at each warehouse: more than a run can order."""
TIMEOUT_S = 5.0


class Workload(Struct, frozen=True, kw_only=True):
    """Everything about a point's plan but its rate and length."""

    scenario: Scenario
    goods: Goods
    url: str
    id_prefix: str
    connections: int
    threads: int
    key: str | None = None
    signing_secret: str | None = None

    @property
    def orders_per_request(self) -> float:
        """Of a bulk body its lines; what is done to an order that is there is none."""
        kinds = self._plan(0, self.id_prefix).kinds
        orders = sum(one.weight * (one.bulk_lines or 1) for one in kinds if one.accepted is None)
        return orders / sum(one.weight for one in kinds)

    @property
    def ends_holds(self) -> bool:
        """Whether what orders hold may end by itself, in the middle of an audit."""
        return any(buyers.pays != "at_once" for buyers in self.scenario.document.buyers)

    @property
    def units_max(self) -> int:
        """Of a SKU, in one order."""
        return max(buyers.units[1] for buyers in self.scenario.document.buyers)

    def with_connections(self, connections: int) -> "Workload":
        """The same over so many."""
        return msgspec.structs.replace(self, connections=connections)

    def plan(self, number: int, arrivals: Arrivals, *, seconds: float, warmup_s: float, seed: int) -> LoadPlan:
        """A point. Ids carry its number; `seconds` are those after the warm-up."""
        return msgspec.structs.replace(
            self._plan(seed, f"{self.id_prefix}-{number}"),
            arrivals=arrivals,
            seconds=warmup_s + seconds,
            warmup_s=warmup_s,
            connections=self.connections,
            threads=min(self.threads, self.connections),
            timeout_s=TIMEOUT_S,
            ledger="told",
        )

    def _plan(self, seed: int, id_prefix: str) -> LoadPlan:
        return plan_of(
            self.scenario.document,
            self.goods,
            url=self.url,
            id_prefix=id_prefix,
            seed=seed,
            key=self.key,
            signing_secret=self.signing_secret,
        )


def ample(scenario: Scenario) -> Scenario:
    """The scenario with so much stock that a refusal for want of it is never due. Raises InvalidInput."""
    document = scenario.document
    wrong = []
    if document.catalogue is None:
        wrong.append(FieldError("--scenario", "has no catalogue: capacity is measured on goods of its own"))
    if document.actions:
        wrong.append(
            FieldError("--scenario", "has actions, which would make some points unlike others: leave them out")
        )
    if document.load.shape == "trace":
        wrong.append(FieldError("--scenario", "replays a trace, which sets its own rate"))
    if wrong:
        raise InvalidInput(tuple(wrong))
    catalogue = msgspec.structs.replace(document.catalogue or Catalogue(), on_hand=AMPLE_UNITS, hot_on_hand=None)
    load = type(document.load)()
    return msgspec.structs.replace(scenario, document=msgspec.structs.replace(document, catalogue=catalogue, load=load))


def words_of(scenario: Scenario) -> str:
    """What is ordered, in words."""
    document = scenario.document
    catalogue = document.catalogue or Catalogue()
    told = [
        f"{one.name}: {one.lines[0]} to {one.lines[1]} lines of {one.units[0]} to {one.units[1]} units"
        + (f", in bodies of {one.bulk_lines} orders" if one.bulk_lines else "")
        + (f", {one.replays:.0%} sent again" if one.replays else "")
        for one in document.buyers
    ]
    return (
        f"{scenario.name}: {catalogue.skus:,} SKUs at {catalogue.warehouses_per_sku} of {catalogue.warehouses:,}"
        f" warehouses each; {'; '.join(told)}."
    )
