//! What one order may choose from, and its cheapest choice: uncapacitated facility location, with "not served" as one more
//! warehouse that is no shipment. Up to eight lines by sets of lines, exactly; beyond them by the [`kernel`](crate::kernel).

mod dense;
mod sets;

use super::network::UNSERVED;
use crate::kernel::{Kernel, UNSERVABLE};

/// Lines that are parted by sets of them, at the most.
const SET_LINES_MAX: usize = 8;
const SETS: usize = 1 << SET_LINES_MAX;

/// Cells that the kernel's search for one order may walk over: some 100 µs. Its bound holds all the same.
const KERNEL_WORK: u64 = 50_000;

/// Stands for the warehouse of what is not served.
const NOBODY: u32 = u32::MAX;

/// What was found; the choice is in [`Menu::chosen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Solved {
    pub(super) value: i64,
    /// No choice has a lower value.
    pub(super) bound: i64,
}

/// A cell that may serve a line, and what that costs beside opening the warehouse.
#[derive(Clone, Copy, Debug)]
struct Offer {
    cost: i64,
    warehouse: u32,
    cell: u32,
}

/// A warehouse and the lines that it may serve.
#[derive(Clone, Debug, Default)]
struct Group {
    warehouse: u32,
    lines: usize,
    line: [u8; SET_LINES_MAX],
    cost: [i64; SET_LINES_MAX],
    cell: [u32; SET_LINES_MAX],
}

/// Options of one order, line by line, and the memory to choose in.
#[derive(Debug)]
pub(super) struct Menu {
    start: Vec<u32>,
    offers: Vec<Offer>,
    unserved: Vec<i64>,
    unserved_fixed: i64,
    shipments_max: usize,
    /// The cell of each line, or [`UNSERVED`], as the last call chose.
    pub(super) chosen: Vec<u32>,
    /// Where each warehouse is among the groups, if its epoch is this one.
    place: Vec<(u32, u32)>,
    epoch: u32,
    groups: Vec<Group>,
    best: [(i64, u32); SETS],
    /// Sets that are cheaper at one warehouse than each line for itself, by their first line: by how much.
    parts: [Vec<(usize, i64)>; SET_LINES_MAX],
    saved: [(i64, usize); SETS],
    sets: [(usize, i64); SETS],
    total: Vec<[(i64, u32); SETS]>,
    dense_fixed: Vec<i64>,
    dense: Vec<i64>,
    kernel: Kernel,
}

impl Menu {
    pub(super) fn new(warehouses: usize) -> Self {
        Self {
            start: Vec::new(),
            offers: Vec::new(),
            unserved: Vec::new(),
            unserved_fixed: 0,
            shipments_max: usize::MAX,
            chosen: Vec::new(),
            place: vec![(0, 0); warehouses],
            epoch: 0,
            groups: Vec::new(),
            best: [(UNSERVABLE, 0); SETS],
            parts: Default::default(),
            saved: [(0, 0); SETS],
            sets: [(0, 0); SETS],
            total: Vec::new(),
            dense_fixed: Vec::new(),
            dense: Vec::new(),
            kernel: Kernel::with_work_limit(KERNEL_WORK),
        }
    }

    /// Begins another order.
    pub(super) fn begin(&mut self, unserved_fixed: i64, shipments_max: usize) {
        self.start.clear();
        self.offers.clear();
        self.unserved.clear();
        self.unserved_fixed = unserved_fixed;
        self.shipments_max = shipments_max;
    }

    /// Begins another line, and tells what it costs not to serve it.
    pub(super) fn line(&mut self, unserved: i64) {
        self.start.push(self.offers.len() as u32);
        self.unserved.push(unserved);
    }

    /// Adds a cell that may serve the line begun last.
    pub(super) fn option(&mut self, warehouse: u32, cost: i64, cell: u32) {
        self.offers.push(Offer { cost, warehouse, cell });
    }

    fn options(&self, line: usize) -> &[Offer] {
        let end = self.start.get(line + 1).map_or(self.offers.len(), |&end| end as usize);
        &self.offers[self.start[line] as usize..end]
    }

    /// The cheapest choice, where each warehouse costs so much once it is used.
    pub(super) fn solve(&mut self, open: &[i64]) -> Solved {
        let lines = self.unserved.len();
        self.chosen.clear();
        match lines {
            0 => Solved { value: 0, bound: 0 },
            1 => self.solve_one(open),
            2 if self.shipments_max >= 2 => self.solve_two(open),
            _ if lines <= SET_LINES_MAX => self.solve_sets(open),
            _ => self.solve_many(open),
        }
    }

    fn cheapest(&self, line: usize, open: &[i64]) -> (i64, u32) {
        let mut best = (self.unserved_fixed + self.unserved[line], UNSERVED);
        for offer in self.options(line) {
            let cost = open[offer.warehouse as usize] + offer.cost;
            if cost <= best.0 && (cost < best.0 || best.1 == UNSERVED) {
                best = (cost, offer.cell);
            }
        }
        best
    }

    fn solve_one(&mut self, open: &[i64]) -> Solved {
        let (value, cell) = self.cheapest(0, open);
        self.chosen.push(cell);
        Solved { value, bound: value }
    }

    fn next_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.place.fill((0, 0));
            self.epoch = 1;
        }
    }

    fn solve_two(&mut self, open: &[i64]) -> Solved {
        let (one, other) = (self.cheapest(0, open), self.cheapest(1, open));
        self.next_epoch();
        let (firsts, seconds) = self.offers.split_at(self.start[1] as usize);
        for (at, offer) in firsts.iter().enumerate() {
            self.place[offer.warehouse as usize] = (self.epoch, at as u32);
        }
        let mut both = (self.unserved_fixed + self.unserved[0] + self.unserved[1], [UNSERVED; 2]);
        for offer in seconds {
            let (epoch, first) = self.place[offer.warehouse as usize];
            if epoch == self.epoch {
                let first = firsts[first as usize];
                let cost = open[offer.warehouse as usize] + first.cost + offer.cost;
                if cost < both.0 {
                    both = (cost, [first.cell, offer.cell]);
                }
            }
        }
        let apart = one.0 + other.0;
        let (value, chosen) = if apart < both.0 { (apart, [one.1, other.1]) } else { both };
        self.chosen.extend(chosen);
        Solved { value, bound: value }
    }

    /// Groups the options by warehouse.
    fn group(&mut self) {
        self.next_epoch();
        self.groups.clear();
        let ends = self.start[1..].iter().map(|&end| end as usize).chain([self.offers.len()]);
        let mut first = 0;
        for (line, end) in ends.enumerate() {
            for offer in &self.offers[first..end] {
                let place = &mut self.place[offer.warehouse as usize];
                if place.0 != self.epoch {
                    *place = (self.epoch, self.groups.len() as u32);
                    self.groups.push(Group { warehouse: offer.warehouse, ..Group::default() });
                }
                let group = &mut self.groups[place.1 as usize];
                if group.lines < SET_LINES_MAX {
                    group.line[group.lines] = line as u8;
                    group.cost[group.lines] = offer.cost;
                    group.cell[group.lines] = offer.cell;
                }
                group.lines += 1;
            }
            first = end;
        }
    }
}
