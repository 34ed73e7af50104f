"""The `stockade` command: finds the subcommand, runs it, and turns errors into words and exit codes."""

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop
from cyclopts import App
from rich.text import Text

from api.cli.console import EXIT_WRONG, err
from api.logs import log_to_standard_error
from engine import __version__
from engine.errors import InvalidInput, StockadeError

app = App(
    name="stockade",
    help="Takes peak-sale orders, locks their stock, ships each at the least cost, never sells a unit twice.",
    version=__version__,
    result_action="return_value",
)
# By path: importing what all of them need takes longer than most of them run.
app.command("api.cli.serve:serve", name="serve")
app.command("api.cli.demo:demo", name="demo")
app.command("api.cli.doctor:doctor", name="doctor")
app.command("api.cli.stock:app", name="stock")
app.command("api.cli.skus:app", name="skus")
app.command("api.cli.order_life:app", name="orders")
app.command("api.cli.events:app", name="events")
app.command("api.cli.plan:plan", name="plan")
app.command("api.cli.assign:assign", name="assign")
app.command("api.cli.reallocate:app", name="reallocate")
app.command("api.cli.policy:app", name="policy")
app.command("api.cli.tariff:app", name="tariff")
app.command("api.cli.audit:audit", name="audit")
app.command("api.cli.keys:app", name="keys")
app.command("api.cli.loadtest:loadtest", name="loadtest")
app.command("api.cli.simulate:simulate", name="simulate")
app.command("api.cli.capacity:app", name="capacity")
app.command("api.cli.openapi:openapi", name="openapi")


def run(command: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """Run a parsed command; the exit code is what it returns, else 0."""
    result = command(*args, **kwargs)
    if inspect.iscoroutine(result):
        result = uvloop.run(_until_terminated(result))
    return result if isinstance(result, int) else 0


async def _until_terminated(work: Coroutine[Any, Any, Any]) -> Any:
    """SIGTERM ends it as Ctrl-C does, so that what it keeps in a temporary folder goes with it. `serve` has its own."""
    task = asyncio.current_task()
    assert task is not None, "it runs in one"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def main() -> None:
    """The entry point. Exit codes: 0 success, 1 a finding, 2 wrong usage or input, or no store."""
    log_to_standard_error()
    if not sys.argv[1:] or sys.argv[1] in app.help_flags:
        # The list of commands has the words of all of them.
        app.resolved_commands()
    try:
        command, bound, _ = app.parse_args(sys.argv[1:], exit_on_error=True, print_error=True)
        sys.exit(run(command, *bound.args, **bound.kwargs))
    except InvalidInput as error:
        for one in error.errors:
            err.print(Text.assemble((one.pointer or "input", "bold red"), f": {one.message}"), soft_wrap=True)
        sys.exit(EXIT_WRONG)
    except StockadeError as error:
        err.print(Text.assemble(("stockade:", "bold red"), f" {error}"), soft_wrap=True)
        sys.exit(EXIT_WRONG)
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain once more when it closes the stream at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_WRONG)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
