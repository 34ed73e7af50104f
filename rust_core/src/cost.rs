//! What a shipment costs, from each warehouse to a destination. Integer minor units throughout.

use std::collections::HashMap;

use crate::catalogue::Catalogue;
use crate::geo::Point;
use crate::ids::WarehouseId;

/// No single line or shipment is dearer than this; 100 lines of it still fit an `i64` a thousand times.
pub const COST_MAX: i64 = 10_i64.pow(13);

/// Destinations whose lanes are kept. 4,096 of them to 500 warehouses take 80 MB at the most, to 30 warehouses 5 MB.
const DESTINATIONS_KEPT_MAX: usize = 4096;

/// One row of the tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Name of the zone.
    pub name: Box<str>,
    /// The zone reaches this far.
    pub max_m: u32,
    /// Per shipment.
    pub base: i64,
    /// Per kilogram.
    pub per_kg: i64,
}

/// What it costs to ship from one warehouse to one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Once per shipment: the warehouse's own cost, the way and the tariff's base.
    pub fixed: i64,
    /// Per unit.
    pub per_unit: i64,
    /// Per kilogram.
    pub per_kg: i64,
    /// Metres along the great circle.
    pub metres: u32,
    /// Row of the tariff, if there is a tariff.
    pub zone: Option<u8>,
}

impl Lane {
    /// The cost of a line on this lane, its freight charged by the gram and rounded up.
    #[must_use]
    pub fn line_cost(&self, weight_g: i64, quantity: i64) -> i64 {
        // What overflows is beyond the bound anyway.
        let freight = self.per_kg.saturating_mul(weight_g.saturating_mul(quantity)).saturating_add(999) / 1000;
        freight.saturating_add(self.per_unit.saturating_mul(quantity)).min(COST_MAX)
    }
}

/// Lanes by destination, worked out once and kept.
#[derive(Debug, Default)]
pub struct CostTable {
    zones: Vec<Zone>,
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
        zone: zone.and_then(|zone| u8::try_from(zone).ok()),
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
        Zone { name: "z".into(), max_m: max_km * 1000, base, per_kg }
    }

    #[test]
    fn freight_is_charged_by_the_gram_and_rounded_up() {
        let lane = Lane { fixed: 0, per_unit: 10, per_kg: 199, metres: 0, zone: None };
        assert_eq!(lane.line_cost(1, 1), 10 + 1);
        assert_eq!(lane.line_cost(500, 3), 30 + 299);
        assert_eq!(lane.line_cost(0, 3), 30);
    }

    #[test]
    fn absurd_amounts_end_at_the_bound_and_do_not_wrap() {
        let lane = Lane { fixed: 0, per_unit: i64::MAX / 2, per_kg: i64::MAX / 2, metres: 0, zone: None };
        assert_eq!(lane.line_cost(i64::MAX / 2, i64::MAX / 2), COST_MAX);
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
