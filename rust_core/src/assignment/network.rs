//! A batch as the search walks through it: only cells that have stock, lists by SKU, costs in finer units. Frozen lines are
//! taken out: their stock is gone, their warehouses are open to the rest of their orders, and what they cost is set aside.
//!
//! A SKU has a row of cells; where channels that want it have pools of it, one more for each of them. A cell of a channel has
//! the pool's units, and beneath it is the shared cell, its base, of which the channel takes what the pool has not.

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

/// No cell is beneath one.
const NO_BASE: u32 = u32::MAX;

/// What frozen lines leave; empty where there are none.
#[derive(Default)]
struct Left {
    stock: Vec<i64>,
    pool: Vec<i64>,
}

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
    /// The row of cells of each line.
    pub(super) line_row: Vec<u32>,
    pub(super) units: Vec<i32>,
    placed: Vec<i32>,
    /// The caller's number of each line.
    pub(super) source: Vec<u32>,
    /// The first row of each SKU, which is shared, and the SKU of each row; empty where no pool is wanted: row and SKU are one.
    sku_row: Vec<u32>,
    row_sku: Vec<u32>,
    cell_start: Vec<u32>,
    pub(super) cell_warehouse: Vec<u32>,
    pub(super) stock: Vec<i64>,
    /// The shared cell beneath each cell of a channel; empty where no pool is wanted.
    base: Vec<u32>,
    /// Whether more is wanted of the cell's SKU than the cell has: only then it may have a price.
    pub(super) scarce: Vec<bool>,
    row_start: Vec<u32>,
    row_line: Vec<u32>,
    /// Units wanted of each row, by weight.
    pub(super) demand: Vec<f64>,
    /// Units wanted of each cell of a SKU that has several rows: of shared ones what pools have not.
    pub(super) wanted: Vec<f64>,
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
        let pool = if left.pool.is_empty() { problem.pool.unwrap_or_default() } else { &left.pool };
        let channels = network.load_rows(problem, pool);
        network.load_lists();
        network.load_cells(problem, if left.stock.is_empty() { problem.stock } else { &left.stock }, pool, &channels);
        network
    }

    /// Fills in orders and free lines; what is left of the stock.
    fn load_orders(&mut self, problem: &Problem) -> Left {
        let mut left = Left::default();
        if problem.frozen.is_some() {
            left.stock = problem.stock.to_vec();
            left.pool = problem.pool.unwrap_or_default().to_vec();
        }
        self.capacity = problem.capacity.map(<[_]>::to_vec).unwrap_or_default();
        self.order_start.reserve(problem.orders() + 1);
        self.order_start.push(0);
        for order in 0..problem.orders() {
            self.region.push(problem.region[order] as u32);
            for line in problem.lines_of(order) {
                if let Some(at) = problem.frozen_at(line) {
                    let cell = problem.sku[line] as usize * self.warehouses + at;
                    left.take(problem, problem.channel_of(order), cell, i64::from(problem.quantity[line]));
                    continue;
                }
                self.line_order.push(order as u32);
                self.line_row.push(problem.sku[line] as u32);
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

    /// Gives channels that want a SKU of which they have a pool a row of their own; the channels of these rows.
    fn load_rows(&mut self, problem: &Problem, pool: &[i64]) -> Vec<usize> {
        let skus = problem.skus();
        let pooled: Vec<bool> = pool.chunks(self.warehouses).map(|row| row.iter().any(|&units| units > 0)).collect();
        let row_of = |network: &Self, line: usize| {
            let (channel, sku) = (problem.channel_of(network.line_order[line] as usize)?, network.line_row[line]);
            (*pooled.get(channel * skus + sku as usize)?).then_some((sku, channel))
        };
        let mut own: Vec<(u32, usize)> = (0..self.lines()).filter_map(|line| row_of(self, line)).collect();
        own.sort_unstable();
        own.dedup();
        self.demand.resize(skus + own.len(), 0.0);
        if own.is_empty() {
            return Vec::new();
        }
        for line in 0..self.lines() {
            let sku = self.line_row[line];
            let before = match row_of(self, line) {
                Some(key) => own.partition_point(|&one| one <= key),
                None => own.partition_point(|&one| one.0 < sku),
            };
            self.line_row[line] = sku + before as u32;
        }
        for sku in 0..skus as u32 {
            self.sku_row.push(self.row_sku.len() as u32);
            let rows = 1 + own.iter().skip(self.row_sku.len() - sku as usize).take_while(|one| one.0 == sku).count();
            self.row_sku.resize(self.row_sku.len() + rows, sku);
        }
        self.sku_row.push(self.row_sku.len() as u32);
        own.into_iter().map(|(_, channel)| channel).collect()
    }

    /// Lists the lines of each row, and sums up what they want.
    fn load_lists(&mut self) {
        self.row_start.resize(self.rows() + 1, 0);
        for (line, &row) in self.line_row.iter().enumerate() {
            self.row_start[row as usize + 1] += 1;
            self.demand[row as usize] += f64::from(self.units[line]) * self.weight_of(self.line_order[line] as usize);
        }
        for row in 0..self.rows() {
            self.row_start[row + 1] += self.row_start[row];
        }
        let mut next = self.row_start.clone();
        self.row_line.resize(self.line_row.len(), 0);
        for (line, &row) in self.line_row.iter().enumerate() {
            self.row_line[next[row as usize] as usize] = line as u32;
            next[row as usize] += 1;
        }
    }

    fn load_cells(&mut self, problem: &Problem, stock: &[i64], pool: &[i64], channels: &[usize]) {
        self.cell_start.push(0);
        let mut channels = channels.iter();
        for sku in 0..self.skus() {
            let rows = self.rows_of(sku);
            let cells = sku * self.warehouses..(sku + 1) * self.warehouses;
            let wanted = self.row_start[rows.end] > self.row_start[rows.start];
            let first = self.stock.len();
            for (at, &units) in stock[cells.clone()].iter().enumerate().filter(|&(_, &units)| wanted && units > 0) {
                self.cell_warehouse.push(at as u32);
                self.stock.push(units);
                self.scarce.push(self.demand[rows.start] > units as f64);
            }
            self.cell_start.push(self.stock.len() as u32);
            let end = self.stock.len();
            for &channel in channels.by_ref().take(rows.len() - 1) {
                self.load_pool(&pool[problem.pool_at(channel, cells.start)..][..self.warehouses], first..end);
                self.cell_start.push(self.stock.len() as u32);
            }
            if rows.len() > 1 {
                self.mark_scarce(sku);
            }
        }
        if !self.base.is_empty() {
            self.base.resize(self.stock.len(), NO_BASE);
            self.wanted.resize(self.stock.len(), 0.0);
        }
    }

    /// Adds the row of a channel over shared cells.
    fn load_pool(&mut self, pool: &[i64], shared: Range<usize>) {
        self.base.resize(self.stock.len(), NO_BASE);
        let mut shared = shared.peekable();
        for (at, &units) in pool.iter().enumerate() {
            let base = shared.next_if(|&cell| self.cell_warehouse[cell] as usize == at);
            if units > 0 || base.is_some() {
                self.cell_warehouse.push(at as u32);
                self.stock.push(units);
                self.base.push(base.map_or(NO_BASE, |cell| cell as u32));
                self.scarce.push(false);
            }
        }
    }

    /// Of a shared cell is wanted what pools have not; that of a channel is scarce only where the shared one is, too.
    fn mark_scarce(&mut self, sku: usize) {
        let rows = self.rows_of(sku);
        self.wanted.resize(self.cells_of(rows.start).start, 0.0);
        for row in rows.clone() {
            self.wanted.resize(self.cells_of(row).end, self.demand[row]);
            for cell in self.cells_of(row) {
                if let Some(base) = self.base_of(cell) {
                    self.wanted[base] += (self.demand[row] - self.stock[cell] as f64).max(0.0);
                }
            }
        }
        for cell in self.cells_with(sku) {
            let beneath = self.base_of(cell).is_none_or(|base| self.scarce[base]);
            self.scarce[cell] = self.wanted[cell] > self.stock[cell] as f64 && beneath;
        }
    }

    pub(super) fn orders(&self) -> usize {
        self.region.len()
    }

    pub(super) fn lines(&self) -> usize {
        self.line_order.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.demand.len()
    }

    pub(super) fn skus(&self) -> usize {
        if self.sku_row.is_empty() { self.rows() } else { self.sku_row.len() - 1 }
    }

    /// The rows of a SKU; the first is shared.
    pub(super) fn rows_of(&self, sku: usize) -> Range<usize> {
        if self.sku_row.is_empty() { sku..sku + 1 } else { self.sku_row[sku] as usize..self.sku_row[sku + 1] as usize }
    }

    /// The SKU of a line.
    pub(super) fn sku_of(&self, line: usize) -> usize {
        let row = self.line_row[line] as usize;
        self.row_sku.get(row).map_or(row, |&sku| sku as usize)
    }

    pub(super) fn lines_of(&self, order: usize) -> Range<usize> {
        self.order_start[order] as usize..self.order_start[order + 1] as usize
    }

    pub(super) fn cells_of(&self, row: usize) -> Range<usize> {
        self.cell_start[row] as usize..self.cell_start[row + 1] as usize
    }

    /// The cells of all rows of a SKU.
    pub(super) fn cells_with(&self, sku: usize) -> Range<usize> {
        let rows = self.rows_of(sku);
        self.cell_start[rows.start] as usize..self.cell_start[rows.end] as usize
    }

    /// Where a line may be served.
    pub(super) fn cells_for(&self, line: usize) -> Range<usize> {
        self.cells_of(self.line_row[line] as usize)
    }

    /// The shared cell beneath that of a channel.
    pub(super) fn base_of(&self, cell: usize) -> Option<usize> {
        self.base.get(cell).filter(|&&base| base != NO_BASE).map(|&base| base as usize)
    }

    /// The lines that want what a row has.
    pub(super) fn lines_in(&self, row: usize) -> &[u32] {
        &self.row_line[self.row_start[row] as usize..self.row_start[row + 1] as usize]
    }

    /// The lines that want a SKU.
    pub(super) fn lines_with(&self, sku: usize) -> &[u32] {
        let rows = self.rows_of(sku);
        &self.row_line[self.row_start[rows.start] as usize..self.row_start[rows.end] as usize]
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

impl Left {
    /// Takes what a frozen line holds: from the pool of its channel first.
    fn take(&mut self, problem: &Problem, channel: Option<usize>, cell: usize, units: i64) {
        let mut pooled = 0;
        if let Some(pool) = channel.and_then(|channel| self.pool.get_mut(problem.pool_at(channel, cell))) {
            pooled = units.min(*pool);
            *pool -= pooled;
        }
        self.stock[cell] -= units - pooled;
    }
}
