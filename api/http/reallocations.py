"""Re-allocations over HTTP: planned, looked at, applied, given up, taken back. The engine works in the background."""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from api.http.answer import JSON, REPLAYED, Answer, json_answer, reallocation_path
from api.http.body import decode, read_body
from api.http.idempotent import key_of
from api.http.keys import ENGINE
from api.http.principal import principal_of
from api.http.problems import Problem
from api.idempotency import once, resource_of, with_id
from engine.errors import ReallocationConflict
from engine.model import limits
from engine.reallocation import Reallocation, ReallocationRequest

_request = msgspec.json.Decoder(ReallocationRequest)


async def post_reallocation(request: web.Request) -> Answer | Problem:
    """POST /v1/reallocations: plan one, once for each id; nothing moves before it is applied."""
    key = key_of(request)
    if isinstance(key, Problem):
        return key
    body = await read_body(request, limits.BODY_BYTES_MAX)
    principal = principal_of(request)
    wanted = decode(_request, body if key is None else with_id(body, "id", key, principal))
    engine = request.app[ENGINE]

    async def answer() -> Answer | Problem:
        known = None if wanted.id is None else await engine.reallocation(wanted.id)
        # Begun again where it may have been left in the middle of planning, or where the id is another request's.
        if known is None or known.state == "planning" or known.request != wanted:
            try:
                run = await engine.begin_reallocation(wanted, dry_run=True)
            except ReallocationConflict as error:
                return Problem("reallocation-conflict", str(error))
        else:
            run = known
        return _status(run, 202) if known is None else _status(run, 200, REPLAYED)

    if key is None:
        return await answer()
    return await once(
        engine,
        key,
        wanted.id,
        resource=resource_of(principal, "reallocations"),
        content=msgspec.json.encode(wanted, order="sorted"),
        conflict="reallocation-conflict",
        do=answer,
    )


async def get_reallocations(request: web.Request) -> Answer:
    """GET /v1/reallocations: the last ones, the newest first."""
    return json_answer(await request.app[ENGINE].reallocations())


async def get_reallocation(request: web.Request) -> Answer | Problem:
    """GET /v1/reallocations/{run_id}: how far it is, and what came of it."""
    run = await found(request)
    return run if isinstance(run, Problem) else json_answer(run.status)


async def apply_reallocation(request: web.Request) -> Answer | Problem:
    """POST /v1/reallocations/{run_id}/apply: move what was planned; goes on where it was left."""
    run = await found(request)
    if isinstance(run, Problem):
        return run
    status = await run.begin_apply()
    return _status(run, 200 if status.state == "applied" else 202)


async def cancel_reallocation(request: web.Request) -> Answer | Problem:
    """POST /v1/reallocations/{run_id}/cancel: move nothing more; what is moved stays."""
    run = await found(request)
    if isinstance(run, Problem):
        return run
    await run.cancel()
    return _status(run, 200)


async def rollback_reallocation(request: web.Request) -> Answer | Problem:
    """POST /v1/reallocations/{run_id}/rollback: take back what was moved and has not left."""
    run = await found(request)
    if isinstance(run, Problem):
        return run
    status = await run.begin_rollback()
    return _status(run, 200 if status.state == "rolled_back" else 202)


async def found(request: web.Request) -> Reallocation | Problem:
    """The run that the path names."""
    run_id = request.match_info["run_id"]
    run = await request.app[ENGINE].reallocation(run_id)
    return run if run is not None else Problem("not-found", f'No re-allocation has the id "{run_id}".')


def _status(run: Reallocation, status: int, headers: Mapping[str, str] = JSON) -> Answer:
    answer = json_answer(run.status, status=status, headers=headers)
    return msgspec.structs.replace(answer, location=reallocation_path(run.id)) if status == 202 else answer
