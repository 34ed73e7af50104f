"""Scenarios that are there can be run; in one's own, every mistake is told."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from engine import _core
from engine.errors import InvalidInput
from engine.model import Order, ShipTo
from engine.model.rules import order_errors
from loadtest.load import run_load
from loadtest.load_plan import Constant, Kind, LoadPlan
from loadtest.scenarios import Scenario, ScenarioDocument, built_in, check_scenario, names, read_scenario
from loadtest.scenarios.check import with_changes
from loadtest.scenarios.goods import Goods
from loadtest.scenarios.kinds import plan_of
from loadtest.scenarios.targets import missed
from tests.loadtest.planted import OK, Planted, planted

NAMES = names()


def goods_of(document: ScenarioDocument) -> Goods:
    """As they would be put there."""
    catalogue = document.catalogue
    assert catalogue is not None
    return Goods(
        skus=[f"s{number}" for number in range(catalogue.skus)],
        hot=catalogue.hot_skus,
        places=[ShipTo(lat=31.0, lon=121.0)],
        warehouses=[f"w{number}" for number in range(catalogue.warehouses)],
        warehouses_per_sku=catalogue.warehouses_per_sku,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_that_is_there_can_be_run(name: str) -> None:
    """The generator takes its plan, and what it sends are orders that break no rule."""
    scenario = built_in(name)
    goods = goods_of(scenario.document)
    plan = plan_of(scenario.document, goods, url="http://127.0.0.1:1", id_prefix="p", seed=1)
    run = _core.LoadRun(msgspec.json.encode(plan))
    for number, kind in enumerate(plan.kinds):
        if kind.replays is None and kind.accepted is None:
            for body in run.bodies(number, list(range(20))):
                order = msgspec.json.decode(body, type=Order)
                assert order_errors(order) == ()
                assert {line.sku for line in order.lines} <= {*goods.skus}
    assert 0 < len(scenario.document.about) < 120, "it stands in a list, a line each"


def test_all_that_were_asked_for_are_there() -> None:
    """Each by its name."""
    assert {*NAMES} == {
        *("canonical", "hot-sku", "long-tail", "large-baskets", "sell-out", "restock", "retry-storm", "limit-bots"),
        *("never-paid", "slow-store", "worker-crash", "store-crash", "store-failover", "warehouse-outage"),
    }


WRONG = """\
about = "wrong"
ratio = 3

[catalogue]
warehouses = 2
warehouses_per_sku = 3
hot_skus = 0
hot_on_hand = 5

[load]
shape = "spike"
rate = "fast"
peak = 9
to = 5
seconds = 10

[[buyers]]
name = "one"
want = "hot"
units = [3, 1]

[[buyers]]
name = "one"
lines = [1, 200]
cancels = 0.5
zipff = 1

[[actions]]
at_s = 11
do = "restock"

[[actions]]
at_s = 1
do = "kill_worker"
stopped_ms = 5

[targets]
p99_ms_max = -1
sold_out = true
"""

TOLD = [
    (2, "ratio", "no such setting"),
    (6, "catalogue.warehouses_per_sku", "is above the 2 warehouses"),
    (8, "catalogue.hot_on_hand", "has no meaning without `hot_skus`"),
    (10, "load", "lacks `peak_at_s`"),
    (10, "load", "lacks `peak_for_s`"),
    (12, "load.rate", 'must be a number above 0, up to 1,000,000, not "fast"'),
    (14, "load.to", "has no meaning for the shape spike"),
    (19, "buyers[0].want", "'hot' needs a catalogue with `hot_skus`"),
    (20, "buyers[0].units", "the first is above the second"),
    (23, "buyers[1].name", "other buyers are called 'one'"),
    (24, "buyers[1].lines", "must be 100 at the most"),
    (25, "buyers[1].cancels", "has no meaning but for buyers that pay later"),
    (26, "buyers[1].zipff", 'did you mean "zipf"?'),
    (28, "actions[0]", "lacks `units`, which restock needs"),
    (29, "actions[0].at_s", "is not before the end of the run, after 10 s"),
    (34, "actions[1].do", "kill_worker needs `workers` of 2 or more"),
    (35, "actions[1].stopped_ms", "has no meaning for kill_worker"),
    (38, "targets.p99_ms_max", "must be a number"),
    (39, "targets.sold_out", "has no meaning without `hot_skus`"),
]


def test_every_mistake_is_told_with_line_key_and_rule() -> None:
    """All at once: a writer mends them in one go."""
    found = check_scenario(WRONG.encode())
    assert isinstance(found, tuple)
    assert [(one.line, one.where) for one in found] == [(line, where) for line, where, _ in TOLD]
    for one, (_, _, reason) in zip(found, TOLD, strict=True):
        assert reason in one.reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"about = \n", "x.toml:1: is not TOML"),
        (b"\xff", "x.toml:1: is not UTF-8"),
        (b"", "x.toml:1: lacks `about`"),
    ],
)
def test_what_is_no_scenario_is_told(text: bytes, told: str, tmp_path: Path) -> None:
    """As is a name that is none."""
    file = tmp_path / "x.toml"
    file.write_bytes(text)
    with pytest.raises(InvalidInput) as wrong:
        read_scenario(str(file))
    assert any(told in f"{one.pointer}: {one.message}" for one in wrong.value.errors)
    with pytest.raises(InvalidInput, match="neither a file nor a scenario"):
        read_scenario("sell-outt")


def test_another_rate_or_length_keeps_its_form() -> None:
    """What happens at a third of it goes on to do so."""
    changed, load = with_changes(built_in("restock"), rate=500, seconds=3), built_in("restock").document.load
    assert (changed.document.load.rate, changed.document.load.seconds) == (500, 3)
    assert [action.at_s for action in changed.document.actions] == pytest.approx([1, 2])
    more = 500 * 3 / (load.rate * load.seconds)
    assert [one.units for one in changed.document.actions] == [
        one.units and round(one.units * more) for one in built_in("restock").document.actions
    ]
    storm = with_changes(built_in("retry-storm"), rate=10, seconds=None).document.load
    assert (storm.rate, storm.peak, storm.seconds) == (10, 200, 20)
    assert with_changes(built_in("canonical"), rate=None, seconds=None) == built_in("canonical")


def test_stock_is_as_much_more_as_requests_are() -> None:
    """What sells out still does, and what does not still does not."""
    catalogue = built_in("sell-out").document.catalogue
    assert catalogue is not None
    assert with_changes(built_in("sell-out"), rate=600, seconds=10).document.catalogue == catalogue
    twice = with_changes(built_in("sell-out"), rate=600, seconds=None).document.catalogue
    assert twice is not None
    assert (twice.hot_on_hand, twice.on_hand) == (2 * (catalogue.hot_on_hand or 0), 2 * catalogue.on_hand)
    least = with_changes(built_in("sell-out"), rate=0.1, seconds=0.1).document.catalogue
    assert least is not None
    assert least.hot_on_hand == 1


def test_targets_are_held_against_the_run() -> None:
    """Each that was missed is told with what came."""

    async def answering(request: Planted) -> None:
        refused = b"HTTP/1.1 409 No\r\nContent-Length: 0\r\n\r\n"
        await request.answer(refused if request.number % 4 == 0 else OK)

    with planted(answering) as url:
        kinds = [Kind(name="order", path="/v1/orders", body="{}")]
        plan = LoadPlan(url=url, arrivals=Constant(100), seconds=0.4, kinds=kinds, id_prefix="t", connections=2)
        result = run_load(plan)
    targets = built_in("canonical").document.targets
    ask = msgspec.structs.replace
    assert missed(result, ask(targets, accepted_share_min=0.7)) == []
    assert "75.0% of the orders were accepted" in missed(result, targets)[0]
    assert (
        "25.0% of the orders were refused"
        in missed(result, ask(targets, accepted_share_min=None, refused_share_max=0.2))[0]
    )
    assert "a second" in missed(result, ask(targets, accepted_share_min=None, accepted_per_s_min=1_000))[0]
    none = ask(targets, accepted_share_min=None)
    assert missed(result, none, left=Counter({"a": 0})) == []
    assert "such as of b" in missed(result, none, left=Counter({"a": 0, "b": 2}))[0]


def test_a_scenario_is_named_as_its_file() -> None:
    """Results tell which it was."""
    assert isinstance(built_in("canonical"), Scenario)
    assert built_in("canonical").name == "canonical"
