"""The store's book of policies from the command line: shown, published, withdrawn, and meant by every command."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest

from tests.api.conftest import Door, Shop, run, run_all
from tests.conftest import Service

SOON_S = 20.0


def text(version: str, warehouse: str) -> str:
    """Policies by which all ships from one warehouse."""
    return f'version = "{version}"\ndefault = "p"\n[policies.p]\nobjective = "pinned"\nwarehouses = ["{warehouse}"]\n'


class Place:
    """A service with a file of policies, a SKU in two warehouses, and commands on its store."""

    def __init__(self, home: Path) -> None:
        self.file = home / "policies.toml"
        self.file.write_text(text("1", "P-B"), "utf-8")
        self.service = Service(home / "store", STOCKADE_POLICIES_FILE=str(self.file))
        self.service.start()
        self.shop = Shop(Door(self.service.url), "P")
        self.sku = self.shop.sku(on_hand={self.shop.warehouse("A"): 50, self.shop.warehouse("B"): 50})
        self.at = ("--data-dir", self.service.data_dir)
        self.order = home / "order.json"
        self.order.write_bytes(msgspec.json.encode(self.shop.order((self.sku, 1))))

    def ready(self) -> dict[str, str]:
        """What /readyz says."""
        found: dict[str, str] = self.shop.door.call("GET", "/readyz").json
        return found

    def ready_when(self, holds: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """What it says when something holds."""
        patience_ends = monotonic() + SOON_S
        while not holds(found := self.ready()):
            assert monotonic() < patience_ends, found
            sleep(0.05)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests here."""
    one = Place(tmp_path_factory.mktemp("book"))
    yield one
    one.service.stop()


def test_commands_without_a_file_mean_what_the_service_means(place: Place, tmp_path: Path) -> None:
    """And one that has a file shows what that would do, and says so; an amendment goes by what all have."""
    order_id = place.shop.reserve((place.sku, 1))["order_id"]
    draft = tmp_path / "draft.toml"
    draft.write_text(text("draft", "P-A"), "utf-8")
    with_draft = {"STOCKADE_POLICIES_FILE": str(draft)}
    plain = run("plan", place.order, "--json", *place.at)
    assert (plain.json["policy"], plain.json["policy_version"]) == ("p", "1")
    assert plain.json["shipments"][0]["warehouse"] == "P-B"
    drafted = run("plan", place.order, "--json", *place.at, **with_draft)
    assert (drafted.json["policy_version"], drafted.json["shipments"][0]["warehouse"]) == ("draft", "P-A")
    assert "the store has version 1" in " ".join(drafted.err.split())
    for units, environment in ((2, {}), (3, with_draft)):
        command = ("orders", "amend", order_id, "--line", f"{place.sku}={units}", "--id", f"t{units}", "--json")
        amended = run(*command, *place.at, **environment)
        assert (amended.json["policy_version"], amended.json["shipments"][0]["warehouse"]) == ("1", "P-B")
    compared = run("policy", "compare", "p", "--orders", place.order, "--json", *place.at)
    assert [row["policy"] for row in compared.json] == ["p"]


def test_one_version_of_two_contents_is_refused_by_every_command(place: Place, tmp_path: Path) -> None:
    """Exit 2, with both fingerprints and what to do."""
    other = tmp_path / "other.toml"
    other.write_text(text("1", "P-A"), "utf-8")
    mine = run("policy", "check", other, "--json").json["fingerprint"]
    its = place.ready()["policy_fingerprint"]
    named = {"STOCKADE_POLICIES_FILE": str(other)}
    for finished in (
        run("plan", place.order, *place.at, **named),
        run("policy", "publish", other, *place.at),
        run("doctor", *place.at, **named),
    ):
        told = " ".join(finished.err.split())
        assert finished.code == 2
        assert all(word in told for word in (mine, its, "a new version")), told
    assert place.ready()["policy_version"] == "1"


def test_a_published_file_is_in_force_at_once_and_what_is_in_force_is_shown(place: Place, tmp_path: Path) -> None:
    """The service follows, and says that its file is another; doctor says so, too. The way back is the same."""
    new = tmp_path / "new.toml"
    new.write_text(text("2", "P-A"), "utf-8")
    published = run("policy", "publish", new, "--json", *place.at)
    assert (published.code, published.json["version"]) == (0, "2")
    told = place.ready_when(lambda ready: ready["policy_version"] == "2")
    assert told["policy_fingerprint"] == published.json["fingerprint"]
    assert "the file is not in force" in told["policies_error"]
    assert place.shop.reserve((place.sku, 1))["shipments"][0]["warehouse"] == "P-A"
    people, program = run_all([("policy", "show", *place.at), ("policy", "show", "--json", *place.at)])
    assert (people.out, "Version 2, fingerprint" in people.err) == (new.read_text("utf-8"), True)
    assert program.json == {**published.json, "text": new.read_text("utf-8")}
    doctor = run("doctor", "--json", *place.at, STOCKADE_POLICIES_FILE=str(place.file))
    assert any("the store has version 2" in advice for advice in doctor.json["advice"])
    assert run("policy", "publish", place.file, *place.at).code == 0
    told = place.ready_when(lambda ready: ready["policy_version"] == "1")
    assert told["policies_error"] is None
    doctor = run("doctor", "--json", *place.at)
    assert doctor.json["found"]["policies"] == f"version 1 ({told['policy_fingerprint']})"


def test_policies_that_can_serve_nobody_are_not_published(place: Place, tmp_path: Path) -> None:
    """Unless it is asked for: the warehouse may be on its way."""
    new = tmp_path / "new.toml"
    new.write_text(text("3", "NOWHERE"), "utf-8")
    refused = run("policy", "publish", new, *place.at)
    assert (refused.code, f"{new}:" in refused.err, "NOWHERE" in refused.err) == (2, True, True)
    assert place.ready()["policy_version"] == "1"
    assert run("policy", "publish", new, "--force", *place.at).code == 0
    assert run("policy", "publish", place.file, *place.at).code == 0
    place.ready_when(lambda ready: ready["policy_version"] == "1")


def test_withdrawn_policies_leave_the_built_in_ones(place: Place) -> None:
    """Until some are published again; exit 1 where there are none."""
    assert run("policy", "withdraw", "--json", *place.at).json == {"withdrawn": True}
    place.ready_when(lambda ready: ready["policy_version"] == "built-in")
    again, shown = run_all([("policy", "withdraw", *place.at), ("policy", "show", *place.at)])
    assert (again.code, shown.code) == (1, 0)
    assert run("policy", "publish", place.file, *place.at).code == 0
    place.ready_when(lambda ready: ready["policy_version"] == "1")


def test_a_wrong_file_is_not_published(place: Place, tmp_path: Path) -> None:
    """Exit 2, with the mistakes and their lines."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('version = "3"\ncolour = 1\n', "utf-8")
    finished = run("policy", "publish", wrong, *place.at)
    assert finished.code == 2
    assert "wrong.toml:2" in "".join(finished.err.split())
    assert place.ready()["policy_version"] == "1"
