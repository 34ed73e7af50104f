//! Why each warehouse won or lost, in money: the explanation that goes with a quote.

use serde_json::{Value, json};

use crate::planner::{Candidates, Demand, Plan, Planner};
use crate::policy::Objective;

const AT_CAPACITY: &str = "no plan: warehouses that have the stock serve no more orders today";

impl Planner {
    /// For every warehouse: what it would cost alone, part by part, or what keeps it out.
    pub fn explain(&mut self, demand: &Demand, plan: Option<&Plan>) -> Value {
        let candidates = self.candidates(demand);
        let at_capacity =
            plan.is_none() && self.capacity.any_full(&self.catalogue) && self.unfilled_by_stock(demand).is_some();
        let uncarried = self.uncarried(demand);
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
                        let rule = if !enabled {
                            "the warehouse is disabled"
                        } else if uncarried.contains(&warehouse) {
                            "no carrier of the tariff goes there from it"
                        } else if demand.terms_of(&self.catalogue, warehouse).is_some() {
                            "the warehouse is at capacity for today"
                        } else if demand.allows(warehouse) {
                            "the policy does not allow it"
                        } else {
                            "the order does not allow it"
                        };
                        json!({"warehouse": name, "used": false, "excluded": rule})
                    }
                }
            })
            .collect();
        json!({
            "policy": &*demand.policy().name,
            "objective": demand.policy().objective.name(),
            "reason": if at_capacity { AT_CAPACITY } else { reason(demand, plan, &candidates) },
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
            lines_cost += lane.line_cost(&self.catalogue.sku_terms(sku), requested);
        }
        let mut row = json!({
            "distance_km": f64::from(lane.metres) / 1000.0,
            "cost": {"per_shipment": lane.fixed, "lines": lines_cost, "total": lane.fixed + lines_cost},
        });
        if let Some(zone) = self.costs.zone(lane) {
            row["zone"] = json!(&*zone.name);
        }
        if !short.is_empty() {
            row["short"] = json!(short);
        }
        row
    }
}

fn reason(demand: &Demand, plan: Option<&Plan>, candidates: &Candidates) -> &'static str {
    match plan {
        None => "no plan: see the shortages",
        Some(plan) if !plan.unfilled.is_empty() => "not everything is to be had, and the order accepts a part",
        Some(plan) if plan.shipments.len() == 1 => "one warehouse has everything and none is better under the policy",
        Some(_) if !single_exists(candidates) => "no warehouse has everything",
        Some(_) if demand.policy().objective == Objective::Cheapest => {
            "several shipments cost less than the cheapest single one"
        }
        Some(_) if demand.policy().objective.has_optimum() => "several shipments are better under the policy",
        Some(_) => "the policy takes what its first warehouses have before it goes on to the next",
    }
}

fn single_exists(candidates: &Candidates) -> bool {
    let supply = candidates.supply();
    (0..supply.candidates)
        .any(|column| (0..supply.wanted.len()).all(|line| supply.at(line, column) >= supply.wanted[line]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::WarehouseTerms;
    use crate::cost::Zone;
    use crate::fixture::{demand, lines, planner, warehouse};

    fn explained(planner: &mut Planner, fields: Value) -> (Option<Plan>, Value) {
        let demand = demand(planner, fields);
        let plan = planner.plan(&demand).ok();
        let explanation = planner.explain(&demand, plan.as_ref());
        (plan, explanation)
    }

    fn reason(planner: &mut Planner, fields: Value) -> String {
        explained(planner, fields).1["reason"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_keeps_a_warehouse_out_is_told() {
        let off = WarehouseTerms { enabled: false, ..warehouse(1.0) };
        let mut planner = planner(&[warehouse(0.0), off, warehouse(2.0), warehouse(3.0)], &[&[9, 9, 9, 1]]);
        let fields = json!({"lines": lines(&[(0, 4)]), "warehouses": ["w0", "w1", "w3"]});
        let (_, explanation) = explained(&mut planner, fields);
        let row = |index: usize| &explanation["warehouses"][index];
        assert_eq!((&row(0)["warehouse"], &row(0)["used"]), (&json!("w0"), &json!(true)));
        assert_eq!(row(1)["excluded"], "the warehouse is disabled");
        assert_eq!(row(2)["excluded"], "the order does not allow it");
        assert_eq!(row(3)["short"], json!([{"sku": "s0", "requested": 4, "available": 1}]));
        assert_eq!((&explanation["policy"], &explanation["proven"]), (&json!("cheapest"), &json!(true)));
    }

    #[test]
    fn a_warehouse_at_capacity_is_told() {
        let capped = WarehouseTerms { capacity: Some(1), ..warehouse(0.0) };
        let mut planner = planner(&[capped, warehouse(1.0)], &[&[9, 2]]);
        planner.capacity.set_day(Some(1));
        planner.capacity.set(1, 0, 1, 0);
        let (plan, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 2)])}));
        assert_eq!(plan.unwrap().shipments[0].warehouse, 1);
        assert_eq!(explanation["warehouses"][0]["excluded"], "the warehouse is at capacity for today");
        assert_eq!(reason(&mut planner, json!({"lines": lines(&[(0, 3)])})), AT_CAPACITY);
        assert!(reason(&mut planner, json!({"lines": lines(&[(0, 12)])})).starts_with("no plan: see"));
    }

    #[test]
    fn zones_are_named() {
        let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 9]]);
        let zone = |name: &str, max_m| Zone { name: name.into(), max_m, base: 0, per_kg: 0, ..Zone::default() };
        planner.costs.set_tariff(vec![zone("near", 1000), zone("far", 2000)]);
        let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 1)])}));
        assert_eq!(explanation["warehouses"][0]["zone"], "near");
        assert_eq!(explanation["warehouses"][1]["zone"], "far");
    }

    #[test]
    fn the_reason_is_that_of_the_policy() {
        let dear = WarehouseTerms { fixed_cost: 9, unit_cost: 5, ..warehouse(3.0) };
        let mut planner = planner(&[warehouse(0.0), warehouse(1.0), dear], &[&[4, 0, 9], &[0, 4, 9]]);
        let fields = |units, policy| json!({"lines": lines(&[(0, units), (1, units)]), "policy": policy});
        assert!(reason(&mut planner, fields(4, "cheapest")).starts_with("several shipments cost less"));
        assert!(reason(&mut planner, fields(4, "nearest")).starts_with("the policy takes what its first"));
        assert!(reason(&mut planner, fields(10, "cheapest")).starts_with("no warehouse has everything"));
        assert!(reason(&mut planner, fields(20, "cheapest")).starts_with("no plan"));
        let mut partial = fields(20, "cheapest");
        partial["allow_partial"] = json!(true);
        assert!(reason(&mut planner, partial).starts_with("not everything is to be had"));
        let single = json!({"lines": lines(&[(0, 9)]), "policy": "cheapest"});
        assert!(reason(&mut planner, single).starts_with("one warehouse has everything"));
    }

    proptest! {
        /// One row a warehouse, used as the plan uses it; parts make the total, which a plan of one shipment costs.
        #[test]
        fn rows_agree_with_the_plan(
            stock in prop::collection::vec(0_i64..8, 8), costs in prop::collection::vec(0_i64..90, 8),
            units in 1_i64..6, pickup in prop::option::weighted(0.2, 0_usize..4)
        ) {
            let place = |at: usize| WarehouseTerms {
                fixed_cost: costs[at],
                unit_cost: costs[4 + at],
                cost_per_km: 0.5,
                ..warehouse(at as f64)
            };
            let mut planner = planner(&[place(0), place(1), place(2), place(3)], &[&stock[..4], &stock[4..]]);
            let pickup = pickup.map(|at| format!("w{at}"));
            let fields = json!({"lines": lines(&[(0, units), (1, 1)]), "pickup_at": pickup, "allow_partial": true});
            let (plan, explanation) = explained(&mut planner, fields);
            let rows = explanation["warehouses"].as_array().unwrap();
            prop_assert_eq!(rows.len(), 4);
            for (number, row) in (0_u32..).zip(rows) {
                prop_assert_eq!(&row["warehouse"], &format!("w{number}"));
                let shipments = plan.iter().flat_map(|plan| &plan.shipments);
                let used: Vec<_> = shipments.filter(|shipment| shipment.warehouse == number).collect();
                prop_assert_eq!(&row["used"], &json!(!used.is_empty()));
                prop_assert_eq!(row.get("excluded").is_some(), pickup.as_ref().is_some_and(|at| row["warehouse"] != *at));
                let Some(cost) = row.get("cost") else { continue };
                let part = |name: &str| cost[name].as_i64().unwrap();
                prop_assert_eq!(part("per_shipment") + part("lines"), part("total"));
                if let (Some(plan), [shipment]) = (&plan, &used[..]) {
                    prop_assert!(row.get("short").is_some() || plan.shipments.len() > 1 || shipment.cost == part("total"));
                }
                let enough = stock[number as usize] >= units && stock[4 + number as usize] >= 1;
                prop_assert_eq!(row.get("short").is_none(), enough);
            }
        }
    }
}
