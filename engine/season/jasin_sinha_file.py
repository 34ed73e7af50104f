"""Reads a season of Jasin and Sinha's kind from JSON: order types, probabilities, costs, stock, arrivals."""

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from engine.errors import FieldError, InvalidInput
from engine.model.wire_error import field_error
from engine.season.jasin_sinha import season_of
from engine.season.season import Season


class Document(Struct):
    """The fields that are read; others may be there."""

    order_types: list[list[int]]
    """Items of each type, none twice."""
    prob: list[list[float]]
    """[type, region] of an arrival in a period."""
    fixed: list[list[float]]
    """[centre, region], the last row what an order costs that is not wholly served."""
    unit: list[list[float]]
    """The same of a unit."""
    stock: list[list[int]]
    """[centre, item]"""
    arrivals: list[tuple[int, int]]
    """Type and region, one a period."""


def read_jasin_sinha(data: bytes, name: str) -> Season:
    """The season. Raises InvalidInput, which names the field and its rule."""
    try:
        found = msgspec.json.decode(data, type=Document)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, Document),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput((FieldError("", f"is not JSON: {error}"),)) from None
    prob, fixed, unit = (_table(field, getattr(found, field)) for field in ("prob", "fixed", "unit"))
    stock = _table("stock", found.stock)
    regions, centres = unit.shape[1], len(unit) - 1
    _check("unit", centres >= 1, "must have a row a centre and one for what is not served")
    _check("prob", prob.shape == (len(found.order_types), regions), f"must be a row a type, of {regions} regions")
    _check("fixed", fixed.shape == unit.shape, "must be as large as `unit`")
    _check("stock", len(stock) == centres, f"must have a row for each of {centres} centres")
    _check("arrivals", bool(found.arrivals), "must not be empty")
    items = stock.shape[1]
    for place, kind in enumerate(found.order_types):
        right = len(set(kind)) == len(kind) and all(0 <= item < items for item in kind)
        _check(f"order_types/{place}", right, f"must be different items, 0 to {items - 1}")
    for place, (kind_number, region) in enumerate(found.arrivals):
        right = 0 <= kind_number < len(prob) and 0 <= region < regions
        _check(f"arrivals/{place}", right, f"must be a type, 0 to {len(prob) - 1}, and a region, 0 to {regions - 1}")
    _check("prob", bool((prob >= 0).all()), "must be from 0 on")
    # Here a shipment costs the same wherever it goes, and what is not served twice that.
    one = float(fixed[0, 0])
    same = bool(np.allclose(fixed[:-1], one) and np.allclose(fixed[-1], 2 * one))
    _check("fixed", same, "must be the same for all centres and regions, and twice that for what is not served")
    came = np.array(found.arrivals, np.int64)
    kinds = [np.array(kind, np.int64) for kind in found.order_types]
    counts = stock.astype(np.int64).T
    return season_of(name, kinds, prob, (came[:, 0], came[:, 1]), unit=unit, fixed=one, stock=counts)


def _table(field: str, rows: list[list[float]] | list[list[int]]) -> npt.NDArray[np.float64]:
    same = bool(rows) and bool(rows[0]) and all(len(row) == len(rows[0]) for row in rows)
    _check(field, same, "must be rows of one length, and not empty")
    table = np.array(rows, np.float64)
    _check(field, bool((np.isfinite(table) & (table >= 0)).all()), "must hold finite numbers from 0 on")
    return table


def _check(field: str, right: bool, rule: str) -> None:
    if not right:
        raise InvalidInput((FieldError(f"/{field}", rule),))
