//! The single-order kernel: which warehouses serve which lines at the least cost. Numbers in, numbers out.
//!
//! The problem is uncapacitated facility location: a fixed cost for every warehouse used and a cost for every line at the
//! warehouse that serves it. One line is a minimum; one warehouse is a scan; what is left is a bounded search.

mod search;

use search::Search;

/// Marks a line that a warehouse cannot serve.
pub const UNSERVABLE: i64 = i64::MAX;

/// Warehouse sets that the search looks at before it settles for the best it has, however few the lines. Measured at
/// about 20 ns a set of three lines.
pub const NODE_LIMIT: u64 = 50_000;

/// Sets times lines that it looks at: about a millisecond, however many the lines.
const WORK_LIMIT: u64 = 1_000_000;

/// The node limit for a problem of so many lines: a bound on the time.
#[must_use]
pub const fn node_limit(lines: usize) -> u64 {
    let nodes = WORK_LIMIT / if lines == 0 { 1 } else { lines as u64 };
    if nodes < NODE_LIMIT { nodes } else { NODE_LIMIT }
}

/// One order over its candidate warehouses. Costs are not negative and far enough below `i64::MAX` to be summed.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Cost of using each warehouse.
    pub fixed: &'a [i64],
    /// Cost of each line at each warehouse, a row a line; [`UNSERVABLE`] where it cannot be served.
    pub cost: &'a [i64],
    /// Warehouses that may be used at the most.
    pub shipments_max: usize,
    /// Warehouse sets to look at, at the most.
    pub node_limit: u64,
}

impl Problem<'_> {
    fn warehouses(&self) -> usize {
        self.fixed.len()
    }

    fn lines(&self) -> usize {
        self.cost.len().checked_div(self.fixed.len()).unwrap_or(0)
    }

    fn row(&self, line: usize) -> &[i64] {
        let width = self.warehouses();
        &self.cost[line * width..(line + 1) * width]
    }
}

/// A choice of warehouse for every line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The warehouse of each line.
    pub warehouse: Vec<u32>,
    /// What it costs.
    pub cost: i64,
    /// No choice costs less than this.
    pub bound: i64,
    /// Whether the choice is known to be the cheapest: then `bound == cost`.
    pub proven: bool,
}

/// The cheapest choice. Among equals the one with fewer warehouses wins, then the one whose warehouses come first.
/// `None` when none exists, or none was found within the node limit; one warehouse that serves every line always is.
#[must_use]
pub fn solve(problem: &Problem) -> Option<Choice> {
    let (warehouses, lines) = (problem.warehouses(), problem.lines());
    if warehouses == 0 || lines == 0 || problem.shipments_max == 0 {
        return None;
    }
    let mut floor = 0;
    for line in 0..lines {
        match problem.row(line).iter().min() {
            Some(&least) if least != UNSERVABLE => floor += least,
            _ => return None,
        }
    }
    let single = best_single(problem);
    let sets_max = problem.shipments_max.min(lines).min(warehouses);
    let split_floor = floor.saturating_add(two_least(problem.fixed));
    if let Some((warehouse, cost)) = single
        && (sets_max == 1 || cost <= split_floor)
    {
        return Some(Choice { warehouse: vec![warehouse; lines], cost, bound: cost, proven: true });
    }
    if sets_max == 1 {
        return None;
    }
    Search::new(problem, sets_max).run(single, split_floor)
}

/// The warehouse that serves every line at the least cost, and that cost.
fn best_single(problem: &Problem) -> Option<(u32, i64)> {
    let mut best: Option<(u32, i64)> = None;
    for (warehouse, &fixed) in (0_u32..).zip(problem.fixed) {
        let mut cost = fixed;
        for line in 0..problem.lines() {
            cost = match problem.row(line)[warehouse as usize] {
                UNSERVABLE => UNSERVABLE,
                more => cost.saturating_add(more),
            };
            if cost == UNSERVABLE {
                break;
            }
        }
        if cost != UNSERVABLE && best.is_none_or(|(_, least)| cost < least) {
            best = Some((warehouse, cost));
        }
    }
    best
}

fn two_least(costs: &[i64]) -> i64 {
    let (mut first, mut second) = (i64::MAX, i64::MAX);
    for &cost in costs {
        if cost < first {
            (first, second) = (cost, first);
        } else if cost < second {
            second = cost;
        }
    }
    first.saturating_add(second)
}

#[cfg(test)]
mod tests;
