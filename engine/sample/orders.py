"""Sample orders, drawn by a seed: one seed gives the same offers on every machine. Does no I/O."""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Literal

from msgspec import Struct

from engine.model.order import Line, Order, ShipTo
from engine.sample import order_mix as mix
from engine.sample.network import SampleNetwork
from engine.sample.weighted import WeightedDraw

ID_PREFIX_DEFAULT = "D20261111"
REDRAWS_MAX = 16
"""Draws for a SKU that the order does not have yet; then the line repeats a SKU, which is a legal order."""

OfferKind = Literal["new", "retry", "twin"]


class Offer(Struct, frozen=True):
    """An order as a client sends it. `retry` and `twin` carry the very Order of an earlier offer."""

    order: Order
    kind: OfferKind


class OrderSource:
    """Offers for a network.

    Only `Random.random()` is drawn from: the other methods may change their results between versions of Python.
    """

    def __init__(self, network: SampleNetwork, seed: int, *, id_prefix: str = ID_PREFIX_DEFAULT) -> None:
        """`id_prefix` starts every order id; two sources that meet in one store need two prefixes."""
        self._seed = seed
        self._id_prefix = id_prefix
        self._skus = WeightedDraw(range(len(network.skus)), network.demand_weights)
        self._lines = [{quantity: Line(sku.sku, quantity) for quantity in mix.QUANTITY_SHARES} for sku in network.skus]
        self._destinations = WeightedDraw(
            [ShipTo(lat=city.lat, lon=city.lon, country="CN", region=city.province) for city in network.cities],
            [city.population for city in network.cities],
        )
        self._line_counts = WeightedDraw(list(mix.LINE_COUNT_SHARES), list(mix.LINE_COUNT_SHARES.values()))
        self._quantities = WeightedDraw(list(mix.QUANTITY_SHARES), list(mix.QUANTITY_SHARES.values()))
        self._channels = WeightedDraw(list(mix.CHANNEL_SHARES), list(mix.CHANNEL_SHARES.values()))
        self._payments = WeightedDraw(list(mix.PAYMENT_SHARES), list(mix.PAYMENT_SHARES.values()))

    def offers(self, count: int) -> Iterator[Offer]:
        """`count` offers. Every call starts anew, so fewer offers are the beginning of more."""
        random = Random(self._seed)
        recent: deque[Order] = deque(maxlen=mix.RETRY_LAG_MAX)
        orders = 0
        for _ in range(count):
            chance = random.random()
            if chance < mix.RETRY_SHARE and len(recent) >= mix.RETRY_LAG_MIN:
                lag = mix.RETRY_LAG_MIN + int(random.random() * (len(recent) - mix.RETRY_LAG_MIN + 1))
                offer = Offer(recent[-lag], "retry")
            elif mix.RETRY_SHARE <= chance < mix.RETRY_SHARE + mix.TWIN_SHARE and recent:
                offer = Offer(recent[-1], "twin")
            else:
                orders += 1
                offer = Offer(self._draw_order(random, orders), "new")
            recent.append(offer.order)
            yield offer

    def _draw_order(self, random: Random, number: int) -> Order:
        # Squared, so that few customers order often: a purchase limit needs someone to bite.
        eagerness = random.random()
        payment = self._payments.draw(random)
        return Order(
            order_id=f"{self._id_prefix}-{number:06d}",
            channel=self._channels.draw(random),
            customer=f"C{int(mix.CUSTOMERS * eagerness * eagerness):06d}",
            ship_to=self._destinations.draw(random),
            lines=self._draw_lines(random),
            payment=payment,
            hold_seconds=mix.PENDING_HOLD_SECONDS if payment == "pending" else None,
        )

    def _draw_lines(self, random: Random) -> tuple[Line, ...]:
        skus: list[int] = []
        for _ in range(self._line_counts.draw(random)):
            sku = self._skus.draw(random)
            for _ in range(REDRAWS_MAX):
                if sku not in skus:
                    break
                sku = self._skus.draw(random)
            skus.append(sku)
        lines = [self._lines[sku][self._quantities.draw(random)] for sku in skus]
        if random.random() < mix.SAME_SKU_SHARE and len(lines) < mix.LINES_MAX:
            lines.append(self._lines[skus[0]][1])
        return tuple(lines)
