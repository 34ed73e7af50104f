"""Alerts fire when they should: Prometheus says of a query that can match nothing no word."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.api.metrics.exposed import Numbers
from tests.deploy.label_sets import TARGET, labels_of
from tests.deploy.test_names import alerts, expressions, told

__all__ = ["told"]

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).with_name("alert_cases.yml")
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
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
    tools = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    promtool = shutil.which("promtool", path=tools)
    if promtool is None:
        pytest.skip("promtool, of Prometheus, is not on PATH; `make promtool` gets it")
    for asked in (("check", "rules", RULES), ("test", "rules", CASES)):
        done = subprocess.run([promtool, *asked], capture_output=True, text=True, timeout=CHECK_WAIT_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    """One that fires always is switched off; and no case is of an alert that is none. Also without promtool at hand."""
    cases = yaml.safe_load(CASES.read_text())["tests"]
    expected = [one for case in cases for one in case["alert_rule_test"]]
    named = {rule["alert"] for rule in alerts()}
    assert {one["alertname"] for one in expected if one["exp_alerts"]} == named
    assert {one["alertname"] for one in expected if not one["exp_alerts"]} == named


def test_what_a_case_expects_to_be_said_is_what_its_alert_says() -> None:
    """Word for word but for numbers, so that promtool is not the first to find it."""
    rules = {rule["alert"]: rule for rule in alerts()}
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for expected in case["alert_rule_test"]:
            rule = rules[expected["alertname"]]
            for alert in expected["exp_alerts"]:
                assert alert["exp_labels"]["severity"] == rule["labels"]["severity"], expected
                assert alert["exp_annotations"].keys() == rule["annotations"].keys(), expected
                for name, said in alert["exp_annotations"].items():
                    told = re.escape(rule["annotations"][name]).replace(re.escape("{{ $value }}"), r"\d+")
                    assert re.fullmatch(told, said), expected
