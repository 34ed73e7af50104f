"""What became of orders that did not come by a request each, as lines: of an answer in bulk, of a stream's results."""

from collections import Counter

import msgspec

from api.http.access.channel import other_channel
from api.http.body import too_large
from api.http.orders import refusal
from api.http.problems import Problem
from api.watch import Watch
from engine.intake import Broken, Invalid, Lot, OtherChannel, Reserved
from engine.intake.lot import LEFT, Left, Told
from engine.model import limits
from engine.slices import Slices


async def answer_lines(lot: Lot, request_id: str, *, watch: Watch, slices: Slices) -> bytes:
    """The results of a lot that is done, a line each, in the order of its lines; and tells the watch of them."""
    words: Counter[str] = Counter()
    lines: list[tuple[int, bytes]] = []

    def write(row: tuple[int, Told]) -> None:
        word, line = _line_of(row[1], request_id)
        words[word] += 1
        lines.append((row[0], line))

    if lot.told:
        await slices.each(lot.told.items(), write)
    # All at once: whoever is cancelled before has told nothing of it.
    _observe(lot, words, watch)
    return lot.core.answers(lines)


async def observe(lot: Lot, *, watch: Watch, slices: Slices) -> None:
    """Tell the watch what became of the orders of a lot that is done, where nobody is to be answered."""
    words: Counter[str] = Counter()

    def count(told: Told) -> None:
        if told is not LEFT:
            words[_line_of(told, "")[0]] += 1

    await slices.each(lot.told.values(), count)
    _observe(lot, words, watch)


def _observe(lot: Lot, words: Counter[str], watch: Watch) -> None:
    watch.observe_orders("bulk", "reserved", lot.core.reserved)
    for word, orders in words.items():
        watch.observe_orders("bulk", word, orders)


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
        case Reserved() | Left():
            raise AssertionError("what is held has another line, and what was left has none")
        case outcome:
            return refusal(told.order_id or "", outcome)
