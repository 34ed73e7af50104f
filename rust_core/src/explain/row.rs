//! A warehouse that may serve an order: what all of it would cost from there, and what it is short of.

use serde_json::{Value, json};

use super::{Scene, Weighed};
use crate::ids::{SHARED, SkuId};
use crate::policy::Pools;

/// A candidate.
pub(super) struct Row {
    pub(super) column: usize,
    pub(super) weighed: Weighed,
    pub(super) short: Vec<Short>,
}

/// A SKU of which it has less than is planned.
pub(super) struct Short {
    sku: SkuId,
    requested: i64,
    available: i64,
}

impl Scene<'_> {
    pub(super) fn row(&self, column: usize) -> Row {
        let supply = self.candidates.supply();
        let of_line = |(line, &(sku, requested)): (usize, &(SkuId, i64))| {
            let available = supply.at(line, column);
            (available < requested).then_some(Short { sku, requested, available })
        };
        let short = self.demand.lines.iter().enumerate().filter_map(of_line).collect();
        let alone = Scene { candidates: self.alone, ..*self };
        Row { column, weighed: alone.weigh(column, &self.demand.lines), short }
    }

    pub(super) fn row_to_json(&self, row: &Row) -> Value {
        let weighed = &row.weighed;
        let warehouse = self.candidates.warehouses[row.column];
        let mut shipments = self.plan.iter().flat_map(|plan| &plan.shipments);
        let mut json = json!({
            "warehouse": self.warehouse(warehouse),
            "used": shipments.any(|shipment| shipment.warehouse == warehouse),
            "distance_km": f64::from(self.candidates.lanes[row.column].metres) / 1000.0,
            "cost": weighed.cost_to_json(),
            "score": weighed.score_to_json(&self.score),
        });
        self.days_to_json(&mut json, weighed);
        self.carriage_to_json(&mut json, weighed);
        if !row.short.is_empty() {
            json["short"] = row.short.iter().map(|short| self.short_to_json(warehouse, short)).collect();
        }
        json
    }

    /// The carrier, its zone, and the grams that it charges; and what comes from the user's own numbers.
    pub(super) fn carriage_to_json(&self, json: &mut Value, weighed: &Weighed) {
        for (name, is_own) in [("own_cost", weighed.own_cost), ("own_distance", weighed.own_distance)] {
            if is_own {
                json[name] = json!(true);
            }
        }
        let carriers = self.planner.costs.carriers();
        let Some(carrier) = weighed.carrier.and_then(|carrier| carriers.get(usize::from(carrier))) else { return };
        if let Some(name) = &carrier.name {
            json["carrier"] = json!(&**name);
        }
        if let Some(zone) = weighed.zone.and_then(|zone| carrier.zones.get(usize::from(zone))) {
            json["zone"] = json!(&*zone.name);
        }
        if let Some(billed_g) = weighed.billed_g {
            json["billed_g"] = json!(billed_g);
        }
    }

    /// What is lacking, and which rule leaves it there though it may be had.
    fn short_to_json(&self, warehouse: u32, short: &Short) -> Value {
        let (planner, demand, sku) = (self.planner, self.demand, short.sku);
        let mut json = json!({"sku": self.sku(sku), "requested": short.requested, "available": short.available});
        if let Some(replaced) = self.planned.instead_of(sku, planner) {
            json["instead_of"] = replaced;
        }
        let lacks = planner.policies.traits().lacks(warehouse, sku);
        if !lacks.is_empty() {
            json["lacks"] = json!(lacks);
            return json;
        }
        let shared = planner.view.free(sku, warehouse).max(0);
        if demand.pools_only && shared > 0 {
            json["left_to_others"] = json!(shared);
        } else if demand.keep_back.min(shared) > 0 {
            json["kept_back"] = json!(demand.keep_back.min(shared));
        }
        let channel = self.order.channel.and_then(|name| planner.catalogue.channel(name)).unwrap_or(SHARED);
        let pooled = planner.view.free_in_pool(channel, sku, warehouse).max(0);
        if demand.policy().only.pools == Pools::Never && pooled > 0 {
            json["left_in_pool"] = json!(pooled);
        }
        json
    }
}
