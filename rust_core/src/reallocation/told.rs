//! Tells what was worked out: moves and untouched orders as columns, and sums by warehouse and region.

use serde_json::{Value, json};

use super::{Outcome, Reallocation, Tally, count};
use crate::amend::add;
use crate::ids::{CellId, SkuId, WarehouseId, split_cell_id};
use crate::planner::Planner;

/// Columns of moves: order, SKU, units, from, to, cost before and after of the order in its first row.
#[derive(Debug, Default)]
pub struct Rows {
    /// Whose.
    pub order_id: Vec<String>,
    /// Of what.
    pub sku: Vec<String>,
    /// Units.
    pub quantity: Vec<i64>,
    /// From where; none where the order waited.
    pub from: Vec<Option<String>>,
    /// To where.
    pub to: Vec<String>,
    /// Of the order, in its first row.
    pub cost_before: Vec<i64>,
    /// The same after the move.
    pub cost_after: Vec<i64>,
}

impl Reallocation {
    /// The moves of so many orders that move, from one of them on, by order id.
    #[must_use]
    pub fn rows(&self, planner: &Planner, first: usize, orders: usize) -> Rows {
        let mut rows = Rows::default();
        let name = |at: WarehouseId| planner.catalogue.warehouse_name(at).unwrap_or_default().to_owned();
        for (_, open, made) in self.moves().skip(first).take(orders) {
            for (place, (sku, units, from, to)) in flows(&made.changes).into_iter().enumerate() {
                rows.order_id.push(open.id.to_string());
                rows.sku.push(planner.catalogue.sku_name(sku).unwrap_or_default().to_owned());
                rows.quantity.push(units);
                rows.from.push(from.map(name));
                rows.to.push(to.map(name).unwrap_or_default());
                rows.cost_before.push(if place == 0 { open.cost } else { 0 });
                rows.cost_after.push(if place == 0 { made.cost } else { 0 });
            }
        }
        rows
    }

    /// Orders that must be served anew and are not, and why.
    #[must_use]
    pub fn unserved(&self) -> Vec<(String, String)> {
        let must = self.orders.iter().filter(|open| open.waits || open.is_down);
        must.filter_map(|open| match open.outcome {
            Outcome::Moves(_) => None,
            Outcome::Stays => Some((open.id.to_string(), "no_stock".to_owned())),
            Outcome::Kept(why) => Some((open.id.to_string(), why.to_owned())),
        })
        .collect()
    }

    /// The parts of `engine.reallocation.ReallocationPlan` that are worked out here, as JSON.
    #[must_use]
    pub fn told(&self, planner: &Planner) -> Value {
        let (mut not_moved, mut unserved) = (Tally::new(), Tally::new());
        let (mut cost_before, mut cost_after, mut filled_cost) = (0_i64, 0_i64, 0_i64);
        let (mut shipments_before, mut shipments_after) = (0_usize, 0_usize);
        let (mut orders_moved, mut moves, mut units_moved) = (0_usize, 0_usize, 0_i64);
        let mut warehouses = vec![[0_i64; 6]; planner.catalogue.warehouse_numbers()];
        let mut regions = vec![[0_i64; 5]; self.regions.len()];
        for open in &self.orders {
            let must = open.waits || open.is_down;
            let mut now = open.held.clone();
            let (mut after, mut shipments) = (open.cost, open.shipments);
            match &open.outcome {
                Outcome::Moves(made) => {
                    made.changes.iter().for_each(|&(cell, units)| add(&mut now, cell, units));
                    (after, shipments) = (made.cost, made.shipments.len());
                    if open.waits {
                        filled_cost += made.cost;
                    }
                    orders_moved += 1;
                    units_moved += made.units;
                    regions[open.region][0] += 1;
                    for (_, units, from, to) in flows(&made.changes) {
                        moves += 1;
                        from.into_iter().for_each(|at| warehouses[at as usize][4] += units);
                        to.into_iter().for_each(|at| warehouses[at as usize][5] += units);
                    }
                }
                Outcome::Kept(why) if must => count(&mut unserved, why),
                Outcome::Stays if must => count(&mut unserved, "no_stock"),
                Outcome::Kept(why) => count(&mut not_moved, why),
                Outcome::Stays => {}
            }
            regions[open.region][4] += 1;
            regions[open.region][1] += open.cost;
            regions[open.region][2] += after;
            regions[open.region][3] += i64::from(must && !matches!(open.outcome, Outcome::Moves(_)));
            cost_before += open.cost;
            cost_after += after;
            shipments_before += open.shipments;
            shipments_after += shipments;
            for (column, cells) in [(0, &open.held), (1, &now)] {
                let mut used: Vec<(WarehouseId, i64)> = Vec::new();
                for &(cell, units) in cells.iter().filter(|&&(_, units)| units > 0) {
                    if let Some((_, at)) = split_cell_id(cell) {
                        add(&mut used, at, units);
                    }
                }
                for (at, units) in used {
                    warehouses[at as usize][column] += units;
                    warehouses[at as usize][column + 2] += 1;
                }
            }
        }
        let of_warehouse = |(at, sums): (WarehouseId, &[i64; 6])| {
            (sums.iter().any(|&sum| sum != 0)).then(|| {
                json!({
                    "warehouse": planner.catalogue.warehouse_name(at), "down": self.terms.down == Some(at), "units_before": sums[0], "units_after": sums[1],
                    "shipments_before": sums[2], "shipments_after": sums[3], "units_out": sums[4], "units_in": sums[5],
                })
            })
        };
        let of_region = |(region, sums): (&super::Region, &[i64; 5])| {
            json!({
                "country": region.country, "region": region.region, "lat": region.lat, "lon": region.lon,
                "orders": sums[4], "moved": sums[0], "cost_before": sums[1], "cost_after": sums[2],
                "unserved": sums[3],
            })
        };
        let tally =
            |tally: &Tally| tally.iter().map(|(why, orders)| json!({"why": why, "orders": orders})).collect::<Vec<_>>();
        let mut by_region: Vec<_> = self.regions.iter().zip(&regions).collect();
        by_region.sort_by_key(|(region, _)| (&region.country, &region.region));
        json!({
            "currency": planner.currency, "orders_seen": self.seen, "orders_chosen": self.orders.len(),
            "left_out": tally(&self.left_out), "orders_moved": orders_moved, "moves": moves,
            "units_moved": units_moved, "not_moved": tally(&not_moved), "unserved": tally(&unserved),
            "cost_before": cost_before, "cost_after": cost_after, "filled_cost": filled_cost,
            "shipments_before": shipments_before, "shipments_after": shipments_after,
            "by_warehouse": (0..).zip(&warehouses).filter_map(of_warehouse).collect::<Vec<_>>(),
            "by_region": by_region.into_iter().map(of_region).collect::<Vec<_>>(),
        })
    }
}

type Flow = (SkuId, i64, Option<WarehouseId>, Option<WarehouseId>);

/// Units by SKU that go from one warehouse to another; pools of a warehouse are the warehouse.
pub(super) fn flows(changes: &[(CellId, i64)]) -> Vec<Flow> {
    let mut by_place: Vec<((SkuId, WarehouseId), i64)> = Vec::new();
    for &(cell, units) in changes {
        if let Some(place) = split_cell_id(cell) {
            add(&mut by_place, place, units);
        }
    }
    by_place.sort_unstable_by_key(|&(place, _)| place);
    let mut flows: Vec<Flow> = Vec::new();
    let mut gives: Vec<((SkuId, WarehouseId), i64)> =
        by_place.iter().filter(|&&(_, units)| units < 0).copied().collect();
    for &((sku, to), wanted) in by_place.iter().filter(|&&(_, units)| units > 0) {
        let mut wanted = wanted;
        for ((of, from), given) in gives.iter_mut().filter(|((of, _), _)| *of == sku) {
            let units = wanted.min(-*given);
            if units > 0 {
                flows.push((*of, units, Some(*from), Some(to)));
                *given += units;
                wanted -= units;
            }
        }
        if wanted > 0 {
            flows.push((sku, wanted, None, Some(to)));
        }
    }
    flows
}
