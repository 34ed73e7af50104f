"""Runs a load test: `run_load(plan)`. The generator is native; this thread only waits, and may be interrupted."""

import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from engine import _core
from loadtest.load_plan import LoadPlan
from loadtest.load_result import LoadResult, Second

POLL_S = 0.1

_second = msgspec.json.Decoder(list[Second])
_result = msgspec.json.Decoder(LoadResult)


class NoRun(Exception):
    """There was no run: the plan breaks a rule, the service cannot be reached, or the record not be written."""


def run_load(plan: LoadPlan, on_second: Callable[[Second], None] = lambda _: None) -> LoadResult:
    """Do what the plan says, and tell each second of it as it ends. Raises NoRun.

    An interrupt, or whatever `on_second` raises, ends the run at once. The result of a run that was cut short by
    `on_second` raising StopIteration says so (`cancelled`).
    """
    try:
        run = _core.LoadRun(msgspec.json.encode(plan))
    except ValueError as error:
        raise NoRun(str(error)) from None
    done: list[bytes | Exception] = []

    def work() -> None:
        try:
            done.append(run.run())
        except Exception as error:
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
    if isinstance(outcome, (ValueError, OSError)):
        raise NoRun(str(outcome)) from None
    if isinstance(outcome, Exception):
        raise outcome
    result = _result.decode(outcome)
    with suppress(StopIteration):
        for second in result.timeline[told:]:
            on_second(second)
    return result
