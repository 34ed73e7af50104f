//! A batch as the search walks through it: only cells that have stock, lists by SKU, costs in finer units. Frozen lines are
//! taken out: their stock is gone, their warehouses are open to the rest of their orders, and what they cost is set aside.

use std::ops::Range;

use super::problem::{NOWHERE, Problem};

/// Bits that the dearest line may have with its price, so that the kernel takes it.
const LINE_BITS: u32 = 46;

/// Costs are made finer by so many bits at the most, so that prices are not coarse where costs are small.
const SHIFT_MAX: u32 = 12;

/// Where a line is: a cell, or one of these.
pub(super) const UNSERVED: u32 = u32::MAX;

/// In several places, which are kept elsewhere.
pub(super) const SPLIT: u32 = u32::MAX - 1;

/// The batch without its frozen lines; `order` and `line` are numbers of its own.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) warehouses: usize,
    /// A cost of the caller is this many bits shorter.
    pub(super) shift: u32,
    pub(super) fixed: Vec<i64>,
    unit: Vec<i64>,
    unserved_unit: Vec<i64>,
    unserved_fixed: i64,
    penalty: i64,
    pub(super) order_start: Vec<u32>,
    region: Vec<u32>,
    priority: Vec<i64>,
    shipments_max: Vec<usize>,
    paid_start: Vec<u32>,
    paid: Vec<u32>,
    pub(super) line_order: Vec<u32>,
    pub(super) line_sku: Vec<u32>,
    pub(super) units: Vec<i32>,
    placed: Vec<i32>,
    /// The caller's number of each line.
    pub(super) source: Vec<u32>,
    pub(super) cell_start: Vec<u32>,
    pub(super) cell_warehouse: Vec<u32>,
    pub(super) stock: Vec<i64>,
    /// Whether more is wanted of the cell's SKU than the cell has: only then it may have a price.
    pub(super) scarce: Vec<bool>,
    sku_start: Vec<u32>,
    sku_line: Vec<u32>,
    /// Units wanted of each SKU, by weight.
    pub(super) demand: Vec<f64>,
    /// Empty where every order counts once.
    pub(super) weight: Vec<f64>,
    /// Orders that may use each warehouse beside those with frozen lines there; empty where there is no limit.
    pub(super) capacity: Vec<i64>,
    /// No price of a unit need be higher.
    pub(super) price_max: i64,
    /// What frozen lines cost, and the warehouses that they open.
    pub(super) frozen_cost: i128,
}

impl Network {
    pub(super) fn new(problem: &Problem) -> Self {
        let mut network = Self { warehouses: problem.warehouses(), ..Self::default() };
        let left = network.load_orders(problem);
        network.load_costs(problem);
        network.load_cells(problem, &left);
        network
    }

    /// Fills in orders and free lines; what is left of the stock (empty where nothing is frozen).
    fn load_orders(&mut self, problem: &Problem) -> Vec<i64> {
        let mut left = if problem.frozen.is_some() { problem.stock.to_vec() } else { Vec::new() };
        self.capacity = problem.capacity.map(<[_]>::to_vec).unwrap_or_default();
        self.order_start.reserve(problem.orders() + 1);
        self.order_start.push(0);
        for order in 0..problem.orders() {
            self.region.push(problem.region[order] as u32);
            for line in problem.lines_of(order) {
                if let Some(at) = problem.frozen_at(line) {
                    left[problem.sku[line] as usize * self.warehouses + at] -= i64::from(problem.quantity[line]);
                    continue;
                }
                self.line_order.push(order as u32);
                self.line_sku.push(problem.sku[line] as u32);
                self.units.push(problem.quantity[line]);
                self.source.push(line as u32);
                if let Some(placed) = problem.placed {
                    self.placed.push(placed[line]);
                }
            }
            self.order_start.push(self.line_order.len() as u32);
        }
        if problem.frozen.is_some() {
            self.paid_start.push(0);
            for order in 0..problem.orders() {
                let paid = problem.paid(order);
                for &at in &paid {
                    if let Some(capacity) = self.capacity.get_mut(at as usize) {
                        *capacity -= 1;
                    }
                }
                self.paid.extend(paid);
                self.paid_start.push(self.paid.len() as u32);
            }
        }
        self.priority = problem.priority.map(|all| all.iter().map(|&one| i64::from(one)).collect()).unwrap_or_default();
        self.shipments_max =
            problem.shipments_max.map(|all| all.iter().map(|&most| most as usize).collect()).unwrap_or_default();
        self.weight = problem.weight.map(<[_]>::to_vec).unwrap_or_default();
        left
    }

    fn load_costs(&mut self, problem: &Problem) {
        let highest = |values: &[i64]| values.iter().copied().max().unwrap_or(0);
        let priority = self.priority.iter().copied().max().unwrap_or(1);
        let units = i64::from(self.units.iter().copied().max().unwrap_or(1));
        self.penalty = if problem.placed.is_some() { problem.move_penalty } else { 0 };
        let price_max = (problem.unserved_fixed + highest(problem.unserved_unit))
            .saturating_mul(priority)
            .saturating_add(self.penalty);
        let dearest = (highest(problem.unit_cost) + self.penalty)
            .max(highest(problem.unserved_unit).saturating_mul(priority) + self.penalty)
            .saturating_add(price_max)
            .saturating_mul(units)
            .max(highest(problem.fixed))
            .max(problem.unserved_fixed.saturating_mul(priority));
        let bits = i64::BITS - dearest.leading_zeros();
        self.shift = LINE_BITS.saturating_sub(bits).min(SHIFT_MAX);
        let shift = self.shift;
        let finer = |values: &[i64]| values.iter().map(|&value| value << shift).collect::<Vec<_>>();
        self.fixed = finer(problem.fixed);
        self.unit = finer(problem.unit_cost);
        self.unserved_unit = finer(problem.unserved_unit);
        self.unserved_fixed = problem.unserved_fixed << shift;
        self.penalty <<= shift;
        // Where quantities are large, prices are kept so low that a line with its price still fits.
        self.price_max = (price_max << shift).min((1 << LINE_BITS) / units);
        for order in 0..problem.orders() {
            let row = self.unit_row(order);
            let lines: i128 = problem
                .lines_of(order)
                .filter_map(|line| problem.frozen_at(line).map(|at| (line, at)))
                .map(|(line, at)| {
                    let moved =
                        problem.placed.is_some_and(|placed| placed[line] != NOWHERE && placed[line] as usize != at);
                    i128::from(problem.quantity[line]) * i128::from(row[at] + if moved { self.penalty } else { 0 })
                })
                .sum();
            let opened: i128 = self.paid_of(order).iter().map(|&at| i128::from(self.fixed[at as usize])).sum();
            self.frozen_cost += lines + opened;
        }
    }

    fn load_cells(&mut self, problem: &Problem, left: &[i64]) {
        let stock = if left.is_empty() { problem.stock } else { left };
        let skus = problem.skus();
        self.demand.resize(skus, 0.0);
        self.sku_start.resize(skus + 1, 0);
        let mut wanted = vec![0_i64; skus];
        for (line, &sku) in self.line_sku.iter().enumerate() {
            self.sku_start[sku as usize + 1] += 1;
            wanted[sku as usize] += i64::from(self.units[line]);
            self.demand[sku as usize] += f64::from(self.units[line]) * self.weight_of(self.line_order[line] as usize);
        }
        for sku in 0..skus {
            self.sku_start[sku + 1] += self.sku_start[sku];
        }
        let mut next = self.sku_start.clone();
        self.sku_line.resize(self.line_sku.len(), 0);
        for (line, &sku) in self.line_sku.iter().enumerate() {
            self.sku_line[next[sku as usize] as usize] = line as u32;
            next[sku as usize] += 1;
        }
        self.cell_start.push(0);
        for sku in 0..skus {
            let row = &stock[sku * self.warehouses..(sku + 1) * self.warehouses];
            if wanted[sku] > 0 {
                for (at, &units) in row.iter().enumerate().filter(|&(_, &units)| units > 0) {
                    self.cell_warehouse.push(at as u32);
                    self.stock.push(units);
                    self.scarce.push(self.demand[sku] > units as f64);
                }
            }
            self.cell_start.push(self.stock.len() as u32);
        }
    }

    pub(super) fn orders(&self) -> usize {
        self.region.len()
    }

    pub(super) fn lines(&self) -> usize {
        self.line_order.len()
    }

    pub(super) fn skus(&self) -> usize {
        self.demand.len()
    }

    pub(super) fn lines_of(&self, order: usize) -> Range<usize> {
        self.order_start[order] as usize..self.order_start[order + 1] as usize
    }

    pub(super) fn cells_of(&self, sku: usize) -> Range<usize> {
        self.cell_start[sku] as usize..self.cell_start[sku + 1] as usize
    }

    /// Where a line may be served.
    pub(super) fn cells_for(&self, line: usize) -> Range<usize> {
        self.cells_of(self.line_sku[line] as usize)
    }

    /// The lines that want a SKU.
    pub(super) fn lines_with(&self, sku: usize) -> &[u32] {
        &self.sku_line[self.sku_start[sku] as usize..self.sku_start[sku + 1] as usize]
    }

    /// What a unit costs from each warehouse to where an order goes.
    pub(super) fn unit_row(&self, order: usize) -> &[i64] {
        let region = self.region[order] as usize;
        &self.unit[region * self.warehouses..(region + 1) * self.warehouses]
    }

    /// What a unit of a line costs at a warehouse.
    pub(super) fn unit_cost(&self, line: usize, row: &[i64], warehouse: usize) -> i64 {
        let cost = row[warehouse];
        match self.placed.get(line) {
            Some(&placed) if placed != NOWHERE && placed as usize != warehouse => cost + self.penalty,
            _ => cost,
        }
    }

    /// What a unit of a line costs that is not served.
    pub(super) fn unserved_unit(&self, order: usize, line: usize) -> i64 {
        let moved = self.placed.get(line).is_some_and(|&placed| placed != NOWHERE);
        self.unserved_unit[self.region[order] as usize] * self.priority_of(order) + if moved { self.penalty } else { 0 }
    }

    /// Once for an order of which a unit is not served.
    pub(super) fn unserved_fixed(&self, order: usize) -> i64 {
        self.unserved_fixed * self.priority_of(order)
    }

    fn priority_of(&self, order: usize) -> i64 {
        self.priority.get(order).copied().unwrap_or(1)
    }

    pub(super) fn weight_of(&self, order: usize) -> f64 {
        self.weight.get(order).copied().unwrap_or(1.0)
    }

    /// Warehouses that an order may use, those of its frozen lines included.
    pub(super) fn shipments_max(&self, order: usize) -> usize {
        self.shipments_max.get(order).copied().unwrap_or(usize::MAX)
    }

    /// Warehouses that are open to an order because of its frozen lines.
    pub(super) fn paid_of(&self, order: usize) -> &[u32] {
        match self.paid_start.get(order..order + 2) {
            Some(ends) => &self.paid[ends[0] as usize..ends[1] as usize],
            None => &[],
        }
    }
}
