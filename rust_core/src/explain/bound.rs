//! How much better than a plan that is not proven any other could be.

use serde_json::{Map, Value, json};

use super::{Chosen, Scene};
use crate::kernel::{self, Problem, UNSERVABLE};
use crate::policy::Objective;

/// Costs that the kernel is asked to bound at the most: lines times warehouses, some milliseconds.
const CELLS_MAX: usize = 25_000;

impl Scene<'_> {
    /// The least score that any plan can have that cuts no line which a warehouse could ship whole. Nothing where the choice is
    /// proven, or where scores do not decide.
    pub(super) fn bound(&self) -> Option<i64> {
        let by_score = matches!(self.demand.policy().objective, Objective::Cheapest | Objective::Balanced);
        if self.proven || !by_score || self.demand.lines.is_empty() {
            return None;
        }
        // Each shipment is charged for being one more; of a plan's first that is a constant.
        let most = self.least_by_kernel().into_iter().chain([self.least_by_lines()]).max();
        Some(most.unwrap_or(0).saturating_sub(self.score.split()).max(0))
    }

    /// Adds that, and how far above it the chosen one is, as a share of it; or how few shipments there must be.
    pub(super) fn bound_to_json(&self, answer: &mut Map<String, Value>, chosen: &Chosen, bound: Option<i64>) {
        if self.proven || self.demand.lines.is_empty() {
            return;
        }
        if self.demand.policy().objective == Objective::FewestShipments {
            answer.insert("bound_shipments".into(), json!(self.shipments_min()));
        }
        let Some(bound) = bound else { return };
        let gap = chosen.weighed.score.saturating_sub(bound).max(0) as f64 / chosen.weighed.score.max(1) as f64;
        answer.insert("bound".into(), json!(bound));
        answer.insert("gap".into(), json!((gap * 10_000.0).ceil() / 10_000.0));
    }

    /// The kernel's bound; none where a line must be cut, or there is too much.
    fn least_by_kernel(&self) -> Option<i64> {
        let (supply, width) = (self.candidates.supply(), self.candidates.warehouses.len());
        if self.demand.lines.len() * width > CELLS_MAX {
            return None;
        }
        let mut cost = Vec::with_capacity(self.demand.lines.len() * width);
        for (line, &(sku, units)) in self.demand.lines.iter().enumerate() {
            let terms = self.planner.catalogue.sku_terms(sku);
            cost.extend(self.candidates.lanes.iter().enumerate().map(|(column, lane)| {
                if supply.at(line, column) < units {
                    UNSERVABLE
                } else {
                    self.score.line(lane.line_cost(&terms, units))
                }
            }));
            if cost[line * width..].iter().all(|&one| one == UNSERVABLE) {
                return None;
            }
        }
        let fixed = self.planner.scores(self.demand, self.candidates);
        let shipments_max = self.demand.shipments_max;
        kernel::solve(&Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit: None })
            .map(|choice| choice.bound)
    }

    /// As few shipments as the most demanding line needs, the cheapest to open of those that have any of it, and every unit
    /// from where it costs least.
    fn least_by_lines(&self) -> i64 {
        let (supply, candidates) = (self.candidates.supply(), self.candidates);
        let fixed = self.planner.scores(self.demand, candidates);
        let opened = |line: usize| {
            let has = |&column: &usize| supply.at(line, column) > 0;
            let mut holders: Vec<i64> = (0..supply.candidates).filter(has).map(|column| fixed[column]).collect();
            holders.sort_unstable();
            holders.iter().take(self.shipments_of(line)).fold(0_i64, |sum, &one| sum.saturating_add(one))
        };
        let mut least = (0..self.demand.lines.len()).map(opened).max().unwrap_or(0);
        for (line, &(sku, units)) in self.demand.lines.iter().enumerate() {
            let terms = self.planner.catalogue.sku_terms(sku);
            // Of a thousand units, as one would be rounded up.
            let rate = |column: usize| candidates.lanes[column].line_cost(&terms, 1000);
            let mut offers: Vec<(i64, i64)> =
                (0..supply.candidates).map(|column| (rate(column), supply.at(line, column))).collect();
            offers.sort_unstable();
            let (mut wanted, mut thousandths) = (units, 0_i64);
            for (rate, free) in offers {
                let taken = wanted.min(free);
                thousandths = thousandths.saturating_add(rate.saturating_mul(taken));
                wanted -= taken;
            }
            least = least.saturating_add(self.score.line(thousandths / 1000));
        }
        least
    }

    /// No fewer shipments hold what is planned.
    pub(super) fn shipments_min(&self) -> usize {
        (0..self.demand.lines.len()).map(|line| self.shipments_of(line)).max().unwrap_or(0).max(1)
    }

    /// No fewer hold one line.
    fn shipments_of(&self, line: usize) -> usize {
        let supply = self.candidates.supply();
        let mut free: Vec<i64> = (0..supply.candidates).map(|column| supply.at(line, column)).collect();
        free.sort_unstable_by(|one, other| other.cmp(one));
        let mut wanted = self.demand.lines[line].1;
        let needed = free.iter().take_while(|&&free| {
            let any = wanted > 0;
            wanted = wanted.saturating_sub(free);
            any
        });
        needed.count()
    }
}
