"""Dashboard and alerts ask for what /metrics tells: a misspelt name is an alert that never comes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.conftest import Door, Shop
from tests.api.metrics.exposed import Numbers, scrape
from tests.conftest import Service
from tests.waiting import until

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"\bstockade_[a-z0-9_]+")
LABELS = re.compile(r"(stockade_[a-z0-9_]+)\{([^}]*)\}")
TOLD_S = 10.0


def alerts() -> list[dict[str, Any]]:
    """The rules of the file."""
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """What the dashboard shows."""
    return list(json.loads((DEPLOY / "grafana" / "dashboards" / "stockade.json").read_text())["panels"])


def expressions() -> list[str]:
    """Everything that is asked of Prometheus."""
    return [rule["expr"] for rule in alerts()] + [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Numbers]:
    """What a service tells that has had an order."""
    service = Service(tmp_path_factory.mktemp("told") / "store")
    service.start()
    door = Door(service.url)
    shop = Shop(door, "N")
    shop.reserve((shop.sku(on_hand={shop.warehouse(): 2}), 1))
    yield until(TOLD_S, lambda: scrape(door), lambda found: "stockade_build_info" in found)
    service.stop()


def test_every_name_that_is_asked_for_is_told(told: Numbers) -> None:
    """Of dashboard and alerts."""
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 20
    assert asked - told.keys() == set()


def test_every_label_that_is_asked_for_is_told(told: Numbers) -> None:
    """A wrong label matches nothing, without a word."""
    for expression in expressions():
        for name, selector in LABELS.findall(expression):
            labels = {part.split("=")[0].rstrip("!~") for part in selector.split(",")}
            assert all(labels <= {label for label, _ in row} for row in told[name]), expression
        for by in re.findall(r"by \(([a-z, ]+)\)", expression):
            (name, *_) = NAME.findall(expression)
            assert set(by.replace(" ", "").split(",")) <= {label for row in told[name] for label, _ in row}, expression


def test_every_gauge_and_counter_that_is_told_is_shown_or_alerted_on(told: Numbers) -> None:
    """A number that nobody looks at is not worth its place."""
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    plain = {name for name in told if not name.endswith(("_bucket", "_count", "_sum", "_created"))}
    assert plain - asked <= {
        "stockade_start_time_seconds",
        "stockade_oversell_checks_total",
    }


def test_every_name_that_is_told_is_explained(told: Numbers) -> None:
    """In the table of the page for those who operate it."""
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    names = {re.sub("_(bucket|count|sum)$", "", name) for name in told if name.startswith("stockade_")}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_alert_says_how_urgent_it_is_and_what_is_wrong() -> None:
    """At night, somebody reads this and nothing else."""
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)


def test_every_panel_has_its_data_source_and_a_place_of_its_own() -> None:
    """As Grafana is provisioned here."""
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
