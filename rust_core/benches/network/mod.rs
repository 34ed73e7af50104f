//! Networks and orders for the benchmarks, drawn from a seed. Sizes are the caller's.

#![allow(dead_code)] // Not every user of this module asks for everything.

use serde_json::json;
use stockade_core::catalogue::{SkuTerms, WarehouseTerms};
use stockade_core::cost::{CARRIERS_MAX, Carrier, Step, ZONES_MAX, Zone};
use stockade_core::geo::Point;
use stockade_core::ids::{SkuId, cell_id};
use stockade_core::planner::Planner;
use stockade_core::policy::Book;

/// SKUs in every network.
pub const SKUS: u32 = 200;

/// Units in a stocked cell: more than all rounds of a benchmark take.
const UNITS: i64 = 1_000_000_000_000;

/// What is stocked, in percent of the cells; well-stocked centres hold 90.
pub const ALL: u64 = 100;

const CENTRE_PERCENT: u64 = 90;
const WAREHOUSES_PER_CENTRE: u32 = 25;

/// A tariff like those of parcel carriers: kilometres, base and price of a kilogram in minor units.
pub const TARIFF: [(u32, i64, i64); 7] = [
    (60, 500, 100),
    (300, 600, 140),
    (700, 800, 220),
    (1200, 1000, 350),
    (1800, 1200, 500),
    (2600, 1500, 700),
    (6000, 1800, 900),
];

/// A multiplicative generator (after Steele and Vigna, 2022), of which the high bits are used.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(2 * seed + 1)
    }

    /// From 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0xf135_7aea_2e62_a9c5);
        (self.0 >> 33) % bound
    }
}

/// A planner over `warehouses` warehouses with a tariff; `stocked_percent` of the cells have stock, drawn one by one.
pub fn planner(warehouses: u32, stocked_percent: u64) -> Planner {
    planner_of(SKUS, warehouses, stocked_percent)
}

/// The same with as many SKUs as are wanted.
pub fn planner_of(skus: u32, warehouses: u32, stocked_percent: u64) -> Planner {
    let mut draw = Draw::new(u64::from(warehouses));
    let mut planner = Planner::default();
    planner.currency = "CNY".into();
    for warehouse in 0..warehouses {
        let terms = WarehouseTerms {
            point: Point::from_degrees(22.0 + draw.below(1900) as f64 / 100.0, 100.0 + draw.below(2200) as f64 / 100.0),
            enabled: true,
            priority: 1 + warehouse,
            fixed_cost: 200 + draw.below(100) as i64,
            unit_cost: 30 + draw.below(30) as i64,
            cost_per_km: 0.0,
            capacity: None,
        };
        assert!(planner.catalogue.put_warehouse(warehouse, &format!("W{warehouse:03}"), terms));
    }
    planner.costs.set_tariff(
        TARIFF
            .iter()
            .map(|&(km, base, per_kg)| Zone { name: "z".into(), max_m: km * 1000, base, per_kg, ..Zone::default() })
            .collect(),
    );
    for sku in 0..skus {
        let terms = SkuTerms { weight_g: 100 + draw.below(3000) as i64, ..SkuTerms::default() };
        assert!(planner.catalogue.put_sku(sku, &format!("SKU-{sku:03}"), terms));
        for warehouse in 0..warehouses {
            let centre = stocked_percent < ALL && warehouse % WAREHOUSES_PER_CENTRE == 0;
            if draw.below(100) < if centre { CENTRE_PERCENT } else { stocked_percent } {
                planner.view.set(cell_id(sku, warehouse), UNITS, 1);
            }
        }
    }
    planner
}

/// The same with carriers that charge by the weight of whole shipments: steps, a minimum, volume, and two to choose from.
pub fn by_weight(warehouses: u32) -> Planner {
    let mut planner = planner(warehouses, ALL);
    assert!(planner.costs.set_carriers(rivals()));
    planner
}

/// One that charges by steps, a minimum and volume; another that is dear to begin with and cheap by the kilogram.
pub fn rivals() -> Vec<Carrier> {
    let zone = |&(km, base, per_kg): &(u32, i64, i64)| {
        let steps = (1..=3).map(|kg| Step { up_to_g: 1000 * kg, amount: kg * per_kg }).collect();
        Zone { max_m: km * 1000, base, per_kg, minimum: base + per_kg, steps, ..Zone::default() }
    };
    let post = Carrier { zones: TARIFF.iter().map(zone).collect(), cm3_per_kg: 6000, ..Carrier::default() };
    let dear = |&(km, base, per_kg): &(u32, i64, i64)| Zone {
        max_m: km * 1000,
        base: 2 * base,
        per_kg: per_kg / 2,
        ..Zone::default()
    };
    let freight = Carrier { zones: TARIFF.iter().map(dear).collect(), ..Carrier::default() };
    vec![post, freight]
}

/// The same with the largest tariff that the doors let in: as many carriers, zones and steps as there may be.
pub fn largest_tariff(warehouses: u32) -> Planner {
    const STEPS: i64 = 100;
    let zone = |carrier: i64, zone: i64| Zone {
        max_m: 20_000 * zone as u32,
        base: 300 + 2 * zone + carrier,
        per_kg: 100 + zone,
        steps: (1..=STEPS).map(|step| Step { up_to_g: 50 * step, amount: (60 + zone) * step + carrier }).collect(),
        ..Zone::default()
    };
    let carrier = |number: i64| Carrier {
        zones: (1..=ZONES_MAX as i64).map(|at| zone(number, at)).collect(),
        ..Carrier::default()
    };
    let mut planner = planner(warehouses, ALL);
    assert!(planner.costs.set_carriers((0..CARRIERS_MAX as i64).map(carrier).collect()));
    planner
}

/// The same with little in every cell: nothing, or up to 9 units.
pub fn large(warehouses: u32) -> Planner {
    let (mut planner, mut draw) = (planner(warehouses, ALL), Draw::new(7));
    for sku in 0..SKUS {
        for warehouse in 0..warehouses {
            planner.view.set(cell_id(sku, warehouse), (draw.below(20) as i64 - 10).max(0), 1);
        }
    }
    planner
}

/// Canonical bytes of an order of the first `lines` SKUs, `units` each.
pub fn large_order(lines: u32, units: i64, max_shipments: Option<u32>) -> Vec<u8> {
    let lines: Vec<_> = (0..lines).map(|sku| json!({"sku": format!("SKU-{sku:03}"), "quantity": units})).collect();
    let ship_to = json!({"country": "CN", "lat": 30.0, "lon": 110.0});
    let order = json!({"lines": lines, "max_shipments": max_shipments, "order_id": "large", "ship_to": ship_to});
    rmp_serde::to_vec(&order).unwrap_or_default()
}

/// Canonical bytes of an order of `lines` different SKUs to one of 300 destinations, as the Python side writes them.
pub fn order(number: u64, lines: u32) -> Vec<u8> {
    order_of(SKUS, number, lines)
}

/// The same of as many SKUs as the network has.
pub fn order_of(all: u32, number: u64, lines: u32) -> Vec<u8> {
    let mut draw = Draw::new(number);
    let mut skus: Vec<SkuId> = Vec::new();
    while skus.len() < lines as usize {
        let sku = draw.below(u64::from(all)) as SkuId;
        if !skus.contains(&sku) {
            skus.push(sku);
        }
    }
    let lines: Vec<_> =
        skus.iter().map(|sku| json!({"sku": format!("SKU-{sku:03}"), "quantity": 1 + draw.below(3)})).collect();
    let place = draw.below(300);
    let order = json!({
        "channel": "app",
        "customer": format!("C{:06}", draw.below(100_000)),
        "lines": lines,
        "order_id": format!("D20261111-{number:06}"),
        "ship_to": {"country": "CN", "lat": 22.0 + place as f64 / 17.0, "lon": 101.0 + place as f64 / 15.0},
    });
    rmp_serde::to_vec(&order).unwrap_or_default()
}

/// A book of one policy, and so many rules that no order of these networks meets.
pub fn book(rules: usize) -> Book {
    let rule = json!({"name": "r", "use": "p", "when": {"channels": ["web", "shop"], "countries": ["DE"]}});
    let book = json!({"version": "1", "default": "p", "policies": [{"name": "p"}], "rules": vec![rule; rules]});
    rmp_serde::to_vec_named(&book).ok().and_then(|message| Book::decode(&message).ok()).unwrap_or_default()
}
