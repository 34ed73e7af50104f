//! Why an order is shipped as it is, or not at all, in one sentence and in money.

use super::{Chosen, Row, Scene, Weighed};
use crate::answer::date;
use crate::planner::{Refusal, Shortage};
use crate::policy::Objective;

/// SKUs that a sentence names.
const NAMED_MAX: usize = 4;

impl Scene<'_> {
    pub(super) fn reason(&self, chosen: Option<&Chosen>, single: Option<&Row>, rows: &[Row]) -> String {
        let (plan, chosen) = match (self.plan, chosen) {
            (Ok(plan), Some(chosen)) => (plan, chosen),
            (Err(refusal), _) => return self.refused(refusal),
            (Ok(_), None) => return "no plan: nothing is to be had now".into(),
        };
        let why = match (&chosen.warehouses[..], single) {
            ([only], _) => self.one(*only, rows),
            (several, None) => self.no_single(several.len()),
            (several, Some(row)) => self.against(row, several.len(), &chosen.weighed),
        };
        if plan.unfilled.is_empty() {
            return why;
        }
        let there = if plan.shipments.len() >= self.demand.shipments_max && self.is_elsewhere() {
            "more shipments than are allowed would be needed for all of it"
        } else {
            "not everything is to be had"
        };
        format!("{there}, and the order accepts a part; of what it gets, {why}")
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal {
            Refusal::Short(rows) => {
                format!("no plan: the warehouses that may serve it have too little of {}", self.shortages(rows))
            }
            Refusal::TooSpread(_) => {
                let most = self.demand.shipments_max;
                let plural = if most == 1 { "" } else { "s" };
                format!(
                    "no plan: there is enough, but not from {most} warehouse{plural}, the most that it may ship from"
                )
            }
            Refusal::AtCapacity(rows) => format!(
                "no plan: warehouses that have the stock serve no more orders today; the others have too little of {}",
                self.shortages(rows)
            ),
        }
    }

    fn shortages(&self, rows: &[Shortage]) -> String {
        let named = |row: &Shortage| format!("{} ({} of {})", self.sku(row.sku), row.available, row.requested);
        let mut texts: Vec<String> = rows.iter().take(NAMED_MAX).map(named).collect();
        if rows.len() > NAMED_MAX {
            texts.push(format!("{} more", rows.len() - NAMED_MAX));
        }
        texts.join(", ")
    }

    /// Whether the network has more of what the order goes without.
    fn is_elsewhere(&self) -> bool {
        let Ok(plan) = self.plan else { return false };
        plan.unfilled.iter().any(|&(sku, _)| {
            let shipped = |warehouse| {
                let of_it = plan.shipments.iter().filter(|shipment| shipment.warehouse == warehouse);
                let lines = of_it.flat_map(|shipment| &shipment.lines).filter(|(of, _)| *of == sku);
                lines.map(|&(_, units)| units).sum::<i64>()
            };
            self.candidates.warehouses.iter().any(|&at| self.planner.view.free(sku, at) > shipped(at))
        })
    }

    fn one(&self, only: u32, rows: &[Row]) -> String {
        let (name, objective) = (self.warehouse(only), self.demand.policy().objective);
        if rows.iter().filter(|row| row.short.is_empty()).count() == 1 && rows.len() == 1 {
            return format!("{name} is the only warehouse that may serve it, and has everything");
        }
        let proven = self.plan.is_ok_and(|plan| plan.proven);
        let better = if proven { "nothing that keeps lines whole" } else { "nothing that was found" };
        match objective {
            Objective::Nearest => format!("{name} is the nearest that has everything"),
            Objective::Priority | Objective::Pinned => {
                format!("{name} is the first by the policy's ranking that has everything")
            }
            Objective::Cheapest if self.score.is_cost() => format!("{name} has everything, and {better} costs less"),
            Objective::Fastest => format!("{name} has everything, and {better} is as fast and costs less"),
            Objective::FewestShipments if proven => {
                format!("{name} has everything, and nothing of one shipment costs less")
            }
            Objective::FewestShipments => format!("{name} has everything, and {better} of one shipment costs less"),
            Objective::Cheapest | Objective::Balanced => {
                format!("{name} has everything, and {better} is better with all that the policy weighs")
            }
        }
    }

    fn no_single(&self, shipments: usize) -> String {
        let fewest = self.demand.policy().objective == Objective::FewestShipments;
        let proven = fewest && self.plan.is_ok_and(|plan| plan.proven);
        // What any way of parting lines needs, and what plans that keep them whole do.
        if (fewest || shipments > 2) && self.shipments_min() == shipments {
            return format!("no warehouse has everything, and fewer than {shipments} shipments are not possible");
        }
        if proven {
            return format!(
                "no warehouse has everything, and fewer than {shipments} shipments are not possible with lines kept whole"
            );
        }
        "no warehouse has everything".into()
    }

    /// Several shipments against the best of one.
    fn against(&self, row: &Row, shipments: usize, chosen: &Weighed) -> String {
        let name = self.warehouse(self.candidates.warehouses[row.column]);
        let one = &row.weighed;
        let mut said = format!("one shipment from {name} would {}", self.price_of(one));
        said += &format!("; these {shipments} {}", self.price_of(chosen));
        match self.demand.policy().objective {
            Objective::Nearest | Objective::Priority | Objective::Pinned => {
                format!("the policy takes what its first warehouses have before it goes on to the next: {said}")
            }
            _ => said,
        }
    }

    /// "cost 19.80 CNY", with what the policy adds, if anything, and the day where that decides.
    fn price_of(&self, weighed: &Weighed) -> String {
        let (cost, scale) = (weighed.cost(), self.score.scale());
        let score = weighed.score.saturating_add(scale / 2) / scale;
        let mut said = format!("cost {}", self.money(cost));
        if score != cost {
            said += &format!(", {} with all that the policy weighs", self.money(score));
        }
        match (self.demand.policy().objective, weighed.promised) {
            (Objective::Fastest, Some(day)) => format!("arrive on {} and {said}", date(day)),
            (Objective::Fastest, None) => format!("arrive on no known day and {said}"),
            _ => said,
        }
    }

    /// Minor units in major ones, as the command line has them.
    fn money(&self, minor: i64) -> String {
        format!("{}.{:02} {}", minor / 100, minor % 100, self.planner.currency)
    }
}
