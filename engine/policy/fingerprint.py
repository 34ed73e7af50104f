"""A short name for what a book of policies says, by which two processes know whether theirs are the same."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.policy.document import Document

_DIGITS = 16

_encode = msgspec.json.Encoder(order="sorted").encode


def fingerprint_of(document: Document) -> str:
    """Of what it says, not how: comments, order of keys and what is said by default anyway do not count.

    So a setting that a later release adds leaves the fingerprints of books that do not use it as they were.
    """
    said = _said(document)
    said["policies"] = {
        name: _said(policy) for name, policy in document.policies.items() if _said(policy) != {"objective": name}
    }
    return hashlib.sha256(_encode(said)).hexdigest()[:_DIGITS]


def _said(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        rows = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {field.encode_name: _said(one) for field, one in rows if field.required or one != _default(field)}
    if isinstance(value, dict):
        return {key: _said(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_said(one) for one in value]
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
