//! The assignment as it stands: where each line is, what is left of every cell, what all costs. A change is done whole, if
//! it fits and pays, or not at all.

use rustc_hash::FxHashMap;

use super::network::{Network, SPLIT, UNSERVED};

/// Parts of one line: cells (or [`UNSERVED`]) and units.
pub(super) type Parts = Vec<(u32, i64)>;

/// Lines and where they go.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// To a cell, or [`UNSERVED`].
    pub(super) whole: Vec<(u32, u32)>,
    pub(super) split: Vec<(u32, Parts)>,
}

/// Whether a change must make all cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Must {
    Fit,
    Pay,
}

/// Where each line is, and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Books<'a> {
    pub(super) network: &'a Network,
    pub(super) choice: Vec<u32>,
    pub(super) split: FxHashMap<u32, Parts>,
    /// Units of each cell that nobody has; below 0 where a channel takes so many of its shared cell.
    left: Vec<i64>,
    /// Orders that may yet use each warehouse; empty where there is no limit.
    pub(super) places: Vec<i64>,
    /// In finer units, frozen lines left out.
    pub(super) cost: i128,
    /// When something of each SKU moved last.
    pub(super) changed: Vec<u32>,
    pub(super) now: u32,
    seen: Vec<u32>,
    orders: Vec<u32>,
    undo: Change,
}

impl<'a> Books<'a> {
    /// Nothing is served.
    pub(super) fn new(network: &'a Network) -> Self {
        let mut books = Self {
            network,
            choice: vec![UNSERVED; network.lines()],
            split: FxHashMap::default(),
            left: network.stock.clone(),
            places: network.capacity.clone(),
            cost: 0,
            changed: vec![0; network.skus()],
            now: 1,
            seen: Vec::new(),
            orders: Vec::new(),
            undo: Change::default(),
        };
        books.cost = (0..network.orders()).map(|order| i128::from(books.cost_of(order, &mut Vec::new()))).sum();
        books
    }

    /// What the whole assignment costs, in the caller's units.
    pub(super) fn told_cost(&self) -> i64 {
        i64::try_from((self.cost + self.network.frozen_cost) >> self.network.shift).unwrap_or(i64::MAX)
    }

    /// Calls with every part of a line.
    pub(super) fn parts(&self, line: usize, mut each: impl FnMut(u32, i64)) {
        match self.choice[line] {
            SPLIT => self.split.get(&(line as u32)).into_iter().flatten().for_each(|&(cell, units)| each(cell, units)),
            cell => each(cell, i64::from(self.network.units[line])),
        }
    }

    /// Whether an order goes without something.
    pub(super) fn lacks(&self, order: usize) -> bool {
        self.network.lines_of(order).any(|line| {
            let mut lacks = false;
            self.parts(line, |cell, _| lacks |= cell == UNSERVED);
            lacks
        })
    }

    /// Units of a cell that a line may have: those of its channel's pool, and of the shared cell beneath.
    pub(super) fn free(&self, cell: usize) -> i64 {
        self.free_with(cell, |_| 0)
    }

    /// The same where cells have so many units more than the books say.
    pub(super) fn free_with(&self, cell: usize, more: impl Fn(usize) -> i64) -> i64 {
        let left = |cell: usize| self.left[cell] + more(cell);
        match self.network.base_of(cell) {
            Some(base) => left(cell).max(0) + left(base),
            None => left(cell),
        }
    }

    /// Units that the shared cell beneath one gets when that, with so many more than the books say, gets some back.
    pub(super) fn to_base(&self, cell: usize, more: i64, units: i64) -> i64 {
        let left = self.left[cell] + more;
        left.min(0).abs() - (left + units).min(0).abs()
    }

    pub(super) fn cells(&self) -> usize {
        self.left.len()
    }

    /// What an order costs beside its frozen lines; the warehouses that it uses for that are in `used`.
    pub(super) fn cost_of(&self, order: usize, used: &mut Vec<u32>) -> i64 {
        let network = self.network;
        let row = network.unit_row(order);
        let paid = network.paid_of(order);
        let (mut cost, mut unserved) = (0, false);
        used.clear();
        for line in network.lines_of(order) {
            self.parts(line, |cell, units| {
                if cell == UNSERVED {
                    unserved = true;
                    cost += units * network.unserved_unit(order, line);
                    return;
                }
                let warehouse = network.cell_warehouse[cell as usize];
                cost += units * network.unit_cost(line, row, warehouse as usize);
                if !used.contains(&warehouse) {
                    used.push(warehouse);
                    if !paid.contains(&warehouse) {
                        cost += network.fixed[warehouse as usize];
                    }
                }
            });
        }
        if unserved { cost + network.unserved_fixed(order) } else { cost }
    }

    /// What the stock that an order holds is worth by these prices.
    pub(super) fn value_of(&self, order: usize, prices: &[i64]) -> i64 {
        let mut value = 0;
        for line in self.network.lines_of(order) {
            self.parts(line, |cell, units| {
                if cell != UNSERVED {
                    value += units * prices[cell as usize];
                }
            });
        }
        value
    }

    /// What orders cost; in `places` those of their warehouses become free, or are taken.
    fn cost_and_places(&mut self, free: bool) -> (i64, bool) {
        let (mut cost, mut fits) = (0, true);
        let mut used = std::mem::take(&mut self.seen);
        for at in 0..self.orders.len() {
            let order = self.orders[at] as usize;
            cost += self.cost_of(order, &mut used);
            let paid = self.network.paid_of(order);
            let more = used.iter().filter(|at| !paid.contains(at)).count();
            fits &= more + paid.len() <= self.network.shipments_max(order);
            if !self.places.is_empty() {
                for at in used.iter().filter(|at| !paid.contains(at)) {
                    let places = &mut self.places[*at as usize];
                    *places += if free { 1 } else { -1 };
                    fits &= *places >= 0;
                }
            }
        }
        self.seen = used;
        (cost, fits)
    }

    fn release(&mut self, line: u32) {
        let units = i64::from(self.network.units[line as usize]);
        let whole = self.choice[line as usize];
        if whole == SPLIT {
            let parts = self.split.remove(&line).unwrap_or_default();
            parts.iter().for_each(|&(cell, units)| _ = self.give(cell, units));
            self.undo.split.push((line, parts));
        } else {
            self.give(whole, units);
            self.undo.whole.push((line, whole));
        }
        self.choice[line as usize] = UNSERVED;
    }

    /// Gives a cell units back, or takes them if below 0; whether there were as many.
    fn give(&mut self, cell: u32, units: i64) -> bool {
        if cell == UNSERVED {
            return true;
        }
        let mut cell = cell as usize;
        let base = self.network.base_of(cell);
        let shared = base.map_or(0, |_| self.to_base(cell, 0, units));
        self.left[cell] += units;
        if let Some(base) = base {
            self.left[base] += shared;
            cell = base;
        }
        self.left[cell] >= 0
    }

    fn put(&mut self, change: &Change) -> bool {
        let mut fits = true;
        for &(line, cell) in &change.whole {
            fits &= self.give(cell, -i64::from(self.network.units[line as usize]));
            self.choice[line as usize] = cell;
        }
        for (line, parts) in &change.split {
            for &(cell, units) in parts {
                fits &= self.give(cell, -units);
            }
            self.choice[*line as usize] = SPLIT;
            self.split.insert(*line, parts.clone());
        }
        fits
    }

    /// Does a change if it names no line twice, everything fits, and it pays if it must. Tells what it saves.
    pub(super) fn apply(&mut self, change: &Change, must: Must) -> Option<i64> {
        let lines = || change.whole.iter().map(|place| place.0).chain(change.split.iter().map(|place| place.0));
        self.seen.clear();
        self.seen.extend(lines());
        self.seen.sort_unstable();
        if self.seen.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        self.orders.clear();
        self.orders.extend(lines().map(|line| self.network.line_order[line as usize]));
        self.orders.sort_unstable();
        self.orders.dedup();
        let (before, _) = self.cost_and_places(true);
        self.undo.whole.clear();
        self.undo.split.clear();
        lines().for_each(|line| self.release(line));
        let fits = self.put(change);
        let (after, allowed) = self.cost_and_places(false);
        if fits && allowed && (must == Must::Fit || after < before) {
            self.cost += i128::from(after) - i128::from(before);
            for line in lines() {
                self.changed[self.network.sku_of(line as usize)] = self.now;
            }
            return Some(before - after);
        }
        let undo = std::mem::take(&mut self.undo);
        self.cost_and_places(true);
        lines().for_each(|line| self.release(line));
        self.put(&undo);
        self.cost_and_places(false);
        self.undo = undo;
        None
    }
}
