"""Events of the stock as people read them. Shape only."""

from datetime import datetime

from msgspec import Struct


class CellChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event did to one cell, in units. A channel's pool is a cell of its own."""

    sku: str
    warehouse: str
    channel: str | None = None
    """Whose pool it is; None: what all channels share."""
    taken: int
    """From what is free; negative: given back, or come."""
    on_hand_change: int


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of the stock and of the orders that it was made for."""

    id: str
    """Partition and stream id."""
    cursor: str | None = None
    """Where the feed goes on after this event; events read as a follower have none, they are acknowledged by id."""
    partition: int
    n: int
    """Counts the events of a partition, without gaps."""
    type: str
    at: datetime
    """By the store's clock, in UTC."""
    writer: str
    """The process that made the change."""
    orders: tuple[str, ...]
    """Orders decided or changed; where a batch took only some, those."""
    cells: tuple[CellChange, ...]
    movement_id: str | None = None
    movement_type: str | None = None
    transition_id: str | None = None
    reason: str | None = None


class EventPage(Struct, frozen=True, kw_only=True):
    """Events, in the order of each partition, and the cursor from which to go on. May be short of the limit."""

    events: tuple[Event, ...]
    cursor: str


class Follower(Struct, frozen=True, kw_only=True):
    """A registered follower: no event is dropped that it has not acknowledged."""

    name: str
    consumers: int
    unread: int
    """Events that no consumer was given yet."""
    pending: int
    """Events that a consumer was given and has not acknowledged."""
    behind_s: float
    """Age of the oldest event that is not acknowledged."""
