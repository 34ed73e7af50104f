"""Keeps a key of one channel to the orders of that channel."""

import msgspec

from api.http.problems import Problem
from engine.access import Principal
from engine.model import Order


def of_channel(principal: Principal, order: Order) -> Order | Problem:
    """The order as this caller may send it: one that names no channel is of the key's own."""
    if principal.channel is None or order.channel == principal.channel:
        return order
    if order.channel is None:
        return msgspec.structs.replace(order, channel=principal.channel)
    return other_channel(principal.channel)


def other_channel(channel: str) -> Problem:
    """Of an order of another channel than the caller's."""
    return Problem("forbidden", f'This key is for orders of the channel "{channel}". Nothing was held.')
