"""What `stockade capacity run` may be told of what is measured, and of which service."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from engine.errors import FieldError, InvalidInput
from loadtest.capacity.point import WORKERS_MAX
from loadtest.capacity.result import SESSIONS_MAX
from loadtest.capacity.schedule import LOADS, POINT_S_MIN, REPEATS

LOADS_TEXT = ",".join(f"{100 * load:g}" for load in LOADS)
LOADS_MAX, PERCENT_MAX = 40, 500
SEED_MAX = 100_000_000_000


@Parameter(name="*")
@dataclass(frozen=True)
class Measure:
    """What is measured."""

    minutes: Annotated[
        float, Parameter(help="It ends in so long, whatever there is to measure.", validator=Number(gt=0, lte=1_440))
    ] = 10.0
    workers: Annotated[
        str | None, Parameter(help="Numbers of processes, such as 1,2,4; else 1, 2, 4... up to the processors.")
    ] = None
    loads: Annotated[str, Parameter(help="Loads of the sweep, in per cent of the peak.")] = LOADS_TEXT
    repeats: Annotated[int, Parameter(help="How often each is measured.", validator=Number(gte=1, lte=100))] = REPEATS
    seconds: Annotated[
        float | None,
        Parameter(
            help="How long each takes; else as long as --minutes allow.", validator=Number(gte=POINT_S_MIN, lte=600)
        ),
    ] = None
    p99_ms: Annotated[
        float,
        Parameter(
            help="The objective: p99 of what is accepted, from when it was due.", validator=Number(gt=0, lte=3_600_000)
        ),
    ] = 50.0
    scenario: Annotated[str, Parameter(help="Whose goods and buyers: a scenario's name, or a file of one.")] = (
        "canonical"
    )
    connections: Annotated[int, Parameter(help="Kept alive.", validator=Number(gte=1, lte=10_000))] = 256
    threads: Annotated[int, Parameter(help="Of the generator.", validator=Number(gte=1, lte=16))] = 1
    seed: Annotated[
        int, Parameter(help="Draws orders, and the order of the points.", validator=Number(gte=0, lte=SEED_MAX))
    ] = 1


@Parameter(name="*")
@dataclass(frozen=True)
class Target:
    """Which service."""

    url: Annotated[str | None, Parameter(help="One that runs, instead of services of its own.")] = None
    key: Annotated[str | None, Parameter(help="API key for it; @FILE reads it from a file.")] = None
    signing_secret: Annotated[str | None, Parameter(help="Signs requests; @FILE likewise.")] = None
    country: Annotated[str | None, Parameter(help="Where orders go, where the tariff asks for a country.")] = None


def whole_numbers(text: str) -> list[int]:
    """Numbers of workers, such as "1,2,4". Raises InvalidInput."""
    words = [word.strip() for word in text.split(",")]
    good = all(word.isascii() and word.isdigit() and 1 <= int(word) <= WORKERS_MAX for word in words if len(word) < 9)
    good = good and all(len(word) < 9 for word in words) and len(set(words)) == len(words) <= SESSIONS_MAX
    if not good:
        rule = f"must be numbers from 1 to {WORKERS_MAX} with commas between, each once, such as 1,2,4; not {text!r}"
        raise InvalidInput((FieldError("--workers", rule),))
    return sorted(int(word) for word in words)


def percents(text: str) -> list[float]:
    """Loads, such as "10,50,110". Raises InvalidInput."""
    found = set()
    for word in text.split(","):
        try:
            found.add(float(word))
        except ValueError:
            found.add(-1.0)
    if not all(0 < one <= PERCENT_MAX for one in found) or len(found) > LOADS_MAX:
        rule = (
            f"must be up to {LOADS_MAX} percentages of the peak, above 0 and up to {PERCENT_MAX}, with commas between,"
            f" such as 10,50,110; not {text!r}"
        )
        raise InvalidInput((FieldError("--loads", rule),))
    return sorted(found)
