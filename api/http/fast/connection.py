"""One connection, and its orders: each is checked, read, submitted and answered, one after the other."""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from api.http.answer import Answer
from api.http.fast.head import Head
from api.http.fast.link import Link
from api.http.guard import problem_of
from api.http.orders import order_answer, read_order, take_order, turned_away
from api.http.outcome import outcome_of
from api.http.problems import TITLES, Problem
from api.http.request_id import request_id_of
from api.http.scope import Scope
from api.http.timeout import HEADER as TIMEOUT_HEADER
from api.http.timeout import read_timeout
from api.idempotency import of_caller, read_key, told_of_key
from api.metrics.counts import ORDERS_ROUTE, UNREAD
from engine.intake import Outcome

if TYPE_CHECKING:
    from api.http.fast.door import Door

ORDERS_PATH = "/v1/orders"
TIMEOUT = TIMEOUT_HEADER.lower()
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Connection(Link):
    """A client's connection, in the one lane or the other."""

    __slots__ = ("_began", "_headers", "_order_id", "_request_id", "_under_key")

    def __init__(self, door: "Door") -> None:
        super().__init__(door)
        self._order_id = ""
        self._under_key = False
        """Whether the id is that of an `Idempotency-Key`."""
        self._request_id = ""
        self._headers = NO_HEADERS
        self._began = 0.0
        """When the request that is being answered had come in."""

    def _serve(self, head: Head, body: bytes) -> None:
        self._busy = True
        self._began = perf_counter()
        self._headers = head.headers
        self._request_id = request_id_of(head.headers.get("x-request-id"))
        try:
            principal = self._door.gate.check(Scope.ORDERS, "POST", ORDERS_PATH, head.headers, body)
            if isinstance(principal, Problem):
                if principal.type == "rate-limited":
                    self._door.refusals.tell(partial(self._answer, principal))
                else:
                    self._answer(principal)
                return
            # One that came twice is aiohttp's.
            given = head.headers.get("idempotency-key")
            key = None if given is None else of_caller(read_key(given), principal)
            if isinstance(key, Problem):
                self._answer(key)
                return
            timeout_s = read_timeout(head.headers.get(TIMEOUT))
            if isinstance(timeout_s, Problem):
                self._answer(timeout_s)
                return
            engine, source = self._door.engine, principal.source
            deadline_s = None if timeout_s is None else self._door.loop.time() + timeout_s
            # Before it is read: a refusal has to cost little.
            if (refused := engine.turned_away(source, deadline_s=deadline_s)) is not None:
                self._door.refusals.tell(partial(self._answer, turned_away(refused)))
                return
            order = read_order(body, principal, key)
            if isinstance(order, Problem):
                self._answer(order)
                return
            if key is None or key == order.order_id:
                self._order_id, self._under_key = order.order_id, key is not None
                engine.submit(order, source=source, deadline_s=deadline_s).add_done_callback(self._settled)
            else:
                self._door.start(take_order(engine, order, principal, key, deadline_s), self._taken)
        except Exception as error:
            self._answer(problem_of(error, path=ORDERS_PATH, request_id=self._request_id))

    def refuse(self, problem: Problem) -> None:
        assert self._transport is not None, "its request still comes"
        headers, route = (NO_HEADERS, UNREAD) if self._head is None else (self._head.headers, ORDERS_ROUTE)
        request_id = request_id_of(headers.get("x-request-id"))
        self._door.observe(route, TITLES[problem.type][0], problem.type, 0.0, request_id, headers)
        self._transport.write(self._door.replies.encode(problem.answer(request_id), request_id))
        self._transport.close()

    def _settled(self, outcome: asyncio.Future[Outcome]) -> None:
        try:
            answered = order_answer(self._order_id, outcome.result())
            if self._under_key:
                answered = told_of_key(answered, "order-conflict")
        except Exception as error:
            answered = problem_of(error, path=ORDERS_PATH, request_id=self._request_id)
        self._answer(answered)

    def _taken(self, task: asyncio.Task[Answer | Problem]) -> None:
        """Of an order with a key beside its id."""
        if task.cancelled():
            self.abort()
            return
        try:
            answered = task.result()
        except Exception as error:
            answered = problem_of(error, path=ORDERS_PATH, request_id=self._request_id)
        self._answer(answered)

    def _answer(self, answered: Answer | Problem) -> None:
        transport = self._transport
        self._busy = False
        # Also where the client hung up: what became of its order counts.
        self._door.observe(
            ORDERS_ROUTE,
            TITLES[answered.type][0] if isinstance(answered, Problem) else answered.status,
            outcome_of(answered, ORDERS_ROUTE),
            perf_counter() - self._began,
            self._request_id,
            self._headers,
        )
        if transport is None:
            return
        replies, request_id = self._door.replies, self._request_id
        last = self._shut or (self._ended and not self._waiting)
        if isinstance(answered, Problem):
            transport.write(replies.encode_problem(answered, request_id, close=last))
        else:
            transport.write(replies.encode(answered, request_id, close=last))
        if last:
            transport.close()
            return
        self._since = self._door.now
        if self._waiting and not self._full:
            self._door.loop.call_soon(self._next)
