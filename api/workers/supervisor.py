"""The supervisor: owns store and port, keeps the workers alive, and ends them all. Serves nothing itself."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from api.http.seat import Seat
from api.http.server import end_wait_s, stop_at_end, url_of
from api.workers.cover import Cover
from api.workers.place import Place
from api.workers.port import Port
from engine import Engine, Settings, keep_store, open_engine
from engine.errors import StockadeError

RUN_DIR_PREFIX = "stockade-run-"
KILL_WAIT_S = 5.0


class EndedAtOnce(StockadeError):
    """A second signal came, or workers did not end in time: requests under way got no answer."""


async def serve_with_workers(
    settings: Settings,
    *,
    on_open: Callable[[Engine], Awaitable[None]],
    on_ready: Callable[[Engine, str], Awaitable[None]],
    stop_with_stdin: bool = False,
) -> None:
    """Open the store and serve it by `settings.workers` processes on one port, until a signal comes.

    `on_open` is called before they start, `on_ready` when all of them listen. The engine that both are given knows the
    store as it was before. The first SIGINT or SIGTERM lets the workers answer whom they have; a second one ends them
    at once. `stop_with_stdin` as for `serve`.

    Raises StockadeError when store or workers cannot begin or were ended by force, OSError when the address cannot be
    had.
    """
    stop, at_once = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        (at_once if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), stop_at_end, stop)
    with tempfile.TemporaryDirectory(prefix=RUN_DIR_PREFIX, ignore_cleanup_errors=True) as run_dir:
        async with keep_store(settings) as url, contextlib.AsyncExitStack() as look:
            theirs = msgspec.structs.replace(settings, redis_url=url)
            engine = await look.enter_async_context(open_engine(theirs, background=False))
            with contextlib.closing(await Port.take(settings.host, settings.port)) as port:
                await on_open(engine)
                seats = [
                    Seat(number=n, workers=settings.workers, run_dir=Path(run_dir)) for n in range(settings.workers)
                ]
                cover = Cover()
                places = [Place(theirs, seat, port, cover) for seat in seats]
                keepers = [asyncio.create_task(place.keep()) for place in places]
                try:
                    if await _all_listen(places, keepers, stop):
                        await on_ready(engine, url_of(port.address))
                        # What it knows of the stock may take much memory.
                        await look.aclose()
                        del engine
                        await _first(stop.wait(), *keepers)
                finally:
                    await _end(places, keepers, port, at_once, wait_s=end_wait_s(settings))


async def _all_listen(places: list[Place], keepers: list[asyncio.Task[None]], stop: asyncio.Event) -> bool:
    """Whether they do; False if they are to stop first. Raises what keeps one of them from it."""

    async def all_of_them() -> None:
        for place in places:
            await place.listens.wait()

    await _first(all_of_them(), stop.wait(), *keepers)
    return not stop.is_set()


async def _first(*waited: Awaitable[object]) -> None:
    """Return when one of these has ended, and raise what it raised; those that are coroutines are given up then."""
    tasks = [asyncio.ensure_future(one) for one in waited]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task, one in zip(tasks, waited, strict=True):
            if task is not one:
                task.cancel()


async def _end(
    places: list[Place], keepers: list[asyncio.Task[None]], port: Port, at_once: asyncio.Event, *, wait_s: float
) -> None:
    """End all workers: in order, and by force after `wait_s` or when `at_once` is set. Raises EndedAtOnce."""
    port.close()
    for place in places:
        place.stop(signal.SIGTERM)
    ended = asyncio.ensure_future(asyncio.wait(keepers))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await _first(at_once.wait(), ended)
    if not ended.done():
        for place in places:
            place.stop(signal.SIGKILL)
        async with asyncio.timeout(KILL_WAIT_S):
            await ended
        why = "a second signal" if at_once.is_set() else f"workers had not ended after {wait_s:g} s"
        raise EndedAtOnce(f"Ended at once ({why}): requests under way got no answer.")
    for keeper in keepers:
        # One of them was raised already; others had the same trouble.
        keeper.exception()
