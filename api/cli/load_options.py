"""What `stockade loadtest` may be told of times, orders, scenarios and services."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from api.client.address import address_of
from engine.errors import FieldError, InvalidInput
from loadtest.load_plan import Arrivals, Closed, Constant, Poisson, Ramp, Spike
from loadtest.orders_mix import Mix

RATE, SECONDS = 1_000.0, 30.0
SPIKE_AT_S, SPIKE_S = 5.0, 5.0

Shape = Literal["poisson", "constant", "ramp", "spike", "closed"]


@Parameter(name="*")
@dataclass(frozen=True)
class When:
    """When requests become due."""

    rate: Annotated[
        float | None,
        Parameter(
            help="Requests a second; of a ramp at its start, of a spike around it. Else 1000.", validator=Number(gt=0)
        ),
    ] = None
    seconds: Annotated[
        float | None,
        Parameter(name=("--seconds", "--duration"), help="How long; else 30.", validator=Number(gt=0, lte=86_400)),
    ] = None
    warmup_s: Annotated[float, Parameter(help="What is due in the first so many seconds is not counted.")] = 0.0
    arrivals: Annotated[
        Shape, Parameter(help="poisson: as independent buyers come. closed: each connection waits for its answer.")
    ] = "poisson"
    to: Annotated[float | None, Parameter(help="A ramp's rate at its end.")] = None
    peak: Annotated[float | None, Parameter(help="A spike's rate.")] = None
    peak_at: Annotated[float | None, Parameter(help="When the spike begins, in seconds; else 5.")] = None
    peak_seconds: Annotated[float | None, Parameter(help="How long it lasts; else 5.")] = None
    trace: Annotated[
        Path | None, Parameter(help="Send at recorded times instead: a file of lines, or a record of --record.")
    ] = None
    speed: Annotated[
        float | None, Parameter(help="Play the trace so many times as fast; else as it was.", validator=Number(gt=0))
    ] = None
    seed: Annotated[int, Parameter(help="Draws times and contents.", validator=Number(gte=0))] = 1

    @property
    def lasts_s(self) -> float:
        """How long, but for a trace."""
        return SECONDS if self.seconds is None else self.seconds

    def check(self) -> None:
        """Raises InvalidInput for an option that would do nothing, or that lacks."""
        idle: list[tuple[str, object, str]] = [("--speed", self.speed, "plays a --trace: there is none")]
        if self.trace is not None:
            says = "has no meaning beside --trace, which says when requests are due"
            idle = [("--rate", self.rate, says), ("--seconds", self.seconds, says), ("--arrivals", self._other, says)]
        idle += [(option, value, "is a ramp's: give --arrivals ramp") for option, value in self._of("ramp")]
        idle += [(option, value, "is a spike's: give --arrivals spike") for option, value in self._of("spike")]
        if wrong := [FieldError(option, rule) for option, value, rule in idle if value is not None]:
            raise InvalidInput(tuple(wrong))
        if self.trace is None:
            self.shape()

    @property
    def _other(self) -> str | None:
        return None if self.arrivals == "poisson" else self.arrivals

    def _of(self, kind: Literal["ramp", "spike"]) -> list[tuple[str, float | None]]:
        """The options of these arrivals, where others are asked for."""
        if self.arrivals == kind and self.trace is None:
            return []
        if kind == "ramp":
            return [("--to", self.to)]
        return [("--peak", self.peak), ("--peak-at", self.peak_at), ("--peak-seconds", self.peak_seconds)]

    def shape(self) -> Arrivals:
        """The arrivals, but for a trace."""
        rate = RATE if self.rate is None else self.rate
        match self.arrivals:
            case "closed":
                return Closed()
            case "constant":
                return Constant(rate)
            case "poisson":
                return Poisson(rate)
            case "ramp":
                return Ramp(rate, _given(self.to, "--to"))
            case "spike":
                at_s = SPIKE_AT_S if self.peak_at is None else self.peak_at
                for_s = SPIKE_S if self.peak_seconds is None else self.peak_seconds
                return Spike(rate, _given(self.peak, "--peak"), at_s, for_s)


@Parameter(name="*")
@dataclass(frozen=True)
class What:
    """What is ordered."""

    sku: Annotated[list[str] | None, Parameter(help="Only this SKU; may be repeated.", negative="")] = None
    skus: Annotated[
        Path | None, Parameter(help="SKUs from a file of JSON names, most wanted first; else the service's, by stock.")
    ] = None
    places: Annotated[
        Path | None, Parameter(help="Where to: a file of JSON `ship_to`; else the sites of the warehouses.")
    ] = None
    country: Annotated[str | None, Parameter(help="The country of those sites, where the tariff asks for one.")] = None
    lines_max: Annotated[int, Parameter(help="Orders have 1 to so many lines.", validator=Number(gte=1, lte=100))] = 2
    units_max: Annotated[int, Parameter(help="Lines have 1 to so many units.", validator=Number(gte=1))] = 2
    zipf: Annotated[float, Parameter(help="How unlike SKUs are wanted; 0: all alike.", validator=Number(gte=0))] = 1.0
    replays: Annotated[
        float, Parameter(help="Share of orders that are sent once more.", validator=Number(gte=0, lte=0.5))
    ] = 0.0
    held: Annotated[
        float,
        Parameter(help="Share of unpaid orders; as many are confirmed or cancelled.", validator=Number(gte=0, lte=0.5)),
    ] = 0.0
    bulk: Annotated[
        int | None, Parameter(help="Send orders in bodies of so many.", validator=Number(gte=1, lte=10_000))
    ] = None

    def mix(self) -> Mix:
        """What buyers do."""
        return Mix(
            lines_max=self.lines_max,
            units_max=self.units_max,
            zipf=self.zipf,
            replays=self.replays,
            held=self.held,
            bulk_lines=self.bulk,
        )


@Parameter(name="*")
@dataclass(frozen=True)
class Scene:
    """What is loaded, and by which scenario."""

    url: Annotated[str | None, Parameter(help="The service; else http://127.0.0.1:8080.")] = None
    serve: Annotated[
        bool,
        Parameter(help="Load a service of its own, on a store in a temporary folder that goes with it.", negative=""),
    ] = False
    workers: Annotated[int | None, Parameter(help="Processes of that service.", validator=Number(gte=1, lte=64))] = None
    scenario: Annotated[str | None, Parameter(help="A scenario by its name, or a file of one.")] = None
    scenarios: Annotated[bool, Parameter(help="List the scenarios that are there, and do nothing.", negative="")] = (
        False
    )
    check: Annotated[bool, Parameter(help="Find every mistake in the scenario, and do nothing.", negative="")] = False
    fail_over: Annotated[
        str | None, Parameter(help="A command that has the store fail over, for scenarios that want that.")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class How:
    """How requests are sent; what is left out, a scenario says."""

    connections: Annotated[int | None, Parameter(help="Kept alive; else 256.", validator=Number(gte=1, lte=10_000))] = (
        None
    )
    threads: Annotated[int, Parameter(help="Of the generator.", validator=Number(gte=1, lte=16))] = 1
    timeout_s: Annotated[
        float | None, Parameter(help="How long an answer is waited for; else 30.", validator=Number(gt=0))
    ] = None
    retries: Annotated[
        int | None, Parameter(help="Send again after 429 and 503; else never.", validator=Number(gte=0, lte=255))
    ] = None
    key: Annotated[str | None, Parameter(help="API key; @FILE reads it from a file.")] = None
    signing_secret: Annotated[str | None, Parameter(help="Signs requests; @FILE likewise.")] = None
    record: Annotated[Path | None, Parameter(help="A file for every request and what became of it.")] = None


def url_of(url: str) -> str:
    """The address of a service. Raises InvalidInput."""
    try:
        address = address_of(url)
    except ValueError as error:
        raise InvalidInput((FieldError("--url", str(error)),)) from None
    if address.tls:
        raise InvalidInput((FieldError("--url", "must be http://: TLS is a proxy's, and would be measured with it"),))
    return address.url


def _given(value: float | None, option: str) -> float:
    if value is None:
        raise InvalidInput((FieldError(option, "is needed with this kind of arrivals"),))
    return value
