"""Mistakes in the files of `stockade tariff`: every one of them, and its line."""

from pathlib import Path

import pytest

from api.cli.tariff_file import read_tariff
from engine.errors import InvalidInput

WRONG = """# Carriers of the sample.
[[carriers]]
carrier = "post"
weight_step = 500
[[carriers.zones]]
zone = "near"
max_km = "300"
countries = []

[[carriers]]
carrier = "courier"
[[carriers.zones]]
zone = "all"
[[carriers.zones]]
zone = "never"
steps = [
  { up_to_g = 1_000, amount = 500 },
  { up_to_g = 500, amount = 400 },
]

[[carriers]]
[[carriers.zones]]
base = 5
"""

TOLD = [
    (4, "carriers[0].weight_step: no such setting; did you mean"),
    (7, 'carriers[0].zones[0].max_km: must be a whole number from 1 to 21,000, not "300"'),
    (8, "carriers[0].zones[0].countries: must be an array of 1 to 1,000 values"),
    (14, 'carriers[1].zones[1]: is never reached: zone "all" before it'),
    (18, "carriers[1].zones[1].steps[1].up_to_g: must grow"),
    (18, "carriers[1].zones[1].steps[1].amount: must not fall"),
    (21, "carriers[2]: lacks `carrier`"),
    (22, "carriers[2].zones[0]: lacks `zone`"),
]


def mistakes(file: Path, text: str) -> list[tuple[str, str]]:
    """What is told of a file with this text."""
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_tariff(file)
    return [(error.pointer, error.message) for error in refused.value.errors]


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    """Whether a shape or a rule finds it; and nothing that only follows from another."""
    file = tmp_path / "wrong.toml"
    found = mistakes(file, WRONG)
    assert len(found) == len(TOLD)
    for (where, message), (line, words) in zip(found, TOLD, strict=True):
        assert where == f"{file}:{line}"
        assert message.startswith(words)


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    """Where an editor finds it."""
    file = tmp_path / "wrong.toml"
    ((where, message),) = mistakes(file, '[[zones]]\nzone = "a"\nbase =\n')
    assert (where, message.startswith("is not TOML")) == (f"{file}:3", True)


def test_mistakes_in_json_are_all_told_too(tmp_path: Path) -> None:
    """By the field, as JSON is often one line."""
    file = tmp_path / "wrong.json"
    found = mistakes(file, '{"zones": [{"zone": "a", "max_km": 0, "base": -1, "per_kg": 1}]}')
    assert [message.partition(":")[0] for _, message in found] == ["zones[0].max_km", "zones[0].base"]
    assert {where for where, _ in found} == {str(file)}
    ((where, message),) = mistakes(file, '{"zones"')
    assert (where, "is not JSON, nor named .toml" in message) == (str(file), True)
    ((_, message),) = mistakes(file, "[]")
    assert message == "must be a table"


@pytest.mark.parametrize("text", ["", 'currency = "CNY"\n', '[[carrier]]\ncarrier = "post"\n'])
def test_a_tariff_of_nothing_is_none(tmp_path: Path, text: str) -> None:
    """And a table of another name is told as that alone."""
    assert len(mistakes(tmp_path / "wrong.toml", text)) == 1
