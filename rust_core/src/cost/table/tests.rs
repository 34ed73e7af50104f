//! Rules of lanes: which zone and carrier serve, what own matrices say, and how much is kept.

use super::*;
use crate::catalogue::WarehouseTerms;
use crate::cost::matrix::By;

fn one_warehouse() -> Catalogue {
    let mut catalogue = Catalogue::default();
    assert!(catalogue.put_warehouse(
        0,
        "w",
        WarehouseTerms {
            point: Point::from_degrees(31.0, 121.0),
            enabled: true,
            priority: 1,
            fixed_cost: 300,
            unit_cost: 50,
            cost_per_km: 0.5,
            capacity: None,
        },
    ));
    catalogue
}

fn zone(max_km: u32, base: i64, per_kg: i64) -> Zone {
    Zone { name: "z".into(), max_m: max_km * 1000, base, per_kg, ..Zone::default() }
}

fn carrier(name: &str, levels: &[&str], zones: Vec<Zone>) -> Carrier {
    let service_levels = levels.iter().map(|&level| level.into()).collect();
    Carrier { name: Some(name.into()), service_levels, zones, ..Carrier::default() }
}

fn lane(table: &mut CostTable, lat: f64, lon: f64, place: Place) -> Lane {
    let destination = table.destination(lat, lon, &place);
    table.lanes(&one_warehouse(), &destination).lanes[0]
}

fn near(table: &mut CostTable, place: Place) -> Lane {
    lane(table, 31.0, 121.0, place)
}

#[test]
fn the_last_zone_serves_what_lies_beyond_it() {
    let mut table = CostTable::default();
    table.set_tariff(vec![zone(100, 500, 100), zone(500, 900, 300)]);
    let zone_at = |table: &mut CostTable, lat, lon| lane(table, lat, lon, Place::default()).zone;
    assert_eq!(zone_at(&mut table, 31.0, 121.0), Some(0));
    assert_eq!(zone_at(&mut table, 34.0, 121.0), Some(1));
    let far = lane(&mut table, -31.0, -59.0, Place::default());
    assert_eq!((far.zone, far.per_kg, far.service), (Some(1), 300, Service::Linear));
}

#[test]
fn without_a_tariff_the_way_costs_what_the_warehouse_says() {
    let lane = lane(&mut CostTable::default(), 32.0, 121.0, Place::default());
    assert_eq!((lane.metres, lane.fixed, lane.carrier), (111_195, 300 + 56, None));
}

#[test]
fn the_first_zone_that_matches_all_it_names_serves_and_where_none_does_nobody() {
    let mut table = CostTable::default();
    let named = |base, country: &str, regions: &[&str], postcodes: &[&str]| Zone {
        base,
        countries: vec![country.into()],
        regions: regions.iter().map(|&one| one.into()).collect(),
        postcodes: postcodes.iter().map(|&one| one.into()).collect(),
        ..Zone::default()
    };
    let zones =
        vec![named(1, "GB", &["Kent", "Essex"], &[]), named(2, "gb", &[], &["SW1", "E"]), named(3, "GB", &[], &[])];
    assert!(table.set_carriers(vec![carrier("a", &[], zones)]));
    for (country, region, postcode, zone) in [
        ("gb", "kent", "sw1a 1aa", Some(0)),
        ("GB", "", "sw1a 1aa", Some(1)),
        ("GB", "Surrey", "e1 6an", Some(1)),
        ("GB", "Surrey", "SW 2", Some(2)),
        ("FR", "Kent", "E1", None),
        ("", "", "", None),
    ] {
        let found = near(&mut table, Place { country, region, postcode, ..Place::default() });
        assert_eq!(
            (found.zone, found.service == Service::None),
            (zone, zone.is_none()),
            "{country} {region} {postcode}"
        );
    }
}

#[test]
fn distance_and_country_together_have_no_zone_beyond() {
    let mut table = CostTable::default();
    assert!(table.set_carriers(vec![carrier(
        "a",
        &[],
        vec![Zone { countries: vec!["CN".into()], ..zone(100, 1, 1) }]
    )]));
    let place = Place { country: "CN", ..Place::default() };
    assert_eq!(lane(&mut table, 31.0, 121.0, place).service, Service::Linear);
    assert_eq!(lane(&mut table, 33.0, 121.0, place).service, Service::None);
}

#[test]
fn a_carrier_serves_its_service_levels() {
    let mut table = CostTable::default();
    let fast = Zone { transit_days: Some(1), ..zone(9000, 900, 0) };
    let slow = Zone { transit_days: Some(4), ..zone(9000, 100, 0) };
    assert!(
        table
            .set_carriers(vec![carrier("slow", &["standard"], vec![slow]), carrier("fast", &["Next Day"], vec![fast])])
    );
    let at = |table: &mut CostTable, service_level| near(table, Place { service_level, ..Place::default() });
    assert_eq!((at(&mut table, "standard").carrier, at(&mut table, "standard").transit_days), (Some(0), Some(4)));
    assert_eq!((at(&mut table, "next day").carrier, at(&mut table, "next day").transit_days), (Some(1), Some(1)));
    assert_eq!(at(&mut table, "").service, Service::None);
}

#[test]
fn several_carriers_share_a_lane_by_weight_and_the_fastest_gives_its_days() {
    let mut table = CostTable::default();
    let days = |transit_days| Zone { transit_days, ..zone(9000, 100, 0) };
    let carriers = [("a", Some(4)), ("b", None), ("c", Some(2))];
    assert!(table.set_carriers(carriers.map(|(name, transit)| carrier(name, &[], vec![days(transit)])).into()));
    let found = near(&mut table, Place::default());
    assert_eq!((found.service, found.carrier, found.transit_days), (Service::ByWeight, None, Some(2)));
    assert_eq!((found.fixed, found.per_kg), (300, 0));
    let destination = table.destination(31.0, 121.0, &Place::default());
    let lanes = table.lanes(&one_warehouse(), &destination);
    assert!(!lanes.linear() && lanes.rates(0).len() == 3 && lanes.rates(1).is_empty());
}

#[test]
fn own_distances_and_costs_come_before_the_great_circle_and_the_tariff() {
    let mut table = CostTable::default();
    let express = Zone { transit_days: Some(1), ..zone(900, 700, 10) };
    assert!(table.set_carriers(vec![carrier("a", &[], vec![zone(100, 500, 100), express])]));
    let place = Place { postcode: "200-01", ..Place::default() };
    table.set_matrix(Of::Distance, Matrix::new(By::Postcode, &["200-01"], &[0], vec![400_000]));
    let own = near(&mut table, place);
    assert_eq!((own.metres, own.zone, own.fixed), (400_000, Some(1), 300 + 200 + 700));
    assert_eq!(near(&mut table, Place::default()).metres, 0);
    table.set_matrix(Of::Cost, Matrix::new(By::Postcode, &["200-01"], &[0], vec![77]));
    let own = near(&mut table, place);
    assert_eq!((own.fixed, own.per_kg, own.carrier, own.transit_days), (300 + 77, 0, Some(0), Some(1)));
    table.set_matrix(Of::Cost, None);
    table.set_matrix(Of::Distance, None);
    assert_eq!(near(&mut table, place).zone, Some(0));
}

#[test]
fn an_own_cost_serves_where_no_carrier_does() {
    let mut table = CostTable::default();
    assert!(table.set_carriers(vec![carrier("a", &["fast"], vec![zone(100, 1, 1)])]));
    table.set_matrix(Of::Cost, Matrix::new(By::Country, &["CN"], &[0], vec![9]));
    let own = near(&mut table, Place { country: "cn", ..Place::default() });
    assert_eq!((own.service, own.fixed, own.carrier, own.transit_days), (Service::Linear, 309, None, None));
}

#[test]
fn kept_destinations_are_bounded_and_what_is_wanted_again_stays() {
    let (catalogue, mut table) = (one_warehouse(), CostTable::default());
    let each = size_of::<Lane>() + DESTINATION_BYTES;
    let half = LANES_BYTES_MAX / 2 / each;
    let at = |step: usize| Destination {
        lat: (step / 30_000) as i32,
        lon: (step % 30_000) as i32,
        ..Destination::default()
    };
    for step in 0..3 * half {
        table.lanes(&catalogue, &at(step));
        table.lanes(&catalogue, &at(0));
        assert!(
            table.young.bytes <= LANES_BYTES_MAX / 2
                && table.young.lanes.len() <= half
                && table.old.lanes.len() <= half
        );
    }
    assert!(table.young.places.contains_key(&at(0)) || table.old.places.contains_key(&at(0)));
    assert!(!table.young.places.contains_key(&at(1)) && !table.old.places.contains_key(&at(1)));
}

#[test]
fn a_changed_tariff_is_seen_and_one_too_large_refused() {
    let mut table = CostTable::default();
    let before = near(&mut table, Place::default()).fixed;
    table.set_tariff(vec![zone(100, 500, 100)]);
    assert_eq!(near(&mut table, Place::default()).fixed, before + 500);
    assert!(!table.set_carriers(vec![Carrier::default(); CARRIERS_MAX + 1]));
    assert!(!table.set_carriers(vec![carrier("a", &[], vec![zone(1, 1, 1); ZONES_MAX + 1])]));
    assert_eq!(near(&mut table, Place::default()).fixed, before + 500);
}
