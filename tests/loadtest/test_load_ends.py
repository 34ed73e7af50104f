"""A generator that dies ends its run with the cause of it, and keeps nobody waiting."""

import os
import subprocess
import sys

from tests.loadtest.planted import OK, Planted, planted

RUN = """
import sys
from loadtest.load import NoRun, run_load
from loadtest.load_plan import Constant, Kind, LoadPlan

kind = Kind(name="order", path="/")
try:
    run_load(LoadPlan(url=sys.argv[1], arrivals=Constant(10), seconds=1.0, kinds=[kind], id_prefix="t"))
except NoRun as error:
    print(error)
"""
STACK_BYTES = 1 << 50
"""Of the core's threads: more than any address space has, so that it cannot start one, and panics."""


def test_a_panic_of_the_core_is_told() -> None:
    """It is no Exception in Python, and comes from another thread than the one that waits."""

    async def accept(request: Planted) -> None:
        await request.answer(OK)

    with planted(accept) as url:
        done = subprocess.run(
            [sys.executable, "-c", RUN, url],
            env=os.environ | {"RUST_MIN_STACK": str(STACK_BYTES)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the generator died: failed to spawn thread")
