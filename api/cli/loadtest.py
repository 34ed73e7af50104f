"""`stockade loadtest`: loads a service over HTTP, at times that its answers do not change, and audits what it told."""

import contextlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from api.cli.console import EXIT_FINDING, StoreOptions, err, print_json
from api.cli.load_books import with_store_audit
from api.cli.load_faults import Processes
from api.cli.load_job import Job, plain_job, scenario_job
from api.cli.load_options import How, Scene, What, When, url_of
from api.cli.load_table import print_checked, print_load, print_scenarios, show_action, show_second
from api.cli.service import started_service
from engine import Settings, load_settings
from engine.config import PREFIX
from engine.errors import FieldError, InvalidInput
from loadtest.audit.audit import Auditor, NotAudited
from loadtest.audit.finding import RunAudit
from loadtest.audit.stock import read_stock
from loadtest.client import Client, UnexpectedAnswer
from loadtest.load import NoRun
from loadtest.load_result import LoadResult
from loadtest.scenarios import Scenario, read_scenario
from loadtest.scenarios.actions import Actions, play
from loadtest.scenarios.document import Service
from loadtest.scenarios.goods import Goods
from loadtest.scenarios.targets import judged

URL = "http://127.0.0.1:8080"
NOT_ASKED = "--no-audit"
KEYS_REFUSED = (401, 403)


async def loadtest(
    *,
    scene: Scene = Scene(),  # noqa: B008 - frozen
    when: When = When(),  # noqa: B008 - frozen
    what: What = What(),  # noqa: B008 - frozen
    how: How = How(),  # noqa: B008 - frozen
    p99_ms: Annotated[
        float | None, Parameter(help="Exit 1 if p99 of what is accepted, from the intended time, is above this.")
    ] = None,
    overloaded_max: Annotated[
        float | None,
        Parameter(
            help="Exit 1 if a larger share of orders gets 429 or 503; else what the scenario says, or 0.01.",
            validator=Number(gte=0, lte=1),
        ),
    ] = None,
    audit: Annotated[bool, Parameter(help="Look afterwards whether all that was told is so.")] = True,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
    json: bool = False,
) -> int:
    """Load a service over HTTP with orders, tell how long they took from when they were due, and audit them.

    The orders are real: what is accepted holds stock. With --redis-url or --data-dir of the service's store its books
    are audited, too. Exit 1 if the service lied, requests failed or were never sent, the service did not follow, the
    generator was what limited the run, or a target was missed.
    """
    if scene.scenarios:
        print_scenarios(json=json)
        return 0
    scenario = None if scene.scenario is None else read_scenario(scene.scenario)
    if scene.check:
        print_checked(scenario)
        return 0
    if scenario is not None:
        _check_needs(scenario, scene)
    else:
        when.check()
    _check_writable(how.record)
    async with contextlib.AsyncExitStack() as stack:
        faults, settings, url = Processes(fail_over=scene.fail_over), None, url_of(scene.url or URL)
        if scene.serve:
            if scene.url is not None:
                raise InvalidInput((FieldError("--serve", "starts a service of its own: leave --url out"),))
            home = Path(stack.enter_context(_folder()))
            settings, environment = _own(home, scenario, scene.workers)
            err.print("Starting a service on a store of its own ...")
            sample = scenario is None or scenario.document.catalogue is None
            service = await stack.enter_async_context(
                started_service(settings.data_dir, sample=sample, settings=environment, log=home / "log")
            )
            url, faults = service.url, Processes(service.pid, settings.data_dir, fail_over=scene.fail_over)
        elif store.redis_url is not None or store.data_dir is not None:
            settings = store.settings()
        job = await (
            plain_job(url, when, what, how) if scenario is None else scenario_job(url, scenario, when, what, how)
        )
        result, left = await _run(job, faults, settings if audit else None, audited=audit)
    targets = None if job.scenario is None else job.scenario.document.targets
    found = judged(result, targets, p99_ms=p99_ms, overloaded_max=overloaded_max, left=left)
    if json:
        print_json(msgspec.structs.replace(result, findings=found))
    else:
        print_load(result)
    for one in found:
        err.print(one, style="red", markup=False)
    return EXIT_FINDING if found else 0


def _check_writable(record: Path | None) -> None:
    """Raises InvalidInput, before anything is sent that could not be recorded."""
    if record is None:
        return
    try:
        with record.open("ab"):
            pass
    except OSError as error:
        raise InvalidInput((FieldError("--record", f"{record} cannot be written: {error.strerror}"),)) from None


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="stockade-loadtest-")


def _own(home: Path, scenario: Scenario | None, workers: int | None) -> tuple[Settings, dict[str, str]]:
    """The settings of a service of this command's own, and the environment that makes them."""
    wanted = Service() if scenario is None else scenario.document.service
    given = {"workers": workers or wanted.workers, **wanted.settings}
    environment = {f"{PREFIX}{name.upper()}": _text(value) for name, value in given.items()}
    return load_settings(environment, data_dir=home / "store"), environment


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_needs(scenario: Scenario, scene: Scene) -> None:
    """Raises InvalidInput where the scenario does what cannot be done."""
    done = {action.do for action in scenario.document.actions}
    if "fail_over" in done and scene.fail_over is None:
        needs = scenario.document.needs or "A store that fails over, and the command that makes it."
        raise InvalidInput((FieldError("--fail-over", f"is needed by this scenario. {needs}"),))
    if done & {"kill_worker", "kill_store", "slow_store"} and not scene.serve:
        told = f"is needed: the scenario does {', '.join(sorted(done))} to processes of this command's own"
        raise InvalidInput((FieldError("--serve", told),))


async def _run(
    job: Job, faults: Processes, store: Settings | None, *, audited: bool
) -> tuple[LoadResult, Counter[str] | str | None]:
    """The run and its audit; and what is left of the hot SKUs, where that is asked, or why that cannot be told."""
    document = None if job.scenario is None else job.scenario.document
    audited = audited and (document is None or document.targets.audit)
    plan = msgspec.structs.replace(job.plan, ledger="told" if audited else None)
    err.print(
        f"Sending to {plan.url} for {plan.seconds:g} s, {job.words}, on {plan.connections} connections;"
        f" ids begin {plan.id_prefix}."
    )
    goods = job.goods or Goods(skus=(), hot=0, places=())
    actions = Actions(document.actions if document else (), goods, faults, show_action)
    auditor = Auditor(plan, job.skus) if audited else None
    try:
        before = None if auditor is None else await auditor.begin()
        run, done = await play(plan, actions, show_second)
    except NotAudited as error:
        advice = "Give a key that may read, or" if error.status in KEYS_REFUSED else "To load it all the same,"
        told = f"It cannot be audited: {error}. {advice} run with --no-audit."
        raise InvalidInput((FieldError("loadtest", told),)) from None
    except NoRun as error:
        raise InvalidInput((FieldError("loadtest", str(error)),)) from None
    found = RunAudit(skipped=NOT_ASKED)
    if auditor is not None and before is not None:
        err.print("Auditing what was told ...")
        try:
            found = await auditor.end(before, run, moved=actions.moved)
        except NotAudited as error:
            found = RunAudit(broken=str(error))
        if store is not None:
            found = await with_store_audit(found, store)
    left = await _left(job) if document is not None and document.targets.sold_out else None
    name = None if job.scenario is None else job.scenario.name
    return msgspec.structs.replace(run.result, scenario=name, actions=done, audit=found), left


async def _left(job: Job) -> Counter[str] | str:
    """Units of the hot SKUs that are free, or why nobody knows."""
    plan, goods = job.plan, job.goods
    hot = [] if goods is None else goods.wanted("hot")
    try:
        async with Client(plan.url, connections=1, key=plan.key, signing_secret=plan.signing_secret) as client:
            stock = await read_stock(client, hot)
    except (aiohttp.ClientError, UnexpectedAnswer, TimeoutError, msgspec.DecodeError) as error:
        return str(error) or type(error).__name__
    if stock is None:
        return "there are too many cells"
    left: Counter[str] = Counter()
    for cell in stock.values():
        if cell.sku in hot:
            left[cell.sku] += max(0, cell.available)
    return left
