"""One book of policies for all who plan on a store: where it comes from, who follows it, and who is told otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from engine import Engine, Quoted, Settings, open_engine
from engine.errors import InvalidInput, StoreUnsupported
from engine.life.change import Changed
from engine.model import Allocation, Line, Sku, Trial
from engine.policy import read_policies
from tests.engine.policies.case import put, reserved, version_in_force
from tests.engine.small_network import order, put_network

SOON_S = 20.0

META = "stockade:{catalogue}:meta"


def text(version: str, first: str = "C", rules: str = "") -> str:
    """A file that pins all orders to a warehouse."""
    return (
        f'version = "{version}"\ndefault = "p"\n[policies.p]\nobjective = "pinned"\nwarehouses = ["{first}"]\n{rules}'
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Version 1, by which orders ship from C."""
    file = tmp_path / "policies.toml"
    put(file, text("1"))
    return file


@pytest.fixture
def settings(empty_store_url: str) -> Settings:
    """Of a process without a file."""
    return Settings(redis_url=empty_store_url)


def with_file(settings: Settings, file: Path) -> Settings:
    """Of a process that has one."""
    return msgspec.structs.replace(settings, policies_file=file)


@pytest.fixture
async def first(settings: Settings, file: Path) -> AsyncIterator[Engine]:
    """A service with the file."""
    async with open_engine(with_file(settings, file)) as opened:
        await put_network(opened, {("x", warehouse): 100 for warehouse in "ABC"})
        yield opened


async def ships_from(engine: Engine) -> str:
    """The warehouse that an order would ship from."""
    quoted = await engine.quote(order("q", ("x", 1)))
    assert isinstance(quoted, Quoted)
    found: str = msgspec.json.decode(quoted.json)["shipments"][0]["warehouse"]
    return found


def fingerprint(file: Path) -> str:
    """Of a right file."""
    return read_policies(file, default="cheapest").fingerprint


async def soon(holds: Callable[[], bool]) -> None:
    """Return when something holds."""
    async with asyncio.timeout(SOON_S):
        while not holds():
            await asyncio.sleep(0.01)


async def test_who_has_no_file_plans_by_the_book_of_the_store(first: Engine, settings: Settings) -> None:
    """Another service, and a single look; also when nobody with the file is there any more."""
    async with open_engine(settings) as other, open_engine(settings, background=False) as look:
        for engine in (first, other, look):
            assert (engine.status.policy_version, await ships_from(engine)) == ("1", "C")
            assert engine.status.policy_fingerprint == first.status.policy_fingerprint
            assert engine.status.policies_error is None
    await first.close()
    async with open_engine(settings, background=False) as look:
        assert await ships_from(look) == "C"


async def test_a_changed_file_reaches_all_services(first: Engine, settings: Settings, file: Path) -> None:
    """By the store's events; those with the file, too, before they have looked at it."""
    async with open_engine(settings) as other, open_engine(with_file(settings, file)) as twin:
        put(file, text("2", "B"))
        for engine in (first, other, twin):
            await version_in_force(engine, "2")
            assert await ships_from(engine) == "B"
        await soon(lambda: all(engine.status.policies_error is None for engine in (first, other, twin)))


async def test_a_service_that_starts_with_an_older_version_changes_nothing_and_says_so(
    first: Engine, settings: Settings, file: Path, tmp_path: Path
) -> None:
    """It plans as the others do: what was only started again has decided nothing."""
    put(file, text("2", "B"))
    await version_in_force(first, "2")
    old = tmp_path / "old.toml"
    put(old, text("1"))
    async with open_engine(with_file(settings, old)) as late:
        assert (late.status.policy_version, await ships_from(late)) == ("2", "B")
        told = late.status.policies_error
        assert told is not None
        assert f"has version 1 ({fingerprint(old)}), the store has version 2 ({fingerprint(file)})" in told
        assert "stockade policy publish" in told
    assert (first.status.policy_version, first.status.policies_error) == ("2", None)


async def test_a_service_that_starts_with_a_new_version_puts_it_in_force(
    first: Engine, settings: Settings, tmp_path: Path
) -> None:
    """For all; those with another file say so."""
    new = tmp_path / "new.toml"
    put(new, text("2", "B"))
    async with open_engine(with_file(settings, new)) as second:
        for engine in (second, first):
            await version_in_force(engine, "2")
            assert await ships_from(engine) == "B"
        assert (second.status.policies_error, "the file is not in force" in str(first.status.policies_error)) == (
            None,
            True,
        )


async def test_a_running_service_goes_back_with_its_file(first: Engine, settings: Settings, file: Path) -> None:
    """Somebody changed it: that is a decision."""
    async with open_engine(settings) as other:
        put(file, text("2", "B"))
        await version_in_force(other, "2")
        put(file, text("1"))
        await version_in_force(other, "1")
        await version_in_force(first, "1")
        assert await ships_from(other) == "C"


@pytest.mark.parametrize("is_service", [True, False])
async def test_a_version_of_another_content_is_refused_at_the_start(
    first: Engine, settings: Settings, file: Path, tmp_path: Path, is_service: bool
) -> None:
    """Whether or not the one that had it is still there. The reason names both, and what to do."""
    other = tmp_path / "other.toml"
    put(other, text("1", "A"))
    await first.close()
    with pytest.raises(InvalidInput) as caught:
        async with open_engine(with_file(settings, other), background=is_service):
            pass
    (error,) = caught.value.errors
    assert error.pointer == str(other)
    assert all(word in error.message for word in (fingerprint(file), fingerprint(other), "a new version"))


async def test_a_file_that_names_no_default_is_another_under_another_setting(settings: Settings, file: Path) -> None:
    """Most orders get something else then, and the reason says why."""
    put(file, text("1").replace('default = "p"', ""))
    async with open_engine(with_file(settings, file)):
        pass
    with pytest.raises(InvalidInput, match="it names no default, so STOCKADE_POLICY is a part of it"):
        async with open_engine(msgspec.structs.replace(with_file(settings, file), policy="nearest")):
            pass
    async with open_engine(msgspec.structs.replace(settings, policy="nearest")) as other:
        assert other.policies.book.document.default == "cheapest", "as whoever put it there"


async def test_a_version_of_before_means_what_it_meant(
    first: Engine, settings: Settings, file: Path, tmp_path: Path
) -> None:
    """Orders name it still."""
    put(file, text("2", "B"))
    await version_in_force(first, "2")
    other = tmp_path / "other.toml"
    put(other, text("1", "A"))
    with pytest.raises(InvalidInput, match="version 1 is known to the store with another content"):
        async with open_engine(with_file(settings, other)):
            pass


async def test_a_version_of_another_content_is_refused_when_the_file_changes(first: Engine, file: Path) -> None:
    """What was in force stays, and mending the version is enough."""
    put(file, text("1", "A"))
    await soon(lambda: first.status.policies_error is not None)
    assert "version 1 is known to the store with another content" in str(first.status.policies_error)
    assert await ships_from(first) == "C"
    put(file, text("2", "A"))
    await version_in_force(first, "2")
    await soon(lambda: first.status.policies_error is None)
    put(file, text("1", "B"))
    await soon(lambda: first.status.policies_error is not None)
    put(file, text("2", "A"))
    await soon(lambda: first.status.policies_error is None)
    assert (first.status.policy_version, await ships_from(first)) == ("2", "A")


@pytest.mark.usefixtures("first")
async def test_a_single_look_with_a_file_of_its_own_plans_by_it_and_puts_nothing_in_force(
    settings: Settings, tmp_path: Path
) -> None:
    """To see what a file would do."""
    draft = tmp_path / "draft.toml"
    put(draft, text("draft", "A"))
    async with open_engine(with_file(settings, draft), background=False) as look:
        assert (look.status.policy_version, await ships_from(look)) == ("draft", "A")
        assert "by which its services plan" in str(look.status.policies_error)
    async with open_engine(settings, background=False) as look:
        assert (look.status.policy_version, look.status.policies_error) == ("1", None)


async def test_what_is_withdrawn_stays_so_until_somebody_publishes(
    first: Engine, settings: Settings, file: Path
) -> None:
    """A service that starts again with the same file does not bring it back."""
    async with open_engine(settings) as other:
        assert (await first.policies.withdraw(), await first.policies.withdraw()) == (True, False)
        for engine in (first, other):
            await version_in_force(engine, "built-in")
            assert await ships_from(engine) == "A"
        async with open_engine(with_file(settings, file)) as again:
            assert again.status.policy_version == "built-in"
            assert "the store has none" in str(again.status.policies_error)
        await other.policies.publish(read_policies(file, default="cheapest"), go_back=True, source="file")
        await version_in_force(first, "1")


async def test_a_store_that_was_emptied_gets_the_file_again(first: Engine) -> None:
    """The service loads it anew, and its version is new there."""
    async with Redis.from_url(first.store.url) as client:
        await client.flushall()
        await soon(lambda: first.status.warehouses == 0)
        async with asyncio.timeout(SOON_S):
            while not await client.hget(META, "policies"):
                await asyncio.sleep(0.01)
    await version_in_force(first, "1")


async def later_release_publishes(engine: Engine, **more: str) -> None:
    """Put a book in the store that this release cannot read, and wait until an engine has seen it."""
    row = {"version": "9", "fingerprint": "f", "default": "cheapest", "text": text("9", rules="later = 1\n"), **more}
    assert await engine.store.catalogue.put_policies("9", "f", msgspec.json.encode(row), go_back=True) == "put"
    await soon(lambda: engine.status.policies_error is not None)
    assert "not such as this release knows" in str(engine.status.policies_error)


async def test_a_book_of_a_later_release_leaves_what_was_there_and_is_told(
    first: Engine, settings: Settings, file: Path
) -> None:
    """But nobody begins to plan by anything else. Publishing one that can be read mends it."""
    await later_release_publishes(first)
    assert (first.status.policy_version, await ships_from(first)) == ("1", "C")
    for is_service in (True, False):
        with pytest.raises(StoreUnsupported, match="version 9"):
            async with open_engine(settings, background=is_service):
                pass
    async with open_engine(settings, background=False, load=False) as repair:
        await repair.policies.publish(read_policies(file, default="cheapest"), go_back=True, source="file")
    await soon(lambda: first.status.policies_error is None)


@pytest.mark.parametrize("more", [{}, {"default": "greenest"}], ids=["a setting", "a built-in policy"])
async def test_who_has_the_built_in_policies_keeps_them_where_a_book_cannot_be_read(
    settings: Settings, more: dict[str, str]
) -> None:
    """A running service is not stopped by it, and goes on to follow its definitions."""
    async with open_engine(settings) as engine:
        await later_release_publishes(engine, **more)
        assert (engine.status.policy_version, engine.state) == ("built-in", "ready")
        await engine.put_skus([Sku(sku="after")])
        assert (engine.status.policy_version, engine.state) == ("built-in", "ready")


TRIAL = """[policies.far]
objective = "pinned"
warehouses = ["B"]
[[rules]]
name = "tried"
use = "p"
channels = ["app"]
trial = {{ name = "{name}", use = "far", share_percent = {share} }}
"""


async def test_an_amended_order_keeps_its_built_in_policy_whatever_the_setting_of_who_amends_it(
    settings: Settings, file: Path
) -> None:
    """A shell with another STOCKADE_POLICY amends it as its service would; a book that is published since rules it."""
    nearest, priority = (msgspec.structs.replace(settings, policy=name) for name in ("nearest", "priority"))
    async with open_engine(nearest) as service, open_engine(priority, background=False) as shell:
        await put_network(service, {("x", warehouse): 100 for warehouse in "ABC"})
        placed = await reserved(service, order("o", ("x", 1)))
        await shell.replica.load()
        assert (await quoted_policy(service), await quoted_policy(shell)) == ("nearest", "priority")
        for units, engine in ((2, shell), (3, service)):
            change = await engine.amend("o", [Line("x", units)], transition_id=f"t{units}")
            assert isinstance(change, Changed)
            found = change.allocation
            assert (found.policy, found.policy_version) == ("nearest", "built-in")
            assert [row.warehouse for row in found.shipments] == [row.warehouse for row in placed.shipments]
        await shell.policies.publish(read_policies(file, default="priority"), go_back=True, source="")
        change = await shell.amend("o", [Line("x", 4)], transition_id="t4")
        assert isinstance(change, Changed)
        assert (change.allocation.policy, change.allocation.policy_version) == ("p", "1")


async def quoted_policy(engine: Engine) -> str:
    """By which an order would be planned that names none."""
    quoted = await engine.quote(order("q", ("x", 1)))
    assert isinstance(quoted, Quoted)
    return str(msgspec.json.decode(quoted.json)["policy"])


async def test_an_amended_order_stays_in_its_arm_while_the_trial_goes_on(first: Engine, file: Path) -> None:
    """Whatever share it has by now; and where the trial is over, the order is as any other."""
    put(file, text("2", rules=TRIAL.format(name="t", share=100)))
    await version_in_force(first, "2")
    placed = await reserved(first, order("o", ("x", 1), channel="app"))
    assert (placed.policy, placed.trial) == ("far", Trial(name="t", arm="trial"))

    async def amended(units: int) -> Allocation:
        change = await first.amend("o", [Line("x", units)], transition_id=f"t{units}")
        assert isinstance(change, Changed), change
        return change.allocation

    put(file, text("3", rules=TRIAL.format(name="t", share=0)))
    await version_in_force(first, "3")
    found = await amended(2)
    assert (found.policy, found.policy_version, found.trial) == ("far", "3", Trial(name="t", arm="trial"))
    put(file, text("4", rules=TRIAL.format(name="another", share=0)))
    await version_in_force(first, "4")
    found = await amended(3)
    assert (found.policy, found.trial) == ("p", Trial(name="another", arm="control"))
