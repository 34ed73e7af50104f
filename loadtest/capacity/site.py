"""A service under test, and what only whoever started it can do to it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from loadtest.audit.finding import RunAudit
from loadtest.capacity.measure import Rig


class Site(Struct, frozen=True, kw_only=True):
    """One that runs."""

    rig: Rig
    own: bool
    """Started for this alone: nobody else orders of it."""
    kill_store: Callable[[], Awaitable[str]] | None = None
    """SIGKILL."""
    store_audit: Callable[[RunAudit], Awaitable[RunAudit]] | None = None
    """Joins the store's own books to what was found over HTTP."""


OpenSite = Callable[[int], AbstractAsyncContextManager[Site]]
"""Starts one with so many workers, or takes the one there is."""

Tell = Callable[[str], None]
"""Is told in words what is being done."""
