"""`stockade tariff`: what files it takes, and what it says of wrong ones."""

import json
from pathlib import Path

from tests.api.conftest import run

TOML = """
[[carriers]]
carrier = "post"
volumetric_cm3_per_kg = 6000

[[carriers.zones]]
zone = "near"
max_km = 100
base = 500
per_kg = 100
transit_days = 2

[[carriers.zones]]
zone = "far"
countries = ["CN"]
minimum = 700
steps = [{ up_to_g = 1000, amount = 600 }]
"""


def test_a_tariff_and_own_numbers_are_set_shown_and_removed(tmp_path: Path) -> None:
    """In a store of its own: a tariff rules all orders of a store."""
    store = ("--data-dir", tmp_path / "store")
    tariff, table = tmp_path / "tariff.toml", tmp_path / "own.csv"
    tariff.write_text(TOML)
    assert "right" in run("tariff", "check", tariff).out
    assert "Carriers: 1, zones: 2" in run("tariff", "set", tariff, *store).out
    shown = run("tariff", *store, COLUMNS="120").out
    assert "post: all orders, 6,000 cm3 charged as a kilogram at the least." in shown
    near, far = shown.splitlines()[3:5]
    assert [cell.strip() for cell in near.split("│")] == ["near", "anywhere", "100", "500", "100", "", "", "2"]
    assert [cell.strip() for cell in far.split("│")] == ["far", "CN", "", "0", "0", "1,000 600", "700", ""]
    assert json.loads(run("tariff", "--json", *store).out)["carriers"][0]["volumetric_cm3_per_kg"] == 6000
    table.write_text("region,NOWHERE\nnorth,5\n")
    refused = run("tariff", "distances", table, *store)
    assert (refused.code, f'{table}:1: unknown warehouse "NOWHERE"' in " ".join(refused.err.split())) == (2, True)
    assert "no own costs" in run("tariff", "costs", "--remove", *store).out


def test_every_mistake_of_a_tariff_is_named(tmp_path: Path) -> None:
    """Without a store, before anything is set."""
    file = tmp_path / "tariff.toml"
    for text, words in (
        (TOML.replace("max_km = 100", ""), ("tariff.toml:", "carriers[0].zones[1]", "never reached")),
        (TOML.replace("base = 500", "base = -1"), ("carriers[0].zones[0].base", "from 0 to")),
        ("zones = 5", ("tariff.toml:1: zones",)),
        ("= nonsense", ("is not TOML",)),
    ):
        file.write_text(text)
        finished = run("tariff", "check", file)
        assert finished.code == 2
        assert all(word in " ".join(finished.err.split()) for word in words), finished.err
