"""Starts a service for `stockade capacity run`, and finds its processes; or takes one that runs somewhere."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from api.cli.load_books import with_store_audit
from api.cli.load_faults import Processes, worker_pids
from api.cli.service import started_service
from engine import load_settings
from engine.config import PREFIX
from engine.store.address import APPEND_ONLY_DIR, probe, socket_path
from loadtest.audit.finding import RunAudit
from loadtest.capacity.measure import Rig
from loadtest.capacity.site import OpenSite, Site
from loadtest.capacity.watch import Watched
from loadtest.client import Client

CLIENT_CONNECTIONS = 8


def own_site() -> OpenSite:
    """Services of this command's own, each on a store in a temporary folder that goes with it."""

    @contextlib.asynccontextmanager
    async def opened(workers: int) -> AsyncIterator[Site]:
        with tempfile.TemporaryDirectory(prefix="stockade-capacity-", ignore_cleanup_errors=True) as home:
            environment = {f"{PREFIX}WORKERS": str(workers)}
            settings = load_settings(environment, data_dir=Path(home) / "store")

            async def store_audit(found: RunAudit) -> RunAudit:
                return await with_store_audit(found, settings)

            service = started_service(settings.data_dir, settings=environment, log=Path(home) / "log")
            async with service as running, Client(running.url, connections=CLIENT_CONNECTIONS) as client:
                yield Site(
                    rig=Rig(
                        url=running.url,
                        client=client,
                        watched=_watched(running.pid, settings.data_dir),
                        store_folder=settings.data_dir / APPEND_ONLY_DIR,
                        generator_pid=os.getpid(),
                    ),
                    own=True,
                    kill_store=Processes(running.pid, settings.data_dir).kill_store,
                    store_audit=store_audit,
                )

    return opened


def site_at(url: str, key: str | None, signing_secret: str | None) -> OpenSite:
    """A service that runs, as it is: of it only what it tells can be seen."""

    @contextlib.asynccontextmanager
    async def opened(_: int) -> AsyncIterator[Site]:
        async with Client(url, connections=CLIENT_CONNECTIONS, key=key, signing_secret=signing_secret) as client:
            yield Site(rig=Rig(url=url, client=client, generator_pid=os.getpid()), own=False)

    return opened


def _watched(pid: int, data_dir: Path) -> list[Watched]:
    workers = [Watched("worker", f"worker {place}", one) for place, one in enumerate(worker_pids(pid), 1)]
    name = "supervisor" if workers else "service"
    found = [Watched("service", name, pid), *workers]
    store = probe(socket_path(data_dir))
    return found if store is None else [*found, Watched("store", "store", store.pid)]
