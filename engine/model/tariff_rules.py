"""Rules of tariffs, matrices and calendars that a shape cannot say. The doors check them before anything is stored."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import FieldError, InvalidInput
from engine.model import limits
from engine.model.catalogue import Warehouse
from engine.model.rules import PRINTABLE, printable
from engine.model.tariff import OF_COUNTRY, Carrier, CostMatrix, DistanceMatrix, Tariff, TariffZone, Zone


def check_tariff(tariff: Tariff) -> None:
    """Check a tariff. Raises InvalidInput, which names each field and its rule."""
    errors: list[FieldError] = []
    if bool(tariff.zones) == bool(tariff.carriers):
        errors.append(FieldError("", "must have either zones or carriers"))
    if not _ascend(tariff.zones):
        errors.append(FieldError("/zones", GROWING))
    first: dict[str, int] = {}
    for index, carrier in enumerate(tariff.carriers):
        pointer = f"/carriers/{index}"
        if not printable(carrier.carrier):
            errors.append(FieldError(f"{pointer}/carrier", PRINTABLE))
        if first.setdefault(carrier.carrier, index) != index:
            errors.append(FieldError(f"{pointer}/carrier", f"has the name of carrier {first[carrier.carrier]}"))
        errors += _carrier_errors(carrier, pointer)
    if errors:
        raise InvalidInput(tuple(errors))


GROWING = "max_km must grow from each zone to the next"


def _ascend(zones: Sequence[TariffZone | Zone]) -> bool:
    reaches = [zone.max_km or 0 for zone in zones]
    return reaches == sorted(set(reaches))


def _carrier_errors(carrier: Carrier, pointer: str) -> Iterator[FieldError]:
    yield from _blank(carrier.service_levels, f"{pointer}/service_levels")
    if all(zone.max_km and not _names_a_place(zone) for zone in carrier.zones) and not _ascend(carrier.zones):
        yield FieldError(f"{pointer}/zones", GROWING)
    takes_all: Zone | None = None
    for index, zone in enumerate(carrier.zones):
        at = f"{pointer}/zones/{index}"
        if takes_all is not None:
            yield FieldError(
                at, f'is never reached: zone "{takes_all.zone}" before it names nothing, so takes everything'
            )
        elif zone.max_km is None and not _names_a_place(zone):
            takes_all = zone
        for field in ("countries", "regions", "postcodes"):
            yield from _blank(getattr(zone, field), f"{at}/{field}")
        for step, (light, heavy) in enumerate(pairwise(zone.steps), 1):
            if heavy.up_to_g <= light.up_to_g:
                yield FieldError(f"{at}/steps/{step}/up_to_g", "must grow from each step to the next")
            if heavy.amount < light.amount:
                yield FieldError(f"{at}/steps/{step}/amount", "must not fall from a step to the next")


def _names_a_place(zone: Zone) -> bool:
    return bool(zone.countries or zone.regions or zone.postcodes)


def _blank(names: tuple[str, ...] | None, pointer: str) -> Iterator[FieldError]:
    for index, name in enumerate(names or ()):
        if not plain(name):
            yield FieldError(f"{pointer}/{index}", "must not be blank")


def plain(name: str) -> str:
    """A name of a place as names are compared."""
    return "".join(name.split()).upper()


def check_matrix(matrix: DistanceMatrix | CostMatrix, *, is_warehouse: Callable[[str], bool]) -> None:
    """Check a matrix. Raises InvalidInput, which names each field and its rule."""
    errors = [
        FieldError(f"/warehouses/{index}", f'unknown warehouse "{name}"')
        for index, name in enumerate(matrix.warehouses)
        if not is_warehouse(name)
    ]
    if len(set(matrix.warehouses)) < len(matrix.warehouses):
        errors.append(FieldError("/warehouses", "must name each warehouse once"))
    width = len(matrix.warehouses)
    if not 1 <= len(matrix.rows) * width <= limits.MATRIX_VALUES_MAX:
        errors.append(FieldError("/rows", f"must be 1 to {limits.MATRIX_VALUES_MAX:,} values, rows times warehouses"))
    known: dict[str, str] = {}
    for name, values in matrix.rows.items():
        if len(values) != width:
            errors.append(FieldError("/rows", f'row "{name}" has {len(values)} values for {width} warehouses'))
        if not plain(name):
            errors.append(FieldError("/rows", "has a row of a blank name"))
        elif matrix.by != "country" and OF_COUNTRY in name and not all(plain(name).split(OF_COUNTRY, 1)):
            errors.append(FieldError("/rows", f'row "{name}" must be COUNTRY:{matrix.by.upper()}, or have no colon'))
        elif (other := known.setdefault(plain(name), name)) is not name:
            errors.append(FieldError("/rows", f'rows "{other}" and "{name}" name the same destination'))
    if errors:
        raise InvalidInput(tuple(errors))


def check_warehouse(warehouse: Warehouse, pointer: str = "") -> None:
    """Check what a warehouse says of its calendar. Raises InvalidInput."""
    if warehouse.cutoff is not None and warehouse.timezone is None:
        rule = 'is needed with a cutoff, which is a time on a clock there: say one like "Asia/Shanghai", or "UTC"'
        raise InvalidInput((FieldError(f"{pointer}/timezone", rule),))
    if warehouse.timezone is not None:
        try:
            ZoneInfo(warehouse.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            error = FieldError(f"{pointer}/timezone", f'"{warehouse.timezone}" is no IANA time zone that is known here')
            raise InvalidInput((error,)) from None
