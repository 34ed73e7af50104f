//! Orders of many lines, by the kernel.

use super::super::network::UNSERVED;
use super::{Menu, Solved};
use crate::kernel::{Problem, UNSERVABLE};

impl Menu {
    /// By the kernel: a column a warehouse, the last one for what is not served.
    pub(super) fn solve_many(&mut self, open: &[i64]) -> Solved {
        self.group();
        // Not served is a warehouse to the kernel: one more, that no bound is too high.
        let first = self.solve_dense(open, self.shipments_max.saturating_add(1));
        if self.shipments() <= self.shipments_max {
            return first;
        }
        Solved { bound: first.bound, ..self.solve_dense(open, self.shipments_max) }
    }

    fn solve_dense(&mut self, open: &[i64], shipments_max: usize) -> Solved {
        let (lines, width) = (self.unserved.len(), self.groups.len() + 1);
        self.dense_fixed.clear();
        self.dense_fixed
            .extend(self.groups.iter().map(|group| open[group.warehouse as usize].clamp(0, UNSERVABLE >> 13)));
        self.dense_fixed.push(self.unserved_fixed);
        self.dense.clear();
        self.dense.resize(lines * width, UNSERVABLE);
        for line in 0..lines {
            let row = &mut self.dense[line * width..(line + 1) * width];
            let end = self.start.get(line + 1).map_or(self.offers.len(), |&end| end as usize);
            for offer in &self.offers[self.start[line] as usize..end] {
                row[self.place[offer.warehouse as usize].1 as usize] = offer.cost.max(0);
            }
            row[width - 1] = self.unserved[line];
        }
        let problem = Problem { fixed: &self.dense_fixed, cost: &self.dense, shipments_max, node_limit: None };
        self.chosen.clear();
        self.chosen.resize(lines, UNSERVED);
        let Ok(found) = self.kernel.solve(&problem) else {
            // It always finds something; if not, then serving nothing is something, and nothing is a bound.
            return Solved { value: self.unserved_fixed + self.unserved.iter().sum::<i64>(), bound: 0 };
        };
        for line in 0..lines {
            let column = self.kernel.warehouse()[line] as usize;
            if column + 1 < width {
                let warehouse = self.groups[column].warehouse;
                let offer = self.options(line).iter().find(|offer| offer.warehouse == warehouse);
                self.chosen[line] = offer.map_or(UNSERVED, |offer| offer.cell);
            }
        }
        Solved { value: found.cost, bound: found.bound }
    }

    /// Warehouses of the choice.
    fn shipments(&self) -> usize {
        let mut used: Vec<u32> = self
            .chosen
            .iter()
            .enumerate()
            .filter_map(|(line, &cell)| {
                self.options(line).iter().find(|offer| offer.cell == cell).map(|offer| offer.warehouse)
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        used.len()
    }
}
