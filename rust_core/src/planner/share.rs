//! Orders of which some line is more than any warehouse holds: several share it, at the least cost.

use super::choose::fill_whole;
use super::objective::step;
use super::{Candidates, Demand, Planner};
use crate::cost::Lane;
use crate::fill::Piece;
use crate::ids::WarehouseId;
use crate::kernel::Unsolved;
use crate::kernel::cut::{CutProblem, solve_cut};
use crate::policy::{Objective, Score, is_bounded};

/// Scores are reckoned in thousandths, as a unit's share of the freight is no whole number of minor units.
const THOUSANDTHS: i64 = 1000;

impl Planner {
    /// Pieces of the least score, and whether that is proven. A rule's where amounts are beyond all bounds, or where the
    /// search found nothing in time; `None` where so few shipments cannot do without parting other lines, too.
    pub(super) fn share(&self, demand: &Demand, candidates: &Candidates) -> Option<(Vec<Piece>, bool)> {
        let (supply, score) = (candidates.supply(), Score::of(demand.policy()));
        let width = supply.candidates;
        let lines: Vec<usize> = (0..demand.lines.len()).filter(|&line| candidates.wanted[line] > 0).collect();
        let line_score = |line: usize, lane: &Lane, warehouse: WarehouseId, quantity: i64| {
            let sku = demand.lines[line].0;
            let cost = lane.line_cost(&self.catalogue.sku_terms(sku), quantity);
            score.line(cost.saturating_add(self.prices.of_line(sku, warehouse, quantity)))
        };
        let mut free: Vec<i64> = Vec::with_capacity(lines.len() * width);
        let mut unit_cost = free.clone();
        let mut dearest: Vec<i64> = Vec::with_capacity(lines.len() * width);
        for &line in &lines {
            let sku = demand.lines[line].0;
            let terms = self.catalogue.sku_terms(sku);
            free.extend_from_slice(&candidates.free[line * width..(line + 1) * width]);
            for (lane, &warehouse) in candidates.lanes.iter().zip(&candidates.warehouses) {
                let freight = lane.per_kg.saturating_mul(terms.chargeable_g(lane.cm3_per_kg));
                let priced = lane.per_unit.saturating_add(self.prices.of_unit(sku, warehouse));
                let unit = priced.saturating_mul(THOUSANDTHS).saturating_add(freight);
                unit_cost.push(unit.saturating_mul(score.cost_weight()));
                dearest.push(line_score(line, lane, warehouse, candidates.wanted[line]));
            }
        }
        let wanted: Vec<i64> = lines.iter().map(|&line| candidates.wanted[line]).collect();
        let (scores, mut exact) = (self.scores(demand, candidates), candidates.by_weight.is_empty());
        let mut opening = scores.clone();
        if demand.policy().objective == Objective::FewestShipments {
            // Each line may come from all of them.
            let (step, is_enough) = step(&opening, &dearest, i64::MAX);
            let step = step.saturating_mul(width as i64);
            opening.iter_mut().for_each(|part| *part = part.saturating_add(step));
            exact &= is_enough;
        }
        let fixed: Vec<i64> = opening.iter().map(|part| part.saturating_mul(THOUSANDTHS)).collect();
        let shared = solve_cut(&CutProblem {
            fixed: &fixed,
            wanted: &wanted,
            free: &free,
            unit_cost: &unit_cost,
            shipments_max: demand.shipments_max,
            node_limit: None,
        });
        let choice = match shared {
            Ok(choice) => choice,
            Err(Unsolved::TooFewShipments) => return None,
            Err(_) => {
                let pieces = fill_whole(&supply, &candidates.by_fixed_cost(), demand.shipments_max)?;
                return Some((pieces, false));
            }
        };
        let pieces: Vec<Piece> = (choice.pieces.iter())
            .map(|piece| {
                let (line, candidate) = (lines[piece.line as usize], piece.warehouse as usize);
                Piece { line, candidate, quantity: piece.quantity }
            })
            .collect();
        // Freight is rounded up piece by piece: what that adds may yet be saved somewhere.
        let mut used: Vec<usize> = pieces.iter().map(|piece| piece.candidate).collect();
        used.sort_unstable();
        used.dedup();
        let of_pieces = pieces.iter().map(|piece| {
            let (lane, warehouse) = (&candidates.lanes[piece.candidate], candidates.warehouses[piece.candidate]);
            line_score(piece.line, lane, warehouse, piece.quantity)
        });
        // What is not chosen is no better for being worth more than its bound.
        exact &= !used.iter().map(|&candidate| scores[candidate]).chain(of_pieces.clone()).any(is_bounded);
        let booked = used.iter().map(|&candidate| opening[candidate]).chain(of_pieces).fold(0, i64::saturating_add);
        let bound = choice.bound.saturating_add(THOUSANDTHS - 1) / THOUSANDTHS;
        Some((pieces, exact && choice.proven && booked <= bound))
    }
}
