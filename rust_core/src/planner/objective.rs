//! What a policy makes of the choice: who comes first where a rule asks for it, what the kernel is to keep least, and plans
//! that are early before they are cheap.

use super::{Candidates, Demand, Planner};
use crate::fill::Piece;
use crate::policy::{Score, Site};

/// A shipment counts as so much at the most where the fewest are wanted.
const STEP_MAX: i64 = 10_i64.pow(14);

impl Planner {
    /// Columns in the order of the policy's list, then the others by rank.
    pub(super) fn by_list(&self, demand: &Demand, candidates: &Candidates) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::with_capacity(candidates.warehouses.len());
        for name in &demand.policy().warehouses {
            let warehouse = self.catalogue.warehouse(name);
            order.extend(candidates.warehouses.iter().position(|&candidate| Some(candidate) == warehouse));
        }
        let listed = order.len();
        for column in 0..candidates.warehouses.len() {
            if !order[..listed].contains(&column) {
                order.push(column);
            }
        }
        order
    }

    /// What each candidate's use adds to the score.
    pub(super) fn scores(&self, demand: &Demand, candidates: &Candidates) -> Vec<i64> {
        let (policy, score) = (demand.policy(), Score::of(demand.policy()));
        let fixed = candidates.lanes.iter().map(|lane| lane.fixed);
        if score.is_cost() && self.prices.is_empty() {
            return fixed.collect();
        }
        // Nothing promised is as bad as the latest promise.
        let latest = candidates.promised.iter().flatten().copied().max();
        let today = self.today().or(candidates.promised.iter().flatten().copied().min());
        let of_load = policy.load_cost > 0 || policy.weights.load > 0;
        fixed
            .enumerate()
            .map(|(column, fixed)| {
                let day = candidates.promised[column].or(latest);
                let days_after = |from: Option<i32>| match (day, from) {
                    (Some(day), Some(from)) => (i64::from(day) - i64::from(from)).max(0),
                    _ => 0,
                };
                let load = of_load.then(|| self.load(candidates.warehouses[column])).flatten();
                let (days, days_late) = (days_after(today), days_after(demand.due));
                let fixed = fixed.saturating_add(self.prices.of_shipment(candidates.warehouses[column]));
                score.fixed(&Site { fixed, metres: candidates.lanes[column].metres, days, days_late, load })
            })
            .collect()
    }

    /// Orders that a warehouse serves today, and may serve.
    fn load(&self, warehouse: crate::ids::WarehouseId) -> Option<(i64, i64)> {
        self.capacity.day()?;
        let most = self.catalogue.warehouse_terms(warehouse)?.capacity?;
        Some((self.capacity.used(warehouse), most))
    }

    /// The least score among the plans whose last promised day is the earliest that there is. Warehouses that promise nothing
    /// come after all others.
    pub(super) fn fastest(&self, demand: &Demand, candidates: &Candidates) -> Option<(Vec<Piece>, bool)> {
        let day_of = |column: usize| candidates.promised[column].unwrap_or(i32::MAX);
        let mut days: Vec<i32> = (0..candidates.warehouses.len()).map(day_of).collect();
        days.sort_unstable();
        days.dedup();
        // What was not to be had by an earlier day for want of stock never is; where it was for want of a better search, no
        // later day is proven to be the first.
        let mut sure = true;
        for day in days {
            let (early, columns) = candidates.keep(|column| day_of(column) <= day);
            let supply = early.supply();
            let held = |line: usize| -> i64 {
                (0..supply.candidates).fold(0, |sum, column| sum.saturating_add(supply.at(line, column)))
            };
            if (0..supply.wanted.len()).any(|line| held(line) < supply.wanted[line]) {
                continue;
            }
            match self.cheapest(demand, &early) {
                Some((mut pieces, proven)) => {
                    pieces.iter_mut().for_each(|piece| piece.candidate = columns[piece.candidate]);
                    return Some((pieces, proven && sure));
                }
                None => sure = false,
            }
        }
        None
    }
}

/// What each shipment must add to a score so that no number of cheap ones is better than fewer, and whether it does.
pub(super) fn step(fixed: &[i64], cost: &[i64], unservable: i64) -> (i64, bool) {
    let rows = cost.len().checked_div(fixed.len()).unwrap_or(0);
    let dearest = |costs: &[i64]| costs.iter().copied().filter(|&cost| cost != unservable).max().unwrap_or(0);
    let of_lines = cost.chunks_exact(fixed.len().max(1)).map(dearest).fold(0, i64::saturating_add);
    let of_shipments = dearest(fixed).saturating_mul(rows.min(fixed.len()) as i64);
    let step = of_lines.saturating_add(of_shipments).saturating_add(1);
    (step.min(STEP_MAX), step <= STEP_MAX)
}
