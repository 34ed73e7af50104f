"""Ways to break the protocol, each by a change of the library's text: what the simulation must notice."""

from collections.abc import Callable


def _changed(old: str, new: str) -> Callable[[str], str]:
    def change(library: str) -> str:
        found = library.count(old)
        if found != 1:
            raise AssertionError(f"a mutant's text occurs {found} times: {old}")
        return library.replace(old, new)

    return change


MUTANTS: dict[str, Callable[[str], str]] = {
    # A decision that comes after the refusal.
    "refusal-leaves-no-tombstone": _changed(
        "      redis.call('ZADD', keys[REFUSED], now, rows[i + 1])\n      answers[#answers + 1] = ''\n",
        "      answers[#answers + 1] = ''\n",
    ),
    "commit-ignores-refusals": _changed("known[attempts[i]] = known[attempts[i]] or BARRED", "do end"),
    # What a part is made of.
    "seal-leaves-the-attempt": _changed(
        "    local kept = end_attempt(keys, attempt)\n    if kept then\n      -- A part",
        "    local kept = redis.call('HGET', keys[TENTATIVE], attempt)\n    kept = kept and cmsgpack.unpack(kept)\n"
        "    if kept then\n      -- A part",
    ),
    "seal-keeps-no-part": _changed(
        "      redis.call('HSET', keys[PARTS], kept[1], cmsgpack.pack({ 1, kept[3], {}, kept[4] }))\n", ""
    ),
    "record-leaves-its-attempts": _changed("if kept and cmsgpack.unpack(kept)[1] == id then", "if false then"),
    "follow-ignores-versions": _changed("if part[1] >= version then return settled end", ""),
    "follow-forgets-what-is-over": _changed(
        "if not (stored or settled or reached or names_own(change, body)) then return false end",
        "if not stored and not next(held) and not next(shipped) and #counters == 0 then return false end",
    ),
    "follow-ships-twice": _changed("local more = units - (before[cell] or 0)", "local more = units"),
    "follow-forgets-counters": _changed(
        "  for _, counter in ipairs(part[4]) do count(change, counter[1], -counter[2]) end\n  redis.call",
        "  redis.call",
    ),
    "dropped-attempts-stay-taken": _changed(
        "return nil end\n  for i = 1, #kept[3], 2 do take(change, kept[3][i], -kept[3][i + 1]) end\n",
        "return nil end\n",
    ),
    # Who is asked, and who is told.
    "lease-ends-unasked": _changed("    if order and done_before(order, rows[i + 1]) then\n", "    if false then\n"),
    "refusal-overrules-the-record": _changed(
        "    if order and done_before(order, rows[i + 1]) then\n      answers",
        "    if order and done_before(order, rows[i + 1]) and order.version == 1 then\n      answers",
    ),
    "followed-whatever-the-version": _changed("    if version == rows[i + 1] then left", "    if true then left"),
    "changes-are-told-nobody": _changed("if order.reached or reaches_out(change, order.body) then", "if false then"),
    "leases-never-end": _changed(
        "    for i = 1, #writes, 2 do redis.call('ZADD', keys[LEASES], now + tonumber(args[11]), writes[i]) end\n", ""
    ),
    "amended-orders-leave-old-parts": _changed("      order.reached = reaches_out(change, order.body)\n", ""),
    "amendment-ignores-refusals": _changed(
        "if redis.call('ZSCORE', keys[REFUSED], args[8]) then return", "if false then return"
    ),
    # One writer, one order, one effect.
    "fence-lets-anybody-in": _changed("if former ~= args[3] then", "if false then"),
    "commit-forgets-records": _changed("local known = read_fields(keys[ORDERS], ids)", "local known = {}"),
    "transition-forgets-its-id": _changed("    if args[5] ~= '' then note(order, args[5]) end\n", ""),
}
"""Each takes the library's text and gives the broken one."""
