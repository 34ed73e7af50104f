"""Settings: every broken one is named at once, before anything starts."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import Settings, load_settings, read_settings
from engine.errors import InvalidInput

BROKEN: dict[str, str] = {
    "DATA_DIR": "",
    "NAMESPACE": "a b",
    "PORT": "65536",
    "ACCESS": "everybody",
    "SIGNING_KEY_FILE": "",
    "CURRENCY": "yuan",
    "POLICY": "dearest",
    "POLICIES_FILE": "",
    "FIXED_COST": "-1",
    "UNIT_COST": "1.5",
    "COST_PER_KM": "-0.1",
    "PRICES": "best",
    "PRICES_EVERY_S": "0",
    "PRICES_HORIZON_S": "59",
    "PRICES_PERIOD_S": "59",
    "PRICES_METHOD": "oracle",
    "PRICES_TIME_MS_MAX": "9",
    "PRICES_SKUS_MAX": "10001",
    "QUEUE_ORDERS_MAX": "0",
    "BATCH_ORDERS_MAX": "4001",
    "BULK_BATCH_ORDERS_MAX": "4001",
    "STREAM_INTAKE": "perhaps",
    "FILL_BACKORDERS": "perhaps",
    "STREAM_CLAIM_MS": "999",
    "STREAM_RESULTS_MAX": "0",
    "STREAM_DEAD_MAX": "0",
    "STORE_TIMEOUT_MS": "9",
    "STORE_RECOVERY_MS": "-1",
    "STORE_READY_S": "0",
    "PARTITIONS": "257",
    "EVENTS_KEPT_MAX": "999",
    "KEY_BURST": "-1",
    "KEY_RATE_PER_S": "-0.5",
    "ORDER_WAIT_MS_MAX": "0",
    "QUEUE_STANDING_MS": "0",
    "QUEUE_WAIT_MS_MAX": "600001",
    "EVENTS_KEPT_MB": "0",
    "REPLICAS_ACKED_MIN": "11",
    "REPLICA_WAIT_MS": "0",
    "RECONCILE_ORDERS_MAX": "-1",
    "EVENTS_KEPT_S": "-1",
    "CONNECTIONS_MAX": "0",
    "REQUEST_READ_S": "0",
    "DRAIN_S": "for ever",
    "WORKERS": "0",
    "DRAIN_DELAY_S": "-1",
    "RUN_DIR": "",
    "LOG_FORMAT": "xml",
    "LOG_SAMPLE": "1.1",
    "LOG_SLOW_MS": "-1",
    "TRACE_ENDPOINT": "collector:4318",
    "TRACE_SAMPLE": "2",
    "OVERSELL_CELLS_PER_S": "-1",
    "IDEMPOTENCY_KEYS_S": "0",
}


def named(environ: dict[str, str], **given: Any) -> list[str]:
    """The variables that a refusal names."""
    with pytest.raises(InvalidInput) as refused:
        load_settings(environ, **given)
    for error in refused.value.errors:
        assert error.message
        assert error.pointer in str(refused.value)
    return [error.pointer for error in refused.value.errors]


def test_an_empty_environment_gives_the_defaults() -> None:
    """Two commands and no configuration: the service must start without any."""
    assert load_settings({}) == Settings()
    assert load_settings({"PATH": "/bin", "STOCKADED": "1"}) == Settings()


def test_every_setting_is_read_from_its_variable() -> None:
    """Text of the environment becomes the type of the setting."""
    given = {"data_dir": Path("there"), "cost_per_km": 0.25, "port": 0, "drain_s": 2.5, "namespace": "eu-1"}
    environ = {f"STOCKADE_{name.upper()}": str(value) for name, value in given.items()}
    assert load_settings(environ) == Settings(**given)
    assert load_settings({"REDIS_URL": "redis://there"}).redis_url == "redis://there"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_variable_is_named(name: str) -> None:
    """ "Invalid configuration" sends people to read all of it."""
    assert named({f"STOCKADE_{name}": BROKEN[name]}) == [f"STOCKADE_{name}"]


def test_every_setting_with_a_rule_was_broken_above() -> None:
    """A new setting belongs into the table, unless it takes any text."""
    any_text = {"redis_url", "host"}
    assert {name.lower() for name in BROKEN} == set(Settings.__struct_fields__) - any_text


def test_all_broken_variables_are_named_at_once() -> None:
    """One restart for each would be one outage for each."""
    environ = {f"STOCKADE_{name}": value for name, value in BROKEN.items()}
    assert set(named(environ)) == set(environ)


def test_an_unknown_variable_is_named_with_those_that_exist() -> None:
    """A misspelt limit that is silently not applied is found out in the sale."""
    with pytest.raises(InvalidInput, match="STOCKADE_QUEUE_ORDERS_MAX") as refused:
        load_settings({"STOCKADE_QUEUE_MAX": "5"})
    assert [error.pointer for error in refused.value.errors] == ["STOCKADE_QUEUE_MAX"]
    assert 'did you mean "STOCKADE_QUEUE_ORDERS_MAX"?' in refused.value.errors[0].message


def test_what_is_given_goes_before_the_environment() -> None:
    """An option on the command line is nearer than a variable; None is an option that was not given."""
    environ = {"STOCKADE_PORT": "9000", "REDIS_URL": "redis://there"}
    assert load_settings(environ, port=9001, redis_url="redis://here").redis_url == "redis://here"
    assert load_settings(environ, port=9001).port == 9001
    assert load_settings(environ, port=None).port == 9000
    assert named(environ, port=-1) == ["port"]
    assert named({"STOCKADE_PORT": "-1"}) == ["STOCKADE_PORT"]


def test_settings_do_not_change() -> None:
    """What was checked is what runs."""
    with pytest.raises(AttributeError):
        load_settings({}).port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        msgspec.structs.replace(Settings(), unknown=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings, in a folder of its own."""
    return tmp_path / "stockade.toml"


def test_a_file_is_below_the_environment_and_that_below_options(file: Path) -> None:
    """What is nearer to the one who starts the service wins; and each value tells where it is from."""
    file.write_text('# ours\nport = 9000\nhost = "::1"\nredis_url = "redis://file"\ncost_per_km = 2\n')
    environ = {"STOCKADE_CONFIG": str(file), "STOCKADE_HOST": "::2", "REDIS_URL": "redis://variable"}
    loaded = read_settings(environ, port=9001)
    expected = Settings(port=9001, host="::2", redis_url="redis://variable", cost_per_km=2.0)
    assert loaded.settings == expected
    assert dict(loaded.sources) == {
        "port": "option",
        "host": "STOCKADE_HOST",
        "redis_url": "REDIS_URL",
        "cost_per_km": f"{file}:5: cost_per_km",
    }
    assert read_settings({}, config=file).settings.port == 9000


def test_a_path_in_a_file_is_one_from_its_folder(file: Path) -> None:
    """A service that is started from elsewhere finds the same."""
    file.write_text('policies_file = "policies.toml"\ndata_dir = "/srv/stock"\n')
    settings = load_settings({}, config=str(file))
    assert (settings.policies_file, settings.data_dir) == (file.parent / "policies.toml", Path("/srv/stock"))


def test_every_mistake_of_a_file_is_named_with_its_line(file: Path) -> None:
    """An editor goes there; a value's type must fit, as a file has types."""
    file.write_text('port = "80"\n\nqueue_max = 5\n[redis]\nurl = "x"\n')
    found = named({"STOCKADE_CONFIG": str(file), "STOCKADE_DRAIN_S": "x"})
    assert set(found) == {f"{file}:1: port", f"{file}:3: queue_max", f"{file}:4: redis", "STOCKADE_DRAIN_S"}


def test_a_file_that_is_none_is_named(file: Path) -> None:
    """Missing, not text, not TOML (with the line): each before anything starts."""
    assert named({"STOCKADE_CONFIG": str(file)}) == [str(file)]
    for content in (b"\xff", b"port = \n"):
        file.write_bytes(content)
        assert named({}, config=file) == [str(file)]
    with pytest.raises(InvalidInput, match="line 1"):
        load_settings({}, config=file)
