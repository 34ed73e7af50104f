"""`stockade events`: what changed as a table or as lines of JSON, and who follows."""

import asyncio
import json
import os
import subprocess
import sys

from engine import Engine
from tests.api.conftest import Finished, run
from tests.engine.small_network import order, put_network, reserved

WAIT_S = 30.0


async def events(engine: Engine, *arguments: object) -> Finished:
    """`stockade events ARGUMENTS` on the engine's store."""
    return await asyncio.to_thread(run, "events", *arguments, "--redis-url", engine.store.url)


async def test_events_are_shown_from_the_oldest_and_go_on_after_a_cursor(engine: Engine) -> None:
    """As a table for people, a line each for programs."""
    await put_network(engine, {("x", "A"): 9})
    reserved(await engine.reserve(order("one", ("x", 2))))
    table, lines = await asyncio.gather(events(engine), events(engine, "--json"))
    assert (table.code, lines.code) == (0, 0), table.err + lines.err
    for text in ("count", "x@A +9 free, +9 on hand", "commit", "one", "x@A -2 free"):
        assert text in table.out
    found = [json.loads(line) for line in lines.out.splitlines()]
    assert [(event["n"], event["type"]) for event in found] == [(1, "count"), (2, "commit")]
    assert f"--after {found[-1]['cursor']}" in table.out
    rest, one, none = await asyncio.gather(
        events(engine, "--after", found[0]["cursor"], "--json"),
        events(engine, "--limit", 1, "--json"),
        events(engine, "--after", "$", "--json"),
    )
    assert [json.loads(line) for line in rest.out.splitlines()] == found[1:]
    assert [json.loads(line) for line in one.out.splitlines()] == found[:1]
    assert (none.code, none.out) == (0, "")


async def test_following_shows_what_comes(engine: Engine) -> None:
    """Line by line, as it comes, until as many were shown as were wanted."""
    await put_network(engine, {("x", "A"): 9})
    command = [sys.executable, "-m", "api.cli", "events", "--follow", "--json", "--limit", "3"]
    process = await asyncio.create_subprocess_exec(
        *command, "--redis-url", engine.store.url, stdout=subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_S):
        shown = [json.loads(await process.stdout.readline())]
        for number in range(2):
            reserved(await engine.reserve(order(f"o{number}", ("x", 1))))
            shown.append(json.loads(await process.stdout.readline()))
        assert await process.wait() == 0
    assert [event["orders"] for event in shown] == [[], ["o0"], ["o1"]]


async def test_a_cursor_that_leads_nowhere_ends_with_2(engine: Engine) -> None:
    """It says what is wrong with it."""
    strange = await events(engine, "--after", "nonsense")
    assert (strange.code, strange.out) == (2, "")
    assert "no cursor of this feed" in strange.err


async def test_followers_are_added_seen_and_removed(engine: Engine) -> None:
    """With how far behind each is."""
    await put_network(engine, {("x", "A"): 9})
    added = await events(engine, "followers", "--add", "books", "--from-start", "--json")
    assert added.code == 0, added.err
    assert [(row["name"], row["unread"], row["pending"]) for row in added.json] == [("books", 1, 0)]
    await engine.read_as("books", "one")
    shown, twice = await asyncio.gather(events(engine, "followers"), events(engine, "followers", "--add", "books"))
    assert "books" in shown.out
    assert "unacknowledged" in shown.out
    assert (twice.code, twice.out) == (2, "")
    assert "registered already" in twice.err
    removed, both = await asyncio.gather(
        events(engine, "followers", "--remove", "books", "--json"),
        events(engine, "followers", "--add", "a", "--remove", "b"),
    )
    assert (removed.code, removed.json) == (0, [])
    assert (both.code, both.out) == (2, "")
