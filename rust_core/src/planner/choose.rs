//! Chooses which candidate gives how much of each line: by the kernel, or by a rule where a policy or the size asks for one.

use super::freight::{Bounded, by_day};
use super::objective::step;
use super::{Candidates, Demand, Planner, Refusal, Shortage};
use crate::cost::LocalDay;
use crate::fill::{self, Piece, Supply};
use crate::kernel::{self, Problem, UNSERVABLE};
use crate::policy::{Objective, Score, is_bounded};

/// Costs that the kernel is given at the most: lines and pieces of cut lines, times warehouses. Beyond it a rule fills the
/// order, as the kernel's first look at every cost alone would take milliseconds.
const KERNEL_CELLS_MAX: usize = 25_000;

impl Planner {
    /// What each candidate gives of each line, and whether that is proven to be what the policy wants most. What an order that accepts a
    /// part goes without besides is added to `unfilled`, a number a line. Where the fastest is wanted, the candidates keep no
    /// carriers but those that may take it.
    pub(super) fn choose(
        &self,
        demand: &Demand,
        candidates: &mut Candidates,
        unfilled: &mut [i64],
    ) -> Result<(Vec<Piece>, bool), Refusal> {
        let objective = demand.policy().objective;
        let chosen = match objective {
            Objective::Cheapest | Objective::Balanced | Objective::FewestShipments => None,
            Objective::Fastest => self.fastest(demand, candidates),
            Objective::Nearest => {
                let mut order: Vec<usize> = (0..candidates.warehouses.len()).collect();
                order.sort_by_key(|&candidate| candidates.lanes[candidate].metres);
                fill_whole(&candidates.supply(), &order, demand.shipments_max).map(|pieces| (pieces, false))
            }
            Objective::Priority | Objective::Pinned => {
                let order = self.by_list(demand, candidates);
                fill_whole(&candidates.supply(), &order, demand.shipments_max).map(|pieces| (pieces, false))
            }
        };
        // A rule says who comes first; it refuses no order that fits within its shipments in some other way.
        let (pieces, proven) = match chosen.or_else(|| self.cheapest(demand, candidates)) {
            Some((pieces, proven)) => (pieces, proven && objective.has_optimum()),
            None => {
                let (pieces, left) = fill::most_units(&candidates.supply(), demand.shipments_max);
                if left.iter().all(|&units| units == 0) {
                    (pieces, false)
                } else if let Some(pieces) = from_covering_set(candidates, demand.shipments_max) {
                    (pieces, false)
                } else if demand.allow_partial {
                    unfilled.iter_mut().zip(&left).for_each(|(missing, left)| *missing += left);
                    (pieces, false)
                } else {
                    return Err(Self::too_spread(demand, &candidates.held(), &left));
                }
            }
        };
        if objective == Objective::Fastest {
            let last = pieces.iter().map(|piece| by_day(candidates.promised[piece.candidate])).max();
            self.arrive_by(demand, candidates, last.unwrap_or(LocalDay::MAX));
        }
        Ok((pieces, proven))
    }

    /// The choice of the least score, and whether that is proven; a rule's where the order is too large for the kernel.
    pub(super) fn cheapest(&self, demand: &Demand, candidates: &Candidates) -> Option<(Vec<Piece>, bool)> {
        let supply = candidates.supply();
        let width = supply.candidates;
        let asked = || (0..demand.lines.len()).filter(|&line| candidates.wanted[line] > 0);
        if asked().count() * width > KERNEL_CELLS_MAX {
            let pieces = fill_whole(&supply, &candidates.by_fixed_cost(), demand.shipments_max)?;
            return Some((pieces, false));
        }
        let whole = |line: usize| (0..width).any(|candidate| supply.at(line, candidate) >= candidates.wanted[line]);
        if !asked().all(whole) {
            return self.share(demand, candidates);
        }
        let score = Score::of(demand.policy());
        let mut rows: Vec<Piece> = Vec::with_capacity(demand.lines.len());
        let mut cost: Vec<i64> = Vec::with_capacity(demand.lines.len() * width);
        for line in asked() {
            let wanted = candidates.wanted[line];
            let terms = self.catalogue.sku_terms(demand.lines[line].0);
            rows.push(Piece { line, candidate: usize::MAX, quantity: wanted });
            let free = &candidates.free[line * width..(line + 1) * width];
            cost.extend(candidates.lanes.iter().zip(free).map(|(lane, &free)| {
                if free < wanted { UNSERVABLE } else { score.line(lane.line_cost(&terms, wanted)) }
            }));
            if !self.prices.is_empty() {
                let row = &mut cost[(rows.len() - 1) * width..];
                for (cost, &warehouse) in row.iter_mut().zip(&candidates.warehouses) {
                    if *cost != UNSERVABLE {
                        *cost += score.line(self.prices.of_line(demand.lines[line].0, warehouse, wanted));
                    }
                }
            }
        }
        let scores = self.scores(demand, candidates);
        let (mut fixed, mut exact) = (scores.clone(), true);
        if demand.policy().objective == Objective::FewestShipments {
            let mut dearest = fixed.clone();
            let freight = self.freight_most(demand, candidates);
            dearest.iter_mut().zip(&freight).for_each(|(part, &freight)| *part = part.saturating_add(freight));
            let (step, is_enough) = step(&dearest, &cost, UNSERVABLE);
            fixed.iter_mut().for_each(|part| *part += step);
            exact = is_enough;
        }
        let choice = kernel::solve(&Problem {
            fixed: &fixed,
            cost: &cost,
            shipments_max: demand.shipments_max,
            node_limit: None,
        })?;
        for (row, &candidate) in rows.iter_mut().zip(&choice.warehouse) {
            row.candidate = candidate as usize;
        }
        let mut proven = choice.proven;
        if !candidates.by_weight.is_empty() {
            let kernel = Bounded {
                fixed: &fixed,
                cost: &cost,
                cost_weight: score.cost_weight(),
                shipments_max: demand.shipments_max,
                bound: choice.bound,
            };
            proven =
                self.ship_truly(demand, candidates, &kernel, &mut rows) && self.weighs_days_truly(demand, candidates);
        }
        // What is not chosen is no better for being worth more than its bound.
        exact &= !rows
            .iter()
            .enumerate()
            .any(|(row, piece)| is_bounded(scores[piece.candidate]) || is_bounded(cost[row * width + piece.candidate]));
        Some((rows, proven && exact))
    }
}

/// Lowers what is wanted to what there is, where the order accepts a part; says what falls short where it does not.
/// Returns the units that go unfilled, a number a line.
pub(super) fn cap_to_stock(demand: &Demand, candidates: &mut Candidates) -> Result<Vec<i64>, Refusal> {
    let width = candidates.warehouses.len();
    let mut shortages = Vec::new();
    let mut unfilled = vec![0; demand.lines.len()];
    let mut any = false;
    for (line, &(sku, requested)) in demand.lines.iter().enumerate() {
        let row = &candidates.free[line * width..(line + 1) * width];
        let available = row.iter().fold(0_i64, |sum, &free| sum.saturating_add(free));
        if available < requested {
            shortages.push(Shortage { sku, requested, available });
            unfilled[line] = requested - available;
            candidates.wanted[line] = available;
        }
        any |= candidates.wanted[line] > 0;
    }
    if any && (shortages.is_empty() || demand.allow_partial) { Ok(unfilled) } else { Err(Refusal::Short(shortages)) }
}

/// Fills in order; where that uses too many shipments, the first that holds everything.
pub(super) fn fill_whole(supply: &Supply, order: &[usize], shipments_max: usize) -> Option<Vec<Piece>> {
    let (pieces, wanted) = fill::in_order(supply, order, shipments_max);
    if wanted.iter().all(|&quantity| quantity == 0) {
        return Some(pieces);
    }
    order.iter().find_map(|&candidate| {
        let (pieces, wanted) = fill::in_order(supply, &[candidate], 1);
        wanted.iter().all(|&quantity| quantity == 0).then_some(pieces)
    })
}

/// Fills from a set of warehouses that holds everything, the cheapest to open first.
fn from_covering_set(candidates: &Candidates, shipments_max: usize) -> Option<Vec<Piece>> {
    let set = fill::covering_set(&candidates.supply(), shipments_max)?;
    let mut order = candidates.by_fixed_cost();
    order.retain(|candidate| set.contains(candidate));
    Some(fill::in_order(&candidates.supply(), &order, shipments_max).0)
}
