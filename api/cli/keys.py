"""`stockade keys`: who may call the service over HTTP."""

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from api.cli.console import StoreOptions, err, out, print_json
from api.cli.opening import open_store
from api.cli.table import print_table
from engine.access import ApiKey, KeyLimit, KeyScope, NewKey
from engine.access.terms import check_limit, check_terms
from engine.errors import FieldError, InvalidInput

app = App(name="keys", help="Make, list, limit, rotate, revoke and forget the API keys of the HTTP service.")

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
OVERLAP = "24h"
OPTIONS = {
    "/name": "NAME",
    "/scopes": "--scope",
    "/channel": "--channel",
    "/expires_in": "--expires-in",
    "/limit/rate_per_s": "--rate",
    "/limit/burst": "--burst",
}
"""Which option is for which field."""

RATE = Annotated[
    float | None, Parameter(help="Requests a second that it may send; 0: any number. Else as the service is set.")
]
BURST = Annotated[int, Parameter(help="How many of them at once; 0: those of a second.")]
ID = Annotated[str, Parameter(help="The key's id, as `stockade keys list` shows it.")]


@app.command
async def create(
    name: Annotated[str, Parameter(help="Whose it is: for people to read.")],
    /,
    *,
    scope: Annotated[
        list[KeyScope], Parameter(help="What it allows; once for each: orders, stock, admin, read.", negative="")
    ],
    channel: Annotated[str | None, Parameter(help="It makes, reads and changes orders of this channel only.")] = None,
    signed: Annotated[bool, Parameter(help="Its requests must be signed, too.", negative="")] = False,
    expires_in: Annotated[str | None, Parameter(help="It ends after so long: 90d, 12h, 30m.")] = None,
    rate: RATE = None,
    burst: BURST = 0,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Make a key, and show it: once, here, and never again."""
    expires_in_s = None if expires_in is None else _seconds(expires_in, "--expires-in")
    with told_by_options():
        limit = _limit(rate, burst)
        check_terms(name, scope, channel=channel, expires_in_s=expires_in_s)
    async with open_store(store.settings(), makes=True, load=False) as engine:
        new = await engine.create_key(
            name, scope, channel=channel, signed=signed, expires_in_s=expires_in_s, limit=limit
        )
    _tell(new, json=json)
    return 0


@app.command(name="list")
async def list_keys(*, json: bool = False, store: StoreOptions = StoreOptions()) -> int:  # noqa: B008 - frozen
    """List every key that was made, the oldest first, with those revoked. No secret is shown: none is kept.

    When a key was used last is known to the minute, a minute later at most.
    """
    async with open_store(store.settings(), load=False) as engine:
        keys = await engine.keys()
    if json:
        print_json(keys)
        return 0
    heads = ("id", "name", "state", "scopes", "channel", "signed", "rate", "made", "last used", "secrets")
    print_table(heads, [_row(key) for key in keys])
    return 0


@app.command
async def rotate(
    id: ID,
    /,
    *,
    overlap: Annotated[str, Parameter(help="How long the former secret is taken beside the new one.")] = OVERLAP,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Give a key another secret, and show it: once. The former one goes on for a while."""
    overlap_s = _seconds(overlap, "--overlap")
    async with open_store(store.settings(), load=False) as engine:
        new = await engine.rotate_key(id, overlap_s=overlap_s)
    _tell(new, json=json)
    return 0


@app.command
async def forget(
    id: ID,
    /,
    *,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Strike a key off the list that was revoked or has expired: it makes room for another."""
    async with open_store(store.settings(), load=False) as engine:
        key = await engine.forget_key(id)
    if json:
        print_json(key)
    else:
        out.print(f"Forgotten: {key.id} ({key.name}).", markup=False)
    return 0


@app.command
async def revoke(
    id: ID,
    /,
    *,
    former: Annotated[bool, Parameter(help="Only the secret that a rotation left alive.", negative="")] = False,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Have a key taken no more: every service on the store knows within a second."""
    async with open_store(store.settings(), load=False) as engine:
        key = await engine.revoke_key(id, former_only=former)
    if json:
        print_json(key)
    else:
        out.print(
            f"{'Its newest secret alone is taken' if former else 'Revoked'}: {key.id} ({key.name}).", markup=False
        )
    return 0


@app.command
async def limit(
    id: ID,
    /,
    *,
    rate: RATE = None,
    burst: BURST = 0,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Change how many requests a key may send. Without --rate it is what the service is set to."""
    with told_by_options():
        found = _limit(rate, burst)
    async with open_store(store.settings(), load=False) as engine:
        key = await engine.limit_key(id, found)
    if json:
        print_json(key)
    else:
        out.print(f"The limit of {key.id} ({key.name}): {_rate(key.limit)}.", markup=False)
    return 0


def _limit(rate: float | None, burst: int) -> KeyLimit | None:
    if rate is None and burst:
        raise InvalidInput((FieldError("--burst", "goes with --rate"),))
    found = None if rate is None else KeyLimit(rate, burst)
    check_limit(found)
    return found


@contextlib.contextmanager
def told_by_options() -> Iterator[None]:
    """Have mistakes name the option that they are in rather than the field that it is for."""
    try:
        yield
    except InvalidInput as error:
        told = tuple(FieldError(OPTIONS.get(one.pointer, one.pointer), one.message) for one in error.errors)
        raise InvalidInput(told) from None


def _rate(limit: KeyLimit | None) -> str:
    if limit is None:
        return "as set"
    return f"{limit.rate_per_s:g}/s, {limit.burst_or_default} at once" if limit.rate_per_s else "any number"


def _tell(new: NewKey, *, json: bool) -> None:
    if json:
        signing = {} if new.signing_secret is None else {"signing_secret": new.signing_secret}
        print_json({**msgspec.to_builtins(new.key), "key": new.text, **signing})
        return
    # By themselves on standard output, so that a shell can take them.
    print(new.text)
    if new.signing_secret is not None:
        print(new.signing_secret)
    what = "the key, and the secret to sign with" if new.signing_secret is not None else "the key"
    err.print(f"This is {what}; it is not kept, and not shown again. Its id is {new.key.id}.", markup=False)


def _row(key: ApiKey) -> tuple[object, ...]:
    secrets = "; ".join(
        f"no. {each.generation}" + (f" until {_day(each.ends_at)}" if each.ends_at is not None else "")
        for each in key.secrets
    )
    state = key.state
    if key.revoked_at is not None:
        told = f"revoked {_day(key.revoked_at)}"
    else:
        told = state if key.expires_at is None else f"{state}, until {_day(key.expires_at)}"
    signed = "yes" if key.signed else "no"
    return (
        key.id,
        key.name,
        told,
        ", ".join(key.scopes),
        key.channel or "all",
        signed,
        _rate(key.limit),
        _day(key.made_at),
        "-" if key.last_used_at is None else _day(key.last_used_at),
        secrets,
    )


def _day(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def _seconds(text: str, option: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    if found is None:
        raise InvalidInput((FieldError(option, f'must be a number and s, m, h or d, as 90d; not "{text}"'),))
    return int(found[1]) * SECONDS[found[2]]
