//! Depth-first search over sets of warehouses, with a dual bound at every node.
//!
//! A node is a set of warehouses that are used, and columns of others that may be. Again and again one of those that serve
//! the scarcest unserved line is taken: first the sets with it are searched, a level deeper, then it is struck off.

use super::columns::{Columns, retain};
use super::lagrange::{Aim, Count, Lagrange};
use super::pairs::{Pairs, Used};
use super::workspace::Best;
use super::{COST_END, UNSERVABLE};

/// Cells of all levels together, at the most: what the search may keep in memory.
const CELLS_KEPT_MAX: usize = 1 << 23;

/// Steps towards a higher bound at one node, at the most.
const STEPS_MAX: u32 = 8;

/// What serving an unserved line is worth: more than any cost.
const SERVED: i64 = 2 * COST_END;

/// What remains in question at one depth.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) columns: Columns,
    pub(super) lagrange: Lagrange,
    /// What each line costs at the best warehouse used so far.
    current: Vec<i64>,
    /// Lines that none of those used serves.
    unserved: usize,
    /// Fixed costs of those used.
    fixed: i64,
    kept: Vec<u32>,
    gain: Vec<i64>,
}

impl Level {
    /// Nothing used yet.
    pub(super) fn start(&mut self) {
        self.unserved = self.columns.lines;
        self.current.clear();
        self.current.resize(self.unserved, UNSERVABLE);
        self.fixed = 0;
    }

    /// The most unserved lines that one column serves; 0 where one of them is served by none.
    fn served_max(&mut self) -> usize {
        let served = &mut self.kept;
        served.clear();
        served.resize(self.columns.width(), 0);
        for line in 0..self.columns.lines {
            if self.current[line] == UNSERVABLE {
                let mut any = 0;
                for (served, &cost) in served.iter_mut().zip(self.columns.row(line)) {
                    let serves = u32::from(cost < UNSERVABLE);
                    *served += serves;
                    any |= serves;
                }
                if any == 0 {
                    return 0;
                }
            }
        }
        served.iter().copied().max().unwrap_or(0) as usize
    }

    /// Leaves only columns that pass.
    fn retain(&mut self, pass: impl Fn(usize, &Lagrange) -> bool) {
        self.kept.clear();
        self.kept.extend((0..self.columns.width() as u32).filter(|&column| pass(column as usize, &self.lagrange)));
        if self.kept.len() < self.columns.width() {
            self.columns.retain(&self.kept);
            retain(&mut self.lagrange.reduced, &self.kept);
        }
    }

    /// The column to branch on: of those that serve the scarcest unserved line the one with the least reduced.
    fn pick(&self) -> Option<usize> {
        let reduced = &self.lagrange.reduced;
        let mut scarcest: Option<(usize, usize)> = None;
        for line in (0..self.columns.lines).filter(|&line| self.current[line] == UNSERVABLE) {
            let servers = self.columns.row(line).iter().filter(|&&cost| cost < UNSERVABLE).count();
            if scarcest.is_none_or(|(least, _)| servers < least) {
                scarcest = Some((servers, line));
            }
        }
        match scarcest {
            Some((_, line)) => {
                let row = self.columns.row(line);
                (0..row.len())
                    .filter(|&column| row[column] < UNSERVABLE)
                    .min_by_key(|&column| (reduced[column], row[column]))
            }
            None => (0..reduced.len()).min_by_key(|&column| reduced[column]),
        }
    }
}

/// One search; its first level was made by the caller.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) levels: &'a mut Vec<Level>,
    pub(super) set: &'a mut Vec<u32>,
    pub(super) best: &'a mut Best,
    /// Warehouses of a set that is of interest.
    pub(super) set_min: usize,
    pub(super) set_max: usize,
    pub(super) trial: &'a mut Lagrange,
    pub(super) pairs: &'a mut Pairs,
    /// Nothing that can be chosen costs more.
    pub(super) cost_max: i64,
    /// Looks for the first set that costs as little as the best has as many warehouses, not for a cheaper one.
    pub(super) first: bool,
    pub(super) nodes_left: u64,
    pub(super) work_left: u64,
    /// The least bound of what was left unsearched.
    pub(super) open_bound: i64,
    /// The cost of the last set that was passed over because it costs no less than the best.
    pub(super) tied_at: i64,
    pub(super) cells_kept: usize,
    pub(super) done: bool,
}

impl Search<'_> {
    /// Searches all sets of these columns.
    pub(super) fn begin(&mut self, columns: &Columns, lagrange: &Lagrange) {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let level = &mut self.levels[0];
        level.columns.clone_from(columns);
        level.lagrange.clone_from(lagrange);
        level.start();
        self.set.clear();
        self.explore(0, self.set_max);
    }

    /// Whether no set of this bound and size is of interest.
    fn excludes(&mut self, bound: i64, count_min: usize) -> bool {
        if self.best.cost == UNSERVABLE {
            return bound > self.cost_max;
        }
        if bound != self.best.cost {
            return bound > self.best.cost;
        }
        if self.first || count_min < self.best.set.len() {
            return false;
        }
        if count_min == self.best.set.len() {
            self.tied_at = bound;
        }
        true
    }

    /// Searches all sets that use those used so far, up to `set_max` in all.
    fn explore(&mut self, depth: usize, mut set_max: usize) {
        loop {
            let level = &mut self.levels[depth];
            let more_min = match level.unserved {
                0 => 1,
                unserved => match level.served_max() {
                    0 => return,
                    served_max => unserved.div_ceil(served_max),
                },
            };
            let count_min = depth + more_min;
            if count_min > set_max {
                return;
            }
            let count = Count { min: count_min.max(self.set_min) - depth, max: set_max - depth };
            let target = self.best.cost - level.fixed;
            let steps_max = if count.max <= 2 { 0 } else { STEPS_MAX };
            let aim = Aim { count, target, steps_max };
            let steps = level.lagrange.improve(self.trial, &level.columns, &level.current, aim);
            self.work_left = self.work_left.saturating_sub(level.columns.cost.len() as u64 * u64::from(steps + 2));
            let bound = level.fixed + level.lagrange.bound;
            if self.excludes(bound, count_min) {
                return;
            }
            if self.nodes_left == 0 || self.work_left == 0 {
                self.open_bound = self.open_bound.min(bound);
                return;
            }
            self.nodes_left -= 1;
            let level = &mut self.levels[depth];
            set_max = set_max.min(depth + level.lagrange.count_max(target, count));
            // Whoever costs too much now will do so in every set from here on.
            level.retain(|column, lagrange| lagrange.bound_with(column) <= target);
            if set_max <= depth + 2 && self.end(depth, set_max - depth) {
                return;
            }
            let level = &self.levels[depth];
            let pick = if self.first { (!level.columns.id.is_empty()).then_some(0) } else { level.pick() };
            let Some(pick) = pick else { return };
            self.take(depth, pick, set_max);
            if self.done {
                return;
            }
            self.levels[depth].retain(|column, _| column != pick);
        }
    }

    /// Looks at all sets that use one or two more columns; `false` when there are too many.
    fn end(&mut self, depth: usize, more_max: usize) -> bool {
        let level = &self.levels[depth];
        let used = Used { set: self.set, fixed: level.fixed, current: &level.current };
        let looked = self.pairs.offer_all(&level.columns, &level.lagrange, used, more_max, self.best);
        let width = level.columns.width();
        self.work_left = self.work_left.saturating_sub((width * (width + level.columns.lines)) as u64);
        self.done = looked.at_all && looked.found && self.first;
        looked.at_all
    }

    /// Searches the sets that use one more column.
    fn take(&mut self, depth: usize, pick: usize, set_max: usize) {
        if self.levels.len() <= depth + 1 {
            self.levels.push(Level::default());
        }
        let (above, below) = self.levels.split_at_mut(depth + 1);
        let (above, below) = (&above[depth], &mut below[0]);
        self.work_left = self.work_left.saturating_sub(2 * above.columns.cost.len() as u64);
        self.set.push(above.columns.id[pick]);
        below.fixed = above.fixed + above.columns.fixed[pick];
        below.current.clear();
        below.current.extend(above.current.iter().zip(above.columns.column(pick)).map(|(&now, &cost)| now.min(cost)));
        below.unserved = below.current.iter().filter(|&&cost| cost == UNSERVABLE).count();
        if below.unserved == 0 {
            let cost = below.fixed + below.current.iter().sum::<i64>();
            self.done = self.first && cost == self.best.cost;
            self.best.offer(cost, self.set);
        }
        if depth + 1 < set_max && !self.done {
            self.descend(depth, set_max);
        }
        self.set.pop();
    }

    /// Makes the next level of what may still join the set, and searches it.
    fn descend(&mut self, depth: usize, set_max: usize) {
        let (above, below) = self.levels.split_at_mut(depth + 1);
        let (above, below) = (&above[depth], &mut below[0]);
        below.lagrange.value.clear();
        below
            .lagrange
            .value
            .extend(above.lagrange.value.iter().zip(&below.current).map(|(&value, &cap)| value.min(cap)));
        below.gain.clear();
        below.gain.extend(above.columns.fixed.iter().map(|fixed| -fixed));
        for (line, &current) in below.current.iter().enumerate() {
            let worth = current.min(SERVED);
            for (&cost, gain) in above.columns.row(line).iter().zip(&mut below.gain) {
                *gain += (worth - cost).max(0);
            }
        }
        below.kept.clear();
        // The one just taken gains nothing more.
        below.kept.extend((0..).zip(&below.gain).filter(|&(_, &gain)| gain > 0).map(|(column, _)| column));
        below.columns.take(&above.columns, &below.kept);
        let cells = below.columns.cost.len();
        if self.cells_kept + cells > CELLS_KEPT_MAX {
            self.open_bound = self.open_bound.min(above.fixed + above.lagrange.bound);
        } else if cells > 0 {
            self.cells_kept += cells;
            self.explore(depth + 1, set_max);
            self.cells_kept -= cells;
        }
    }
}
