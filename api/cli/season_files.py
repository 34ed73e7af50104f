"""Reads the files that `stockade simulate` is given: a season in JSON, or a network and a history of orders."""

import re
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from api.cli.files import decode_json, json_rows, read_csv, read_file, row_error, told_of_file
from engine.errors import FieldError, InvalidInput
from engine.season import Season, read_jasin_sinha
from engine.season.history import At, Name, PlayedLine, PlayedNetwork, PlayedOrder, Units, season_of_history

FILE_BYTES_MAX = 1 << 30

ORDER = re.compile(r"/orders/(\d+)")
"""Where an order is in the errors of a season."""


class HistoryRow(Struct, frozen=True):
    """A line of an order in a CSV file; rows of one order follow each other."""

    at: Annotated[str, Meta(min_length=1, max_length=40)]
    order_id: Name
    region: Name
    sku: Name
    quantity: Units = 1


def read_season(history: Path, network: Path | None) -> Season:
    """The season. Without a network the file must be one of Jasin and Sinha's. Raises InvalidInput, which names it."""
    try:
        size = history.stat().st_size if str(history) != "-" else 0
    except OSError as error:
        raise InvalidInput((FieldError(str(history), f"cannot be read: {error.strerror}"),)) from None
    if size > FILE_BYTES_MAX:
        raise InvalidInput((FieldError(str(history), f"has more than {FILE_BYTES_MAX:,} bytes"),))
    data = read_file(history)
    if network is None:
        if history.suffix.lower() in (".csv", ".jsonl", ".ndjson"):
            raise InvalidInput((FieldError("--network", "is needed: a history says nothing of warehouses and stock"),))
        try:
            return read_jasin_sinha(data, history.name)
        except InvalidInput as error:
            raise told_of_file(history, error) from None
    played = decode_json(network, read_file(network), PlayedNetwork)
    read = _csv_orders if history.suffix.lower() == ".csv" else _json_orders
    orders, numbers = read(history, data)
    try:
        return season_of_history(history.name, played, orders)
    except InvalidInput as error:
        raise InvalidInput(tuple(_told(history, network, numbers, one) for one in error.errors)) from None


def _told(history: Path, network: Path, numbers: Sequence[int], error: FieldError) -> FieldError:
    """An error of a history and its network as one of the file that it is in."""
    found = ORDER.match(error.pointer)
    if found is not None:
        return row_error(history, numbers, int(found[1]), FieldError(error.pointer[found.end() :], error.message))
    file = history if error.pointer == "/orders" else network
    return FieldError(str(file), f"{error.pointer}: {error.message}")


def _json_orders(file: Path, data: bytes) -> tuple[list[PlayedOrder], Sequence[int]]:
    return json_rows(file, data, PlayedOrder)


def _csv_orders(file: Path, data: bytes) -> tuple[list[PlayedOrder], Sequence[int]]:
    """The orders, and the lines that they begin on."""
    rows, lines = read_csv(file, data, HistoryRow)
    orders: list[PlayedOrder] = []
    numbers = array("Q")
    ended: set[str] = set()
    before: HistoryRow | None = None
    for place, row in enumerate(rows):
        line = PlayedLine(row.sku, row.quantity)
        if before is not None and row.order_id == before.order_id:
            if (row.at, row.region) != (before.at, before.region):
                wrong = f'order "{row.order_id}" has another time or region than in the row before'
                raise InvalidInput((FieldError(lines.at(place), wrong),))
            orders[-1].lines.append(line)
        else:
            if row.order_id in ended:
                wrong = f'order "{row.order_id}" was there before; its rows must follow each other'
                raise InvalidInput((FieldError(lines.at(place), wrong),))
            ended.add(row.order_id)
            numbers.append(lines.number(place))
            orders.append(PlayedOrder(_time(lines.at(place), row.at), row.region, [line], row.order_id))
        before = row
    return orders, numbers


def _time(where: str, text: str) -> At:
    try:
        found: At = msgspec.convert(text, At, strict=False)
    except msgspec.ValidationError:
        wrong = f'at: must be a time as 2026-11-11T10:00:00Z, or seconds from 0 on, not "{text}"'
        raise InvalidInput((FieldError(where, wrong),)) from None
    return found
