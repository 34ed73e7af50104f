"""What a whole cluster promises: as much as the primary that promises least, with advice that names its node."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.errors import StoreUnavailable
from engine.store.durability import Durable, StoreDescription, describe_store

_WORST_FIRST: tuple[Durable, ...] = ("none", "unknown", "no", "everysec", "always")
_FULL_COVERAGE = "cluster-require-full-coverage"


async def describe_cluster(nodes: Mapping[str, Redis], *, replicas_acked_min: int) -> StoreDescription:
    """Ask all primaries, by name. Raises StoreUnavailable when none answers, StoreUnsupported when one is too old."""
    found = await asyncio.gather(
        *(describe_store(client, replicas_acked_min=replicas_acked_min) for client in nodes.values()),
        return_exceptions=True,
    )
    described: dict[str, StoreDescription] = {}
    silent: dict[str, StoreUnavailable] = {}
    for name, each in zip(nodes, found, strict=True):
        if isinstance(each, StoreUnavailable):
            silent[name] = each
        elif isinstance(each, BaseException):
            raise each
        else:
            described[name] = each
    if not described:
        raise next(iter(silent.values()), StoreUnavailable("No node of the cluster serves a slot: see CLUSTER NODES."))
    strict = any(await asyncio.gather(*(_requires_full_coverage(nodes[name]) for name in described)))
    return merged(described, silent=tuple(silent), requires_full_coverage=strict)


def merged(
    described: Mapping[str, StoreDescription], *, silent: tuple[str, ...], requires_full_coverage: bool
) -> StoreDescription:
    """One description from those of all primaries that answered."""
    worst = min(described.values(), key=lambda each: _WORST_FIRST.index(each.durable))
    advice = [f"{name} does not answer, and orders whose stock it has must wait: see its log." for name in silent]
    said_by: dict[str, list[str]] = {}
    for name, each in described.items():
        for sentence in each.advice:
            said_by.setdefault(sentence, []).append(name)
    advice += [f"{', '.join(names)}: {sentence}" for sentence, names in said_by.items()]
    bare = [name for name, each in described.items() if not each.replicas]
    if bare:
        advice.append(
            f"{', '.join(bare)}: no replica is connected. While such a node is down, the stock that it has cannot be"
            " sold, and when its disk is lost, so are its orders: give each primary a replica (CLUSTER REPLICATE)."
        )
    if requires_full_coverage:
        advice.append(
            f"{_FULL_COVERAGE} is yes: while one node is down that nobody replaces, no other one answers either, not"
            f" even who reads an order. CONFIG SET {_FULL_COVERAGE} no, on every node."
        )
    limits = [each.maxmemory for each in described.values()]
    return msgspec.structs.replace(
        worst,
        mode="cluster",
        primaries=len(described) + len(silent),
        replicas=min(each.replicas for each in described.values()),
        maxmemory=sum(limits) if all(limits) else 0,
        used_memory=sum(each.used_memory for each in described.values()),
        advice=tuple(advice),
    )


async def _requires_full_coverage(client: Redis) -> bool:
    try:
        reply: dict[Any, Any] = await client.config_get(_FULL_COVERAGE)
    except RedisError:
        return False
    return str(reply.get(_FULL_COVERAGE)) == "yes"
