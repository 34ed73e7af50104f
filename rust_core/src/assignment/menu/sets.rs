//! Orders of three to eight lines: every set of lines at its cheapest warehouse, and the cheapest way to part all lines into
//! such sets.

use super::super::network::UNSERVED;
use super::{Menu, NOBODY, SETS, Solved};
use crate::kernel::UNSERVABLE;

impl Menu {
    /// The least of every set of lines at one warehouse: `best`.
    fn price_sets(&mut self, open: &[i64]) {
        self.best[..1 << self.unserved.len()].fill((UNSERVABLE, NOBODY));
        let sets = &mut self.sets;
        for (number, group) in self.groups.iter().enumerate() {
            sets[0] = (0, open[group.warehouse as usize]);
            let mut count = 1;
            for place in 0..group.lines {
                let (bit, cost) = (1 << group.line[place], group.cost[place]);
                for at in 0..count {
                    let (set, sum) = (sets[at].0 | bit, sets[at].1 + cost);
                    sets[count + at] = (set, sum);
                    if sum < self.best[set].0 {
                        self.best[set] = (sum, number as u32);
                    }
                }
                count *= 2;
            }
        }
    }

    /// What it costs not to serve each set.
    fn unserved_sets(&self) -> [i64; SETS] {
        let mut sums = [0; SETS];
        for set in 1_usize..1 << self.unserved.len() {
            sums[set] = sums[set & (set - 1)] + self.unserved[set.trailing_zeros() as usize];
        }
        for sum in &mut sums[1..1 << self.unserved.len()] {
            *sum += self.unserved_fixed;
        }
        sums
    }

    pub(super) fn solve_sets(&mut self, open: &[i64]) -> Solved {
        self.group();
        self.price_sets(open);
        self.chosen.resize(self.unserved.len(), UNSERVED);
        let value = if self.shipments_max >= self.unserved.len() { self.part() } else { self.part_into_few() };
        Solved { value, bound: value }
    }

    /// The cheapest way to part the lines into any number of parts: each for itself, less what parts of several save.
    fn part(&mut self) -> i64 {
        let lines = self.unserved.len();
        let all = (1 << lines) - 1;
        let mut worth_it = 0;
        for (line, &unserved) in self.unserved.iter().enumerate() {
            let single = &mut self.best[1 << line];
            if self.unserved_fixed + unserved < single.0 {
                *single = (self.unserved_fixed + unserved, NOBODY);
            }
            worth_it += (single.0 - unserved).max(0);
        }
        // Leaving several unserved pays only where what each would save makes up for what is paid once.
        if worth_it > self.unserved_fixed {
            for (set, unserved) in self.unserved_sets().into_iter().enumerate().take(all + 1).skip(1) {
                if unserved < self.best[set].0 {
                    self.best[set] = (unserved, NOBODY);
                }
            }
        }
        self.parts.iter_mut().for_each(Vec::clear);
        let mut apart = [0; SETS];
        for set in 1..=all {
            apart[set] = apart[set & (set - 1)] + self.best[set & set.wrapping_neg()].0;
            if self.best[set].0 < apart[set] {
                self.parts[set.trailing_zeros() as usize].push((set, apart[set] - self.best[set].0));
            }
        }
        self.saved[0] = (0, 0);
        for set in 1..=all {
            let first = set & set.wrapping_neg();
            let mut most = (self.saved[set ^ first].0, first);
            for &(part, saved) in &self.parts[set.trailing_zeros() as usize] {
                if part & !set == 0 && saved + self.saved[set ^ part].0 > most.0 {
                    most = (saved + self.saved[set ^ part].0, part);
                }
            }
            self.saved[set] = most;
        }
        let mut set = all;
        while set != 0 {
            let part = self.saved[set].1;
            self.choose(part);
            set ^= part;
        }
        apart[all] - self.saved[all].0
    }

    /// Writes down the warehouse of a part.
    fn choose(&mut self, part: usize) {
        if let Some(group) = self.groups.get(self.best[part].1 as usize) {
            for place in 0..group.lines {
                let line = usize::from(group.line[place]);
                if part >> line & 1 == 1 {
                    self.chosen[line] = group.cell[place];
                }
            }
        }
    }

    /// The cheapest way into as few parts as there may be shipments, and one for what is not served.
    fn part_into_few(&mut self) -> i64 {
        let all = (1 << self.unserved.len()) - 1;
        let layers = self.shipments_max;
        self.total.resize(layers.max(self.total.len()), [(UNSERVABLE, 0); SETS]);
        for layer in 0..layers {
            self.add_shipment(layer, all);
        }
        let mut best = (UNSERVABLE, 0);
        for (set, &unserved) in self.unserved_sets().iter().enumerate().take(all + 1) {
            let rest = all ^ set;
            let served = if rest == 0 { 0 } else { self.total[layers - 1][rest].0 };
            if unserved + served < best.0 {
                best = (unserved + served, set);
            }
        }
        let mut set = all ^ best.1;
        for layer in (0..layers).rev() {
            if set == 0 {
                break;
            }
            let part = self.total[layer][set].1 as usize;
            self.choose(part);
            set ^= part;
        }
        best.0
    }

    /// The cheapest way to part each set into one part more at the most than the layer before.
    fn add_shipment(&mut self, layer: usize, all: usize) {
        let before = if layer == 0 { [(UNSERVABLE, 0); SETS] } else { self.total[layer - 1] };
        let served = |set: usize| if set == 0 { 0 } else { before[set].0 };
        for set in 1..=all {
            let first = set & set.wrapping_neg();
            let rest = set ^ first;
            let (mut least, mut more) = ((UNSERVABLE, 0), rest);
            loop {
                let part = more | first;
                let cost = self.best[part].0 + served(set ^ part);
                if cost < least.0 {
                    least = (cost, part as u32);
                }
                if more == 0 {
                    break;
                }
                more = (more - 1) & rest;
            }
            self.total[layer][set] = least;
        }
    }
}
