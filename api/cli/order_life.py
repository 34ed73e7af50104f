"""`stockade orders confirm|cancel|extend|ship|split|amend`: changes of one order."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from api.cli.console import EXIT_FINDING, StoreOptions, err, print_json
from api.cli.opening import open_store
from api.cli.orders import orders, print_allocation
from engine import Engine
from engine.errors import FieldError, InvalidInput
from engine.intake import Contended, InsufficientStock, Invalid, NotDeliverable, PurchaseLimit
from engine.life.change import Change, Changed, IdTaken, InvalidState, NotFound, TransitionConflict, VersionConflict
from engine.model import Allocation, HeldLine, Line

app = App(name="orders", help="List orders, show one, or change one.")
app.default(orders)

TransitionId = Annotated[
    str | None, Parameter(name="--id", help="Names this change: repeated under one id it has one effect.")
]
Version = Annotated[int | None, Parameter(help="Only if the order is at this version.")]
HeldLineTexts = Annotated[
    list[str] | None, Parameter(name="--line", negative="", help="SKU=UNITS or SKU=UNITS@WAREHOUSE.")
]

_LINE = re.compile(r"(?P<sku>.+)=(?P<quantity>[0-9]+)(?:@(?P<warehouse>.+))?")


@app.command
async def confirm(
    order_id: str,
    /,
    *,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Make an unpaid order's hold last."""
    return await _change(store, order_id, json, lambda e: e.confirm(order_id, transition_id=id_, version=version))


@app.command
async def cancel(
    order_id: str,
    /,
    *,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Give back what an order holds of which nothing has left."""
    return await _change(store, order_id, json, lambda e: e.cancel(order_id, transition_id=id_, version=version))


@app.command
async def extend(
    order_id: str,
    hold_seconds: int,
    /,
    *,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Have an unpaid order's hold end so many seconds from now."""
    own = id_ or _own_id()
    return await _change(
        store, order_id, json, lambda e: e.extend(order_id, hold_seconds, transition_id=own, version=version)
    )


@app.command
async def ship(
    order_id: str,
    /,
    *,
    line: HeldLineTexts = None,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Let units of a confirmed order leave: those of the lines given, or all that are left."""
    own, lines = id_ or _own_id(), [_held_line(index, text) for index, text in enumerate(line or [])]
    return await _change(
        store, order_id, json, lambda e: e.ship(order_id, lines=lines or None, transition_id=own, version=version)
    )


@app.command
async def split(
    order_id: str,
    into: str,
    /,
    *,
    line: HeldLineTexts = None,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Make units of an order an order of their own, INTO: the order's id, a slash and a name."""
    own, lines = id_ or _own_id(), [_held_line(index, text) for index, text in enumerate(line or [])]
    return await _change(
        store, order_id, json, lambda e: e.split(order_id, into, lines, transition_id=own, version=version), into
    )


@app.command
async def amend(
    order_id: str,
    /,
    *,
    line: Annotated[list[str] | None, Parameter(name="--line", negative="", help="SKU=UNITS.")] = None,
    id_: TransitionId = None,
    version: Version = None,
    json: bool = False,
    store: StoreOptions = StoreOptions(),  # noqa: B008 - frozen
) -> int:
    """Give an order other lines, with all the units it shall have; what is not named is dropped."""
    own, lines = id_ or _own_id(), [_new_line(index, text) for index, text in enumerate(line or [])]
    return await _change(store, order_id, json, lambda e: e.amend(order_id, lines, transition_id=own, version=version))


def _own_id() -> str:
    return f"cli-{secrets.token_hex(8)}"


def _held_line(index: int, text: str) -> HeldLine:
    found = _LINE.fullmatch(text)
    if found is None:
        raise InvalidInput((FieldError(f"/lines/{index}", f'"{text}" is not SKU=UNITS or SKU=UNITS@WAREHOUSE'),))
    return HeldLine(found["sku"], int(found["quantity"]), found["warehouse"])


def _new_line(index: int, text: str) -> Line:
    found = _LINE.fullmatch(text)
    if found is None or found["warehouse"] is not None:
        raise InvalidInput((FieldError(f"/lines/{index}", f'"{text}" is not SKU=UNITS'),))
    return Line(found["sku"], int(found["quantity"]))


async def _change(
    store: StoreOptions,
    order_id: str,
    json: bool,
    ask: Callable[[Engine], Awaitable[Change]],
    into: str = "",
) -> int:
    # Whatever file this shell names: an order is planned anew by the policies that all have.
    settings = msgspec.structs.replace(store.settings(), policies_file=None)
    async with open_store(settings) as engine:
        change = await ask(engine)
    match change:
        case Changed():
            found = [change.allocation]
            if change.split_off is not None:
                found.append(msgspec.json.decode(change.split_off, type=Allocation))
            if json:
                print_json(found if into else found[0])
            else:
                for allocation in found:
                    print_allocation(allocation)
            return 0
        case Invalid(errors):
            raise InvalidInput(errors)
        case refused:
            err.print(_reason(order_id, into, refused), markup=False, soft_wrap=True)
            return EXIT_FINDING


Refused = (
    NotFound
    | InvalidState
    | VersionConflict
    | TransitionConflict
    | IdTaken
    | InsufficientStock
    | NotDeliverable
    | PurchaseLimit
    | Contended
)


def _reason(order_id: str, into: str, refused: Refused) -> str:
    match refused:
        case NotFound():
            return f'No order has the id "{order_id}".'
        case InvalidState(status, version):
            return f"The order is {status} (version {version}), which forbids it. Nothing was changed."
        case VersionConflict(status, version):
            return f"The order is at version {version} ({status}). Nothing was changed."
        case TransitionConflict():
            return "The id of this change was used for another content before. Nothing was changed."
        case IdTaken():
            return f'"{into}" belongs to another order. Nothing was changed.'
        case InsufficientStock(shortages):
            rows = "; ".join(f"{row.requested} of {row.sku} wanted, {row.available} there" for row in shortages)
            return f"{refused.why or 'Not enough stock:'} {rows}. Nothing was changed."
        case NotDeliverable():
            return f"{refused.why} Nothing was changed."
        case PurchaseLimit(exceeded):
            rows = "; ".join(
                f"{row.requested} of {row.sku} wanted, {row.remaining} of {row.limit} left" for row in exceeded
            )
            return f"Beyond the purchase limit: {rows}. Nothing was changed."
        case Contended():
            return "Others changed the order or took the stock first, every time. Nothing was changed: try again."
