"""Makes a load plan of a scenario: who buys becomes kinds of requests, when becomes arrivals. Pure."""

from collections.abc import Sequence

import msgspec

from loadtest.load_plan import (
    Arrivals,
    Closed,
    Constant,
    Kind,
    Lines,
    LoadPlan,
    Poisson,
    Ramp,
    Retries,
    Spike,
    Table,
    Trace,
)
from loadtest.scenarios.document import Buyers, Load, ScenarioDocument
from loadtest.scenarios.goods import Goods

PLACES = "places"

_ORDER = '{"order_id":"${id}","customer":"%s-${number:%d}","ship_to":${%s},"lines":[${lines:%s}],"payment":"%s"%s}'


def plan_of(
    document: ScenarioDocument,
    goods: Goods,
    *,
    url: str,
    id_prefix: str,
    seed: int,
    key: str | None = None,
    signing_secret: str | None = None,
    trace_s: Sequence[float] = (),
) -> LoadPlan:
    """The run of a scenario. `trace_s`: the times of its trace, where it has one."""
    load = document.load
    tables = {PLACES: Table([msgspec.json.encode(place).decode() for place in goods.places], raw=True)}
    baskets: dict[str, Lines] = {}
    kinds: list[Kind] = []
    for buyers in document.buyers:
        skus = goods.wanted(buyers.want)
        tables[f"{buyers.name}-skus"] = Table(list(skus), zipf=buyers.zipf or None, distinct=True)
        baskets[buyers.name] = Lines(
            f"{buyers.name}-skus", _even(*buyers.lines, most=len(skus)), _even(*buyers.units, most=buyers.units[1])
        )
        kinds += kinds_of(buyers, run=id_prefix)
    return LoadPlan(
        url=url,
        arrivals=arrivals_of(load, trace_s),
        seconds=load.seconds if load.shape != "trace" else trace_s[-1] / load.speed + 0.001,
        warmup_s=load.warmup_s,
        kinds=kinds,
        id_prefix=id_prefix,
        connections=load.connections,
        seed=seed,
        timeout_s=load.timeout_s,
        key=key,
        signing_secret=signing_secret,
        tables=tables,
        baskets=baskets,
        retries=Retries(load.retries, load.retry_wait_s_max) if load.retries else None,
    )


def arrivals_of(load: Load, trace_s: Sequence[float] = ()) -> Arrivals:
    """When requests become due."""
    match load.shape:
        case "closed":
            return Closed()
        case "constant":
            return Constant(load.rate)
        case "poisson":
            return Poisson(load.rate)
        case "ramp":
            return Ramp(load.rate, load.to or 0)
        case "spike":
            return Spike(load.rate, load.peak or 0, load.peak_at_s or 0, load.peak_for_s or 0)
        case "trace":
            return Trace(list(trace_s), load.speed)


def kinds_of(buyers: Buyers, *, run: str) -> list[Kind]:
    """What some buyers send. Their customers are the run's own, so that limits of an earlier one do not count."""
    pending = buyers.pays != "at_once"
    held = f',"hold_seconds":{buyers.hold_s}' if pending else ""
    customer, payment = f"{run}-{buyers.name}", "pending" if pending else "paid"
    body = _ORDER % (customer, buyers.customers, PLACES, buyers.name, payment, held)
    if buyers.bulk_lines is not None:
        path, media = "/v1/orders:bulk", "application/x-ndjson"
        bulk = buyers.bulk_lines
        return [Kind(name=buyers.name, path=path, body=body, weight=buyers.share, bulk_lines=bulk, content_type=media)]
    # For each order that is paid later there is a step; replays are a share of all that these buyers send.
    orders = buyers.share * (1 - buyers.replays)
    steps = orders / 2 if buyers.pays == "later" else 0.0
    kinds = [Kind(name=buyers.name, path="/v1/orders", body=body, weight=orders - steps)]
    if buyers.replays:
        again = buyers.share * buyers.replays
        kinds.append(Kind(name=f"{buyers.name}-again", path="/v1/orders", replays=buyers.name, weight=again))
    for step, share in (("confirm", 1 - buyers.cancels), ("cancel", buyers.cancels)):
        if steps and share:
            path = "/v1/orders/${id}/" + step
            name, weight = f"{buyers.name}-{step}", steps * share
            kinds.append(Kind(name=name, path=path, accepted=buyers.name, weight=weight))
    return kinds


def _even(least: int, most_wanted: int, *, most: int) -> list[float]:
    """Weights of 1, 2, 3...: 0 below the least."""
    least, most = min(least, most), min(most_wanted, most)
    return [0.0] * (least - 1) + [1.0] * (most - least + 1)
