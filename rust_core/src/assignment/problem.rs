//! What comes in: the columns of a batch, and the rules that they keep. Nothing is copied.

/// The highest cost of a unit, a warehouse or a penalty, and the highest that a line or its order may come to.
pub const COST_MAX: i64 = 10_i64.pow(13);

/// The most that all orders together may come to, at the dearest that each could be.
pub const TOTAL_MAX: i64 = 1 << 61;

/// Lines of one order, at the most.
pub const ORDER_LINES_MAX: usize = 500;

/// Lines, orders and stocked cells of one batch, at the most.
pub const LINES_MAX: usize = 1 << 30;

/// Marks a line that is nowhere yet (`placed`), or free to go anywhere (`frozen`), and an order without a channel.
pub const NOWHERE: i32 = -1;

/// Orders over shared stock. Matrices are rows one after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem<'a> {
    /// Where the lines of each order begin, and where the last one's end.
    pub line_start: &'a [i64],
    /// SKU of each line; an order has a SKU once at the most.
    pub sku: &'a [i32],
    /// Units of each line, from 1 on.
    pub quantity: &'a [i32],
    /// Where each order goes.
    pub region: &'a [i32],
    /// Once for each warehouse that an order uses.
    pub fixed: &'a [i64],
    /// Of a unit: a row a region, a column a warehouse.
    pub unit_cost: &'a [i64],
    /// Units: a row a SKU, a column a warehouse. What orders hold now (`placed`, `frozen`) is included.
    pub stock: &'a [i64],
    /// Once for each order of which a unit is not served.
    pub unserved_fixed: i64,
    /// Of a unit not served, by region.
    pub unserved_unit: &'a [i64],
    /// Warehouses that each order may use.
    pub shipments_max: Option<&'a [i32]>,
    /// Where each line is now, [`NOWHERE`] for a new one.
    pub placed: Option<&'a [i32]>,
    /// Of a unit that leaves where it is placed.
    pub move_penalty: i64,
    /// Where each line must stay, [`NOWHERE`] for one that is free.
    pub frozen: Option<&'a [i32]>,
    /// Orders that may use each warehouse.
    pub capacity: Option<&'a [i64]>,
    /// What not serving each order costs is multiplied by this, from 1 on.
    pub priority: Option<&'a [i32]>,
    /// How often each order is expected; only prices know of it.
    pub weight: Option<&'a [f64]>,
    /// Channel of each order, [`NOWHERE`] for none; only with `pool`.
    pub channel: Option<&'a [i32]>,
    /// Units beside `stock` that only orders of a channel may take: for each channel as many rows as `stock` has. They take
    /// them first. What orders hold now is included in the pool of their channel, or in `stock`.
    pub pool: Option<&'a [i64]>,
}

/// A rule that is broken: where (a JSON pointer), and which.
pub type Flaw = (String, String);

impl<'a> Problem<'a> {
    /// Orders.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.region.len()
    }

    /// Lines.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.sku.len()
    }

    /// Warehouses.
    #[must_use]
    pub fn warehouses(&self) -> usize {
        self.fixed.len()
    }

    /// SKUs that have a row of stock.
    #[must_use]
    pub fn skus(&self) -> usize {
        self.stock.len().checked_div(self.warehouses()).unwrap_or(0)
    }

    /// Channels that have rows of pools.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.pool.map_or(0, <[_]>::len).checked_div(self.stock.len()).unwrap_or(0)
    }

    pub(super) fn channel_of(&self, order: usize) -> Option<usize> {
        self.channel.and_then(|channel| usize::try_from(channel[order]).ok())
    }

    /// Where the pools of a channel have a cell of the stock.
    pub(super) fn pool_at(&self, channel: usize, cell: usize) -> usize {
        channel * self.stock.len() + cell
    }

    /// Input positions of an order's lines.
    pub(super) fn lines_of(&self, order: usize) -> std::ops::Range<usize> {
        self.line_start[order] as usize..self.line_start[order + 1] as usize
    }

    pub(super) fn frozen_at(&self, line: usize) -> Option<usize> {
        self.frozen.and_then(|frozen| usize::try_from(frozen[line]).ok())
    }

    pub(super) fn priority_of(&self, order: usize) -> i64 {
        self.priority.map_or(1, |priority| i64::from(priority[order]))
    }

    /// The warehouses at which lines of an order are frozen, in order.
    pub(super) fn paid(&self, order: usize) -> Vec<u32> {
        let mut paid: Vec<u32> =
            self.lines_of(order).filter_map(|line| self.frozen_at(line)).map(|at| at as u32).collect();
        paid.sort_unstable();
        paid.dedup();
        paid
    }
}
