"""The lane of every route: aiohttp reads the request, a handler answers it, its answer becomes aiohttp's response."""

from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler as WebHandler

from api.http.answer import Answer
from api.http.fast import Door
from api.http.guard import problem_of
from api.http.keys import WATCH
from api.http.outcome import outcome_of
from api.http.problems import Problem
from api.http.request_id import HEADER, request_id_of
from api.http.routes import Route

DOOR: web.AppKey[Door] = web.AppKey("door", Door)
"""The door that the application is served through, if it is one of ours."""


def web_route(route: Route) -> web.RouteDef:
    """A route as aiohttp takes it."""
    answer = _answering(route)
    if route.method == "GET":
        return web.get(route.path, answer, allow_head=route.head)
    return web.route(route.method, route.path, answer)


UNROUTED = "any (unmatched)"
"""Requests that no route takes, for the counters: neither their methods nor their paths have a bound."""


def _answering(route: Route) -> WebHandler:
    name, handler = f"{route.method} {route.path}", route.handler

    async def answer(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        request_id = request_id_of(request.headers.get(HEADER))
        watch = request.app[WATCH]
        try:
            answered = await handler(request)
        except Exception as error:
            answered = problem_of(error, path=request.path, request_id=request_id)
        if isinstance(answered, web.StreamResponse):
            seconds = perf_counter() - began
            watch.observe(name, answered.status, "streamed", seconds, request_id, request.headers)
            return answered
        outcome, answered = outcome_of(answered, name), _answer_of(answered, request_id)
        watch.observe(name, answered.status, outcome, perf_counter() - began, request_id, request.headers)
        return respond(answered, request_id)

    return answer


@web.middleware
async def outermost(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    """Answers what no route takes, and tells the door when a request begins and ends."""
    door = request.app.get(DOOR)
    connection = None if door is None else door.of(request.transport)
    if connection is not None:
        connection.began()
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"This resource takes {allowed}, not {request.method}."
        problem = Problem("method-not-allowed", detail, headers={"Allow": allowed})
    except web.HTTPNotFound:
        problem = Problem("not-found", f"No resource has the path {request.path}.")
    finally:
        if connection is not None:
            connection.ended()
    request_id = request_id_of(request.headers.get(HEADER))
    answer = problem.answer(request_id)
    request.app[WATCH].observe(UNROUTED, answer.status, problem.type, 0.0, request_id, request.headers)
    return respond(answer, request_id)


def _answer_of(answered: Answer | Problem, request_id: str) -> Answer:
    return answered.answer(request_id) if isinstance(answered, Problem) else answered


def respond(answer: Answer, request_id: str) -> web.Response:
    """An answer as aiohttp's response."""
    headers = {**answer.headers, HEADER: request_id}
    if answer.location is not None:
        headers["Location"] = answer.location
    return web.Response(status=answer.status, body=answer.body, headers=headers)
