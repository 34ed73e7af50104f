"""What became of orders that did not come by a request each, as lines: of an answer in bulk, of a stream's results."""

from collections import Counter

import msgspec

from api.http.access.channel import other_channel
from api.http.body import too_large
from api.http.orders import refusal
from api.http.problems import Problem
from api.watch import Watch
from engine.intake import Broken, Invalid, Lot, OtherChannel, Reserved
from engine.intake.lot import Told
from engine.model import limits
from engine.slices import Slices


async def answer_lines(lot: Lot, request_id: str, *, watch: Watch, slices: Slices) -> bytes:
    """The results of a lot that is done, a line each, in the order of its lines; and tells the watch of them."""
    watch.observe_orders("bulk", "reserved", lot.core.reserved)
    if not lot.told:
        return lot.core.answers([])
    counts: Counter[str] = Counter()
    lines: list[tuple[int, bytes]] = []

    def write(row: tuple[int, Told]) -> None:
        word, line = _line_of(row[1], request_id)
        counts[word] += 1
        lines.append((row[0], line))

    await slices.each(lot.told.items(), write)
    for word, orders in counts.items():
        watch.observe_orders("bulk", word, orders)
    return lot.core.answers(lines)


def result_line(told: Told, request_id: str) -> bytes:
    """The line that tells what became of one order."""
    return _line_of(told, request_id)[1]


def _line_of(told: Told, request_id: str) -> tuple[str, bytes]:
    """By which word an order is counted, and its line."""
    outcome = told.outcome
    if isinstance(outcome, Reserved):
        word = "replayed" if outcome.replayed else "reserved"
        return word, b'{"outcome":"%b",%b\n' % (word.encode(), outcome.json[1:])
    refused = "invalid" if isinstance(outcome, Invalid | Broken) else "rejected"
    problem = _problem_of(told)
    members = {"outcome": refused, "order_id": told.order_id} | problem.body(request_id)
    return problem.type, msgspec.json.encode(members) + b"\n"


def _problem_of(told: Told) -> Problem:
    """Why an order is not held."""
    match told.outcome:
        case Broken(detail, too_long):
            return too_large(limits.ORDER_BYTES_MAX).problem if too_long else Problem("broken-json", detail)
        case OtherChannel(channel):
            return other_channel(channel)
        case Reserved():
            raise AssertionError("what is held has another line")
        case outcome:
            return refusal(told.order_id or "", outcome)
