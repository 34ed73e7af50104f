//! What a search for a large order may cost at the most.

use super::super::improve::{Bounded, Scores};
use super::super::search::{CELLS_AN_OFFER, OFFERS_MAX, search};
use super::*;
use crate::cost::CARRIERS_MAX;
use crate::fill::Piece;
use crate::kernel::{UNSERVABLE, work_done};

/// Lines, each in its own small warehouse; and large dear ones that hold everything.
const LINES: usize = 48;
const LARGE: usize = 400;

/// Every piece at home is the best there is, and no bound says so: many shipments, of which any two or three are few pieces that
/// everybody serves, with as many carriers as there may be.
fn hostile(carriers: usize) -> Planner {
    let home = WarehouseTerms { fixed_cost: 1, ..warehouse(0.0) };
    let large = WarehouseTerms { fixed_cost: 1_000_000, unit_cost: 1, ..warehouse(0.0) };
    let places: Vec<WarehouseTerms> = (0..LINES + LARGE).map(|at| if at < LINES { home } else { large }).collect();
    let rows: Vec<Vec<i64>> =
        (0..LINES).map(|line| (0..places.len()).map(|at| i64::from(at == line || at >= LINES)).collect()).collect();
    let rows: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let mut planner = planner(&places, &rows);
    let zone = |base| Zone { base, per_kg: 7, minimum: 40, ..Zone::default() };
    assert!(planner.costs.set_carriers((0..carriers as i64).map(|base| carried("c", zone(base))).collect()));
    planner
}

#[test]
fn a_search_for_a_hostile_order_keeps_to_the_work_that_is_allowed() {
    for carriers in [1, 2, CARRIERS_MAX] {
        let mut planner = hostile(carriers);
        let wanted: Vec<(u32, i64)> = (0..LINES as u32).map(|sku| (sku, 1)).collect();
        let demand = demand(&planner, json!({"lines": lines(&wanted)}));
        let mut candidates = planner.candidates(&demand);
        planner.bound_freight(&demand, &mut candidates);
        let fixed: Vec<i64> = candidates.lanes.iter().map(|lane| lane.fixed).collect();
        let terms = planner.catalogue.sku_terms(0);
        let costs = candidates.lanes.iter().map(|lane| lane.line_cost(&terms, 1));
        let costs: Vec<i64> = costs.collect();
        let free = candidates.free.iter().enumerate();
        let cost: Vec<i64> =
            free.map(|(cell, &free)| if free > 0 { costs[cell % fixed.len()] } else { UNSERVABLE }).collect();
        let home = |line: usize| candidates.warehouses.iter().position(|&at| at == line as u32).unwrap();
        let pieces: Vec<Piece> = (0..LINES).map(|line| Piece { line, candidate: home(line), quantity: 1 }).collect();
        let kernel = Bounded { fixed: &fixed, cost: &cost, cost_weight: 1, shipments_max: usize::MAX, bound: 0 };
        let scores = Scores::new(&planner, &demand, &candidates, &kernel, &pieces);
        let mut at: Vec<usize> = pieces.iter().map(|piece| piece.candidate).collect();
        let before = work_done();
        search(&scores, usize::MAX, 0, &mut at);
        let offers = (work_done() - before) / CELLS_AN_OFFER;
        // It does go to the end of what is allowed, and beyond it no further than the step that was under way.
        let max = OFFERS_MAX as u64;
        assert!((max..=max + max / 10).contains(&offers), "{offers} offers with {carriers} carriers");
    }
}
