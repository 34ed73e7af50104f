"""Runs a load test. The generator is native; this thread only waits, and may be interrupted.

`run_load(plan)` for threads; `recorded_load(plan)` for asyncio, with what each order was told.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec import Struct

from engine import _core
from loadtest.ledger import Ledger
from loadtest.load_plan import LoadPlan
from loadtest.load_result import LoadResult, Second

POLL_S = 0.1

_second = msgspec.json.Decoder(list[Second])
_result = msgspec.json.Decoder(LoadResult)

OnSecond = Callable[[Second], None]


class NoRun(Exception):
    """There was no run: the plan breaks a rule, the service cannot be reached, or the record not be written.

    Or the generator died of a flaw of its own; that is then its cause.
    """


class Recorded(Struct, frozen=True):
    """A run, and what its orders were told, where the plan keeps a ledger."""

    result: LoadResult
    ledger: Ledger


def run_load(plan: LoadPlan, on_second: OnSecond = lambda _: None) -> LoadResult:
    """Do what the plan says, and tell each second of it as it ends. Raises NoRun.

    An interrupt, or whatever `on_second` raises, ends the run at once. The result of a run that was cut short by
    `on_second` raising StopIteration says so (`cancelled`).
    """
    run = _made(plan)
    done: list[bytes | BaseException] = []

    def work() -> None:
        try:
            done.append(run.run())
        except BaseException as error:  # a panic of the core is no Exception
            done.append(error)

    thread = threading.Thread(target=work, name="stockade-load")
    thread.start()
    told = 0
    try:
        while thread.is_alive():
            thread.join(POLL_S)
            for second in _second.decode(run.seconds(told)):
                on_second(second)
                told += 1
    except StopIteration:
        run.cancel()
    finally:
        if thread.is_alive():
            run.cancel()
            thread.join()
    (outcome,) = done
    return _result_of(outcome, told, on_second)


async def recorded_load(plan: LoadPlan, on_second: OnSecond = lambda _: None) -> Recorded:
    """The same beside other tasks. One that is cancelled ends the run at once."""
    run = _made(plan)
    work = asyncio.create_task(asyncio.to_thread(run.run))
    told = 0
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=POLL_S)
            for second in _second.decode(run.seconds(told)):
                on_second(second)
                told += 1
    except StopIteration:
        run.cancel()
    finally:
        if not work.done():
            run.cancel()
            await asyncio.wait({work})
    outcome = work.exception() or work.result()
    return Recorded(_result_of(outcome, told, on_second), Ledger(run, plan))


def _made(plan: LoadPlan) -> _core.LoadRun:
    try:
        return _core.LoadRun(msgspec.json.encode(plan))
    except ValueError as error:
        raise NoRun(str(error)) from None


def _result_of(outcome: bytes | BaseException, told: int, on_second: OnSecond) -> LoadResult:
    if isinstance(outcome, (ValueError, OSError)):
        raise NoRun(str(outcome)) from None
    if isinstance(outcome, BaseException):
        raise NoRun(f"the generator died: {outcome}") from outcome
    result = _result.decode(outcome)
    with suppress(StopIteration):
        for second in result.timeline[told:]:
            on_second(second)
    return result
