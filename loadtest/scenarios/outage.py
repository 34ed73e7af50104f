"""A warehouse that goes out of use in mid-run: disabled, and its orders re-allocated, over HTTP."""

import asyncio
from typing import Any
from urllib.parse import quote

from loadtest.client import Client, UnexpectedAnswer

LOOK_S = 0.1
RUN_S_MAX = 120.0
PAGE_ROWS = 10_000


class OutageFailed(Exception):
    """The run of the re-allocation did not come to its end."""


async def take_down(client: Client, warehouse: str, run_id: str, moved: set[str]) -> str:
    """Disable a warehouse and move its orders; what came of it, in words. `moved` gets the ids before any moves.

    Raises UnexpectedAnswer, OutageFailed, aiohttp.ClientError.
    """
    (definition,) = [one for one in await client.get("/v1/warehouses") if one["id"] == warehouse]
    await client.put(f"/v1/warehouses/{quote(warehouse, safe='')}", {**definition, "enabled": False})
    path = f"/v1/reallocations/{quote(run_id, safe='')}"
    request = {"id": run_id, "warehouse_down": warehouse, "reason": "load test: the warehouse is down"}
    await client.post("/v1/reallocations", request)
    planned = await _until(client, path, "planned")
    cursor: str | None = "0"
    while cursor is not None:
        page = await client.get(f"{path}/moves?limit={PAGE_ROWS}&cursor={cursor}")
        moved.update(row["order_id"] for row in page["moves"])
        cursor = page["cursor"]
    began = asyncio.get_running_loop().time()
    answer = await client.call("POST", f"{path}/apply")
    if not 200 <= answer.status < 300:
        raise UnexpectedAnswer("POST", f"{path}/apply", answer.status, answer.body)
    applied = await _until(client, path, "applied")
    seconds = asyncio.get_running_loop().time() - began
    unserved = sum(told["orders"] for told in planned["plan"]["unserved"])
    skipped = sum(told["orders"] for told in applied["skipped"])
    chosen = planned["plan"]["orders_chosen"]
    return (
        f"{warehouse} is down: {applied['applied']:,} of {chosen:,} orders moved in {seconds:.1f} s,"
        f" {skipped:,} skipped, {unserved:,} unserved"
    )


async def _until(client: Client, path: str, state: str) -> dict[str, Any]:
    """The run, once it stands at a state."""
    ends = asyncio.get_running_loop().time() + RUN_S_MAX
    while True:
        status: dict[str, Any] = await client.get(path)
        if status["state"] == state:
            return status
        if status["state"] in ("failed", "cancelled") or asyncio.get_running_loop().time() > ends:
            raise OutageFailed(
                f"{path} is {status['state']}, not {state}: {status.get('error') or 'it takes too long'}"
            )
        await asyncio.sleep(LOOK_S)
