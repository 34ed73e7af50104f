//! Chooses which candidate gives how much of each line: by the kernel, or by a rule where a policy or the size asks for one.

use super::freight::Bounded;
use super::objective::step;
use super::{Candidates, Demand, Planner, Refusal, Shortage};
use crate::fill::{self, Piece, Supply};
use crate::kernel::{self, Problem, UNSERVABLE};
use crate::policy::{Objective, Score};

/// Costs that the kernel is given at the most: lines and pieces of cut lines, times warehouses. Beyond it a rule fills the
/// order, as the kernel's first look at every cost alone would take milliseconds.
const KERNEL_CELLS_MAX: usize = 25_000;

impl Planner {
    /// What each candidate gives of each line, and whether that is proven to be what the policy wants most. What an order that accepts a
    /// part goes without besides is added to `unfilled`, a number a line.
    pub(super) fn choose(
        &self,
        demand: &Demand,
        candidates: &Candidates,
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
                    return Err(Refusal::TooSpread(shortages(demand, &left)));
                }
            }
        };
        Ok((pieces, proven))
    }

    /// The kernel's choice of the least score, after lines that no warehouse holds whole were cut; a rule's where that is too
    /// much for it.
    pub(super) fn cheapest(&self, demand: &Demand, candidates: &Candidates) -> Option<(Vec<Piece>, bool)> {
        let (supply, score) = (candidates.supply(), Score::of(demand.policy()));
        let width = supply.candidates;
        // What the kernel places: a line whole, the rest of a cut line, or a piece that is bound to its warehouse.
        let mut rows: Vec<Piece> = Vec::with_capacity(demand.lines.len());
        let mut cost: Vec<i64> = Vec::with_capacity((demand.lines.len() * width).min(KERNEL_CELLS_MAX));
        let mut cut = false;
        for (line, &(sku, _)) in demand.lines.iter().enumerate() {
            let wanted = candidates.wanted[line];
            if wanted == 0 {
                continue;
            }
            let terms = self.catalogue.sku_terms(sku);
            let line_cost =
                |candidate: usize, quantity: i64| score.line(candidates.lanes[candidate].line_cost(&terms, quantity));
            let (bound, rest) = if (0..width).any(|candidate| supply.at(line, candidate) >= wanted) {
                (Vec::new(), wanted)
            } else {
                cut = true;
                fill::cut_line(&supply, line)?
            };
            if (rows.len() + bound.len() + 1) * width > KERNEL_CELLS_MAX {
                let pieces = fill_whole(&supply, &candidates.by_fixed_cost(), demand.shipments_max)?;
                return Some((pieces, false));
            }
            for piece in &bound {
                rows.push(*piece);
                cost.extend((0..width).map(|candidate| {
                    if candidate == piece.candidate { line_cost(candidate, piece.quantity) } else { UNSERVABLE }
                }));
            }
            rows.push(Piece { line, candidate: usize::MAX, quantity: rest });
            let free = &candidates.free[line * width..(line + 1) * width];
            cost.extend(candidates.lanes.iter().zip(free).enumerate().map(|(candidate, (lane, &free))| {
                let used_up = || bound.iter().any(|piece| piece.candidate == candidate);
                if free < rest || used_up() { UNSERVABLE } else { score.line(lane.line_cost(&terms, rest)) }
            }));
        }
        let mut fixed = self.scores(demand, candidates);
        let mut exact = !cut;
        if demand.policy().objective == Objective::FewestShipments {
            let (step, is_enough) = step(&fixed, &cost, UNSERVABLE);
            fixed.iter_mut().for_each(|part| *part += step);
            exact &= is_enough;
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
            // How a balanced score weighs days against a carrier's freight is rounded.
            proven = self.ship_truly(demand, candidates, &kernel, &mut rows) && score.cost_weight() == 1;
        }
        if cut {
            rows = self.refill_cut_lines(demand, candidates, &rows);
        }
        Some((rows, proven && exact))
    }

    /// The same warehouses, but of every line that is in several pieces the most comes from where a unit costs least.
    fn refill_cut_lines(&self, demand: &Demand, candidates: &Candidates, pieces: &[Piece]) -> Vec<Piece> {
        let supply = candidates.supply();
        let mut used: Vec<usize> = pieces.iter().map(|piece| piece.candidate).collect();
        used.sort_unstable();
        used.dedup();
        let mut refilled: Vec<Piece> = Vec::with_capacity(pieces.len());
        for of_line in pieces.chunk_by(|piece, next| piece.line == next.line) {
            if let [whole] = of_line {
                refilled.push(*whole);
                continue;
            }
            let line = of_line[0].line;
            let terms = self.catalogue.sku_terms(demand.lines[line].0);
            // Stable: candidates come ranked, so equals keep their rank. Of a thousand units, as one would be rounded up.
            used.sort_by_key(|&candidate| (candidates.lanes[candidate].line_cost(&terms, 1000), candidate));
            let mut wanted: i64 = of_line.iter().map(|piece| piece.quantity).sum();
            for &candidate in &used {
                let quantity = wanted.min(supply.at(line, candidate));
                if quantity > 0 {
                    refilled.push(Piece { line, candidate, quantity });
                    wanted -= quantity;
                }
            }
        }
        refilled
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
fn fill_whole(supply: &Supply, order: &[usize], shipments_max: usize) -> Option<Vec<Piece>> {
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

/// What as many warehouses as are allowed could not give.
fn shortages(demand: &Demand, left: &[i64]) -> Vec<Shortage> {
    demand
        .lines
        .iter()
        .zip(left)
        .filter(|(_, left)| **left > 0)
        .map(|(&(sku, requested), &left)| Shortage { sku, requested, available: requested - left })
        .collect()
}
