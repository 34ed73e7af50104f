"""Two maps, before and after: warehouses by the units that they hold for the orders, and what moves between them."""

from collections.abc import Sequence
from functools import partial

from api.reallocation_report.flows import Flow
from engine.reallocation.model import ReallocationPlan, RegionChange, WarehouseChange
from pages import amounts, marks
from pages.figure import drawing, figure
from pages.ground import graticule, names
from pages.labels import Wish, around
from pages.legend import Entry, legend
from pages.markup import Markup, clipped, element, join, text
from pages.projection import Projection, fit
from pages.scale import round_step

FLOWS_DRAWN_MAX = 150
WAREHOUSES_DRAWN_MAX = 200
REGIONS_DRAWN_MAX = 400
WAREHOUSES_NAMED_MAX = {"wide": 60, "middle": 60, "narrow": 16}
NAME_LETTERS_MAX = 24

STOCK_RADIUS_MAX_PX = {"wide": 14.0, "middle": 17.0, "narrow": 10.0}
REGION_RADIUS_MAX_PX = {"wide": 8.0, "middle": 10.0, "narrow": 6.0}
CROSS_PX = {"wide": 6.0, "middle": 7.0, "narrow": 5.0}
LABEL_PX = {"wide": 10, "middle": 11, "narrow": 9}
MARGIN_PX, TITLE_PX, TICKS_PX, LEGEND_ROW_PX = 44, 26, 30, 34


def change_map(plan: ReallocationPlan, flows: Sequence[Flow]) -> Markup:
    """The maps in every layout: side by side where there is room, else one below the other."""
    if not plan.by_warehouse:
        return element("p", text("No warehouse took part."), class_="empty")
    warehouses = sorted(plan.by_warehouse, key=lambda one: -max(one.units_before, one.units_after))
    known = {one.warehouse for one in warehouses[:WAREHOUSES_DRAWN_MAX]}
    drawn = [flow for flow in flows if flow.from_warehouse in known and flow.to_warehouse in known][:FLOWS_DRAWN_MAX]
    draw = partial(_draw, plan, warehouses[:WAREHOUSES_DRAWN_MAX], drawn)
    return join((figure(draw), element("p", text(_caption(flows, drawn)), class_="note")))


def _caption(flows: Sequence[Flow], drawn: Sequence[Flow]) -> str:
    total = sum(flow.units for flow in flows)
    if not total:
        return "Nothing moves."
    filled = sum(flow.units for flow in flows if flow.from_warehouse is None)
    words = f"Drawn: the {amounts.counted(len(drawn), 'largest way', 'largest ways')} between warehouses, "
    words += f"{amounts.percent(amounts.share(sum(flow.units for flow in drawn), total))} of the units that move. "
    words += "Each bends to the left of its way."
    if filled:
        words += f" {amounts.counted(filled, 'unit goes', 'units go')} to orders that waited for stock."
    return words


def _draw(
    plan: ReallocationPlan, warehouses: Sequence[WarehouseChange], flows: Sequence[Flow], layout: str, width: int
) -> Markup:
    regions = sorted(plan.by_region, key=lambda one: -one.orders)[:REGIONS_DRAWN_MAX]
    beside = layout == "wide"
    each = width / 2 - 12 if beside else float(width)
    ground_width = each - MARGIN_PX - 1
    first = fit([*warehouses, *regions], left=MARGIN_PX, top=TITLE_PX, width=ground_width)
    second = fit(
        [*warehouses, *regions],
        left=MARGIN_PX + (width / 2 + 12 if beside else 0),
        top=TITLE_PX + (0 if beside else first.height + TICKS_PX + TITLE_PX),
        width=ground_width,
    )
    bottom = second.top + second.height + TICKS_PX
    key, key_px = legend(
        _entries(warehouses, regions, flows, layout),
        left=MARGIN_PX,
        top=bottom + 4,
        width=width - MARGIN_PX - 1,
        row_px=LEGEND_ROW_PX,
    )
    return drawing(
        f"moves-{layout}",
        _panel("Before", first, warehouses, regions, (), layout, after=False),
        _panel("After", second, warehouses, regions, flows, layout, after=True),
        key,
        width=width,
        height=bottom + 4 + key_px,
        title="Maps before and after the re-allocation",
        description=_description(plan, flows),
    )


def _description(plan: ReallocationPlan, flows: Sequence[Flow]) -> str:
    words = f"{amounts.counted(plan.units_moved, 'unit moves', 'units move')} between warehouses."
    largest = next((flow for flow in flows if flow.from_warehouse is not None), None)
    if largest is not None:
        words += f" Most from {clipped(largest.from_warehouse or '', NAME_LETTERS_MAX)} to"
        words += f" {clipped(largest.to_warehouse, NAME_LETTERS_MAX)}: {amounts.count(largest.units)}."
    return words


def _panel(
    title: str,
    ground: Projection,
    warehouses: Sequence[WarehouseChange],
    regions: Sequence[RegionChange],
    flows: Sequence[Flow],
    layout: str,
    *,
    after: bool,
) -> Markup:
    units_max, orders_max = _units_max(warehouses), max((one.orders for one in regions), default=0)
    radius_max, places = STOCK_RADIUS_MAX_PX[layout], {one.warehouse: one for one in warehouses}
    units_moved_max = max((flow.units for flow in flows), default=0)
    return join(
        (
            element("text", text(title), class_="panel", x=ground.left, y=ground.top - 9),
            graticule(ground),
            join(_region(one, ground, orders_max, layout, after=after) for one in regions if not one.unserved),
            join(_warehouse(one, ground, units_max, radius_max, after=after) for one in warehouses),
            # On top, so that no warehouse hides where nothing comes.
            join(_region(one, ground, orders_max, layout, after=after) for one in regions if one.unserved),
            join(_flow(flow, places, ground, units_moved_max) for flow in reversed(flows)),
            join(_down(one, ground, layout) for one in warehouses if one.down and after),
            _names(warehouses, ground, units_max, layout, after=after),
        )
    )


def _units_max(warehouses: Sequence[WarehouseChange]) -> int:
    return max((max(one.units_before, one.units_after) for one in warehouses), default=0)


def _region(one: RegionChange, ground: Projection, orders_max: int, layout: str, *, after: bool) -> Markup:
    short = after and one.unserved > 0
    words = f"{region_name(one)}: {amounts.counted(one.orders, 'order', 'orders')}, {amounts.count(one.moved)} moved"
    words += f", {amounts.count(one.unserved)} unserved" if one.unserved else ""
    radius = marks.circle_px(one.orders, units_max=orders_max, radius_max=REGION_RADIUS_MAX_PX[layout])
    return marks.circle(*ground.at(one), radius=radius, words=words, style="region short" if short else "region")


def region_name(one: RegionChange) -> str:
    """What people call a region; where orders name neither region nor country, its place."""
    name = ", ".join(part for part in (one.region, one.country) if part)
    return (
        clipped(name, 2 * NAME_LETTERS_MAX)
        or f"{amounts.latitude(round(one.lat, 1))} {amounts.longitude(round(one.lon, 1))}"
    )


def _warehouse(one: WarehouseChange, ground: Projection, units_max: int, radius_max: float, *, after: bool) -> Markup:
    units = one.units_after if after else one.units_before
    if not units:
        return marks.circle(*ground.at(one), radius=2.5, words=f"{one.warehouse}: holds nothing", style="stock")
    words = f"{clipped(one.warehouse, NAME_LETTERS_MAX)}: {amounts.counted(units, 'unit', 'units')}"
    if after:
        words += f", {amounts.count(one.units_before)} before"
    radius = marks.circle_px(units, units_max=units_max, radius_max=radius_max)
    return marks.circle(*ground.at(one), radius=max(2.5, radius), words=words, style="stock")


def _flow(flow: Flow, places: dict[str, WarehouseChange], ground: Projection, units_max: int) -> Markup:
    start, end = places[flow.from_warehouse or ""], places[flow.to_warehouse]
    words = f"{flow.from_warehouse} → {flow.to_warehouse}: {amounts.counted(flow.units, 'unit', 'units')}"
    width = marks.flow_px(flow.units, shipments_max=units_max)
    return marks.flow(ground.at(start), ground.at(end), width=width, words=words, style="moved")


def _down(one: WarehouseChange, ground: Projection, layout: str) -> Markup:
    return marks.cross(*ground.at(one), radius=CROSS_PX[layout], words=f"{one.warehouse} is down")


def _names(
    warehouses: Sequence[WarehouseChange], ground: Projection, units_max: int, layout: str, *, after: bool
) -> Markup:
    def radius(one: WarehouseChange) -> float:
        units = one.units_after if after else one.units_before
        found = marks.circle_px(units, units_max=units_max, radius_max=STOCK_RADIUS_MAX_PX[layout])
        return max(found, CROSS_PX[layout] if one.down and after else 2.5)

    # Those that are down first: they are what the map is about.
    first = sorted(warehouses, key=lambda one: not one.down)[: WAREHOUSES_NAMED_MAX[layout]]
    wishes = [
        Wish(
            *ground.at(one),
            radius(one),
            clipped(one.warehouse, NAME_LETTERS_MAX),
            LABEL_PX[layout],
            "site-name",
            may_lead=True,
        )
        for one in first
    ]
    return names(wishes, ground, marks=[around(*ground.at(one), min(radius(one), 7)) for one in warehouses])


def _entries(
    warehouses: Sequence[WarehouseChange], regions: Sequence[RegionChange], flows: Sequence[Flow], layout: str
) -> list[Entry]:
    entries = []
    units_max, radius_max = _units_max(warehouses), STOCK_RADIUS_MAX_PX[layout]
    if units := _round_below(units_max):
        radius = marks.circle_px(units, units_max=units_max, radius_max=radius_max)
        words = f"warehouse, {amounts.counted(units, 'unit', 'units')} of these orders"
        entries.append(Entry(words, radius * 2, partial(marks.circle, radius=radius, style="stock")))
    orders_max = max((one.orders for one in regions), default=0)
    if orders := _round_below(orders_max):
        radius = marks.circle_px(orders, units_max=orders_max, radius_max=REGION_RADIUS_MAX_PX[layout])
        words = f"region, {amounts.counted(orders, 'order', 'orders')}"
        entries.append(Entry(words, radius * 2, partial(marks.circle, radius=radius, style="region")))
        if any(one.unserved for one in regions):
            draw = partial(marks.circle, radius=radius, style="region short")
            entries.append(Entry("with orders unserved", radius * 2, draw))
    units_moved_max = max((flow.units for flow in flows), default=0)
    if units := _round_below(units_moved_max):
        width = marks.flow_px(units, shipments_max=units_moved_max)
        words = f"{amounts.counted(units, 'unit moves', 'units move')}"
        entries.append(Entry(words, 30, partial(_sample, width)))
    if any(one.down for one in warehouses):
        entries.append(Entry("down", 14, partial(marks.cross, radius=CROSS_PX[layout])))
    return entries


def _sample(width: float, x: float, y: float) -> Markup:
    return marks.flow((x - 15, y + 3), (x + 15, y + 3), width=width, style="moved")


def _round_below(largest: int) -> int:
    """A round number near the half of it: enough to read all others."""
    return 0 if largest < 1 else min(largest, max(1, int(round_step(largest / 2, 1))))
