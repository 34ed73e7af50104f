"""How cities are cut from GeoNames. Names, places and populations are its own."""

from typing import Any

from engine.sample.cut_geonames import choose_cities


def entry(
    geonameid: int, name: str, admin1code: str, population: int, *, at: tuple[float, float], countrycode: str = "CN"
) -> dict[str, Any]:
    return {
        "geonameid": geonameid,
        "name": name,
        "admin1code": admin1code,
        "population": population,
        "latitude": at[0],
        "longitude": at[1],
        "countrycode": countrycode,
    }


SHANGHAI = entry(1796236, "Shanghai", "23", 24_874_500, at=(31.22222, 121.45806))
PUDONG = entry(1, "Pudong", "23", 5_681_512, at=(31.23995, 121.50094))
SUZHOU_JIANGSU = entry(2, "Suzhou", "04", 6_715_559, at=(31.30408, 120.59538))
SUZHOU_ANHUI = entry(3, "Suzhou", "01", 1_647_642, at=(33.63611, 116.97889))


def names(*entries: dict[str, Any]) -> list[str]:
    return [city.name for city in choose_cities(entries)]


def test_a_district_gives_way_to_its_city() -> None:
    """Pudong's people are counted in Shanghai already, whichever entry comes first."""
    assert names(PUDONG, SHANGHAI) == ["Shanghai"]


def test_the_less_populous_namesake_bears_its_province() -> None:
    """Two rows named Suzhou would be one dot on the map."""
    assert names(SUZHOU_ANHUI, SUZHOU_JIANGSU) == ["Suzhou", "Suzhou (Anhui)"]


def test_a_second_entry_of_one_city_is_left_out() -> None:
    """GeoNames has Changzhi twice, 120 km apart."""
    first = entry(1808956, "Changzhi", "24", 1_214_940, at=(36.18389, 113.10528))
    second = entry(1815463, "Changzhi", "24", 699_514, at=(35.20889, 111.73861))
    assert names(first, second) == ["Changzhi"]


def test_a_seat_bears_the_name_of_its_city() -> None:
    """Lhasa stands in GeoNames under the name of its central district."""
    assert names(entry(13527052, "Chéngguān Qū", "14", 478_275, at=(29.63842, 91.04441))) == ["Lhasa"]


def test_mistaken_and_foreign_entries_are_left_out() -> None:
    """Wuzhong carries the population of all Ningxia and would rank among the metropolises."""
    wuzhong = entry(1790842, "Wuzhong", "21", 7_202_654, at=(37.9867, 106.201))
    nowhere = entry(4, "Chongming", "", 637_921, at=(31.61852, 121.69621))
    abroad = entry(5, "Anyang-si", "13", 634_367, at=(37.3925, 126.92694), countrycode="KR")
    assert names(wuzhong, nowhere, abroad) == []


def test_an_apostrophe_is_a_plain_one() -> None:
    """So that a name can be typed and searched for."""
    assert names(entry(1790630, "Xi\N{RIGHT SINGLE QUOTATION MARK}an", "26", 9_600_000, at=(34.25833, 108.92861))) == [
        "Xi'an"
    ]
