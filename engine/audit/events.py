"""The stream of a partition against its state: numbers without gaps, and sums that the events lead to."""

from engine.audit.finding import Finding
from engine.audit.read import PartitionBooks
from engine.audit.report import Difference
from engine.store import Partition
from engine.store.repairs import RepairRow

NUMBERS_MAX = 200
"""Events whose numbers are looked at in one call; the store reads them whole."""

MISSING_SHOWN_MAX = 10


async def compare_events(books: PartitionBooks) -> list[Finding]:
    """Events that are missing; numbers are read one by one only where their count says that some are."""
    totals, number = books.totals, books.partition.number
    found: list[Finding] = []
    where = f"events of partition {number}"
    # The old end may be trimmed, to nothing only by hand: an event is kept until a newer one comes.
    if totals.last != totals.sequence:
        detail = f"the last event is number {totals.sequence}, the last in the stream {totals.last}: the end is missing"
        if totals.last > totals.sequence:
            detail = f"the stream has event {totals.last}, the last that was counted is {totals.sequence}"
        found.append(_event(number, where, totals.sequence, totals.last, detail))
    if totals.events and totals.last - totals.first + 1 != totals.events:
        gaps = await _gaps(books.partition)
        shown = ", ".join(gaps[:MISSING_SHOWN_MAX]) + (" and more" if len(gaps) > MISSING_SHOWN_MAX else "")
        detail = (
            f"from {totals.first} to {totals.last} there should be {totals.last - totals.first + 1} events, there are"
            f" {totals.events}: {shown or 'their numbers are strange'}"
        )
        found.append(_event(number, where, totals.last - totals.first + 1, totals.events, detail))
    return found


def compare_totals(books: PartitionBooks, free: int, on_hand: int) -> list[Finding]:
    """Sums over all cells against what the events lead to."""
    totals, number = books.totals, books.partition.number
    found = []
    for what, name, expected, summed in (
        ("free", "free_total", totals.free, free),
        ("on hand", "on_hand_total", totals.on_hand, on_hand),
    ):
        if expected != summed:
            detail = (
                f"the events lead to {expected} units {what}, the cells have {summed}: {summed - expected:+d} came"
                " without an event, or an event without its units"
            )
            difference = Difference(
                kind="total",
                where=f"{what} of partition {number}",
                partition=number,
                expected=expected,
                found=summed,
                detail=detail,
            )
            found.append(Finding(difference, RepairRow("total", name, expected, summed)))
    return found


async def _gaps(partition: Partition) -> list[str]:
    """The numbers that are missing, or should not be there, in words."""
    position, before, gaps = b"0-0", 0, []
    while True:
        position, numbers = await partition.cells.event_numbers(position, NUMBERS_MAX)
        # What the store trims while we read is no gap.
        totals = (await partition.cells.touched(position, 1)).totals
        for number in numbers:
            if number == 0:
                gaps.append("one has no number")
            elif before and number <= before:
                gaps.append(f"{number} comes after {before}")
            elif before and number > max(before + 1, totals.first):
                first = max(before + 1, totals.first)
                gaps.append(f"{first} is missing" if number == first + 1 else f"{first} to {number - 1} are missing")
            before = max(before, number)
        if len(numbers) < NUMBERS_MAX:
            return gaps


def _event(partition: int, where: str, expected: int, found: int, detail: str) -> Finding:
    return Finding(
        Difference(kind="event", where=where, partition=partition, expected=expected, found=found, detail=detail)
    )
