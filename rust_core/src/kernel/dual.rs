//! A lower bound by dual ascent, after Erlenkotter's DUALOC.
//!
//! A line pays `value`. What it pays above its cost at a warehouse goes towards that warehouse's fixed cost, and no
//! warehouse may get more than that: then no choice costs less than the sum of the values. `slack` is what a warehouse
//! still lacks; a choice that uses it costs at least the bound and that.

use super::UNSERVABLE;
use super::columns::Columns;

/// Prices that lines pay, and what is left of the fixed costs.
#[derive(Debug, Default, Clone)]
pub(super) struct Dual {
    pub(super) value: Vec<i64>,
    pub(super) slack: Vec<i64>,
    /// A line without a cap is served by none of the columns.
    pub(super) hopeless: bool,
}

impl Dual {
    /// Starts where no line pays more than its least cost. Every fixed cost counts `discount` less.
    pub(super) fn start(&mut self, columns: &Columns, discount: i64) {
        self.hopeless = false;
        self.value.clear();
        self.value.extend((0..columns.lines).map(|line| columns.row(line).iter().copied().min().unwrap_or(UNSERVABLE)));
        self.slack.clear();
        self.slack.extend(columns.fixed.iter().map(|fixed| fixed - discount));
    }

    /// The bound, but for what is fixed already.
    pub(super) fn sum(&self) -> i64 {
        self.value.iter().sum()
    }

    /// Raises the lines' values, each a part (`1 / 2^shift`) of the way to where it is stopped: by a warehouse that has
    /// nothing left to pay, or by its cap. Tells whether any rose.
    pub(super) fn ascend(&mut self, columns: &Columns, cap: &[i64], shift: u32) -> bool {
        let mut rose = false;
        for line in 0..columns.lines {
            rose |= self.ascend_line(columns.row(line), line, cap[line], shift);
        }
        rose
    }

    pub(super) fn ascend_line(&mut self, row: &[i64], line: usize, cap: i64, shift: u32) -> bool {
        let from = self.value[line];
        if from >= cap {
            return false;
        }
        let mut stop = cap;
        for (&cost, &slack) in row.iter().zip(&self.slack) {
            stop = stop.min(cost.max(from) + slack);
        }
        let to = from + ((stop - from) >> shift);
        if to <= from {
            return false;
        }
        if stop >= UNSERVABLE {
            self.hopeless = true;
            return false;
        }
        for (&cost, slack) in row.iter().zip(&mut self.slack) {
            *slack -= (to - cost.max(from)).max(0);
        }
        self.value[line] = to;
        true
    }

    /// Lowers a line's value to at most `to`, and gives back what was paid above it.
    pub(super) fn lower(&mut self, row: &[i64], line: usize, to: i64) {
        let from = self.value[line];
        if from <= to {
            return;
        }
        for (&cost, slack) in row.iter().zip(&mut self.slack) {
            *slack += (from - cost.max(to)).max(0);
        }
        self.value[line] = to;
    }
}
