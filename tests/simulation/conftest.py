"""Has the many schedules played beside the other tests, which mostly wait: most are done when their own test comes."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

SCHEDULES = os.environ.get("STOCKADE_SIMULATION_SCHEDULES", "100000")
NICE = "19"
"""No test that looks at a clock is to wait for it."""

_CAMPAIGN = pytest.StashKey[subprocess.Popen[str]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin, if the test that wants the result is to run."""
    wanted = any("campaign" in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly:
        return
    session.config.stash[_CAMPAIGN] = subprocess.Popen(
        ["nice", "-n", NICE, sys.executable, "-m", "tests.simulation.campaign", "0", SCHEDULES],
        cwd=session.config.rootpath,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End it with the session; where that is killed, it ends by itself when it finds nobody to tell how far it is."""
    process = session.config.stash.get(_CAMPAIGN, None)
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=10)


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> subprocess.Popen[str]:
    """The process that plays them; ends with 1 and the seeds where one broke the protocol."""
    return request.config.stash[_CAMPAIGN]
