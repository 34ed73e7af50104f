//! Orders with lines that no warehouse holds whole: which warehouses share them, at the least cost.
//!
//! A line that some warehouse holds whole comes from one warehouse; any other is filled from several of those used, the
//! cheapest by the unit first, which is best once it is known who is used. So the question is the set again: a fixed cost
//! for each of it, and the cheapest fill from it. It is searched depth first, under a bound that spreads every fixed cost
//! evenly over the lines that the warehouse can serve and over their units.

mod search;
mod supply;

use super::Unsolved;
use search::Search;
use supply::Supply;

/// No fixed cost reaches this, nor does what a line costs at its dearest.
pub const CUT_COST_END: i64 = 1 << 49;

/// Lines and warehouses of one problem, at the most: sums of so many costs still fit.
pub const CUT_SIDE_MAX: usize = 1 << 12;

/// Lines times warehouses, at the most.
pub const CUT_CELLS_MAX: usize = 1 << 20;

/// One order over its candidate warehouses, in units and in any one unit of money.
#[derive(Clone, Copy, Debug)]
pub struct CutProblem<'a> {
    /// Cost of using each warehouse, from 0 to less than [`CUT_COST_END`].
    pub fixed: &'a [i64],
    /// Units of each line, at least 1.
    pub wanted: &'a [i64],
    /// Units that each warehouse has of each line, a row a line, not below 0.
    pub free: &'a [i64],
    /// Cost of one unit, likewise; in thousandths, where a unit's share of the freight is no whole number.
    pub unit_cost: &'a [i64],
    /// Warehouses that may be used at the most.
    pub shipments_max: usize,
    /// Nodes of the search, at the most; `None` for as many as take some milliseconds.
    pub node_limit: Option<u64>,
}

/// Units of a line that leave one warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPiece {
    /// Which line.
    pub line: u32,
    /// From where.
    pub warehouse: u32,
    /// How many, at least 1.
    pub quantity: i64,
}

/// Pieces that fill every line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutChoice {
    /// By line, within a line from the cheapest by the unit on.
    pub pieces: Vec<CutPiece>,
    /// What they cost, the fixed costs of their warehouses included.
    pub cost: i64,
    /// No choice costs less than this.
    pub bound: i64,
    /// Whether none is cheaper, and none as cheap has fewer warehouses: then `bound == cost`.
    pub proven: bool,
}

/// The cheapest choice; among equals one with the fewest warehouses, the same on every machine.
///
/// [`Unsolved::Unserved`] is a line of which all warehouses together have too little, `TooFewShipments` is proven, and
/// `NotFound` says that the search ended before it found any. Without a bound on the shipments there is always one.
pub fn solve_cut(problem: &CutProblem) -> Result<CutChoice, Unsolved> {
    let (warehouses, lines) = (problem.fixed.len(), problem.wanted.len());
    if warehouses == 0 || lines == 0 {
        return Err(Unsolved::Empty);
    }
    check(problem)?;
    let supply = Supply::of(problem);
    if let Some(line) = (0..lines).find(|&line| !supply.suffices(line)) {
        return Err(Unsolved::Unserved(line));
    }
    if problem.shipments_max == 0 {
        return Err(Unsolved::TooFewShipments);
    }
    Search::new(&supply, problem.shipments_max.min(warehouses), problem.node_limit).run()
}

fn check(problem: &CutProblem) -> Result<(), Unsolved> {
    let (warehouses, lines) = (problem.fixed.len(), problem.wanted.len());
    let sized = warehouses <= CUT_SIDE_MAX && lines <= CUT_SIDE_MAX && warehouses * lines <= CUT_CELLS_MAX;
    if !sized || problem.free.len() != warehouses * lines || problem.unit_cost.len() != warehouses * lines {
        return Err(Unsolved::OutOfRange);
    }
    let costs_fit = problem.unit_cost.chunks_exact(warehouses).zip(problem.wanted).all(|(costs, &wanted)| {
        wanted > 0
            && costs.iter().all(|&cost| cost >= 0 && cost.checked_mul(wanted).is_some_and(|all| all < CUT_COST_END))
    });
    let in_range = problem.fixed.iter().all(|fixed| (0..CUT_COST_END).contains(fixed))
        && problem.free.iter().all(|&free| free >= 0)
        && problem.wanted.iter().all(|&wanted| wanted < CUT_COST_END);
    if costs_fit && in_range { Ok(()) } else { Err(Unsolved::OutOfRange) }
}

#[cfg(test)]
mod tests;
