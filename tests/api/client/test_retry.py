"""A call is sent again where that is safe and can help, under the same id, and never elsewhere."""

import asyncio
import hashlib
import hmac
import socket
import ssl
import subprocess
import threading
from math import nan
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from api.client import (
    InsufficientStock,
    InvalidRequest,
    NoAnswer,
    ProblemError,
    Retry,
    Unavailable,
)
from engine.model import StockCount
from tests.api.client.conftest import ALLOCATION, QUICK, Client, an_order
from tests.api.client.misbehaving import (
    Connection,
    Received,
    Step,
    answer,
    drip,
    end_unanswered,
    half_an_answer,
    misbehaving,
    nothing,
    problem,
    reset_unanswered,
)

ACCEPTED = answer(201, ALLOCATION)
REPLAYED = answer(200, ALLOCATION, Idempotent_Replayed="true")
OVERLOADED = answer(503, problem(503, "overloaded", retryable=True), Retry_After="0")
COUNTS = [StockCount(sku="S", warehouse="W", on_hand=1)]


@pytest.mark.parametrize("bad", [reset_unanswered, half_an_answer, end_unanswered, OVERLOADED])
async def test_an_order_is_sent_again_as_it_was(client: Client, bad: Step) -> None:
    """After whatever broke; and its answer tells that it was held before."""
    with misbehaving(bad, bad, REPLAYED) as server:
        async with client(server.url) as call:
            found = await call("reserve", an_order())
    assert (found.order_id, found.replayed) == ("o", True)
    assert len(server.received) == 3
    assert len({request.body for request in server.received}) == 1


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_what_passes_is_waited_for(client: Client, status: int) -> None:
    """Also where the answer is a proxy's, and no problem."""
    with misbehaving(answer(status, b"<html>", Retry_After="0"), ACCEPTED) as server:
        async with client(server.url) as call:
            assert not (await call("reserve", an_order())).replayed
    assert len(server.received) == 2


async def test_what_a_problem_calls_retryable_is_tried_again(client: Client) -> None:
    """Whatever its status; but a count only where it was surely not set."""
    broken = answer(500, problem(500, "internal-error", retryable=True))
    with misbehaving(broken, broken, ACCEPTED, broken) as server:
        async with client(server.url) as call:
            await call("reserve", an_order())
            with pytest.raises(ProblemError):
                await call("set_stock", COUNTS)
    assert len(server.received) == 4
    with misbehaving(answer(500, b"<html>")) as server:
        async with client(server.url) as call:
            with pytest.raises(ProblemError):
                await call("reserve", an_order())
    assert len(server.received) == 1


async def test_a_count_goes_over_a_connection_of_its_own(client: Client) -> None:
    """One that was idle may have ended unseen, and then nobody would know."""
    with misbehaving(ACCEPTED, answer(200, {"rows": 1}), ACCEPTED) as server:
        async with client(server.url) as call:
            await call("reserve", an_order())
            await call("set_stock", COUNTS)
            await call("reserve", an_order())
    assert server.connections == 2


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that nobody signed."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made += ["-subj", "/CN=localhost", "-days", "1", "-keyout", "key", "-out", "certificate"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    return context


async def test_a_certificate_that_is_not_trusted_is_told_at_once(client: Client, untrusted: ssl.SSLContext) -> None:
    """It will not be trusted in a second either."""
    with misbehaving(ACCEPTED, tls=untrusted) as server:
        async with client(server.url) as call:
            with pytest.raises(NoAnswer, match=r"(?i)certificate") as caught:
                await call("reserve", an_order())
    assert caught.value.attempts == 1


async def test_a_service_that_does_not_answer_is_given_up_in_time_and_asked_again(client: Client) -> None:
    """Its silence is as good as a reset."""
    with misbehaving(nothing, drip, ACCEPTED) as server:
        async with client(server.url, retry=Retry(attempt_s=0.2, deadline_s=10, backoff_s=0.01)) as call:
            await call("reserve", an_order())
    assert len(server.received) == 3


async def test_retry_after_is_honoured(client: Client) -> None:
    """A second asked for is a second waited."""
    with misbehaving(answer(429, problem(429, "rate-limited", retryable=True), Retry_After="1"), ACCEPTED) as server:
        began = monotonic()
        async with client(server.url) as call:
            await call("reserve", an_order())
        assert monotonic() - began >= 1.0


async def test_a_retry_after_beyond_the_deadline_is_told_at_once(client: Client) -> None:
    """Rather than slept through."""
    with misbehaving(answer(503, problem(503, "overloaded", retryable=True), Retry_After="60")) as server:
        began = monotonic()
        async with client(server.url) as call:
            with pytest.raises(Unavailable) as caught:
                await call("reserve", an_order())
        assert monotonic() - began < QUICK.deadline_s / 2
    assert (caught.value.retry_after_s, len(server.received)) == (60.0, 1)


async def test_tries_and_time_have_bounds(client: Client) -> None:
    """Then the caller is told that nobody knows, or what the last answer was."""
    with misbehaving(reset_unanswered) as server:
        async with client(server.url) as call:
            with pytest.raises(NoAnswer) as caught:
                await call("reserve", an_order())
        assert caught.value.attempts == len(server.received) == QUICK.attempts_max
    with misbehaving(nothing) as server:
        began = monotonic()
        async with client(server.url, retry=Retry(attempt_s=0.3, deadline_s=0.7, attempts_max=100)) as call:
            with pytest.raises(NoAnswer):
                await call("reserve", an_order())
        assert monotonic() - began < 2.0
    with misbehaving(OVERLOADED) as server:
        async with client(server.url) as call:
            with pytest.raises(Unavailable):
                await call("reserve", an_order())


@pytest.mark.parametrize(
    ("status", "type_", "retryable"),
    [
        (400, "broken-json", False),
        (401, "unauthorized", False),
        (403, "forbidden", False),
        (404, "not-found", False),
        (409, "insufficient-stock", False),
        (409, "invalid-state", False),
        (410, "cursor-expired", False),
        (413, "too-large", False),
        (422, "invalid-order", False),
        (503, "overloaded", False),
    ],
)
async def test_what_does_not_pass_is_told_at_once(client: Client, status: int, type_: str, retryable: bool) -> None:
    """As an exception with all that the service said."""
    with misbehaving(answer(status, problem(status, type_, retryable=retryable, shortages=[{"sku": "S"}]))) as server:
        async with client(server.url) as call:
            with pytest.raises(ProblemError) as caught:
                await call("reserve", an_order())
    assert len(server.received) == 1
    error = caught.value
    assert (error.status, error.type, error.retryable, error.request_id) == (status, type_, retryable, "r-1")
    assert [(row.pointer, row.message) for row in error.errors] == [("/a", "must be b")]
    assert isinstance(error, InsufficientStock) == (type_ == "insufficient-stock")
    assert isinstance(error, InvalidRequest) == (status in (400, 413, 422))


@pytest.mark.parametrize("bad", [reset_unanswered, end_unanswered])
async def test_a_count_that_may_have_been_set_is_not_set_again(client: Client, bad: Step) -> None:
    """Somebody else may have counted in between. Nor does the library below do it unasked."""
    with misbehaving(bad) as server:
        async with client(server.url) as call:
            with pytest.raises(NoAnswer):
                await call("set_stock", COUNTS)
    assert len(server.received) == 1


async def test_a_count_that_was_not_set_is_sent_again(client: Client) -> None:
    """The service said so, and a store that is out of reach is another matter."""
    with misbehaving(OVERLOADED, answer(200, {"rows": 1})) as server:
        async with client(server.url) as call:
            assert await call("set_stock", COUNTS) == 1
    with misbehaving(answer(503, problem(503, "store-unavailable", retryable=True), Retry_After="0")) as server:
        async with client(server.url) as call:
            with pytest.raises(Unavailable):
                await call("set_stock", COUNTS)
    assert len(server.received) == 1


async def test_nobody_listening_is_tried_again_whatever_the_call(client: Client) -> None:
    """Nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with client(url) as call:
        with pytest.raises(NoAnswer) as caught:
            await call("set_stock", COUNTS)
    assert caught.value.attempts == QUICK.attempts_max


async def test_a_change_without_an_id_gets_one_that_its_tries_share(client: Client) -> None:
    """So that a confirmation that was done is not refused when it is sent again."""
    with misbehaving(reset_unanswered, answer(200, ALLOCATION)) as server:
        async with client(server.url) as call:
            await call("confirm", "a/b")
    assert [request.target for request in server.received] == ["/v1/orders/a%2Fb/confirm"] * 2
    assert len({request.body for request in server.received}) == 1
    assert b'"transition_id":"' in server.received[0].body


async def test_requests_carry_key_and_signature(client: Client) -> None:
    """Each try is signed anew, over what is on the wire."""
    with misbehaving(reset_unanswered, answer(200, ALLOCATION)) as server:
        async with client(server.url, api_key="stk_a_b", signing_secret="sts_c") as call:
            await call("cancel", "a/b")
    signatures = []
    for request in server.received:
        assert request.headers["authorization"] == "Bearer stk_a_b"
        at, _, found = request.headers["stockade-signature"].removeprefix("t=").partition(",v1=")
        signed = f"{at}\n{request.method}\n{request.target}\n".encode() + request.body
        assert hmac.new(b"sts_c", signed, hashlib.sha256).hexdigest() == found
        signatures.append(found)
    assert len(set(signatures)) == 2


async def test_a_connection_that_ended_while_idle_is_not_used(client: Client) -> None:
    """The next call goes through on a new one at once."""

    def answer_and_end(connection: Connection, request: Received | None) -> None:
        ACCEPTED(connection, request)
        connection.sock.close()
        ended.set()

    ended = threading.Event()
    with misbehaving(answer_and_end, answer(200, {"rows": 1})) as server:
        async with client(server.url) as call:
            await call("reserve", an_order())
            # From then on the client's side of it tells its end.
            assert await asyncio.to_thread(ended.wait, 10)
            assert await call("set_stock", COUNTS) == 1


@pytest.mark.parametrize("patience", [{"attempts_max": 0}, {"deadline_s": -5}, {"attempt_s": nan}, {"backoff_s": 0}])
def test_what_is_no_patience_is_refused(patience: dict[str, Any]) -> None:
    """With the name of the setting, and before anything is sent."""
    (name,) = patience
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Retry(**patience)
