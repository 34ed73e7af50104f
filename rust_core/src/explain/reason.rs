//! Why an order is shipped as it is, or not at all, in one sentence and in money.

use super::{Chosen, Row, Scene, Weighed};
use crate::answer::date;
use crate::planner::{LimitedBy, Refusal, Shortage, Spread, SpreadRow};
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
        let why = why + &self.late(&chosen.weighed);
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

    /// That it arrives late, and what the policy makes of that.
    fn late(&self, chosen: &Weighed) -> String {
        let (Some(due), Some(day), Some(late @ 1..)) = (self.demand.due, chosen.promised, chosen.days_late) else {
            return String::new();
        };
        let plural = if late == 1 { "" } else { "s" };
        let charged = match chosen.penalties.lateness / self.score.scale() {
            0 => "for which the policy charges nothing".to_owned(),
            penalty => format!("for which the policy charges {} that nobody pays", self.money(penalty)),
        };
        format!("; it arrives on {}, {late} day{plural} after it is due on {}, {charged}", date(day), date(due))
    }

    /// Beyond money, if anything is weighed.
    fn besides_money(&self) -> Option<&'static str> {
        match (self.score.is_cost(), self.priced) {
            (true, false) => None,
            (true, true) => Some("with the price of the stock"),
            (false, false) => Some("with all that the policy weighs"),
            (false, true) => Some("with the price of the stock and all that the policy weighs"),
        }
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal {
            Refusal::Short(rows) => {
                format!("no plan: the warehouses that may serve it have too little of {}", self.shortages(rows))
            }
            Refusal::TooSpread(spread) => self.spread(spread),
            Refusal::AtCapacity(rows) => format!(
                "no plan: warehouses that have the stock serve no more orders today; the others have too little of {}",
                self.shortages(rows)
            ),
            Refusal::KeptByPolicy(rows, policy) => format!(
                "no plan: there is enough, but policy {policy} leaves it where it is; what it lets serve has too little of {}",
                self.shortages(rows)
            ),
            Refusal::Undeliverable(rows) => self.undeliverable(rows),
        }
    }

    fn undeliverable(&self, rows: &[Shortage]) -> String {
        let level = self.order.service_level.map_or(String::new(), |level| format!(" at service level {level}"));
        let nobody = format!("no plan: no carrier of the tariff goes there{level} from");
        if rows.is_empty() {
            return format!("{nobody} any warehouse that may serve it");
        }
        let lacking = self.shortages(rows);
        format!("{nobody} where the stock is; those that one goes there from have too little of {lacking}")
    }

    /// By which limit there are too few shipments, and what they could hold.
    fn spread(&self, spread: &Spread) -> String {
        let most = spread.shipments_max;
        let there = if spread.rows.iter().all(|row| row.available >= row.requested) { "enough" } else { "more" };
        // Whether a set of several exists is a search that may give up.
        let from = match most {
            1 => "but not from 1 warehouse".to_owned(),
            most => format!("but no way was found to ship it from {most} warehouses"),
        };
        let whose = match spread.by {
            LimitedBy::AllowSplit => "it is not to be split (allow_split)".to_owned(),
            LimitedBy::MaxShipments => "its max_shipments allows no more".to_owned(),
            LimitedBy::Policy => format!("policy {} allows no more", spread.policy),
        };
        let named = |row: &SpreadRow| format!("{} ({} of {} there)", self.sku(row.sku), row.within, row.available);
        let most_of = listed(spread.rows.iter().map(named));
        format!("no plan: there is {there}, {from}, and {whose}; such a choice held too little of {most_of}")
    }

    fn shortages(&self, rows: &[Shortage]) -> String {
        let named = |row: &Shortage| format!("{} ({} of {})", self.sku(row.sku), row.available, row.requested);
        listed(rows.iter().map(named))
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
        let better = if self.proven { "nothing that keeps lines whole" } else { "nothing that was found" };
        let less = self.besides_money().map_or("costs less".to_owned(), |with| format!("is better {with}"));
        match objective {
            Objective::Nearest => format!("{name} is the nearest that has everything"),
            Objective::Priority | Objective::Pinned => {
                format!("{name} is the first by the policy's ranking that has everything")
            }
            Objective::Fastest => format!("{name} has everything, and {better} is as fast and {less}"),
            Objective::FewestShipments if self.proven => {
                format!("{name} has everything, and nothing of one shipment {less}")
            }
            Objective::FewestShipments => format!("{name} has everything, and {better} of one shipment {less}"),
            Objective::Cheapest | Objective::Balanced => format!("{name} has everything, and {better} {less}"),
        }
    }

    fn no_single(&self, shipments: usize) -> String {
        let fewest = self.demand.policy().objective == Objective::FewestShipments;
        let proven = fewest && self.proven;
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
            let with = self.besides_money().unwrap_or("with all that the policy weighs");
            said += &format!(", {} {with}", self.money(score));
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

/// The first few, and how many more there are.
fn listed(texts: impl ExactSizeIterator<Item = String>) -> String {
    let more = texts.len().saturating_sub(NAMED_MAX);
    let mut named: Vec<String> = texts.take(NAMED_MAX).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}
