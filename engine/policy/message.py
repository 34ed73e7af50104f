"""Writes a book of policies as the core reads it: one MessagePack map; rust_core/src/policy has its shape."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.policy.document import Document, PolicyDocument, RuleDocument, Weekday
from engine.policy.zones import offsets

_WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY_DAY = 0b111_1111

_pack = msgspec.msgpack.Encoder().encode


def message_of(document: Document) -> bytes:
    """The whole book. The document names a default."""
    return _pack(
        {
            "version": document.version,
            "default": document.default,
            "policies": [_policy(name, policy) for name, policy in document.policies.items()],
            "rules": [_rule(rule) for rule in document.rules],
        }
    )


def _policy(name: str, policy: PolicyDocument) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(policy)
    weights = fields.pop("weights") or {}
    return fields | {"name": name, "weights": {key: round(1000 * weight) for key, weight in weights.items()}}


def _rule(rule: RuleDocument) -> dict[str, Any]:
    lists = ("channels", "regions", "countries", "sku_classes", "service_levels", "customer_classes")
    when: dict[str, Any] = {name: getattr(rule, name) for name in lists}
    when |= {"value_min": rule.value_min, "value_max": rule.value_max}
    when |= {"from_ms": _ms(rule.from_), "until_ms": _ms(rule.until), "window": _window(rule)}
    message: dict[str, Any] = {"name": rule.name, "use": rule.use, "when": when}
    if rule.trial is not None:
        trial = rule.trial
        message["trial"] = {"name": trial.name, "use": trial.use, "share": round(100 * trial.share_percent)}
    return message


def _window(rule: RuleDocument) -> dict[str, Any] | None:
    if rule.hours is None and not rule.weekdays:
        return None
    days = sum(1 << _WEEKDAYS.index(day) for day in set(rule.weekdays)) or _EVERY_DAY
    hours = tuple(map(_minutes, rule.hours)) if rule.hours else None
    # A year back, so that orders of the near past can be replayed.
    table = offsets(rule.timezone or "UTC", datetime.now(UTC).year - 1)
    return {"hours": hours, "weekdays": days, "offsets": table}


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)
