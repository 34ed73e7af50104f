"""Where an engine stands, in a word and in numbers."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Where the engine stands."""

    READY = "ready"
    RECOVERING = "recovering"
    CLOSED = "closed"
    FAILED = "failed"
    """A bug or a panic stopped the intake: only a restart helps."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The engine in numbers."""

    state: State
    cells: int
    skus: int
    warehouses: int
    queued: int
    """Orders that wait for the next batch."""
    view_lag_ms: float
    """The greatest age at which a change by others got into this process's view, of the last 10 seconds."""
    events_behind: int
    """Changes that were in the store at the last look, a second ago at most, and are not in the view."""
    lost_orders: int = 0
    """Acknowledged orders that the store lost since this process started; `Engine.lost_orders` names them."""
    lost_changes: int = 0
    """Changes of any kind that this process had seen in the store, and that the store lost."""
    policy_version: str
    """Of the policies in force."""
    policy_fingerprint: str
    """Of what they say: the same in every process that plans alike."""
    policies_error: str | None = None
    """What is wrong with the file of policies as it is now, or why it is not what is in force."""
    prices_age_s: float | None = None
    """Since stock was last priced for orders to come; None where it never was, as with `prices = "none"`."""
    prices_error: str | None = None
    """Why the last attempt at that failed: the former prices hold."""
