"""Reads what /metrics tells, with the parser of Prometheus's own client."""

from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import Door

Numbers = dict[str, dict[tuple[tuple[str, str], ...], float]]


def numbers_of(text: str) -> Numbers:
    """Samples by name and labels."""
    found: Numbers = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def scrape(door: Door) -> Numbers:
    """What a service tells now."""
    answer = door.call("GET", "/metrics")
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return numbers_of(answer.body.decode())


def value(numbers: Numbers, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels; 0 where there is none."""
    wanted = labels.items()
    return sum(number for own, number in numbers.get(name, {}).items() if wanted <= dict(own).items())
