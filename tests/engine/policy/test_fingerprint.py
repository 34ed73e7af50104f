"""Fingerprints of books: of what they say, the same on every machine and in every release."""

import pytest

from engine.model import BuiltInPolicy
from engine.policy import PolicyBook, check_policies

PLAIN = """version = "1"
default = "a"
[policies.a]
objective = "balanced"
weights = { cost = 1.0, per_km = 2 }
[[rules]]
name = "r"
use = "a"
from = 2026-11-11T00:00:00+08:00
"""


def fingerprint(text: str, default: BuiltInPolicy = "cheapest") -> str:
    """Of a right text."""
    book = check_policies(text.encode(), default=default)
    assert isinstance(book, PolicyBook), book
    return book.fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1"', '# a comment\nversion = "1"'),
        ("cost = 1.0, per_km = 2", "per_km = 2.0"),
        ('objective = "balanced"', 'objective = "balanced"\nsplit_penalty = 0\nonly = { exclude = [] }'),
        ("2026-11-11T00:00:00+08:00", "2026-11-10T16:00:00Z"),
        ("[[rules]]", '[policies.nearest]\nobjective = "nearest"\n[[rules]]'),
    ],
)
def test_other_words_for_the_same_have_the_same_fingerprint(old: str, new: str) -> None:
    """Comments, defaults written out, other time zones: nothing that an order would notice."""
    assert old in PLAIN
    assert fingerprint(PLAIN.replace(old, new)) == fingerprint(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1"', 'version = "2"'),
        ('default = "a"', 'default = "cheapest"'),
        ("per_km = 2", "per_km = 2.5"),
        ('name = "r"', 'name = "s"'),
        ("2026-11-11T00:00:00+08:00", "2026-11-11T00:00:00Z"),
        ("[[rules]]", '[policies.nearest]\nobjective = "nearest"\nmax_shipments = 2\n[[rules]]'),
    ],
)
def test_what_an_order_could_notice_has_another(old: str, new: str) -> None:
    """Whatever it is."""
    assert old in PLAIN
    assert fingerprint(PLAIN.replace(old, new)) != fingerprint(PLAIN)


def test_the_default_of_the_settings_counts_where_the_file_names_none() -> None:
    """It says what most orders get."""
    silent = PLAIN.replace('default = "a"\n', "")
    assert fingerprint(silent) != fingerprint(silent, "nearest")
    assert fingerprint(PLAIN) == fingerprint(PLAIN, "nearest")


def test_fingerprints_stay_as_they_are() -> None:
    """Stores keep them: a release that makes others would take every file for a changed one."""
    assert fingerprint(PLAIN) == "3b4dbc419dcf3eff"
