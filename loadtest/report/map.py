"""The map of the sale: cities by units sold, warehouses by kind, the largest flows between them. Draws no border."""

from collections.abc import Sequence
from functools import partial

from loadtest.result import Flow, Place, SaleResult
from pages import amounts, marks
from pages.figure import drawing, figure
from pages.ground import graticule, names
from pages.labels import Wish, around
from pages.legend import Entry, legend
from pages.markup import Markup, clipped, element, join, text
from pages.projection import Projection, fit
from pages.scale import round_step

FLOWS_DRAWN_MAX = 200
CITIES_DRAWN_MAX = 500
WAREHOUSES_DRAWN_MAX = 200
CITIES_NAMED_MAX = {"wide": 40, "middle": 20, "narrow": 8}
SITES_NAMED_MAX = {"wide": 200, "middle": 60, "narrow": 14}
"""Names beyond these stand in the tooltips and in the table of warehouses."""

NAME_LETTERS_MAX = 24

CITY_RADIUS_MAX_PX = {"wide": 16.0, "middle": 12.0, "narrow": 9.0}
SYMBOL_RADIUS_PX = {"wide": 6.0, "middle": 5.5, "narrow": 4.5}
LABEL_PX = {"wide": 12, "middle": 11, "narrow": 10}
DEGREES_MARGIN_PX = 44
LEGEND_ROW_PX = 30


def sale_map(result: SaleResult) -> Markup:
    """The map in every layout, with a line that says how much of the flows it shows."""
    if not result.cities and not result.warehouses:
        return element("p", text("No city and no warehouse took part."), class_="empty")
    drawn = _drawable(result)
    return join((figure(partial(_draw, result, drawn)), element("p", text(_caption(result, drawn)), class_="note")))


def _drawable(result: SaleResult) -> list[tuple[Flow, Place, Place]]:
    sites = {place.id: place for place in result.warehouses}
    cities = {place.id: place for place in result.cities}
    known = [flow for flow in result.flows if flow.warehouse in sites and flow.city in cities]
    largest = sorted(known, key=lambda flow: -flow.shipments)[:FLOWS_DRAWN_MAX]
    return [(flow, sites[flow.warehouse], cities[flow.city]) for flow in largest]


def _caption(result: SaleResult, drawn: Sequence[tuple[Flow, Place, Place]]) -> str:
    if not drawn:
        return "No shipments to draw."
    total = sum(flow.shipments for flow in result.flows)
    shown = amounts.percent(amounts.share(sum(flow.shipments for flow, _, _ in drawn), total))
    largest = amounts.counted(len(drawn), "largest flow", "largest flows")
    return (
        f"Drawn: the {largest} of {amounts.count(len(result.flows))}, "
        f"{shown} of {amounts.counted(total, 'shipment', 'shipments')}. Each bends to the left of its way."
    )


def _draw(result: SaleResult, drawn: Sequence[tuple[Flow, Place, Place]], layout: str, width: int) -> Markup:
    cities = sorted(result.cities, key=lambda place: -place.units)[:CITIES_DRAWN_MAX]
    sites = sorted(result.warehouses, key=lambda place: -place.units)[:WAREHOUSES_DRAWN_MAX]
    ground = fit([*cities, *sites], left=DEGREES_MARGIN_PX, top=1, width=width - DEGREES_MARGIN_PX - 1)
    units_max = max((city.units for city in cities), default=0)
    shipments_max = max((flow.shipments for flow, _, _ in drawn), default=0)
    key, key_px = legend(
        _entries(sites, units_max=units_max, shipments_max=shipments_max, layout=layout),
        left=DEGREES_MARGIN_PX,
        top=ground.top + ground.height + 26,
        width=ground.width,
        row_px=LEGEND_ROW_PX,
    )
    return drawing(
        f"map-{layout}",
        graticule(ground),
        element("g", _flows(drawn, ground, shipments_max), class_="flows"),
        element("g", _cities(cities, ground, units_max, layout)),
        element("g", _sites(sites, ground, layout)),
        _names(sites, cities, ground, units_max, layout),
        key,
        width=width,
        height=ground.top + ground.height + 26 + key_px,
        title="Map of the sale",
        description=_description(result, cities, sites),
    )


def _description(result: SaleResult, cities: Sequence[Place], sites: Sequence[Place]) -> str:
    words = (
        f"{amounts.counted(len(result.warehouses), 'warehouse', 'warehouses')} ship to "
        f"{amounts.counted(len(result.cities), 'city', 'cities')}."
    )
    if cities and cities[0].units:
        words += f" {clipped(cities[0].name, NAME_LETTERS_MAX)} buys most: {amounts.count(cities[0].units)} units."
    if sites and sites[0].units:
        words += f" {clipped(sites[0].id, NAME_LETTERS_MAX)} ships most: {amounts.count(sites[0].units)} units."
    return words


def _flows(drawn: Sequence[tuple[Flow, Place, Place]], ground: Projection, shipments_max: int) -> Markup:
    def one(flow: Flow, site: Place, city: Place) -> Markup:
        way = f"{clipped(site.id, NAME_LETTERS_MAX)} → {clipped(city.name, NAME_LETTERS_MAX)}"
        words = f"{way}: {amounts.counted(flow.shipments, 'shipment', 'shipments')}"
        width = marks.flow_px(flow.shipments, shipments_max=shipments_max)
        return marks.flow(ground.at(site), ground.at(city), width=width, words=words)

    # The largest are drawn last, so that they lie on top.
    return join(one(*way) for way in reversed(drawn))


def _cities(cities: Sequence[Place], ground: Projection, units_max: int, layout: str) -> Markup:
    def one(city: Place) -> Markup:
        radius = marks.circle_px(city.units, units_max=units_max, radius_max=CITY_RADIUS_MAX_PX[layout])
        words = f"{clipped(city.name, NAME_LETTERS_MAX)}: {amounts.counted(city.units, 'unit', 'units')}"
        x, y = ground.at(city)
        return marks.circle(x, y, radius=radius, words=words)

    # The smallest are drawn last: a large circle must not hide them.
    return join(one(city) for city in cities)


def _sites(sites: Sequence[Place], ground: Projection, layout: str) -> Markup:
    def one(site: Place) -> Markup:
        kind = marks.known_kind(site.kind)
        name = f"{clipped(site.id, NAME_LETTERS_MAX)}, {clipped(site.name, NAME_LETTERS_MAX)}"
        words = f"{name} ({marks.KIND_WORDS[kind]}): {amounts.counted(site.units, 'unit', 'units')} shipped"
        x, y = ground.at(site)
        return marks.symbol(x, y, kind=kind, radius=SYMBOL_RADIUS_PX[layout], words=words)

    return join(one(site) for site in reversed(sites))


def _names(sites: Sequence[Place], cities: Sequence[Place], ground: Projection, units_max: int, layout: str) -> Markup:
    size, radius = LABEL_PX[layout], SYMBOL_RADIUS_PX[layout]
    wishes = [
        Wish(*ground.at(site), radius, clipped(site.id, NAME_LETTERS_MAX), size, "site-name", may_lead=True)
        for site in sites[: SITES_NAMED_MAX[layout]]
    ]
    for city in cities[: CITIES_NAMED_MAX[layout]]:
        around_px = marks.circle_px(city.units, units_max=units_max, radius_max=CITY_RADIUS_MAX_PX[layout])
        name = clipped(city.name, NAME_LETTERS_MAX)
        wishes.append(Wish(*ground.at(city), around_px, name, size - 1, "city-name", may_lead=False))
    return names(wishes, ground, marks=[around(*ground.at(site), radius) for site in sites])


def _entries(sites: Sequence[Place], *, units_max: int, shipments_max: int, layout: str) -> list[Entry]:
    radius, city_px = SYMBOL_RADIUS_PX[layout], CITY_RADIUS_MAX_PX[layout]
    entries = []
    for kind in (kind for kind in marks.SYMBOL_SHAPES if any(marks.known_kind(site.kind) == kind for site in sites)):
        entries.append(Entry(marks.KIND_WORDS[kind], radius * 2, partial(marks.symbol, kind=kind, radius=radius)))
    for units in _samples(units_max):
        circle_px = marks.circle_px(units, units_max=units_max, radius_max=city_px)
        words = f"city, {amounts.counted(units, 'unit', 'units')} sold"
        entries.append(Entry(words, circle_px * 2, partial(marks.circle, radius=circle_px)))
    for shipments in _samples(shipments_max):
        line_px = marks.flow_px(shipments, shipments_max=shipments_max)
        words = amounts.counted(shipments, "shipment", "shipments")
        entries.append(Entry(words, 30, partial(_flow_sample, line_px)))
    return entries


def _flow_sample(line_px: float, x: float, y: float) -> Markup:
    return marks.flow((x - 15, y + 3), (x + 15, y + 3), width=line_px)


def _samples(largest: int) -> list[int]:
    """A round number near the largest, and one near its eighth: enough to read all between."""
    if largest < 1:
        return []
    near = [max(1, int(round_step(part, 1) if part >= 2 else 1)) for part in (largest / 2, largest / 8)]
    return sorted({value for value in near if value <= largest})
