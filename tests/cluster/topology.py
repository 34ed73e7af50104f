"""Reads one node's table of the cluster, as CLUSTER NODES tells it. Does no I/O."""

from typing import Literal, NamedTuple

Role = Literal["primary", "replica"]


class Member(NamedTuple):
    """What a table says of one node; `slots` are (first, last) pairs, `failed` includes a mere suspicion."""

    node_id: str
    port: int
    role: Role
    primary_id: str | None
    failed: bool
    slots: tuple[tuple[int, int], ...]

    def owns(self, slot: int) -> bool:
        """Whether the slot is among its own."""
        return any(first <= slot <= last for first, last in self.slots)


Table = dict[str, Member]
"""Members by node id."""


def read_table(reply: bytes) -> Table:
    """The table in a reply to CLUSTER NODES; slots on their way count for the node that still owns them."""
    return {member.node_id: member for member in map(_read_member, reply.decode().splitlines())}


def _read_member(line: str) -> Member:
    node_id, address, flags_text, primary_id, _ping, _pong, _epoch, _link, *ranges = line.split(" ")
    flags = flags_text.split(",")
    return Member(
        node_id=node_id,
        port=int(address.split("@")[0].rpartition(":")[2]),
        role="primary" if "master" in flags else "replica",
        primary_id=None if primary_id == "-" else primary_id,
        failed=not {"fail", "fail?", "handshake", "noaddr"}.isdisjoint(flags),
        # In brackets: a slot that is being moved, told beside the range that it belongs to.
        slots=tuple(_read_range(text) for text in ranges if not text.startswith("[")),
    )


def _read_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)
