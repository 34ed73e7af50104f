//! Which rule keeps a warehouse from serving an order at all.

use super::Scene;
use crate::ids::WarehouseId;
use crate::policy::Filter;

/// A rule, for machines and for people.
pub(super) struct Exclusion {
    pub(super) rule: &'static str,
    pub(super) text: String,
}

impl Scene<'_> {
    /// Of a warehouse that is no candidate.
    pub(super) fn exclusion(&self, warehouse: WarehouseId, uncarried: bool) -> Exclusion {
        let (planner, demand) = (self.planner, self.demand);
        let because = |rule, text: &str| Exclusion { rule, text: text.into() };
        if !planner.catalogue.warehouse_terms(warehouse).is_some_and(|terms| terms.enabled) {
            because("disabled", "the warehouse is disabled")
        } else if !demand.allows(warehouse) {
            match self.order.pickup_at {
                Some(at) => Exclusion { rule: "order", text: format!("the order is collected at {at}") },
                None => because("order", "the order does not allow it"),
            }
        } else if !demand.passes(warehouse) {
            self.kept_out(warehouse)
        } else if uncarried {
            because("carrier", "no carrier of the tariff goes there from it")
        } else {
            because("at_capacity", "the warehouse is at capacity for today")
        }
    }

    fn kept_out(&self, warehouse: WarehouseId) -> Exclusion {
        let (planner, policy) = (self.planner, self.demand.policy());
        let found = planner.policies.kept_out_by(policy, &planner.catalogue, warehouse, planner.now_ms);
        let (rule, why) = match found {
            Some(Filter::Pinned) => ("pinned", "it is not on its list".to_owned()),
            Some(Filter::Exclude) => ("exclude", "it is on its list of excluded ones".into()),
            Some(Filter::Kind(kind)) => {
                let kinds: Vec<&str> = policy.only.kinds.iter().map(|kind| kind.name()).collect();
                ("kinds", format!("it is a {}, not one of {}", kind.name(), kinds.join(", ")))
            }
            Some(Filter::Capabilities(lacking)) => ("capabilities", format!("it has no {}", lacking.join(", "))),
            Some(Filter::Counted(within_s)) => {
                ("counted_within_s", format!("its stock was not counted in the last {within_s} s"))
            }
            None => ("policy", "one of its filters".into()),
        };
        Exclusion { rule, text: format!("policy {} keeps it out: {why}", policy.name) }
    }
}
