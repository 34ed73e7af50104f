//! The single-order kernel: which warehouses serve which lines at the least cost. Numbers in, numbers out.
//!
//! The problem is uncapacitated facility location: a fixed cost for every warehouse used and a cost for every line at the
//! warehouse that serves it. Easy orders end early: one line is a minimum, two or three lines have few ways to be parted,
//! one warehouse is often proven by a floor under all splits. What is left gets a lower bound by
//! `lagrange`, every pair of warehouses that the bound lets through (`pairs`), a `greedy` set, and a depth-first `search`
//! of three and more. Lines that must be cut are another problem: [`cut`].

mod columns;
pub mod cut;
mod few_lines;
mod greedy;
mod lagrange;
mod pairs;
mod search;
mod workspace;

use std::cell::{Cell, RefCell};

pub use workspace::Kernel;

/// Marks a line that a warehouse cannot serve.
pub const UNSERVABLE: i64 = 1 << 60;

/// Any cost that a problem may hold is below this; sums over [`LINES_MAX`] lines then stay below [`UNSERVABLE`], and sums
/// of a few sums within an `i64`.
pub const COST_END: i64 = 1 << 48;

/// Lines of one problem, at the most.
pub const LINES_MAX: usize = 1 << 11;

/// Lines times warehouses of one problem, at the most.
pub const CELLS_MAX: usize = 1 << 22;

/// One order over its candidate warehouses.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Cost of using each warehouse, from 0 to less than [`COST_END`].
    pub fixed: &'a [i64],
    /// Cost of each line at each warehouse, likewise, a row a line; [`UNSERVABLE`] where it cannot be served.
    pub cost: &'a [i64],
    /// Warehouses that may be used at the most.
    pub shipments_max: usize,
    /// Nodes of the search, at the most; `None` for as many as take some milliseconds.
    pub node_limit: Option<u64>,
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

/// What was found; the warehouses are in the [`Kernel`] that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the choice costs.
    pub cost: i64,
    /// No choice costs less than this.
    pub bound: i64,
    /// Whether the search came to its end: then `bound == cost`, and the choice is the first among equals. A search that
    /// was cut short may have `bound == cost` as well, with the choice among equals unsettled.
    pub proven: bool,
    /// Nodes that were searched: the same on every machine, as a clock is not.
    pub nodes: u64,
}

/// Why there is no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsolved {
    /// A cost is out of range, the lengths do not fit, or there is more than the bounds of this module allow.
    OutOfRange,
    /// No warehouse, or no line.
    Empty,
    /// No warehouse serves this line; further lines may be as bad.
    Unserved(usize),
    /// As few warehouses as allowed cannot serve all lines: that is proven.
    TooFewShipments,
    /// None was found before the node limit; there may be one. Only where `shipments_max` binds.
    NotFound,
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
    /// Whether the choice is known to be the cheapest, and the first among equals: then `bound == cost`.
    pub proven: bool,
}

thread_local! {
    static KERNEL: RefCell<Kernel> = RefCell::default();
    static WORK: Cell<u64> = const { Cell::new(0) };
}

/// Cells that searches of this thread have walked over, ever, or what takes as long; a million take some two milliseconds. What needs no search
/// is not counted.
#[must_use]
pub fn work_done() -> u64 {
    WORK.get()
}

pub(crate) fn count_work(cells: u64) {
    WORK.set(WORK.get().wrapping_add(cells));
}

/// The cheapest choice, by this thread's own [`Kernel`]. `None` when none exists, or none was found within the node limit.
#[must_use]
pub fn solve(problem: &Problem) -> Option<Choice> {
    KERNEL.with_borrow_mut(|kernel| {
        let Found { cost, bound, proven, .. } = kernel.solve(problem).ok()?;
        Some(Choice { warehouse: kernel.warehouse().to_vec(), cost, bound, proven })
    })
}

#[cfg(test)]
mod tests;
