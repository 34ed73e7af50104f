//! Looks anew at open orders of a live system: which of them are better served from elsewhere, by the very costs and rules
//! that new orders are planned by.
//!
//! * [`gather`](Reallocation::look) chooses orders by their records, and prices each of them at every warehouse that it allows.
//! * [`columns`](Reallocation::columns) makes a batch over shared stock of them, which [`crate::assignment`] solves. Its model is exact
//!   for an order that one warehouse serves; where several do, the ways are shared out by units.
//! * [`place`](Reallocation::place) has the planner choose shipments within the warehouses that the assignment names, over a view of its own in
//!   which all that may move is free. What does not pay by true cost stays where it is.
//! * [`settle`](Reallocation::settle) drops moves whose stock another one keeps after all, and those beyond the bound.
//! * [`sequence`](Reallocation::sequence) orders what is left so that each chunk finds its stock: chains one after another, rings together.

mod columns;
mod gather;
mod place;
mod sequence;
mod settle;
mod told;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::amend::{Amended, warehouse_of};
use crate::capacity::Capacity;
use crate::ids::{CellId, ChannelId, SkuId, WarehouseId};
use crate::planner::Shipment;
use crate::view::View;

pub use columns::Columns;
pub use sequence::{Chunk, Spanning};
pub use told::Rows;

/// Costs of the assignment's model are finer than money by this, as what a unit of an order costs is no whole number.
pub const COST_SCALE: i64 = 16;

/// Which orders, and what is asked of their moves.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Serves nothing any more.
    pub down: Option<WarehouseId>,
    /// Nothing is moved there.
    pub excluded: Vec<WarehouseId>,
    /// Orders that hold stock at one of these; of any where it is empty, as below.
    pub warehouses: Vec<WarehouseId>,
    /// Countries that orders go to.
    pub countries: Vec<String>,
    /// Regions that they go to.
    pub regions: Vec<String>,
    /// Orders that hold or want one of these.
    pub skus: Vec<SkuId>,
    /// Orders taken up to then, in milliseconds since 1970.
    pub taken_until_ms: Option<u64>,
    /// Only those that wait for stock.
    pub backordered: bool,
    /// Those that wait as well as those that hold stock.
    pub all_open: bool,
    /// Minor units that a unit's move must save.
    pub move_penalty: i64,
    /// Orders that are moved at the most.
    pub moves_max: usize,
    /// Shipments of a moved order at the most.
    pub shipments_max: Option<usize>,
    /// Orders that are looked at at the most.
    pub orders_max: usize,
    /// By the store's clock.
    pub now_ms: u64,
}

/// Why an order is left out, stays or is not served; the names are those of `engine.reallocation`.
pub type Why = &'static str;

/// Orders by why.
pub type Tally = BTreeMap<Why, u64>;

/// An order that is looked at anew.
#[derive(Debug)]
struct Open {
    id: Box<str>,
    stored: Box<[u8]>,
    /// Whether it waits for stock, and holds none.
    waits: bool,
    /// Whether it holds stock where nothing is served any more.
    is_down: bool,
    /// Who comes first where stock is short: paid, then by the day promised, then by age.
    rank: (u8, i32, u64),
    /// Whose pools it may take from.
    channel: ChannelId,
    held: Vec<(CellId, i64)>,
    /// SKUs and units that it holds or, where it waits, wants.
    lines: Vec<(SkuId, i64)>,
    shipments: usize,
    shipments_max: usize,
    cost: i64,
    /// What a unit costs from each warehouse, in the model's finer money; what is not allowed has a cost beyond all bounds.
    unit: Box<[i64]>,
    /// Index of its place among the regions.
    region: usize,
    outcome: Outcome,
}

/// What an order that waits would add to what its customer bought.
#[derive(Debug)]
struct Limited {
    /// Its place among the orders.
    at: usize,
    /// Names, units and limits.
    counters: Vec<(String, i64, i64)>,
}

/// What becomes of an order.
#[derive(Debug, Default)]
enum Outcome {
    /// It was not tried elsewhere.
    #[default]
    Stays,
    /// It stays though it would be served from elsewhere, or by anybody.
    Kept(Why),
    Moves(Box<Move>),
}

/// A move that pays.
#[derive(Debug)]
struct Move {
    amended: Amended,
    version: u32,
    shipments: Vec<Shipment>,
    /// Units that each cell gives (below zero: gets back).
    changes: Vec<(CellId, i64)>,
    units: i64,
    cost: i64,
    /// Those of which it takes more.
    counters: Vec<String>,
    /// Of warehouses' days that it leaves: it may be taken back.
    days_left: Vec<String>,
}

impl Move {
    /// What bounds its counters, but for those of warehouses' days: these have the bounds of when it is made.
    fn limits(&self) -> impl Iterator<Item = &(String, i64)> {
        self.amended.limits.iter().filter(|(name, _)| warehouse_of(name).is_none())
    }
}

/// Where orders go.
#[derive(Debug, Default)]
struct Region {
    country: Option<String>,
    region: Option<String>,
    lat: f64,
    lon: f64,
    orders: u64,
}

/// One re-allocation while it is worked out.
#[derive(Debug, Default)]
pub struct Reallocation {
    terms: Terms,
    orders: Vec<Open>,
    regions: Vec<Region>,
    region_of: FxHashMap<(Option<String>, Option<String>), usize>,
    skus: FxHashSet<SkuId>,
    /// Orders that wait whose customers may have had as many as they may.
    limited: Vec<Limited>,
    seen: u64,
    left_out: Tally,
    /// What was free when planning began.
    free: FxHashMap<CellId, i64>,
    view: View,
    capacity: Capacity,
    frozen: columns::Frozen,
    targets: Vec<Vec<WarehouseId>>,
    queue: Vec<usize>,
    placed: usize,
}

impl Reallocation {
    /// One that knows no order yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, ..Self::default() }
    }

    /// Orders that are looked at anew.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether nothing may be moved to a warehouse.
    fn shuns(&self, warehouse: WarehouseId) -> bool {
        self.terms.down == Some(warehouse) || self.terms.excluded.contains(&warehouse)
    }

    fn moves(&self) -> impl Iterator<Item = (usize, &Open, &Move)> {
        self.orders.iter().enumerate().filter_map(|(at, open)| match &open.outcome {
            Outcome::Moves(made) => Some((at, open, &**made)),
            _ => None,
        })
    }
}

fn count(tally: &mut Tally, why: Why) {
    *tally.entry(why).or_default() += 1;
}

#[cfg(test)]
mod tests;
