//! What is planned in the place of what was ordered, and what stands for what.

use serde_json::{Value, json};

use crate::goods::{Bundle, Lines, Substitution};
use crate::ids::SkuId;
use crate::planner::{Demand, Plan, Planner, add};

/// The lines that rows are about.
pub(super) struct Planned {
    /// SKUs and units, each SKU once.
    pub(super) lines: Lines,
    /// The same before substitutes and shortages.
    pub(super) asked: Lines,
    substitutions: Vec<Substitution>,
    bundles: Vec<Bundle>,
}

impl Planner {
    /// Of a plan, what it ships; without one, what it would have been sought for.
    pub(super) fn planned(&mut self, demand: &Demand, plan: Option<&Plan>) -> Planned {
        let asked = demand.lines.clone();
        let Some(plan) = plan.filter(|plan| !plan.is_backorder()) else {
            let bent = if demand.allow_substitutes { self.substitute(demand, true) } else { None };
            let (lines, substitutions) = bent.unwrap_or((asked.clone(), Vec::new()));
            return Planned { lines, asked, substitutions, bundles: demand.bundles.clone() };
        };
        let mut lines: Lines = asked.iter().map(|&(sku, _)| (sku, 0)).collect();
        for &(sku, units) in plan.shipments.iter().flat_map(|shipment| &shipment.lines) {
            add(&mut lines, sku, units);
        }
        lines.retain(|&(_, units)| units > 0);
        let (substitutions, bundles) = (plan.goods.substitutions.clone(), plan.goods.bundles.clone());
        Planned { lines, asked, substitutions, bundles }
    }
}

impl Planned {
    /// What a SKU comes instead of, and units of each; none for most.
    pub(super) fn instead_of(&self, sku: SkuId, planner: &Planner) -> Option<Value> {
        let of_it = self.substitutions.iter().filter(|one| one.by == sku);
        let name = |sku: SkuId| planner.catalogue.sku_name(sku).unwrap_or("?");
        let rows: Vec<Value> = of_it.map(|one| json!({"sku": name(one.sku), "quantity": one.units})).collect();
        (!rows.is_empty()).then(|| json!(rows))
    }

    /// Its lines, each with what it comes instead of and which bundles it is a part of.
    pub(super) fn to_json(&self, planner: &Planner) -> Value {
        let name = |sku: SkuId| planner.catalogue.sku_name(sku).unwrap_or("?");
        let line = |&(sku, units): &(SkuId, i64)| {
            let mut row = json!({"sku": name(sku), "quantity": units});
            if let Some(replaced) = self.instead_of(sku, planner) {
                row["instead_of"] = replaced;
            }
            let has = |bundle: &&Bundle| bundle.components.iter().any(|(of, _)| *of == sku);
            let bundles: Vec<&str> = self.bundles.iter().filter(has).map(|bundle| name(bundle.sku)).collect();
            if !bundles.is_empty() {
                row["part_of"] = json!(bundles);
            }
            row
        };
        self.lines.iter().map(line).collect()
    }
}
