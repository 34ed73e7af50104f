//! Why each warehouse won or lost, in money: the explanation that goes with a quote.

use serde_json::{Value, json};

use crate::planner::{Candidates, Demand, Plan, Planner};

impl Planner {
    /// For every warehouse: what it would cost alone, part by part, or what keeps it out.
    pub fn explain(&mut self, demand: &Demand, plan: Option<&Plan>) -> Value {
        let candidates = self.candidates(demand);
        let warehouses: Vec<Value> = self
            .catalogue
            .ranked()
            .iter()
            .map(|&warehouse| {
                let name = self.catalogue.warehouse_name(warehouse).unwrap_or("?");
                let used =
                    plan.is_some_and(|plan| plan.shipments.iter().any(|shipment| shipment.warehouse == warehouse));
                match candidates.warehouses.iter().position(|&candidate| candidate == warehouse) {
                    Some(column) => {
                        let mut row = self.candidate(demand, &candidates, column);
                        row["warehouse"] = json!(name);
                        row["used"] = json!(used);
                        row
                    }
                    None => {
                        let enabled = self.catalogue.warehouse_terms(warehouse).is_some_and(|terms| terms.enabled);
                        let rule = if enabled { "the order does not allow it" } else { "the warehouse is disabled" };
                        json!({"warehouse": name, "used": false, "excluded": rule})
                    }
                }
            })
            .collect();
        let reason = match plan {
            None => "no plan: see the shortages",
            Some(plan) if plan.shipments.len() > 1 && single_exists(&candidates) => {
                "several shipments cost less than the cheapest single one"
            }
            Some(plan) if plan.shipments.len() > 1 => "no warehouse has everything",
            Some(_) => "one warehouse has everything and none is better under the policy",
        };
        json!({
            "policy": demand.policy.name(),
            "reason": reason,
            "proven": plan.is_some_and(|plan| plan.proven),
            "warehouses": warehouses,
        })
    }

    fn candidate(&self, demand: &Demand, candidates: &Candidates, column: usize) -> Value {
        let lane = &candidates.lanes[column];
        let supply = candidates.supply();
        let (mut lines_cost, mut short) = (0, Vec::new());
        for (line, &(sku, requested)) in demand.lines.iter().enumerate() {
            let available = supply.at(line, column);
            if available < requested {
                short.push(json!({
                    "sku": self.catalogue.sku_name(sku).unwrap_or("?"),
                    "requested": requested,
                    "available": available,
                }));
            }
            lines_cost += lane.line_cost(self.catalogue.sku_terms(sku).weight_g, requested);
        }
        let mut row = json!({
            "distance_km": f64::from(lane.metres) / 1000.0,
            "cost": {"per_shipment": lane.fixed, "lines": lines_cost, "total": lane.fixed + lines_cost},
        });
        if let Some(zone) = lane.zone.and_then(|zone| self.costs.zones().get(usize::from(zone))) {
            row["zone"] = json!(&*zone.name);
        }
        if !short.is_empty() {
            row["short"] = json!(short);
        }
        row
    }
}

fn single_exists(candidates: &Candidates) -> bool {
    let supply = candidates.supply();
    (0..supply.candidates)
        .any(|column| (0..supply.wanted.len()).all(|line| supply.at(line, column) >= supply.wanted[line]))
}
