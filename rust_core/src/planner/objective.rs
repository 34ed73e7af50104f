//! What a policy makes of the choice: who comes first where a rule asks for it, what the kernel is to keep least, and plans
//! that are early before they are cheap.

use super::freight::by_day;
use super::{Candidates, Demand, Planner};
use crate::cost::LocalDay;
use crate::fill::Piece;
use crate::policy::{Score, Site};

/// A shipment counts as so much at the most where the fewest are wanted.
const STEP_MAX: i64 = 10_i64.pow(14);

/// Days that penalties are counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days {
    /// From this one on.
    today: Option<LocalDay>,
    /// What promises nothing counts as this one.
    latest: Option<LocalDay>,
}

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
    pub(crate) fn scores(&self, demand: &Demand, candidates: &Candidates) -> Vec<i64> {
        let score = Score::of(demand.policy());
        let fixed = candidates.lanes.iter().map(|lane| lane.fixed);
        if score.is_cost() && self.prices.is_empty() {
            return fixed.collect();
        }
        let days = self.days(candidates);
        let site = |(column, fixed): (usize, i64)| Site {
            fixed: fixed.saturating_add(self.prices.of_shipment(candidates.warehouses[column])),
            ..self.site(demand, candidates, days, column, candidates.promised[column])
        };
        fixed.enumerate().map(|each| score.fixed(&site(each))).collect()
    }

    /// What days are counted from, and the latest that any candidate promises.
    pub(crate) fn days(&self, candidates: &Candidates) -> Days {
        let promised = || candidates.promised.iter().flatten().copied();
        Days { today: self.today().or(promised().min()), latest: promised().max() }
    }

    /// What a policy's penalties ask of a candidate whose shipment arrives on a day. Its cost is left out.
    pub(crate) fn site(
        &self,
        demand: &Demand,
        candidates: &Candidates,
        days: Days,
        column: usize,
        arrives: Option<LocalDay>,
    ) -> Site {
        let policy = demand.policy();
        // Nothing promised is as bad as the latest promise.
        let day = arrives.or(days.latest);
        let days_after = |from: Option<LocalDay>| match (day, from) {
            (Some(day), Some(from)) => (i64::from(day) - i64::from(from)).max(0),
            _ => 0,
        };
        let of_load = policy.load_cost > 0 || policy.weights.load > 0;
        let load = of_load.then(|| self.load(candidates.warehouses[column])).flatten();
        let metres = candidates.lanes[column].metres;
        Site { fixed: 0, metres, days: days_after(days.today), days_late: days_after(demand.due), load }
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
        let day_of = |column: usize| by_day(candidates.promised[column]);
        let mut days: Vec<i32> = (0..candidates.warehouses.len()).map(day_of).collect();
        days.sort_unstable();
        days.dedup();
        // What was not to be had by an earlier day for want of stock never is; where it was for want of a better search, no
        // later day is proven to be the first.
        let mut sure = true;
        for day in days {
            let (mut early, columns) = candidates.keep(|column| day_of(column) <= day);
            self.arrive_by(demand, &mut early, day);
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
