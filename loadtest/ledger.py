"""What each order of a run was told, as the generator kept it: arrays by the order's number. Knows no service."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine import _core
from loadtest.load_plan import Kind, LoadPlan

ENTRY = np.dtype(
    [
        ("digest", "<u4"),
        ("sent_ms", "<u4"),
        ("took_ms", "<u4"),
        ("status", "<u2"),
        ("marks", "u1"),
        ("state", "u1"),
    ]
)
"""One order; see loadtest/generator/src/ledger.rs."""

ACKNOWLEDGED, REFUSED, LOST, TURNED_AWAY, CONTRADICTED, UNREADABLE, FOR_STOCK, STEP_LOST = (
    1 << bit for bit in range(8)
)
STATES = ("", "reserved", "confirmed", "partially_shipped", "shipped", "backordered", "expired", "released")
HOLDING = (1, 2, 3)
"""Numbers of the states that hold stock."""

ORDER_PATHS = ("/v1/orders", "/v1/orders:bulk")

Entries = npt.NDArray[np.void]


class Told(Struct, frozen=True):
    """Orders of one kind that were sent: their numbers and ids, and what they were told, in the same order."""

    kind: int
    numbers: npt.NDArray[np.int64]
    ids: Sequence[str]
    entries: Entries


class _Identified(Struct):
    order_id: str = ""


_identified = msgspec.json.Decoder(_Identified)


class Ledger:
    """The orders of one run."""

    def __init__(self, run: _core.LoadRun, plan: LoadPlan) -> None:
        self._run = run
        self._plan = plan

    def orders(self) -> Iterator[Told]:
        """Those that were sent, kind by kind; in bodies that came from elsewhere an id that came twice is one order."""
        for number, kind in enumerate(self._plan.kinds):
            if kind.method != "POST" or kind.path not in ORDER_PATHS or kind.replays or kind.accepted:
                continue
            entries = self.of_kind(number)
            numbers = np.flatnonzero(entries["marks"])
            if kind.bodies is None:
                ids = [f"{self._plan.id_prefix}-{number}-{one}" for one in numbers.tolist()]
                yield Told(number, numbers, ids, entries[numbers])
            else:
                yield _merged(number, numbers, entries, kind)

    def of_kind(self, kind: int) -> Entries:
        """All of a kind by their numbers; `marks` is 0 where one was not sent."""
        return np.frombuffer(self._run.ledger(kind), ENTRY)

    def held(self) -> dict[str, dict[str, int]]:
        """Units that the orders hold by SKU and warehouse, where the plan has them added up."""
        return msgspec.json.decode(self._run.held(), type=dict[str, dict[str, int]])

    def bodies(self, kind: int, numbers: Sequence[int]) -> list[bytes]:
        """What was sent for orders of a kind."""
        return self._run.bodies(kind, numbers)


def order_path(order_id: str) -> str:
    """Where an order is asked for."""
    return f"/v1/orders/{quote(order_id, safe='')}"


def _merged(number: int, numbers: npt.NDArray[np.int64], entries: Entries, kind: Kind) -> Told:
    """Orders by the ids in their bodies: of one that was sent under several numbers, what all of these heard."""
    bodies = kind.bodies or []
    entries = entries.copy()
    first: dict[str, int] = {}
    for one in numbers.tolist():
        order_id = order_id_of(bodies[one % len(bodies)])
        if not order_id:
            continue
        kept = first.setdefault(order_id, one)
        if kept != one:
            entries[kept] = _joined(entries[kept], entries[one])
    places = np.fromiter(first.values(), np.int64, len(first))
    return Told(number, places, list(first), entries[places])


def _joined(one: np.void, other: np.void) -> np.void:
    """What an order heard that was sent twice."""
    both = int(one["marks"]) & int(other["marks"]) & ACKNOWLEDGED
    contradicted = bool(both and one["digest"] != other["digest"])
    leading, rest = (
        (other, one) if int(other["marks"]) & ACKNOWLEDGED > int(one["marks"]) & ACKNOWLEDGED else (one, other)
    )
    joined = leading.copy()
    marks = int(one["marks"]) | int(other["marks"]) | (CONTRADICTED if contradicted else 0)
    if marks & ACKNOWLEDGED:
        marks &= ~(REFUSED | FOR_STOCK)
    joined["marks"] = marks
    joined["state"] = max(int(leading["state"]), int(rest["state"]))
    return joined


def order_id_of(body: str) -> str:
    """The id in an order's body; empty where there is none."""
    try:
        return _identified.decode(body).order_id
    except (msgspec.DecodeError, ValueError):
        return ""
