//! Depth-first search over sets of warehouses, in their given order, with a lower bound at every step.

use super::{Choice, Problem, UNSERVABLE};

/// The state of one search. Rows of `least` hold, level by level, what each line costs at the best warehouse chosen so far.
pub(super) struct Search<'a> {
    problem: &'a Problem<'a>,
    lines: usize,
    set_max: usize,
    /// The problem's costs turned: a row a warehouse, which is how the search walks through them.
    turned: Vec<i64>,
    /// What each line costs at the best warehouse from here to the last; a row a warehouse, one more at the end.
    ahead: Vec<i64>,
    /// The cheapest fixed cost from here to the last.
    fixed_ahead: Vec<i64>,
    least: Vec<i64>,
    set: Vec<u32>,
    best: Option<(i64, Vec<u32>)>,
    nodes: u64,
    cut_short: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, set_max: usize) -> Self {
        let (warehouses, lines) = (problem.warehouses(), problem.lines());
        let mut turned = Vec::with_capacity(warehouses * lines);
        for warehouse in 0..warehouses {
            turned.extend((0..lines).map(|line| problem.row(line)[warehouse]));
        }
        let mut ahead = vec![UNSERVABLE; (warehouses + 1) * lines];
        let mut fixed_ahead = vec![UNSERVABLE; warehouses + 1];
        for warehouse in (0..warehouses).rev() {
            fixed_ahead[warehouse] = fixed_ahead[warehouse + 1].min(problem.fixed[warehouse]);
            let (here, next) = ahead[warehouse * lines..(warehouse + 2) * lines].split_at_mut(lines);
            for ((here, next), &cost) in here.iter_mut().zip(next).zip(&turned[warehouse * lines..]) {
                *here = cost.min(*next);
            }
        }
        Self {
            problem,
            lines,
            set_max,
            turned,
            ahead,
            fixed_ahead,
            least: vec![UNSERVABLE; (set_max + 1) * lines],
            set: Vec::with_capacity(set_max),
            best: None,
            nodes: 0,
            cut_short: false,
        }
    }

    /// `single` is the best choice of one warehouse, if there is any; `split_floor` bounds every choice of several.
    pub(super) fn run(mut self, single: Option<(u32, i64)>, split_floor: i64) -> Option<Choice> {
        self.best = single.map(|(warehouse, cost)| (cost, vec![warehouse]));
        self.improve_on_greedy();
        self.descend(0, 0, 0);
        let (cost, set) = self.best.take()?;
        let proven = !self.cut_short;
        Some(Choice {
            warehouse: self.assign(&set),
            cost,
            bound: if proven { cost } else { split_floor.min(cost) },
            proven,
        })
    }

    fn costs(&self, warehouse: usize) -> &[i64] {
        &self.turned[warehouse * self.lines..(warehouse + 1) * self.lines]
    }

    /// A first set, so that the bound bites early: again and again the warehouse that lowers the cost most, where a line
    /// that nobody serves yet counts more than any cost.
    fn improve_on_greedy(&mut self) {
        let (warehouses, lines) = (self.problem.warehouses(), self.lines);
        let mut least = vec![UNSERVABLE; lines];
        let mut set: Vec<u32> = Vec::with_capacity(self.set_max);
        let mut fixed = 0_i64;
        while set.len() < self.set_max {
            let mut chosen: Option<(usize, i64, usize)> = None;
            for warehouse in 0..warehouses {
                let (mut newly_served, mut change) = (0, self.problem.fixed[warehouse]);
                for (&cost, &old) in self.costs(warehouse).iter().zip(&least) {
                    if cost < old {
                        change += cost;
                        if old == UNSERVABLE {
                            newly_served += 1;
                        } else {
                            change -= old;
                        }
                    }
                }
                let better = chosen.is_none_or(|(served, least_change, _)| {
                    newly_served > served || (newly_served == served && change < least_change)
                });
                if better && (newly_served > 0 || change < 0) {
                    chosen = Some((newly_served, change, warehouse));
                }
            }
            let Some((_, _, warehouse)) = chosen else { break };
            fixed = fixed.saturating_add(self.problem.fixed[warehouse]);
            for (&cost, old) in self.costs(warehouse).iter().zip(&mut least) {
                *old = cost.min(*old);
            }
            set.push(warehouse as u32);
        }
        if let Some(cost) = total(fixed, &least) {
            set.sort_unstable();
            self.offer(cost, &set);
        }
    }

    /// Tries every warehouse from `from` as the next of the set.
    fn descend(&mut self, depth: usize, from: usize, fixed: i64) {
        for warehouse in from..self.problem.warehouses() {
            if self.nodes >= self.problem.node_limit {
                self.cut_short = true;
                return;
            }
            self.nodes += 1;
            if !self.may_improve(depth, warehouse, fixed) {
                return;
            }
            let (chosen, next) = self.least.split_at_mut((depth + 1) * self.lines);
            let chosen = &chosen[depth * self.lines..];
            let next = &mut next[..self.lines];
            let mut useful = false;
            let costs = &self.turned[warehouse * self.lines..(warehouse + 1) * self.lines];
            for ((next, &least), &cost) in next.iter_mut().zip(chosen).zip(costs) {
                useful |= cost < least;
                *next = cost.min(least);
            }
            if !useful {
                continue;
            }
            let fixed = fixed.saturating_add(self.problem.fixed[warehouse]);
            self.set.push(warehouse as u32);
            if let Some(cost) = total(fixed, &self.least[(depth + 1) * self.lines..(depth + 2) * self.lines]) {
                let set = std::mem::take(&mut self.set);
                self.offer(cost, &set);
                self.set = set;
            }
            if depth + 1 < self.set_max {
                self.descend(depth + 1, warehouse + 1, fixed);
            }
            self.set.pop();
        }
    }

    /// Whether a set that goes on with `from` or later can be better than the best: every line at its best chosen or coming
    /// warehouse, and one more fixed cost at the least.
    fn may_improve(&self, depth: usize, from: usize, fixed: i64) -> bool {
        let mut bound = fixed.saturating_add(self.fixed_ahead[from]);
        let chosen = &self.least[depth * self.lines..(depth + 1) * self.lines];
        for (&chosen, &ahead) in chosen.iter().zip(&self.ahead[from * self.lines..]) {
            let least = chosen.min(ahead);
            if least == UNSERVABLE {
                return false;
            }
            bound = bound.saturating_add(least);
        }
        match &self.best {
            None => true,
            Some((cost, set)) => bound < *cost || (bound == *cost && self.may_win_tie(from, set)),
        }
    }

    /// Whether an equal cost may still win: by fewer warehouses than the best, or by as many that come first.
    fn may_win_tie(&self, from: usize, best: &[u32]) -> bool {
        let least = self.set.len() + 1;
        least < best.len() || (least == best.len() && self.set.iter().chain([&(from as u32)]).lt(best))
    }

    fn offer(&mut self, cost: i64, set: &[u32]) {
        let better = match &self.best {
            None => true,
            Some((least, best)) => (cost, set.len(), set) < (*least, best.len(), best.as_slice()),
        };
        if better {
            self.best = Some((cost, set.to_vec()));
        }
    }

    /// The cheapest warehouse of the set for every line, the first among equals.
    fn assign(&self, set: &[u32]) -> Vec<u32> {
        (0..self.lines)
            .map(|line| {
                let row = self.problem.row(line);
                set.iter().copied().min_by_key(|&warehouse| row[warehouse as usize]).unwrap_or(0)
            })
            .collect()
    }
}

fn total(fixed: i64, least: &[i64]) -> Option<i64> {
    least.iter().try_fold(fixed, |sum, &cost| (cost != UNSERVABLE).then(|| sum.saturating_add(cost)))
}
