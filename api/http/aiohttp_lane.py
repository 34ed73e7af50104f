"""The lane of every route: aiohttp reads the request, a handler answers it, its answer becomes aiohttp's response."""

from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler as WebHandler
from multidict import CIMultiDictProxy

from api.http.access import signature
from api.http.answer import Answer
from api.http.body import read_body
from api.http.fast import Door
from api.http.guard import problem_of
from api.http.keys import ENGINE, REQUEST_ID, WATCH
from api.http.orders import no_order
from api.http.outcome import outcome_of
from api.http.principal import GATE, PRINCIPAL
from api.http.problems import Problem, ProblemType
from api.http.query import Query
from api.http.request_id import HEADER, request_id_of
from api.http.response import respond
from api.http.routes import Route
from engine.access import Principal
from engine.model import limits

DOOR: web.AppKey[Door] = web.AppKey("door", Door)
"""The door that the application is served through, if it is one of ours."""


def web_route(route: Route) -> web.RouteDef:
    """A route as aiohttp takes it."""
    answer = _answering(route)
    if route.method == "GET":
        return web.get(route.path, answer, allow_head=route.head)
    return web.route(route.method, route.path, answer)


TURNED_AWAY: frozenset[ProblemType] = frozenset({"rate-limited", "overloaded", "deadline-exceeded"})
"""Problems that may come by the thousand."""

UNROUTED = "any (unmatched)"
"""Requests that no route takes, for the counters: neither their methods nor their paths have a bound."""


def _answering(route: Route) -> WebHandler:
    name = f"{route.method} {route.path}"

    async def answer(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        request_id = request[REQUEST_ID] = request_id_of(request.headers.get(HEADER))
        watch = request.app[WATCH]
        answered: Answer | Problem | web.StreamResponse | None
        try:
            answered = await _turned_away(route, request)
            if answered is None:
                answered = await route.handler(request)
        except Exception as error:
            answered = problem_of(error, path=request.path, request_id=request_id)
        door = request.app.get(DOOR)
        if door is not None and isinstance(answered, Problem) and answered.type in TURNED_AWAY:
            # As in the fast lane: whoever asks on and on is told later, whichever way it asks.
            await door.refusals.turn()
        if isinstance(answered, web.StreamResponse):
            seconds = perf_counter() - began
            watch.observe(name, answered.status, "streamed", seconds, request_id, request.headers)
            return answered
        outcome, answered = outcome_of(answered, name), _answer_of(answered, request_id)
        watch.observe(name, answered.status, outcome, perf_counter() - began, request_id, request.headers)
        return respond(answered, request_id)

    return answer


async def _turned_away(route: Route, request: web.Request) -> Problem | None:
    """Why a request does not come to its handler; one that does carries whose it is."""
    gate, headers = request.app[GATE], request.headers
    principal = gate.admit(route.scope, headers)
    if isinstance(principal, Problem):
        return principal
    if _encoded(headers):
        # A few bytes of it may unpack to gigabytes.
        detail = "Send the body as it is, without Content-Encoding, and with no Transfer-Encoding but chunked."
        return Problem("unsupported-encoding", detail)
    if request.query_string and not route.takes_query:
        Query(request.query).check()
    if principal.signed and (problem := await _unsigned(route, request, principal)) is not None:
        return problem
    request[PRINCIPAL] = principal
    order_id = request.match_info.get("order_id")
    if principal.channel is None:
        return None
    if route.all_channels:
        return Problem("forbidden", "This tells of orders of all channels; this key is for one of them.")
    if order_id is not None and not await request.app[ENGINE].is_of_channel(order_id, principal.channel):
        return no_order(order_id)
    return None


def _encoded(headers: CIMultiDictProxy[str]) -> bool:
    content = ",".join(headers.getall("Content-Encoding", ()))
    transfer = ",".join(headers.getall("Transfer-Encoding", ()))
    return content.strip().lower() not in ("", "identity") or transfer.strip().lower() not in ("", "chunked")


async def _unsigned(route: Route, request: web.Request, principal: Principal) -> Problem | None:
    """What is wrong with the signature of a request that must have one."""
    if not route.whole_body:
        return Problem("forbidden", "This body is answered while it comes, so no signature of it can be checked.")
    gate, given = request.app[GATE], request.headers.get(signature.HEADER)
    body = await read_body(request, limits.BODY_BYTES_MAX)
    problem = gate.verify(principal, request.method, request.raw_path, request.headers, body)
    if problem is not None:
        return problem
    return await signature.spend(request.app[ENGINE].access, principal, route.scope, request.method, given)


@web.middleware
async def outermost(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    """Answers what no route takes."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"This resource takes {allowed}, not {request.method}."
        problem = Problem("method-not-allowed", detail, headers={"Allow": allowed})
    except web.HTTPNotFound:
        problem = Problem("not-found", f"No resource has the path {request.path}.")
    request_id = request_id_of(request.headers.get(HEADER))
    answer = problem.answer(request_id)
    request.app[WATCH].observe(UNROUTED, answer.status, problem.type, 0.0, request_id, request.headers)
    return respond(answer, request_id)


def _answer_of(answered: Answer | Problem, request_id: str) -> Answer:
    return answered.answer(request_id) if isinstance(answered, Problem) else answered
