//! Lanes by destination, worked out once and kept.

use std::collections::HashMap;
use std::sync::Arc;

use super::{COST_MAX, Lane, Zone};
use crate::catalogue::Catalogue;
use crate::geo::Point;
use crate::ids::WarehouseId;

/// Destinations whose lanes are kept. 4,096 of them to 500 warehouses take 80 MB at the most, to 30 warehouses 5 MB.
const DESTINATIONS_KEPT_MAX: usize = 4096;

/// Lanes by destination, worked out once and kept.
#[derive(Debug, Default)]
pub struct CostTable {
    zones: Vec<Zone>,
    carriers: Vec<Option<Arc<str>>>,
    // The standard hasher, not a faster one: the keys come from callers.
    lanes: HashMap<(u64, u64), Box<[Lane]>>,
}

impl CostTable {
    /// Replaces the tariff, nearest zone first. With none, distance costs what the warehouses say.
    pub fn set_tariff(&mut self, zones: Vec<Zone>) {
        self.zones = zones;
        self.forget();
    }

    /// To be called when a warehouse changed.
    pub fn forget(&mut self) {
        self.lanes.clear();
    }

    /// The tariff's rows.
    #[must_use]
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The name of a carrier; none of one that the tariff does not name.
    #[must_use]
    pub fn carrier_name(&self, carrier: u8) -> Option<Arc<str>> {
        self.carriers.get(usize::from(carrier))?.clone()
    }

    /// The lanes to a destination in WGS 84 degrees, by warehouse number.
    pub fn lanes(&mut self, catalogue: &Catalogue, lat: f64, lon: f64) -> &[Lane] {
        if self.lanes.len() >= DESTINATIONS_KEPT_MAX && !self.lanes.contains_key(&(lat.to_bits(), lon.to_bits())) {
            // All at once is the simplest bound; the next orders fill it again with what is in demand now.
            self.lanes.clear();
        }
        let zones = &self.zones;
        self.lanes.entry((lat.to_bits(), lon.to_bits())).or_insert_with(|| {
            let destination = Point::from_degrees(lat, lon);
            (0..catalogue.warehouse_numbers())
                .map(|warehouse| lane(catalogue, zones, warehouse as WarehouseId, &destination))
                .collect()
        })
    }
}

fn lane(catalogue: &Catalogue, zones: &[Zone], warehouse: WarehouseId, destination: &Point) -> Lane {
    let Some(terms) = catalogue.warehouse_terms(warehouse) else {
        return Lane::default();
    };
    let metres = terms.point.metres_to(destination);
    // Multiplication, division and rounding are exact in IEEE 754: the same on every machine.
    let way = libm::round(terms.cost_per_km * f64::from(metres) / 1000.0).min(COST_MAX as f64) as i64;
    let zone = zones.iter().position(|zone| metres <= zone.max_m).or(zones.len().checked_sub(1));
    let (base, per_kg) = zone.map_or((0, 0), |zone| (zones[zone].base, zones[zone].per_kg));
    Lane {
        fixed: terms.fixed_cost.saturating_add(way).saturating_add(base).min(COST_MAX),
        per_unit: terms.unit_cost,
        per_kg,
        metres,
        carrier: zone.map(|_| 0),
        zone: zone.and_then(|zone| u8::try_from(zone).ok()),
        transit_days: zone.and_then(|zone| zones[zone].transit_days),
        ..Lane::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::WarehouseTerms;

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

    #[test]
    fn the_last_zone_serves_what_lies_beyond_it() {
        let catalogue = one_warehouse();
        let mut table = CostTable::default();
        table.set_tariff(vec![zone(100, 500, 100), zone(500, 900, 300)]);
        assert_eq!(table.lanes(&catalogue, 31.0, 121.0)[0].zone, Some(0));
        assert_eq!(table.lanes(&catalogue, 34.0, 121.0)[0].zone, Some(1));
        let far = table.lanes(&catalogue, -31.0, -59.0)[0];
        assert_eq!((far.zone, far.per_kg), (Some(1), 300));
    }

    #[test]
    fn without_a_tariff_the_way_costs_what_the_warehouse_says() {
        let catalogue = one_warehouse();
        let lane = CostTable::default().lanes(&catalogue, 32.0, 121.0)[0];
        assert_eq!(lane.metres, 111_195);
        assert_eq!(lane.fixed, 300 + 56);
    }

    #[test]
    fn kept_destinations_are_bounded_and_a_changed_tariff_is_seen() {
        let catalogue = one_warehouse();
        let mut table = CostTable::default();
        for step in 0..(DESTINATIONS_KEPT_MAX + 10) {
            table.lanes(&catalogue, step as f64 / 1000.0, 0.0);
        }
        assert!(table.lanes.len() <= DESTINATIONS_KEPT_MAX);
        let before = table.lanes(&catalogue, 31.0, 121.0)[0].fixed;
        table.set_tariff(vec![zone(100, 500, 100)]);
        assert_eq!(table.lanes(&catalogue, 31.0, 121.0)[0].fixed, before + 500);
    }
}
