"""Gives a store that lost acknowledged commits those orders again, before anything else is sold.

A replica that takes over may lack what its primary acknowledged last. What this process was acknowledged it sends
again: an order that is there is left as it is; one whose stock is still there is held again, by the same shipments; one
whose stock has been sold meanwhile is lost, and its caller was told otherwise: it is logged, counted and named.

Limits. Other processes restore their own orders; what was acknowledged to one that has ended is lost without a word. An
order is restored as it began: that it was confirmed, cancelled, shipped or changed since is lost with the partition's
later events, as are counts and movements of stock. An order that reaches over several partitions holds what its home's
record says; where another partition lost its share and the stock has been sold since, the order is cancelled at its
home, unless it has been shipped in part, and counts as lost. Whoever wants less than this to be lost sets
`replicas_acked_min`.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from engine.intake.acknowledged import Acknowledged, LostOrders, Promise
from engine.intake.commit import LEASE_MS
from engine.intake.recommit import Entry, Share, commit_args, kept_of_attempt, partitions_of, share_of, weighed_args
from engine.planner import Record
from engine.store import Lane, Partition, Store, Ticket

BATCH_ORDERS = 500
IDS_LOGGED_MAX = 100

log = structlog.get_logger(__name__)


class _Row(msgspec.Struct):
    """An order to be looked after."""

    promise: Promise
    home: Partition
    attempt: str | None
    reaches: set[int]
    """All partitions that it holds anything of."""
    gone: bool
    """Whether its home lost the commit that took it."""
    record: bytes | None = None
    """What its home has."""
    prepared: list[Partition] = []
    doomed: bool = False
    """Whether its stock is not there any more."""


async def restore(store: Store, acknowledged: Acknowledged, lost: LostOrders) -> None:
    """Bring every partition that lost commits of this process to what it acknowledged. Raises StoreError.

    Where that breaks off, the next call does it all again: what is there already stays as it is.
    """
    hit = {partition.number: partition.kept for partition in store.partitions if partition.lost_commits}
    if not hit:
        return
    commits = sum(store.partitions[number].lost_commits for number in hit)
    log.error("the store went back behind what it had acknowledged", partitions=sorted(hit), commits=commits)
    rows = _rows(store, acknowledged, hit)
    names: list[str] = []
    for start in range(0, len(rows), BATCH_ORDERS):
        batch = rows[start : start + BATCH_ORDERS]
        await _restore_batch(store, acknowledged, batch)
        for row in batch:
            if row.doomed:
                lost.add(row.promise.order_id)
                names.append(row.promise.order_id)
    if names:
        log.error("acknowledged orders are lost", orders=len(names), order_ids=names[:IDS_LOGGED_MAX])
    for number, kept in hit.items():
        partition = store.partitions[number]
        if acknowledged.forgot(number, partition.epoch, kept):
            log.error(
                "more commits were lost than are remembered: raise STOCKADE_RECONCILE_ORDERS_MAX", partition=number
            )
        partition.forget_loss()
    log.warning("what was acknowledged is restored", looked_at=len(rows), lost=len(names))


def _rows(store: Store, acknowledged: Acknowledged, hit: dict[int, Ticket]) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for commit in acknowledged.commits():
        home = store.partitions[commit.partition]
        if commit.epoch != home.epoch:
            continue
        gone = home.number in hit and commit.ticket > hit[home.number]
        for promise in commit.promises():
            record = promise.record()
            reaches = partitions_of(store, record)
            if not gone and not (reaches - {home.number}) & hit.keys():
                continue
            known = rows.get(promise.order_id)
            if known is not None:
                known.gone |= gone
                continue
            attempt = record.transitions[0] if reaches - {home.number} else None
            rows[promise.order_id] = _Row(promise, home, attempt, reaches, gone)
    return list(rows.values())


async def _restore_batch(store: Store, acknowledged: Acknowledged, rows: Sequence[_Row]) -> None:
    await _read_records(store, rows)
    # One that has ended, or was never of the lost ones and has no record, holds nothing.
    open_rows = [row for row in rows if (row.gone if row.record is None else _holds(row))]
    for partition in store.partitions:
        await _prepare_missing(store, partition, open_rows)
    await _commit_missing(store, acknowledged, [row for row in open_rows if row.record is None and not row.doomed])
    for row in open_rows:
        if row.doomed:
            await _give_up(store, row)
    await _read_records(store, rows)
    # An order and what was split off from it follow in one call: else the units that changed hands would be free.
    families: dict[Partition, list[tuple[str, bytes]]] = {}
    for home in {row.home for row in rows if row.record is not None}:
        own = [row.promise.order_id for row in rows if row.home is home and row.record is not None]
        families[home] = [(order_id, record) for order_id, record in await home.crossing.family(own) if record]
    for partition in store.partitions:
        sealed = [row.attempt for row in open_rows if row.attempt and partition in row.prepared and not row.doomed]
        dropped = [row.attempt for row in open_rows if row.attempt and partition in row.prepared and row.doomed]
        found = [pair for home, family in families.items() if home is not partition for pair in family]
        if sealed:
            await partition.crossing.seal(sealed)
        if dropped or found:
            await partition.crossing.follow(dropped, found)


async def _read_records(store: Store, rows: Sequence[_Row]) -> None:
    records = await store.read_orders([row.promise.order_id for row in rows], for_sale=True)
    for row, record in zip(rows, records, strict=True):
        row.record = record


def _holds(row: _Row) -> bool:
    """Whether its home has it, and has it hold stock. One of another content is another order: then it is lost."""
    try:
        record = Record(row.record or b"")
    except ValueError:
        return False
    if record.fingerprint != row.promise.record().fingerprint:
        row.doomed = True
        return False
    return record.holds_stock


async def _prepare_missing(store: Store, partition: Partition, rows: Sequence[_Row]) -> None:
    """Have a partition hold shares of orders again that it lost or gave back; whose stock is gone is doomed."""
    reach = [
        row
        for row in rows
        if row.attempt and row.home is not partition and partition.number in row.reaches and not row.doomed
    ]
    if not reach:
        return
    parts, attempts = await asyncio.gather(
        partition.wire.command("HMGET", partition.keys.parts, *(row.promise.order_id for row in reach)),
        partition.wire.command("HMGET", partition.keys.tentative, *(row.attempt or "" for row in reach)),
    )
    missing = [row for row, part, kept in zip(reach, parts, attempts, strict=True) if part is None and kept is None]
    entries = []
    for row in missing:
        record = row.promise.record() if row.record is None else Record(row.record)
        share = share_of(store, record, partition)
        kept = kept_of_attempt(row.promise.order_id, row.home.number, share)
        entries.append(Entry(row.attempt or "", kept, share))
    if not entries:
        return
    reply = await partition.crossing.prepare(weighed_args(entries), LEASE_MS)
    for row, letter in zip(missing, reply.outcomes or b"A" * len(missing), strict=True):
        if letter == ord("A"):
            row.prepared.append(partition)
        else:
            row.doomed = True


async def _commit_missing(store: Store, acknowledged: Acknowledged, rows: Sequence[_Row]) -> None:
    """Have homes that lost orders hold them again; whose stock is gone is doomed."""
    for home in store.partitions:
        own = [row for row in rows if row.home is home]
        if not own:
            continue
        shares: list[Share] = [share_of(store, row.promise.record(), home) for row in own]
        entries = [
            Entry(row.promise.order_id, row.promise.stored, share) for row, share in zip(own, shares, strict=True)
        ]
        args = commit_args(entries, [row.promise.hold_ms for row in own], [row.attempt for row in own])
        reply = await home.orders.commit(args)
        acknowledged.note(home.number, home.epoch, home.ticket, args, reply.outcomes, reply.records)
        for row, letter in zip(own, reply.outcomes or b"A" * len(own), strict=True):
            row.doomed = letter not in b"AR"


async def _give_up(store: Store, row: _Row) -> None:
    """An order that cannot be held whole is not held at all."""
    if row.record is not None:
        transition = f"lost-{row.attempt or row.promise.order_id}"
        await row.home.orders.step("cancel", row.promise.order_id, transition, version=None, detail=None)
        return
    ended = [(row.promise.order_id, row.promise.released())]
    others = [store.partitions[number] for number in row.reaches if number != row.home.number]
    await asyncio.gather(*(partition.crossing.follow([], ended) for partition in others))
    # Should its caller order it again, that is a new order, which no such part may be in the way of.
    await asyncio.gather(
        *(
            partition.wire.command("HDEL", partition.keys.parts, row.promise.order_id, lane=Lane.SALE)
            for partition in others
        )
    )
