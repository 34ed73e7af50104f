"""Joins the store's own audit to that of a load test."""

import msgspec

from api.cli.opening import open_store
from engine import Settings
from engine.errors import StockadeError
from loadtest.audit.finding import RunAudit, lie


async def with_store_audit(found: RunAudit, settings: Settings) -> RunAudit:
    """What was found over HTTP, and whether the store's books balance."""
    try:
        async with open_store(settings, load=False) as engine:
            report = await engine.audit()
    except StockadeError as error:
        broken = f"The store's books could not be looked at: {error}"
        return msgspec.structs.replace(found, broken=broken if found.broken is None else f"{found.broken} {broken}")
    examples = [f"{row.kind} at {row.where}: {row.detail}" for row in report.differences]
    wrong = lie("store", examples, "differences in the store's own books", report.difference_count)
    return msgspec.structs.replace(found, store=report.balanced, lies=[*found.lies, *wrong])
