"""Alerts fire when they should: Prometheus says of a query that can match nothing no word."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.api.metrics.exposed import Numbers
from tests.deploy.label_sets import TARGET, labels_of
from tests.deploy.test_names import alerts, expressions, told

__all__ = ["told"]

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).with_name("alert_cases.yml")
CHECK_WAIT_S = 120


def label_sets(numbers: Numbers) -> dict[str, frozenset[str]]:
    """The labels of each name that a service tells, and of the one that Prometheus adds."""
    found = {name: frozenset(label for row in rows for label, _ in row) for name, rows in numbers.items()}
    return {**found, "up": frozenset()}


def test_both_sides_of_every_operator_have_the_same_labels(told: Numbers) -> None:
    """Of dashboard and alerts."""
    sets = label_sets(told)
    for expression in expressions():
        labels_of(expression, sets)


def test_sides_that_cannot_meet_are_found() -> None:
    """As a rate by instance beside a sum over all; and a label that is none."""
    sets = {"a_total": frozenset({"outcome"}), "b": frozenset()}
    assert labels_of("sum(rate(a_total[5m])) > 0.5 * sum(rate(b[5m]))", sets) == frozenset()
    assert labels_of('b > 1 and b < 2 or sum by (outcome) (a_total{outcome=~"x|y"}) > 0', sets) == TARGET
    for query in ("rate(b[5m]) > 0.5 * sum(rate(a_total[5m]))", "b == 1 and a_total > 0"):
        with pytest.raises(AssertionError, match="no series"):
            labels_of(query, sets)
    with pytest.raises(AssertionError, match="no label"):
        labels_of("sum by (reason) (a_total)", sets)


def test_alerts_fire_in_the_cases_that_they_are_for() -> None:
    """As Prometheus itself evaluates them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool, of Prometheus, is not on PATH")
    done = subprocess.run(
        [promtool, "test", "rules", CASES], capture_output=True, text=True, timeout=CHECK_WAIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_case_is_of_an_alert_that_there_is() -> None:
    """Also where promtool is not at hand."""
    cases = yaml.safe_load(CASES.read_text())["tests"]
    named = {expected["alertname"] for case in cases for expected in case["alert_rule_test"]}
    assert named
    assert named <= {rule["alert"] for rule in alerts()}
