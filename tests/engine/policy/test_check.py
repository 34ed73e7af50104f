"""Files of policies: what is right is taken, and every mistake is found with its line."""

from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.model import Warehouse
from engine.policy import Mistake, PolicyBook, built_in_book, check_policies, read_policies
from engine.policy.document import FILE_BYTES_MAX
from engine.sample import POLICIES_TOML, load_network

RIGHT = """version = "1"
default = "a"
[policies.a]
objective = "cheapest"
[policies.b]
objective = "pinned"
warehouses = ["W1", "W2"]
"""


def mistakes(text: str, network: Collection[Warehouse] | None = None) -> list[tuple[int, str, str]]:
    """Line, setting and reason of each."""
    found = check_policies(text.encode(), network=network)
    assert not isinstance(found, PolicyBook), "there is a mistake"
    return [(one.line, one.where, one.reason) for one in found]


def test_what_is_right_is_taken() -> None:
    """The built-in policies are there, too, where the file has none of their names."""
    book = check_policies(RIGHT.encode())
    assert isinstance(book, PolicyBook)
    assert (book.version, book.document.default) == ("1", "a")
    assert book.names == ("a", "b", "cheapest", "nearest", "fastest", "fewest_shipments", "priority")


def test_the_sample_file_is_right_and_names_what_the_sample_has() -> None:
    """It is what people begin with."""
    found = check_policies(POLICIES_TOML.read_bytes(), network=load_network().warehouses)
    assert isinstance(found, PolicyBook), found


def test_a_file_that_names_no_default_has_that_of_the_settings() -> None:
    """So that the setting goes on to mean something."""
    text = b'version = "1"'
    found = check_policies(text, default="nearest")
    assert isinstance(found, PolicyBook)
    assert found.document.default == "nearest"
    assert found.document.policies == built_in_book("nearest").document.policies


PLANTED = {
    'objective = "cheapest"\ncolour = "red"': "no such setting",
    "objective = 'dearest'": "must be one of cheapest, ",
    "objective = 5": "must be one of cheapest, ",
    'objective = "balanced"': "needs `weights`",
    'objective = "balanced"\nweights = {cost = 0}': "must have one above 0",
    'objective = "balanced"\nweights = {cost = -1}': "from 0 to 1,000, not -1",
    'objective = "balanced"\nweights = {speed = 1}': "no such setting",
    'objective = "balanced"\nweights = 3': "must be a table",
    'objective = "cheapest"\nweights = {cost = 1}': "only for balanced",
    'objective = "pinned"': "needs `warehouses`",
    'objective = "cheapest"\nwarehouses = ["W1"]': "only for pinned and priority",
    'objective = "pinned"\nwarehouses = ["W1", "W1"]': "named twice",
    'objective = "pinned"\nwarehouses = ["W1"]\nonly.exclude = ["W1"]': "is among `warehouses`, too",
    'objective = "nearest"\nsplit_penalty = 5': "weighs no costs",
    'objective = "priority"\nlateness_cost_per_day = 5': "weighs no costs",
    'objective = "pinned"\nwarehouses = ["W1"]\nload_cost = 5': "weighs no costs",
    'objective = "fewest_shipments"\nsplit_penalty = 5': "come first anyway",
    'objective = "cheapest"\nsplit_penalty = 1.5': "must be a whole number",
    'objective = "cheapest"\nsplit_penalty = -1': "from 0 to",
    'objective = "cheapest"\ndeliver_within_days = 3': "without `lateness_cost_per_day`",
    'objective = "cheapest"\nmax_shipments = 0': "from 1 to 100, not 0",
    'objective = "cheapest"\nonly = {kinds = ["ship"]}': "must be one of dc, store",
    'objective = "cheapest"\nonly = {kinds = ["dc", "dc"]}': "named twice",
    'objective = "cheapest"\nonly = {counted_within_s = 0}': "from 1 to",
    'objective = "cheapest"\nonly = {pools = "some"}': "must be one of first, only, never",
    'objective = "cheapest"\nonly = {capabilities = [5]}': "must be text",
    'objective = "cheapest"\nkeep_back = {app = 0}': "from 1 to",
    'objective = "cheapest"\nkeep_back = 2': "must be a table, not 2",
    'objective = "cheapest"\nonly = {kinds = []}': "would ask nothing",
    "split_penalty = 5": "lacks `objective`",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_mistake_in_a_policy_is_found_on_its_line(planted: str) -> None:
    """The last line is where it is, but for what is lacking, which is where the policy begins."""
    text = RIGHT + "[policies.c]\n" + planted + "\n"
    ((line, where, reason),) = mistakes(text)
    lacks = "needs" in reason or "lacks" in reason
    assert line == (8 if lacks else text.count("\n"))
    assert where.startswith("policies.c")
    assert PLANTED[planted] in reason


PLANTED_IN_RULES = {
    'use = "magic"': "no policy 'magic'",
    'use = "a"\nchannel = ["app"]': "no such setting",
    'use = "a"\nchannels = "app"': "must be an array",
    'use = "a"\nchannels = ["app", ""]': "must be text of 1 to 64 characters",
    'use = "a"\nchannels = ["app", "app"]': "named twice",
    'use = "a"\nvalue_min = "much"': "must be a whole number",
    'use = "a"\nvalue_min = 5\nvalue_max = 4': "less than `value_min`",
    'use = "a"\nfrom = 2026-11-11T00:00:00': "must be an instant with its offset",
    'use = "a"\nfrom = "soon"': "must be an instant with its offset",
    'use = "a"\nfrom = 2026-11-11T00:00:00Z\nuntil = 2026-11-11T00:00:00Z': "not after `from`",
    'use = "a"\nhours = ["20:00", "26:00"]': "must be a time of day",
    'use = "a"\nhours = ["20:00"]': "must be an array of 2",
    'use = "a"\nhours = ["20:00", "20:00"]': "at the same time",
    'use = "a"\nhours = ["24:00", "02:00"]': "cannot begin at 24:00",
    'use = "a"\nweekdays = ["mon"]': 'did you mean "monday"',
    'use = "a"\ncountries = []': "would ask nothing",
    'use = "a"\nweekdays = []': "would ask nothing",
    'use = "a"\nhours = ["20:00", "21:00"]\ntimezone = "Shanghai"': "no time zone 'Shanghai'",
    'use = "a"\nchannels = ["app"]\ntimezone = "Asia/Shanghai"': "without `hours` or `weekdays`",
    'use = "a"\ntrial = {name = "t", use = "magic", share_percent = 5}': "no policy 'magic'",
    'use = "a"\ntrial = {name = "t", use = "b", share_percent = 101}': "from 0 to 100, not 101",
    'use = "a"\ntrial = {name = "t", use = "a", share_percent = 5}': "the rule uses anyway",
    'use = "a"\ntrial = {name = "t", use = "b"}': "lacks `share_percent`",
    'use = "a"\ntrial = {name = "t t", use = "b", share_percent = 5}': "must be 1 to 64 letters",
}


@pytest.mark.parametrize("planted", PLANTED_IN_RULES)
def test_a_mistake_in_a_rule_is_found_on_its_line(planted: str) -> None:
    """Rules have no names in the file's keys, so the line is what finds them."""
    text = RIGHT + '[[rules]]\nname = "first"\nuse = "b"\nregions = ["x"]\n[[rules]]\nname = "r"\n' + planted + "\n"
    ((line, where, reason),) = mistakes(text)
    assert line == text.count("\n")
    assert where.startswith("rules[1]")
    assert PLANTED_IN_RULES[planted] in reason.lower().replace("shanghai'", "Shanghai'")


def test_all_mistakes_are_found_at_once() -> None:
    """One round of mending is enough."""
    text = """version = "1 1"
default = "magic"
color = 1
[policies.a]
objective = "cheepest"
split_penalty = -5
[policies."b c"]
objective = "pinned"
[[rules]]
name = "all"
use = "a"
[[rules]]
name = "all"
use = "nothing"
hours = ["1:00", "2:00"]
[[rules]]
use = "a"
"""
    assert [(line, where) for line, where, _ in mistakes(text)] == [
        (1, "version"),
        (2, "default"),
        (3, "color"),
        (5, "policies.a.objective"),
        (6, "policies.a.split_penalty"),
        (7, "policies.b c"),
        (7, "policies.b c"),
        (12, "rules[1]"),
        (13, "rules[1].name"),
        (14, "rules[1].use"),
        (15, "rules[1].hours[0]"),
        (15, "rules[1].hours[1]"),
        (16, "rules[2]"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "lacks `version`"),
        ('version = "built-in"', 1, "without a file"),
        ('version = "1"\npolicies = 3', 2, "must be tables"),
        ('version = "1"\nrules = 3', 2, "must be tables of an array"),
        ('version = "1"\nrules = [3]', 2, "must be a table"),
        ('version = "1"\n[policies]\na = 3', 3, "must be a table"),
        ('version = "1"\nversion = "2"', 2, "not TOML"),
        ('version = "1"\r\n[policies\r\n', 2, "not TOML"),
        ('version = "1"\na = [', 2, "not TOML"),
        ("#" * (FILE_BYTES_MAX + 1), 1, "longer than"),
    ],
)
def test_what_is_wrong_with_the_whole_file_is_told(text: str, line: int, words: str) -> None:
    """Files that are no file of policies at all."""
    assert any(one[0] == line and words in one[2] for one in mistakes(text)), mistakes(text)


def test_a_file_that_is_no_text_is_told_by_its_line() -> None:
    """An editor of another century."""
    found = check_policies(b'version = "1"\n# \xff')
    assert found == (Mistake(line=2, where="", reason="is not UTF-8"),)


def test_names_of_warehouses_are_looked_up_if_the_network_is_known() -> None:
    """A typing error in a pinned list would refuse every order."""
    text = RIGHT + 'only.exclude = ["W9"]\n'
    assert mistakes(text, [Warehouse(id="W1", lat=0, lon=0)]) == [
        (7, "policies.b.warehouses[1]", "the network has no warehouse 'W2'"),
        (8, "policies.b.only.exclude[0]", "the network has no warehouse 'W9'"),
    ]


NETWORK = (
    Warehouse(id="W1", lat=0, lon=0, kind="store", capabilities=("cold",)),
    Warehouse(id="W2", lat=0, lon=0, kind="dc", capabilities=("hazardous",)),
)


@pytest.mark.parametrize(
    ("filters", "leaves_any"),
    [
        ('only.kinds = ["store"]', True),
        ('only.kinds = ["supplier"]', False),
        ('only.capabilities = ["cold"]', True),
        ('only.capabilities = ["cold", "hazardous"]', False),
        ('only.kinds = ["dc"]\nonly.capabilities = ["cold"]', False),
        ('only.exclude = ["W1"]', True),
        ('only.exclude = ["W1", "W2"]', False),
    ],
)
def test_filters_that_leave_no_warehouse_of_the_network_are_found(filters: str, leaves_any: bool) -> None:
    """They would refuse every order."""
    text = f'version = "1"\n[policies.a]\nobjective = "cheapest"\n{filters}\n'
    found = check_policies(text.encode(), network=NETWORK)
    assert isinstance(found, PolicyBook) == leaves_any
    if not leaves_any:
        assert mistakes(text, NETWORK) == [(4, "policies.a.only", "leaves no warehouse of the network")]


FOLLOWED = {
    "[policies.c]\nobjective = 'dearest'\nweights = {cost = 1}": "policies.c.objective",
    "[policies.c]\nobjective = 'pinned'\nwarehouse = ['W1']": "policies.c.warehouse",
    "[policies.c]\nobjectiv = 'nearest'": "policies.c.objectiv",
    "[policies.c]\nobjective = 'balanced'\nweights = {cost = 0, per_kn = 1}": "policies.c.weights.per_kn",
    "[policies.c]\nobjective = 'cheapest'\nlateness_cost_per_day = 'x'\ndeliver_within_days = 3": "policies.c.lateness",
    "[policies.c]\nobjective = 'cheapest'\nwarehouses = ['W7']": "policies.c.warehouses",
    "[[rules]]\nname = 'r'\nuse = 'a'\nhours = ['1:00', '02:00']\ntimezone = 'Asia/Shanghai'": "rules[0].hours[0]",
    "[[rules]]\nname = 'r'\nuse = 'a'\nchannels = 'app'\n[[rules]]\nname = 's'\nuse = 'b'": "rules[0].channels",
    "[[rules]]\nname = 'r'\nuse = 'c'\n[policies.c]\nobjective = 'dearest'": "policies.c.objective",
}


@pytest.mark.parametrize("text", FOLLOWED)
def test_one_mistake_is_told_once(text: str) -> None:
    """What follows from it alone is none of its own."""
    ((_, where, _),) = mistakes(RIGHT + text + "\n", NETWORK)
    assert where.startswith(FOLLOWED[text])


def test_a_wrong_value_is_told_with_those_that_there_are() -> None:
    """In the words of TOML."""
    text = '[policies.c]\nobjective = "x"\nmax_shipments = "2"\nonly = {kinds = ["y"], pools = "z"}\n'
    reasons = [reason for *_, reason in mistakes(RIGHT + text)]
    assert reasons == [
        'must be one of cheapest, nearest, fastest, fewest_shipments, balanced, priority, pinned, not "x"',
        'must be a whole number from 1 to 100, not "2"',
        'must be one of dc, store, supplier, third_party, not "y"',
        'must be one of first, only, never, not "z"',
    ]


def test_a_built_in_name_is_not_given_to_another_objective() -> None:
    """An order that asks for the nearest gets the nearest."""
    ((line, where, reason),) = mistakes(RIGHT + '[policies.nearest]\nobjective = "cheapest"\n')
    assert (line, where) == (9, "policies.nearest.objective")
    assert "call this one otherwise" in reason


def test_a_built_in_policy_with_settings_of_its_own_is_taken_with_a_warning() -> None:
    """It may be meant so; written out as it is anyway, it is not worth one."""
    plain = check_policies((RIGHT + '[policies.nearest]\nobjective = "nearest"\n').encode())
    own = check_policies((RIGHT + '[policies.nearest]\nobjective = "nearest"\nmax_shipments = 2\n').encode())
    assert isinstance(plain, PolicyBook)
    assert isinstance(own, PolicyBook)
    assert plain.warnings == ()
    assert [(one.line, one.where) for one in own.warnings] == [(8, "policies.nearest")]


@given(st.text(alphabet='ab=.[]{}"#\n, 1', max_size=80))
def test_no_text_breaks_the_check(tail: str) -> None:
    """A book or mistakes, each on a line of the file."""
    text = RIGHT + tail
    found = check_policies(text.encode())
    if not isinstance(found, PolicyBook):
        assert found
        assert all(1 <= one.line <= text.count("\n") + 1 for one in found)


def test_an_error_names_file_and_line(tmp_path: Path) -> None:
    """As compilers do, so that editors find it."""
    file = tmp_path / "policies.toml"
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_policies(file, default="cheapest")
    file.write_text(RIGHT + "colour = 1\n", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_policies(file, default="cheapest")
    (error,) = caught.value.errors
    assert error.pointer == f"{file}:8"
    assert error.message.startswith("policies.b.colour: no such setting")
