//! The warehouses that are still in question, as a matrix that every stage walks through: a row a line, the scarcest first.

use super::{Problem, UNSERVABLE};

/// Keeps the values at these places, which are in order.
pub(super) fn retain<T: Copy>(values: &mut Vec<T>, kept: &[u32]) {
    for (to, &from) in kept.iter().enumerate() {
        values[to] = values[from as usize];
    }
    values.truncate(kept.len());
}

/// Costs of lines at warehouses. Rows are in an order of their own, kept by whoever made the first; columns are in the
/// problem's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    pub(super) lines: usize,
    /// Number of each warehouse in the problem.
    pub(super) id: Vec<u32>,
    /// What each costs once it is used.
    pub(super) fixed: Vec<i64>,
    /// A row a line, [`UNSERVABLE`] where it is not served.
    pub(super) cost: Vec<i64>,
}

impl Columns {
    pub(super) fn width(&self) -> usize {
        self.id.len()
    }

    pub(super) fn row(&self, line: usize) -> &[i64] {
        let width = self.width();
        &self.cost[line * width..(line + 1) * width]
    }

    /// All warehouses of a problem, its lines in this order.
    pub(super) fn load(&mut self, problem: &Problem, order: &[u32]) {
        self.lines = order.len();
        self.id.clear();
        self.id.extend(0..problem.warehouses() as u32);
        self.fixed.clear();
        self.fixed.extend_from_slice(problem.fixed);
        self.cost.clear();
        for &line in order {
            self.cost.extend_from_slice(problem.row(line as usize));
        }
    }

    /// Those columns of `from` that are worth keeping.
    pub(super) fn take(&mut self, from: &Self, kept: &[u32]) {
        self.lines = from.lines;
        self.id.clear();
        self.id.extend(kept.iter().map(|&column| from.id[column as usize]));
        self.fixed.clear();
        self.fixed.extend(kept.iter().map(|&column| from.fixed[column as usize]));
        self.cost.clear();
        for line in 0..from.lines {
            let row = from.row(line);
            self.cost.extend(kept.iter().map(|&column| row[column as usize]));
        }
    }

    /// What each line costs at one warehouse.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = &i64> {
        self.cost[column..].iter().step_by(self.width())
    }

    /// Strikes all columns but these, which are in order.
    pub(super) fn retain(&mut self, kept: &[u32]) {
        let width = self.width();
        let mut to = 0;
        for line in 0..self.lines {
            for &column in kept {
                self.cost[to] = self.cost[line * width + column as usize];
                to += 1;
            }
        }
        self.cost.truncate(to);
        retain(&mut self.fixed, kept);
        retain(&mut self.id, kept);
    }

    /// What a set of columns costs, each line at its cheapest; [`UNSERVABLE`] or more where a line is served by none.
    pub(super) fn cost_of(&self, set: &[u32]) -> i64 {
        let mut cost: i64 = set.iter().map(|&column| self.fixed[column as usize]).sum();
        for line in 0..self.lines {
            let row = self.row(line);
            cost += set.iter().map(|&column| row[column as usize]).min().unwrap_or(UNSERVABLE);
            if cost >= UNSERVABLE {
                return UNSERVABLE;
            }
        }
        cost
    }
}
