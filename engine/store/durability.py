"""Reads off a live store what it promises, and says in words what to change. Changes nothing itself."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from engine.errors import StoreUnavailable, StoreUnsupported

REDIS_VERSION_MIN = (7, 0)
"""The first with function libraries. Every Valkey has them."""

Product = Literal["valkey", "redis"]
Mode = Literal["standalone", "cluster", "sentinel"]
Role = Literal["primary", "replica", "unknown"]
Durable = Literal["always", "everysec", "no", "none", "unknown"]

_SETTINGS = ("appendfsync", "no-appendfsync-on-rewrite")

_DURABLE_ADVICE: dict[Durable, str] = {
    "always": "",
    "everysec": (
        "Acknowledged orders of up to the last 2 seconds may be lost when the store's machine, or at times when its"
        " process, crashes: CONFIG SET appendfsync always."
    ),
    "no": (
        "Acknowledged orders of up to the last 30 seconds may be lost when the store crashes: CONFIG SET appendfsync"
        " always, and CONFIG SET no-appendfsync-on-rewrite no."
    ),
    "none": (
        "The append-only file is off: every acknowledged order since the last snapshot, if there is one, is lost when"
        " the store restarts. CONFIG SET appendonly yes, and CONFIG SET appendfsync always."
    ),
    "unknown": (
        "The store does not let us read appendfsync (CONFIG GET is refused), so whether acknowledged orders survive a"
        " crash is unknown: ask its operator for an append-only file with appendfsync always, or allow +config|get."
    ),
}


class StoreDescription(Struct, frozen=True, kw_only=True):
    """What a store is and promises. `maxmemory` (0: no limit) and `used_memory` in bytes."""

    product: Product
    version: str
    mode: Mode
    role: Role
    appendonly: bool
    appendfsync: str | None
    """As configured; None when CONFIG GET is refused."""
    maxmemory: int
    maxmemory_policy: str
    used_memory: int
    durable: Durable
    """When an acknowledged write is on disk, at the worst of times; `none` without an append-only file."""
    primaries: int = 1
    """Nodes of a cluster that serve slots."""
    replicas: int = 0
    """Replicas that are connected; of a cluster, to the primary that has the fewest."""
    advice: tuple[str, ...]
    """One sentence or two for each setting that breaks a promise; empty when all is well."""


async def describe_store(client: Redis, *, replicas_acked_min: int = 0) -> StoreDescription:
    """Ask the store with INFO and CONFIG GET; the latter may be refused. `replicas_acked_min` is the setting's value.

    Raises StoreUnsupported for a Redis older than REDIS_VERSION_MIN, StoreUnavailable when INFO cannot be had.
    """
    try:
        info = await client.info()
    except RedisError as error:
        raise StoreUnavailable(
            f"The store does not answer INFO: {str(error).rstrip('.')}. Check its address and access rules."
        ) from error
    try:
        reply = await client.config_get(*_SETTINGS)
    except ResponseError:
        reply = {}
    except RedisError as error:
        raise StoreUnavailable(f"The store went away while it was asked for its settings: {error}") from error
    settings = {str(name): str(value) for name, value in reply.items()}
    return describe(info, settings, replicas_acked_min=replicas_acked_min)


def describe(info: Mapping[str, Any], settings: Mapping[str, str], *, replicas_acked_min: int = 0) -> StoreDescription:
    """The description from an INFO reply and a CONFIG GET reply, which is empty when refused.

    Raises StoreUnsupported for a Redis older than REDIS_VERSION_MIN.
    """
    # Valkey names a redis_version too, that of the Redis it is compatible with: its own key decides.
    product: Product = "valkey" if "valkey_version" in info else "redis"
    version = str(info.get(f"{product}_version", "unknown"))
    if product == "redis" and _numbers(version) < REDIS_VERSION_MIN:
        raise StoreUnsupported(f"Redis {version} is too old: use Redis 7.0 or later, or any Valkey.")
    mode = cast(Mode, info.get("server_mode") or info.get("redis_mode") or "standalone")
    roles: dict[Any, Role] = {"master": "primary", "slave": "replica"}
    role = roles.get(info.get("role"), "unknown")
    appendonly = bool(info.get("aof_enabled", 0))
    policy = str(info.get("maxmemory_policy", "unknown"))
    durable = _durable(appendonly, settings)
    replicas = int(info.get("connected_slaves", 0))
    advice = _advice(mode=mode, role=role, policy=policy, durable=durable)
    return StoreDescription(
        product=product,
        version=version,
        mode=mode,
        role=role,
        appendonly=appendonly,
        appendfsync=settings.get("appendfsync"),
        maxmemory=int(info.get("maxmemory", 0)),
        maxmemory_policy=policy,
        used_memory=int(info.get("used_memory", 0)),
        durable=durable,
        replicas=replicas,
        advice=advice if mode == "sentinel" else advice + _replica_advice(replicas, replicas_acked_min),
    )


def _durable(appendonly: bool, settings: Mapping[str, str]) -> Durable:
    if not appendonly:
        return "none"
    appendfsync = settings.get("appendfsync")
    if appendfsync not in ("always", "everysec", "no"):
        return "unknown"
    # With this set, nothing is fsynced while the file is rewritten, whatever appendfsync says.
    if settings.get("no-appendfsync-on-rewrite") == "yes":
        return "no"
    return cast(Durable, appendfsync)


def _advice(*, mode: Mode, role: Role, policy: str, durable: Durable) -> tuple[str, ...]:
    if mode == "sentinel":
        return ("This is a Sentinel, which holds no data: ask it for the primary, and give that one's address.",)
    advice = [_DURABLE_ADVICE[durable]]
    if policy != "noeviction":
        advice.append(
            f"maxmemory-policy is {policy}: when memory is full, the store may drop stock and reservations without a"
            " word. CONFIG SET maxmemory-policy noeviction."
        )
    if role == "replica" and mode != "cluster":
        advice.append("This is a replica, which takes no orders: give the address of its primary.")
    return tuple(sentence for sentence in advice if sentence)


def _replica_advice(replicas: int, acked_min: int) -> tuple[str, ...]:
    if replicas and not acked_min:
        return (
            f"{replicas} replicas follow, but an order is acknowledged before any of them has it, and is lost when one"
            " takes over just then: STOCKADE_REPLICAS_ACKED_MIN=1.",
        )
    if replicas < acked_min:
        return (
            f"{replicas} replicas follow, but STOCKADE_REPLICAS_ACKED_MIN is {acked_min}: no order can be acknowledged."
            " Connect more replicas, or lower it.",
        )
    return ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
