//! A lower bound by Lagrangian relaxation, improved by subgradient steps. Integers throughout.
//!
//! Every line has a value. A warehouse is worth what the lines' values exceed their costs there by, less its fixed cost; with
//! the best number of warehouses by that worth, values less worths are a bound under all choices of so many: a choice that
//! a line is served twice, or not at all, is allowed to it. A line served twice is then valued less, one not served more.

use super::columns::Columns;
use super::{COST_END, UNSERVABLE};

/// Steps without a better bound after which steps are halved.
const PATIENCE: u32 = 3;

/// Halvings after which steps are too small to matter.
const SHIFT_MAX: u32 = 8;

/// The highest value of a line: above any cost with any fixed cost, and all lines' together fit.
const VALUE_MAX: i64 = 4 * COST_END;

/// How many warehouses the choices in question use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) min: usize,
    pub(super) max: usize,
}

/// What a bound is for, and how much may be done for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) count: Count,
    /// A bound above this is high enough; [`UNSERVABLE`] where there is no such.
    pub(super) target: i64,
    pub(super) steps_max: u32,
}

/// The best values so far, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lagrange {
    pub(super) value: Vec<i64>,
    /// What each column costs beyond its worth: its fixed cost less the values above its costs.
    pub(super) reduced: Vec<i64>,
    /// What a choice costs at the least.
    pub(super) bound: i64,
    /// What a choice with a column costs more at the least is its reduced cost less this.
    pub(super) threshold: i64,
    /// The columns that make the bound.
    pub(super) chosen: Vec<u32>,
    excess: Vec<i64>,
}

impl Lagrange {
    /// The bound under choices that use this column.
    pub(super) fn bound_with(&self, column: usize) -> i64 {
        self.bound + (self.reduced[column] - self.threshold).max(0)
    }

    /// The most warehouses that a choice within a cost may use.
    pub(super) fn count_max(&self, cost_max: i64, count: Count) -> usize {
        let key = |column: &u32| (self.reduced[*column as usize], *column);
        let (mut fits, mut bound) = (self.chosen.len(), self.bound);
        let mut last = self.chosen.iter().map(key).max();
        while fits < count.max {
            // None of those not chosen has a reduced cost below zero, or there are as many as may be.
            let rest = (0..self.reduced.len() as u32)
                .map(|column| key(&column))
                .filter(|next| last.is_none_or(|last| *next > last));
            let Some(next) = rest.min() else { break };
            bound += next.0;
            if bound > cost_max {
                break;
            }
            fits += 1;
            last = Some(next);
        }
        fits
    }

    /// Works out everything from the values.
    pub(super) fn evaluate(&mut self, columns: &Columns, count: Count) {
        self.reduced.clear();
        self.reduced.extend_from_slice(&columns.fixed);
        for (line, &value) in self.value.iter().enumerate() {
            for (&cost, reduced) in columns.row(line).iter().zip(&mut self.reduced) {
                *reduced -= (value - cost).max(0);
            }
        }
        self.choose(count);
        // Far below zero there is no difference any more.
        let worth = |bound: i64, &column: &u32| bound.saturating_add(self.reduced[column as usize]);
        self.bound = self.chosen.iter().fold(self.value.iter().sum(), worth);
    }

    /// The columns of negative reduced cost, and as many as it takes or fits.
    fn choose(&mut self, count: Count) {
        let reduced = &self.reduced;
        self.chosen.clear();
        self.chosen.extend((0..).zip(reduced).filter(|&(_, &cost)| cost < 0).map(|(column, _)| column));
        let key = |&column: &u32| (reduced[column as usize], column);
        self.threshold = 0;
        if self.chosen.len() > count.max {
            self.chosen.sort_unstable_by_key(key);
            self.chosen.truncate(count.max);
        }
        while self.chosen.len() < count.min.min(reduced.len()) {
            // Rarely more than a few are missing.
            let next = (0..reduced.len() as u32).filter(|column| !self.chosen.contains(column)).min_by_key(key);
            self.chosen.extend(next);
        }
        if let Some(dearest) = self.chosen.iter().map(|&column| reduced[column as usize]).max()
            && (dearest > 0 || self.chosen.len() == count.max)
        {
            self.threshold = dearest;
        }
    }

    /// Steps towards higher bounds until one is above the target, no step helps, or there were enough. Returns how many
    /// it took.
    pub(super) fn improve(&mut self, trial: &mut Self, columns: &Columns, cap: &[i64], aim: Aim) -> u32 {
        self.evaluate(columns, aim.count);
        trial.clone_from(self);
        let (mut shift, mut failures, mut steps) = (0, 0, 0);
        while steps < aim.steps_max && self.bound <= aim.target && shift < SHIFT_MAX {
            let norm = trial.note_excess(columns, cap);
            let far = if aim.target >= UNSERVABLE { trial.bound / 4 } else { aim.target.saturating_sub(trial.bound) };
            if norm == 0 || far >> shift < norm {
                break;
            }
            let step = (far >> shift) / norm;
            for ((value, &excess), &cap) in trial.value.iter_mut().zip(&trial.excess).zip(cap) {
                *value = value.saturating_sub(step * excess).clamp(0, cap.min(VALUE_MAX));
            }
            trial.evaluate(columns, aim.count);
            steps += 1;
            if trial.bound > self.bound {
                self.clone_from(trial);
                failures = 0;
            } else if failures < PATIENCE {
                failures += 1;
            } else {
                failures = 0;
                shift += 1;
                trial.clone_from(self);
            }
        }
        steps
    }

    /// How many times too often each line is served by the columns chosen; the sum of the squares.
    fn note_excess(&mut self, columns: &Columns, cap: &[i64]) -> i64 {
        let mut norm = 0;
        self.excess.clear();
        for (line, (&value, &cap)) in self.value.iter().zip(cap).enumerate() {
            let row = columns.row(line);
            let serving = self.chosen.iter().filter(|&&column| row[column as usize] < value).count() as i64;
            // At its cap a line is served by what is used already.
            let excess = if value >= cap.min(VALUE_MAX) { serving.max(1) - 1 } else { serving - 1 };
            norm += excess * excess;
            self.excess.push(excess);
        }
        norm
    }
}
