"""Reads the files that `stockade simulate` is given: a season in JSON, or a network and a history of orders."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from api.cli.files import decode_json, json_rows, read_csv, read_file, told_of_file
from engine.errors import FieldError, InvalidInput
from engine.season import Season, read_jasin_sinha
from engine.season.history import At, Name, PlayedLine, PlayedNetwork, PlayedOrder, Units, season_of_history

FILE_BYTES_MAX = 1 << 30


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
    orders = (
        _csv_orders(history, data) if history.suffix.lower() == ".csv" else json_rows(history, data, PlayedOrder)[0]
    )
    try:
        return season_of_history(history.name, played, orders)
    except InvalidInput as error:
        files = (
            FieldError(str(history if one.pointer.startswith("/orders") else network), f"{one.pointer}: {one.message}")
            for one in error.errors
        )
        raise InvalidInput(tuple(files)) from None


def _csv_orders(file: Path, data: bytes) -> list[PlayedOrder]:
    rows, _ = read_csv(file, data, HistoryRow)
    orders: list[PlayedOrder] = []
    ended: set[str] = set()
    before: HistoryRow | None = None
    for place, row in enumerate(rows):
        line = PlayedLine(row.sku, row.quantity)
        if before is not None and row.order_id == before.order_id:
            if (row.at, row.region) != (before.at, before.region):
                wrong = f'row {place + 1}: order "{row.order_id}" has another time or region than in the row before'
                raise InvalidInput((FieldError(str(file), wrong),))
            orders[-1].lines.append(line)
        else:
            if row.order_id in ended:
                wrong = f'row {place + 1}: order "{row.order_id}" was there before; its rows must follow each other'
                raise InvalidInput((FieldError(str(file), wrong),))
            ended.add(row.order_id)
            orders.append(PlayedOrder(_time(file, place, row.at), row.region, [line], row.order_id))
        before = row
    return orders


def _time(file: Path, place: int, text: str) -> At:
    try:
        found: At = msgspec.convert(text, At, strict=False)
    except msgspec.ValidationError:
        wrong = f'row {place + 1}: at: must be a time as 2026-11-11T10:00:00Z, or seconds from 0 on, not "{text}"'
        raise InvalidInput((FieldError(str(file), wrong),)) from None
    return found
