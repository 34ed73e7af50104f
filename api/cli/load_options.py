"""What `stockade loadtest` may be told of times and orders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from engine.errors import FieldError, InvalidInput
from loadtest.load_plan import Arrivals, Closed, Constant, Poisson, Ramp, Spike
from loadtest.orders_mix import Mix

Shape = Literal["poisson", "constant", "ramp", "spike", "closed"]


@Parameter(name="*")
@dataclass(frozen=True)
class When:
    """When requests become due."""

    rate: Annotated[float, Parameter(help="Requests a second; of a ramp at its start, of a spike around it.")] = 1_000
    seconds: Annotated[float, Parameter(help="How long.", validator=Number(gt=0, lte=86_400))] = 30.0
    warmup_s: Annotated[float, Parameter(help="What is due in the first so many seconds is not counted.")] = 0.0
    arrivals: Annotated[
        Shape, Parameter(help="poisson: as independent buyers come. closed: each connection waits for its answer.")
    ] = "poisson"
    to: Annotated[float | None, Parameter(help="A ramp's rate at its end.")] = None
    peak: Annotated[float | None, Parameter(help="A spike's rate.")] = None
    peak_at: Annotated[float, Parameter(help="When the spike begins, in seconds.")] = 5.0
    peak_seconds: Annotated[float, Parameter(help="How long it lasts.")] = 5.0
    trace: Annotated[
        Path | None, Parameter(help="Send at recorded times instead: a file of lines, or a record of --record.")
    ] = None
    speed: Annotated[float, Parameter(help="Play the trace so many times as fast.")] = 1.0
    seed: Annotated[int, Parameter(help="Draws times and contents.", validator=Number(gte=0))] = 1

    def shape(self) -> Arrivals:
        """The arrivals, but for a trace."""
        match self.arrivals:
            case "closed":
                return Closed()
            case "constant":
                return Constant(self.rate)
            case "poisson":
                return Poisson(self.rate)
            case "ramp":
                return Ramp(self.rate, _given(self.to, "--to"))
            case "spike":
                return Spike(self.rate, _given(self.peak, "--peak"), self.peak_at, self.peak_seconds)


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


def _given(value: float | None, option: str) -> float:
    if value is None:
        raise InvalidInput((FieldError(option, "is needed with this kind of arrivals"),))
    return value
