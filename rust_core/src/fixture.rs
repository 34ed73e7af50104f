//! Networks and orders for the tests of several modules.

use proptest::prelude::ProptestConfig;
use serde_json::{Value, json};

use crate::batch::Intake;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::geo::Point;
use crate::ids::cell_id;
use crate::order::Order;
use crate::planner::{Demand, Planner};

/// A warehouse at a distance east of the orders' destination that costs nothing.
pub fn warehouse(degrees_east: f64) -> WarehouseTerms {
    WarehouseTerms {
        point: Point::from_degrees(0.0, degrees_east),
        enabled: true,
        priority: 1,
        fixed_cost: 0,
        unit_cost: 0,
        cost_per_km: 0.0,
        capacity: None,
    }
}

/// A planner whose warehouses are w0, w1, ... and whose SKUs, a row of stock each, are s0, s1, ...
pub fn planner(warehouses: &[WarehouseTerms], stock: &[&[i64]]) -> Planner {
    let mut planner = Planner { currency: "CNY".into(), ..Planner::default() };
    for (number, &terms) in (0..).zip(warehouses) {
        assert!(planner.put_warehouse(number, &format!("w{number}"), terms));
    }
    for (sku, row) in (0..).zip(stock) {
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), SkuTerms { weight_g: 1000, ..SkuTerms::default() }));
        for (number, &free) in (0..).zip(*row) {
            planner.view.set(cell_id(sku, number), free, 1);
        }
    }
    planner
}

/// Canonical bytes of an order to 0 N 0 E: these fields over the least that an order has.
pub fn order(fields: Value) -> Vec<u8> {
    let mut order = json!({"order_id": "o", "ship_to": {"lat": 0.0, "lon": 0.0}, "lines": []});
    if let (Value::Object(order), Value::Object(fields)) = (&mut order, fields) {
        order.extend(fields);
    }
    rmp_serde::to_vec(&order).unwrap()
}

/// Lines of an order: SKU numbers and units.
pub fn lines(lines: &[(u32, i64)]) -> Value {
    lines.iter().map(|(sku, quantity)| json!({"sku": format!("s{sku}"), "quantity": quantity})).collect()
}

/// What an order of these fields asks of a planner that knows all its names.
pub fn demand(planner: &Planner, fields: Value) -> Demand {
    planner.resolve(&Order::decode(&order(fields)).unwrap()).unwrap()
}

/// Orders whose levels were read after they came.
pub fn fresh(orders: &[Vec<u8>]) -> Vec<Intake<'_>> {
    orders.iter().map(|canonical| Intake { canonical, home: 0, attempts: 1, fresh: true, expected_day: None }).collect()
}

/// Orders that come for the first time.
pub fn intakes(orders: &[Vec<u8>]) -> Vec<Intake<'_>> {
    orders
        .iter()
        .map(|canonical| Intake { canonical, home: 0, attempts: 0, fresh: false, expected_day: None })
        .collect()
}

/// Cases of a property; `STOCKADE_LONG_TESTS` multiplies them.
pub fn cases(cases: u32) -> ProptestConfig {
    let times = std::env::var("STOCKADE_LONG_TESTS").ok().and_then(|times| times.parse().ok()).unwrap_or(1_u32);
    ProptestConfig::with_cases(cases.saturating_mul(times))
}
